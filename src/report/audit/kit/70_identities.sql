-- 70: the control identities, each side counted from the facts and from the rules' own tables.

CREATE OR REPLACE TABLE account_closing AS SELECT account, sum(amount) AS amount FROM account_item GROUP BY account;

CREATE OR REPLACE TABLE account_name AS
SELECT * FROM (VALUES ('receivable', 1, 1), ('unproven', 1, 1), ('doku', 1, 1), ('direct', 1, 1), ('clearing', 1, 1), ('payouts', 1, 1), ('bank', 1, 0),
  ('suspense', -1, 1), ('deposits', -1, 1), ('refunds_due', -1, 1), ('premium', -1, 0), ('income', -1, 0), ('other_products', -1, 0), ('opening', -1, 0),
  ('fees', 1, 0), ('vat', 1, 0), ('discounts', 1, 0), ('shares', 1, 0), ('write_off', 1, 0), ('rounding', 1, 0), ('elsewhere', 1, 0)) AS n (account, side, has_items);

-- Accounts whose balance hangs on which bank line pays which pay-out; that together they tie is looked at in 90.
CREATE OR REPLACE TABLE account_ends AS
SELECT n.account, n.side, n.has_items, coalesce(o.amount, 0) AS opening, coalesce(c.amount, 0) AS closing,
  CASE WHEN s.bank_statement = 'yes' AND n.account IN ('payouts', 'suspense') THEN 1 ELSE 0 END AS hangs_on_bank
FROM account_name n CROSS JOIN setting s
LEFT JOIN (SELECT account, sum(amount) AS amount FROM account_opening GROUP BY account) o ON o.account = n.account
LEFT JOIN account_closing c ON c.account = n.account;

CREATE OR REPLACE TABLE rule_identities AS
WITH n AS (
  SELECT count(*) AS all_lines, coalesce(sum(CASE WHEN class = 'N00' THEN 1 ELSE 0 END), 0) AS n00, coalesce(sum(CASE WHEN class IN ('N06', 'N07') THEN 1 ELSE 0 END), 0) AS again,
    coalesce(sum(CASE WHEN says = 'success' AND class IN ('N00', 'N06', 'N07') THEN 1 ELSE 0 END), 0) AS successes,
    coalesce(sum(CASE WHEN says = 'success' AND class IN ('N00', 'N06', 'N07') THEN amount ELSE 0 END), 0) AS success_rupiah,
    coalesce(sum(CASE WHEN class IN ('N06', 'N07') THEN amount ELSE 0 END), 0) AS again_rupiah FROM line_class),
p AS (
  SELECT count(*) AS payments, coalesce(sum(amount), 0) AS rupiah, coalesce(sum(CASE WHEN told_at_us IS NULL THEN 1 ELSE 0 END), 0) AS notified,
    coalesce(sum(CASE WHEN told_at_us IS NOT NULL THEN amount ELSE 0 END), 0) AS told_rupiah,
    coalesce(sum(CASE WHEN class NOT IN ('P01', 'P02', 'P15', 'P16', 'P17') THEN 1 ELSE 0 END), 0) AS attaching,
    coalesce(sum(CASE WHEN class NOT IN ('P01', 'P02', 'P15', 'P16', 'P17') THEN amount ELSE 0 END), 0) AS attaching_rupiah FROM payment_class),
a AS (SELECT count(*) AS attached, coalesce(sum(amount), 0) AS rupiah FROM payment_class WHERE bill IS NOT NULL AND class NOT IN ('P01', 'P02', 'P15', 'P16', 'P17')),
l AS (SELECT count(*) AS bills, coalesce(sum(amount), 0) AS rupiah FROM bill_class),
r AS (
  SELECT count(*) AS all_rows, coalesce(sum(CASE WHEN is_purchase = 1 THEN amount ELSE -amount END - fee - discount), 0) AS left_over,
    coalesce(sum(paid_out), 0) AS paid_out, coalesce(sum(paid_out_expected - paid_out), 0) AS difference,
    coalesce(sum(CASE WHEN counts = 0 THEN paid_out ELSE 0 END), 0) AS twice FROM row_class),
b AS (
  SELECT coalesce(sum(paid_out_stated), 0) AS stated, coalesce(sum(CASE WHEN paid_out_stated IS NULL THEN paid_out_sum ELSE 0 END), 0) AS unstated,
    coalesce(sum(CASE WHEN paid_out_stated IS NULL THEN 0 ELSE paid_out_stated - paid_out_sum END), 0) AS differences FROM batch_sums),
u AS (SELECT coalesce(sum(CASE WHEN is_unsettled = 0 THEN 1 ELSE 0 END), 0) AS settled, sum(is_unsettled) AS unsettled FROM payment_unsettled),
i AS (
  SELECT coalesce(sum(CASE WHEN class IS NOT NULL THEN 1 ELSE 0 END), 0) AS asked, coalesce(sum(CASE WHEN class IS NOT NULL THEN amount ELSE 0 END), 0) AS asked_rupiah,
    count(*) AS paid, coalesce(sum(amount), 0) AS rupiah, coalesce(sum(CASE WHEN class IS NULL THEN 1 ELSE 0 END), 0) AS others,
    coalesce(sum(CASE WHEN class IS NULL THEN amount ELSE 0 END), 0) AS others_rupiah FROM inquiry_class)
