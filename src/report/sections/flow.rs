//! From the bill to the bank: what was to be paid, what was, what DOKU paid out and what the bank received, with what is missing between.
//! Each figure is read from the statements of the accounts, and each is the one before it with the steps between: nothing is left over.

use super::super::document::FlowStep;
use super::super::words::Words;
use crate::books::account::Account;
use crate::books::month::Statement;
use crate::books::movement::Movement;
use crate::domain::amount::Rupiah;

/// What pays a debt, seen from `receivable`.
const PAYS: [Movement; 4] = [Movement::Received, Movement::Applied, Movement::Matched, Movement::Rounded];
/// What makes a payment known, seen from `doku` and `direct`.
const NOTIFIES: [Movement; 2] = [Movement::Notified, Movement::Corrected];

/// The statements, asked by account; amounts are debit +.
struct Of<'a>(&'a [Statement]);

impl Of<'_> {
    fn sum(&self, accounts: &[Account], of: impl Fn(&Statement) -> Rupiah) -> Rupiah {
        self.0.iter().filter(|statement| accounts.contains(&statement.account)).map(of).sum()
    }

    fn opening(&self, accounts: &[Account]) -> Rupiah {
        self.sum(accounts, |statement| statement.opening.amount)
    }

    fn closing(&self, accounts: &[Account]) -> Rupiah {
        self.sum(accounts, |statement| statement.closing.amount)
    }

    /// What moved, by movements that `is` names.
    fn moved(&self, accounts: &[Account], is: impl Fn(Movement) -> bool) -> Rupiah {
        self.sum(accounts, |statement| statement.lines.iter().filter(|line| is(line.movement)).map(|line| line.balance.amount).sum())
    }
}

/// Steps, each following from the one before.
struct Steps {
    steps: Vec<FlowStep>,
    after: Rupiah,
}

impl Steps {
    /// A step up or down; one that moves nothing is left out.
    fn step(&mut self, label: &'static str, amount: Rupiah, section: Option<Account>) {
        if amount != Rupiah::ZERO {
            self.after = self.after.plus(amount);
            self.push(label, amount, false, section);
        }
    }

    fn push(&mut self, label: &'static str, amount: Rupiah, is_total: bool, section: Option<Account>) {
        let section = section.map(Account::name);
        self.steps.push(FlowStep { label, amount, after: self.after, is_total, section });
    }

    /// A figure of its own; what lies between it and the steps so far is shown as `rest`.
    fn total(&mut self, label: &'static str, amount: Rupiah, rest: &'static str) {
        self.step(rest, amount.minus(self.after), None);
        self.push(label, amount, true, None);
    }
}

