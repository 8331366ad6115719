#!/usr/bin/env python3
"""The sample day as a counterparty that nobody here wrote sees it; needs `simplefix` from PyPI.

    fix_interop.py BINARY

Runs BINARY's sample day, lets fix_simplefix.py log on and subscribe to everything, and compares the
session VWAP and volume that it received for every symbol with datasets/golden. Exit code 0 if all agree.
"""

import csv
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "datasets" / "golden" / "sample_day.session.csv"


def received(binary):
    """Rows by symbol and the summary, as the counterparty printed them."""
    day = subprocess.Popen(
        [binary, "--fix", "127.0.0.1:0", "--seconds", "8"], stdout=subprocess.PIPE, text=True
    )
    try:
        first = day.stdout.readline()
        address = re.search(r"FIX on (\S+)", first).group(1)
        client = subprocess.run(
            [sys.executable, HERE / "fix_simplefix.py", address, "--seconds", "60", "--types", "9B"],
            stdout=subprocess.PIPE,
            text=True,
            timeout=90,
        )
        day.stdout.read()
        if day.wait(timeout=30) != 0 or client.returncode != 0:
            sys.exit(f"exit codes: sample day {day.returncode}, counterparty {client.returncode}")
    finally:
        day.kill()
    lines = [json.loads(line) for line in client.stdout.splitlines()]
    rows = {row["symbol"]: row for row in lines if row.get("window") == "session"}
    return rows, lines[-1]["summary"]


def main():
    rows, summary = received(sys.argv[1])
    with open(GOLDEN, newline="") as golden:
        wanted = list(csv.DictReader(golden))
    for answer in wanted:
        row = rows.get(answer["symbol"], {})
        if (row.get("9"), row.get("B")) != (answer["vwap"], answer["volume"]):
            sys.exit(f"{answer['symbol']}: received {row}, golden {answer}")
    print(f"{len(wanted)} symbols agree; {summary['increments']} increments, {summary['entries']} entries")


if __name__ == "__main__":
    main()
