-- 60: the books. Every account is brought from what was carried in to the period's end by facts alone: bills, payments, settlement rows, bank
-- lines and people's decisions. Debit is +, credit is -. A fact that the month before knows is not posted again.

-- What is carried: a balance an item, and a total where an account has no items.
CREATE OR REPLACE TABLE opening_item AS
SELECT account, coalesce(item, '') AS item, sum(amount) AS amount FROM fact_carried_items GROUP BY account, coalesce(item, '');

-- Bills ----------------------------------------------------------------------------------------------------------------------------

-- A bill that is listed several times is one: as the row has it that asks for most.
CREATE OR REPLACE TABLE book_bill AS
SELECT b.*,
  CASE WHEN least(coalesce(planned_at_us, created_at_us), coalesce(created_at_us, planned_at_us)) IS NULL THEN NULL
    ELSE least(coalesce(planned_at_us, created_at_us), coalesce(created_at_us, planned_at_us))
      - mod(least(coalesce(planned_at_us, created_at_us), coalesce(created_at_us, planned_at_us)), 1000000) END AS made_at_us
FROM (
  SELECT f.*, row_number() OVER (PARTITION BY item
    ORDER BY CASE WHEN cancelled_at_us IS NULL THEN 0 ELSE 1 END, amount DESC, created_at_us, payment_code) AS nth
  FROM listed_bill f) b
WHERE nth = 1;

-- The amounts a bill gave up at a known time, in their order; each gave way to the one after it, the last to the present one.
CREATE OR REPLACE TABLE amount_step AS
SELECT h.bill, h.until_us, h.amount, coalesce(lead(h.amount) OVER (PARTITION BY h.bill ORDER BY h.place), b.amount) AS next_amount,
  row_number() OVER (PARTITION BY h.bill ORDER BY h.place) AS nth
FROM fact_bill_earlier_amounts h JOIN book_bill b ON b.bill = h.bill WHERE h.until_us IS NOT NULL;

-- A bill that the ledger met after the period and that was paid in it, within the skew of clocks, is as old as its first payment.
CREATE OR REPLACE TABLE bill_first_paid AS
SELECT f.bill, min(p.paid_at_us) AS paid_at_us FROM payment p JOIN payment_found f ON f.payment = p.payment CROSS JOIN setting s
WHERE f.bill IS NOT NULL AND p.amount IS NOT NULL AND p.paid_at_us < s.ends_at_us GROUP BY f.bill;

CREATE OR REPLACE TABLE bill_event_told AS
WITH made AS (
  SELECT b.*, CASE WHEN b.made_at_us >= s.ends_at_us AND b.made_at_us <= f.paid_at_us + s.skew_us THEN f.paid_at_us ELSE b.made_at_us END AS begins_at_us,
    s.ends_at_us
  FROM book_bill b CROSS JOIN setting s LEFT JOIN bill_first_paid f ON f.bill = b.bill)
SELECT m.item, m.debt, m.begins_at_us AS at_us, 'created' AS change, coalesce(a.amount, m.amount) AS amount, 1 AS rank_change
FROM made m LEFT JOIN amount_step a ON a.bill = m.bill AND a.nth = 1
UNION ALL
SELECT m.item, m.debt, greatest(a.until_us, coalesce(m.made_at_us, a.until_us)), 'amended', a.next_amount, 2
FROM made m JOIN amount_step a ON a.bill = m.bill
UNION ALL
SELECT m.item, m.debt, greatest(m.cancelled_at_us, coalesce(m.made_at_us, m.cancelled_at_us)), 'cancelled', NULL, 3
FROM made m WHERE m.cancelled_at_us IS NOT NULL;

-- News: what the month before does not know, up to the end of the period. What does not say when is of the period's last moment.
CREATE OR REPLACE TABLE bill_news AS
SELECT t.item, t.debt, coalesce(t.at_us, s.ends_at_us - 1) AS at_us, t.change, t.amount, t.rank_change
FROM bill_event_told t CROSS JOIN setting s
WHERE (t.at_us IS NULL OR t.at_us < s.ends_at_us)
  AND NOT (t.change = 'created' AND t.item IN (SELECT item FROM fact_carried_bills))
  AND NOT EXISTS (SELECT 1 FROM fact_carried_bill_events c WHERE c.item = t.item AND c.change = t.change
    AND c.amount IS NOT DISTINCT FROM t.amount AND (t.at_us IS NULL OR c.at_us = t.at_us))
  -- A bill that is still to come has no news.
  AND (t.item IN (SELECT item FROM fact_carried_bills)
    OR EXISTS (SELECT 1 FROM bill_event_told o WHERE o.item = t.item AND o.change = 'created' AND (o.at_us IS NULL OR o.at_us < s.ends_at_us)));

-- What a ledger asks for now without saying since when: an amendment, a cancellation or a reinstatement of the period's last moment.
CREATE OR REPLACE TABLE bill_silent AS
WITH known_state AS (
  SELECT item, amount, is_live FROM (
    SELECT c.item,
      coalesce((SELECT n.amount FROM bill_news n WHERE n.item = c.item AND n.amount IS NOT NULL ORDER BY n.at_us DESC, n.rank_change DESC LIMIT 1), c.amount) AS amount,
      CASE WHEN EXISTS (SELECT 1 FROM bill_news n WHERE n.item = c.item AND n.change = 'cancelled') THEN 'no' ELSE c.is_live END AS is_live
    FROM fact_carried_bills c) folded),
present AS (
  SELECT b.item, b.debt, b.amount, b.reusable, CASE WHEN b.cancelled_at_us IS NULL THEN 'yes' ELSE 'no' END AS is_live
  FROM book_bill b WHERE NOT EXISTS (SELECT 1 FROM bill_event_told t CROSS JOIN setting s WHERE t.item = b.item AND t.at_us >= s.ends_at_us))
-- A bill that is paid again and again asks each time, the whole month, for what the ledger says now.
SELECT p.item, p.debt, CASE WHEN p.reusable = 'yes' AND k.is_live = 'yes' AND p.is_live = 'yes' THEN s.starts_at_us ELSE s.ends_at_us - 1 END AS at_us,
  CASE WHEN k.is_live = 'yes' AND p.is_live = 'no' THEN 'cancelled' WHEN k.is_live = 'no' AND p.is_live = 'yes' THEN 'reinstated' ELSE 'amended' END AS change,
  CASE WHEN k.is_live = 'yes' AND p.is_live = 'no' THEN NULL ELSE p.amount END AS amount, 4 AS rank_change
FROM present p JOIN known_state k ON k.item = p.item CROSS JOIN setting s
WHERE k.is_live <> p.is_live OR (k.is_live = 'yes' AND k.amount <> p.amount);

-- The first day of the books: a bill made before it that was neither paid by its ledger's word nor cancelled stands against `opening`.
CREATE OR REPLACE TABLE taken_on_bill AS
SELECT b.item, b.debt, b.reusable, b.made_at_us, b.mark, b.marked_at_us FROM book_bill b CROSS JOIN setting s
WHERE s.is_carried = 'no' AND (b.made_at_us < s.starts_at_us OR (b.made_at_us IS NULL AND EXISTS (
  SELECT 1 FROM known k WHERE k.bill = b.bill AND k.identity <> '' AND k.paid_at_us < s.starts_at_us)));

CREATE OR REPLACE TABLE taken_on_debt AS
WITH old AS (SELECT * FROM taken_on_bill),
state AS (
  SELECT o.item, o.debt, o.reusable,
    (SELECT t.amount FROM bill_event_told t CROSS JOIN setting s WHERE t.item = o.item AND t.amount IS NOT NULL
      AND (t.at_us < s.starts_at_us OR t.at_us IS NULL) ORDER BY t.at_us DESC NULLS LAST, t.rank_change DESC LIMIT 1) AS amount,
    CASE WHEN EXISTS (SELECT 1 FROM bill_event_told t CROSS JOIN setting s WHERE t.item = o.item AND t.change = 'cancelled'
      AND t.at_us < s.starts_at_us) THEN 0 ELSE 1 END AS is_live,
    CASE WHEN o.mark = 'dated' AND o.marked_at_us < s.starts_at_us THEN 1 ELSE 0 END AS was_paid
  FROM old o CROSS JOIN setting s),
