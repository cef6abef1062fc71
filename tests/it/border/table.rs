//! The table of answers: whose word it is, what it says, what may have reached DOKU before, and where that leaves the row.
//! Every cell is a bill of its own; the bills of a policy go through one desk together.

use std::collections::BTreeMap;

use serde_json::json;

use super::between::{ALWAYS, Between, Fate, cut_after, cut_before, unavailable};
use super::doku::{Doku, Order, State, refusal, success};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

/// Whose word an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// DOKU's shape, signed.
    Signed,
    /// DOKU's shape, without a signature.
    Unsigned,
    /// DOKU's shape, with a signature that does not fit.
    Forged,
    /// A page of a gateway.
    Html,
    Text,
    Empty,
    /// JSON of a gateway, in no shape DOKU documents.
    Json,
    /// DOKU's signed success about another order.
    Other,
    /// A signed success about our order with another's code.
    OtherCode,
    /// The first half of DOKU's signed answer, as if it were whole.
    Half,
}
use Whose::{Empty, Forged, Half, Html, Json, Other, OtherCode, Signed, Text, Unsigned};

const STRANGERS: &[Whose] = &[Html, Text, Empty, Json];

/// Where a row ends, and what the next, undisturbed run does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// Done; nothing more is sent.
    Accepted,
    /// Done by an answer to an earlier attempt; nothing more is sent.
    Replayed,
    /// In rejected.csv with DOKU's words; nothing is sent until somebody asks for it.
    Rejected,
    /// In rejected.csv; the next run sends it.
    Refused,
    /// Not sent; the next run sends it.
    Deferred,
    /// In doubt; the next run sends the same bytes under the same id.
    Doubt,
}
use Ends::{Accepted, Deferred, Doubt, Refused, Rejected, Replayed};

/// Whose word it is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provenance {
    Own,
    Foreign,
}
use Provenance::{Foreign, Own};

/// `doku.verify_response`, `doku.unsigned_errors`.
type Policy = (&'static str, &'static str);

/// borders.md 1, the table of provenance.
fn provenance((verify_response, unsigned_errors): Policy, whose: Whose, is_success: bool) -> Provenance {
    match (whose, verify_response, unsigned_errors, is_success) {
        (Unsigned, "enforce", _, true)
        | (Unsigned, _, "refuse", false)
        | (Forged, "enforce", ..)
        | (Html | Text | Empty | Json | Other | OtherCode | Half, ..) => Foreign,
        (Signed | Unsigned | Forged, ..) => Own,
    }
}

/// One line of borders.md 1: answers that end alike.
struct Line {
    statuses: &'static [u16],
    provenance: Provenance,
    /// Where nothing under this id may have reached DOKU before.
    fresh: Ends,
    /// Where something may have.
    maybe: Ends,
}

const fn line(statuses: &'static [u16], provenance: Provenance, fresh: Ends, maybe: Ends) -> Line {
    Line { statuses, provenance, fresh, maybe }
}

/// Other 4xx than those the contract names.
const REFUSALS: &[u16] = &[400, 402, 406, 411, 412, 413, 414, 415, 416, 417, 418, 422, 423, 424, 426, 428, 431, 451, 499];
const PATHS: &[u16] = &[404, 405, 410, 501];
const STRANGE: &[u16] = &[
    300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 422, 423, 426,
    428, 431, 444, 451, 495, 497, 499,
];
const SILENCE: &[u16] = &[408, 425, 500, 502, 503, 504, 507, 520, 522, 530, 599];

/// borders.md 1, line by line. 401 and 403 of DOKU, and 409, have tables of their own: they speak of more than their row.
#[rustfmt::skip]
const LINES: &[Line] = &[
    line(&[200],     Own,     Accepted, Replayed),
    line(REFUSALS,   Own,     Rejected, Doubt),
    line(PATHS,      Own,     Refused,  Doubt),
    line(&[429],     Own,     Deferred, Doubt),
    line(&[429],     Foreign, Doubt,    Doubt),
    line(STRANGE,    Foreign, Doubt,    Doubt),
    line(SILENCE,    Own,     Doubt,    Doubt),
    line(SILENCE,    Foreign, Doubt,    Doubt),
    line(&[501],     Foreign, Doubt,    Doubt),
    line(&[200, 201, 202, 204], Foreign, Doubt, Doubt),
];

