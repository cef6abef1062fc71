//! `tagih init --from FILE`: looks at somebody's export and proposes a layout for it.
//!
//! Nothing is guessed silently: what was understood is said, what was not is said too, and both stand in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::failure::Failure;
use crate::domain::personal::may_be_personal;
use crate::exit::Exit;
use crate::private;
use crate::table::{AmountFormat, DateFormat, Header, Row, Shape, Table, TableLimits, names, normalized};

/// Rows that are looked at.
const ROWS_MAX: usize = 20_000;
/// Different values of a channel column.
const CHANNELS_MAX: usize = 20;

/// What headers are called in the field, by tagih's column; the first that a file has is taken.
const CALLED: [(&str, &[&str]); 14] = [
    (
        "invoice_number",
        &[
            "invoice_number",
            "no_invoice",
            "nomor_invoice",
            "invoice_no",
            "invoice",
            "no_tagihan",
            "nomor_tagihan",
            "no_faktur",
            "nomor_faktur",
            "no_kwitansi",
            "bill_number",
            "bill_no",
            "inv_no",
        ],
    ),
    ("policy_number", &["policy_number", "no_polis", "nomor_polis", "nopol", "polis", "policy_no", "policy", "no_sertifikat"]),
    (
        "customer_name",
        &[
            "customer_name",
            "nama_pemegang",
            "nama_pemegang_polis",
            "pemegang_polis",
            "policy_holder",
            "nama_nasabah",
            "nama_pelanggan",
            "nama_tertanggung",
            "nama_peserta",
            "nama_lengkap",
            "nama",
            "customer",
            "name",
        ],
    ),
    (
        "amount",
        &[
            "amount",
            "premi",
            "premium",
            "jumlah_tagihan",
            "total_tagihan",
            "nilai_tagihan",
            "tagihan",
            "nominal",
            "jumlah",
            "premi_bayar",
            "total_premi",
            "jumlah_bayar",
            "nilai",
            "total",
        ],
    ),
    ("due_date", &["due_date", "jatuh_tempo", "tgl_jatuh_tempo", "tanggal_jatuh_tempo", "jt_tempo"]),
    ("email", &["email", "e_mail", "alamat_email", "surel"]),
    ("channel", &["channel", "kanal", "saluran", "gerai", "kanal_bayar", "kanal_pembayaran", "outlet", "tempat_bayar"]),
    ("payment_code", &["payment_code", "kode_bayar", "kode_pembayaran", "no_va", "nomor_va"]),
    ("expires_at", &["expires_at", "berlaku_sampai", "tgl_kedaluwarsa", "tgl_kadaluarsa", "batas_bayar", "tanggal_kedaluwarsa"]),
    ("policy_type", &["policy_type", "jenis_polis", "produk", "jenis_produk", "nama_produk", "product"]),
    ("policy_status", &["policy_status", "status_polis"]),
    ("customer_number", &["customer_number", "no_nasabah", "nomor_nasabah", "no_pelanggan", "id_pelanggan", "cif"]),
    ("receipt_description", &["receipt_description", "keterangan", "deskripsi", "uraian"]),
    ("bill_group", &["bill_group"]),
];

/// A proposal.
#[derive(Debug, Default)]
pub(super) struct Guess {
    pub(super) columns: BTreeMap<String, String>,
    pub(super) amount_format: AmountFormat,
    pub(super) date_format: DateFormat,
    pub(super) channels: BTreeMap<String, String>,
    /// What was understood, and what was not.
    pub(super) said: Vec<String>,
    pub(super) unsure: Vec<String>,
    needs_receipt_description: bool,
}

/// Writes a configuration with the proposal to `file`.
pub(super) fn init(file: &Path, source: &Path) -> Result<Exit, Failure> {
    use std::io::Write as _;
    let guess = Guess::of(source)?;
    let stem = source.file_name().unwrap_or_default().to_string_lossy();
    let stem = stem.split('.').next().unwrap_or_default();
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let name = if name.trim_matches('_').is_empty() { "file".to_owned() } else { name };
    let mut created = private::create_new(file, 0o666).map_err(|error| {
        let hint = "an existing file is never overwritten; name another: `tagih init --from FILE OTHER.toml`";
        Failure::usage(format!("`{}` cannot be created: {error}\nhint: {hint}", file.display()))
    })?;
    created.write_all(guess.configuration(&name)?.as_bytes())?;
    super::output::done(format_args!("wrote {} with the layout `{name}`", file.display()));
    for line in &guess.said {
        super::output::done(format_args!("  {line}"));
    }
    for line in &guess.unsure {
        super::output::done(format_args!("  not guessed: {line}"));
    }
    super::output::done(format_args!(
        "next: `tagih check {} --config {}`; before issuing, set `doku.client_id` and `doku.secret_file` in it",
        source.display(),
        file.display()
    ));
    Ok(Exit::Done)
}

