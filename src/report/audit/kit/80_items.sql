-- 80: what is listed beside the classes of this run: alarms, and items of the books that no line, payment, bill or row tells of (B01 to B05). Each is
-- named by where it stands and what it is of; whether it is to be dealt with follows from its days.

-- Bills of open debts that the ledger lists no more (L13): one alarm for all of them, if the ledger lists any bill at all.
CREATE OR REPLACE TABLE vanished AS
SELECT count(*) AS debts, coalesce(sum(open_before), 0) AS at_stake FROM (
  SELECT d.debt, d.due - d.applied - d.unproven - d.lapsed - d.cancelled - d.written_off - d.waived - d.rounding - d.elsewhere AS open_before
  FROM fact_carried_debts d
  WHERE d.debt NOT IN (SELECT c.debt FROM fact_carried_bills c JOIN listed_bill b ON b.item = c.item)) gone
WHERE open_before > 0 AND EXISTS (SELECT 1 FROM listed_bill);

-- Debts whose bills ask for different amounts, one of these bills in scope (L14): the largest counts.
CREATE OR REPLACE TABLE differing_debt AS
SELECT b.bill_group, max(b.amount) AS at_stake
FROM listed_bill b LEFT JOIN bill_scope s ON s.bill = b.bill
WHERE b.bill_group IS NOT NULL AND b.reusable = 'no' AND b.cancelled_at_us IS NULL
GROUP BY b.bill_group HAVING min(b.amount) <> max(b.amount) AND max(CASE WHEN s.bill IS NULL THEN 0 ELSE 1 END) = 1;

-- Alarms that this run raises, by class; a line that stands in two files is one.
CREATE OR REPLACE TABLE raised_alarm AS
SELECT class, count(*) AS alarms FROM (
  SELECT digest, min(class) AS class FROM (
    SELECT digest, CASE WHEN class IN ('N01', 'N02', 'N03', 'N04', 'N07', 'N12') THEN class ELSE 'N05' END AS class
    FROM line_class WHERE class IN ('N01', 'N02', 'N03', 'N04', 'N07', 'N12') OR n05 = 1
    -- What was posted of a payment stays, so a message that says something else contradicts it, also if it came first.
    UNION ALL
    SELECT p.digest, 'N07' FROM proof p
    JOIN (SELECT proved_as, amount FROM known UNION ALL SELECT proved_as, amount FROM waiting) k ON k.proved_as = p.payment
    WHERE p.amount > 0 AND p.amount <> k.amount) told GROUP BY digest
  UNION ALL
  SELECT payment, CASE
      WHEN c.class IN ('P17', 'P11', 'P18', 'P09') THEN c.class
      WHEN c.class = 'P19' THEN CASE WHEN s.as_of_us - c.told_at_us > s.status_grace_us THEN 'P19' END
      WHEN c.class IN ('P01', 'P02', 'P15', 'P16', 'P00', 'P05', 'P13', 'P14') THEN NULL
      WHEN c.p11 = 1 THEN 'P11' WHEN c.p18 = 1 THEN 'P18' WHEN c.p09 = 1 THEN 'P09' WHEN c.p19 = 1 THEN 'P19' END
  FROM payment_evidence_class c CROSS JOIN setting s
  UNION ALL SELECT payment, class FROM inquiry_class WHERE class IN ('I02', 'I03', 'I04')
  UNION ALL SELECT DISTINCT invoice_number || ' ' || payment_code, 'L07' FROM bill_class WHERE l07 = 1
  UNION ALL SELECT DISTINCT invoice_number || ' ' || payment_code, 'L09' FROM fact_unlisted_codes
  UNION ALL SELECT DISTINCT digest, 'L10' FROM fact_malformed_bills
  UNION ALL SELECT 'all', 'L13' FROM vanished WHERE debts > 0
  UNION ALL SELECT bill_group, 'L14' FROM differing_debt) raised
WHERE class IS NOT NULL GROUP BY class;

-- Of these the rules know how many there are: nothing of the class is handed on by the month before, but for what a ledger that is read answers; nobody
-- has decided about an alarm; and the line's signature, not the log, is believed.
CREATE OR REPLACE TABLE alarm_class AS
SELECT n.class, coalesce(r.alarms, 0) AS alarms
FROM (VALUES ('N01'), ('N02'), ('N03'), ('N04'), ('N05'), ('N07'), ('N12'), ('P17'), ('P11'), ('P18'), ('P09'), ('P19'), ('I02'), ('I03'), ('I04'), ('L07'), ('L09'), ('L10'), ('L13'), ('L14')) AS n (class)
LEFT JOIN raised_alarm r ON r.class = n.class CROSS JOIN setting s
WHERE s.trusts_log = 'no' AND NOT EXISTS (SELECT 1 FROM fact_decisions d WHERE d.item LIKE 'alarm:%')
  AND (NOT EXISTS (SELECT 1 FROM fact_carried_alarms c WHERE c.class = n.class AND c.is_answered = 'no')
    OR (n.class IN ('L07', 'L09', 'L10', 'L13', 'L14') AND n.class NOT IN (SELECT class FROM fact_not_evaluated) AND EXISTS (SELECT 1 FROM listed_bill)));