paid AS (
  SELECT b.debt, sum(k.amount) AS paid FROM known k JOIN fact_bills b ON b.bill = k.bill CROSS JOIN setting s
  WHERE k.identity <> '' AND k.paid_at_us < s.starts_at_us AND b.item IN (SELECT item FROM old) GROUP BY b.debt)
SELECT s.debt, max(s.reusable) AS is_reusable,
  CASE WHEN max(s.was_paid) = 1 OR max(s.reusable) = 'yes' OR max(s.is_live) = 0 THEN NULL
    ELSE max(CASE WHEN s.is_live = 1 THEN s.amount END) END AS due,
  least(coalesce(max(p.paid), 0), max(CASE WHEN s.is_live = 1 THEN s.amount ELSE 0 END)) AS applied
FROM state s LEFT JOIN paid p ON p.debt = s.debt GROUP BY s.debt;

-- Payments -------------------------------------------------------------------------------------------------------------------------

-- What our ledger knows of the period and no message proves, but a settlement row names: DOKU says itself that it was paid, be it paid out or not.
CREATE OR REPLACE TABLE proved_by_row AS
SELECT DISTINCT k.item FROM known k CROSS JOIN setting s
WHERE k.told_by = 'ledger' AND k.identity <> '' AND k.proved_as IS NULL AND k.paid_at_us >= s.starts_at_us AND k.paid_at_us < s.ends_at_us
  AND k.item IN (SELECT payment_item FROM row_class WHERE payment_item IS NOT NULL AND payment IS NULL);

-- Payments that the month before does not know: those of the evidence with an amount, and those our ledger knew of before the period or a row
-- proves. One that came after expiry or cancellation waits for a decision.
CREATE OR REPLACE TABLE book_payment AS
WITH told_here AS (
  SELECT c.payment, coalesce(a.item, c.item) AS item, (SELECT p.identity FROM payment p WHERE p.payment = c.payment) AS identity,
    c.amount, c.paid_at_us, c.channel, c.bill, b.debt, b.item AS bill_item,
    CASE WHEN c.class IN ('P01', 'P02', 'P15') OR c.bill IS NULL THEN 'nobody'
      WHEN (c.class <> 'P16' AND c.p08 = 1) OR (c.class = 'P16' AND c.paid_at_us > b.cancelled_at_us) THEN 'after cancellation'
      WHEN (c.class <> 'P16' AND c.p07 = 1) OR (c.class = 'P16' AND c.paid_at_us > b.expires_at_us + s.expiry_grace_us) THEN 'after expiry'
    END AS hold
  FROM payment_evidence_class c CROSS JOIN setting s
  LEFT JOIN fact_bills b ON b.bill = c.bill
  LEFT JOIN fact_carried_aliases a ON a.alias = c.item
  WHERE c.amount IS NOT NULL AND c.paid_at_us < s.ends_at_us),
-- What a decision keeps of the payments it stands on counts where this evidence lacks them.
of_journal AS (
  SELECT CAST(NULL AS VARCHAR) AS payment, coalesce(a.item, j.item) AS item, j.identity, j.amount, j.paid_at_us, j.channel, b.bill, b.debt, j.payee AS bill_item,
    CASE WHEN j.payee IS NULL THEN 'nobody' ELSE j.hold END AS hold,
    row_number() OVER (PARTITION BY coalesce(a.item, j.item) ORDER BY j.place) AS nth
  FROM fact_decision_payments j CROSS JOIN setting s LEFT JOIN fact_carried_aliases a ON a.alias = j.item LEFT JOIN book_bill b ON b.item = j.payee
  WHERE j.paid_at_us < s.ends_at_us),
of_ledger AS (
  SELECT CAST(NULL AS VARCHAR) AS payment, coalesce(a.item, k.item) AS item, k.identity, k.amount, k.paid_at_us, b.channel, k.bill, b.debt, b.item AS bill_item,
    CAST(NULL AS VARCHAR) AS hold, row_number() OVER (PARTITION BY coalesce(a.item, k.item) ORDER BY k.told_by, k.bill) AS nth
  FROM known k JOIN fact_bills b ON b.bill = k.bill CROSS JOIN setting s LEFT JOIN fact_carried_aliases a ON a.alias = k.item
  WHERE k.identity <> '' AND k.proved_as IS NULL
    AND ((k.paid_at_us < s.starts_at_us AND (k.told_by = 'ledger' OR s.is_carried = 'no')) OR k.item IN (SELECT item FROM proved_by_row))),
told_now AS (
  SELECT * FROM told_here
  UNION ALL
  SELECT payment, item, identity, amount, paid_at_us, channel, bill, debt, bill_item, hold FROM of_journal WHERE nth = 1 AND item NOT IN (SELECT item FROM told_here)
  UNION ALL
  SELECT payment, item, identity, amount, paid_at_us, channel, bill, debt, bill_item, hold FROM of_ledger
  WHERE nth = 1 AND item NOT IN (SELECT item FROM told_here) AND item NOT IN (SELECT item FROM of_journal))
SELECT t.*,
  CASE WHEN t.hold = 'after expiry' AND s.accept_late = 'yes' THEN NULL
    -- A bill that is still to come has no debt yet: its money waits.
    WHEN t.hold IS NULL AND t.bill_item NOT IN (SELECT item FROM fact_carried_bills) AND t.bill_item NOT IN (SELECT item FROM bill_news) THEN 'nobody'
    ELSE t.hold END AS held_because,
  -- What was paid before the books is in the opening: by the ledger's word, or because its debt was settled then.
  CASE WHEN s.is_carried = 'no' AND t.paid_at_us < s.starts_at_us AND (
      t.debt IN (SELECT debt FROM taken_on_debt WHERE due IS NULL AND is_reusable = 'no')
      OR t.item IN (SELECT k.item FROM known k JOIN fact_bills b ON b.bill = k.bill WHERE k.identity <> '' AND b.item IN (SELECT item FROM taken_on_bill)))
    THEN 1 ELSE 0 END AS is_before_books
FROM told_now t CROSS JOIN setting s
WHERE t.item NOT IN (SELECT item FROM fact_carried_payments);

-- Settlement rows ------------------------------------------------------------------------------------------------------------------

-- Rows to be posted: paid out by the end of the period, each once, none that the month before posted. Which payment a row is of is known from 30.
CREATE OR REPLACE TABLE book_row AS
WITH once AS (
  SELECT r.item, r.batch, r.number, r.channel, r.paid_out_on, r.amount, r.fee, r.discount, r.paid_out, r.shared, r.counts, r.payment_item, r.notified,
    r.named, r.occurrence, r.is_purchase, r.class, r.is_repeated, CAST(NULL AS VARCHAR) AS journal_kind, b.debt AS named_debt,
    row_number() OVER (PARTITION BY r.item ORDER BY r.is_repeated, r.place DESC) AS nth_copy
  FROM row_class r LEFT JOIN fact_bills b ON r.subject = 'bill ' || CAST(b.bill AS VARCHAR) AND (r.payment_item IS NULL OR r.notified IS NULL)
  UNION ALL
  -- What a decision keeps of the rows it stands on counts where this evidence lacks them.
  SELECT j.item, j.batch, j.number, j.channel, j.paid_out_on, j.amount, j.fee, j.discount, j.paid_out, j.shared, 1, p.payment, NULL, j.channel, 0, 1, '', 0, j.kind,
    coalesce((SELECT c.debt FROM fact_carried_bills c WHERE c.item = j.bill), (SELECT c.debt FROM book_bill c WHERE c.item = j.bill)),
    row_number() OVER (PARTITION BY j.item ORDER BY j.place)
  FROM fact_decision_rows j LEFT JOIN (SELECT item, max(payment) AS payment FROM fact_decision_row_payments GROUP BY item) p ON p.item = j.item
  WHERE j.item NOT IN (SELECT item FROM row_class)
  UNION ALL
  -- What seemed to come twice, and has found its payment: its batch was paid out when it came.
  SELECT w.item, w.batch, w.number, w.channel, w.paid_out_on, w.gross, w.fee, w.discount, 0, w.shared, 0, t.item, t.amount, w.channel, 0, 1, '', 0, NULL, NULL, 1
  FROM row_waiting w JOIN paired p ON p.place = w.place JOIN notified t ON t.told = p.told WHERE w.state = 'twice'),
