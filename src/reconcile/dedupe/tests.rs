//! Which lines say the same of one payment.

use super::*;
use crate::domain::store::Stores;

#[test]
fn two_lines_say_the_same_only_if_they_do_whatever_their_keys_are() {
    let line = |number: &str, amount: u64, paid_at_us: i64| {
        let mut line = Line::of_class(Class::N00, [u8::try_from(amount % 251).unwrap(); 32]);
        (line.identity, line.amount, line.paid_at_us, line.request_key, line.bill) = ([7; 32], amount, paid_at_us, 9, NO_BILL);
        line.marks = line.marks.and(Marks::VERIFIED, true);
        line.invoice_length = u8::try_from(number.len()).unwrap();
        // What somebody with the secret can make in a minute: equal keys for whatever two messages say.
        (line.content_key, line.body_key) = (1, 2);
        line
    };
    let classes = |others: [(&str, u64, i64); 2]| {
        let (mut lines, mut texts, mut all) = (Lines::default(), Vec::new(), Vec::new());
        for (number, amount, paid_at_us) in others {
            let mut line = line(number, amount, paid_at_us);
            line.text_at = u32::try_from(texts.len()).unwrap();
            texts.extend_from_slice(number.as_bytes());
            all.push(line);
        }
        lines.append(all, &texts, &Stores::default());
        let payments = dedupe(&mut lines);
        assert_eq!(payments.proved.len(), 1, "one identity is one payment");
        let further = lines.iter().map(|(_, line)| line.class).find(|class| *class != Class::N00);
        (further, lines.iter().all(|(_, line)| line.marks.has(Marks::REQUEST_REUSED)))
    };
    assert_eq!(classes([("A", 100, 5), ("A", 100, 900_000)]), (Some(Class::N06), false), "the second counts, not its parts");
    for other in [("A", 101, 5), ("A", 100, 1_000_005), ("B", 100, 5)] {
        assert_eq!(classes([("A", 100, 5), other]), (Some(Class::N07), true), "{other:?}");
    }
}