/// One column's cells.
#[derive(Default)]
struct Cells {
    texts: Vec<String>,
}

impl Guess {
    fn of(source: &Path) -> Result<Self, Failure> {
        let refused = |fault: crate::table::TableFault| {
            let code = fault.code();
            Failure::new(Exit::Input, format!("`{}` {fault} [{code}]\nhint: {}", source.display(), code.remedy))
        };
        let is_known = |name: &str| CALLED.iter().any(|(_, called)| called.contains(&name));
        let is_enough = |names: &[String]| names.iter().filter(|name| is_known(name)).count() > 1;
        let limits = TableLimits::default();
        let header = Header { is_known: &is_known, is_enough: &is_enough };
        let shape = Shape { delimiter: None, sheet: None, limits: &limits, header, is_strict: true };
        let mut table = Table::open(source, &shape).map_err(refused)?;
        let names = names(table.header());
        let headers: Vec<String> = table.header().iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let mut cells: Vec<Cells> = headers.iter().map(|_| Cells::default()).collect();
        let (mut row, mut rows) = (Row::default(), 0_usize);
        while rows < ROWS_MAX && table.read(&mut row).map_err(refused)? {
            if row.wrong.is_none() {
                rows = rows.saturating_add(1);
                for (cells, cell) in cells.iter_mut().zip(row.iter()) {
                    let text = String::from_utf8_lossy(cell).trim().to_owned();
                    if !text.is_empty() {
                        cells.texts.push(text);
                    }
                }
            }
        }
        let mut guess = Self::default();
        let column_of = |column: &str| {
            let called = CALLED.iter().find(|(name, _)| *name == column).map_or(&[][..], |(_, called)| called);
            called.iter().find_map(|called| names.iter().position(|name| normalized(name) == *called))
        };
        for (column, _) in CALLED {
            if let Some(header) = column_of(column).and_then(|place| headers.get(place)) {
                guess.columns.insert(column.to_owned(), header.clone());
                guess.said.push(format!("{column}: your column `{header}`"));
            }
        }
        let texts = |column: &str| column_of(column).and_then(|place| cells.get(place)).map_or(&[][..], |cells| cells.texts.as_slice());
        guess.amounts(texts("amount"));
        guess.dates(&[texts("due_date"), texts("expires_at")].concat());
        guess.channels(texts("channel"));
        guess.numbers(texts("policy_number"), rows);
        guess.lacking();
        Ok(guess)
    }