kinds AS (
  SELECT o.*,
    CASE WHEN o.journal_kind IS NOT NULL THEN o.journal_kind WHEN o.named = 'other' THEN 'other' WHEN o.named IS NULL THEN 'unreadable' WHEN o.occurrence > 0 THEN 'twice'
      WHEN o.is_purchase = 0 THEN 'refund' WHEN o.payment_item IS NOT NULL THEN 'of payment'
      WHEN o.class IN ('S14', 'S07') THEN 'twice' ELSE 'unclaimed' END AS kind,
    coalesce(a.item, o.payment_item) AS paid_item
  FROM once o CROSS JOIN setting s LEFT JOIN fact_carried_aliases a ON a.alias = o.payment_item
  WHERE o.nth_copy = 1 AND o.paid_out_on IS NOT NULL AND CAST(o.paid_out_on AS DATE) <= s.period_to
    AND (o.item NOT IN (SELECT item FROM fact_carried_rows)
      OR (o.payment_item IS NOT NULL AND o.item IN (SELECT item FROM fact_carried_rows WHERE state = 'twice')))),
ranked AS (
  SELECT k.*, coalesce(p.settled_by, '') AS settled_before,
    CASE WHEN k.kind = 'of payment' THEN row_number() OVER (PARTITION BY k.kind, k.paid_item
      ORDER BY k.paid_out_on, CASE WHEN k.amount = k.notified THEN 0 ELSE 1 END, k.item) END AS turn,
    CASE WHEN p.item IS NOT NULL OR b.item IS NOT NULL THEN 1 ELSE 0 END AS is_known,
    coalesce(p.account, CASE WHEN c.settled_by_doku = 'no' THEN 'direct' ELSE 'doku' END) AS stands_on,
    coalesce(p.is_before_books, CASE WHEN b.is_before_books = 1 THEN 'yes' ELSE 'no' END) AS is_before_books,
    coalesce(p.amount, b.amount) AS payment_amount,
    CASE WHEN x.item IS NOT NULL AND x.batch = k.batch AND x.number = k.number AND k.number <> '' THEN 1 ELSE 0 END AS is_restated
  FROM kinds k
  LEFT JOIN fact_carried_payments p ON p.item = k.paid_item
  LEFT JOIN book_payment b ON b.item = k.paid_item
  LEFT JOIN fact_channels c ON c.channel = b.channel
  LEFT JOIN fact_carried_rows x ON x.item = p.settled_by)
SELECT r.*, CASE
    WHEN r.kind = 'of payment' AND r.is_known = 0 THEN 'suspense'
    WHEN r.kind = 'of payment' AND (r.settled_before <> '' OR r.turn > 1) THEN 'twice'
    WHEN r.kind = 'of payment' THEN 'settled'
    WHEN r.kind IN ('unclaimed', 'refund') THEN 'suspense'
    ELSE r.kind END AS state,
  CASE WHEN r.kind = 'refund' THEN -abs(r.amount) ELSE r.amount END AS gross,
  CASE WHEN v.vat_percent IS NULL THEN 0 ELSE CAST(sign(r.fee) *
    (2 * abs(r.fee) * v.vat_percent + 100 + v.vat_percent - mod(2 * abs(r.fee) * v.vat_percent + 100 + v.vat_percent, 2 * (100 + v.vat_percent)))
    / (2 * (100 + v.vat_percent)) AS BIGINT) END AS vat
FROM ranked r LEFT JOIN fact_channels v ON v.channel = r.channel
WHERE r.is_restated = 0;

-- A row that stood in suspense for want of its notification, and the payment that is known now: one money.
CREATE OR REPLACE TABLE claim AS
WITH by_row AS (
  SELECT c.item AS row_item, coalesce(a.item, r.payment_item) AS payment_item
  FROM fact_carried_rows c JOIN row_class r ON r.item = c.item AND r.payment_item IS NOT NULL
  LEFT JOIN fact_carried_aliases a ON a.alias = r.payment_item
  WHERE c.state = 'suspense'),
-- What this evidence does not list again.
by_number AS (
  SELECT w.item AS row_item, coalesce(a.item, t.item) AS payment_item
  FROM row_waiting w JOIN paired p ON p.place = w.place JOIN notified t ON t.told = p.told LEFT JOIN fact_carried_aliases a ON a.alias = t.item
  WHERE w.state = 'suspense')
SELECT x.row_item, x.payment_item, r.gross, CASE WHEN b.item IS NOT NULL THEN 1 ELSE 0 END AS is_new
FROM (SELECT * FROM by_row UNION SELECT * FROM by_number) x
JOIN fact_carried_rows r ON r.item = x.row_item
LEFT JOIN book_payment b ON b.item = x.payment_item
LEFT JOIN fact_carried_payments p ON p.item = x.payment_item
LEFT JOIN opening_item o ON o.account = 'suspense' AND o.item = x.row_item
WHERE b.item IS NOT NULL OR (p.item IS NOT NULL AND p.settled_by IS NULL AND o.amount = -r.gross);

-- Debts ----------------------------------------------------------------------------------------------------------------------------

-- Waiting money whose ids lead to a bill by now. Where it goes is as for a payment; it comes from suspense.
CREATE OR REPLACE TABLE matched_anew AS
SELECT w.item, w.held_as, w.identity, -o.amount AS amount, w.paid_at_us, b.bill, b.debt,
  CASE WHEN w.paid_at_us > b.cancelled_at_us THEN 'after cancellation'
    WHEN w.paid_at_us > b.expires_at_us + s.expiry_grace_us AND s.accept_late = 'no' THEN 'after expiry' END AS hold
FROM waiting w CROSS JOIN setting s
JOIN opening_item o ON o.account = 'suspense' AND o.item = w.held_as AND o.amount < 0
JOIN (
  SELECT w.item, min(b.bill) AS bill FROM waiting w
  JOIN fact_bill_numbers n ON n.number = w.invoice_number JOIN fact_bills b ON b.bill = n.bill
  WHERE n.any_code = 'yes' OR b.payment_code = w.payment_code
    OR EXISTS (SELECT 1 FROM fact_bill_former_codes f WHERE f.bill = b.bill AND f.payment_code = w.payment_code)
  GROUP BY w.item HAVING count(DISTINCT b.bill) = 1) l ON l.item = w.item
JOIN fact_bills b ON b.bill = l.bill
WHERE w.held_as NOT IN (SELECT item FROM fact_decisions WHERE moved = 'yes')
  AND w.held_as NOT IN (SELECT item FROM fact_carried_decisions WHERE item IS NOT NULL);

-- The order of a debt's events: a decision comes right after the facts it stands on, in the order in which decisions were made; everything else in the
-- order of time, bills before payments.
CREATE OR REPLACE TABLE ground_place AS
SELECT g.item, min(d.place) AS place FROM fact_decision_grounds g JOIN fact_decisions d ON d.decision = g.decision GROUP BY g.item;

CREATE OR REPLACE TABLE debt_of_money AS
SELECT item, max(debt) AS debt FROM (
  SELECT held_as AS item, debt FROM fact_carried_payments WHERE debt IS NOT NULL AND hold IS NULL
  UNION ALL SELECT item, debt FROM fact_carried_payments WHERE debt IS NOT NULL AND hold IS NULL
  UNION ALL SELECT item, debt FROM book_payment WHERE debt IS NOT NULL AND held_because IS NULL
  UNION ALL SELECT c.row_item, p.debt FROM claim c JOIN book_payment p ON p.item = c.payment_item WHERE p.debt IS NOT NULL AND p.held_because IS NULL
  UNION ALL SELECT held_as, debt FROM matched_anew WHERE hold IS NULL) told
GROUP BY item;

-- What decisions moved, leg by leg.
CREATE OR REPLACE TABLE decision_leg AS
SELECT decision, debit_account AS account, coalesce(debit_item, '') AS item, credit_account AS other_account, amount FROM fact_decision_moves
UNION ALL
SELECT decision, credit_account, coalesce(credit_item, ''), debit_account, -amount FROM fact_decision_moves;

