//! One operation in doubt, by the real rules that end a doubt (`domain::doubt::ending`), over every order of: bytes that arrive late, twice or
//! never, repetitions that are refused, customers who pay, codes that expire, and a Check Status that shows a change some time after it was
//! made. Whatever the rules conclude, at any time after what they rest on was found, must be so at DOKU and stay so.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use tagih::domain::bill::{Expiry, RecordedTerms};
use tagih::domain::channel::IssuanceMethod;
use tagih::domain::check_status::{StatusDetails, Word};
use tagih::domain::doubt::{Ending, NotFound, Patience, ending};
use tagih::domain::ids::{InvoiceNumber, RequestId};
use tagih::domain::lifecycle::{BillState, CodeAnswer, DoubtVerdict, Event, OperationKind};

use super::{Model, visit};
use crate::support::bills;

/// Minutes of a tick; the rest is in ticks.
const TICK: i64 = 30;
/// How long a code lasts.
const LASTS: u8 = 6;
/// How late a request may arrive.
const LATE_MAX: u8 = 1;
/// How often Check Status is asked after each sending.
const ASKED_MAX: usize = 3;
const ENDS_AT: u8 = 11;
const AMOUNTS: [u64; 2] = [100, 200];
const CODE: &str = "8896123412341234";

struct Doubt {
    operation: OperationKind,
    has_own_code: bool,
    patience: Patience,
    /// How often the rules came to what.
    concluded: RefCell<BTreeMap<String, usize>>,
}

/// What DOKU has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Order {
    amount: u64,
    expires_at: u8,
    is_cancelled: bool,
    is_paid: bool,
}

impl Order {
    const fn is_payable(self, now: u8) -> bool {
        !self.is_cancelled && !self.is_paid && now < self.expires_at
    }

    const fn word(self, now: u8) -> Word {
        match (self.is_paid, self.is_payable(now)) {
            (true, _) => Word::Success,
            (false, true) => Word::Pending,
            (false, false) => Word::Expired,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sent {
    Never,
    /// How old its bytes are.
    UnderWay(u8),
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    now: u8,
    order: Option<Order>,
    /// What it was when the last tick began, and when this one did: Check Status may still show that.
    earlier: [Option<Order>; 2],
    sent: [Sent; 2],
    repeated_at: Option<u8>,
    /// When DOKU's refusal of the repetition was heard.
    refused_at: Option<u8>,
    findings: Vec<(u8, u8, u64)>,
}

#[derive(Clone, Debug)]
#[allow(dead_code, reason = "shown where something is found")]
enum Step {
    Repeats,
    Arrives(usize),
    GetsLost(usize),
    IsRefused,
    IsPaid,
    Finds(Word),
    Tick,
}

fn at(tick: u8) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + i64::from(tick) * TICK * 60).unwrap()
}

fn number() -> InvoiceNumber {
    InvoiceNumber::new("A").unwrap()
}

impl Doubt {
    fn new(operation: OperationKind, has_own_code: bool) -> Self {
        let patience = Patience {
            not_found: NotFound::WithControl,
            not_found_minutes: 4 * TICK,
            unchanged_minutes: 3 * TICK,
            grace_minutes: 2 * TICK,
            cancelled_words: Vec::new(),
        };
        Self { operation, has_own_code, patience, concluded: RefCell::default() }
    }

    fn terms(&self, amount: u64) -> RecordedTerms {
        RecordedTerms {
            method: if self.has_own_code { IssuanceMethod::Merchant } else { IssuanceMethod::Doku },
            payment_code: self.has_own_code.then(|| bills::code(CODE)),
            expiry: Expiry::Minutes(u32::from(LASTS) * TICK as u32),
            ..bills::recorded(amount)
        }
    }

