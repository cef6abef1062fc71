-- 65: the final classes of payments and bills. Where a decision has moved a debt, what money found there is read from its walk (60), and so is how
-- its bills stand; so it is where a payment of an earlier month came to light.

CREATE OR REPLACE TABLE decided_debt AS
SELECT debt FROM fact_carried_decisions WHERE debt IS NOT NULL
UNION SELECT item FROM fact_carried_decisions WHERE item LIKE 'debt:%'
UNION SELECT h.debt FROM fact_carried_decisions c JOIN held_money h ON c.item IN (h.item, h.payment_item) WHERE h.debt IS NOT NULL
UNION SELECT debt FROM fact_decisions WHERE moved = 'yes' AND debt IS NOT NULL
UNION SELECT item FROM fact_decisions WHERE moved = 'yes' AND item LIKE 'debt:%'
UNION SELECT h.debt FROM fact_decisions d JOIN held_money h ON d.item IN (h.item, h.payment_item) WHERE d.moved = 'yes' AND h.debt IS NOT NULL
UNION SELECT l.item FROM decision_leg l WHERE l.item LIKE 'debt:%'
UNION SELECT h.debt FROM decision_leg l JOIN held_money h ON l.item IN (h.item, h.payment_item) WHERE h.debt IS NOT NULL;

-- What was owed when a payment came, as it turned out: what the debt took of one that is over, else what it paid and what it left.
CREATE OR REPLACE TABLE payment_met AS
SELECT p.payment, p.item,
  CASE WHEN w.over > 0 THEN p.amount - w.over
    WHEN w.rounded_away <> b.rounded_away OR w.rounding <> b.rounding THEN w.found_takes
    ELSE p.amount + greatest(greatest(w.due - w.applied - w.unproven - w.lapsed - w.cancelled - w.written_off - w.waived - w.rounding - w.elsewhere, 0) + e.due - w.due, 0) END AS owed,
  CASE WHEN p.amount - w.over <= 0 THEN 1 ELSE 0 END AS is_over,
  CASE WHEN b.elsewhere > 0 THEN 1 ELSE 0 END AS is_paid_elsewhere
FROM book_payment p
JOIN debt_history w ON w.debt = p.debt AND w.item = p.item
JOIN debt_history b ON b.debt = w.debt AND b.seq = w.seq - 1
JOIN debt_end e ON e.debt = p.debt
WHERE p.held_because IS NULL AND p.is_before_books = 0 AND w.is_reusable = 'no' AND p.debt IN (SELECT debt FROM decided_debt);

CREATE OR REPLACE TABLE payment_final AS
SELECT c.payment, c.item, c.identity, c.bill, c.debt, coalesce(c.amount, 0) AS amount, c.told_at_us, c.paid_at_us, c.received_at_us, c.verdict, c.conflicting, c.varied,
  c.without_bill, c.reusable, c.due, c.p08, c.p07, c.p11, c.p18, c.p09, c.p19, c.is_earlier_amount, c.channel,
  CASE WHEN m.payment IS NULL THEN c.paid_before ELSE greatest(c.due - m.owed, 0) END AS paid_before,
  CASE WHEN m.payment IS NULL THEN c.open_before ELSE c.due - greatest(c.due - m.owed, 0) END AS open_before,
  CASE WHEN m.payment IS NULL THEN c.p06 WHEN m.is_over = 1 AND NOT (m.is_paid_elsewhere = 1 OR c.class = 'P12') THEN 1 ELSE 0 END AS p06,
  CASE WHEN m.payment IS NULL THEN c.p12 WHEN m.is_over = 1 AND (m.is_paid_elsewhere = 1 OR c.class = 'P12') THEN 1 ELSE 0 END AS p12
FROM payment_evidence_class c LEFT JOIN payment_met m ON m.payment = c.payment AND c.reusable = 'no';

CREATE OR REPLACE TABLE payment_class AS
SELECT f.*,
  CASE WHEN f.paid_before = 0 AND f.amount <> f.due AND f.is_earlier_amount = 1 THEN 1 ELSE 0 END AS p10,
  CASE WHEN f.amount + s.tolerance < f.open_before THEN 1 ELSE 0 END AS p03,
  CASE WHEN f.amount > f.open_before + s.tolerance THEN 1 ELSE 0 END AS p04,
  CASE
    WHEN f.without_bill IS NOT NULL THEN f.without_bill
    WHEN f.p06 = 1 THEN 'P06' WHEN f.p12 = 1 THEN 'P12' WHEN f.p08 = 1 THEN 'P08' WHEN f.p07 = 1 THEN 'P07'
    WHEN f.paid_before = 0 AND f.amount <> f.due AND f.is_earlier_amount = 1 THEN 'P10'
    WHEN f.amount + s.tolerance < f.open_before THEN 'P03'
    WHEN f.amount > f.open_before + s.tolerance THEN 'P04'
    WHEN f.p11 = 1 THEN 'P11' WHEN f.p18 = 1 THEN 'P18' WHEN f.p09 = 1 THEN 'P09' WHEN f.p19 = 1 THEN 'P19'
    WHEN f.reusable = 'yes' AND f.amount = f.due THEN 'P13'
    WHEN f.amount <> f.open_before THEN 'P05'
    WHEN f.paid_before > 0 THEN 'P14'
    ELSE 'P00'
  END AS class
