-- 50: payments against what was answered when DOKU asked about their codes.

CREATE OR REPLACE TABLE inquired_payment AS
SELECT p.payment, p.paid_at_us, p.amount, CASE WHEN f.bill IS NOT NULL AND b.payment_code <> '' AND o.bill IS NULL THEN b.payment_code ELSE p.payment_code END AS code,
  CASE WHEN b.by_inquiry = 'yes' OR EXISTS (
    SELECT 1 FROM fact_bills h WHERE h.payment_code = p.payment_code AND h.by_inquiry = 'yes') THEN 1 ELSE 0 END AS is_by_inquiry
FROM payment_evidence_class p CROSS JOIN setting s JOIN payment_found f ON f.payment = p.payment
LEFT JOIN fact_bills b ON b.bill = f.bill
LEFT JOIN fact_bill_former_codes o ON o.bill = f.bill AND o.payment_code = p.payment_code
WHERE s.has_inquiries = 'yes' AND p.class NOT IN ('P16', 'P17');

-- An answer within the payment's second, or up to the skew after it, counts only in the payment's favour.
CREATE OR REPLACE TABLE inquired_answer AS
SELECT p.payment, a.answered_at_us, CASE WHEN a.answered_at_us < p.paid_at_us THEN 1 ELSE 0 END AS is_before,
  CASE WHEN a.payable IS NULL THEN 'I03' WHEN abs(a.payable - p.amount) > s.tolerance THEN 'I04' ELSE 'I00' END AS class,
  row_number() OVER (PARTITION BY p.payment, CASE WHEN a.answered_at_us < p.paid_at_us THEN 1 ELSE 0 END
    ORDER BY a.answered_at_us DESC, a.payable DESC NULLS LAST) AS latest
FROM inquired_payment p CROSS JOIN setting s
JOIN fact_inquiries a ON a.payment_code = p.code AND a.answered_at_us < p.paid_at_us + 1000000 + s.skew_us;

CREATE OR REPLACE TABLE inquiry_class AS
SELECT p.payment, p.amount,
  CASE
    WHEN NOT EXISTS (SELECT 1 FROM fact_inquiries i WHERE i.payment_code = p.code) AND p.is_by_inquiry = 0 THEN NULL
    WHEN about.good > 0 THEN 'I00'
    WHEN b.class IS NOT NULL THEN b.class
    WHEN about.other_amount > 0 THEN 'I04'
    ELSE 'I02'
  END AS class
FROM inquired_payment p
LEFT JOIN inquired_answer b ON b.payment = p.payment AND b.is_before = 1 AND b.latest = 1
LEFT JOIN (
  SELECT payment, sum(CASE WHEN class = 'I00' THEN 1 ELSE 0 END) AS good, sum(CASE WHEN class = 'I04' THEN 1 ELSE 0 END) AS other_amount
  FROM inquired_answer WHERE is_before = 0 GROUP BY payment) about ON about.payment = p.payment;

-- I01: codes told payable in the period and not paid from then on, in rupiah of the last answer.
CREATE OR REPLACE TABLE code_not_paid AS
WITH payable AS (
  SELECT a.payment_code, a.answered_at_us, a.payable,
    row_number() OVER (PARTITION BY a.payment_code ORDER BY a.answered_at_us DESC, a.payable DESC) AS latest,
    min(a.answered_at_us) OVER (PARTITION BY a.payment_code) AS first_at_us
  FROM fact_inquiries a CROSS JOIN setting s
  WHERE a.payable IS NOT NULL AND a.answered_at_us >= s.starts_at_us AND a.answered_at_us < s.ends_at_us AND s.has_inquiries = 'yes')
SELECT y.payment_code, y.payable AS amount FROM payable y CROSS JOIN setting s
WHERE y.latest = 1 AND NOT EXISTS (
  SELECT 1 FROM payment p JOIN payment_found f ON f.payment = p.payment LEFT JOIN fact_bills b ON b.bill = f.bill
  WHERE (p.payment_code = y.payment_code OR b.payment_code = y.payment_code)
    AND y.first_at_us < p.paid_at_us + 1000000 + s.skew_us);