-- What decisions moved of a row that waited, before its payment was known or after.
CREATE OR REPLACE TABLE moved_of_row AS
SELECT c.row_item, l.decision, l.amount, CASE WHEN d.place + 0.5 < coalesce(g.place, 9000000000) THEN 1 ELSE 0 END AS is_before
FROM claim c JOIN decision_leg l ON l.account = 'suspense' AND l.item = c.row_item JOIN fact_decisions d ON d.decision = l.decision
LEFT JOIN ground_place g ON g.item = c.payment_item
WHERE c.is_new = 1;

-- The money of a row that came first is the payment's, as far as nobody has decided about it before that was known.
CREATE OR REPLACE TABLE taken_over AS
SELECT c.payment_item, c.row_item, p.amount, greatest(coalesce(-o.amount, 0) - coalesce(m.moved, 0) + p.amount - c.gross, 0) AS free
FROM claim c JOIN book_payment p ON p.item = c.payment_item
LEFT JOIN opening_item o ON o.account = 'suspense' AND o.item = c.row_item
LEFT JOIN (SELECT row_item, sum(amount) AS moved FROM moved_of_row WHERE is_before = 1 GROUP BY row_item) m ON m.row_item = c.row_item
WHERE c.is_new = 1;

CREATE OR REPLACE TABLE debt_happening AS
SELECT n.debt, 'bill' AS kind, n.item, n.at_us, 0 AS rank_kind, n.rank_change, n.change, n.amount, coalesce(g.place, 9000000000) AS rank_ground,
  CAST(NULL AS VARCHAR) AS identity
FROM (SELECT * FROM bill_news UNION ALL SELECT * FROM bill_silent) n LEFT JOIN ground_place g ON g.item = n.item AND n.rank_change < 4
CROSS JOIN setting s WHERE NOT (s.is_carried = 'no' AND n.at_us < s.starts_at_us AND n.debt IN (SELECT debt FROM taken_on_debt))
UNION ALL
SELECT p.debt, 'payment', p.item, p.paid_at_us, 1, 0, coalesce(CASE WHEN p.held_because IS NULL THEN NULL ELSE 'held' END, 'paid'), coalesce(t.free, p.amount),
  coalesce(g.place, 9000000000), p.identity
FROM book_payment p LEFT JOIN ground_place g ON g.item = p.item LEFT JOIN taken_over t ON t.payment_item = p.item
WHERE p.debt IS NOT NULL AND p.is_before_books = 0
UNION ALL
SELECT m.debt, 'payment', m.item, m.paid_at_us, 1, 0, 'paid', m.amount, 9000000000, m.identity FROM matched_anew m WHERE m.hold IS NULL
UNION ALL
SELECT coalesce(d.debt, m.debt), 'decision', d.decision, d.made_at_us, 2, 0, d.action, NULL, d.place + 0.5, NULL
FROM fact_decisions d LEFT JOIN debt_of_money m ON m.item = d.item
WHERE coalesce(d.debt, m.debt) IS NOT NULL AND d.moved = 'yes';

CREATE OR REPLACE TABLE debt_event AS
SELECT h.*, row_number() OVER (PARTITION BY h.debt ORDER BY h.rank_ground, h.at_us, h.rank_kind, h.rank_change, h.identity, h.item) AS seq FROM debt_happening h;

-- What each bill of a debt asks for after an event; null where it is cancelled.
CREATE OR REPLACE TABLE bill_state AS
SELECT b.item, b.debt, 0 AS seq, CASE WHEN c.item IS NOT NULL THEN CASE WHEN c.is_live = 'yes' THEN c.amount END
  ELSE (SELECT t.amount FROM bill_event_told t CROSS JOIN setting s WHERE s.is_carried = 'no' AND t.item = b.item AND (t.at_us < s.starts_at_us OR t.at_us IS NULL)
    AND b.debt IN (SELECT debt FROM taken_on_debt)
    AND NOT EXISTS (SELECT 1 FROM bill_event_told o WHERE o.item = t.item AND o.change = 'cancelled' AND o.at_us < s.starts_at_us)
    AND t.amount IS NOT NULL AND t.item NOT IN (SELECT item FROM debt_event WHERE kind = 'bill' AND change = 'created')
    ORDER BY t.at_us DESC NULLS LAST, t.rank_change DESC LIMIT 1) END AS asks
FROM (SELECT item, debt FROM book_bill UNION SELECT item, debt FROM fact_carried_bills) b
LEFT JOIN fact_carried_bills c ON c.item = b.item
UNION ALL
SELECT e.item, e.debt, e.seq, CASE WHEN e.change = 'cancelled' THEN NULL
    -- An amendment of what is cancelled asks for nothing.
    WHEN e.change = 'amended' AND (SELECT c.change FROM debt_event c WHERE c.item = e.item AND c.change <> 'amended' AND c.seq < e.seq
      ORDER BY c.seq DESC LIMIT 1) = 'cancelled' THEN NULL
    ELSE e.amount END
FROM debt_event e WHERE e.kind = 'bill';

CREATE OR REPLACE TABLE debt_asks AS
SELECT debt, seq, max(asks) AS asked FROM (
  SELECT e.debt, e.seq, b.item, b.asks, row_number() OVER (PARTITION BY e.debt, e.seq, b.item ORDER BY b.seq DESC) AS nth
  FROM (SELECT debt, seq FROM debt_event UNION SELECT DISTINCT debt, 0 FROM bill_state) e
  JOIN bill_state b ON b.debt = e.debt AND b.seq <= e.seq) latest
WHERE nth = 1 GROUP BY debt, seq;

CREATE OR REPLACE TABLE debt_start AS
SELECT d.debt, d.is_reusable, d.is_before_books, d.due, d.applied, d.unproven, d.lapsed, d.cancelled, d.written_off, d.waived, d.rounding,
  d.elsewhere, coalesce(x.excess, 0) AS excess
FROM fact_carried_debts d
LEFT JOIN (
  -- Money of its payments that is over, and that no decision is about.
  SELECT p.debt, -sum(o.amount) AS excess FROM fact_carried_payments p JOIN opening_item o ON o.account = 'suspense' AND o.item = p.held_as
  WHERE p.debt IS NOT NULL AND p.hold IS NULL AND o.amount < 0
    AND p.held_as NOT IN (SELECT item FROM fact_carried_decisions WHERE item IS NOT NULL) GROUP BY p.debt) x ON x.debt = d.debt
UNION ALL
SELECT t.debt, t.is_reusable, CASE WHEN t.due IS NULL AND t.is_reusable = 'no' THEN 'yes' ELSE 'no' END, coalesce(t.due, 0),
  CASE WHEN t.due IS NULL THEN 0 ELSE t.applied END, 0, 0, 0, 0, 0, 0, 0, 0
FROM taken_on_debt t
UNION ALL
SELECT b.debt, max(b.reusable), 'no', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM book_bill b
WHERE b.debt NOT IN (SELECT debt FROM fact_carried_debts) AND b.debt NOT IN (SELECT debt FROM taken_on_debt)
  AND b.item IN (SELECT item FROM bill_news) GROUP BY b.debt;

-- What a decision did to its debt: what people decided is a fact, and so is what it applied and took off.
CREATE OR REPLACE TABLE decision_effect AS
SELECT d.decision, coalesce(d.applied, 0) AS applied,
  coalesce(sum(CASE WHEN t.taken_off = 'unproven' THEN t.amount END), 0) AS unproven,
  coalesce(sum(CASE WHEN t.taken_off = 'lapsed' THEN t.amount END), 0) AS lapsed,
  coalesce(sum(CASE WHEN t.taken_off = 'cancelled' THEN t.amount END), 0) AS cancelled,
  coalesce(sum(CASE WHEN t.taken_off = 'written_off' THEN t.amount END), 0) AS written_off,
  coalesce(sum(CASE WHEN t.taken_off = 'waived' THEN t.amount END), 0) AS waived,
  coalesce(sum(CASE WHEN t.taken_off = 'rounding' THEN t.amount END), 0) AS rounding,
  coalesce(sum(CASE WHEN t.taken_off = 'elsewhere' THEN t.amount END), 0) AS elsewhere,
  coalesce(max(x.excess), 0) AS excess
