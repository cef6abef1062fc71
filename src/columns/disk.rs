//! What a library panics of that is only a full disk.
//!
//! `rust_xlsxwriter` keeps the rows of a sheet in a file, and takes it for impossible that one cannot be written.

use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use rust_xlsxwriter::XlsxError;

thread_local! {
    /// Whether this thread writes rows into such a file.
    static WRITES_ROWS: Cell<bool> = const { Cell::new(false) };
}

/// What `work`, which writes rows, comes to; a disk that is full, or a file that may not grow, is an error like any other.
///
/// # Errors
/// Those of `work`.
pub fn written<T>(work: impl FnOnce() -> Result<T, XlsxError>) -> io::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |told| {
            // It is said as the error it is.
            if !(WRITES_ROWS.get() && is_of_disk(told.payload())) {
                usual(told);
            }
        }));
    });
    let before = WRITES_ROWS.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    WRITES_ROWS.set(before);
    match outcome {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(XlsxError::IoError(error))) => Err(error),
        Ok(Err(error)) => Err(io::Error::other(error.to_string())),
        Err(payload) if is_of_disk(&*payload) => {
            Err(io::Error::other("the rows that wait to be compressed cannot be written: the disk is full, or a file may not grow"))
        }
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Whether the library says that it could not write, or put back, a file.
fn is_of_disk(payload: &(dyn std::any::Any + Send)) -> bool {
    let message = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    message.is_some_and(|message| message.contains("Couldn't write to xml file") || message.contains("on an `Err` value: Os {"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_an_error_and_any_other_panic_stays_one() {
        let full = written(|| -> Result<(), XlsxError> { panic!("Couldn't write to xml file: Os {{ code: 28 }}") });
        assert!(full.unwrap_err().to_string().contains("the disk is full"));
        let other = panic::catch_unwind(|| written(|| -> Result<(), XlsxError> { panic!("a fault of ours") }));
        assert!(other.is_err());
        assert_eq!(written(|| Ok(1)).unwrap(), 1);
    }
}
