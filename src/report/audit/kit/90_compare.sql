-- 90: our figures against the rules'. One row of `difference` for each that is not the same; no row means that they agree.

CREATE OR REPLACE TABLE difference AS
-- Counts and rupiah of every class of summary.json. A class that these inputs cannot decide is not in the report, and must not occur here.
SELECT 'class' AS what, coalesce(f.section, r.section) || ' ' || coalesce(f.class, r.class) AS subject,
  coalesce(CAST(f.count AS VARCHAR) || ' / ' || CAST(coalesce(f.amount, 0) AS VARCHAR), 'not evaluated') AS in_report,
  CAST(coalesce(r.count, 0) AS VARCHAR) || ' / ' || CAST(coalesce(r.amount, 0) AS VARCHAR) AS by_rules
FROM (SELECT * FROM figure_classes WHERE section <> 'flags') f FULL OUTER JOIN rule_classes r ON r.section = f.section AND r.class = f.class
WHERE coalesce(f.count, 0) <> coalesce(r.count, 0) OR coalesce(f.amount, 0) <> coalesce(r.amount, 0)
UNION ALL
SELECT 'flag', coalesce(f.class, r.flag), CAST(coalesce(f.count, 0) AS VARCHAR) || ' / ' || CAST(coalesce(f.amount, 0) AS VARCHAR),
  CAST(coalesce(r.count, 0) AS VARCHAR) || ' / ' || CAST(coalesce(r.amount, 0) AS VARCHAR)
FROM (SELECT * FROM figure_classes WHERE section = 'flags') f FULL OUTER JOIN rule_flags r ON r.flag = f.class
WHERE coalesce(f.count, 0) <> coalesce(r.count, 0) OR coalesce(f.amount, 0) <> coalesce(r.amount, 0)
-- Payment by payment: matched.parquet has every one that is a bill's, with its class and amount.
UNION ALL
SELECT 'payment', coalesce(r.identity, lower(hex(f.identity))), coalesce(f.class || ' ' || CAST(f.amount_paid AS VARCHAR), 'missing'),
  coalesce(r.class || ' ' || CAST(r.amount AS VARCHAR), 'no such payment')
FROM figure_matched f
FULL OUTER JOIN (SELECT * FROM payment_class WHERE class NOT IN ('P01', 'P02', 'P15', 'P16', 'P17')) r ON r.identity = lower(hex(f.identity))
WHERE f.identity IS NULL OR r.payment IS NULL OR f.class <> r.class OR f.amount_paid <> r.amount
-- Settlement row by settlement row: settlement.csv, by the digest of the row and where it stands.
UNION ALL
SELECT 'settlement row', coalesce(r.digest || ' row ' || CAST(r.row AS VARCHAR), f.digest || ' row ' || CAST(f.row AS VARCHAR)),
  coalesce(f.classes, 'missing'), coalesce(r.classes, 'no such row')
FROM (SELECT substring(evidence, 1, 64) AS digest, row, string_agg(class || ' ' || coalesce(CAST(amount AS VARCHAR), ''), ', ' ORDER BY class, amount) AS classes
  FROM figure_settlement GROUP BY substring(evidence, 1, 64), row) f
FULL OUTER JOIN (SELECT digest, row, string_agg(class || ' ' || coalesce(CAST(amount AS VARCHAR), ''), ', ' ORDER BY class, amount) AS classes FROM (
    SELECT digest, row, class, amount FROM row_class UNION ALL SELECT digest, row, 'S10', NULL FROM fact_settlement_malformed) all_rows
  GROUP BY digest, row) r ON r.digest = f.digest AND r.row = f.row
WHERE f.digest IS NULL OR r.digest IS NULL OR f.classes <> r.classes
-- What somebody must look at: what is listed of this run's lines, payments, bills and rows has the class of the rules.
UNION ALL
SELECT 'discrepancy', d.discrepancy_id || ' of a line', d.class, coalesce(l.class, 'no such line')
FROM figure_discrepancies d LEFT JOIN (SELECT digest, min(class) AS class FROM line_class GROUP BY digest) l ON l.digest = substring(d.evidence, 1, 64)
WHERE d.class LIKE 'N%' AND d.evidence <> '' AND l.class IS DISTINCT FROM d.class
  AND NOT EXISTS (SELECT 1 FROM figure_open_items o WHERE o.discrepancy_id = d.discrepancy_id)