FROM fact_decisions d LEFT JOIN fact_decision_taken_off t ON t.decision = d.decision
LEFT JOIN (
  -- What it moved of money that is over.
  SELECT decision, sum(amount) AS excess FROM (
    SELECT decision, -amount AS amount FROM fact_decision_moves WHERE debit_account = 'suspense' AND debit_item IN (SELECT item FROM debt_of_money)
    UNION ALL
    SELECT decision, amount FROM fact_decision_moves WHERE credit_account = 'suspense' AND credit_item IN (SELECT item FROM debt_of_money)
    UNION ALL
    -- Of a row whose payment was not known yet, that is no money of the debt.
    SELECT decision, amount FROM moved_of_row WHERE is_before = 1) moved
  GROUP BY decision) x ON x.decision = d.decision
GROUP BY d.decision, d.applied;

CREATE OR REPLACE TABLE debt_step AS
SELECT e.debt, e.seq, e.kind, e.item, e.change, coalesce(e.amount, 0) AS amount, a.asked, x.applied AS d_applied, x.unproven AS d_unproven,
  x.lapsed AS d_lapsed, x.cancelled AS d_cancelled, x.written_off AS d_written_off, x.waived AS d_waived, x.rounding AS d_rounding,
  x.elsewhere AS d_elsewhere, x.excess AS d_excess
FROM debt_event e LEFT JOIN debt_asks a ON a.debt = e.debt AND a.seq = e.seq LEFT JOIN decision_effect x ON e.kind = 'decision' AND x.decision = e.item;

-- Each debt through its events, one after the other. `found_open`, `found_takes` and `over` are what a payment met, and what was over of it.
CREATE OR REPLACE TABLE debt_history AS
WITH RECURSIVE walk(debt, seq, item, is_reusable, is_before_books, due, applied, unproven, lapsed, cancelled, written_off, waived, rounding, elsewhere,
  excess, rounded_away, found_open, found_takes, over) AS (
  SELECT debt, CAST(0 AS BIGINT), '', is_reusable, is_before_books, due, applied, unproven, lapsed, cancelled, written_off, waived, rounding, elsewhere,
    excess, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT)
  FROM debt_start
  UNION ALL
  SELECT debt, seq, item, is_reusable, is_before_books, due, applied + to_apply, unproven, lapsed, cancelled, written_off, waived,
    -- What is short within the tolerance is rounded, once money has come.
    rounding + CASE WHEN money > 0 AND open_now - to_apply > 0 AND open_now - to_apply <= tolerance THEN open_now - to_apply ELSE 0 END,
    elsewhere, excess - to_apply, rounded_away, found_open, found_takes, over
  FROM (
    -- A debt that rises takes what its payments have in excess.
    SELECT f.*, CASE WHEN f.kind = 'bill' AND f.asked IS NOT NULL AND f.is_still = 0 THEN least(greatest(f.open_now, 0), greatest(f.excess, 0)) ELSE 0 END AS to_apply,
      CASE WHEN f.kind = 'bill' AND f.asked IS NOT NULL AND f.is_still = 0 THEN least(greatest(f.open_now, 0), greatest(f.excess, 0))
        WHEN f.kind = 'payment' THEN f.taken ELSE 0 END AS money
    FROM (
      SELECT g.*, g.due - g.applied - g.unproven - g.lapsed - g.cancelled - g.written_off - g.waived - g.rounding - g.elsewhere AS open_now
      FROM (
        -- A debt that falls: reductions give way, then money, the latest first; what was paid elsewhere goes last.
        SELECT h.debt, h.seq, h.item, h.kind, h.asked, h.is_still, h.tolerance, h.is_reusable, h.is_before_books, h.due,
          h.applied - least(greatest(h.over_by - h.rounding - h.waived - h.written_off - h.cancelled - h.lapsed - h.unproven, 0), h.applied) AS applied,
          h.unproven - least(greatest(h.over_by - h.rounding - h.waived - h.written_off - h.cancelled - h.lapsed, 0), h.unproven) AS unproven,
          h.lapsed - least(greatest(h.over_by - h.rounding - h.waived - h.written_off - h.cancelled, 0), h.lapsed) AS lapsed,
          h.cancelled - least(greatest(h.over_by - h.rounding - h.waived - h.written_off, 0), h.cancelled) AS cancelled,
          h.written_off - least(greatest(h.over_by - h.rounding - h.waived, 0), h.written_off) AS written_off,
          h.waived - least(greatest(h.over_by - h.rounding, 0), h.waived) AS waived,
          h.rounding - least(h.over_by, h.rounding) AS rounding,
          h.elsewhere - greatest(h.over_by - h.rounding - h.waived - h.written_off - h.cancelled - h.lapsed - h.unproven - h.applied, 0) AS elsewhere,
          h.excess + least(greatest(h.over_by - h.rounding - h.waived - h.written_off - h.cancelled - h.lapsed - h.unproven, 0), h.applied) AS excess,
          h.rounded_away, h.found_open, h.found_takes, h.over, h.taken
        FROM (
          SELECT n.*, CASE WHEN n.kind = 'bill' AND n.asked IS NOT NULL AND n.is_still = 0
              THEN greatest(-(n.due - n.applied - n.unproven - n.lapsed - n.cancelled - n.written_off - n.waived - n.rounding - n.elsewhere), 0) ELSE 0 END AS over_by
          FROM (
            SELECT q.debt, q.seq, q.item, q.kind, q.asked, q.is_still, q.tolerance, q.is_reusable, q.is_before_books, q.taken, q.found_open, q.found_takes, q.over,
              CASE WHEN q.is_still = 1 THEN q.due WHEN q.kind = 'bill' THEN coalesce(q.asked, q.due) WHEN q.kind = 'payment' AND q.is_reusable = 'yes' THEN q.due + q.taken ELSE q.due END
                + CASE WHEN q.kind = 'decision' AND q.is_reusable = 'yes' THEN q.d_applied ELSE 0 END AS due,
              q.applied + q.taken + q.d_applied AS applied,
              q.unproven - q.from_unproven + q.d_unproven AS unproven,
              -- What lapses in this month is taken off at its end (`debt_end`): a decision that brings it back finds nothing of it here.
              greatest(CASE WHEN q.is_back = 1 THEN 0 ELSE q.lapsed - q.from_lapsed END + q.d_lapsed, 0) AS lapsed,
              CASE WHEN q.is_back = 1 THEN 0
                WHEN q.kind = 'bill' AND q.asked IS NULL AND q.is_still = 0 THEN q.cancelled + q.open_before
                ELSE q.cancelled - q.from_cancelled END + q.d_cancelled AS cancelled,
              q.written_off - q.from_written_off + q.d_written_off AS written_off,
              q.waived + q.d_waived AS waived,
              q.rounding + q.d_rounding AS rounding,
              q.elsewhere + q.d_elsewhere AS elsewhere,
              q.excess + CASE WHEN q.kind = 'payment' THEN q.over ELSE 0 END + q.d_excess AS excess,
              q.rounded_away + CASE WHEN q.kind = 'payment' THEN q.amount_paid - q.taken - q.over ELSE 0 END AS rounded_away
            FROM (
              -- What a payment comes to: what is open, then what money restores; a rest within the tolerance is rounded, everything else is over.
              SELECT p.*, CASE WHEN p.amount_paid - p.taken > 0 AND p.amount_paid - p.taken <= p.tolerance AND p.taken > 0 AND p.is_reusable = 'no' THEN 0
                  ELSE p.amount_paid - p.taken END AS over
              FROM (
                SELECT r.*, r.from_open + r.from_unproven + r.from_lapsed + r.from_cancelled + r.from_written_off AS taken
                FROM (
                  SELECT w.debt, e.seq, e.item, e.kind, e.asked, w.is_reusable, w.is_before_books, w.due, w.applied, w.unproven, w.lapsed, w.cancelled,
                    w.written_off, w.waived, w.rounding, w.elsewhere, w.excess, w.rounded_away, s.tolerance, w.open_before,
                    coalesce(e.d_applied, 0) AS d_applied, coalesce(e.d_unproven, 0) AS d_unproven, coalesce(e.d_lapsed, 0) AS d_lapsed,
                    coalesce(e.d_cancelled, 0) AS d_cancelled, coalesce(e.d_written_off, 0) AS d_written_off, coalesce(e.d_waived, 0) AS d_waived,
                    coalesce(e.d_rounding, 0) AS d_rounding, coalesce(e.d_elsewhere, 0) AS d_elsewhere, coalesce(e.d_excess, 0) AS d_excess,
                    -- A reusable bill owes nothing, and neither does what was settled before the books.
                    CASE WHEN e.kind = 'bill' AND (w.is_reusable = 'yes' OR w.is_before_books = 'yes') THEN 1 ELSE 0 END AS is_still,
                    CASE WHEN e.kind = 'bill' AND w.is_reusable = 'no' AND w.is_before_books = 'no' AND e.asked IS NOT NULL
                      AND (w.cancelled > 0 OR e.change = 'reinstated') THEN 1 ELSE 0 END AS is_back,
                    w.open_before AS found_open, w.open_before + w.unproven + w.lapsed + w.cancelled + w.written_off AS found_takes,
                    CASE WHEN e.kind = 'payment' AND e.change = 'paid' THEN e.amount ELSE 0 END AS amount_paid,
                    CASE WHEN NOT (e.kind = 'payment' AND e.change = 'paid') THEN 0 WHEN w.is_reusable = 'yes' THEN least(e.amount, coalesce(e.asked, 0))
                      ELSE least(e.amount, greatest(w.open_before, 0)) END AS from_open,
                    CASE WHEN NOT (e.kind = 'payment' AND e.change = 'paid') OR w.is_reusable = 'yes' THEN 0
                      ELSE least(greatest(e.amount - greatest(w.open_before, 0), 0), w.unproven) END AS from_unproven,
                    CASE WHEN NOT (e.kind = 'payment' AND e.change = 'paid') OR w.is_reusable = 'yes' THEN 0
                      ELSE least(greatest(e.amount - greatest(w.open_before, 0) - w.unproven, 0), w.lapsed) END AS from_lapsed,
                    CASE WHEN NOT (e.kind = 'payment' AND e.change = 'paid') OR w.is_reusable = 'yes' THEN 0
                      ELSE least(greatest(e.amount - greatest(w.open_before, 0) - w.unproven - w.lapsed, 0), w.cancelled) END AS from_cancelled,
                    CASE WHEN NOT (e.kind = 'payment' AND e.change = 'paid') OR w.is_reusable = 'yes' THEN 0
                      ELSE least(greatest(e.amount - greatest(w.open_before, 0) - w.unproven - w.lapsed - w.cancelled, 0), w.written_off) END AS from_written_off
                  FROM (SELECT k.*, k.due - k.applied - k.unproven - k.lapsed - k.cancelled - k.written_off - k.waived - k.rounding - k.elsewhere AS open_before FROM walk k) w
                  JOIN debt_step e ON e.debt = w.debt AND e.seq = w.seq + 1 CROSS JOIN setting s) r) p) q) n) h) g) f) z)
