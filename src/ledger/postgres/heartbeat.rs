//! Taking a lease, renewing it by heartbeat for as long as its holder lives, and giving it back.
//!
//! Belongs here: what is written of leases. Must not be here: what a lease is worth (`lease`).

use std::time::Duration;

use super::engine::Engine;
use super::lease::{COUNTS_UNTIL, Held, Lease, NOW, microseconds};
use super::patience::Patience;
use super::server::{Access, PostgresServer};
use super::session::Session;
use crate::clock::{Stopwatch, sleep, within};
use crate::domain::share::{self, RateShare, Sender};
use crate::ledger::LedgerError;
use crate::ledger::sql::cells::{count, integer, required};
use crate::ledger::sql::fault::Fault;

/// Whoever divides the rate holds this.
const DIVIDING: i64 = 0x5447_4952;

/// So often a lease is renewed while it lasts, and so often by who waits for its share.
const BEATS: u32 = 3;

const BEATS_WAITING: u32 = 10;

/// Takes a lease for `holder`, who takes `ceiling` for the rate of all (nothing, if it sends nothing); renews it from then on.
pub(super) fn take(engine: &Engine, holder: &str, ceiling: RateShare) -> Result<(), LedgerError> {
    let (server, place, holder, lease) = (engine.server.clone(), engine.server.place(), holder.to_owned(), engine.lease.clone());
    let taken = engine.wait(async move {
        let mut patience = Patience::of(&server);
        loop {
            let taking = async {
                let session = server.connect(Access::Write).await?;
                let number = taken(&session, &holder, ceiling, server.lease).await?;
                beat(&session, &lease, number, server.lease).await?;
                Ok((session, number))
            };
            match Box::pin(taking).await {
                Err(fault) => patience.with(fault).await?,
                taken => return taken,
            }
        }
    });
    let (session, number) = taken.map_err(|fault| place.error(fault))?;
    engine.lease.held().number = Some(number);
    let (server, lease) = (engine.server.clone(), engine.lease.clone());
    engine.go_on(async move { renew(&server, &lease, number, session).await });
    Ok(())
}

