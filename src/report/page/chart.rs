//! Drawings of tables as SVG: bars, stacked bars, lines. Whole numbers only; the table stands beside the drawing.

use super::super::document::{Cell, CellKind, Chart, ChartKind, DocumentTable};
use super::super::text;
use super::super::words::Words;

/// The plane, in units of the drawing.
const WIDTH: i128 = 960;
const HEIGHT: i128 = 260;
/// Room for the numbers at the left and the labels below.
const LEFT: i128 = 110;
const BELOW: i128 = 34;
const ABOVE: i128 = 12;
/// Labels that fit along the bottom.
const LABELS_MAX: usize = 16;

/// A drawing, ready to be placed.
pub(super) struct Drawing {
    pub(super) id: String,
    pub(super) title: String,
    /// The names of what is drawn, each with the number of its colour.
    pub(super) legend: Vec<(usize, String)>,
    pub(super) width: i128,
    pub(super) height: i128,
    pub(super) base: i128,
    pub(super) left: i128,
    pub(super) grid: Vec<(i128, String)>,
    pub(super) labels: Vec<(i128, String)>,
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<(usize, String)>,
    /// A limit: where along the bottom, and its name.
    pub(super) limit: Option<(i128, String)>,
}

pub(super) struct Bar {
    pub(super) series: usize,
    pub(super) x: i128,
    pub(super) y: i128,
    pub(super) width: i128,
    pub(super) height: i128,
    pub(super) title: String,
}

/// A table as plain numbers.
struct Plot {
    labels: Vec<String>,
    /// For each row, its values.
    values: Vec<Vec<i128>>,
    texts: Vec<Vec<String>>,
    top: i128,
    step: i128,
}

/// The drawing, unless there is nothing to draw.
pub(super) fn draw(chart: &Chart, table: &DocumentTable<'_>, words: &Words, id: &str) -> Option<Drawing> {
    let plot = plot(chart, table, words)?;
    let kind = chart.values.first().and_then(|place| table.columns.get(*place)).map_or(CellKind::Count, |column| column.kind);
    let steps = (0..=plot.top / plot.step).map(|number| number.saturating_mul(plot.step));
    let grid = steps.map(|value| (plot.y(value), text::cell(words, kind_of_axis(kind), &axis(kind, value)))).collect();
    let every = plot.labels.len().div_ceil(LABELS_MAX).max(1);
    let labels = plot.labels.iter().enumerate().step_by(every).map(|(at, label)| (plot.middle(at), label.clone())).collect();
    let series = chart.values.iter();
    let names: Vec<String> = series.filter_map(|place| table.columns.get(*place)).map(|column| column.title.clone()).collect();
    let is_line = chart.kind == ChartKind::Line;
    Some(Drawing {
        id: format!("{id}-chart"),
        title: chart.title.clone(),
        legend: if names.len() > 1 { names.into_iter().enumerate().collect() } else { Vec::new() },
        width: WIDTH,
        height: HEIGHT,
        base: plot.y(0),
        left: LEFT,
        grid,
        labels,
        bars: if is_line { Vec::new() } else { plot.bars(chart.kind) },
        lines: if is_line { plot.lines(chart.values.len()) } else { Vec::new() },
        limit: chart.limit.as_ref().map(|(before, name)| (plot.start(*before), name.clone())),
    })
}

const fn kind_of_axis(kind: CellKind) -> CellKind {
    match kind {
        CellKind::Difference => CellKind::Rupiah,
        other => other,
    }
}

fn axis<'a>(kind: CellKind, value: i128) -> Cell<'a> {
    match kind {
        CellKind::Count => Cell::Count(i64::try_from(value).unwrap_or(0)),
        CellKind::Percent => Cell::Percent(i64::try_from(value).unwrap_or(0)),
        _ => Cell::Rupiah(crate::domain::amount::Rupiah::new(value)),
    }
}