FROM payment_final f CROSS JOIN setting s;

-- Bills that are classed by how their debt stands in the books.
CREATE OR REPLACE TABLE bill_standing AS
SELECT b.bill, e.applied + greatest(coalesce(h.held, 0), 0) AS paid, e.waived + e.lapsed + e.written_off + e.elsewhere - (e.due - b.amount) AS taken_off
FROM fact_bills b JOIN debt_end e ON e.debt = b.debt CROSS JOIN setting s
LEFT JOIN (
  SELECT k.debt, -sum(a.amount) AS held FROM account_item a JOIN (SELECT DISTINCT debt FROM suspense_key) k ON k.debt = a.item
  WHERE a.account = 'suspense' GROUP BY k.debt) h ON h.debt = b.debt
WHERE e.is_reusable = 'no' AND (b.debt IN (SELECT debt FROM decided_debt)
  OR (s.is_carried = 'yes' AND b.bill IN (
    SELECT c.bill FROM payment_evidence_class c CROSS JOIN setting t WHERE c.class = 'P16' AND c.paid_at_us < t.starts_at_us AND c.bill IS NOT NULL)));

CREATE OR REPLACE TABLE bill_class AS
WITH judged AS (
  SELECT b.bill, b.invoice_number, b.payment_code, b.amount, b.reusable, b.issue_in_doubt, b.cancelled_at_us, b.expires_at_us, b.paid_mark, b.paid_outside,
    b.is_settled, b.issued_otherwise,
    CASE WHEN t.bill IS NULL THEN b.attached_count WHEN t.paid > 0 THEN 1 ELSE 0 END AS attached_count,
    CASE WHEN t.bill IS NULL THEN b.attached ELSE t.paid END AS attached,
    CASE WHEN t.bill IS NULL THEN b.paid_before ELSE 0 END AS paid_before,
    CASE WHEN t.bill IS NULL THEN 0 ELSE t.taken_off END AS taken_off
  FROM bill_situation b LEFT JOIN bill_standing t ON t.bill = b.bill)
SELECT j.*,
  CASE
    WHEN j.attached_count > 0 OR j.paid_before > 0 THEN
      CASE WHEN j.reusable = 'yes' THEN 'L00'
        WHEN j.attached + j.paid_before + j.taken_off - j.amount < -s.tolerance THEN 'L11'
        WHEN j.attached + j.paid_before + j.taken_off - j.amount > s.tolerance THEN 'L12'
        ELSE 'L00' END
    WHEN j.issue_in_doubt = 'yes' THEN 'L06'
    WHEN j.taken_off >= j.amount AND j.cancelled_at_us IS NULL THEN 'L00'
    WHEN j.paid_mark = 'in period' AND j.paid_outside = 0 AND j.is_settled = 0 THEN 'L04'
    WHEN j.payment_code = '' THEN 'L05'
    WHEN j.cancelled_at_us <= s.as_of_us THEN 'L03'
    WHEN j.paid_mark = 'none' AND j.paid_outside = 0 AND j.is_settled = 0 AND j.expires_at_us + s.expiry_grace_us < s.as_of_us THEN 'L02'
    ELSE 'L01'
  END AS class,
  CASE WHEN s.as_of_us - j.expires_at_us > s.expired_break_us THEN 1 ELSE 0 END AS is_aged,
  CASE WHEN l.bill IS NOT NULL THEN 1 ELSE 0 END AS l07
FROM judged j CROSS JOIN setting s LEFT JOIN (SELECT DISTINCT bill FROM bill_live_twice) l ON l.bill = j.bill;

