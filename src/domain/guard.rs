//! Limits on what one run may do at DOKU, whoever says yes to it.

use super::amount::Rupiah;
use super::lifecycle::OperationKind;
use super::plan::PlanLine;
use super::sum::Sum;

/// What a run would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTotals {
    /// Codes to be made, and their rupiah.
    pub issues: Sum,
    /// Codes to be changed, and their rupiah afterwards.
    pub amendments: Sum,
    /// Codes to be taken back, and their rupiah.
    pub cancellations: Sum,
    /// The largest amount that is to be asked for, in rupiah.
    pub amount_largest: u64,
    /// Rows whose amount is far above what their bill ever asked for.
    pub far_above: u64,
}

impl RunTotals {
    /// Takes the next line of a plan.
    pub fn take(&mut self, line: &PlanLine) {
        match line.operation {
            Some(OperationKind::Issue) => self.issues.add(Rupiah::new(line.rupiah.into())),
            Some(OperationKind::Amend) => self.amendments.add(Rupiah::new(line.rupiah.into())),
            Some(OperationKind::Cancel) => self.cancellations.add(Rupiah::new(line.rupiah.into())),
            None => return,
        }
        if line.operation != Some(OperationKind::Cancel) {
            self.amount_largest = self.amount_largest.max(line.rupiah);
        }
        self.far_above = self.far_above.saturating_add(u64::from(line.far_above));
    }

    /// Codes made, changed or taken back.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.issues.count.saturating_add(self.amendments.count).saturating_add(self.cancellations.count)
    }
}

/// What one run may do; 0: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunLimits {
    /// Codes made, changed or taken back.
    pub rows_max: u64,
    /// Rupiah asked for by codes made or changed.
    pub rupiah_max: u64,
    /// Rupiah asked for by one code.
    pub amount_max: u64,
    /// Codes taken back.
    pub cancellations_max: u64,
    /// Codes changed or taken back, in percent of all that are live.
    pub changed_share_max_percent: u64,
}

impl RunLimits {
    /// Every limit that `totals` exceeds, as setting, what the run would come to, and the limit. `live_count`: codes live before.
    #[must_use]
    pub fn exceeded(&self, totals: &RunTotals, live_count: u64) -> Vec<(&'static str, u64, u64)> {
        let rupiah = totals.issues.rupiah.plus(totals.amendments.rupiah).get().try_into().unwrap_or(u64::MAX);
        let changed = totals.amendments.count.saturating_add(totals.cancellations.count);
        // Rounded up: a share that is just above the limit is above it.
        let share_percent = changed.saturating_mul(100).checked_div(live_count).map_or(0, |whole| {
            let is_whole = whole.saturating_mul(live_count) == changed.saturating_mul(100);
            whole.saturating_add(u64::from(!is_whole))
        });
        let limits = [
            ("rows_max", totals.rows(), self.rows_max),
            ("rupiah_max", rupiah, self.rupiah_max),
            ("amount_max", totals.amount_largest, self.amount_max),
            ("cancellations_max", totals.cancellations.count, self.cancellations_max),
            ("changed_share_max", share_percent, self.changed_share_max_percent),
        ];
        limits.into_iter().filter(|&(_, found, limit)| limit > 0 && found > limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_alone_stops_what_exceeds_it_and_none_stops_what_meets_it() {
        let sum = |count, rupiah| Sum { count, rupiah: Rupiah::new(rupiah) };
        let totals =
            RunTotals { issues: sum(10, 1_000), amendments: sum(5, 700), cancellations: sum(3, 90), amount_largest: 300, far_above: 0 };
        let found = [("rows_max", 18), ("rupiah_max", 1_700), ("amount_max", 300), ("cancellations_max", 3), ("changed_share_max", 20)];
        let exceeded = |values: [u64; 5]| {
            let [rows_max, rupiah_max, amount_max, cancellations_max, changed_share_max_percent] = values;
            RunLimits { rows_max, rupiah_max, amount_max, cancellations_max, changed_share_max_percent }.exceeded(&totals, 40)
        };
        assert_eq!(exceeded([0; 5]), [], "0 is no limit");
        assert_eq!(exceeded(found.map(|(_, value)| value)), [], "the limit itself is allowed");
        for (place, (name, value)) in found.into_iter().enumerate() {
            let mut values = [0; 5];
            values[place] = value - 1;
            assert_eq!(exceeded(values), [(name, value, value - 1)]);
        }
        let none_live = RunLimits { changed_share_max_percent: 1, ..RunLimits::default() }.exceeded(&RunTotals::default(), 0);
        assert_eq!(none_live, []);
    }
}
