-- 30: settlement rows. Which payment each pays out (first by its subject, then day by day and by equal amounts), and its class.

-- Payments as settlement sees them: of a bill, else of the ids they name. What the ledger or the month before knows is notified, too.
CREATE OR REPLACE TABLE notified AS
WITH all_told AS (
  SELECT CASE WHEN f.bill IS NOT NULL THEN 'bill ' || CAST(f.bill AS VARCHAR) ELSE 'ids ' || p.invoice_number || ' ' || p.payment_code END AS subject,
    f.bill, p.invoice_number, CASE WHEN f.bill IS NOT NULL THEN b.payment_code ELSE p.payment_code END AS code,
    p.amount, p.paid_at_us, p.identity, p.item, p.payment, 0 AS rank_source
  FROM payment p JOIN payment_found f ON f.payment = p.payment LEFT JOIN fact_bills b ON b.bill = f.bill
  UNION ALL
  SELECT 'bill ' || CAST(k.bill AS VARCHAR), k.bill, b.invoice_number, b.payment_code, k.amount, k.paid_at_us, k.identity, k.item, NULL, 1
  FROM known k JOIN fact_bills b ON b.bill = k.bill WHERE k.proved_as IS NULL AND k.told_by <> 'mark'
  UNION ALL
  SELECT 'ids ' || w.invoice_number || ' ' || w.payment_code, NULL, w.invoice_number, w.payment_code, w.amount, w.paid_at_us, w.identity,
    w.item, NULL, 2
  FROM waiting w WHERE w.proved_as IS NULL)
SELECT *, row_number() OVER (ORDER BY subject, paid_at_us, identity, rank_source) AS told FROM (
  SELECT a.*, CAST(floor((a.paid_at_us + 25200000000) / 86400000000) AS BIGINT) AS day,
    row_number() OVER (PARTITION BY subject, identity, CASE WHEN rank_source = 0 THEN payment ELSE 'known' END ORDER BY rank_source) AS copy_number
  FROM all_told a) once
WHERE copy_number = 1;

CREATE OR REPLACE TABLE settlement_row AS
SELECT r.*, n.channel AS named, CASE WHEN n.channel IN ('alfa', 'indomaret') THEN n.channel END AS channel,
  CASE WHEN lower(r.transaction_type) = 'purchase' THEN 1 ELSE 0 END AS is_purchase,
  date_diff('day', DATE '1970-01-01', CAST(r.transaction_date AS DATE)) AS day,
  -- The same row elsewhere already, in whatever file.
  CASE WHEN row_number() OVER (PARTITION BY r.content ORDER BY r.digest, r.file, r.row) > 1 THEN 1 ELSE 0 END AS is_repeated,
  (CASE WHEN lower(r.transaction_type) = 'purchase' THEN r.amount ELSE -abs(r.amount) END) - r.fee - r.discount AS paid_out_expected
FROM fact_settlement_rows r LEFT JOIN fact_channel_names n ON n.name = r.channel_name;

-- Rows of earlier months that wait for their payment, and that no file of this run lists: in suspense, or told twice while one payment was known.
CREATE OR REPLACE TABLE row_waiting AS
SELECT c.*, date_diff('day', DATE '1970-01-01', CAST(c.paid_on AS DATE)) AS day,
  (SELECT coalesce(max(place), 0) FROM fact_settlement_rows) + row_number() OVER (ORDER BY c.item) AS place
FROM fact_carried_rows c
WHERE c.item NOT IN (SELECT item FROM settlement_row)
  AND ((c.state = 'suspense' AND c.gross >= 0) OR (c.state = 'twice' AND c.fee IS NOT NULL));

-- What rows name: those of the files that are ours, and those that wait.
CREATE OR REPLACE TABLE row_names AS
SELECT place, invoice_number, report_code, recon_code, day, CAST(NULL AS VARCHAR) AS bill FROM settlement_row WHERE channel IS NOT NULL
UNION ALL
SELECT place, invoice_number, report_code, recon_code, day, bill FROM row_waiting;

-- What a row may be about: by its invoice number, or else by its codes. Of one of which no code was kept, the bill it named.
CREATE OR REPLACE TABLE row_candidate AS
WITH of_bill AS (
  SELECT r.place, 'bill ' || CAST(min(b.bill) AS VARCHAR) AS subject, max(b.payment_code) AS code FROM row_names r JOIN fact_bills b ON b.item = r.bill
  WHERE r.report_code = '' AND r.recon_code = '' GROUP BY r.place),
