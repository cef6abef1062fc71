//! What all connections have in common: the model behind its lock, the clock, and the logs that are written of it.

use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::http::{Reply, Request};
use super::merchant::MerchantUrl;
use super::model::{Model, Timing};
use super::record::{Call, Handling, Order};
use crate::clock::Clock;
use crate::private;

/// What all connections share.
pub(super) struct Shared {
    pub(super) model: Arc<Mutex<Model>>,
    pub(super) notification_url: Option<MerchantUrl>,
    pub(super) inquiry_url: Option<MerchantUrl>,
    /// Rings when the outbox may have something due earlier than before.
    pub(super) posted: Notify,
    pub(super) notification_log: Option<Mutex<File>>,
    pub(super) record: Option<Mutex<File>>,
    pub(super) body_bytes_max: usize,
    pub(super) clock: Clock,
}

pub(super) fn append(path: &Path) -> io::Result<Mutex<File>> {
    private::append(path).map(Mutex::new)
}

impl Shared {
    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Model::handle`], with the hashing outside the lock.
    pub(super) fn handle(&self, request: &Request, timing: Timing) -> Reply {
        let now = self.clock.now();
        let reception = Arc::clone(&self.model().reception);
        let received = reception.receive(request, now);
        let draft = {
            let mut model = self.model();
            let known = model.calls().len();
            let draft = model.decide(received, now, timing);
            if let Some(record) = &self.record
                && let Err(error) = record_processed(&mut model, known, record)
            {
                tracing::error!(%error, "the sandbox's record could not be written");
            }
            draft
        };
        reception.seal(draft)
    }
}

/// Writes the payments there were before, and the mutations among the calls after the first `known`. Under the model's lock, so that lines
/// are in order of processing.
fn record_processed(model: &mut Model, known: usize, record: &Mutex<File>) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        call: Option<&'a Call>,
        order: Option<&'a Order>,
    }
    let paid = std::mem::take(&mut model.paid);
    for order in paid.into_iter().filter_map(|index| model.orders.get(index)) {
        append_line(record, &serde_json::to_string(&Line { call: None, order: Some(order) })?)?;
    }
    for call in model.calls().iter().skip(known).filter(|call| call.handling == Handling::Processed) {
        let order = call.invoice_number.as_ref().and_then(|invoice_number| model.order(invoice_number.as_str()));
        append_line(record, &serde_json::to_string(&Line { call: Some(call), order })?)?;
    }
    Ok(())
}

/// Appends `line` in one write, so that no reader ever sees two halves.
pub(super) fn append_line(file: &Mutex<File>, line: &str) -> io::Result<()> {
    file.lock().unwrap_or_else(PoisonError::into_inner).write_all(format!("{line}\n").as_bytes())
}
