"""The yardstick for ingesting: a bare loop that parses, verifies and inserts the lines of a log, with the commits of `tagih ingest`.

    bare_ingest.py LOG LEDGER

LEDGER is a copy that this may spoil. Nothing is compared, judged, chained or sealed. The secret comes from TAGIH_DOKU_SECRET. Prints the
seconds.
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time

PAYMENTS_A_COMMIT = 1024

secret = os.environ["TAGIH_DOKU_SECRET"].encode()
target = sqlite3.connect(sys.argv[2], isolation_level=None)
for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 16384", "foreign_keys = OFF"):
    target.execute(f"PRAGMA {pragma}").fetchall()
sequence = target.execute("SELECT COALESCE(MAX(sequence), 0) FROM events").fetchone()[0]
began = time.monotonic()
events, payments, paid = [], [], []


def commit():
    target.execute("BEGIN IMMEDIATE")
    target.executemany("INSERT INTO events (sequence, at, kind, invoice_number, event, hash) VALUES (?, ?, 'payment', ?, ?, ?)", events)
    target.executemany(
        "INSERT INTO payments (sequence, identity, invoice_number, payment_code, channel, amount, paid_at, line_digest) VALUES (?, ?, ?, ?, 'alfa', ?, ?, ?)",
        payments)
    target.executemany("UPDATE bills SET paid = 'by_its_code', first_paid_at = ? WHERE invoice_number = ?", paid)
    target.execute("COMMIT")
    for rows in (events, payments, paid):
        rows.clear()


with open(sys.argv[1], "rb") as log:
    for raw in log:
        line = json.loads(raw)
        headers, text = line["headers"], line["body"]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        signed = (f"Client-Id:{headers['Client-Id']}\nRequest-Id:{headers['Request-Id']}\nRequest-Timestamp:{headers['Request-Timestamp']}\n"
                  f"Request-Target:{line['target']}\nDigest:{digest}")
        signature = base64.b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).decode()
        if headers["Signature"] != f"HMACSHA256={signature}":
            sys.exit("a line is forged")
        body = json.loads(text)
        number, code = body["order"]["invoice_number"], body["online_to_offline_info"]["payment_code"]
        sequence += 1
        key = hashlib.sha256(number.encode()).digest()
        events.append((sequence, 0, number, text, key))
        payments.append((sequence, key, number, code, body["order"]["amount"], 0, hashlib.sha256(raw).digest()))
        paid.append((0, number))
        if len(events) == PAYMENTS_A_COMMIT:
            commit()
commit()
print(f"{time.monotonic() - began:.3f}")