looked AS (SELECT * FROM row_names WHERE place NOT IN (SELECT place FROM of_bill)),
by_number AS (
  SELECT r.place, 'bill ' || CAST(n.bill AS VARCHAR) AS subject, b.payment_code AS code
  FROM looked r JOIN fact_bill_numbers n ON n.number = r.invoice_number JOIN fact_bills b ON b.bill = n.bill
  WHERE r.invoice_number <> ''
  UNION
  SELECT r.place, t.subject, t.code FROM looked r JOIN notified t ON t.invoice_number = r.invoice_number AND t.bill IS NULL
  WHERE r.invoice_number <> ''),
by_code AS (
  SELECT r.place, 'bill ' || CAST(b.bill AS VARCHAR) AS subject, b.payment_code AS code
  FROM looked r JOIN fact_bills b ON b.payment_code <> '' AND b.payment_code IN (r.report_code, r.recon_code)
  UNION
  SELECT r.place, t.subject, t.code FROM looked r JOIN notified t ON t.bill IS NULL AND t.code <> '' AND t.code IN (r.report_code, r.recon_code))
SELECT * FROM of_bill
UNION ALL
SELECT * FROM by_number
UNION ALL
SELECT * FROM by_code WHERE place NOT IN (SELECT place FROM by_number);

-- Of several, those whose code fits stay, then those paid on the row's day.
CREATE OR REPLACE TABLE row_subject AS
WITH with_code AS (
  SELECT c.*, CASE WHEN c.code <> '' AND c.code IN (r.report_code, r.recon_code) THEN 1 ELSE 0 END AS fits
  FROM row_candidate c JOIN row_names r ON r.place = c.place),
by_code AS (SELECT * FROM (SELECT w.*, max(fits) OVER (PARTITION BY place) AS any_fits FROM with_code w) fitting WHERE fits = any_fits),
with_day AS (
  SELECT c.place, c.subject, CASE WHEN EXISTS (SELECT 1 FROM notified t WHERE t.subject = c.subject AND t.day = r.day) THEN 1 ELSE 0 END AS fits
  FROM by_code c JOIN row_names r ON r.place = c.place),
by_day AS (SELECT * FROM (SELECT w.*, max(fits) OVER (PARTITION BY place) AS any_fits FROM with_day w) fitting WHERE fits = any_fits)
SELECT place, count(DISTINCT subject) AS subjects, max(subject) AS subject FROM by_day GROUP BY place;

-- Rows that could be a payment's, by subject and day; what is paid out goes before what is held, and of equal ones what has waited before what is new.
CREATE OR REPLACE TABLE purchase_row AS
SELECT f.*, CASE WHEN f.paid_out_on IS NULL THEN 1 ELSE 0 END AS is_held, CASE WHEN b.reusable = 'yes' THEN 1 ELSE 0 END AS is_reusable,
  row_number() OVER (PARTITION BY f.subject, f.day
    ORDER BY CASE WHEN f.paid_out_on IS NULL THEN 1 ELSE 0 END, f.amount, f.paid_out_on, f.known NULLS LAST, f.batch_id, f.number, f.content) AS nth,
  row_number() OVER (PARTITION BY f.subject
    ORDER BY f.day NULLS FIRST, f.amount, f.paid_out_on NULLS FIRST, f.known NULLS LAST, f.batch_id, f.number, f.content) AS seq
FROM (
  SELECT r.place, r.item, coalesce(s.subject, 'row ' || r.invoice_number || ' ' || r.report_code || ' ' || r.recon_code) AS subject, r.day, r.amount,
    r.paid_out_on, r.batch, CASE WHEN r.batch_id <> '' THEN r.batch ELSE '' END AS named_batch, r.number, r.batch_id, r.content,
    CASE WHEN r.item IN (SELECT item FROM fact_carried_rows c
      WHERE (c.state = 'suspense' AND c.gross >= 0) OR (c.state = 'twice' AND c.fee IS NOT NULL)) THEN r.item END AS known
  FROM settlement_row r LEFT JOIN row_subject s ON s.place = r.place
  WHERE r.channel IS NOT NULL AND r.is_repeated = 0 AND r.is_purchase = 1 AND coalesce(s.subjects, 0) <= 1
  UNION ALL
  SELECT w.place, w.item, coalesce(s.subject, 'row ' || w.invoice_number || ' ' || w.report_code || ' ' || w.recon_code), w.day, w.gross, w.paid_out_on, w.batch,
    CASE WHEN w.has_batch_name = 'yes' THEN w.batch ELSE '' END, w.number, '', '', w.item
  FROM row_waiting w LEFT JOIN row_subject s ON s.place = w.place WHERE coalesce(s.subjects, 0) <= 1) f
