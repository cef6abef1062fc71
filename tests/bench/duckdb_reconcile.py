"""The yardstick: DuckDB doing the reconciliation's work in SQL, on the same files and two threads.

    duckdb_reconcile.py DATA OUT {hmac|plain}

Reads DATA/ledger.csv and DATA/logs/*.jsonl, checks every signature (`hmac`) or trusts them (`plain`), sorts lines,
payments and bills into the main classes, and writes OUT/discrepancies.csv and OUT/classes.json. Prints the seconds.
Written to be fast: one pass over the bodies, one aggregate for duplicates, one join, windows only where a bill has
several payments. It knows the order of the identifiers and headers, which a real log does not promise.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import duckdb

FROM, TO, AS_OF = "2026-10-01 00:00:00+07", "2026-11-01 00:00:00+07", "2026-11-02 00:00:00+07"
PREFIX = "HMACSHA256="


def pads(secret: bytes) -> tuple[str, str]:
    """HMAC's two key blocks as SQL blob literals."""
    key = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    literal = lambda xor: "unhex('" + bytes(byte ^ xor for byte in key).hex() + "')"
    return literal(0x36), literal(0x5C)


def verified(secret: bytes) -> str:
    inner, outer = pads(secret)
    message = """'Client-Id:' || client_id || chr(10) || 'Request-Id:' || request_id || chr(10) || 'Request-Timestamp:'
        || request_timestamp || chr(10) || 'Request-Target:' || target || chr(10) || 'Digest:' || to_base64(unhex(sha256(body)))"""
    return f"""signature = '{PREFIX}' || to_base64(unhex(sha256({outer} || unhex(sha256({inner} || encode({message}))))))"""


HEADERS = """'STRUCT("Client-Id" VARCHAR, "Request-Id" VARCHAR, "Request-Timestamp" VARCHAR, "Signature" VARCHAR)'"""
PATHS = ["service.id", "transaction.status", "transaction.date", "order.invoice_number", "order.amount", "channel.id",
         "online_to_offline_info.payment_code", *(f"online_to_offline_payment.identifier[{n}].value" for n in range(3))]

BILLS = """
CREATE TEMP TABLE bills AS SELECT row_number() OVER () AS bill, * FROM (
  SELECT invoice_number AS invoice, payment_code AS code, channel, try_cast(amount AS BIGINT) AS amount, status, reusable = 'true' AS reusable,
    created_at::TIMESTAMPTZ AS created_at, expires_at::TIMESTAMPTZ AS expires_at, cancelled_at::TIMESTAMPTZ AS cancelled_at,
    paid_at::TIMESTAMPTZ AS marked_at, amount_history, bill_group
  FROM read_csv('{data}/ledger.csv', header = true, all_varchar = true))
"""

LINES = """
CREATE TEMP TABLE lines AS
WITH raw AS (
  SELECT received_at, target, body, service, headers."Client-Id" AS client_id, headers."Request-Id" AS request_id,
    headers."Request-Timestamp" AS request_timestamp, headers."Signature" AS signature
  FROM read_json('{data}/logs/*.jsonl', format = 'newline_delimited', ignore_errors = true,
    columns = {{received_at: 'VARCHAR', target: 'VARCHAR', headers: {headers}, body: 'VARCHAR', service: 'JSON'}})),
judged AS (
  SELECT *, CASE
      WHEN body IS NULL AND service IS NULL THEN 'N01'
      WHEN client_id IS NOT NULL AND client_id <> '{client_id}' THEN 'N04'
      WHEN client_id IS NULL OR request_id IS NULL OR request_timestamp IS NULL OR signature IS NULL OR target IS NULL THEN 'N03'
      WHEN NOT ({verified}) THEN 'N02' END AS refused
  FROM raw),
parsed AS (
  SELECT refused, received_at, request_id, CASE WHEN refused IS NULL THEN json_extract_string(body, {paths}) END AS f FROM judged)
SELECT received_at, request_id, f[2] AS status, f[3] AS paid, f[4] AS invoice, f[5] AS amount_text,
  CASE f[6] WHEN 'ONLINE_TO_OFFLINE_ALFA' THEN 'alfa' WHEN 'ONLINE_TO_OFFLINE_INDOMARET' THEN 'indomaret' END AS channel,
  f[7] AS code, f[8] AS agent, f[9] AS store, f[10] AS transaction,
  CASE WHEN refused IS NOT NULL THEN refused
    WHEN f[1] <> 'ONLINE_TO_OFFLINE' THEN 'N13'
    WHEN f[1] IS NULL OR f[2] IS NULL OR f[3] IS NULL OR f[4] IS NULL OR f[5] IS NULL OR f[7] IS NULL THEN 'N12' END AS class
FROM parsed
"""