    /// What the ledger has, by its real events.
    fn bill(&self, world: &World) -> BillState {
        let is_issue = self.operation == OperationKind::Issue;
        let asked = if self.operation == OperationKind::Amend { AMOUNTS[1] } else { AMOUNTS[0] };
        let intended = |operation, amount| Event::Intended {
            operation,
            terms: self.terms(amount),
            request_id: RequestId::from_digest(&[1; 32]),
            wire_invoice_number: number(),
            body_digest: String::new(),
        };
        let mut events = vec![(0, Event::Planned { terms: self.terms(AMOUNTS[0]) })];
        if !is_issue {
            let answer = CodeAnswer { created_at: Some(at(0)), expires_at: Some(at(LASTS)), ..bills::answer(CODE) };
            events.push((0, intended(OperationKind::Issue, AMOUNTS[0])));
            events.push((0, bills::accepted(answer)));
        }
        events.push((0, intended(self.operation, asked)));
        events.push((0, Event::Doubted { reason: String::new(), answered: false, refusal: None }));
        events.extend(world.repeated_at.map(|tick| (tick, Event::Repeated)));
        let refused = Event::Doubted { reason: String::new(), answered: true, refusal: Some("E0401".into()) };
        events.extend(world.refused_at.map(|tick| (tick, refused)));
        events.extend(world.findings.iter().map(|&(tick, said, amount)| {
            let said = Word::ALL[usize::from(said)];
            let amount = (said != Word::NotFound).then_some(amount);
            let details = StatusDetails { amount, controlled: said == Word::NotFound, ..StatusDetails::default() };
            (tick, Event::Checked { order: number(), word: said, chosen: false, payment: None, details })
        }));
        let fold = |state, (tick, event): (u8, Event)| Some(BillState::apply(state, &number(), at(tick), &event).unwrap());
        events.into_iter().fold(None, fold).unwrap()
    }

    /// Its bytes reach DOKU, which carries them out once.
    fn carried_out(&self, world: &World) -> Option<Order> {
        let asked = Order { amount: AMOUNTS[0], expires_at: world.now + LASTS, is_cancelled: false, is_paid: false };
        match (self.operation, world.order) {
            (OperationKind::Issue, None) => Some(asked),
            (OperationKind::Amend, Some(order)) if order.is_payable(world.now) => Some(Order { amount: AMOUNTS[1], ..order }),
            (OperationKind::Cancel, Some(order)) if order.is_payable(world.now) => Some(Order { is_cancelled: true, ..order }),
            (_, order) => order,
        }
    }

    fn is_done(&self, world: &World) -> bool {
        world.order.is_some_and(|order| match self.operation {
            OperationKind::Issue => true,
            OperationKind::Amend => order.amount == AMOUNTS[1],
            OperationKind::Cancel => order.is_cancelled,
        })
    }
}

impl Model for Doubt {
    type State = World;
    type Step = Step;

    fn start(&self) -> World {
        let issued = Order { amount: AMOUNTS[0], expires_at: LASTS, is_cancelled: false, is_paid: false };
        let order = (self.operation != OperationKind::Issue).then_some(issued);
        World {
            now: 0,
            order,
            earlier: [order; 2],
            sent: [Sent::UnderWay(0), Sent::Never],
            repeated_at: None,
            refused_at: None,
            findings: Vec::new(),
        }
    }