/// What was asked of DOKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Issue,
    Merchant,
    Amend,
    Cancel,
}
const KINDS: [Kind; 4] = [Kind::Issue, Kind::Merchant, Kind::Amend, Kind::Cancel];

/// What has happened to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    /// Nothing, and the answer's speaker has not done it.
    Nothing,
    /// Nothing, but it is DOKU that hears the request, and another that answers.
    PassedOn,
    /// An earlier attempt was carried out, and its answer cut.
    Done,
    /// An earlier attempt never arrived, which nobody can know.
    Lost,
}

#[derive(Clone, Debug)]
struct Cell {
    invoice: String,
    kind: Kind,
    before: Before,
    status: u16,
    whose: Whose,
    ends: Ends,
}

/// A code of our making, one for each cell.
fn merchant_code(invoice: &str) -> String {
    let number = invoice.bytes().fold(0_u64, |number, byte| number.wrapping_mul(131).wrapping_add(byte.into()));
    format!("77{:014}", number % 100_000_000_000_000)
}

impl Cell {
    fn row(&self, changed: bool) -> String {
        let invoice = &self.invoice;
        match (self.kind, changed) {
            (Kind::Merchant, _) => format!("{invoice},150000,Budi,alfa,merchant,{},1440,", merchant_code(invoice)),
            (Kind::Amend, true) => format!("{invoice},175000,Budi,alfa,,,1440,"),
            (Kind::Cancel, true) => format!("{invoice},,,,,,,cancel"),
            (Kind::Issue | Kind::Amend | Kind::Cancel, _) => format!("{invoice},150000,Budi,alfa,,,1440,"),
        }
    }

    /// What the row's files show at the end of a run.
    fn buckets(&self, ends: Ends) -> &'static [&'static str] {
        match (ends, self.kind) {
            (Accepted, Kind::Issue | Kind::Merchant) => &["issued"],
            (Replayed, Kind::Issue | Kind::Merchant) => &["replayed", "issued"],
            (Accepted | Replayed, Kind::Amend) => &["amended", "replayed"],
            (Accepted | Replayed, Kind::Cancel) => &["in no file"],
            (Rejected, _) => &["rejected"],
            (Refused, _) => &["rejected", "refused"],
            (Deferred, _) => &["deferred"],
            (Doubt, _) => &["in_doubt"],
        }
    }

    fn answer(&self) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync + 'static {
        let Self { before, status, whose, kind, .. } = *self;
        move |request, doku| {
            if before == Before::PassedOn || (whose_success(status, whose) && before != Before::Nothing) {
                doku.handle(request);
            }
            said(status, whose, kind, request, doku).into()
        }
    }
}

fn whose_success(status: u16, whose: Whose) -> bool {
    status == 200 && matches!(whose, Signed | Unsigned | Forged)
}

/// The answer of a cell; a success of DOKU's is carried out.
fn said(status: u16, whose: Whose, kind: Kind, request: &Request, doku: &mut Doku) -> Answer {
    let page = format!("{status} said the gateway");
    if (200..300).contains(&status) {
        let own = matches!(whose, Signed | Unsigned | Forged);
        let done = if own { Answer { status, ..doku.handle(request) } } else { about(whose, kind, status, request, doku) };
        return match whose {
            Unsigned => done.unsigned(),
            Forged => done.forged(request, &doku.now().to_string()),
            Half => Answer { body: done.body[..done.body.len() / 2].to_vec(), ..done },
            Html => Answer::new(status, "text/html", format!("<html>{page}</html>")),
            Text => Answer::new(status, "text/plain", page),
            Empty => Answer::new(status, "", ""),
            Json => Answer::json(status, &json!({"ok": true, "gateway": page})),
            Signed | Other | OtherCode => done,
        };
    }
    let own = refusal(status, &format!("DOKU says {status}"));
    match whose {
        Signed => doku.sign(own, request),
        Unsigned => own,
        Forged => own.forged(request, &doku.now().to_string()),
        Html => Answer::new(status, "text/html", format!("<html><h1>{page}</h1></html>")).with("Location", "/elsewhere"),
        Text => Answer::new(status, "text/plain", page),
        Empty => Answer::new(status, "", ""),
        Json => Answer::json(status, &json!({"fault": {"faultstring": page, "detail": {"errorcode": "gateway.x"}}})),
        Other | OtherCode | Half => about(whose, kind, status, request, doku),
    }
}

