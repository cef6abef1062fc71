"""Plants faults in a kit's own figures, one at a time: the rules must find and name each.

    faults.py KIT [of-the-bank]

Every fault is one change of one table below KIT/figures, made in a copy. A fault that no rule notices, or that is named
otherwise than it should be, ends this with 1.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import duckdb

FIGURES = "figures"

# What is done to which table, and which kind of difference must name it.
FAULTS = [
    ("an amount in a posting is a rupiah more", "postings", "amount = amount + 1", "entry_id = (SELECT min(entry_id) FROM t)", "postings"),
    ("a posting goes to another account", "postings", "debit_account = 'bank', debit_item = ''", "entry_id = (SELECT min(entry_id) FROM t WHERE debit_account = 'doku')", "postings"),
    ("a posting is missing", "postings", None, "entry_id = (SELECT max(entry_id) FROM t)", "postings"),
    ("a posting stands twice", "postings", "entry_id = (SELECT min(entry_id) FROM t)", "entry_id = (SELECT max(entry_id) FROM t)", "posting"),
    ("a payment is of another class", "matched", "class = 'P00'", "class = 'P06' AND identity = (SELECT min(identity) FROM t WHERE class = 'P06')", "payment"),
    ("a payment is dropped", "matched", None, "identity = (SELECT min(identity) FROM t)", "payment"),
    ("a payment is a rupiah less", "matched", "amount_paid = amount_paid - 1", "identity = (SELECT max(identity) FROM t)", "payment"),
    ("a count of a class is one more", "classes", "count = count + 1", "section = 'payments' AND class = 'P00'", "class"),
    ("the rupiah of a class of bills are one less", "classes", "amount = amount - 1", "section = 'bills' AND class = 'L11'", "class"),
    ("a class of settlement is said not to be evaluated", "classes", None, "section = 'settlement' AND class = 'S07'", "class"),
    ("a flag is not told", "classes", None, "section = 'flags' AND class = 'N05'", "flag"),
    ("an identity is off by one rupiah", "identities", "left_side = left_side + 1", "name = 'rupiah_attached_to_bills_equal_attaching_classes_rupiah'", "identity"),
    ("both sides of an identity are off by one rupiah", "identities", "left_side = left_side + 1, right_side = right_side + 1",
     "name = 'doku: open items = recomputed without postings'", "identity"),
    ("an identity that does not hold is said to", "identities", "right_side = right_side + 5", "name = 'all postings = 0'", "identity"),
    ("an account closes a rupiah higher", "accounts", "amount = amount + 1", "account = 'clearing' AND line = 'closing'", "account"),
    ("an account opens otherwise than the month before closed", "accounts", "amount = amount - 1", "account = 'receivable' AND line = 'opening'", "account"),
    ("a movement is not told", "accounts", None, "account = 'doku' AND line = 'settled'", "account"),
    ("an open item is removed", "open_items", None, "item = (SELECT min(item) FROM t WHERE account = 'suspense')", "open item"),
    ("an open item is a rupiah less", "open_items", "amount = amount - 1", "account = 'doku' AND item = (SELECT max(item) FROM t WHERE account = 'doku')", "open item"),
    ("an item of a customer is put on another account", "open_items", "account = 'unproven'",
     "account = 'receivable' AND item = (SELECT min(item) FROM t WHERE account = 'receivable')", "open item"),
    ("an item is younger than it is", "open_items", "bucket_days = '0-30'", "bucket_days <> '0-30' AND account <> 'alarm' AND item = (SELECT min(item) FROM t WHERE bucket_days <> '0-30' AND account <> 'alarm')", "age"),
    ("a debt asks for less", "debts", "due = due - 1", "debt = (SELECT min(debt) FROM t)", "debt"),
    ("a debt was written off that nobody decided about", "debts", "written_off = written_off + 1", "debt = (SELECT max(debt) FROM t)", "debt"),
    ("a settlement row is of another class", "settlement", "class = 'S00'", "class = 'S07' AND row = (SELECT min(row) FROM t WHERE class = 'S07')", "settlement row"),
    ("a settlement row is dropped", "settlement", None, "row = (SELECT max(row) FROM t)", "settlement row"),
    ("what somebody must look at is not listed", "discrepancies", None, "discrepancy_id = (SELECT min(discrepancy_id) FROM t WHERE class = 'P06')", "to do"),
    ("a forged message is not listed", "discrepancies", None, "class = 'N02' AND discrepancy_id = (SELECT min(discrepancy_id) FROM t WHERE class = 'N02')", "discrepancy"),
    ("a finding has another class", "discrepancies", "class = 'P04'", "class = 'P06' AND discrepancy_id = (SELECT min(discrepancy_id) FROM t WHERE class = 'P06')", "discrepancy"),
    ("an account's age is told otherwise", "ageing", "amount = amount + 1", "account = 'receivable' AND count > 0", "age"),
    ("the first page counts one thing less", "to_do", "count = count - 1", "owner = (SELECT min(owner) FROM t)", "to do"),
]

# Of a month with a bank statement, refunds, credits, and alarms of the ledger.
OF_THE_BANK = [
    ("a bank line that nobody explains is called something else", "open_items", "class = 'P01'", "class = 'B01'", "item"),
    ("a bank line that nobody explains is not listed", "open_items", None, "class = 'B01'", "account"),
    ("a pay-out that is long due is said to wait", "open_items", "status = 'not_yet_due'", "class = 'B02' AND status = 'to_do'", "item"),
    ("a refund that nobody transferred is said to be decided", "open_items", "status = 'decided', decision = ''", "class = 'B03'", "item"),
    ("a customer's credit is called a refund", "open_items", "class = 'B03'", "class = 'B05'", "item"),
    ("a bank line is said to pay another pay-out", "postings", "credit_item = (SELECT max(credit_item) FROM t WHERE credit_account = 'payouts' AND debit_account <> 'clearing')",
     "entry_id = (SELECT min(entry_id) FROM t WHERE credit_account = 'payouts' AND debit_account = 'bank' AND credit_item <> (SELECT max(credit_item) FROM t WHERE credit_account = 'payouts' AND debit_account <> 'clearing'))", "bank"),
    ("bills that have vanished are not told", "open_items", None, "account = 'alarm' AND class = 'L13'", "alarm"),
    ("less is at stake of them", "open_items", "amount = amount - 1", "account = 'alarm' AND class = 'L13'", "alarm"),
    ("a group that asks for two amounts is not told", "open_items", None, "account = 'alarm' AND class = 'L14'", "alarm"),
    ("a forged line raises no alarm", "open_items", None, "account = 'alarm' AND class = 'N02'", "alarm"),
]


def planted(kit: Path, table: str, change: str | None, where: str) -> int:
    """Makes the change in the table of `kit`; how many rows it met."""
    file = kit / FIGURES / f"{table}.parquet"
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{file}')")
    met = connection.execute(f"SELECT count(*) FROM t WHERE {where}").fetchone()[0]
    connection.execute(f"UPDATE t SET {change} WHERE {where}" if change else f"DELETE FROM t WHERE {where}")
    connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    return met


def main() -> int:
    kit, missed = Path(sys.argv[1]).resolve(), 0
    faults = OF_THE_BANK if sys.argv[2:] == ["of-the-bank"] else FAULTS
    sys.path.insert(0, str(kit))
    from run import differences

    assert differences(kit) == [], "the kit must agree before anything is planted"
    for what, table, change, where, named in faults:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "kit"
            shutil.copytree(kit, copy)
            met = planted(copy, table, change, where)
            found = {difference[0] for difference in differences(copy)} if met else set()
        verdict = "found" if named in found else "MISSED" if met else "NOT PLANTED"
        missed += verdict != "found"
        print(f"{verdict:12} {what}: {', '.join(sorted(found))}")
    print(f"{len(faults) - missed} of {len(faults)} faults found and named")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