    fn steps(&self, world: &World) -> Vec<(Step, World)> {
        let mut steps = Vec::new();
        let under_way = |sent: &Sent| matches!(sent, Sent::UnderWay(_));
        if world.sent[1] == Sent::Never {
            let sent = [world.sent[0], Sent::UnderWay(0)];
            steps.push((Step::Repeats, World { sent, repeated_at: Some(world.now), findings: Vec::new(), ..world.clone() }));
        }
        for which in (0..2).filter(|&which| under_way(&world.sent[which])) {
            let mut over = world.clone();
            over.sent[which] = Sent::Over;
            steps.push((Step::Arrives(which), World { order: self.carried_out(world), ..over.clone() }));
            if which == 1 {
                let refused = World { refused_at: Some(world.now), findings: Vec::new(), ..over.clone() };
                steps.push((Step::IsRefused, refused));
            }
            steps.push((Step::GetsLost(which), over));
        }
        if let Some(order) = world.order.filter(|order| order.is_payable(world.now)) {
            steps.push((Step::IsPaid, World { order: Some(Order { is_paid: true, ..order }), ..world.clone() }));
        }
        if world.findings.len() < ASKED_MAX && world.findings.last().is_none_or(|(tick, ..)| *tick < world.now) {
            let mut shown = vec![world.order, world.earlier[0], world.earlier[1]];
            shown.dedup();
            for shown in shown {
                let said = shown.map_or(Word::NotFound, |order| order.word(world.now));
                let mut next = world.clone();
                let number = Word::ALL.iter().position(|one| *one == said).unwrap();
                next.findings.push((world.now, number as u8, shown.map_or(0, |order| order.amount)));
                steps.push((Step::Finds(said), next));
            }
        }
        let is_held_up = world.sent.iter().any(|sent| matches!(sent, Sent::UnderWay(age) if *age >= LATE_MAX));
        if world.now < ENDS_AT && !is_held_up {
            let older = |sent| if let Sent::UnderWay(age) = sent { Sent::UnderWay(age + 1) } else { sent };
            let next = World { now: world.now + 1, earlier: [world.earlier[1], world.order], sent: world.sent.map(older), ..world.clone() };
            steps.push((Step::Tick, next));
        }
        steps
    }

    fn holds(&self, world: &World) -> Result<(), String> {
        let Some(ending) = ending(&self.bill(world), &self.patience) else { return Ok(()) };
        *self.concluded.borrow_mut().entry(format!("{ending:?}").chars().take(16).collect()).or_default() += 1;
        let may_arrive = world.sent.iter().any(|sent| matches!(sent, Sent::UnderWay(_)));
        let may_be_done = may_arrive && self.carried_out(world) != world.order;
        let (is_done, is_paid) = (self.is_done(world), world.order.is_some_and(|order| order.is_paid));
        let is_payable = world.order.is_some_and(|order| order.is_payable(world.now));
        let is_so = match ending {
            // What nobody can pay any more is what a cancellation wants.
            Ending::Over(DoubtVerdict::Done) => is_done || (self.operation == OperationKind::Cancel && !is_payable),
            Ending::Over(DoubtVerdict::NotDone) | Ending::Refused(_) => !is_done && !may_be_done,
            Ending::Over(DoubtVerdict::Dead) => !is_payable && !is_paid && !may_be_done,
            Ending::Hold => is_paid,
        };
        if is_so { Ok(()) } else { Err(format!("{ending:?} is not so")) }
    }
}

const CASES: [(OperationKind, bool); 4] =
    [(OperationKind::Issue, false), (OperationKind::Issue, true), (OperationKind::Amend, false), (OperationKind::Cancel, false)];

#[test]
fn whatever_ends_a_doubt_is_so_at_doku_and_stays_so() {
    for (operation, has_own_code) in CASES {
        let model = Doubt::new(operation, has_own_code);
        let visited = visit(&model).unwrap_or_else(|found| panic!("{operation:?}: {found}"));
        println!("{operation:?} ({has_own_code}): {visited:?} {:?}", model.concluded.borrow());
        assert!(model.concluded.borrow().len() >= 2, "{operation:?}: {:?}", model.concluded);
    }
}

#[test]
fn without_its_patience_each_rule_concludes_what_is_not_so() {
    let patience = || Doubt::new(OperationKind::Issue, false).patience;
    let without = [
        (OperationKind::Issue, Patience { not_found_minutes: 0, ..patience() }),
        (OperationKind::Amend, Patience { unchanged_minutes: 0, ..patience() }),
        (OperationKind::Issue, Patience { grace_minutes: 0, ..patience() }),
    ];
    for (operation, patience) in without {
        let model = Doubt { patience, ..Doubt::new(operation, false) };
        assert!(visit(&model).is_err(), "{operation:?}: {:?} is patience enough", model.patience);
    }
}