fn plot(chart: &Chart, table: &DocumentTable<'_>, words: &Words) -> Option<Plot> {
    let kind_at = |place: usize| table.columns.get(place).map_or(CellKind::Text, |column| column.kind);
    let (mut labels, mut values, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for row in table.rows.iter() {
        // Below zero there is no bar to draw; the table has the number.
        let numbers: Vec<i128> = chart.values.iter().map(|place| row.get(*place).map_or(0, Cell::number).max(0)).collect();
        let all = chart.values.iter().map(|place| text::cell(words, kind_at(*place), row.get(*place).unwrap_or(&Cell::Empty)));
        labels.push(match row.get(chart.labels) {
            Some(Cell::Date(day)) => day.day().to_string(),
            Some(cell) => text::cell(words, kind_at(chart.labels), cell),
            None => String::new(),
        });
        values.push(numbers);
        texts.push(all.collect::<Vec<String>>());
    }
    let height = |numbers: &Vec<i128>| match chart.kind {
        ChartKind::Stacked => numbers.iter().fold(0_i128, |sum, number| sum.saturating_add(*number)),
        ChartKind::Bar | ChartKind::Line => numbers.iter().copied().max().unwrap_or(0),
    };
    let highest = values.iter().map(height).max().filter(|highest| *highest > 0)?;
    let step = step(highest);
    let top = highest.saturating_add(step).saturating_sub(1) / step * step;
    Some(Plot { labels, values, texts, top, step })
}

/// 1, 2 or 5 and zeros, so that three to six lines part the plane.
fn step(highest: i128) -> i128 {
    let mut unit = 1_i128;
    loop {
        for factor in [1, 2, 5] {
            let step = unit.saturating_mul(factor);
            if highest <= step.saturating_mul(5) {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

impl Plot {
    /// How far down a value stands.
    fn y(&self, value: i128) -> i128 {
        let plane = HEIGHT - BELOW - ABOVE;
        HEIGHT - BELOW - value.saturating_mul(plane) / self.top.max(1)
    }

    /// A place's share of the width, in thousandths of a unit.
    fn share(&self) -> i128 {
        (WIDTH - LEFT).saturating_mul(1_000) / i128::try_from(self.labels.len().max(1)).unwrap_or(1)
    }

    fn start(&self, at: usize) -> i128 {
        LEFT.saturating_add(self.share().saturating_mul(i128::try_from(at).unwrap_or(0)) / 1_000)
    }

    fn middle(&self, at: usize) -> i128 {
        self.start(at).saturating_add(self.share() / 2_000)
    }

    fn bars(&self, kind: ChartKind) -> Vec<Bar> {
        let mut bars = Vec::new();
        let series = i128::try_from(self.values.first().map_or(1, Vec::len).max(1)).unwrap_or(1);
        let beside = if kind == ChartKind::Bar { series } else { 1 };
        let width = (self.share().saturating_mul(7) / 10_000 / beside).clamp(1, 64);
        for (at, (values, texts)) in self.values.iter().zip(&self.texts).enumerate() {
            let (mut below, mut x) = (0_i128, self.middle(at).saturating_sub(width.saturating_mul(beside) / 2));
            for (number, (value, text)) in values.iter().zip(texts).enumerate() {
                let foot = self.y(if kind == ChartKind::Stacked { below } else { 0 });
                below = below.saturating_add(*value);
                let head = self.y(if kind == ChartKind::Stacked { below } else { *value });
                let label = self.labels.get(at).map_or("", String::as_str);
                if *value > 0 {
                    let height = foot.saturating_sub(head).max(1);
                    bars.push(Bar { series: number, x, y: foot.saturating_sub(height), width, height, title: format!("{label}: {text}") });
                }
                if kind == ChartKind::Bar {
                    x = x.saturating_add(width);
                }
            }
        }
        bars
    }

    fn lines(&self, series: usize) -> Vec<(usize, String)> {
        let line = |number: usize| {
            let points = self.values.iter().enumerate().filter_map(|(at, values)| Some((self.middle(at), self.y(*values.get(number)?))));
            points.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
        };
        (0..series).map(|number| (number, line(number))).collect()
    }
}
