"""The yardstick for a file whose bills are all unchanged: DuckDB joins the same file with the same bills and writes the same rows.

    duckdb_unchanged.py INPUT ACCEPTED OUT

INPUT is the file of bills, ACCEPTED the accepted.csv of the run that registered them; it stands for the ledger and is loaded before the
clock starts. Compares the terms that both have, writes OUT, and prints the seconds.
"""

import sys
import time

import duckdb

given, accepted, out = sys.argv[1:]
db = duckdb.connect()
db.execute("SET threads = 2")
db.execute("SET preserve_insertion_order = true")
db.execute("CREATE TABLE kept AS SELECT * FROM read_csv(?, all_varchar = true)", [accepted])
began = time.monotonic()
db.execute(f"""
    COPY (
        SELECT kept.invoice_number, kept.payment_code, kept.channel, kept.amount, kept.expires_at, kept.how_to_pay_page,
               CASE WHEN given.premium = kept.amount AND given.payment_code = kept.payment_code AND given.channel = kept.channel
                    THEN 'unchanged' ELSE 'amended' END AS action,
               kept.file, kept.row, kept.expires_at_wib, kept.note, kept.wire_invoice_number, kept.created_at, kept.how_to_pay_api,
               kept.created_at_wib
        FROM read_csv('{given}', all_varchar = true) AS given JOIN kept USING (invoice_number)
    ) TO '{out}' (HEADER)
""")
print(f"{time.monotonic() - began:.3f}")
