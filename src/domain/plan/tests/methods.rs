//! Codes of our own making: which number a row gets, and what becomes of codes that DOKU is never told of.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const MINTING: &str = "8896";

fn minting() -> Minting {
    Minting { prefix: MINTING.into(), length: 6, from: 1 }
}

fn own(method: IssuanceMethod, code: Option<&str>) -> Terms {
    with(|terms| (terms.method, terms.payment_code) = (method, code.map(|code| PaymentCode::new(code).unwrap())))
}

fn inquiry(change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = own(IssuanceMethod::Inquiry, Some("889600"));
    change(&mut terms);
    terms
}

fn registered(operation: OperationKind, terms: &Terms, ends_at: i64) -> Event {
    let answer = CodeAnswer {
        payment_code: terms.payment_code.clone().unwrap(),
        created_at: Some(at(0)),
        expires_at: Some(at(ends_at)),
        how_to_pay_page: None,
        how_to_pay_api: None,
    };
    Event::Registered { operation, terms: terms.recorded(&SALT), answer }
}

/// A code registered at minute 0, payable until minute 60.
fn held(terms: &Terms) -> World {
    World::default().with("I", &[planned(terms), registered(OperationKind::Issue, terms, 60)])
}

#[test]
fn an_inquiry_code_is_registered_changed_in_every_column_and_cancelled_without_a_call() {
    let same = inquiry(|_| {});
    assert_eq!(World::default().step(live(same.clone()), 0), Step::Register(OperationKind::Issue));
    let world = held(&same);
    assert_eq!(world.step(live(same), 1), Step::Unchanged(Unchanged::Live));
    let changes: [&dyn Fn(&mut Terms); 9] = [
        &|terms| terms.amount = Amount::new(5).unwrap(),
        &|terms| terms.expiry = Expiry::Minutes(90),
        &|terms| terms.reusable = true,
        &|terms| terms.customer.name = Personal::new("N".repeat(64)),
        &|terms| terms.info = Some("x".into()),
        &|terms| terms.receipt_footer = Some("x".into()),
        &|terms| terms.policy.number = Some("9".into()),
        &|terms| terms.policy.due_date = "2026-10-31".parse().ok(),
        &|terms| terms.additional = Some(Box::new(crate::domain::additional::Additional { hold_settlement: true, ..Default::default() })),
    ];
    for change in changes {
        assert_eq!(world.step(live(inquiry(|terms| change(terms))), 1), Step::Register(OperationKind::Amend));
    }
    assert_eq!(world.step(live(inquiry(|terms| terms.bill_group = Some("G".into()))), 1), Step::Note);
    assert_eq!(code_of(&world.step(live(own(IssuanceMethod::Inquiry, Some("889601"))), 1)), "E0301");
    assert_eq!(code_of(&world.step(live(own(IssuanceMethod::Merchant, Some("889600"))), 1)), "E0301");
    assert_eq!(code_of(&world.step(live(inquiry(|terms| terms.channel = Channel::Indomaret)), 1)), "E0302");
    assert_eq!(world.step(Wanted::Cancelled, 1), Step::Register(OperationKind::Cancel));
    let cancelled = world.with("I", &[registered(OperationKind::Cancel, &inquiry(|_| {}), 60)]);
    assert_eq!(cancelled.bills[&number("I")].status, Status::Cancelled);
    assert_eq!(cancelled.step(live(inquiry(|_| {})), 2), Step::Unchanged(Unchanged::Cancelled));
}

#[test]
fn a_paid_inquiry_code_is_neither_changed_nor_cancelled() {
    let mut world = held(&inquiry(|_| {}));
    world.paid.insert(number("I"), Paid::ByItsCode);
    assert_eq!(world.step(live(inquiry(|terms| terms.amount = Amount::new(5).unwrap())), 1), Step::Unchanged(Unchanged::Paid));
    assert_eq!(code_of(&world.step(Wanted::Cancelled, 1)), "E0309");
}