LEFT JOIN fact_bills b ON f.subject = 'bill ' || CAST(b.bill AS VARCHAR);

-- What an earlier month has settled stays settled by the row that did; told again in its batch with something corrected, it is the same row.
CREATE OR REPLACE TABLE settled_before AS
SELECT p.item, coalesce(p.settled_by, p.held_as) AS row_item, r.batch, r.number
FROM fact_carried_payments p LEFT JOIN fact_carried_rows r ON r.item = coalesce(p.settled_by, p.held_as)
WHERE p.settled_by IS NOT NULL OR p.held_as <> p.item;

CREATE OR REPLACE TABLE told_before AS
SELECT t.told, t.subject, b.row_item, b.batch, b.number
FROM notified t LEFT JOIN fact_carried_aliases a ON a.alias = t.item JOIN settled_before b ON b.item = coalesce(a.item, t.item);

CREATE OR REPLACE TABLE paired_before AS
WITH same AS (
  SELECT s.place, b.told FROM purchase_row s JOIN told_before b ON b.subject = s.subject AND b.row_item = s.item),
corrected AS (
  SELECT s.place, b.told,
    row_number() OVER (PARTITION BY b.told ORDER BY s.seq) AS nth_row,
    row_number() OVER (PARTITION BY s.place ORDER BY b.told) AS nth_told
  FROM purchase_row s JOIN told_before b ON b.subject = s.subject AND b.batch = s.batch AND b.number = s.number AND s.number <> ''
  WHERE s.place NOT IN (SELECT place FROM same) AND b.told NOT IN (SELECT told FROM same))
SELECT place, told FROM same
UNION ALL SELECT place, told FROM corrected WHERE nth_row = 1 AND nth_told = 1;

CREATE OR REPLACE TABLE open_told AS SELECT * FROM notified WHERE told NOT IN (SELECT told FROM told_before);

-- Rows under one number of a batch are one, corrected: what settled before, else what was paid out, of that what has a payment's amount, else the first.
CREATE OR REPLACE TABLE told_again AS
SELECT place, is_held FROM (
  SELECT s.place, s.is_held, s.was_before, row_number() OVER (PARTITION BY s.subject, s.named_batch, s.number
    ORDER BY s.was_before DESC, s.is_held, s.differs, s.seq) AS nth
  FROM (
    SELECT p.place, p.subject, p.is_held, p.named_batch, p.number, p.seq,
      CASE WHEN b.place IS NULL THEN 0 ELSE 1 END AS was_before,
      CASE WHEN EXISTS (SELECT 1 FROM open_told t WHERE t.subject = p.subject AND t.day = p.day AND t.amount = p.amount) THEN 0 ELSE 1 END AS differs
    FROM purchase_row p LEFT JOIN paired_before b ON b.place = p.place
    WHERE p.named_batch <> '' AND p.number <> '') s) ranked
WHERE nth > 1 AND was_before = 0;

-- What is left to be paired by its day.
CREATE OR REPLACE TABLE sought AS
SELECT * FROM purchase_row WHERE day IS NOT NULL AND place NOT IN (SELECT place FROM paired_before) AND place NOT IN (SELECT place FROM told_again);

-- First what is paid out: equal amounts of one subject and day are a pair, the first with the first.
CREATE OR REPLACE TABLE paired_equal AS
WITH rows_by_amount AS (
  SELECT s.*, row_number() OVER (PARTITION BY subject, day, amount ORDER BY nth) AS turn FROM sought s WHERE is_held = 0),
told_by_amount AS (
  SELECT t.*, row_number() OVER (PARTITION BY subject, day, amount ORDER BY paid_at_us, identity) AS turn FROM open_told t WHERE amount IS NOT NULL)