/// The steps of a month.
pub(super) fn steps(statements: &[Statement], words: &Words) -> Vec<FlowStep> {
    let of = Of(statements);
    let negative = |amount: Rupiah| Rupiah::ZERO.minus(amount);
    let debts = [Account::Receivable, Account::Unproven];
    let counters = [Account::Doku, Account::Direct];
    let direct = [Account::Direct];
    let deducted = [Account::Fees, Account::Vat, Account::Discounts, Account::Shares];
    let billed = of.opening(&debts).plus(of.moved(&debts, |movement| !PAYS.contains(&movement)));
    let paid_out = of.moved(&[Account::Payouts], |movement| movement == Movement::PaidOut);
    let mut steps = Steps { steps: Vec::new(), after: billed };
    steps.push(words.step_billed(), billed, true, None);
    steps.step(words.step_owed(), negative(of.closing(&[Account::Receivable])), Some(Account::Receivable));
    steps.step(words.step_unproven(), negative(of.closing(&[Account::Unproven])), Some(Account::Unproven));
    steps.total(words.step_paid(), negative(of.moved(&debts, |movement| PAYS.contains(&movement))), words.step_held());
    steps.total(words.step_collected(), of.moved(&counters, |movement| NOTIFIES.contains(&movement)), words.step_held());
    // What is not DOKU's to pay out goes another way to the bank.
    steps.step(words.step_direct(), negative(of.moved(&direct, |movement| NOTIFIES.contains(&movement))), Some(Account::Direct));
    steps.step(words.step_was_at_doku(), of.opening(&[Account::Doku]), None);
    steps.step(words.step_at_doku(), negative(of.closing(&[Account::Doku])), Some(Account::Doku));
    steps.step(words.step_deducted(), negative(of.moved(&deducted, |_| true)), None);
    steps.total(words.step_paid_out(), paid_out, words.step_rows());
    steps.step(words.step_was_on_the_way(), of.opening(&[Account::Payouts]), None);
    steps.step(words.step_on_the_way(), negative(of.closing(&[Account::Payouts])), Some(Account::Payouts));
    steps.step(words.step_direct_received(), negative(of.moved(&direct, |movement| movement == Movement::Received)), Some(Account::Direct));
    steps.total(words.step_banked(), of.moved(&[Account::Bank], |_| true), words.step_other_bank());
    steps.steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::month::MovementLine;
    use crate::domain::balance::Balance;
    use crate::domain::language::Language;

    fn statement(account: Account, opening: i128, lines: &[(Movement, i128)]) -> Statement {
        let closing = lines.iter().fold(opening, |sum, (_, amount)| sum + amount);
        let balance = |amount: i128| Balance::one(Rupiah::new(amount));
        let line = |&(movement, amount)| MovementLine { movement, is_prior_period: false, balance: balance(amount) };
        Statement { account, opening: balance(opening), lines: lines.iter().map(line).collect(), closing: balance(closing) }
    }

    #[test]
    fn every_figure_is_the_one_before_it_with_the_steps_between_and_is_read_from_its_account() {
        let month = [
            statement(Account::Receivable, 100, &[(Movement::Billed, 1_000), (Movement::Received, -700), (Movement::MarkedPaid, -50)]),
            statement(Account::Unproven, 0, &[(Movement::MarkedPaid, 50)]),
            statement(Account::Doku, 40, &[(Movement::Notified, 760), (Movement::Settled, -600)]),
            statement(Account::Direct, 20, &[(Movement::Notified, 100), (Movement::Received, -90)]),
            statement(Account::Fees, 0, &[(Movement::Settled, 30)]),
            statement(Account::Payouts, 10, &[(Movement::PaidOut, 575), (Movement::Banked, -500)]),
            statement(Account::Bank, 0, &[(Movement::Banked, 500), (Movement::Received, 90), (Movement::Transferred, -20)]),
        ];
        let words = Words::of(Language::English);
        let steps = steps(&month, words);
        let mut after = Rupiah::ZERO;
        for step in &steps {
            after = if step.is_total && after == Rupiah::ZERO {
                step.amount
            } else if step.is_total {
                after
            } else {
                after.plus(step.amount)
            };
            assert_eq!(step.after, after, "{}", step.label);
            assert!(!step.is_total || step.amount == after, "{}", step.label);
        }
        let told: Vec<(&str, i128)> = steps.iter().map(|step| (step.label, step.amount.get())).collect();
        let expected = [
            (words.step_billed(), 1_100),
            (words.step_owed(), -350),
            (words.step_unproven(), -50),
            (words.step_paid(), 700),
            (words.step_held(), 160),
            (words.step_collected(), 860),
            (words.step_direct(), -100),
            (words.step_was_at_doku(), 40),
            (words.step_at_doku(), -200),
            (words.step_deducted(), -30),
            (words.step_rows(), 5),
            (words.step_paid_out(), 575),
            (words.step_was_on_the_way(), 10),
            (words.step_on_the_way(), -85),
            (words.step_direct_received(), 90),
            (words.step_other_bank(), -20),
            (words.step_banked(), 570),
        ];
        assert_eq!(told, expected);
    }
}
