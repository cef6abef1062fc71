//! The program's own log: on standard error as people read it or as JSON Lines, or to journald. Every line that is not a result has its
//! shape here, notes and errors as well.
//!
//! A line says what was decided, about which invoice and Request-Id, and which run it is of. Names and addresses are no fields of any.

use std::fmt::{self, Write};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::filter::{Directive, EnvFilter};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::terminal::{acts, has_colours, shown};
use crate::clock::Clock;
use crate::config::LogFormat;
use crate::secret::unsaid;

/// How lines are written, once that is known.
static SHAPE: OnceLock<Shape> = OnceLock::new();

struct Shape {
    format: LogFormat,
    run: String,
    /// Whether journald takes what is traced as fields, and not as lines.
    has_journal: bool,
}

/// Before the fields that journald is given, so that they are nobody else's.
const FIELDS: &str = "TAGIH";
/// Of events that are told whatever is filtered.
const TOLD: &str = "tagih::told";

/// Reads `--log-format`.
pub(super) fn format(text: &str) -> Result<LogFormat, String> {
    LogFormat::parse(text).ok_or_else(|| "there are `text`, `json` and `journald`".into())
}

/// From now on lines of the run `run` are written so. What was decided is told in lines for programs, and to people only if `TAGIH_LOG`
/// asks for it (`info`, `tagih=debug`).
pub(super) fn begin(format: LogFormat, run: &str) {
    let journal = (format == LogFormat::Journald).then(|| journal(run)).flatten();
    if SHAPE.set(Shape { format, run: run.to_owned(), has_journal: journal.is_some() }).is_err() {
        return;
    }
    let usual = if format == LogFormat::Text { "warn" } else { "warn,tagih=info" };
    let filter = EnvFilter::try_from_env("TAGIH_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    if let Some(journal) = journal {
        let told = format!("{TOLD}=trace").parse::<Directive>();
        let filter = told.into_iter().fold(filter, EnvFilter::add_directive);
        return tracing_subscriber::registry().with(filter).with(journal).init();
    }
    let ansi = has_colours();
    // Where a line cannot be written, saying so there would end the program.
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Standard).log_internal_errors(false);
    match format {
        LogFormat::Text => lines.with_ansi(ansi).init(),
        LogFormat::Json | LogFormat::Journald => lines.with_ansi(false).event_format(Lines).init(),
    }
}

/// The way to journald; none where it does not run, or where standard error goes elsewhere: to a person, or into cron's mail.
fn journal(run: &str) -> Option<tracing_journald::Layer> {
    let stderr = std::fs::metadata("/proc/self/fd/2").ok()?;
    if std::env::var("JOURNAL_STREAM").ok()? != format!("{}:{}", stderr.dev(), stderr.ino()) {
        return None;
    }
    let priorities = PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
    let layer = tracing_journald::Layer::new().ok()?.with_field_prefix(Some(FIELDS.to_owned())).with_priority_mappings(priorities);
    Some(layer.with_syslog_identifier("tagih".to_owned()).with_custom_fields([(format!("{FIELDS}_RUN"), run)]))
}

/// Whether lines are for programs.
pub(super) fn is_for_programs() -> bool {
    SHAPE.get().is_some_and(|shape| shape.format != LogFormat::Text)
}

/// Tells the log what somebody is told. Gives whether that is all: people read it as it is.
pub(super) fn tell(level: Level, message: &str) -> bool {
    let Some(shape) = SHAPE.get().filter(|shape| shape.format != LogFormat::Text) else { return false };
    let message = &*unsaid::without(message);
    if !shape.has_journal {
        let line = shape.line(level, Map::from_iter([("message".to_owned(), message.into())]));
        drop(writeln!(io::stderr().lock(), "{line}"));
    } else if level == Level::ERROR {
        tracing::error!(target: TOLD, "{message}");
    } else if level == Level::WARN {
        tracing::warn!(target: TOLD, "{message}");
    } else {
        tracing::info!(target: TOLD, "{message}");
    }
    true
}

impl Shape {
    fn line(&self, level: Level, mut fields: Map<String, Value>) -> String {
        match self.format {
            LogFormat::Journald => journald(level, &self.run, &fields),
            LogFormat::Json | LogFormat::Text => {
                fields.insert("at".into(), Clock::default().now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into());
                fields.insert("level".into(), level.as_str().to_lowercase().into());
                fields.insert("run".into(), self.run.as_str().into());
                harmless(&unsaid::without(&Value::Object(fields).to_string()))
            }
        }
    }
}

/// `<4>message run=… status=…`: where there is no way to journald, systemd takes the priority off a line of a unit.
fn journald(level: Level, run: &str, fields: &Map<String, Value>) -> String {
    let priority = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    };
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("<{priority}>{} run={run}", message.replace('\n', "; "));
    for (name, value) in fields.iter().filter(|(name, _)| *name != "message") {
        let plain = |text: &&str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"' || c == '=');
        match value.as_str().filter(plain) {
            Some(text) => write!(line, " {name}={text}").unwrap_or_default(),
            None => write!(line, " {name}={value}").unwrap_or_default(),
        }
    }
    shown(&line.replace('\n', " ")).into_owned()
}

/// JSON whose texts do not act on a terminal: what the notation lets stand is written out in it.
fn harmless(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(line, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            line.push(c);
        }
    }
    line
}

/// Standard error, on which what may be a key is not said.
struct Standard;

impl io::Write for Standard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().lock().write_all(unsaid::without(&text).as_bytes()).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes what is traced as lines for programs.
struct Lines;

impl<S: Subscriber + for<'l> LookupSpan<'l>, N: for<'w> FormatFields<'w> + 'static> FormatEvent<S, N> for Lines {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut found = Found(Map::new());
        event.record(&mut found);
        let line = SHAPE.get().map(|shape| shape.line(*event.metadata().level(), found.0)).unwrap_or_default();
        writeln!(writer, "{line}")
    }
}

/// The fields of an event.
struct Found(Map<String, Value>);

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Map<String, Value> {
        let fields = [("message", Value::from("told\nhint: \u{9b}x")), ("status", 500.into()), ("reason", "no answer".into())];
        Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)))
    }

    #[test]
    fn a_line_for_journald_has_its_priority_and_is_one_line() {
        let line = journald(Level::WARN, "R1", &fields());
        assert_eq!(line, "<4>told; hint: \\u{9b}x run=R1 reason=\"no answer\" status=500");
    }

    #[test]
    fn a_json_line_is_one_object_and_acts_on_no_terminal() {
        let shape = Shape { format: LogFormat::Json, run: "R1".into(), has_journal: false };
        let line = shape.line(Level::ERROR, fields());
        assert!(!line.contains(['\n', '\u{9b}']), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((read["message"].as_str(), read["level"].as_str()), (Some("told\nhint: \u{9b}x"), Some("error")));
        assert_eq!((read["run"].as_str(), read["status"].as_u64()), (Some("R1"), Some(500)));
    }
}