-- What rows without money of their own are called: they could mean several payments, come twice, or are of a payment of no usable amount.
CREATE OR REPLACE TABLE row_called AS
SELECT item, class FROM row_class WHERE is_repeated = 0 AND class IN ('S13', 'S07')
UNION SELECT item, 'S03' FROM row_class WHERE told IS NOT NULL AND notified IS NULL AND class = 'S03'
UNION SELECT w.item, 'S13' FROM row_waiting w JOIN row_ambiguous m ON m.place = w.place
UNION SELECT w.item, 'S13' FROM row_waiting w JOIN row_subject s ON s.place = w.place WHERE s.subjects > 1
UNION SELECT w.item, 'S07' FROM row_waiting w JOIN row_alone a ON a.place = w.place WHERE a.is_again = 1
UNION SELECT w.item, 'S03' FROM row_waiting w JOIN paired p ON p.place = w.place JOIN notified t ON t.told = p.told WHERE t.amount IS NULL;

-- What an item is called by its account, and how long it may wait.
CREATE OR REPLACE TABLE item_class AS
SELECT o.account, o.item, o.class AS called, o.status,
  CASE WHEN o.account = 'unproven' THEN 'L04'
    WHEN o.account = 'payouts' THEN 'B02'
    WHEN o.account = 'refunds_due' THEN 'B03'
    WHEN o.account = 'deposits' THEN 'B05'
    WHEN o.account = 'clearing' THEN 'S05'
    -- What a row of DOKU's has settled otherwise is that row's, whoever is said to settle the channel.
    WHEN o.account IN ('doku', 'direct') THEN CASE WHEN o.item IN (SELECT item FROM fact_carried_payments WHERE settled_by IS NOT NULL)
      OR o.item IN (SELECT paid_item FROM book_row WHERE state = 'settled') OR o.item IN (SELECT payment_item FROM claim) THEN 'S03' WHEN o.account = 'direct' THEN 'B04' ELSE 'S02' END
    WHEN o.account = 'suspense' AND o.item LIKE 'bank_line:%' THEN 'B01'
    WHEN o.account = 'suspense' AND o.item LIKE 'row:%' AND o.item NOT IN (SELECT row_item FROM claim)
      AND o.item NOT IN (SELECT held_as FROM fact_carried_payments)
      THEN CASE WHEN o.item IN (SELECT item FROM book_row WHERE kind = 'refund') OR o.item IN (SELECT item FROM fact_carried_rows WHERE gross < 0) THEN 'S06'
        ELSE coalesce((SELECT min(c.class) FROM row_called c WHERE c.item = o.item),
          CASE WHEN o.item IN (SELECT item FROM book_row WHERE kind = 'of payment') OR o.item IN (SELECT item FROM fact_carried_rows WHERE payment IS NOT NULL)
            THEN 'S03' ELSE 'S01' END) END
  END AS class,
  CASE
    WHEN o.account = 'deposits' THEN 'not_yet_due'
    WHEN o.account = 'direct' AND (o.item IN (SELECT item FROM fact_carried_payments WHERE settled_by IS NOT NULL)
      OR o.item IN (SELECT paid_item FROM book_row WHERE state = 'settled') OR o.item IN (SELECT payment_item FROM claim)) THEN 'to_do'
    WHEN o.account = 'direct' AND s.bank_statement = 'no' THEN 'not_yet_due'
    WHEN o.account IN ('direct', 'payouts') THEN CASE WHEN date_diff('day', CAST(o.since AS DATE), t.today) > s.bank_window_days THEN 'to_do' ELSE 'not_yet_due' END
    -- The rest of a batch may come as long as its month lasts.
    WHEN o.account = 'clearing' AND t.today <= s.period_to AND CAST(o.since AS DATE) >= s.period_from THEN 'not_yet_due'
    WHEN o.account IN ('clearing', 'unproven', 'suspense', 'refunds_due') THEN 'to_do'
  END AS waits
FROM figure_open_items o CROSS JOIN setting s
CROSS JOIN (SELECT greatest(CAST(DATE '1970-01-01' + CAST(floor((as_of_us + 25200000000) / 86400000000) AS INTEGER) AS DATE), period_from) AS today FROM setting) t;

