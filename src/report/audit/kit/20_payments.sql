-- 20: which bill a payment is of, and its class by the evidence. Rules are tried in their order; the first hit is the class, lower hits are flags.

CREATE OR REPLACE TABLE payment_numbered AS
SELECT DISTINCT p.payment, n.bill,
  CASE WHEN n.any_code = 'yes' OR b.payment_code = p.payment_code OR f.bill IS NOT NULL THEN 1 ELSE 0 END AS is_pair
FROM payment p
JOIN fact_bill_numbers n ON n.number = p.invoice_number
JOIN fact_bills b ON b.bill = n.bill
LEFT JOIN fact_bill_former_codes f ON f.bill = n.bill AND f.payment_code = p.payment_code;

CREATE OR REPLACE TABLE payment_coded AS
SELECT p.payment, b.bill FROM payment p JOIN fact_bills b ON b.payment_code = p.payment_code AND b.payment_code <> ''
UNION
SELECT p.payment, f.bill FROM payment p JOIN fact_bill_former_codes f ON f.payment_code = p.payment_code;

CREATE OR REPLACE TABLE payment_found AS
SELECT p.payment, coalesce(n.pairs, 0) AS pairs, coalesce(n.numbered, 0) AS numbered, coalesce(c.coded, 0) AS coded,
  CASE WHEN n.pairs = 1 THEN n.pair END AS bill
FROM payment p
LEFT JOIN (
  SELECT payment, count(DISTINCT CASE WHEN is_pair = 1 THEN bill END) AS pairs, count(DISTINCT bill) AS numbered,
    max(CASE WHEN is_pair = 1 THEN bill END) AS pair
  FROM payment_numbered GROUP BY payment) n ON n.payment = p.payment
LEFT JOIN (SELECT payment, count(DISTINCT bill) AS coded FROM payment_coded GROUP BY payment) c ON c.payment = p.payment;

-- Every payment that may come before another: this evidence's, and what is known from elsewhere only.
CREATE OR REPLACE TABLE money_of_bill AS
SELECT f.bill, p.paid_at_us, p.identity, p.amount FROM payment p JOIN payment_found f ON f.payment = p.payment
WHERE f.bill IS NOT NULL AND p.amount IS NOT NULL
UNION ALL
SELECT k.bill, k.paid_at_us, k.identity, k.amount FROM known k WHERE k.proved_as IS NULL
  -- A mark that nothing had proved at the end of the month before is no payment: what comes now is its proof.
  AND NOT (k.told_by = 'mark' AND EXISTS (SELECT 1 FROM fact_bills b JOIN fact_carried_items c ON c.account = 'unproven' AND c.item = b.debt
    WHERE b.bill = k.bill AND c.amount > 0));

CREATE OR REPLACE TABLE payment_before AS
SELECT p.payment,
  coalesce(sum(m.amount), 0) AS paid_before,
  coalesce(max(CASE WHEN m.amount + s.tolerance >= b.amount THEN 1 ELSE 0 END), 0) AS covered_by_one
FROM payment p JOIN payment_found f ON f.payment = p.payment JOIN fact_bills b ON b.bill = f.bill CROSS JOIN setting s
JOIN money_of_bill m ON m.bill = f.bill
  AND (m.paid_at_us < p.paid_at_us OR (m.paid_at_us = p.paid_at_us AND m.identity < p.identity))
GROUP BY p.payment;

-- The first payment that covers a bill of a group.
CREATE OR REPLACE TABLE group_cover AS
SELECT b.bill_group, m.bill, m.paid_at_us, m.identity
FROM money_of_bill m JOIN fact_bills b ON b.bill = m.bill CROSS JOIN setting s
WHERE b.bill_group IS NOT NULL AND m.amount + s.tolerance >= b.amount;

CREATE OR REPLACE TABLE payment_elsewhere AS
SELECT DISTINCT p.payment
FROM payment p JOIN payment_found f ON f.payment = p.payment JOIN fact_bills b ON b.bill = f.bill
JOIN group_cover g ON g.bill_group = b.bill_group AND g.bill <> f.bill
  AND (g.paid_at_us < p.paid_at_us OR (g.paid_at_us = p.paid_at_us AND g.identity < p.identity));

-- Whether a policy was lapsed: the last state recorded until the payment counts.
CREATE OR REPLACE TABLE payment_policy AS
SELECT payment, is_lapsed FROM (
  SELECT p.payment, o.is_lapsed, row_number() OVER (PARTITION BY p.payment ORDER BY o.recorded_at_us DESC, o.is_lapsed DESC) AS nth
  FROM payment p JOIN payment_found f ON f.payment = p.payment
  JOIN fact_bill_policies o ON o.bill = f.bill AND o.recorded_at_us <= p.paid_at_us) states
WHERE nth = 1;

