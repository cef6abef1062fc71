//! Every reason in both languages, and as it is kept.

use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::domain::amount::{Amount, AmountError, Rupiah};
use crate::domain::channel::Channel;
use crate::domain::detail::Field;
use crate::domain::formats::{AmountFormat, DateFormat, Separators};
use crate::domain::ids::IdError;

fn text(text: &str) -> String {
    text.to_owned()
}

fn ids() -> Ids {
    Ids { invoice_number: text("A, due {}"), payment_code: text("007") }
}

fn of_payments() -> Vec<Reason> {
    let (paid, due) = (Amount::new(92_000).unwrap(), Amount::new(117_000).unwrap());
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let (code_of, at_channel) = (Channel::Alfa, Channel::Indomaret);
    let mut all: Vec<Reason> = [
        PaymentReason::NoWholeRupiah,
        PaymentReason::Candidates(vec![ids(), ids()]),
        PaymentReason::Disagrees { notified: ids(), known: vec![ids()] },
        PaymentReason::Unknown(ids()),
        PaymentReason::Covered { paid, due },
        PaymentReason::GroupPaid { paid },
        PaymentReason::EarlierAmount { paid, due },
        PaymentReason::OtherChannel { code_of, paid_at: at_channel },
        PaymentReason::Decided { paid, owed: 60_000 },
        PaymentReason::Paid { paid, due },
    ]
    .map(Reason::from)
    .into();
    let paid_at = at(5);
    all.extend(
        [
            TimeReason::Cancelled { paid_at, cancelled_at: at(1) },
            TimeReason::Expired { paid_at, expired_at: at(2), grace_minutes: 5 },
            TimeReason::NotIssued { paid_at, issued_at: at(9) },
            TimeReason::PolicyLapsed { paid_at },
            TimeReason::NotNotified { told_at: at(7) },
        ]
        .map(Reason::from),
    );
    let inquiries =
        [InquiryReason::NotPayable { paid: 7 }, InquiryReason::OtherAmount { paid: 7, answered: 5 }, InquiryReason::NotAsked { paid: 7 }];
    all.extend(inquiries.map(Reason::from));
    all
}

fn of_bills() -> Vec<Reason> {
    let due = Amount::new(117_000).unwrap();
    let open = OpenReason { since: date(2026, 10, 31), account: "suspense".into(), size: Rupiah::new(5_000) };
    let bills = [
        BillReason::InDoubt,
        BillReason::Payments { count: 2, attached: Rupiah::new(234_000), due },
        BillReason::NotProved,
        BillReason::NoCode,
        BillReason::Expired { expired_at: Timestamp::from_second(1_793_000_000).unwrap() },
        BillReason::CodeTwice,
        BillReason::NotListed,
    ];
    bills.map(Reason::from).into_iter().chain([open.into()]).collect()
}

fn of_settlement() -> Vec<Reason> {
    let on = date(2026, 10, 5);
    let candidates =
        [Candidates::Bills(vec![ids(), ids()]), Candidates::Payments { invoice_number: text("A"), on, amounts: vec![Some(5), None] }];
    let total = |total: &'static str| TotalReason { total: total.into(), stated: 0, sum: 11_100 };
    let batch = BatchReason {
        batch_id: text("B: 1"),
        is_contradicted: true,
        totals: vec![total("Total Fee"), total("Total Discount")],
        malformed: 2,
    };
    let rows = [
        SettlementReason::Repeated { number: text("7"), batch_id: text("B") },
        SettlementReason::SettledBefore { amount: 5_000, on },
        SettlementReason::TakenBack { transaction_type: text("Refund"), amount: -5_000 },
        SettlementReason::NotNotified { amount: 5_000, on },
        SettlementReason::OtherAmount { amount: 5_000, notified: Some(6_000) },
        SettlementReason::OtherAmount { amount: 5_000, notified: None },
        SettlementReason::NotAddedUp { paid_out: 1, amount: 5_000, fee: 4_000, discount: 10, left: 990 },
        SettlementReason::OtherFee { fee: 4_000, by_contract: 3_885 },
        SettlementReason::Shares { paid_out: 990, shares: vec![(text("Agent"), text("10")), (text("Rest"), text(""))] },
        SettlementReason::ChannelUnknown { name: text("Toko"), rows: 3 },
        SettlementReason::NotSettled { due_on: on },
    ];
    let rows = rows.into_iter().chain(candidates.map(SettlementReason::Candidates)).map(Reason::from);
    rows.chain([batch.into(), Reason::Class(Class::S08)]).collect()
}