-- Which bank line pays which pay-out, as the postings have it: a line of this month by its own posting, an earlier one out of suspense. What people
-- decided about the two is theirs.
CREATE OR REPLACE TABLE bank_payment AS
SELECT line, payout, sum(amount) AS amount FROM (
  SELECT CASE WHEN debit_account = 'suspense' THEN debit_item ELSE cause END AS line, credit_item AS payout, amount
  FROM figure_postings WHERE credit_account = 'payouts' AND debit_account IN ('bank', 'suspense') AND cause NOT LIKE 'decision:%'
  UNION ALL
  SELECT CASE WHEN credit_account = 'suspense' THEN credit_item ELSE cause END, debit_item, -amount
  FROM figure_postings WHERE debit_account = 'payouts' AND credit_account IN ('bank', 'suspense') AND cause NOT LIKE 'decision:%') paid
WHERE line LIKE 'bank_line:%' GROUP BY line, payout;

CREATE OR REPLACE TABLE bank_line_told AS
SELECT item, "on", amount FROM book_bank_line UNION SELECT item, "on", amount FROM fact_carried_bank_lines;

-- The batches a line names: it pays no others.
CREATE OR REPLACE TABLE bank_line_named AS
SELECT DISTINCT b.item, n.batch FROM fact_bank_line_batches b
JOIN (SELECT batch, max(name) AS name FROM (SELECT batch, batch_id AS name FROM fact_settlement_rows UNION SELECT batch, name FROM fact_carried_batch_days) named
  GROUP BY batch) n ON n.name = b.batch_id
-- Shorter names occur in any text.
WHERE length(n.name) >= CASE WHEN translate(n.name, '0123456789', '') = '' THEN 4 ELSE 3 END;

-- A line pays what it names, or what came to just its amount within the days a transfer takes; whole lines, whole pay-outs.
CREATE OR REPLACE TABLE bank_doubt AS
WITH pair AS (
  SELECT p.line, p.payout, p.amount, l."on" AS line_on, l.amount AS line_amount, n.batch, n.paid_out_on,
    CASE WHEN EXISTS (SELECT 1 FROM bank_line_named m WHERE m.item = p.line) THEN 1 ELSE 0 END AS names_any,
    CASE WHEN EXISTS (SELECT 1 FROM bank_line_named m WHERE m.item = p.line AND m.batch = n.batch) THEN 1 ELSE 0 END AS names_it,
    CASE WHEN n.paid_out_on <= l."on" AND date_diff('day', CAST(n.paid_out_on AS DATE), CAST(l."on" AS DATE)) <= s.bank_window_days THEN 1 ELSE 0 END AS is_near
  FROM bank_payment p CROSS JOIN setting s LEFT JOIN bank_line_told l ON l.item = p.line LEFT JOIN fact_payout_names n ON n.payout = p.payout)
SELECT line AS subject, 'pays ' || CAST(sum(amount) AS VARCHAR) AS in_report, CAST(max(line_amount) AS VARCHAR) || ' came' AS by_rules
FROM pair GROUP BY line HAVING sum(amount) <> coalesce(max(line_amount), 0)
UNION ALL
SELECT line || ' for ' || payout, 'paid by it', 'it names another batch, or is not of those days'
FROM pair p WHERE p.names_it = 0 AND (p.is_near = 0
  OR (p.names_any = 1 AND NOT EXISTS (SELECT 1 FROM pair o WHERE o.line = p.line AND o.names_it = 1)))
UNION ALL
SELECT o.item, 'open', 'paid by a line in part' FROM figure_open_items o WHERE o.account = 'payouts' AND o.item IN (SELECT payout FROM bank_payment)
UNION ALL
-- Nothing is left that pays exactly: neither by name nor by its days.
SELECT f.item || ' and ' || o.item, 'both open', 'one pays the other'
FROM figure_open_items f JOIN bank_line_told l ON l.item = f.item JOIN figure_open_items o ON o.account = 'payouts' AND o.amount = f.amount
JOIN fact_payout_names n ON n.payout = o.item CROSS JOIN setting s
WHERE f.account = 'suspense' AND f.amount = l.amount AND f.decision = '' AND l.amount > 0
  AND (EXISTS (SELECT 1 FROM bank_line_named m WHERE m.item = f.item AND m.batch = n.batch)
    OR (NOT EXISTS (SELECT 1 FROM bank_line_named m WHERE m.item = f.item)
      AND n.paid_out_on <= l."on" AND date_diff('day', CAST(n.paid_out_on AS DATE), CAST(l."on" AS DATE)) <= s.bank_window_days));