#[test]
fn an_expired_inquiry_code_is_extended_by_a_later_end_or_on_request_and_counts_from_then() {
    let world = held(&inquiry(|_| {}));
    let dearer = inquiry(|terms| terms.amount = Amount::new(5).unwrap());
    assert_eq!(world.step(live(dearer.clone()), 60), Step::Unchanged(Unchanged::Expired));
    let longer = inquiry(|terms| terms.expiry = Expiry::Minutes(90));
    assert_eq!(world.step(live(longer.clone()), 500), Step::Register(OperationKind::Amend));
    let state = &world.bills[&number("I")];
    let ends = |terms: &Terms, minute| {
        registered_answer(OperationKind::Amend, &terms.recorded(&SALT), Some(state), at(minute)).unwrap().expires_at
    };
    assert_eq!(ends(&longer, 500), Some(at(590)));
    assert_eq!(ends(&longer, 10), Some(at(90)), "while it is payable, minutes count from its issue");
    assert_eq!(ends(&dearer, 10), Some(at(60)), "an end that is not changed stays");
    let world = world.rules(true, false);
    assert_eq!(world.step(live(dearer.clone()), 89), Step::Unchanged(Unchanged::Expired), "within the grace");
    assert_eq!(world.step(live(dearer), 90), Step::Register(OperationKind::Amend));
    assert_eq!(code_of(&world.step(live(inquiry(|terms| terms.expiry = Expiry::At(at(80)))), 90)), "E0306");
}

#[test]
fn an_expired_inquiry_code_stands_in_the_way_of_no_other_method_or_channel() {
    let world = held(&inquiry(|_| {}));
    let other = |minutes| live(Terms { expiry: Expiry::Minutes(minutes), ..merchant("889601") });
    assert_eq!(code_of(&world.step(other(500), 90)), "E0301", "what has expired is not issued anew here");
    let world = world.rules(true, false);
    for minutes in [60, 500] {
        assert_eq!(code_of(&world.step(other(minutes), 59)), "E0301", "it can be paid");
        assert!(!matches!(world.step(other(minutes), 89), Step::Retire { .. }), "within the grace");
        assert_eq!(world.step(other(minutes), 90), Step::Retire { holder: number("I"), is_paid: false });
    }
}

#[test]
fn an_amended_inquiry_code_keeps_the_amounts_it_asked_for() {
    let dearer = inquiry(|terms| terms.amount = Amount::new(5).unwrap());
    let world = held(&inquiry(|_| {})).with("I", &[registered(OperationKind::Amend, &dearer, 70)]);
    let state = &world.bills[&number("I")];
    let code = state.code.as_ref().unwrap();
    assert_eq!((state.status, state.terms.amount.get(), code.superseded[0].amount.get()), (Status::Active, 5, 100_000));
    assert_eq!((code.answer.expires_at, state.generation, state.is_known_to_doku()), (Some(at(70)), 0, false));
}

#[test]
fn a_code_is_taken_over_from_an_inquiry_bill_without_asking_doku() {
    let mut world = held(&inquiry(|_| {}));
    let taker = |world: &World, method, minute| world.step_of("NEW", live(own(method, Some("889600"))), minute);
    for method in [IssuanceMethod::Inquiry, IssuanceMethod::Merchant] {
        assert_eq!(taker(&world, method, 1), Step::Wait { holder: number("I") });
        assert_eq!(taker(&world, method, 89), Step::Wait { holder: number("I") }, "within the grace");
        assert_eq!(taker(&world, method, 90), Step::Retire { holder: number("I"), is_paid: false });
    }
    world.paid.insert(number("I"), Paid::ByItsCode);
    assert_eq!(taker(&world, IssuanceMethod::Inquiry, 1), Step::Retire { holder: number("I"), is_paid: true });
    // A holder that DOKU knows is asked about, whoever is to have its code.
    let known = World::default().with("I", &issued(&merchant("889600")));
    assert!(matches!(taker(&known, IssuanceMethod::Inquiry, 90), Step::Release { .. }));
}

#[test]
fn an_adopted_inquiry_code_takes_over_everything_from_its_first_row() {
    let terms = inquiry(|_| {});
    let adopted = RecordedTerms { name_digest: String::new(), ..terms.recorded(&SALT) };
    let answer = CodeAnswer {
        payment_code: PaymentCode::new("889600").unwrap(),
        created_at: None,
        expires_at: None,
        how_to_pay_page: None,
        how_to_pay_api: None,
    };
    let world = World::default().with("I", &[Event::Adopted { terms: adopted, answer, wire_invoice_number: None }]);
    assert_eq!(world.step(live(terms), 1), Step::Register(OperationKind::Amend));
}

fn row(invoice: &str, method: IssuanceMethod, code: Option<&str>) -> Bill {
    Bill { invoice_number: number(invoice), wanted: live(own(method, code)) }
}

fn given(bills: &[Bill], states: &HashMap<InvoiceNumber, BillState>) -> Vec<Option<String>> {
    given_at(bills, states, 1)
}

