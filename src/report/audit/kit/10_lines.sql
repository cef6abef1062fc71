-- 10: evidence lines. Whose word a line is (its signature) is a fact; the class of each line, and which payments they prove, follow here.

-- What a line is by itself, tried in the order of the rules.
CREATE OR REPLACE TABLE line_alone AS
SELECT l.*,
  CASE
    WHEN l.verdict = 'unread' THEN 'N01'
    WHEN l.verdict = 'foreign' THEN 'N04'
    WHEN l.verdict = 'unverifiable' AND s.trusts_log = 'no' THEN 'N03'
    WHEN l.verdict = 'forged' THEN 'N02'
    WHEN l.says = 'unusable' THEN 'N12'
    WHEN l.says = 'other service' THEN 'N13'
  END AS refused,
  CASE WHEN l.verdict = 'verified' THEN 0 ELSE 1 END AS rank_verdict,
  coalesce(l.received_at_us, 9223372036854775807) AS rank_received,
  CAST(floor(l.paid_at_us / 1000000) AS BIGINT) AS paid_second
FROM fact_lines l CROSS JOIN setting s;

CREATE OR REPLACE TABLE message AS SELECT * FROM line_alone WHERE refused IS NULL;

-- A message without the store's number is of the payment that agrees with it in everything else, the earliest of several.
CREATE OR REPLACE TABLE numbered_first AS
SELECT channel, payment_code, invoice_number, amount, paid_second, canonical, rank_verdict, rank_received, digest
FROM (
  SELECT m.*, row_number() OVER (
    PARTITION BY channel, payment_code, invoice_number, amount, paid_second ORDER BY rank_verdict, rank_received, digest) AS nth
  FROM message m WHERE says = 'success' AND amount IS NOT NULL AND has_store_number = 'yes') firsts
WHERE nth = 1;

CREATE OR REPLACE TABLE unnumbered AS
SELECT m.place, m.canonical AS own, n.canonical AS joined, n.rank_verdict, n.rank_received, n.digest
FROM message m LEFT JOIN numbered_first n
  ON m.amount = n.amount AND m.channel = n.channel AND m.payment_code = n.payment_code AND m.invoice_number = n.invoice_number
  AND m.paid_second = n.paid_second
WHERE m.has_store_number = 'no';

-- What is told of alike goes along, whatever amount it names.
CREATE OR REPLACE TABLE unnumbered_alike AS
SELECT own, joined FROM (
  SELECT own, joined, row_number() OVER (PARTITION BY own ORDER BY rank_verdict, rank_received, digest) AS nth
  FROM unnumbered WHERE joined IS NOT NULL) firsts
WHERE nth = 1;

CREATE OR REPLACE TABLE told AS
SELECT m.*, coalesce(u.joined, a.joined, m.canonical) AS payment,
  row_number() OVER (PARTITION BY coalesce(u.joined, a.joined, m.canonical), m.says
    ORDER BY m.rank_verdict, m.rank_received, m.digest, m.place) AS nth
FROM message m
LEFT JOIN unnumbered u ON u.place = m.place
LEFT JOIN unnumbered_alike a ON a.own = m.canonical AND m.has_store_number = 'no';

CREATE OR REPLACE TABLE proof AS SELECT * FROM told WHERE says = 'success' AND nth = 1;

-- Request-Ids that two verified messages share, but not what they say (N05).
CREATE OR REPLACE TABLE reused_request AS
SELECT request_key FROM (
  SELECT DISTINCT request_key, body_key, amount_key, amount, paid_second, invoice_number FROM line_alone WHERE verdict = 'verified') told_by
GROUP BY request_key HAVING count(*) > 1;