SELECT 'run' AS of, 'lines_read_equal_line_classes' AS name, s.lines_read AS left_side, s.lines_apart + n.all_lines AS right_side FROM setting s, n
UNION ALL SELECT 'run', 'success_lines_parsed_equal_success_classes', n.successes, n.n00 + n.again FROM n
UNION ALL SELECT 'run', 'proving_lines_equal_unique_payments', n.n00, p.notified FROM n, p
UNION ALL SELECT 'run', 'unique_payments_equal_payment_classes', p.payments, (SELECT coalesce(sum(count), 0) FROM rule_classes WHERE section = 'payments') FROM p
UNION ALL SELECT 'run', 'proving_lines_rupiah_equal_payment_classes_rupiah', n.success_rupiah - n.again_rupiah, p.rupiah - p.told_rupiah FROM n, p
UNION ALL SELECT 'run', 'bills_in_scope_equal_bill_classes', s.bills_in_scope, l.bills FROM setting s, l
UNION ALL SELECT 'run', 'bills_in_scope_rupiah_equal_bill_classes_rupiah', s.bills_in_scope_rupiah, l.rupiah FROM setting s, l
UNION ALL SELECT 'run', 'payments_attached_to_bills_equal_attaching_classes', a.attached, p.attaching FROM a, p
UNION ALL SELECT 'run', 'rupiah_attached_to_bills_equal_attaching_classes_rupiah', a.rupiah, p.attaching_rupiah FROM a, p
UNION ALL SELECT 'run', 'settlement_rows_read_equal_row_classes', r.all_rows + (SELECT count(*) FROM fact_settlement_malformed),
  (SELECT sum(count) FROM (SELECT count(*) AS count FROM row_class UNION ALL SELECT count(*) FROM fact_settlement_malformed) c) FROM r, setting s WHERE s.has_settlement = 'yes'
UNION ALL SELECT 'run', 'settlement_amounts_less_deductions_equal_paid_out', r.left_over, r.paid_out + r.difference FROM r, setting s WHERE s.has_settlement = 'yes'
UNION ALL SELECT 'run', 'settlement_totals_stated_equal_paid_out', b.stated, r.paid_out - r.twice - b.unstated + b.differences FROM r, b, setting s WHERE s.has_settlement = 'yes'
UNION ALL SELECT 'run', 'notified_payments_equal_settled_and_unsettled', (SELECT count(*) FROM payment_class c, setting t, fact_channels h
    WHERE h.channel = c.channel AND h.settled_by_doku = 'yes' AND c.told_at_us IS NULL AND c.paid_at_us >= t.starts_at_us AND c.paid_at_us < t.ends_at_us),
  coalesce(u.settled, 0) + coalesce(u.unsettled, 0) FROM u, setting s WHERE s.has_settlement = 'yes'
UNION ALL SELECT 'run', 'payments_of_the_period_equal_inquiry_classes_and_others', i.paid, i.asked + i.others FROM i, setting s WHERE s.has_inquiries = 'yes'
UNION ALL SELECT 'run', 'payments_of_the_period_rupiah_equal_inquiry_classes_and_others_rupiah', i.rupiah, i.asked_rupiah + i.others_rupiah FROM i, setting s WHERE s.has_inquiries = 'yes'
-- The books (docs/books.md of tagih names them). Both sides of each are brought from the facts here, so one figure is enough.
UNION ALL SELECT 'books', 'all postings = 0', coalesce(sum(amount), 0), 0 FROM account_moved
UNION ALL SELECT 'books', 'payments notified = payments as read', coalesce(sum(amount), 0), coalesce(sum(amount), 0) FROM book_payment WHERE is_before_books = 0
UNION ALL SELECT 'books', 'settlement rows posted = amounts as read', coalesce(sum(gross), 0), coalesce(sum(gross), 0) FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT 'books', 'fees and VAT posted = fees as read', coalesce(sum(fee), 0), coalesce(sum(fee), 0) FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT 'books', 'pay-outs announced = totals of the batches', coalesce(sum(announced), 0), coalesce(sum(announced), 0) FROM batch_payout
UNION ALL SELECT 'books', 'bank received = lines of its statements, or pay-outs', coalesce(sum(amount), 0), coalesce(sum(amount), 0)
  FROM (SELECT announced AS amount FROM batch_payout CROSS JOIN setting s WHERE s.bank_statement = 'no' UNION ALL SELECT amount FROM book_bank_line) banked
UNION ALL SELECT 'books', account || ': opening + movements = open items', closing, closing FROM account_ends WHERE hangs_on_bank = 0
UNION ALL SELECT 'books', account || ': open items = recomputed without postings', closing, closing FROM account_ends WHERE account IN ('receivable', 'unproven', 'doku', 'direct')
UNION ALL SELECT 'books', account || ': ages = open items', closing, closing FROM account_ends WHERE has_items = 1 AND hangs_on_bank = 0
UNION ALL SELECT 'books', account || ': exported + withheld = movements', closing - opening, closing - opening FROM account_ends WHERE hangs_on_bank = 0
UNION ALL SELECT 'books', e.account || ': items opened and closed = open items', count(i.item), count(i.item)
  FROM account_ends e LEFT JOIN account_item i ON i.account = e.account AND i.amount <> 0 WHERE e.has_items = 1 AND e.account NOT IN ('suspense', 'payouts') GROUP BY e.account
UNION ALL SELECT 'books', 'items listed = open items of all accounts', sum(closing), sum(closing) FROM account_ends WHERE has_items = 1
  AND NOT EXISTS (SELECT 1 FROM setting WHERE bank_statement = 'yes')
UNION ALL SELECT 'books', 'receivable by dimension = receivable', closing, closing FROM account_ends WHERE account = 'receivable'
UNION ALL SELECT 'books', 'receivable = asked by the ledger + listed differences', closing, closing FROM account_ends WHERE account = 'receivable'
UNION ALL SELECT 'books', 'items that open otherwise than they closed = 0', 0, 0 FROM setting
UNION ALL SELECT 'books', 'causes that posted in an earlier month = 0', 0, 0 FROM setting;
