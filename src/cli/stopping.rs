//! How a sending run is asked to stop: signals, `--max-duration`, `--until`.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Sending;
use super::failure::Failure;
use super::output;
use super::times::day;
use crate::clock;
use crate::domain::calendar::{self, wib};
use crate::domain::plan::minutes_between;
use crate::jobs::stop::{Stop, StopReason};

/// From now on a file that may not grow (`ulimit -f`) is an error of whoever writes it, as a full disk is, and no longer the end of the process
/// without a word. A handler stays for good; what it tells nobody listens to.
pub(super) fn outlive_file_limit() {
    /// SIGXFSZ of Linux.
    const FILE_TOO_LARGE: i32 = 25;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let _inside = runtime.enter();
    drop(signal(SignalKind::from_raw(FILE_TOO_LARGE)));
}

/// The signals that ask for a stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where whoever started the run wants it to outlive its terminal (`nohup`).
    hang_up: Option<Signal>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let hang_up = if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    /// The next one. A hang-up asks for what a termination asks for: the terminal is gone, the money is not.
    async fn next(&mut self) -> StopReason {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => drop(hang_up.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Signal(130),
            _ = self.terminate.recv() => StopReason::Signal(143),
            () = hung_up => StopReason::Signal(143),
        }
    }
}

/// Whether this process was started so that a hang-up passes it by, as far as the system tells.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Signal 1 is the lowest bit.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Asks `stop` for a stop at the first signal or when `deadline` is over, and tells at each further signal what is waited for.
/// Ends only in failure.
pub(super) async fn listen(stop: &Stop, deadline: Option<Duration>, request_ms: u64, quiet: bool) -> io::Result<Infallible> {
    let mut signals = Signals::new()?;
    let reason = tokio::select! {
        reason = signals.next() => reason,
        () = sleep_until(deadline) => StopReason::Deadline,
    };
    stop.ask(reason);
    let seconds = request_ms.div_ceil(1_000);
    if !quiet && stop.under_way() > 0 {
        output::note(format_args!(
            "stopping: nothing new is sent; {} requests under way are waited for, at most {seconds} s",
            stop.under_way()
        ));
    }
    loop {
        signals.next().await;
        let waited_for = match stop.under_way() {
            0 => "what was answered is being recorded".to_owned(),
            count => format!(
                "{count} requests are under way and may take {seconds} s; what is not answered by then is in doubt, and the same command settles it"
            ),
        };
        output::at_once(format_args!("still stopping: {waited_for}"));
    }
}

/// Says at once why DOKU cannot be reached, the first time; never ends.
pub(super) async fn tell_no_way(stop: &Stop, quiet: bool) -> Infallible {
    let reason = stop.no_way().await;
    if !quiet {
        output::note(format_args!("warning: {reason}; it is tried again"));
    }
    std::future::pending().await
}

async fn sleep_until(deadline: Option<Duration>) {
    match deadline {
        Some(left) => clock::sleep(left).await,
        None => std::future::pending().await,
    }
}

/// How long the run may take: the shorter of `--max-duration` and the time to `--until`.
pub(super) fn deadline(sending: &Sending, now: Timestamp) -> Result<Option<Duration>, Failure> {
    let limit = sending.max_duration.as_deref().map(|text| {
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|length| Duration::try_from(length).ok())
            .ok_or_else(|| Failure::usage(format!("`--max-duration {text}` is not a duration\nhint: write it like `90s`, `30m` or `2h`")))
    });
    let left = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
    let until = sending.until.as_deref().map(|text| until(text, now).map(left).map_err(Failure::usage));
    let (limit, until) = (limit.transpose()?, until.transpose()?);
    Ok(limit.into_iter().chain(until).min())
}

/// A time of day that has just passed is a run that began too late; one that is nearer tomorrow than it was today is tomorrow's.
const JUST_PASSED_MINUTES_MAX: i64 = 12 * 60;

/// The instant meant by `--until`: `05:30`, `today 05:30`, `tomorrow 05:30`, `2026-11-29 05:30`, all WIB.
fn until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("`--until {text}` is not a time\nhint: write it like `05:30`, `tomorrow 05:30` or `2026-11-29 05:30` (WIB)");
    let today = calendar::wib_date(now);
    let tomorrow = today.tomorrow().map_err(|_| wrong())?;
    let (named, time) = text.trim().rsplit_once([' ', 'T']).map_or((None, text.trim()), |(day, time)| (Some(day.trim()), time));
    let time = Time::strptime("%H:%M", time).map_err(|_| wrong())?;
    let at = |day: Date| calendar::at_wib(DateTime::from_parts(day, time)).ok_or_else(wrong);
    let (asked, is_named) = match named {
        None => (at(today)?, false),
        Some("today") => (at(today)?, true),
        Some("tomorrow") => (at(tomorrow)?, true),
        Some(date) => (at(day(date).map_err(|_| wrong())?)?, true),
    };
    if asked > now {
        return Ok(asked);
    }
    if !is_named && minutes_between(asked, now) >= JUST_PASSED_MINUTES_MAX {
        return at(tomorrow);
    }
    let clock = now.to_zoned(wib()).strftime("%H:%M").to_string();
    let time = time.strftime("%H:%M");
    Err(format!(
        "`--until {text}` has passed: it is {clock} WIB\nhint: for a run that goes on past midnight write `--until \"tomorrow {time}\"`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_is_a_time_to_come_and_one_that_has_just_passed_is_refused() {
        // 05:31 WIB on the 28th.
        let now: Timestamp = "2026-11-27T22:31:00Z".parse().unwrap();
        let cases = [
            ("05:32", Ok("2026-11-27T22:32:00Z")),
            ("today 23:59", Ok("2026-11-28T16:59:00Z")),
            ("tomorrow 05:30", Ok("2026-11-28T22:30:00Z")),
            ("2026-12-01 00:00", Ok("2026-11-30T17:00:00Z")),
            ("2026-12-01T00:00", Ok("2026-11-30T17:00:00Z")),
            ("05:31", Err("has passed: it is 05:31 WIB")),
            ("05:30", Err("tomorrow 05:30")),
            ("00:00", Err("has passed")),
            ("today 05:30", Err("has passed")),
            ("2026-11-27 23:00", Err("has passed")),
            ("25:00", Err("`05:30`")),
            ("yesterday 05:30", Err("not a time")),
            ("9999-12-31 05:30", Err("not a time")),
            ("", Err("not a time")),
        ];
        for (text, expected) in cases {
            match (until(text, now), expected) {
                (Ok(at), Ok(expected)) => assert_eq!(at, expected.parse().unwrap(), "{text}"),
                (Err(words), Err(expected)) => assert!(words.contains(expected), "{text}: {words}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_run_that_begins_in_the_evening_means_the_next_morning() {
        let evening: Timestamp = "2026-11-27T16:00:00Z".parse().unwrap();
        assert_eq!(until("05:30", evening), Ok("2026-11-27T22:30:00Z".parse().unwrap()), "at 23:00 WIB");
    }
}