SELECT r.place, t.told FROM rows_by_amount r
JOIN told_by_amount t ON t.subject = r.subject AND t.day = r.day AND t.amount = r.amount AND t.turn = r.turn;

-- What is left of both: one of each is a pair, more on both sides is for a person.
CREATE OR REPLACE TABLE left_paid_out AS
SELECT d.subject, d.day, d.rows_left, d.row_left, coalesce(t.told_left, 0) AS told_left, t.one_told
FROM (SELECT subject, day, count(*) AS rows_left, max(place) AS row_left FROM sought
  WHERE is_held = 0 AND place NOT IN (SELECT place FROM paired_equal) GROUP BY subject, day) d
LEFT JOIN (SELECT subject, day, count(*) AS told_left, max(told) AS one_told FROM open_told
  WHERE told NOT IN (SELECT told FROM paired_equal) GROUP BY subject, day) t ON t.subject = d.subject AND t.day = d.day;

-- What was paid out and has no payment of its day: on a code that is paid once the first, where the day has no notification, is no money again.
CREATE OR REPLACE TABLE paid_out_alone AS
SELECT a.place, a.subject, a.day FROM (
  SELECT s.*, row_number() OVER (PARTITION BY s.subject, s.day ORDER BY s.nth) AS turn,
    CASE WHEN EXISTS (SELECT 1 FROM notified t WHERE t.subject = s.subject AND t.day = s.day) THEN 1 ELSE 0 END AS was_notified
  FROM sought s LEFT JOIN left_paid_out l ON l.subject = s.subject AND l.day = s.day
  WHERE s.is_held = 0 AND s.place NOT IN (SELECT place FROM paired_equal) AND coalesce(l.told_left, 0) = 0) a
WHERE a.is_reusable = 1 OR (a.turn = 1 AND a.was_notified = 0);

-- If exactly one row that was paid out and one payment of a subject remain, on neighbouring days, they are a pair. Payments of an ambiguous day do not
-- remain.
CREATE OR REPLACE TABLE paired_next_day AS
WITH rows_left AS (SELECT subject, count(*) AS rows_left, max(place) AS place, max(day) AS day FROM paid_out_alone GROUP BY subject),
told_left AS (
  SELECT t.subject, count(*) AS told_left, max(t.told) AS told, max(t.day) AS day FROM open_told t
  WHERE t.told NOT IN (SELECT told FROM paired_equal)
    AND NOT EXISTS (SELECT 1 FROM left_paid_out l WHERE l.subject = t.subject AND l.day = t.day AND l.told_left > 0)
  GROUP BY t.subject)
SELECT r.place, t.told FROM rows_left r JOIN told_left t ON t.subject = r.subject
WHERE r.rows_left = 1 AND t.told_left = 1 AND abs(r.day - t.day) = 1;

-- Payments that what is held may still find: those that nothing paid out has found, on days on which no more of that was left than could be told apart.
CREATE OR REPLACE TABLE told_for_held AS
SELECT t.* FROM open_told t LEFT JOIN left_paid_out l ON l.subject = t.subject AND l.day = t.day AND l.told_left > 0
WHERE t.told NOT IN (SELECT told FROM paired_equal) AND t.told NOT IN (SELECT told FROM paired_next_day) AND l.subject IS NULL;

CREATE OR REPLACE TABLE paired_held AS
WITH rows_by_amount AS (
  SELECT s.*, row_number() OVER (PARTITION BY subject, day, amount ORDER BY nth) AS turn FROM sought s WHERE is_held = 1),
told_by_amount AS (
  SELECT t.*, row_number() OVER (PARTITION BY subject, day, amount ORDER BY paid_at_us, identity) AS turn FROM told_for_held t WHERE amount IS NOT NULL)
SELECT r.place, t.told FROM rows_by_amount r
JOIN told_by_amount t ON t.subject = r.subject AND t.day = r.day AND t.amount = r.amount AND t.turn = r.turn;

CREATE OR REPLACE TABLE left_held AS
SELECT d.subject, d.day, d.rows_left, d.row_left, coalesce(t.told_left, 0) AS told_left, t.one_told
FROM (SELECT subject, day, count(*) AS rows_left, max(place) AS row_left FROM sought
  WHERE is_held = 1 AND place NOT IN (SELECT place FROM paired_held) GROUP BY subject, day) d