CREATE OR REPLACE TABLE line_class AS
SELECT l.place, l.digest, l.says, coalesce(l.amount, 0) AS amount,
  CASE
    WHEN l.refused IS NOT NULL THEN l.refused
    WHEN t.says = 'not success' AND p.place IS NULL THEN 'N09'
    WHEN t.says = 'not success' THEN 'N08'
    WHEN t.nth = 1 THEN 'N00'
    WHEN t.amount_key = p.amount_key AND t.amount IS NOT DISTINCT FROM p.amount AND t.paid_second = p.paid_second
      AND t.invoice_number = p.invoice_number THEN 'N06'
    ELSE 'N07'
  END AS class,
  CASE WHEN r.request_key IS NOT NULL AND l.verdict = 'verified' THEN 1 ELSE 0 END AS n05,
  CASE WHEN l.is_skewed = 'yes' THEN 1 ELSE 0 END AS n10,
  CASE WHEN l.refused IS NULL AND l.received_at_us - l.paid_at_us > s.late_notification_us THEN 1 ELSE 0 END AS n11,
  CASE WHEN l.refused IS NULL AND l.verdict <> 'verified' THEN 1 ELSE 0 END AS n03,
  t.payment
FROM line_alone l CROSS JOIN setting s
LEFT JOIN told t ON t.place = l.place
LEFT JOIN proof p ON p.payment = t.payment
LEFT JOIN reused_request r ON r.request_key = l.request_key;

-- What the ledger, or the month before, knows, and this evidence proves: it keeps the name it is known by.
CREATE OR REPLACE TABLE known AS
SELECT k.bill, k.paid_at_us, coalesce(k.identity, '') AS identity, k.item, k.amount, k.told_by,
  (SELECT min(p.payment) FROM proof p WHERE k.identity IS NOT NULL AND (
    p.payment = k.canonical OR p.identity = k.identity
    OR (p.dated = k.dated AND (p.has_store_number = 'no' OR k.canonical = k.dated)))) AS proved_as
FROM fact_known_payments k;

-- Money of earlier months that no bill was known of.
CREATE OR REPLACE TABLE waiting AS
SELECT c.item, c.identity, c.invoice_number, c.payment_code, c.channel, c.amount, c.paid_at_us, c.held_as,
  (SELECT min(p.payment) FROM proof p WHERE p.payment = c.canonical OR p.identity = c.identity) AS proved_as
FROM fact_carried_payments c WHERE c.payee IS NULL AND c.identity IS NOT NULL;

CREATE OR REPLACE TABLE payment AS
WITH told_of AS (
  SELECT t.payment,
    max(CASE WHEN c.class = 'N07' THEN 1 ELSE 0 END) AS conflicting,
    max(CASE WHEN t.identity <> p.identity THEN 1 ELSE 0 END) AS varied
  FROM told t JOIN line_class c ON c.place = t.place JOIN proof p ON p.payment = t.payment
  WHERE t.says = 'success' GROUP BY t.payment),
names AS (
  SELECT proved_as AS payment, min(identity) AS identity, min(item) AS item FROM (
    SELECT proved_as, identity, item FROM known WHERE proved_as IS NOT NULL
    UNION ALL SELECT proved_as, identity, item FROM waiting WHERE proved_as IS NOT NULL) known_as GROUP BY proved_as),
notified AS (
  SELECT p.payment, coalesce(n.identity, p.identity) AS identity, coalesce(n.item, p.item) AS item, p.invoice_number, p.payment_code,
    p.channel, p.amount, p.paid_at_us, p.received_at_us, p.acquirer_differs, p.verdict, o.conflicting, o.varied,
    CAST(NULL AS BIGINT) AS told_at_us
  FROM proof p JOIN told_of o ON o.payment = p.payment LEFT JOIN names n ON n.payment = p.payment),
by_status AS (
  SELECT 'status ' || f.identity AS payment, f.identity, f.item, f.invoice_number, f.payment_code, f.channel, f.amount, f.paid_at_us,
    CAST(NULL AS BIGINT) AS received_at_us, 'no' AS acquirer_differs, 'verified' AS verdict, 0 AS conflicting, 0 AS varied,
    f.told_at_us
  FROM fact_status_payments f
  WHERE NOT EXISTS (SELECT 1 FROM proof p WHERE p.payment = f.canonical OR p.identity = f.identity
    OR (p.dated = f.dated AND (p.has_store_number = 'no' OR f.canonical = f.dated))))
SELECT * FROM notified UNION ALL SELECT * FROM by_status;
