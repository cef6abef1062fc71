//! The seals of `tagih ledger verify`: are they those of all rows there are, and of the end of the chain?

use super::db::Db;
use super::verify_report::VerifyReport;
use super::{totals, tree};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::tree::Set;

/// Makes the trees again and compares them.
pub(super) fn check(connection: &Db, report: &mut VerifyReport) -> Result<(), Fault> {
    let top = match tree::top(connection, &report.head) {
        Err(Fault::Damaged(reason)) => {
            report.find(reason);
            return Ok(());
        }
        top => top?,
    };
    let mut count = 1_i64;
    for set in Set::ALL {
        let mut differing = 0_u64;
        let root = tree::built(connection, set, |place, digests| {
            count = count.saturating_add(1);
            differing = differing.saturating_add(u64::from(tree::node(connection, place)?.as_deref() != Some(digests)));
            Ok(())
        });
        match root {
            Ok(root) if root == top.root(set) && differing == 0 => {}
            Ok(_) | Err(Fault::Damaged(_)) => report.find(set.broken().in_words()),
            Err(fault) => return Err(fault),
        }
    }
    let kept: i64 = connection.query_row("SELECT COUNT(*) FROM seals", [], |row| row.get(0))?;
    if kept != count && report.is_sound() {
        report.find("seals are kept that are of no bill and no payment");
    }
    if totals::sealed(connection)? != top.totals {
        report.find("the totals are not those that were sealed");
    }
    Ok(())
}