fn given_at(bills: &[Bill], states: &HashMap<InvoiceNumber, BillState>, minute: i64) -> Vec<Option<String>> {
    let code = |bill: &Bill| match &bill.wanted {
        Wanted::Live(terms) => terms.payment_code.as_ref().map(ToString::to_string),
        Wanted::Cancelled => None,
    };
    let nothing = HashMap::new();
    with_codes(bills, &MapView::new(states, &nothing), &codes_seen(states), Some(&minting()), minute).iter().map(code).collect()
}

/// What a run makes of `bills`.
fn with_codes(bills: &[Bill], view: &MapView<'_>, seen: &[PaymentCode], minting: Option<&Minting>, minute: i64) -> Vec<Bill> {
    let mut mint = Mint::default();
    bills.iter().enumerate().for_each(|(row, bill)| mint.take(row, bill));
    let lacking = mint.lacking();
    mint.keep(lacking, view, at(minute));
    let chosen = mint.number(seen, minting);
    let coded = |(row, bill): (usize, &Bill)| {
        let mut bill = bill.clone();
        if let (Some(code), Wanted::Live(terms)) = (chosen.get(&row), &mut bill.wanted) {
            terms.payment_code = Some(code.clone());
        }
        bill
    };
    bills.iter().enumerate().map(coded).collect()
}

/// Every code of the bills, as a ledger tells them.
fn codes_seen(states: &HashMap<InvoiceNumber, BillState>) -> Vec<PaymentCode> {
    states.values().flat_map(BillState::payment_codes).cloned().collect()
}

fn texts(codes: &[&str]) -> Vec<Option<String>> {
    codes.iter().map(|code| Some((*code).to_owned())).collect()
}

#[test]
fn numbers_go_up_from_the_highest_ever_seen_and_a_bill_keeps_its_own() {
    let bills = [row("B", IssuanceMethod::Merchant, None), row("A", IssuanceMethod::Inquiry, None), row("C", IssuanceMethod::Doku, None)];
    let nothing = HashMap::new();
    assert_eq!(given(&bills, &nothing), [Some("889602".into()), Some("889601".into()), None], "by invoice number, not by row");
    let known = World::default()
        .with("A", &[planned(&own(IssuanceMethod::Inquiry, Some("889640")))])
        .with("Z", &issued(&own(IssuanceMethod::Merchant, Some("889650"))))
        .with("Y", &issued(&own(IssuanceMethod::Merchant, Some("8896500"))));
    assert_eq!(given(&bills[..2], &known.bills), texts(&["889651", "889640"]), "codes of another length are others' business");
    let beside = [row("B", IssuanceMethod::Merchant, None), row("D", IssuanceMethod::Merchant, Some("889660"))];
    assert_eq!(given(&beside, &nothing), texts(&["889661", "889660"]), "a code the file gives is taken");
    // A code that was only promised goes to the row that gives it in so many words.
    let rivals = [row("A", IssuanceMethod::Inquiry, None), row("D", IssuanceMethod::Merchant, Some("889640"))];
    assert_eq!(given(&rivals, &known.bills), texts(&["889651", "889640"]));
    // So does one that has expired.
    let (held, rivals) =
        (held(&inquiry(|_| {})), [row("I", IssuanceMethod::Merchant, None), row("D", IssuanceMethod::Inquiry, Some("889600"))]);
    assert_eq!(given_at(&rivals, &held.bills, 59), texts(&["889600", "889600"]));
    assert_eq!(given_at(&rivals, &held.bills, 60), texts(&["889601", "889600"]));
    assert_eq!(given_at(&rivals[..1], &held.bills, 60), texts(&["889600"]), "nobody else brings it");
}

#[test]
fn when_the_highest_number_is_taken_gaps_are_filled_and_then_rows_are_refused() {
    let world = World::default().with("Z", &issued(&own(IssuanceMethod::Merchant, Some("889699"))));
    let bills: Vec<Bill> = (0..99).map(|n| row(&format!("B{n:02}"), IssuanceMethod::Merchant, None)).collect();
    let codes = given(&bills, &world.bills);
    assert_eq!((codes[0].as_deref(), codes[97].as_deref(), codes[98].as_deref()), (Some("889601"), Some("889698"), None));
    let bills = with_codes(&bills, &MapView::new(&world.bills, &HashMap::new()), &codes_seen(&world.bills), Some(&minting()), 1);
    let Wanted::Live(terms) = &bills[98].wanted else { panic!() };
    assert_eq!(code_of(&world.step_of("B98", live((**terms).clone()), 1)), "E0312");
}