-- Every class with its count and rupiah, as summary.json has them.
CREATE OR REPLACE TABLE rule_classes AS
SELECT 'lines' AS section, class, count(*) AS count, sum(amount) AS amount FROM line_class GROUP BY class
UNION ALL SELECT 'payments', class, count(*), sum(amount) FROM payment_class GROUP BY class
UNION ALL SELECT 'bills', class, count(*), sum(amount) FROM bill_class GROUP BY class
UNION ALL
SELECT 'settlement', class, sum(count), sum(amount) FROM (
  SELECT class, count(*) AS count, sum(amount) AS amount FROM row_class GROUP BY class
  UNION ALL SELECT 'S10', count(*), 0 FROM fact_settlement_malformed HAVING count(*) > 0
  UNION ALL SELECT 'S02', count(*), sum(amount) FROM payment_unsettled WHERE is_unsettled = 1 HAVING count(*) > 0
  UNION ALL SELECT 'S05', count(*), 0 FROM batch_sums WHERE differs = 1 HAVING count(*) > 0) rows_and_more GROUP BY class
UNION ALL SELECT 'inquiries', class, count(*), sum(amount) FROM inquiry_class WHERE class IS NOT NULL GROUP BY class
UNION ALL SELECT 'inquiries', 'I01', count(*), sum(amount) FROM code_not_paid HAVING count(*) > 0
UNION ALL SELECT 'counted_apart', 'L09', count(*), sum(amount) FROM fact_unlisted_codes HAVING count(*) > 0
UNION ALL SELECT 'counted_apart', 'L10', count(*), 0 FROM fact_malformed_bills HAVING count(*) > 0;

-- Flags: lower hits of the same table, and what is said beside a class.
CREATE OR REPLACE TABLE rule_flags AS
WITH judged AS (SELECT p.*, CASE WHEN p.without_bill IS NULL THEN 1 ELSE 0 END AS has_lower FROM payment_class p),
raised AS (
  SELECT 'N05' AS flag, amount FROM line_class WHERE n05 = 1
  UNION ALL SELECT 'N10', amount FROM line_class WHERE n10 = 1
  UNION ALL SELECT 'N11', amount FROM line_class WHERE n11 = 1
  UNION ALL SELECT 'N03', amount FROM line_class WHERE n03 = 1
  UNION ALL SELECT 'P12', amount FROM judged WHERE has_lower = 1 AND p12 = 1 AND class IN ('P06')
  UNION ALL SELECT 'P08', amount FROM judged WHERE has_lower = 1 AND p08 = 1 AND class IN ('P06', 'P12')
  UNION ALL SELECT 'P07', amount FROM judged WHERE has_lower = 1 AND p07 = 1 AND class IN ('P06', 'P12', 'P08')
  UNION ALL SELECT 'P10', amount FROM judged WHERE has_lower = 1 AND p10 = 1 AND class IN ('P06', 'P12', 'P08', 'P07')
  UNION ALL SELECT 'P03', amount FROM judged WHERE has_lower = 1 AND p03 = 1 AND class IN ('P06', 'P12', 'P08', 'P07', 'P10')
  UNION ALL SELECT 'P04', amount FROM judged WHERE has_lower = 1 AND p04 = 1 AND class IN ('P06', 'P12', 'P08', 'P07', 'P10')
  UNION ALL SELECT 'P11', amount FROM judged WHERE has_lower = 1 AND p11 = 1 AND class IN ('P06', 'P12', 'P08', 'P07', 'P10', 'P03', 'P04')
  UNION ALL SELECT 'P18', amount FROM judged WHERE has_lower = 1 AND p18 = 1 AND class IN ('P06', 'P12', 'P08', 'P07', 'P10', 'P03', 'P04', 'P11')
  UNION ALL SELECT 'P09', amount FROM judged WHERE has_lower = 1 AND p09 = 1 AND class IN ('P06', 'P12', 'P08', 'P07', 'P10', 'P03', 'P04', 'P11', 'P18')
  UNION ALL SELECT 'P19', amount FROM judged WHERE p19 = 1 AND class <> 'P19'
  UNION ALL SELECT 'late_evidence', p.amount FROM judged p CROSS JOIN setting s
    WHERE p.told_at_us IS NULL AND p.paid_at_us >= s.starts_at_us AND p.paid_at_us < s.ends_at_us AND p.received_at_us >= s.ends_at_us
  UNION ALL SELECT 'conflicting', amount FROM judged WHERE conflicting = 1
  UNION ALL SELECT 'varied', amount FROM judged WHERE varied = 1
  UNION ALL SELECT flag, amount FROM row_flag
  UNION ALL SELECT 'L07', amount FROM bill_class WHERE l07 = 1
  UNION ALL SELECT 'L08', amount FROM bill_class WHERE issued_otherwise = 'yes')
SELECT flag, count(*) AS count, sum(amount) AS amount FROM raised GROUP BY flag;