/// A signed success that is not the answer to what was asked.
fn about(whose: Whose, kind: Kind, status: u16, request: &Request, doku: &Doku) -> Answer {
    let now = doku.now();
    let code = |ours: bool| match kind {
        Kind::Merchant if ours => merchant_code(&request.about()),
        _ => "6059999999999999".to_owned(),
    };
    let order = Order {
        invoice: if whose == Other { "SOMEBODY-ELSE".into() } else { request.about() },
        code: code(whose != OtherCode),
        amount: 150_000,
        state: State::Live,
        created_at: now,
        expires_at: now + jiff::SignedDuration::from_hours(24),
        made_by: request.request_id().into(),
    };
    doku.sign(Answer::json(status, &success(&order)), request)
}

/// Every cell of a line, for the kinds and speakers that can be.
fn cells(policy: Policy, speakers: &[Whose], wanted: &dyn Fn(Kind, Whose, u16) -> bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for line in LINES {
        for (&status, &whose, kind) in line
            .statuses
            .iter()
            .flat_map(|status| speakers.iter().flat_map(move |whose| KINDS.iter().map(move |kind| (status, whose, *kind))))
        {
            let is_success = (200..300).contains(&status);
            let never = match whose {
                Other => !(is_success || status == 409),
                Half => status != 200,
                // A code of DOKU's making is whatever it says.
                OtherCode => status != 200 || kind == Kind::Issue,
                Forged => !is_success && policy.1 == "refuse" && policy.0 != "enforce",
                Signed | Unsigned => is_success && status != 200,
                Html | Text | Json => status == 204,
                Empty => false,
            };
            if never || !wanted(kind, whose, status) || provenance(policy, whose, is_success) != line.provenance {
                continue;
            }
            for before in [Before::Nothing, Before::PassedOn, Before::Done, Before::Lost] {
                if before == Before::PassedOn && line.provenance == Own {
                    continue;
                }
                let ends = if matches!(before, Before::Nothing | Before::PassedOn) { line.fresh } else { line.maybe };
                let invoice = format!("{kind:?}-{status}-{whose:?}-{before:?}");
                cells.push(Cell { invoice, kind, before, status, whose, ends });
            }
        }
    }
    cells
}