LEFT JOIN (SELECT subject, day, count(*) AS told_left, max(told) AS one_told FROM told_for_held
  WHERE told NOT IN (SELECT told FROM paired_held) GROUP BY subject, day) t ON t.subject = d.subject AND t.day = d.day;

CREATE OR REPLACE TABLE paired_of_day AS
SELECT place, told FROM paired_equal
UNION ALL SELECT place, told FROM paired_held
UNION ALL SELECT row_left, one_told FROM left_paid_out WHERE rows_left = 1 AND told_left = 1
UNION ALL SELECT row_left, one_told FROM left_held WHERE rows_left = 1 AND told_left = 1;

-- Rows of days on which several rows and several payments are left: nobody can tell them apart, and the payments stay unsettled.
CREATE OR REPLACE TABLE row_ambiguous AS
SELECT s.place FROM sought s JOIN left_paid_out l ON l.subject = s.subject AND l.day = s.day
WHERE s.is_held = 0 AND l.told_left > 0 AND NOT (l.rows_left = 1 AND l.told_left = 1) AND s.place NOT IN (SELECT place FROM paired_equal)
UNION ALL
SELECT s.place FROM sought s JOIN left_held l ON l.subject = s.subject AND l.day = s.day
WHERE s.is_held = 1 AND l.told_left > 0 AND NOT (l.rows_left = 1 AND l.told_left = 1) AND s.place NOT IN (SELECT place FROM paired_held);

-- Rows without a payment of their day. On a code that is paid once they are the same money again: all but the first, or all where the day has a
-- notification.
CREATE OR REPLACE TABLE row_alone AS
-- On one that is paid again and again, what was held is the same money as what was paid out for that day and amount, each once.
SELECT a.*, CASE WHEN a.is_reusable = 0 AND (a.turn > 1 OR a.was_notified = 1) THEN 1
  WHEN a.is_reusable = 1 AND a.is_held = 1 AND a.held_turn <= a.paid_out_beside THEN 1 ELSE 0 END AS is_again
FROM (
  SELECT s.*, row_number() OVER (PARTITION BY s.subject, s.day ORDER BY s.nth) AS turn,
    CASE WHEN EXISTS (SELECT 1 FROM notified t WHERE t.subject = s.subject AND t.day = s.day) THEN 1 ELSE 0 END AS was_notified,
    row_number() OVER (PARTITION BY s.subject, s.day, s.amount, s.is_held ORDER BY s.nth) AS held_turn,
    (SELECT count(*) FROM purchase_row p WHERE p.subject = s.subject AND p.day = s.day AND p.amount = s.amount AND p.is_held = 0
      AND p.place NOT IN (SELECT place FROM told_again)) AS paid_out_beside
  FROM sought s
  WHERE s.place NOT IN (SELECT place FROM paired_of_day) AND s.place NOT IN (SELECT place FROM row_ambiguous)) a
UNION ALL
SELECT p.*, 0, 0, 0, 0, 1 FROM purchase_row p JOIN told_again t ON t.place = p.place;

-- The same of what is held, if it is all that is left.
CREATE OR REPLACE TABLE paired_next_held AS
WITH rows_left AS (
  SELECT subject, count(*) AS rows_left, min(is_held) AS is_held, max(place) AS place, max(day) AS day FROM row_alone
  WHERE is_again = 0 AND place NOT IN (SELECT place FROM paired_next_day) GROUP BY subject),
told_left AS (
  SELECT t.subject, count(*) AS told_left, max(t.told) AS told, max(t.day) AS day FROM open_told t
  WHERE t.told NOT IN (SELECT told FROM paired_of_day) AND t.told NOT IN (SELECT told FROM paired_next_day)
    AND NOT EXISTS (SELECT 1 FROM left_paid_out l WHERE l.subject = t.subject AND l.day = t.day AND l.told_left > 0)
    AND NOT EXISTS (SELECT 1 FROM left_held l WHERE l.subject = t.subject AND l.day = t.day AND l.told_left > 0)
  GROUP BY t.subject)
SELECT r.place, t.told FROM rows_left r JOIN told_left t ON t.subject = r.subject
WHERE r.rows_left = 1 AND r.is_held = 1 AND t.told_left = 1 AND abs(r.day - t.day) = 1;