/// The number of a new lease, which is written down without a share yet.
pub(super) async fn taken(session: &Session, holder: &str, ceiling: RateShare, lasts: Duration) -> Result<i64, Fault> {
    session.batch("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let found = session.row("UPDATE head SET lease = lease + 1 RETURNING lease", &[]).await?;
    let number =
        found.map_or_else(|| Err(Fault::Damaged("the row that says where its chain ends is missing".into())), |row| integer(&row, 0))?;
    let sql = format!(
        "INSERT INTO leases (number, holder, until, ceiling, ceiling_burst, share, share_burst) VALUES ($1, $2, {NOW} + $3, $4, $5, 0, 0)"
    );
    let (rate, burst) = parts(ceiling);
    session.execute(&sql, &[&number, &holder, &microseconds(lasts), &rate, &burst]).await?;
    // Whoever stops in the middle of dividing keeps the others from it, but not for so long that they lose theirs.
    let idle_ms = lasts.checked_div(BEATS).unwrap_or_default().as_millis().max(1);
    session.batch(&format!("COMMIT; SET idle_in_transaction_session_timeout = {idle_ms}")).await?;
    Ok(number)
}

/// One heartbeat: removes who has lapsed, and gives `number` another term and its share; gives whether it was there to be renewed.
async fn beat(session: &Session, lease: &Lease, number: i64, lasts: Duration) -> Result<bool, Fault> {
    let (sent, lasts_us) = (Stopwatch::start(), microseconds(lasts));
    session.batch("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    session.execute("SELECT pg_advisory_xact_lock($1)", &[&DIVIDING]).await?;
    // One whose transaction is under way stays until that has ended.
    let sql = format!(
        "DELETE FROM leases WHERE number IN \
         (SELECT number FROM leases WHERE {COUNTS_UNTIL} < {NOW} AND number <> $2 FOR UPDATE SKIP LOCKED)"
    );
    session.execute(&sql, &[&lasts_us, &number]).await?;
    let rows = session.query("SELECT number, ceiling, ceiling_burst, share, share_burst FROM leases", &[]).await?;
    let senders = rows.iter().map(sender).collect::<Result<Vec<Sender>, Fault>>()?;
    let own = u64::try_from(number).unwrap_or(u64::MAX);
    if !senders.iter().any(|sender| sender.number == own) {
        session.batch("ROLLBACK").await?;
        return Ok(false);
    }
    let sending: Vec<Sender> = senders.into_iter().filter(|sender| sender.ceiling != RateShare::NONE).collect();
    let share = if sending.iter().any(|sender| sender.number == own) { share::next(own, &sending) } else { RateShare::NONE };
    // Less is gone by before it is said, and more once it is.
    lease.give_way(share);
    let (rate, burst) = parts(share);
    let sql = format!("UPDATE leases SET until = {NOW} + $1, share = $3, share_burst = $4 WHERE number = $2");
    session.execute(&sql, &[&lasts_us, &number, &rate, &burst]).await?;
    session.batch("COMMIT").await?;
    let mut held = lease.held();
    (held.share, held.renewed, held.lasts) = (share, Some(sent), lasts);
    Ok(true)
}

fn sender(row: &tokio_postgres::Row) -> Result<Sender, Fault> {
    let share = |column| Ok::<_, Fault>(RateShare { per_1000_seconds: count(row, column)?, burst: count(row, column.saturating_add(1))? });
    Ok(Sender { number: count(row, 0)?, ceiling: share(1)?, share: share(3)? })
}

fn parts(share: RateShare) -> (i64, i64) {
    let part = |part: u64| i64::try_from(part).unwrap_or(i64::MAX);
    (part(share.per_1000_seconds), part(share.burst))
}

/// Renews the lease until it is given back or lost.
async fn renew(server: &PostgresServer, lease: &Lease, number: i64, session: Session) {
    let mut session = Some(session);
    let each = |beats| server.lease.checked_div(beats).unwrap_or_default();
    loop {
        let waits = lease.share() == RateShare::NONE;
        sleep(each(if waits { BEATS_WAITING } else { BEATS })).await;
        if lease.held().number != Some(number) {
            return;
        }
        let beating = async {
            let connected = match session.take() {
                Some(session) => session,
                None => server.connect(Access::Write).await?,
            };
            let is_there = beat(&connected, lease, number, server.lease).await?;
            Ok::<_, Fault>((connected, is_there))
        };
        match within(server.lease, Box::pin(beating)).await {
            Some(Ok((connected, true))) => session = Some(connected),
            Some(Ok((_, false))) => {
                lease.lose();
                return;
            }
            // A session that failed is of no use; the next beat has another.
            Some(Err(_)) | None => {}
        }
    }
}

/// Who is at work, in words, if anybody is.
pub(super) fn holders(engine: &Engine) -> Result<Vec<String>, LedgerError> {
    let server = engine.server.clone();
    let asked = engine.wait(async move {
        let session = server.connect(Access::Read).await?;
        let sql = format!("SELECT holder FROM leases WHERE {COUNTS_UNTIL} >= {NOW} ORDER BY number");
        let rows = session.query(&sql, &[&microseconds(server.lease)]).await?;
        rows.iter().map(|row| Ok(required(row, 0)?.to_owned())).collect()
    });
    asked.map_err(|fault| engine.server.place().error(fault))
}

/// Gives it back, if it is held. What cannot be given back lapses.
pub(super) fn give_back(engine: &Engine) {
    let Held { number, .. } = std::mem::take(&mut *engine.lease.held());
    let Some(number) = number else { return };
    let server = engine.server.clone();
    let given = engine.wait(async move {
        let session = server.connect(Access::Write).await?;
        session.execute("DELETE FROM leases WHERE number = $1", &[&number]).await
    });
    if given.is_err() {
        tracing::warn!("this host's lease could not be given back; it lapses in {} s", engine.server.lease.as_secs());
    }
}
