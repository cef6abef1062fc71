//! The right to give out codes of our own making: one holder's at a time, or two files would get the same ones.

use tokio::sync::oneshot;

use super::engine::Engine;
use super::patience::Patience;
use super::server::Access;
use crate::clock::within;
use crate::ledger::LedgerError;

/// Whoever gives out codes holds this.
const MINTING: i64 = 0x5447_494d;

/// The right, until it is dropped.
#[derive(Debug)]
pub struct MintingRight(#[expect(dead_code, reason = "that it is dropped is what is heard")] oneshot::Sender<()>);

/// Waits for the right, for as long as others have it. One that is not heard of for a lease's length has it no more.
pub(super) fn take(engine: &Engine) -> Result<MintingRight, LedgerError> {
    let (server, lasts) = (engine.server.clone(), engine.server.lease);
    let taken = engine.wait(async move {
        let mut patience = Patience::of(&server);
        loop {
            let taking = async {
                let session = server.connect(Access::Write).await?;
                let limits =
                    format!("SET lock_timeout = 0; SET statement_timeout = 0; SET idle_session_timeout = {}", lasts.as_millis().max(1));
                session.batch(&limits).await?;
                session.takes_time(true);
                session.execute("SELECT pg_advisory_lock($1)", &[&MINTING]).await?;
                session.takes_time(false);
                Ok(session)
            };
            match taking.await {
                Err(fault) => patience.with(fault).await?,
                taken => return taken,
            }
        }
    });
    let session = taken.map_err(|fault| engine.server.place().error(fault))?;
    let (held, mut is_over) = oneshot::channel();
    engine.go_on(async move {
        while within(lasts.checked_div(3).unwrap_or_default(), &mut is_over).await.is_none() {
            if session.batch("SELECT 1").await.is_err() {
                return;
            }
        }
    });
    Ok(MintingRight(held))
}
