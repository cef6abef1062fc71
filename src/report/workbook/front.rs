//! The first sheet's tables: from the bill to the bank, what to do, how it compares, and where everything is.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Url, XlsxError};

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentTable, FlowStep, Task};
use super::super::words::Words;
use super::sheet::{Place, Sheet};

type Links = BTreeMap<String, String>;

impl Sheet<'_> {
    /// A table of the first sheet: caption, headings, rows.
    pub(super) fn listed(&mut self, table: &DocumentTable<'_>) -> Result<(), XlsxError> {
        let columns: Vec<usize> = (0..table.columns.len()).collect();
        self.space();
        self.caption(&table.caption)?;
        self.head(table, &columns, false)?;
        for row in table.rows.iter() {
            self.cells(table, &columns, &row, Place::Body)?;
        }
        if let Some(totals) = &table.totals {
            self.cells(table, &columns, totals, Place::Totals)?;
        }
        Ok(())
    }

    /// Each step with what it adds and the figure after it; figures of their own stand out.
    pub(super) fn flow(&mut self, caption: &str, steps: &[FlowStep], links: &Links) -> Result<(), XlsxError> {
        self.space();
        self.caption(caption)?;
        for step in steps {
            let (place, kind) = if step.is_total { (Place::Totals, CellKind::Rupiah) } else { (Place::Body, CellKind::Difference) };
            let cells = [Cell::Text(step.label.into()), step.amount.into(), step.after.into()];
            self.line(&cells, [CellKind::Text, kind, CellKind::Rupiah], place)?;
            self.link(step.section, links)?;
        }
        Ok(())
    }

    /// What to do, by who acts, each with a link to its items.
    pub(super) fn tasks(&mut self, words: &Words, tasks: &[Task], links: &Links) -> Result<(), XlsxError> {
        let columns = [(words.desk(), CellKind::Text), (words.items_count(), CellKind::Count), (words.items_amount(), CellKind::Rupiah)];
        let columns = columns.map(|(title, kind)| DocumentColumn::new(title, kind)).into();
        self.space();
        self.caption(words.tasks())?;
        if tasks.is_empty() {
            return self.remark(words.tasks_none(), 4);
        }
        self.head(&DocumentTable::new("", columns, Vec::new()), &[0, 1, 2], false)?;
        for task in tasks {
            let what = format!("{}: {}", task.desk, task.task);
            self.line(
                &[what.into(), task.count.into(), task.amount.into()],
                [CellKind::Text, CellKind::Count, CellKind::Rupiah],
                Place::Body,
            )?;
            self.link(Some(task.section), links)?;
        }
        Ok(())
    }

    /// A link to every sheet.
    pub(super) fn contents<'s>(&mut self, caption: &str, sections: impl Iterator<Item = &'s str>, links: &Links) -> Result<(), XlsxError> {
        self.space();
        self.caption(caption)?;
        for sheet in sections.filter_map(|id| links.get(id)) {
            self.url(0, sheet)?;
            self.space();
        }
        Ok(())
    }

    /// Beside the row just written, a link to the sheet of `section`.
    fn link(&mut self, section: Option<&str>, links: &Links) -> Result<(), XlsxError> {
        let Some(sheet) = section.and_then(|id| links.get(id)) else { return Ok(()) };
        self.row = self.row.saturating_sub(1);
        self.url(3, sheet)?;
        self.space();
        Ok(())
    }

    fn url(&mut self, column: u16, sheet: &str) -> Result<(), XlsxError> {
        // Names have no apostrophes (`workbook::name`), so quoting them is enough.
        let url = Url::new(format!("internal:'{sheet}'!A1")).set_text(format!("→ {sheet}"));
        let row = self.row();
        self.worksheet().write_url(row, column, url)?;
        Ok(())
    }
}
