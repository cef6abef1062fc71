//! Leases: who may send, for as long as the server's clock says, and the number that everything it writes bears.
//!
//! A holder renews its lease by heartbeat. One that was out of touch for too long has lost it: it records nothing more, whether or not
//! anybody else has taken its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::engine::Engine;
use super::server::{Access, Server};
use super::session::Session;
use crate::clock::sleep;
use crate::ledger::LedgerError;
use crate::ledger::sql::cells::{integer, required};
use crate::ledger::sql::fault::Fault;

/// The one lease there is: to send.
const SENDER: &str = "sender";
/// Now in microseconds, by the server's clock, also within a transaction.
const NOW: &str = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// The lease a ledger holds, if it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Lease(Arc<Mutex<Option<i64>>>);

impl Lease {
    fn token(&self) -> MutexGuard<'_, Option<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the lease for `holder`, or says who has it; renews it from then on.
pub(super) fn take(engine: &Engine, holder: &str) -> Result<(), LedgerError> {
    let (server, place, name) = (engine.server.clone(), engine.server.place(), holder.to_owned());
    let taken = engine.wait(async move {
        let session = server.connect(Access::Write).await?;
        let taken = taken(&session, &name, server.lease).await?;
        Ok((session, taken))
    });
    match taken.map_err(|fault| place.error(fault))? {
        (_, Err(holder)) => Err(LedgerError::Held { path: place.name(), holder }),
        (session, Ok(number)) => {
            *engine.lease.token() = Some(number);
            let (server, lease) = (engine.server.clone(), engine.lease.clone());
            engine.go_on(async move { renew(&server, &lease, number, session).await });
            Ok(())
        }
    }
}

/// Its number, or who holds it. Taking it waits for its turn like any writing, so that no transaction of the holder before can end
/// after it.
async fn taken(session: &Session, holder: &str, lasts: Duration) -> Result<Result<i64, String>, Fault> {
    session.batch("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    session.query("SELECT sequence FROM head FOR UPDATE", &[]).await?;
    let sql = format!("SELECT holder, token, until > {NOW} FROM leases WHERE name = $1");
    let last = session.row(&sql, &[&SENDER]).await?;
    let mut token = 1_i64;
    if let Some(row) = &last {
        if integer(row, 2)? != 0 {
            session.batch("ROLLBACK").await?;
            return Ok(Err(required(row, 0)?.to_owned()));
        }
        token = integer(row, 1)?.checked_add(1).ok_or_else(|| Fault::Failed("it is full".into()))?;
    }
    let sql = format!(
        "INSERT INTO leases (name, holder, token, until) VALUES ($1, $2, $3, {NOW} + $4) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, until = excluded.until"
    );
    session.execute(&sql, &[&SENDER, &holder, &token, &microseconds(lasts)]).await?;
    session.batch("COMMIT").await?;
    Ok(Ok(token))
}

/// Who holds it, if anybody does.
pub(super) fn holder(engine: &Engine) -> Result<Option<String>, LedgerError> {
    let server = engine.server.clone();
    let asked = engine.wait(async move {
        let session = server.connect(Access::Read).await?;
        let sql = format!("SELECT holder FROM leases WHERE name = $1 AND until > {NOW}");
        session.row(&sql, &[&SENDER]).await?.map(|row| Ok(required(&row, 0)?.to_owned())).transpose()
    });
    asked.map_err(|fault| engine.server.place().error(fault))
}

/// Three times as often as need be, until it is given back or lost.
async fn renew(server: &Server, lease: &Lease, token: i64, session: Session) {
    let sql = format!("UPDATE leases SET until = {NOW} + $3 WHERE name = $1 AND token = $2 AND until > {NOW}");
    let mut session = Some(session);
    loop {
        sleep(server.lease.checked_div(3).unwrap_or_default()).await;
        if *lease.token() != Some(token) {
            return;
        }
        let connected = match session.take() {
            Some(session) => Ok(session),
            None => server.connect(Access::Write).await,
        };
        let Ok(connected) = connected else { continue };
        match connected.execute(&sql, &[&SENDER, &token, &microseconds(server.lease)]).await {
            // Whoever writes next is told.
            Ok(0) => return,
            Ok(_) => session = Some(connected),
            Err(_) => {}
        }
    }
}

/// The number of the lease that `session` may write under; none where none was taken. Asked when it is its turn to write: who takes the
/// lease next waits for that turn too.
pub(super) async fn fence(session: &Session, lease: &Lease) -> Result<Option<i64>, Fault> {
    let token = *lease.token();
    let Some(token) = token else { return Ok(None) };
    let sql = format!("SELECT token FROM leases WHERE name = $1 AND token = $2 AND until > {NOW}");
    match session.row(&sql, &[&SENDER, &token]).await? {
        Some(_) => Ok(Some(token)),
        None => Err(Fault::LeaseLost),
    }
}

/// Gives it back, if it is held. What cannot be given back lapses.
pub(super) fn give_back(engine: &Engine) {
    let token = engine.lease.token().take();
    let Some(token) = token else { return };
    let server = engine.server.clone();
    let given = engine.wait(async move {
        let session = server.connect(Access::Write).await?;
        session.execute("UPDATE leases SET until = 0 WHERE name = $1 AND token = $2", &[&SENDER, &token]).await
    });
    if given.is_err() {
        tracing::warn!("the lease to send could not be given back; it lapses in {} s", engine.server.lease.as_secs());
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