-- Of a row whose day was not kept only the amount is known: with one payment of it left, that is it.
CREATE OR REPLACE TABLE paired_undated AS
SELECT place, told FROM (
  SELECT s.place, s.seq, max(t.told) AS told, row_number() OVER (PARTITION BY max(t.told) ORDER BY s.seq) AS nth
  FROM purchase_row s JOIN open_told t ON t.subject = s.subject AND t.amount = s.amount
  WHERE s.day IS NULL AND s.place NOT IN (SELECT place FROM told_again) AND t.told NOT IN (SELECT told FROM paired_of_day)
    AND t.told NOT IN (SELECT told FROM paired_next_day) AND t.told NOT IN (SELECT told FROM paired_next_held)
    AND NOT EXISTS (SELECT 1 FROM left_paid_out l WHERE l.subject = t.subject AND l.day = t.day AND l.told_left > 0)
    AND NOT EXISTS (SELECT 1 FROM left_held l WHERE l.subject = t.subject AND l.day = t.day AND l.told_left > 0)
  GROUP BY s.place, s.seq HAVING count(*) = 1) found
WHERE nth = 1;

CREATE OR REPLACE TABLE paired AS
SELECT * FROM paired_of_day UNION ALL SELECT * FROM paired_next_day UNION ALL SELECT * FROM paired_next_held
UNION ALL SELECT * FROM paired_undated UNION ALL SELECT * FROM paired_before;

-- Whether a row stands in its batch once more: held at first, or sent again under its number with something corrected.
CREATE OR REPLACE TABLE row_beside AS
SELECT DISTINCT a.place
FROM row_alone a JOIN purchase_row o ON o.subject = a.subject AND o.day = a.day AND o.named_batch = a.named_batch
LEFT JOIN row_alone oa ON oa.place = o.place AND oa.is_again = 1
WHERE a.is_again = 1 AND (
  (a.paid_out_on IS NULL AND NOT (oa.place IS NOT NULL AND o.paid_out_on IS NULL))
  OR (a.number <> '' AND a.number = o.number AND oa.place IS NULL))
UNION SELECT place FROM told_again;

-- Shares: what others get must be readable; what the contract says of shares is of our channels and of rows that have all of the columns.
CREATE OR REPLACE TABLE row_shares AS
SELECT r.place,
  sum(CASE WHEN f.is_third_party = 'yes' AND h.place IS NOT NULL AND h.share IS NULL THEN 1 ELSE 0 END) AS unreadable,
  sum(CASE WHEN h.place IS NOT NULL THEN 1 ELSE 0 END) AS has_columns,
  sum(CASE WHEN h.share IS NULL THEN 1
    WHEN f.rupiah IS NOT NULL AND h.share <> f.rupiah THEN 1
    WHEN f.basis_points IS NOT NULL AND abs(r.paid_out * f.basis_points - h.share * 10000) >= 10000 THEN 1 ELSE 0 END) AS wrong,
  sum(CASE WHEN f.is_third_party = 'yes' THEN coalesce(CASE WHEN r.is_purchase = 1 THEN h.share ELSE -abs(h.share) END, 0) ELSE 0 END) AS shared,
  count(*) AS expected
FROM settlement_row r CROSS JOIN fact_shares f
LEFT JOIN fact_settlement_shares h ON h.place = r.place AND h.name = f.name
GROUP BY r.place;

-- The contract's fee: flat, and basis points of the amount; then VAT on that; both fractions rounded half up.
CREATE OR REPLACE TABLE row_fee AS
SELECT place, CAST(fee + (fee * fee_vat_percent + 50 - mod(fee * fee_vat_percent + 50, 100)) / 100 AS BIGINT) AS fee_expected
FROM (
  SELECT r.place, c.fee_vat_percent, CAST(c.fee_rupiah
    + (r.amount * c.fee_basis_points + 5000 - mod(r.amount * c.fee_basis_points + 5000, 10000)) / 10000 AS BIGINT) AS fee
  FROM settlement_row r JOIN fact_channels c ON c.channel = r.channel
  WHERE r.is_purchase = 1 AND r.amount >= 0 AND c.fee_rupiah IS NOT NULL) before_vat;