/// What a bill in the ledger may look like: its method, its count, and how far it has come.
fn histories() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    proptest::collection::vec((0..3_usize, 0..40_u8, 0..9_u8), 0..14)
}

fn world_of(histories: &[(usize, u8, u8)]) -> World {
    let mut world = World::default();
    for (index, (method, count, stage)) in histories.iter().enumerate() {
        let (method, code) = (IssuanceMethod::ALL[*method], format!("8896{count:02}"));
        // One code is live for one bill; given up or promised it may be several bills'.
        let is_live_elsewhere = MapView::new(&world.bills, &HashMap::new()).holder(&PaymentCode::new(&code).unwrap()).is_some();
        if is_live_elsewhere {
            continue;
        }
        let terms = own(method, (method != IssuanceMethod::Doku).then_some(code.as_str()));
        let doubted = Event::Doubted { reason: String::new(), answered: false, refusal: None };
        let no = Event::Rejected { code: "E".into(), reason: String::new(), provisional: false };
        let gone = Event::Retired { reason: String::new() };
        let is_local = method == IssuanceMethod::Inquiry;
        let issue = if is_local { registered(OperationKind::Issue, &terms, 60) } else { accepted(&code) };
        let mut events = vec![planned(&terms)];
        if !is_local && *stage > 0 {
            events.push(intended(OperationKind::Issue, &terms));
        }
        match stage {
            0 | 1 => {}
            2 if !is_local => events.push(doubted),
            3 if !is_local => events.push(no),
            4 => events.extend([issue, gone]),
            5 if is_local => events.extend([issue, registered(OperationKind::Cancel, &terms, 60)]),
            5 => events.extend([issue, intended(OperationKind::Cancel, &terms), accepted(&code)]),
            6 if !is_local => events.extend([issue, intended(OperationKind::Cancel, &terms), doubted]),
            _ => events.push(issue),
        }
        world = world.with(&format!("H{index}"), &events);
    }
    world
}

proptest! {
    #[test]
    fn no_two_rows_get_one_code_and_none_gets_one_that_another_bill_ever_had(
        histories in histories(),
        rows in proptest::collection::btree_map(0..20_usize, (1..3_usize, any::<bool>(), 50..90_u8), 0..14),
        rotation in 0..14_usize,
    ) {
        let world = world_of(&histories);
        let mut bills: Vec<Bill> = rows.iter().map(|(index, (method, is_given, count))| {
            // Distinct by construction, as intake has it; it may be that of a bill in the ledger all the same.
            let code = format!("8896{:02}", (usize::from(*count) / 20 * 20 + index) % 99 + 1);
            row(&format!("H{index}"), IssuanceMethod::ALL[*method], is_given.then_some(code.as_str()))
        }).collect();
        let explicit: Vec<PaymentCode> = bills.iter().filter_map(mint_code).collect();
        prop_assume!(explicit.iter().collect::<HashSet<_>>().len() == explicit.len());
        let minted = with_codes(&bills, &MapView::new(&world.bills, &HashMap::new()), &codes_seen(&world.bills), Some(&minting()), 1);
        let mut seen = HashSet::new();
        for (before, after) in bills.iter().zip(&minted) {
            let Some(code) = mint_code(after) else { continue };
            // It names the code it had and is never issued again, so whoever has the code now may keep it.
            if world.bills.get(&after.invoice_number).is_some_and(|state| state.status == Status::Cancelled) {
                continue;
            }
            if mint_code(before).is_some() {
                seen.insert(code);
                continue;
            }
            let others = world.bills.values().filter(|state| state.invoice_number != after.invoice_number);
            let ever = others.filter_map(|state| Some((state, state.code.as_ref().map(|code| &code.answer.payment_code).or(state.terms.payment_code.as_ref())?)));
            let own = world.bills.get(&after.invoice_number);
            let is_kept = own.is_some_and(|state| state.terms.payment_code.as_ref() == Some(&code) || state.code.as_ref().is_some_and(|held| held.answer.payment_code == code));
            for (other, theirs) in ever {
                prop_assert!(is_kept || *theirs != code, "{code} of {} was {}'s", after.invoice_number, other.invoice_number);
            }
            prop_assert!(seen.insert(code.clone()) && (is_kept || !explicit.contains(&code)), "{code} twice");
        }
        let by_invoice = |bills: &[Bill]| bills.iter().map(|bill| (bill.invoice_number.clone(), mint_code(bill))).collect::<HashMap<_, _>>();
        if !bills.is_empty() {
            let length = bills.len();
            bills.rotate_left(rotation % length);
        }
        let turned = with_codes(&bills, &MapView::new(&world.bills, &HashMap::new()), &codes_seen(&world.bills), Some(&minting()), 1);
        prop_assert_eq!(by_invoice(&turned), by_invoice(&minted), "the order of rows decides nothing");
    }

    #[test]
    fn nothing_is_ever_sent_for_inquiry_rows_and_no_change_to_indomaret(
        histories in histories(),
        index in 0..16_usize,
        method in 0..3_usize,
        rupiah in 1..4_u64,
        cancels in any::<bool>(),
        is_paid in any::<bool>(),
        reissues in any::<bool>(),
        minute in 0..200_i64,
    ) {
        let mut world = world_of(&histories).rules(reissues, true);
        let invoice = format!("H{index}");
        if is_paid {
            world.paid.insert(number(&invoice), Paid::ByItsCode);
        }
        let before = world.bills.get(&number(&invoice)).cloned();
        let mut wanted = own(IssuanceMethod::ALL[method], (method > 0).then_some("889607"));
        wanted.amount = Amount::new(rupiah).unwrap();
        let bill = |terms: &Terms| Bill { invoice_number: number(&invoice), wanted: if cancels { Wanted::Cancelled } else { live(terms.clone()) } };
        let step = world.step_of(&invoice, bill(&wanted).wanted, minute);
        let was_local = before.as_ref().is_none_or(|state| state.terms.method == IssuanceMethod::Inquiry);
        if was_local && (cancels || method == 2) {
            // The code may be another's that DOKU knows; then DOKU is asked about that one.
            prop_assert!(!step.calls_doku(&bill(&wanted)) || matches!(step, Step::Release { .. }), "{step:?} from {before:?}");
        }
        // The same story at Indomaret, which has neither codes of ours nor changes.
        let mut moved = world_of(&histories.iter().map(|(_, count, stage)| (0, *count, *stage)).collect::<Vec<_>>()).rules(reissues, true);
        for state in moved.bills.values_mut() {
            state.terms.channel = Channel::Indomaret;
        }
        let elsewhere = with(|terms| (terms.channel, terms.amount) = (Channel::Indomaret, wanted.amount));
        let step = moved.step_of(&invoice, bill(&elsewhere).wanted, minute);
        prop_assert!(!matches!(step, Step::Amend | Step::Cancel | Step::Register(_)), "{step:?}");
    }
}