SELECT * FROM walk;

CREATE OR REPLACE TABLE debt_walked AS
SELECT * FROM (SELECT h.*, row_number() OVER (PARTITION BY debt ORDER BY seq DESC) AS latest FROM debt_history h) walked WHERE latest = 1;

-- Whose money a suspense item is: a payment's, under its own name or under the row it took over.
CREATE OR REPLACE TABLE held_money AS
SELECT p.held_as AS item, p.item AS payment_item, p.debt, CASE WHEN p.hold IS NULL THEN 0 ELSE 1 END AS is_held FROM fact_carried_payments p
WHERE p.item NOT IN (SELECT item FROM matched_anew)
UNION ALL
SELECT coalesce(c.row_item, p.item), p.item, p.debt, CASE WHEN p.held_because IS NULL THEN 0 ELSE 1 END FROM book_payment p
LEFT JOIN claim c ON c.payment_item = p.item AND c.is_new = 1
UNION ALL
SELECT m.held_as, m.item, m.debt, CASE WHEN m.hold IS NULL THEN 0 ELSE 1 END FROM matched_anew m;

-- What of a debt's money stands in suspense at the end, before marks are looked at.
CREATE OR REPLACE TABLE debt_held AS
SELECT debt, sum(amount) AS held FROM (
  SELECT h.debt, -o.amount AS amount FROM (SELECT DISTINCT item, debt FROM held_money) h
  JOIN opening_item o ON o.account = 'suspense' AND o.item = h.item WHERE h.item NOT IN (SELECT row_item FROM claim)
    AND h.item NOT IN (SELECT held_as FROM matched_anew WHERE hold IS NULL)
  UNION ALL
  SELECT p.debt, p.amount FROM book_payment p WHERE p.held_because IS NOT NULL AND p.is_before_books = 0
  UNION ALL
  SELECT w.debt, w.excess - s.excess FROM debt_walked w JOIN debt_start s ON s.debt = w.debt
  UNION ALL
  SELECT h.debt, -l.amount FROM (SELECT DISTINCT item, debt FROM held_money WHERE is_held = 1) h JOIN decision_leg l ON l.account = 'suspense' AND l.item = h.item) held
WHERE debt IS NOT NULL GROUP BY debt;

-- What settlement rows hold for a debt whose bill they name, although no payment is known for them: in suspense, or still to be paid out.
CREATE OR REPLACE TABLE debt_rows_waiting AS
SELECT debt, sum(greatest(amount, 0)) AS waiting FROM (
  SELECT w.debt, w.item, max(w.amount) - coalesce(sum(l.amount), 0) AS amount FROM (
    SELECT coalesce(c.debt, b.debt) AS debt, r.item, coalesce(-o.amount, 0) AS amount
    FROM fact_carried_rows r LEFT JOIN fact_carried_bills c ON c.item = r.bill LEFT JOIN book_bill b ON b.item = r.bill
    LEFT JOIN opening_item o ON o.account = 'suspense' AND o.item = r.item
    WHERE r.state = 'suspense' AND r.item NOT IN (SELECT row_item FROM claim)
    UNION ALL
    SELECT named_debt, item, gross FROM book_row WHERE state = 'suspense' AND kind <> 'refund') w
  LEFT JOIN decision_leg l ON l.account = 'suspense' AND l.item = w.item
  WHERE w.debt IS NOT NULL GROUP BY w.debt, w.item
  UNION ALL
  SELECT DISTINCT b.debt, r.item, r.amount FROM row_class r CROSS JOIN setting s
  JOIN fact_bills b ON r.subject = 'bill ' || CAST(b.bill AS VARCHAR)
  WHERE (r.paid_out_on IS NULL OR CAST(r.paid_out_on AS DATE) > s.period_to) AND r.channel IS NOT NULL AND r.is_purchase = 1 AND r.occurrence = 0
    AND (r.payment_item IS NULL OR r.notified IS NULL) AND r.class NOT IN ('S08', 'S14') AND NOT (r.class = 'S07' AND r.is_repeated = 0)) waits
GROUP BY debt;

-- What the ledger calls paid and nothing proves: as far as it is open and no money of the debt waits for a decision.
CREATE OR REPLACE TABLE debt_mark AS
WITH of_bill AS (
  SELECT b.debt, b.bill,
    CASE WHEN b.mark = 'undated' THEN s.period_to
      WHEN b.mark = 'dated' THEN CAST(DATE '1970-01-01' + CAST(floor((b.marked_at_us + 25200000000) / 86400000000) AS INTEGER) AS DATE)
      WHEN k.paid_at_us IS NOT NULL THEN CAST(DATE '1970-01-01' + CAST(floor((k.paid_at_us + 25200000000) / 86400000000) AS INTEGER) AS DATE)
    END AS marked_on,
    CASE WHEN b.mark IS NULL THEN k.paid END AS paid
  FROM listed_bill b CROSS JOIN setting s
  LEFT JOIN (SELECT k.bill, max(k.paid_at_us) AS paid_at_us, sum(k.amount) AS paid FROM known k CROSS JOIN setting s
    WHERE k.told_by = 'ledger' AND k.proved_as IS NULL AND k.paid_at_us >= s.starts_at_us AND k.paid_at_us < s.ends_at_us
      AND k.item NOT IN (SELECT item FROM proved_by_row) GROUP BY k.bill) k ON k.bill = b.bill)
