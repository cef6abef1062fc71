-- 40: bills in scope, what became of each by the evidence, and the flags on them.

CREATE OR REPLACE TABLE bill_scope AS
SELECT b.*, s.as_of_us
FROM listed_bill b CROSS JOIN setting s
WHERE (b.planned_at_us IS NULL OR b.planned_at_us <= s.as_of_us)
  AND (b.cancelled_at_us IS NULL OR b.cancelled_at_us >= s.starts_at_us)
  AND (b.expires_at_us IS NULL OR s.starts_at_us - b.expires_at_us <= s.expiry_grace_us)
  AND NOT (b.reusable = 'no' AND EXISTS (
    SELECT 1 FROM known k WHERE k.bill = b.bill AND k.told_by IN ('ledger', 'mark') AND k.paid_at_us < s.starts_at_us));

-- What a ledger that is not this evidence says of payment.
CREATE OR REPLACE TABLE bill_mark AS
SELECT b.bill,
  CASE
    WHEN b.mark = 'undated' THEN 'in period'
    WHEN b.mark = 'dated' AND b.marked_at_us >= s.starts_at_us AND b.marked_at_us < s.ends_at_us THEN 'in period'
    WHEN b.mark = 'dated' THEN 'elsewhere'
    WHEN k.in_period > 0 THEN 'in period'
    WHEN k.told > 0 THEN 'elsewhere'
    ELSE 'none'
  END AS mark
FROM fact_bills b CROSS JOIN setting s
LEFT JOIN (
  SELECT k.bill, count(*) AS told, sum(CASE WHEN k.paid_at_us >= s.starts_at_us AND k.paid_at_us < s.ends_at_us THEN 1 ELSE 0 END) AS in_period
  FROM known k CROSS JOIN setting s WHERE k.told_by IN ('ledger', 'mark') AND k.proved_as IS NULL GROUP BY k.bill) k ON k.bill = b.bill;

CREATE OR REPLACE TABLE bill_attached AS
SELECT bill, count(*) AS attached_count, sum(amount) AS attached
FROM payment_evidence_class WHERE class NOT IN ('P01', 'P02', 'P15', 'P16', 'P17') GROUP BY bill;

CREATE OR REPLACE TABLE bill_situation AS
SELECT b.*, m.mark AS paid_mark, coalesce(a.attached_count, 0) AS attached_count, coalesce(a.attached, 0) AS attached,
  CASE WHEN b.reusable = 'yes' THEN 0 ELSE coalesce(k.paid_before, 0) END AS paid_before,
  CASE WHEN o.bill IS NOT NULL THEN 1 ELSE 0 END AS paid_outside,
  -- Also a row of an earlier month that waits in suspense is DOKU's own word.
  CASE WHEN r.subject IS NOT NULL OR EXISTS (
    SELECT 1 FROM fact_carried_rows c JOIN fact_carried_items i ON i.account = 'suspense' AND i.item = c.item AND i.amount < 0
    WHERE c.bill = b.item AND c.state = 'suspense' AND c.gross > 0) THEN 1 ELSE 0 END AS is_settled
FROM bill_scope b JOIN bill_mark m ON m.bill = b.bill
LEFT JOIN bill_attached a ON a.bill = b.bill
LEFT JOIN (SELECT k.bill, sum(k.amount) AS paid_before FROM known k CROSS JOIN setting s
  WHERE k.told_by <> 'mark' AND k.paid_at_us < s.starts_at_us GROUP BY k.bill) k ON k.bill = b.bill
LEFT JOIN (SELECT DISTINCT bill FROM payment_evidence_class WHERE class = 'P16') o ON o.bill = b.bill
LEFT JOIN (SELECT DISTINCT subject FROM row_class WHERE is_purchase = 1) r ON r.subject = 'bill ' || CAST(b.bill AS VARCHAR);

-- L07: a code that is live on two invoices.
CREATE OR REPLACE TABLE bill_live_twice AS
WITH live AS (
  SELECT b.bill, b.channel, b.payment_code, b.invoice_number FROM listed_bill b CROSS JOIN setting s
  WHERE b.payment_code <> '' AND b.code_is_dead = 'no'
    AND (coalesce(b.created_at_us, b.planned_at_us) IS NULL OR coalesce(b.created_at_us, b.planned_at_us) <= s.as_of_us)
    AND (b.expires_at_us IS NULL OR b.expires_at_us >= s.as_of_us)
    AND (b.cancelled_at_us IS NULL OR b.cancelled_at_us > s.as_of_us))
SELECT l.bill FROM live l
JOIN (SELECT channel, payment_code FROM live GROUP BY channel, payment_code HAVING count(DISTINCT invoice_number) > 1) t
  ON t.channel = l.channel AND t.payment_code = l.payment_code;
