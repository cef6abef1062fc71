"""The yardstick for registering bills: the rows of a finished ledger, put into an empty file of the same schema by a bare loop.

    bare_inserts.py LEDGER OUT

Every table, index and trigger is as in LEDGER, so are journal, durability and the rows of a commit (256 bills). The rows are read
before the clock starts; nothing is parsed, decided, hashed or looked up. Prints the seconds.
"""

import sqlite3
import sys
import time

BILLS_A_COMMIT = 256

source = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
target = sqlite3.connect(sys.argv[2], isolation_level=None)
for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 16384"):
    target.execute(f"PRAGMA {pragma}").fetchall()
schema = source.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").fetchall()
for kind in ("table", "index", "trigger"):
    for found, _, sql in schema:
        if found == kind:
            target.execute(sql)
rows, inserts = {}, {}
for name in (name for kind, name, _ in schema if kind == "table"):
    found = source.execute(f"SELECT * FROM {name}").fetchall()
    if found:
        rows[name] = found
        inserts[name] = f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})"
bills = len(rows["bills"])
commits = max(1, -(-bills // BILLS_A_COMMIT))
target.execute("PRAGMA foreign_keys = OFF")
began = time.monotonic()
for commit in range(commits):
    target.execute("BEGIN IMMEDIATE")
    for name, kept in rows.items():
        part = kept[len(kept) * commit // commits : len(kept) * (commit + 1) // commits]
        target.executemany(inserts[name], part)
    target.execute("COMMIT")
print(f"{time.monotonic() - began:.3f}")
