#!/usr/bin/env python3
"""The service and an engine that nobody here wrote, each as the other's client; needs `simplefix` from PyPI.

    fix_interop.py BINARY

Runs BINARY's sample day, lets fix_simplefix.py log on and subscribe to everything, and compares the
session VWAP and volume that it received for every symbol with datasets/golden. Then lets `BINARY run` take a
feed from fix_simplefix_server.py, and compares its rows with what was served. Exit code 0 if all agree.
"""

import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile

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


def fed(binary):
    """The last row of each symbol and window that BINARY makes of a served feed."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        command = [sys.executable, HERE / "fix_simplefix_server.py"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            (folder / "feed.toml").write_text(
                f'[feed.fix]\nserver = "{server.stdout.readline().strip()}"\nsender_comp_id = "FEED"\n'
                'target_comp_id = "SIMPLEFIX"\nfrom_start = true\n'
                '[fix]\ndisabled = true\n[window]\nwindows = ["1s", "session"]\n'
            )
            command = [binary, "run", "--config", folder / "feed.toml", "--format", "csv", "--out", folder / "rows.csv"]
            run = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60)
            if run.returncode != 0 or server.wait(timeout=30) != 0:
                sys.exit(f"exit codes: service {run.returncode}, server {server.returncode}: {run.stderr}")
        finally:
            server.kill()
        with open(folder / "rows.csv", newline="") as rows:
            return {(row["symbol"], row["window"]): row for row in csv.DictReader(rows)}


def check_fed(binary):
    """What the server's feed comes to, worked out by hand."""
    wanted = {
        # 100 at 10.0001 and 300 at 10.0003; the 50 at 10.5 in between are taken back.
        ("AAPL", "session"): ("400", "40001000", "2", "10.000250", "10.0001", "10.0003"),
        ("MSFT", "session"): ("7", "1400007", "1", "20.000100", "20.0001", "20.0001"),
        ("MSFT", "1s"): ("7", "1400007", "1", "20.000100", "20.0001", "20.0001"),
    }
    rows, columns = fed(binary), ["volume", "notional", "trades", "vwap", "open", "close"]
    for key, answer in wanted.items():
        row = rows.get(key, {})
        if (tuple(row.get(name) for name in columns), row.get("complete")) != (answer, "true"):
            sys.exit(f"{key}: {row}, not {answer}")
    print(f"{len(rows)} rows of a feed that simplefix serves are right")


def main():
    check_fed(sys.argv[1])
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