-- Everything a payment's rules look at. Money for a code that was replaced is held against what held for that code.
CREATE OR REPLACE TABLE payment_facts AS
SELECT p.*, f.bill, f.pairs, f.numbered, f.coded, b.debt, b.amount AS due, b.reusable, b.channel AS bill_channel, b.cancelled_at_us,
  CASE WHEN o.bill IS NOT NULL THEN o.created_at_us ELSE b.created_at_us END AS created_at_us,
  CASE WHEN o.bill IS NOT NULL THEN o.expires_at_us ELSE b.expires_at_us END AS expires_at_us,
  CASE WHEN b.reusable = 'yes' THEN 0 ELSE coalesce(e.paid_before, 0) END AS paid_before,
  CASE WHEN e.covered_by_one = 1 OR (coalesce(e.paid_before, 0) > 0 AND e.paid_before + s.tolerance >= b.amount) THEN 1 ELSE 0 END AS covered,
  CASE WHEN w.payment IS NOT NULL THEN 1 ELSE 0 END AS elsewhere,
  CASE WHEN y.is_lapsed = 'yes' THEN 1 ELSE 0 END AS policy_lapsed,
  CASE WHEN h.bill IS NOT NULL THEN 1 ELSE 0 END AS is_earlier_amount
FROM payment p JOIN payment_found f ON f.payment = p.payment CROSS JOIN setting s
LEFT JOIN fact_bills b ON b.bill = f.bill
LEFT JOIN payment_before e ON e.payment = p.payment
LEFT JOIN payment_elsewhere w ON w.payment = p.payment
LEFT JOIN payment_policy y ON y.payment = p.payment
LEFT JOIN (SELECT DISTINCT bill, amount FROM fact_bill_earlier_amounts) h ON h.bill = f.bill AND h.amount = p.amount
LEFT JOIN (SELECT bill, payment_code, min(created_at_us) AS created_at_us, min(expires_at_us) AS expires_at_us
  FROM fact_bill_former_codes GROUP BY bill, payment_code) o
  ON o.bill = f.bill AND o.payment_code = p.payment_code AND b.payment_code <> p.payment_code;

-- Every rule that needs a bill, as hits; P13, P14, P05 and P00 are what is left.
CREATE OR REPLACE TABLE payment_hits AS
SELECT f.*,
  CASE WHEN f.reusable = 'yes' THEN f.due WHEN f.due > f.paid_before THEN f.due - f.paid_before ELSE 0 END AS open_before,
  CASE WHEN f.reusable = 'no' AND f.covered = 1 THEN 1 ELSE 0 END AS p06,
  CASE WHEN f.reusable = 'no' AND f.elsewhere = 1 THEN 1 ELSE 0 END AS p12,
  CASE WHEN f.paid_at_us > f.cancelled_at_us THEN 1 ELSE 0 END AS p08,
  CASE WHEN f.paid_at_us > f.expires_at_us + s.expiry_grace_us THEN 1 ELSE 0 END AS p07,
  CASE WHEN f.paid_before = 0 AND f.amount <> f.due AND f.is_earlier_amount = 1 THEN 1 ELSE 0 END AS p10,
  CASE WHEN f.channel <> f.bill_channel OR f.acquirer_differs = 'yes' THEN 1 ELSE 0 END AS p11,
  CASE WHEN f.policy_lapsed = 1 THEN 1 ELSE 0 END AS p18,
  CASE WHEN f.paid_at_us + s.skew_us < f.created_at_us THEN 1 ELSE 0 END AS p09,
  CASE WHEN f.told_at_us IS NOT NULL THEN 1 ELSE 0 END AS p19,
  CASE
    WHEN f.amount IS NULL THEN 'P17'
    WHEN f.paid_at_us < s.starts_at_us OR f.paid_at_us >= s.ends_at_us THEN 'P16'
    WHEN f.pairs = 1 THEN NULL
    WHEN f.pairs > 1 THEN 'P15'
    WHEN f.numbered = 0 AND f.coded = 0 THEN 'P01'
    WHEN (f.numbered = 0 AND f.coded > 1) OR (f.coded = 0 AND f.numbered > 1) THEN 'P15'
    ELSE 'P02'
  END AS without_bill
FROM payment_facts f CROSS JOIN setting s;

CREATE OR REPLACE TABLE payment_evidence_class AS
SELECT h.*, s.tolerance,
  CASE WHEN h.amount + s.tolerance < h.open_before THEN 1 ELSE 0 END AS p03,
  CASE WHEN h.amount > h.open_before + s.tolerance THEN 1 ELSE 0 END AS p04,
  CASE
    WHEN h.without_bill IS NOT NULL THEN h.without_bill
    WHEN h.p06 = 1 THEN 'P06' WHEN h.p12 = 1 THEN 'P12' WHEN h.p08 = 1 THEN 'P08' WHEN h.p07 = 1 THEN 'P07' WHEN h.p10 = 1 THEN 'P10'
    WHEN h.amount + s.tolerance < h.open_before THEN 'P03'
    WHEN h.amount > h.open_before + s.tolerance THEN 'P04'
    WHEN h.p11 = 1 THEN 'P11' WHEN h.p18 = 1 THEN 'P18' WHEN h.p09 = 1 THEN 'P09' WHEN h.p19 = 1 THEN 'P19'
    WHEN h.reusable = 'yes' AND h.amount = h.due THEN 'P13'
    WHEN h.amount <> h.open_before THEN 'P05'
    WHEN h.paid_before > 0 THEN 'P14'
    ELSE 'P00'
  END AS class
FROM payment_hits h CROSS JOIN setting s;