FIRSTS = """
CREATE TEMP TABLE firsts AS
SELECT channel, code, agent, store, transaction, count(*) AS messages, min(received_at) AS received_at,
  arg_min({invoice: invoice, amount: amount_text, paid: paid}, received_at) AS first,
  min(hash(invoice, amount_text, paid)) <> max(hash(invoice, amount_text, paid)) AS conflicting
FROM lines WHERE class IS NULL AND status = 'SUCCESS' GROUP BY ALL
"""

PAYMENTS = """
CREATE TEMP TABLE payments AS
WITH unpacked AS (
  SELECT row_number() OVER () AS payment, channel, code, transaction, conflicting, first.invoice AS invoice, first.paid::TIMESTAMPTZ AS paid_at,
    CASE WHEN regexp_full_match(first.amount, '[0-9]+([.]0+)?') THEN split_part(first.amount, '.', 1)::BIGINT END AS amount FROM firsts),
joined AS (
  SELECT p.*, b.bill, b.amount AS due, b.reusable, b.created_at, b.expires_at, b.cancelled_at, b.amount_history, b.bill_group,
    b.channel AS bill_channel
  FROM unpacked p LEFT JOIN bills b ON b.code = p.code AND b.invoice = p.invoice),
several AS (SELECT bill FROM joined WHERE NOT reusable GROUP BY bill HAVING count(*) > 1),
again AS (
  SELECT payment FROM (SELECT payment, due, max(amount) OVER (PARTITION BY bill ORDER BY paid_at ROWS BETWEEN UNBOUNDED PRECEDING
    AND 1 PRECEDING) AS covered FROM joined WHERE bill IN (FROM several)) WHERE covered >= due),
elsewhere AS (
  SELECT payment FROM (SELECT payment, row_number() OVER (PARTITION BY bill_group ORDER BY paid_at) AS nth FROM joined
    WHERE bill_group IS NOT NULL) WHERE nth > 1),
invoices AS (SELECT DISTINCT invoice FROM bills WHERE invoice IN (SELECT invoice FROM joined WHERE bill IS NULL)),
codes AS (SELECT code, count(*) AS holders FROM bills WHERE code IN (SELECT code FROM joined WHERE bill IS NULL) GROUP BY code)
SELECT j.*, CASE
    WHEN amount IS NULL THEN 'P17'
    WHEN paid_at < '{from}' OR paid_at >= '{to}' THEN 'P16'
    WHEN bill IS NULL AND i.invoice IS NULL AND c.code IS NULL THEN 'P01'
    WHEN bill IS NULL AND i.invoice IS NULL AND c.holders > 1 THEN 'P15'
    WHEN bill IS NULL THEN 'P02'
    WHEN payment IN (FROM again) THEN 'P06'
    WHEN payment IN (FROM elsewhere) THEN 'P12'
    WHEN paid_at > cancelled_at THEN 'P08'
    WHEN paid_at > expires_at + INTERVAL 5 MINUTE THEN 'P07'
    WHEN amount <> due AND list_contains(string_split(amount_history, ';'), amount::VARCHAR) THEN 'P10'
    WHEN amount < due THEN 'P03'
    WHEN amount > due THEN 'P04'
    WHEN j.channel <> bill_channel THEN 'P11'
    WHEN paid_at < created_at - INTERVAL 10 MINUTE THEN 'P09'
    WHEN reusable THEN 'P13'
    ELSE 'P00' END AS class
FROM joined j LEFT JOIN invoices i ON i.invoice = j.invoice AND j.bill IS NULL LEFT JOIN codes c ON c.code = j.code AND j.bill IS NULL
"""