UNION ALL
SELECT 'discrepancy', l.digest, 'missing', l.class
FROM line_class l WHERE (l.class IN ('N01', 'N02', 'N03', 'N04', 'N07', 'N12') OR l.n05 = 1)
  AND NOT EXISTS (SELECT 1 FROM figure_discrepancies d WHERE substring(d.evidence, 1, 64) = l.digest)
UNION ALL
SELECT 'discrepancy', d.discrepancy_id || ' of a payment', d.class, p.class
FROM figure_discrepancies d JOIN payment_class p ON p.item = 'payment:' || d.discrepancy_id
-- A payment of another period is listed as the month told that brought it.
WHERE d.class LIKE 'P%' AND d.class <> p.class AND p.class <> 'P16' AND d.status <> 'accepted'
UNION ALL
SELECT 'discrepancy', d.discrepancy_id || ' of a bill', d.class, b.class
FROM figure_discrepancies d
JOIN (SELECT invoice_number, payment_code, min(class) AS class, max(class) AS last_class, max(l07) AS l07 FROM bill_class GROUP BY invoice_number, payment_code) b
  ON b.invoice_number = d.invoice_number AND b.payment_code = d.payment_code
WHERE d.class IN ('L01', 'L02', 'L04', 'L05', 'L06', 'L11', 'L12') AND d.class <> b.class AND b.class = b.last_class AND d.status <> 'accepted'
  -- What stands on `unproven` is called L04 there, whatever became of the bill by its evidence.
  AND NOT (d.class = 'L04' AND EXISTS (SELECT 1 FROM figure_open_items o WHERE o.account = 'unproven' AND o.discrepancy_id = d.discrepancy_id))
-- Accounts: what each begins with, what moved, what it ends with.
UNION ALL
SELECT 'account', e.account || ' opening', CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(e.side * e.opening AS VARCHAR)
FROM account_ends e LEFT JOIN figure_accounts f ON f.account = e.account AND f.line = 'opening'
WHERE coalesce(f.amount, 0) <> e.side * e.opening
UNION ALL
SELECT 'account', e.account || ' closing', CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(e.side * e.closing AS VARCHAR)
FROM account_ends e LEFT JOIN figure_accounts f ON f.account = e.account AND f.line = 'closing'
WHERE e.hangs_on_bank = 0 AND coalesce(f.amount, 0) <> e.side * e.closing
UNION ALL
SELECT 'account', 'payouts less bank lines in suspense, closing', CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(r.amount AS VARCHAR)
FROM setting s
CROSS JOIN (SELECT sum(CASE WHEN account = 'payouts' THEN amount WHEN account = 'suspense' THEN -amount END) AS amount FROM figure_open_items
  WHERE account = 'payouts' OR (account = 'suspense' AND item LIKE 'bank_line:%')) f
CROSS JOIN (SELECT coalesce(sum(amount), 0) AS amount FROM account_item
  WHERE account IN ('payouts', 'payouts and bank lines') OR (account = 'suspense' AND item LIKE 'bank_line:%')) r
WHERE s.bank_statement = 'yes' AND coalesce(f.amount, 0) <> r.amount
UNION ALL
SELECT 'account', m.account || ' movement ' || m.line, CAST(m.amount AS VARCHAR), CAST(coalesce(p.amount, 0) AS VARCHAR) || ' by postings'
FROM (SELECT account, 'all' AS line, sum(amount) AS amount FROM figure_accounts WHERE line NOT IN ('opening', 'closing') GROUP BY account) m
JOIN account_name n ON n.account = m.account
LEFT JOIN (SELECT account, sum(amount) AS amount FROM (SELECT debit_account AS account, amount FROM figure_postings
  UNION ALL SELECT credit_account, -amount FROM figure_postings) legs GROUP BY account) p ON p.account = m.account
WHERE m.amount <> n.side * coalesce(p.amount, 0)
-- Item by item: what is open. Money of one debt in suspense is compared together.
UNION ALL
SELECT 'open item', coalesce(r.account, f.account) || ' ' || coalesce(r.item, f.item), CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(coalesce(r.amount, 0) AS VARCHAR)
FROM (
  SELECT o.account, CASE WHEN o.account = 'suspense' THEN coalesce(k.debt, o.item) ELSE o.item END AS item, sum(n.side * o.amount) AS amount
  FROM figure_open_items o JOIN account_name n ON n.account = o.account LEFT JOIN suspense_key k ON o.account = 'suspense' AND k.item = o.item
  CROSS JOIN setting s WHERE NOT (s.bank_statement = 'yes' AND (o.account = 'payouts' OR o.item LIKE 'bank_line:%'))
  GROUP BY o.account, CASE WHEN o.account = 'suspense' THEN coalesce(k.debt, o.item) ELSE o.item END) f