/// Sets the cells up, lets each hear its answer, and looks at files, ledger and the undisturbed runs after it.
fn judge(policy: Policy, cells: &[Cell]) {
    assert!(!cells.is_empty());
    let (verify, errors) = (format!("{:?}", policy.0), format!("{:?}", policy.1));
    let merchant = Merchant::open(&[("doku.verify_response", &verify)]);
    if policy.1 != "accept" {
        merchant.set(&[("doku.unsigned_errors", &errors)]);
    }
    let net = &merchant.net;
    let rows = |kept: &dyn Fn(&Cell) -> bool, changed: bool| -> Vec<String> {
        cells.iter().filter(|cell| kept(cell)).map(|cell| cell.row(changed)).collect()
    };
    let is_change = |cell: &Cell| matches!(cell.kind, Kind::Amend | Kind::Cancel);
    let is_second = |cell: &Cell| matches!(cell.before, Before::Done | Before::Lost);

    let live = rows(&is_change, false);
    if !live.is_empty() {
        merchant.issue(0, &live, &[]);
    }
    // The first attempts of those that have one.
    net.cue("GET", "", ALWAYS, unavailable);
    for cell in cells.iter().filter(|cell| is_second(cell)) {
        let act = if cell.before == Before::Done { cut_after } else { cut_before };
        net.cue("", &cell.invoice, ALWAYS, act);
    }
    merchant.set(&[("retry.attempts_max", "1")]);
    let first = net.mark();
    merchant.issue(3, &rows(&is_second, true), &[]);
    merchant.set(&[("retry.attempts_max", "2")]);
    net.calm();

    // The answer.
    net.cue("GET", "", ALWAYS, unavailable);
    for cell in cells {
        net.cue("", &cell.invoice, ALWAYS, cell.answer());
    }
    let all = rows(&|_| true, true);
    merchant.issue(if cells.iter().any(|cell| matches!(cell.ends, Doubt | Deferred)) { 3 } else { 1 }, &all, &[]);
    let mut wrong = Wrong::default();
    let ends = merchant.ends();
    for cell in cells {
        let bucket = ends.get(&cell.invoice).map_or("in no file", |end| end.bucket.as_str());
        wrong.note(cell, cell.buckets(cell.ends).contains(&bucket), || format!("ended as {bucket}, not as {:?}", cell.ends));
        let words = ends.get(&cell.invoice).map_or("", |end| end.reason.as_str());
        let said = format!("DOKU says {}", cell.status);
        wrong.note(cell, cell.ends != Rejected || words.contains(&said), || format!("DOKU's words are missing in `{words}`"));
        let ids = ids(net, first, &cell.invoice);
        wrong.note(cell, ids.len() == 1, || format!("{} Request-Ids or bodies", ids.len()));
    }

    // The next run, in which nobody interferes.
    net.calm();
    let (second, answered) = (net.mark(), net.doku().calls.len());
    let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
    let ends = merchant.ends();
    let mut undone = BTreeMap::new();
    for cell in cells {
        let sent = net.changes(second, &cell.invoice);
        let earlier = ids(net, first, &cell.invoice);
        match cell.ends {
            Accepted | Replayed | Rejected => wrong.note(cell, sent.is_empty(), || format!("{} calls in the next run", sent.len())),
            Refused | Deferred => wrong.note(cell, !sent.is_empty(), || "the next run sends nothing".into()),
            Doubt => wrong.note(cell, sent.len() == 1 && earlier.len() == 1, || {
                format!("{} calls in the next run, {} ids and bodies in all", sent.len(), earlier.len())
            }),
        }
        let bucket = ends.get(&cell.invoice).map_or("in no file", |end| end.bucket.as_str());
        if cell.ends == Rejected {
            undone.insert(cell.invoice.clone(), cell);
            wrong.note(cell, bucket == "rejected", || format!("the next run calls it {bucket}"));
        } else {
            let done = !["rejected", "refused", "deferred", "in_doubt"].contains(&bucket);
            wrong.note(cell, done, || format!("the undisturbed run leaves it {bucket}"));
        }
    }
    let exit = i32::from(!undone.is_empty());
    wrong.0.extend((finished.code() != Some(exit)).then(|| format!("the undisturbed run should end with {exit}: {finished:?}")));
    assert!(net.doku().calls.len() >= answered);

    // Whoever asks for what was rejected gets it; without a proof that DOKU said no, Check Status is asked first.
    let third = net.mark();
    let finished = merchant.run(&["issue", "bills.csv", "--out", "out", "--retry-rejected"]);
    wrong.0.extend((finished.code() != Some(0)).then(|| format!("--retry-rejected: {finished:?}")));
    for cell in undone.values() {
        let sent = net.changes(third, &cell.invoice);
        // What Check Status knows goes on under its old id: a change or cancellation without a proof that DOKU refused it.
        let is_known = matches!(cell.kind, Kind::Amend | Kind::Cancel) && cell.whose != Signed;
        let all = ids(net, first, &cell.invoice);
        wrong.note(cell, sent.len() == 1 && all.len() == if is_known { 1 } else { 2 }, || {
            format!("{} calls, {} ids, when it is sent again", sent.len(), all.len())
        });
        let asked = net.queries(third, &cell.invoice);
        wrong.note(cell, cell.whose == Signed || asked == 1, || format!("Check Status asked {asked} times before a new id"));
    }
    wrong.settled(&merchant, cells);
    assert!(wrong.0.is_empty(), "{policy:?}: {} of {} cells\n{}", wrong.0.len(), cells.len(), wrong.0.join("\n"));
}