fn of_rows() -> Vec<Reason> {
    let no_integer = |fits| AmountFault::NoInteger { text: text("1.000"), fits };
    let no_time = |fits| DateFault::NoTime { text: text("5/10/2026"), fits };
    let wrong = [Wrong::QuoteOpen, Wrong::QuoteInside, Wrong::QuoteStray, Wrong::Unclaimed, Wrong::TooLarge(9)];
    let wrong = wrong.into_iter().chain([Wrong::Width { found: 3, wanted: 4 }]).map(CellFault::Row);
    let bytes = [&b"a\x85"[..], b"\xe9", b"a"].map(|bytes| CellFault::NotUtf8(ForeignByte::of(bytes)));
    let errors = [AmountError::Empty, AmountError::NotDigits, AmountError::Zero, AmountError::TooLarge];
    let not_due = errors.map(|error| AmountFault::NotDue { error, fits: None });
    let more = [
        AmountFault::NotDue { error: AmountError::NotDigits, fits: Some(AmountFormat::DotThousands) },
        AmountFault::Separators(Separators::Decimals(',')),
        AmountFault::Separators(Separators::Groups('.')),
        no_integer(None),
        no_integer(Some(AmountFormat::CommaThousands)),
        AmountFault::Fraction(text("5.5")),
        AmountFault::OutOfBounds(-5),
    ];
    let dates = [
        DateFault::NoDate { text: text("5/10/2026"), fits: Some(DateFormat::DayFirst) },
        DateFault::NoDateOfDoku(text("x")),
        no_time(None),
        no_time(Some(DateFormat::Compact)),
        DateFault::Cancelled,
        DateFault::Expired,
    ];
    let words = [WordFault::Channel(text("x")), WordFault::Status(text("x")), WordFault::YesOrNo(text("x"))];
    let ids = [IdError::Empty, IdError::TooLong { length: 65, length_max: 64 }, IdError::Character('é')];
    let cells = wrong.chain(bytes).chain(not_due.into_iter().chain(more).map(CellFault::Amount)).chain(dates.map(CellFault::Date));
    let cells = cells.chain(words.map(CellFault::Word)).chain(ids.map(CellFault::Id)).chain([CellFault::Empty, CellFault::Nameless]);
    let cells = cells.chain([Spoilt::Apostrophe, Spoilt::Number, Spoilt::LongNumber].map(CellFault::Spoilt));
    cells.map(|fault| RowFault { column: "amount".into(), fault }.into()).collect()
}

fn all() -> Vec<Reason> {
    let details = Detail::ALL.iter().map(|&detail| LineReason::Stopped(detail));
    let lines = details.chain([LineReason::RequestReused, LineReason::Contradicts]).map(Reason::Line);
    lines.chain(of_payments()).chain(of_bills()).chain(of_settlement()).chain(of_rows()).collect()
}

#[test]
fn every_reason_has_words_of_its_own_in_each_language_and_is_kept_as_it_is() {
    for reason in all() {
        let [english, indonesian] = Language::ALL.map(|language| reason.told(language).to_string());
        assert!(!english.is_empty() && english != indonesian, "{english}");
        let kept = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<Reason>(&kept).unwrap(), reason, "{kept}");
    }
}

#[test]
fn values_stand_in_both_languages_as_they_are() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (paid_at, expired_at) = (at("2026-10-11T07:00:00.5Z"), at("2026-10-09T17:00:00Z"));
    let fits = Some(AmountFormat::DotThousands);
    let amount = AmountFault::NotDue { error: AmountError::NotDigits, fits };
    let batch = of_settlement().into_iter().find(|reason| matches!(reason, Reason::Batch(_))).unwrap();
    for (reason, english, indonesian) in [
        (
            Reason::from(TimeReason::Expired { paid_at, expired_at, grace_minutes: 5 }),
            "paid 2026-10-11T14:00:00+07:00, expired 2026-10-10T00:00:00+07:00, grace 5 minutes",
            "dibayar 2026-10-11T14:00:00+07:00, kedaluwarsa 2026-10-10T00:00:00+07:00, tenggang 5 menit",
        ),
        (
            PaymentReason::Unknown(ids()).into(),
            "neither invoice A, due {} nor code 007 is known",
            "faktur A, due {} maupun kode 007 tidak dikenal",
        ),
        (
            Reason::Line(LineReason::Stopped(Detail::Field(Field::Amount))),
            "`order.amount` is missing or unusable",
            "`order.amount` tidak ada atau tidak dapat dipakai",
        ),
        (
            batch,
            "batch `B: 1`: its files state different totals; Total Fee 0, rows 11100; Total Discount 0, rows 11100; 2 rows could not be read",
            "batch `B: 1`: berkas-berkasnya menulis total yang berbeda; Total Fee 0, jumlah baris 11100; Total Discount 0, jumlah baris 11100; 2 baris tidak dapat dibaca",
        ),
        (
            RowFault { column: "amount".into(), fault: CellFault::Amount(amount) }.into(),
            "amount: the amount must be digits only: no separators, decimals, signs or currency; if all amounts are written so, set `amount_format = \"dot_thousands\"`",
            "amount: jumlah harus berupa angka saja: tanpa pemisah, desimal, tanda, atau mata uang; bila semua jumlah uang ditulis begitu, atur `amount_format = \"dot_thousands\"`",
        ),
    ] {
        assert_eq!(reason.to_string(), english);
        assert_eq!(reason.told(Language::Indonesian).to_string(), indonesian);
    }
}

#[test]
fn what_was_kept_is_read_for_good_and_what_is_not_known_here_is_nothing() {
    let kept = |json: &str| Reason::kept(&mut serde_json::Deserializer::from_str(json)).unwrap();
    let (paid, due) = (Amount::new(92_000).unwrap(), Amount::new(117_000).unwrap());
    for (json, reason) in [
        (r#"{"payment":{"paid":{"paid":92000,"due":117000}}}"#, PaymentReason::Paid { paid, due }.into()),
        (r#"{"line":{"stopped":{"field":"order.amount"}}}"#, Reason::Line(LineReason::Stopped(Detail::Field(Field::Amount)))),
        (r#"{"class":"S08"}"#, Reason::Class(Class::S08)),
        (
            r#"{"row":{"column":"AMOUNT","fault":{"amount":{"out_of_bounds":0}}}}"#,
            RowFault { column: "AMOUNT".into(), fault: CellFault::Amount(AmountFault::OutOfBounds(0)) }.into(),
        ),
        (r#"{"payment":{"paid_in_shells":{"paid":92000}}}"#, Reason::Nothing),
        (r#"{"weather":"rain"}"#, Reason::Nothing),
        (r#"{"class":"Z99"}"#, Reason::Nothing),
        ("null", Reason::Nothing),
    ] {
        assert_eq!(kept(json), reason, "{json}");
    }
}