CLASSED = """
CREATE TEMP TABLE classed AS
WITH attached AS (
  SELECT bill, sum(amount) AS paid FROM payments WHERE bill IS NOT NULL AND class NOT IN ('P16', 'P17') GROUP BY bill)
SELECT b.*, a.paid, CASE
    WHEN a.paid < b.amount AND NOT reusable THEN 'L11'
    WHEN a.paid > b.amount AND NOT reusable THEN 'L12'
    WHEN a.paid IS NOT NULL THEN 'L00'
    WHEN marked_at IS NOT NULL OR status = 'PAID' THEN 'L04'
    WHEN code IS NULL THEN 'L05'
    WHEN cancelled_at <= '{as_of}' THEN 'L03'
    WHEN expires_at + INTERVAL 5 MINUTE < '{as_of}' THEN 'L02'
    ELSE 'L01' END AS class
FROM bills b LEFT JOIN attached a USING (bill)
WHERE amount IS NOT NULL AND created_at <= '{as_of}' AND NOT coalesce(cancelled_at < '{from}', false)
  AND NOT coalesce(expires_at + INTERVAL 5 MINUTE < '{from}', false) AND NOT coalesce(marked_at < '{from}' AND NOT reusable, false)
"""

DISCREPANCIES = """
COPY (
  SELECT sha256('P' || channel || code || transaction) AS discrepancy_id, class, invoice AS invoice_number, code AS payment_code, channel,
    due AS amount_expected, amount AS amount_paid, amount - due AS amount_difference, paid_at
  FROM payments WHERE class NOT IN ('P00', 'P13', 'P16')
  UNION ALL
  SELECT sha256('B' || invoice), class, invoice, code, channel, amount, paid, paid - amount, NULL
  FROM classed WHERE class NOT IN ('L00', 'L01', 'L02', 'L03')
  UNION ALL
  SELECT sha256('L' || coalesce(received_at, '') || coalesce(request_id, '')), class, invoice, code, channel, NULL, NULL, NULL, NULL
  FROM lines WHERE class IS NOT NULL AND class <> 'N13'
  ORDER BY 2, 1) TO '{out}/discrepancies.csv' (HEADER)
"""

LINE_CLASSES = """
SELECT class, count(*) FROM lines WHERE class IS NOT NULL GROUP BY class
UNION ALL
SELECT CASE WHEN EXISTS (FROM firsts f WHERE f.code = l.code AND f.transaction = l.transaction AND f.store = l.store AND f.agent = l.agent
    AND f.channel = l.channel) THEN 'N08' ELSE 'N09' END AS class, count(*)
FROM lines l WHERE class IS NULL AND status <> 'SUCCESS' GROUP BY 1
UNION ALL
SELECT 'N00', count(*) FROM firsts
UNION ALL
SELECT CASE WHEN (l.invoice, l.amount_text, l.paid) = (f.first.invoice, f.first.amount, f.first.paid) THEN 'N06' ELSE 'N07' END AS class,
  count(*) - count(DISTINCT f.transaction) FILTER ((l.invoice, l.amount_text, l.paid) = (f.first.invoice, f.first.amount, f.first.paid))
FROM lines l JOIN firsts f USING (channel, code, agent, store, transaction)
WHERE f.messages > 1 AND l.class IS NULL AND l.status = 'SUCCESS' GROUP BY 1
"""


def main() -> None:
    data, out, mode = sys.argv[1:4]
    Path(out).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET enable_progress_bar = false")
    names = {
        "data": data, "out": out, "from": FROM, "to": TO, "as_of": AS_OF, "headers": HEADERS,
        "client_id": Path(data, "client_id").read_text(), "paths": [f"$.{path}" for path in PATHS],
        "verified": verified(Path(data, "secret").read_bytes()) if mode == "hmac" else "signature <> ''",
    }
    steps = [("bills", BILLS), ("lines", LINES), ("firsts", None), ("payments", PAYMENTS), ("classed", CLASSED), ("csv", DISCREPANCIES)]
    laps = {}
    for name, sql in steps:
        start = time.monotonic()
        connection.execute(FIRSTS if sql is None else sql.format(**names))
        laps[name] = round(time.monotonic() - start, 3)
    classes = {
        "lines": dict(connection.execute(LINE_CLASSES).fetchall()),
        "payments": {name: {"count": count, "amount": int(amount or 0)} for name, count, amount in
                     connection.execute("SELECT class, count(*), sum(amount) FROM payments GROUP BY class").fetchall()},
        "bills": {name: {"count": count, "amount": int(amount)} for name, count, amount in
                  connection.execute("SELECT class, count(*), sum(amount) FROM classed GROUP BY class").fetchall()},
    }
    Path(out, "classes.json").write_text(json.dumps(classes, indent=1, sort_keys=True))
    print(json.dumps({"seconds": round(time.monotonic() - began, 3), "laps": laps}))


if __name__ == "__main__":
    main()