CREATE OR REPLACE TABLE row_class AS
WITH looked AS (
  SELECT r.*, p.told, t.amount AS notified, t.item AS payment_item, t.payment, f.fee_expected,
    CASE WHEN a.is_again = 1 THEN 1 ELSE 0 END AS is_again,
    CASE WHEN m.place IS NOT NULL OR (r.is_purchase = 1 AND s.subjects > 1) THEN 1 ELSE 0 END AS is_ambiguous,
    CASE WHEN a.place IS NOT NULL AND a.is_again = 0 AND p.told IS NULL THEN 1 ELSE 0 END AS finds_nothing,
    CASE WHEN b.place IS NOT NULL THEN 1 ELSE 0 END AS is_beside,
    CASE WHEN s.subjects = 1 THEN s.subject END AS subject,
    coalesce(h.unreadable, 0) AS unreadable_shares, coalesce(h.shared, 0) AS shared,
    CASE WHEN h.unreadable > 0 THEN 1
      WHEN r.channel IS NOT NULL AND r.is_purchase = 1 AND h.has_columns = h.expected AND h.wrong > 0 THEN 1 ELSE 0 END AS shares_wrong
  FROM settlement_row r
  LEFT JOIN paired p ON p.place = r.place LEFT JOIN notified t ON t.told = p.told
  LEFT JOIN row_alone a ON a.place = r.place LEFT JOIN row_ambiguous m ON m.place = r.place
  LEFT JOIN row_subject s ON s.place = r.place LEFT JOIN row_beside b ON b.place = r.place
  LEFT JOIN row_shares h ON h.place = r.place LEFT JOIN row_fee f ON f.place = r.place)
SELECT l.*, CASE WHEN l.is_repeated = 1 OR l.is_beside = 1 THEN 0 ELSE 1 END AS counts,
  CASE
    WHEN l.named IS NULL THEN 'S11'
    WHEN l.named = 'other' AND l.unreadable_shares > 0 THEN 'S09'
    WHEN l.named = 'other' THEN 'S12'
    WHEN l.is_repeated = 1 OR (l.is_again = 1 AND l.paid_out_on IS NOT NULL) THEN 'S07'
    WHEN l.is_again = 1 THEN 'S14'
    WHEN l.is_purchase = 0 THEN 'S06'
    WHEN l.is_ambiguous = 1 THEN 'S13'
    WHEN l.finds_nothing = 1 AND CAST(l.transaction_date AS DATE) BETWEEN s.period_from AND s.period_to THEN 'S01'
    WHEN l.told IS NOT NULL AND (l.notified IS NULL OR l.notified <> l.amount) THEN 'S03'
    WHEN l.paid_out <> l.paid_out_expected THEN 'S05'
    WHEN l.is_purchase = 1 AND l.fee_expected <> l.fee THEN 'S04'
    WHEN l.shares_wrong = 1 THEN 'S09'
    WHEN l.paid_out_on IS NULL OR NOT (CAST(l.transaction_date AS DATE) BETWEEN s.period_from AND s.period_to)
      OR NOT (CAST(l.paid_out_on AS DATE) BETWEEN s.period_from AND s.period_to) THEN 'S08'
    ELSE 'S00'
  END AS class
FROM looked l CROSS JOIN setting s;

-- Lower hits of the same table are flags. S10, S11, S12, and S09 of another product evaluate no lower rule.
CREATE OR REPLACE TABLE row_flag AS
WITH hits AS (
  SELECT r.place, r.class, r.amount, r.channel, h.flag, h.nth
  FROM row_class r CROSS JOIN setting s CROSS JOIN (VALUES ('S07', 1), ('S14', 2), ('S06', 3), ('S13', 4), ('S01', 5), ('S03', 6), ('S05', 7), ('S04', 8), ('S09', 9), ('S08', 10)) AS h (flag, nth)
  WHERE r.channel IS NOT NULL AND CASE h.flag
    WHEN 'S14' THEN r.is_repeated = 0 AND r.is_again = 1 AND r.paid_out_on IS NULL
    WHEN 'S06' THEN r.is_purchase = 0
    WHEN 'S13' THEN r.is_repeated = 0 AND r.is_purchase = 1 AND r.is_ambiguous = 1
    WHEN 'S03' THEN r.told IS NOT NULL AND (r.notified IS NULL OR r.notified <> r.amount)
    WHEN 'S05' THEN r.paid_out <> r.paid_out_expected
    WHEN 'S04' THEN r.is_purchase = 1 AND r.fee_expected <> r.fee
    WHEN 'S09' THEN r.shares_wrong = 1
    WHEN 'S08' THEN r.paid_out_on IS NULL OR NOT (CAST(r.transaction_date AS DATE) BETWEEN s.period_from AND s.period_to)
      OR NOT (CAST(r.paid_out_on AS DATE) BETWEEN s.period_from AND s.period_to)
    ELSE FALSE END)