FULL OUTER JOIN (
  SELECT i.account, i.item, i.amount FROM account_item i JOIN account_name n ON n.account = i.account CROSS JOIN setting s
  WHERE n.has_items = 1 AND i.amount <> 0 AND NOT (s.bank_statement = 'yes' AND (i.account = 'payouts' OR i.item LIKE 'bank_line:%'))) r
  ON r.account = f.account AND r.item = f.item
WHERE coalesce(f.amount, 0) <> coalesce(r.amount, 0)
-- What each is called by where it stands, and whether it waits.
UNION ALL
SELECT 'item', account || ' ' || item, called, class FROM item_class WHERE class <> called
UNION ALL
SELECT 'item', account || ' ' || item, status, waits FROM item_class WHERE waits <> status AND status <> 'decided'
UNION ALL
SELECT 'item', o.account || ' ' || o.item, 'decided', 'nobody decided about it' FROM figure_open_items o WHERE o.status = 'decided' AND o.decision = ''
-- Alarms, by class; what is at stake where bills have vanished or ask for different amounts.
UNION ALL
SELECT 'alarm', a.class, CAST(coalesce(f.alarms, 0) AS VARCHAR), CAST(a.alarms AS VARCHAR)
FROM alarm_class a LEFT JOIN (SELECT class, count(*) AS alarms FROM figure_open_items WHERE account = 'alarm' GROUP BY class) f ON f.class = a.class
WHERE coalesce(f.alarms, 0) <> a.alarms
UNION ALL
SELECT 'alarm', r.class || ' at stake', CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(r.at_stake AS VARCHAR)
FROM (SELECT 'L13' AS class, sum(at_stake) AS at_stake FROM vanished UNION ALL SELECT 'L14', coalesce(sum(at_stake), 0) FROM differing_debt) r
JOIN alarm_class a ON a.class = r.class
LEFT JOIN (SELECT class, sum(amount) AS amount FROM figure_open_items WHERE account = 'alarm' GROUP BY class) f ON f.class = r.class
WHERE coalesce(f.amount, 0) <> r.at_stake
-- Bank lines and pay-outs: what the report has found must be allowed, and nothing may be left that pays exactly.
UNION ALL
SELECT 'bank', d.subject, d.in_report, d.by_rules FROM bank_doubt d CROSS JOIN setting s WHERE s.bank_statement = 'yes'
-- Postings, by account and item: what they move is what the facts move.
UNION ALL
SELECT 'postings', coalesce(r.account, f.account) || ' ' || coalesce(r.item, f.item), CAST(coalesce(f.amount, 0) AS VARCHAR), CAST(coalesce(r.amount, 0) AS VARCHAR)
FROM (
  SELECT l.account, CASE WHEN l.account = 'suspense' THEN coalesce(k.debt, l.item) ELSE l.item END AS item, sum(l.amount) AS amount
  FROM (SELECT debit_account AS account, coalesce(debit_item, '') AS item, amount FROM figure_postings
    UNION ALL SELECT credit_account, coalesce(credit_item, ''), -amount FROM figure_postings) l
  LEFT JOIN suspense_key k ON l.account = 'suspense' AND k.item = l.item CROSS JOIN setting s
  WHERE NOT (s.bank_statement = 'yes' AND (l.account = 'payouts' OR l.item LIKE 'bank_line:%'))
  GROUP BY l.account, CASE WHEN l.account = 'suspense' THEN coalesce(k.debt, l.item) ELSE l.item END) f
FULL OUTER JOIN (
  SELECT m.account, CASE WHEN m.account = 'suspense' THEN coalesce(k.debt, m.item) ELSE m.item END AS item, sum(m.amount) AS amount
  FROM account_moved m LEFT JOIN suspense_key k ON m.account = 'suspense' AND k.item = m.item CROSS JOIN setting s
  WHERE m.account <> 'payouts and bank lines' AND NOT (s.bank_statement = 'yes' AND (m.account = 'payouts' OR m.item LIKE 'bank_line:%'))
  GROUP BY m.account, CASE WHEN m.account = 'suspense' THEN coalesce(k.debt, m.item) ELSE m.item END) r
  ON r.account = f.account AND r.item = f.item