/// The different (Request-Id, body) of an invoice's calls since a mark.
fn ids(net: &Between, mark: usize, invoice: &str) -> std::collections::BTreeSet<(String, Vec<u8>)> {
    net.changes(mark, invoice).into_iter().map(|sent| (sent.request_id, sent.body)).collect()
}

/// What did not come out as the table says.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn note(&mut self, cell: &Cell, holds: bool, why: impl FnOnce() -> String) {
        if !holds {
            self.0.push(format!("{}: {}", cell.invoice, why()));
        }
    }

    /// In the end DOKU's books, the ledger and accepted.csv say the same.
    fn settled(&mut self, merchant: &Merchant, cells: &[Cell]) {
        let doku = merchant.net.doku();
        let accepted: BTreeMap<_, _> =
            merchant.rows("out/accepted.csv").into_iter().map(|row| (row["invoice_number"].clone(), row)).collect();
        for cell in cells {
            let Some(order) = doku.orders.get(&cell.invoice) else {
                self.note(cell, false, || "DOKU never heard of it".into());
                continue;
            };
            let line = accepted.get(&cell.invoice);
            let (state, amount) = match cell.kind {
                Kind::Cancel => (State::Deleted, 150_000),
                Kind::Amend => (State::Live, 175_000),
                Kind::Issue | Kind::Merchant => (State::Live, 150_000),
            };
            self.note(cell, (order.state, order.amount) == (state, amount), || format!("DOKU holds {order:?}"));
            let fits = line.map_or(state != State::Live, |line| {
                state == State::Live && line["payment_code"] == order.code && line["amount"] == amount.to_string()
            });
            self.note(cell, fits, || format!("accepted.csv has {line:?}, DOKU {order:?}"));
        }
    }
}

fn any(_: Kind, _: Whose, _: u16) -> bool {
    true
}

/// Statuses that stand for their line where the others would only repeat it.
fn some(_: Kind, _: Whose, status: u16) -> bool {
    [200, 302, 400, 404, 409, 422, 429, 451, 501, 503].contains(&status)
}

/// Every status for an issue, from DOKU with and without a signature and from a gateway; some for the rest.
fn most(kind: Kind, whose: Whose, status: u16) -> bool {
    (kind == Kind::Issue && matches!(whose, Signed | Unsigned | Html)) || some(kind, whose, status)
}

#[test]
fn every_answer_of_doku_or_of_a_stranger_ends_where_the_table_says() {
    let speakers = [&[Signed, Unsigned, Forged, Other, OtherCode, Half], STRANGERS].concat();
    let policy = ("warn", "accept");
    judge(policy, &cells(policy, &speakers, &most));
}

#[test]
fn under_enforce_an_answer_with_a_wrong_signature_and_an_unsigned_success_are_a_strangers() {
    let policy = ("enforce", "accept");
    judge(policy, &cells(policy, &[Signed, Unsigned, Forged, Html, Other], &some));
}

#[test]
fn where_unsigned_errors_are_refused_they_are_a_strangers_under_every_policy() {
    for policy in [("warn", "refuse"), ("enforce", "refuse"), ("off", "refuse")] {
        judge(policy, &cells(policy, &[Signed, Unsigned, Forged, Text], &some));
    }
}

#[test]
fn with_signatures_off_shape_and_order_still_decide() {
    let policy = ("off", "accept");
    judge(policy, &cells(policy, &[Signed, Unsigned, Forged, Html, Json, Other, OtherCode, Half], &some));
}

#[test]
fn the_table_has_every_status_once_for_each_speaker() {
    for status in 300..600 {
        for provenance in [Own, Foreign] {
            let lines = LINES.iter().filter(|line| line.provenance == provenance && line.statuses.contains(&status)).count();
            assert!(lines <= 1, "{status} {provenance:?}");
        }
    }
    let policy = ("warn", "accept");
    assert!(cells(policy, &[Signed, Html], &any).len() > 500);
}