SELECT debt, marked_on, paid FROM (
  SELECT o.debt, CASE WHEN o.marked_on <= s.period_to THEN o.marked_on END AS marked_on, o.paid,
    row_number() OVER (PARTITION BY o.debt ORDER BY CASE WHEN o.marked_on <= s.period_to THEN o.marked_on END DESC NULLS LAST, o.paid DESC NULLS LAST) AS nth
  FROM of_bill o CROSS JOIN setting s) latest
WHERE nth = 1;

CREATE OR REPLACE TABLE debt_marked AS
SELECT w.*, coalesce(h.held, 0) AS held,
  CASE WHEN w.is_reusable = 'yes' OR w.is_before_books = 'yes' OR m.debt IS NULL THEN 0
    -- The mark has gone: it is owed again.
    WHEN m.marked_on IS NULL THEN -w.unproven
    ELSE greatest(least(w.due - w.applied - w.lapsed - w.cancelled - w.written_off - w.waived - w.rounding - w.elsewhere - coalesce(h.held, 0)
      - coalesce(r.waiting, 0), coalesce(m.paid, 999999999999999)), 0) - w.unproven END AS marked
FROM debt_walked w LEFT JOIN debt_held h ON h.debt = w.debt LEFT JOIN debt_rows_waiting r ON r.debt = w.debt LEFT JOIN debt_mark m ON m.debt = w.debt;

-- A debt whose last code expired so many days ago has lapsed, where the merchant says so. Nobody asks for a debt whose bills are all cancelled:
-- what has come back to it is cancelled too.
CREATE OR REPLACE TABLE debt_end AS
WITH unasked AS (
  SELECT w.debt FROM debt_walked w JOIN debt_asks a ON a.debt = w.debt
  WHERE w.is_reusable = 'no' AND w.is_before_books = 'no'
  GROUP BY w.debt HAVING max_by(CASE WHEN a.asked IS NULL THEN 1 ELSE 0 END, a.seq) = 1),
-- A bill that the ledger no longer lists expires when the month before said so.
code AS (
  SELECT b.debt, CAST(DATE '1970-01-01' + CAST(floor((b.expires_at_us + 25200000000) / 86400000000) AS INTEGER) AS DATE) AS expires_on
  FROM book_bill b WHERE b.cancelled_at_us IS NULL
  UNION ALL
  SELECT c.debt, CAST(c.expires_on AS DATE) FROM fact_carried_bills c WHERE c.is_live = 'yes' AND c.item NOT IN (SELECT item FROM book_bill)),
last_code AS (
  SELECT debt, max(CASE WHEN expires_on IS NULL THEN 1 ELSE 0 END) AS never_expires, max(expires_on) AS expires_on FROM code GROUP BY debt),
-- What had lapsed before its last bills were cancelled stays lapsed.
cancelled_code AS (
  SELECT debt, expires_on, cancelled_on, max(cancelled_on) OVER (PARTITION BY debt) AS last_on FROM (
    SELECT b.debt, CAST(DATE '1970-01-01' + CAST(floor((b.expires_at_us + 25200000000) / 86400000000) AS INTEGER) AS DATE) AS expires_on,
      CAST(DATE '1970-01-01' + CAST(floor((b.cancelled_at_us + 25200000000) / 86400000000) AS INTEGER) AS DATE) AS cancelled_on
    FROM book_bill b WHERE b.cancelled_at_us IS NOT NULL) ended),
lapsed_before AS (
  SELECT c.debt, coalesce(max(d.cancelled), 0) AS cancelled FROM cancelled_code c CROSS JOIN setting s LEFT JOIN debt_start d ON d.debt = c.debt
  WHERE c.cancelled_on = c.last_on AND s.lapse_after_days IS NOT NULL
  GROUP BY c.debt HAVING count(*) = count(c.expires_on) AND max(c.expires_on) + CAST(max(s.lapse_after_days) AS INTEGER) < max(c.last_on)),
marked AS (
  SELECT m.*, m.due - m.applied - m.unproven - m.marked - m.lapsed - m.cancelled - m.written_off - m.waived - m.rounding - m.elsewhere AS open_marked FROM debt_marked m)
SELECT m.debt, m.is_reusable, m.is_before_books, m.due, m.applied, m.unproven + m.marked AS unproven, m.lapsed + CASE WHEN x.lapses = 1 THEN m.open_marked WHEN u.debt IS NOT NULL AND y.debt IS NOT NULL THEN m.cancelled - y.cancelled ELSE 0 END AS lapsed,
  CASE WHEN u.debt IS NOT NULL AND y.debt IS NOT NULL THEN y.cancelled + m.open_marked WHEN u.debt IS NOT NULL THEN m.cancelled + m.open_marked ELSE m.cancelled END AS cancelled, m.written_off, m.waived, m.rounding, m.elsewhere, m.excess,
  m.rounded_away, m.held, CASE WHEN u.debt IS NOT NULL OR x.lapses = 1 THEN 0 ELSE m.open_marked END AS open_end
FROM marked m LEFT JOIN unasked u ON u.debt = m.debt LEFT JOIN lapsed_before y ON y.debt = m.debt LEFT JOIN (
  SELECT m.debt, 1 AS lapses FROM marked m JOIN last_code l ON l.debt = m.debt CROSS JOIN setting s
  WHERE s.lapse_after_days IS NOT NULL AND m.open_marked > 0 AND m.is_reusable = 'no' AND l.never_expires = 0
    AND l.expires_on + CAST(s.lapse_after_days AS INTEGER) <= s.period_to) x ON x.debt = m.debt;

-- Batches --------------------------------------------------------------------------------------------------------------------------

-- What DOKU pays for a batch: what its files state, else the column; less what others get of it. While rows of it are still to be paid out, or its
-- files disagree, the column counts.
CREATE OR REPLACE TABLE batch_stated AS
SELECT batch, max(paid_out) AS told, CASE WHEN min(paid_out) <> max(paid_out) THEN 1 ELSE 0 END AS disagrees
FROM (
  SELECT CASE WHEN t.batch_id <> '' THEN t.batch ELSE d.batch END AS batch, t.paid_out
  FROM fact_settlement_totals t
  LEFT JOIN (SELECT max(batch) AS batch, count(DISTINCT batch) AS days FROM fact_settlement_rows WHERE batch_id = '' AND paid_out_on IS NOT NULL) d ON d.days = 1
  WHERE t.batch_id <> '' OR d.batch IS NOT NULL) named
WHERE batch IS NOT NULL GROUP BY batch;

CREATE OR REPLACE TABLE batch_day AS
SELECT batch, paid_out_on, sum(column_sum) AS column_sum, sum(shared) AS shared, sum(posted) AS posted FROM (
  SELECT batch, paid_out_on, column_sum, shared, posted FROM fact_carried_batch_days
  UNION ALL
  SELECT batch, paid_out_on, CASE WHEN counts = 1 AND item NOT IN (SELECT item FROM fact_carried_rows) THEN paid_out ELSE 0 END, CASE WHEN state = 'twice' THEN 0 ELSE shared END, 0 FROM book_row) days
GROUP BY batch, paid_out_on;

CREATE OR REPLACE TABLE batch_payout AS
WITH waiting_batch AS (
  SELECT DISTINCT r.batch FROM row_class r CROSS JOIN setting s WHERE r.paid_out_on IS NULL OR CAST(r.paid_out_on AS DATE) > s.period_to),
carried AS (SELECT batch, max(stated) AS stated FROM fact_carried_batch_days GROUP BY batch),
whole AS (
  SELECT d.batch, sum(d.column_sum) AS column_sum, max(d.paid_out_on) AS last_day,
    CASE WHEN max(w.batch) IS NOT NULL OR max(t.disagrees) = 1
        OR (max(c.stated) IS NOT NULL AND max(CASE WHEN t.disagrees = 0 THEN t.told END) IS NOT NULL AND max(c.stated) <> max(t.told)) THEN NULL
      ELSE coalesce(max(c.stated), max(t.told)) END AS stated,
    CASE WHEN max(r.batch) IS NOT NULL OR max(t.batch) IS NOT NULL THEN 1 ELSE 0 END AS is_touched
  FROM batch_day d LEFT JOIN waiting_batch w ON w.batch = d.batch LEFT JOIN batch_stated t ON t.batch = d.batch LEFT JOIN carried c ON c.batch = d.batch
  LEFT JOIN (SELECT DISTINCT batch FROM book_row) r ON r.batch = d.batch
  GROUP BY d.batch)