WHERE coalesce(f.amount, 0) <> coalesce(r.amount, 0)
UNION ALL
SELECT 'posting', entry_id, CAST(amount AS VARCHAR) || ' from ' || credit_account || ' to ' || debit_account, 'more than 0, between two places, once'
FROM (SELECT p.*, count(*) OVER (PARTITION BY entry_id) AS times FROM figure_postings p) p
WHERE p.amount <= 0 OR p.times > 1 OR (p.debit_account = p.credit_account AND p.debit_item IS NOT DISTINCT FROM p.credit_item)
-- Debts: what each asks for, what was applied, what was taken off and how.
UNION ALL
SELECT 'debt', coalesce(r.debt, f.debt),
  coalesce(CAST(f.due AS VARCHAR) || ' due, ' || CAST(f.applied AS VARCHAR) || ' applied, ' || CAST(f.unproven + f.lapsed + f.cancelled + f.written_off + f.waived + f.rounding + f.elsewhere AS VARCHAR) || ' off', 'missing'),
  coalesce(CAST(r.due AS VARCHAR) || ' due, ' || CAST(r.applied AS VARCHAR) || ' applied, ' || CAST(r.unproven + r.lapsed + r.cancelled + r.written_off + r.waived + r.rounding + r.elsewhere AS VARCHAR) || ' off', 'no such debt')
FROM figure_debts f FULL OUTER JOIN debt_end r ON r.debt = f.debt
WHERE f.debt IS NULL OR r.debt IS NULL OR f.due <> r.due OR f.applied <> r.applied OR f.unproven <> r.unproven OR f.lapsed <> r.lapsed
  OR f.cancelled <> r.cancelled OR f.written_off <> r.written_off OR f.waived <> r.waived OR f.rounding <> r.rounding OR f.elsewhere <> r.elsewhere
-- Identities: those of the report hold, and say what the rules say.
UNION ALL
SELECT 'identity', f.name, CAST(f.left_side AS VARCHAR) || ' = ' || CAST(f.right_side AS VARCHAR), 'both sides are one'
FROM figure_identities f WHERE f.left_side <> f.right_side OR f.holds <> 'yes'
UNION ALL
SELECT 'identity', r.name, coalesce(CAST(f.left_side AS VARCHAR) || ' = ' || CAST(f.right_side AS VARCHAR), 'missing'),
  CAST(r.left_side AS VARCHAR) || ' = ' || CAST(r.right_side AS VARCHAR)
FROM rule_identities r LEFT JOIN figure_identities f ON f.of = r.of AND f.name = r.name
WHERE (f.name IS NOT NULL AND (f.left_side <> r.left_side OR f.right_side <> r.right_side)) OR r.left_side <> r.right_side
  OR (f.name IS NULL AND r.of = 'run')
-- The list of what is to be done, the open items and the first page are one.
UNION ALL
SELECT 'to do', o.account || ' ' || o.item, 'in no list', 'to be dealt with'
FROM figure_open_items o WHERE o.status = 'to_do' AND NOT EXISTS (
  SELECT 1 FROM figure_discrepancies d WHERE d.discrepancy_id = o.discrepancy_id AND d.nature = 'BREAK')
UNION ALL
SELECT 'to do', 'all', CAST(t.count AS VARCHAR), CAST(d.listed AS VARCHAR) || ' in the list'
FROM (SELECT coalesce(sum(count), 0) AS count FROM figure_to_do) t
CROSS JOIN (SELECT count(*) AS listed FROM figure_discrepancies WHERE nature = 'BREAK' AND status <> 'accepted') d
WHERE t.count <> d.listed
-- Ages: each item is in the bucket of its days, and the buckets come to the account.
UNION ALL
SELECT 'age', coalesce(f.account, r.account) || ' ' || coalesce(f.bucket, r.bucket), CAST(coalesce(f.count, 0) AS VARCHAR) || ' / ' || CAST(coalesce(f.amount, 0) AS VARCHAR),
  CAST(coalesce(r.count, 0) AS VARCHAR) || ' / ' || CAST(coalesce(r.amount, 0) AS VARCHAR)
FROM (SELECT account, bucket, sum(count) AS count, sum(amount) AS amount FROM figure_ageing WHERE count <> 0 GROUP BY account, bucket) f
FULL OUTER JOIN (SELECT account, bucket_days AS bucket, count(*) AS count, sum(amount) AS amount FROM figure_open_items WHERE account <> 'alarm' GROUP BY account, bucket_days) r
  ON r.account = f.account AND r.bucket = f.bucket
WHERE coalesce(f.count, 0) <> coalesce(r.count, 0) OR coalesce(f.amount, 0) <> coalesce(r.amount, 0);