fn mint_code(bill: &Bill) -> Option<PaymentCode> {
    match &bill.wanted {
        Wanted::Live(terms) => terms.payment_code.clone(),
        Wanted::Cancelled => None,
    }
}

#[test]
fn numbers_begin_where_they_are_told_to_and_after_the_highest_known() {
    let own_codes = World::default().with("A", &[planned(&own(IssuanceMethod::Inquiry, Some("889607")))]);
    let nothing = World::default();
    let code = |world: &World, from: u128| {
        let bill = Bill { invoice_number: number("N"), wanted: live(own(IssuanceMethod::Inquiry, None)) };
        let minting = Minting { from, ..minting() };
        let unpaid = HashMap::new();
        let view = MapView::new(&world.bills, &unpaid);
        // The highest code alone tells the same, as long as numbers are left after it.
        let highest = codes_seen(&world.bills).into_iter().max();
        let mut mint = Mint::default();
        mint.take(0, &bill);
        if !mint.needs_all_codes(highest.as_ref(), &minting) {
            let known: Vec<PaymentCode> = highest.into_iter().collect();
            let by_highest = with_codes(std::slice::from_ref(&bill), &view, &known, Some(&minting), 1);
            assert_eq!(by_highest, with_codes(std::slice::from_ref(&bill), &view, &codes_seen(&world.bills), Some(&minting), 1));
        }
        code_of_bill(&with_codes(&[bill], &view, &codes_seen(&world.bills), Some(&minting), 1)[0])
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(code(&nothing, 1), text("889601"));
    assert_eq!(code(&nothing, 40), text("889640"));
    assert_eq!(code(&own_codes, 40), text("889640"));
    assert_eq!(code(&own_codes, 3), text("889608"));
    assert_eq!(code(&nothing, 100), None, "there is no such number");
}

fn code_of_bill(bill: &Bill) -> Option<String> {
    let Wanted::Live(terms) = &bill.wanted else { return None };
    terms.payment_code.as_ref().map(ToString::to_string)
}