SELECT h.place, h.flag, h.amount FROM hits h
JOIN (VALUES ('S07', 1), ('S14', 2), ('S06', 3), ('S13', 4), ('S01', 5), ('S03', 6), ('S05', 7), ('S04', 8), ('S09', 9), ('S08', 10)) AS c (class, nth)
  ON c.class = h.class AND h.nth > c.nth;

-- S02: a notified payment of the period, of a channel that DOKU settles, that no row pays out by the period's end.
CREATE OR REPLACE TABLE payment_unsettled AS
SELECT p.payment, p.item, p.channel, coalesce(p.amount, 0) AS amount, p.paid_at_us, r.paid_out_on,
  CASE WHEN r.paid_out_on IS NULL OR CAST(r.paid_out_on AS DATE) > s.period_to THEN 1 ELSE 0 END AS is_unsettled
FROM payment p CROSS JOIN setting s JOIN fact_channels c ON c.channel = p.channel
LEFT JOIN (SELECT t.payment, w.paid_out_on FROM paired d JOIN notified t ON t.told = d.told JOIN purchase_row w ON w.place = d.place
  WHERE t.payment IS NOT NULL) r ON r.payment = p.payment
WHERE s.has_settlement = 'yes' AND c.settled_by_doku = 'yes' AND p.paid_at_us >= s.starts_at_us AND p.paid_at_us < s.ends_at_us;

-- Batches: what their files state against what their rows come to, each statement once; a row that stands there twice counts once.
CREATE OR REPLACE TABLE batch_sums AS
WITH statements AS (
  SELECT DISTINCT batch_id, amount, fee, purchases, refund, refunds, paid_out, discount, transactions FROM fact_settlement_totals),
stated AS (
  SELECT batch_id, count(*) AS statements, sum(amount) AS amount, sum(fee) AS fee, sum(purchases) AS purchases, sum(refund) AS refund,
    sum(refunds) AS refunds, sum(paid_out) AS paid_out, sum(discount) AS discount, sum(transactions) AS transactions
  FROM statements GROUP BY batch_id),
summed AS (
  SELECT batch_id, sum(CASE WHEN is_purchase = 1 THEN amount ELSE 0 END) AS amount, sum(fee) AS fee, sum(is_purchase) AS purchases,
    sum(CASE WHEN is_purchase = 0 THEN abs(amount) ELSE 0 END) AS refund, sum(1 - is_purchase) AS refunds, sum(paid_out) AS paid_out,
    sum(discount) AS discount, count(*) AS transactions
  FROM row_class WHERE counts = 1 GROUP BY batch_id),
names AS (
  SELECT batch_id FROM fact_settlement_rows UNION SELECT batch_id FROM fact_settlement_malformed UNION SELECT batch_id FROM fact_settlement_totals)
SELECT n.batch_id, s.paid_out AS paid_out_stated, coalesce(c.paid_out, 0) AS paid_out_sum,
  CASE WHEN (s.statements > 1 AND n.batch_id <> '')
    OR s.amount <> coalesce(c.amount, 0) OR s.fee <> coalesce(c.fee, 0) OR s.purchases <> coalesce(c.purchases, 0)
    OR s.refund <> coalesce(c.refund, 0) OR s.refunds <> coalesce(c.refunds, 0) OR s.paid_out <> coalesce(c.paid_out, 0)
    OR s.discount <> coalesce(c.discount, 0) OR s.transactions <> coalesce(c.transactions, 0) THEN 1 ELSE 0 END AS differs
FROM names n LEFT JOIN stated s ON s.batch_id = n.batch_id LEFT JOIN summed c ON c.batch_id = n.batch_id;
