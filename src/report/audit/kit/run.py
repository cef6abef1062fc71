"""Runs the rules of this kit in DuckDB and prints every difference: python run.py (needs `pip install duckdb`).

Ends with 0 where the rules agree with the report's figures, with 1 where they do not.
"""

import os
import sys
from pathlib import Path

import duckdb


def differences(kit: Path) -> list[tuple]:
    """Every row of `difference`, once the rules have run in their order."""
    before = os.getcwd()
    os.chdir(kit)
    try:
        connection = duckdb.connect()
        for rules in sorted(Path("rules").glob("*.sql")):
            connection.execute(rules.read_text(encoding="utf-8"))
        return connection.execute("SELECT what, subject, in_report, by_rules FROM difference ORDER BY ALL").fetchall()
    finally:
        os.chdir(before)


def main() -> int:
    found = differences(Path(__file__).resolve().parent)
    for what, subject, in_report, by_rules in found:
        print(f"{what} | {subject} | report: {in_report} | rules: {by_rules}")
    print(f"{len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