SELECT d.batch, d.paid_out_on, n.payout,
  CASE WHEN w.is_touched = 0 THEN 0 ELSE d.column_sum - d.shared
    + CASE WHEN d.paid_out_on = w.last_day AND w.stated IS NOT NULL THEN w.stated - w.column_sum ELSE 0 END - d.posted END AS announced
FROM batch_day d JOIN whole w ON w.batch = d.batch
LEFT JOIN fact_payout_names n ON n.batch = d.batch AND n.paid_out_on = d.paid_out_on;

-- Bank lines that count and that the month before does not know.
CREATE OR REPLACE TABLE book_bank_line AS
SELECT DISTINCT l.item, l."on", l.amount FROM fact_bank_lines l CROSS JOIN setting s
WHERE s.bank_statement = 'yes' AND l.is_counted = 'yes' AND CAST(l."on" AS DATE) <= s.period_to AND l.item NOT IN (SELECT item FROM fact_carried_bank_lines);

-- Accounts -------------------------------------------------------------------------------------------------------------------------

-- Where the books begin: what is carried, or, on their first day, what was open then, against `opening`.
CREATE OR REPLACE TABLE account_opening AS
SELECT account, item, amount FROM opening_item
UNION ALL SELECT 'opening', '', -amount FROM opening_item CROSS JOIN setting s WHERE s.is_carried = 'no'
UNION ALL SELECT 'receivable', debt, due - applied FROM taken_on_debt WHERE due IS NOT NULL
UNION ALL SELECT 'opening', '', applied - due FROM taken_on_debt WHERE due IS NOT NULL;

-- Every movement of the period that is no debt's, item by item.
CREATE OR REPLACE TABLE account_movement AS
-- Payments become known; what waits is held.
SELECT CASE WHEN c.settled_by_doku = 'yes' THEN 'doku' ELSE 'direct' END AS account, p.item, p.amount
FROM book_payment p JOIN fact_channels c ON c.channel = p.channel WHERE p.is_before_books = 0
UNION ALL
SELECT 'suspense', coalesce(c.row_item, p.item), -p.amount FROM book_payment p LEFT JOIN claim c ON c.payment_item = p.item AND c.is_new = 1
WHERE p.is_before_books = 0 AND p.held_because IS NOT NULL
-- What somebody had decided about a row's money before its payment was heard of stays where it was put.
UNION ALL SELECT 'suspense', t.row_item, t.free - t.amount FROM taken_over t JOIN book_payment p ON p.item = t.payment_item
WHERE p.debt IS NOT NULL AND p.is_before_books = 0 AND p.held_because IS NULL
-- Waiting money that found its bill leaves suspense; what is over of it comes back with its debt's excess.
UNION ALL SELECT 'suspense', held_as, amount FROM matched_anew WHERE hold IS NULL
-- A row of ours: the net to its batch, fees, VAT and discounts as charged, off its payment or into suspense.
UNION ALL SELECT 'clearing', batch, gross - fee - discount FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT 'fees', '', fee - vat FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT 'vat', '', vat FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT 'discounts', '', discount FROM book_row WHERE state IN ('settled', 'suspense')
UNION ALL SELECT stands_on, paid_item, -gross FROM book_row WHERE state = 'settled'
UNION ALL SELECT 'suspense', item, -gross FROM book_row WHERE state = 'suspense'
-- Its payment was made before the books: its money was on its way then.
UNION ALL SELECT stands_on, paid_item, payment_amount FROM book_row WHERE state = 'settled' AND is_before_books = 'yes'
UNION ALL SELECT 'opening', '', -payment_amount FROM book_row WHERE state = 'settled' AND is_before_books = 'yes'
-- Another product's, and what others get.
UNION ALL SELECT 'clearing', batch, paid_out FROM book_row WHERE state = 'other'
UNION ALL SELECT 'other_products', '', -paid_out FROM book_row WHERE state = 'other'
UNION ALL SELECT 'shares', '', shared FROM book_row WHERE state <> 'twice'
UNION ALL SELECT 'clearing', batch, -shared FROM book_row WHERE state <> 'twice'
-- A row in suspense whose payment is known now.
UNION ALL SELECT 'suspense', row_item, gross FROM claim
UNION ALL SELECT coalesce(p.account, CASE WHEN f.settled_by_doku = 'no' THEN 'direct' ELSE 'doku' END), c.payment_item, -c.gross
FROM claim c LEFT JOIN fact_carried_payments p ON p.item = c.payment_item LEFT JOIN book_payment b ON b.item = c.payment_item
LEFT JOIN fact_channels f ON f.channel = b.channel
-- DOKU pays a batch out; without statements the bank has it at once.
UNION ALL SELECT 'clearing', batch, -announced FROM batch_payout
UNION ALL SELECT 'payouts', payout, announced FROM batch_payout
UNION ALL SELECT 'payouts', payout, -announced FROM batch_payout CROSS JOIN setting s WHERE s.bank_statement = 'no'
UNION ALL SELECT 'bank', '', announced FROM batch_payout CROSS JOIN setting s WHERE s.bank_statement = 'no'
-- A bank line; which pay-outs it pays is the report's own finding, and the two accounts are held together (90).
UNION ALL SELECT 'bank', '', amount FROM book_bank_line
UNION ALL SELECT 'payouts and bank lines', '', -amount FROM book_bank_line
-- What people decided, but for what it did to debts.
UNION ALL
SELECT account, item, amount FROM decision_leg
WHERE account NOT IN ('receivable', 'unproven')
  AND NOT (account IN ('premium', 'write_off', 'rounding', 'elsewhere') AND other_account IN ('receivable', 'unproven'))
  -- Excess of a debt's payment is in its debt's walk; that an earlier decision about it is taken back is not.
  AND NOT (account = 'suspense' AND item IN (SELECT item FROM held_money WHERE is_held = 0 AND debt IS NOT NULL)
    AND decision NOT IN (SELECT decision FROM fact_decisions WHERE action = 'reopen' AND debt IS NULL));

-- Debts: their own accounts, and what stands against them.
CREATE OR REPLACE TABLE debt_movement AS
SELECT e.debt, e.open_end - (s.due - s.applied - s.unproven - s.lapsed - s.cancelled - s.written_off - s.waived - s.rounding - s.elsewhere) AS receivable,
  e.unproven - s.unproven AS unproven, s.due - e.due + (e.cancelled - s.cancelled) + (e.lapsed - s.lapsed) + (e.waived - s.waived) AS premium,
  e.written_off - s.written_off AS write_off, e.rounding - s.rounding - e.rounded_away AS rounding, e.elsewhere - s.elsewhere AS elsewhere,
  s.excess - e.excess AS suspense
FROM debt_end e JOIN debt_start s ON s.debt = e.debt;

CREATE OR REPLACE TABLE account_moved AS
SELECT account, item, amount FROM account_movement
UNION ALL SELECT 'receivable', debt, receivable FROM debt_movement
UNION ALL SELECT 'unproven', debt, unproven FROM debt_movement
UNION ALL SELECT 'premium', '', premium FROM debt_movement
UNION ALL SELECT 'write_off', '', write_off FROM debt_movement
UNION ALL SELECT 'rounding', '', rounding FROM debt_movement
UNION ALL SELECT 'elsewhere', '', elsewhere FROM debt_movement
-- The money of one debt in suspense is told together: which of its payments is over depends on their order alone.
UNION ALL SELECT 'suspense', debt, suspense FROM debt_movement;

-- Under which key an item of suspense is compared: money of a debt by its debt.
CREATE OR REPLACE TABLE suspense_key AS
SELECT item, max(debt) AS debt FROM held_money WHERE debt IS NOT NULL GROUP BY item;

CREATE OR REPLACE TABLE account_item AS
SELECT a.account, CASE WHEN a.account = 'suspense' THEN coalesce(k.debt, a.item) ELSE a.item END AS item, sum(a.amount) AS amount
FROM (SELECT * FROM account_opening UNION ALL SELECT * FROM account_moved) a
LEFT JOIN suspense_key k ON a.account = 'suspense' AND k.item = a.item
GROUP BY a.account, CASE WHEN a.account = 'suspense' THEN coalesce(k.debt, a.item) ELSE a.item END;