    /// The format most amounts are written in.
    fn amounts(&mut self, texts: &[String]) {
        let count = |fits: &dyn Fn(&str) -> bool| texts.iter().filter(|text| fits(text)).count();
        let separated = |format| count(&|text| AmountFormat::that_fits(text) == Some(format));
        let (dot, comma) = (separated(AmountFormat::DotThousands), separated(AmountFormat::CommaThousands));
        let plain = count(&|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        self.amount_format = match (dot, comma) {
            (0, 0) => AmountFormat::Plain,
            (dot, comma) if dot >= comma => AmountFormat::DotThousands,
            _ => AmountFormat::CommaThousands,
        };
        let (name, understood) = (self.amount_format.name(), plain.saturating_add(dot.max(comma)));
        if !texts.is_empty() {
            self.said.push(format!("amounts: {name}, which reads {understood} of {}", texts.len()));
        }
        if dot > 0 && comma > 0 {
            self.unsure.push(format!("{} amounts are written the other way ({dot} with dots, {comma} with commas)", dot.min(comma)));
        }
    }

    /// The format most dates are written in; where day and month could change places, the day comes first as people write here.
    fn dates(&mut self, texts: &[String]) {
        let count = |format: DateFormat| texts.iter().filter(|text| format.iso(text).is_some()).count();
        let Some(best) = DateFormat::ALL.into_iter().rev().max_by_key(|&format| (count(format), format == DateFormat::DayFirst)) else {
            return;
        };
        if texts.is_empty() || count(best) == 0 {
            return;
        }
        self.date_format = best;
        self.said.push(format!("dates: {}, which reads {} of {}", best.name(), count(best), texts.len()));
        let is_ambiguous = best == DateFormat::DayFirst && count(DateFormat::MonthFirst) == count(best);
        if is_ambiguous {
            self.unsure.push("whether days or months come first: every date reads both ways, and day_first was taken".into());
        }
    }

    /// Which chain each word of the channel column means.
    fn channels(&mut self, texts: &[String]) {
        let words: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        for word in words.iter().take(CHANNELS_MAX) {
            let lower = word.to_lowercase();
            let means = if lower.contains("alfa") {
                "alfa"
            } else if lower.contains("indomar") || lower == "idm" {
                "indomaret"
            } else {
                let shown = if may_be_personal(word, &[]) { "a value that is not shown".to_owned() } else { format!("`{word}`") };
                self.unsure.push(format!("the channel of {shown}: add it under `values`"));
                continue;
            };
            if means == "indomaret" {
                self.needs_receipt_description = true;
            }
            if lower != means {
                self.channels.insert((*word).to_owned(), means.to_owned());
                self.said.push(format!("channel `{word}`: {means}"));
            }
        }
        if words.len() > CHANNELS_MAX {
            self.unsure.push(format!("the channel column has {} different values, more than chains exist", words.len()));
        }
    }

    /// Invoice numbers: a policy number that stands once only serves where there is none.
    fn numbers(&mut self, policies: &[String], rows: usize) {
        if self.columns.contains_key("invoice_number") {
            return;
        }
        let Some(header) = self.columns.get("policy_number").cloned() else { return };
        let different = policies.iter().collect::<BTreeSet<_>>().len();
        if policies.len() == rows || different.saturating_mul(100) >= rows.saturating_mul(95) {
            self.said.push(format!("invoice_number: your column `{header}` too"));
            self.unsure.push(
                "whether a policy is billed again: if so, drop the mapping of `invoice_number`, set \
                 `intake.invoice_number_template = \"{policy_number}-{cycle}\"` and give `--cycle`"
                    .into(),
            );
            self.columns.insert("invoice_number".into(), header);
        }
    }

    /// What every bill needs and the file seems not to have.
    fn lacking(&mut self) {
        for column in ["invoice_number", "amount", "customer_name"] {
            if !self.columns.contains_key(column) {
                self.unsure.push(format!("`{column}`: no column is called so; map yours under `columns`"));
            }
        }
        if !self.columns.contains_key("channel") {
            self.unsure.push("`channel`: the file has none; set `intake.defaults.channel` to alfa or indomaret".into());
        }
        if !self.columns.contains_key("expires_at") {
            self.unsure.push("how long codes are to be payable: `intake.defaults.expiry_minutes` is 1440, one day".into());
        }
        self.needs_receipt_description &= !self.columns.contains_key("receipt_description");
        if self.needs_receipt_description {
            self.unsure.push("what Indomaret's receipts say: `intake.defaults.receipt_description` is \"Pembayaran tagihan\"".into());
        }
    }

    /// The built-in configuration with the proposal in it.
    fn configuration(&self, name: &str) -> Result<String, Failure> {
        let mut layout = toml::Table::new();
        let table = |map: &BTreeMap<String, String>| {
            toml::Value::Table(map.iter().map(|(key, value)| (key.clone(), toml::Value::String(value.clone()))).collect())
        };
        layout.insert("amount_format".into(), self.amount_format.name().into());
        layout.insert("date_format".into(), self.date_format.name().into());
        layout.insert("columns".into(), table(&self.columns));
        if !self.channels.is_empty() {
            let values = toml::Table::from_iter([("channel".to_owned(), table(&self.channels))]);
            layout.insert("values".into(), values.into());
        }
        let layouts = toml::Table::from_iter([(name.to_owned(), layout.into())]);
        let text = toml::to_string(&toml::Table::from_iter([("layouts".to_owned(), layouts.into())])).map_err(Failure::usage)?;
        let mut whole = crate::config::DEFAULT.to_owned();
        if self.needs_receipt_description {
            whole = whole.replacen("receipt_description = \"\"", "receipt_description = \"Pembayaran tagihan\"", 1);
        }
        let remarks: Vec<String> = self.unsure.iter().map(|line| format!("# Not guessed: {line}.")).collect();
        Ok(format!("{whole}\n{}\n{text}", remarks.join("\n")))
    }
}
