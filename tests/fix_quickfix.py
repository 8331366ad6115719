#!/usr/bin/env python3
"""QuickFIX C++ as a subscriber, as a server, and as the counterparty of a service that is killed.

    fix_quickfix.py BINARY PEER SPEC KILLS

BINARY is widetape, PEER is fix_quickfix.cpp compiled, SPEC the folder of QuickFIX's dictionaries. tests/quickfix.sh
makes all of them. Exit code 0 if everything agreed.
"""

import csv
import gzip
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DAY = HERE.parent / "datasets" / "sample_day.itch.gz"
COLUMNS = {"9": "vwap", "B": "volume", "4": "open", "7": "high", "8": "low", "5": "close"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nanoseconds(clock):
    hours, minutes, seconds = clock.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1e3) * 10**6


def replayed(binary):
    """Rows by end, symbol, window and revision, and the last of each symbol and window."""
    command = [binary, "replay", DAY, "--format", "csv"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows, last = {}, {}
    for row in csv.DictReader(lines):
        key = (int(row["end_ns"]), row["symbol"], row["window"])
        rows[key + (int(row["revision"]),)] = row
        held = last.setdefault(key[1:], row)
        if (key[0], int(row["revision"])) >= (int(held["end_ns"]), int(held["revision"])):
            last[key[1:]] = row
    return rows, last


def check_values(lines, rows, last):
    """Every entry is a row of the replay, and the last ones are its last rows."""
    newest, count = {}, 0
    for line in lines:
        _, symbol, window, clock, kind, action, price, size, trades, text = line.split(",")
        if kind in "01":
            continue
        end = nanoseconds(clock)
        revision = int(text.split()[-1]) if "revision" in text else 0
        row = rows.get((end, symbol, window, revision))
        if row is None:
            sys.exit(f"no such row: {line}")
        value = size if kind == "B" else price
        wanted = "" if row["trades"] == "0" else row[COLUMNS[kind]]
        complete = "incomplete" not in text
        if value != wanted or complete != (row["complete"] == "true") or (action == "2") != (row["trades"] == "0"):
            sys.exit(f"{line} is not {row}")
        if kind == "B" and action != "2" and trades != row["trades"]:
            sys.exit(f"{line} has not {row['trades']} trades")
        held = newest.get((symbol, window, kind), (0, 0, ""))
        newest[symbol, window, kind] = max(held, (end, revision, value))
        count += 1
    for (symbol, window), row in last.items():
        for kind, column in COLUMNS.items():
            found = newest.get((symbol, window, kind))
            if found is None or found[2] != ("" if row["trades"] == "0" else row[column]):
                sys.exit(f"last of {symbol} {window} {column}: {found}, not {row}")
    return count


def check_statuses(lines):
    """Symbols are halted, quoted and resumed as the day says; the last state of each is the day's last."""
    day, at, said = gzip.decompress(DAY.read_bytes()), 0, {}
    while at < len(day):
        length = int.from_bytes(day[at : at + 2], "big")
        message, at = day[at + 2 : at + 2 + length].decode("latin-1"), at + 2 + length
        symbol, state = message[11:19].strip(), message[19:20]
        if message[0] == "H" and (state != "T" or symbol in said):
            code = {"H": "2", "P": "2", "Q": "5", "T": "3"}[state]
            said.setdefault(symbol, []).append((code, f"{state} {message[21:25]}".strip()))
    found = {}
    for line in lines:
        _, symbol, code, text = line.split(",")
        found.setdefault(symbol, []).append((code, text))
    # Whoever comes late is told the newest state first.
    late = {symbol for symbol in said if said[symbol][-len(found.get(symbol, [])) :] != found.get(symbol)}
    if late or not said or set(found) != set(said):
        sys.exit(f"trading states: {found}, not {said}")
    return sum(map(len, found.values()))


def subscriber(binary, peer, spec, version, rows, last):
    with tempfile.TemporaryDirectory() as store:
        command = [binary, "--fix", "127.0.0.1:0", "--seconds", "8"]
        day = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            port = re.search(r"FIX on \S+:(\d+)", day.stdout.readline()).group(1)
            command = [peer, "client", port, version, spec, store]
            client = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120)
            day.stdout.read()
            if day.wait(timeout=60) != 0 or client.returncode != 0:
                sys.exit(f"exit codes {day.returncode} and {client.returncode}: {client.stdout[-2000:]}")
        finally:
            day.kill()
    lines = [line for line in client.stdout.splitlines() if line[:2] in ("W,", "X,")]
    halts = check_statuses(line for line in client.stdout.splitlines() if line.startswith("f,"))
    print(f"{version}: {check_values(lines, rows, last)} entries equal the replay's rows, {halts} trading states the day's")


def server(binary, peer, spec, version):
    with tempfile.TemporaryDirectory() as folder:
        folder, port = pathlib.Path(folder), free_port()
        named = "FIX.5.0SP2" if version == "FIXT.1.1" else version
        (folder / "w.toml").write_text(
            f'[feed.fix]\nserver = "127.0.0.1:{port}"\nversion = "{named}"\nsender_comp_id = "FEED"\n'
            f'target_comp_id = "QUICKFIX"\nfrom_start = true\n[fix]\ndisabled = true\n[window]\nwindows = ["1s", "session"]\n'
        )
        command = [peer, "server", str(port), version, spec, str(folder)]
        served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            served.stdout.readline()
            command = [binary, "run", "--config", folder / "w.toml", "--out", folder / "rows.csv", "--format", "csv"]
            fed = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60)
            said = served.communicate(timeout=60)[0]
            if fed.returncode != 0 or served.returncode != 0:
                sys.exit(f"exit codes {fed.returncode} and {served.returncode}: {said} {fed.stderr}")
        finally:
            served.kill()
        with open(folder / "rows.csv", newline="") as file:
            last = {(row["symbol"], row["window"], row["end_ns"]): row for row in csv.DictReader(file)}
    second = {key[0]: row for key, row in last.items() if key[1] == "session"}
    found = {
        symbol: (row["volume"], row["notional"], row["trades"], row["vwap"], row["complete"])
        for symbol, row in second.items()
    }
    wanted = {
        "AAPL": ("100", "150000000", "1", "150.000000", "true"),
        "MSFT": ("7", "1400007", "1", "20.000100", "true"),
    }
    corrected = last[("AAPL", "1s", "34201000000000")]
    if found != wanted or (corrected["volume"], corrected["revision"]) != ("100", "1"):
        sys.exit(f"rows of the feed: {last}\n{fed.stderr}")
    print(f"{version}: rows of a QuickFIX server are right")


def from_the_open():
    """The sample day with everything before 09:30 at that time, so that it begins with trades."""
    opens, day, at = (34_200 * 10**9).to_bytes(6, "big"), bytearray(gzip.decompress(DAY.read_bytes())), 0
    while at < len(day):
        # Length u16, then type u8, locate u16, tracking u16, time u48.
        day[at + 7 : at + 13] = max(opens, bytes(day[at + 7 : at + 13]))
        at += 2 + int.from_bytes(day[at : at + 2], "big")
    return bytes(day)


def kills(binary, peer, spec, version, count):
    """Kills a service that keeps numbers and messages at random moments, QuickFIX connecting again each time."""
    with tempfile.TemporaryDirectory() as folder:
        folder, port = pathlib.Path(folder), free_port()
        group = f"239.192.{random.randrange(128, 250)}.{random.randrange(1, 250)}:{free_port()}"
        (folder / "w.toml").write_text(
            f'[[feed.lines]]\ngroup = "{group}"\n[session]\njoin = "first_seen"\n[recovery]\ndisabled = true\n'
            f'[fix.acceptor]\nlisten = "127.0.0.1:{port}"\nstore = {{ file = "{folder}/fix.journal", messages = 1000 }}\n'
        )
        (folder / "day.itch").write_bytes(from_the_open())
        command = [binary, "send", folder / "day.itch", "--group", group, "--speed", "20x", "--no-rerequest"]
        sender = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        command = [peer, "watch", str(port), version, spec, str(folder)]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=open(folder / "seen", "w"), text=True)
        command = [binary, "run", "--config", folder / "w.toml", "--out", "/dev/null", "--format", "csv"]
        logons = lambda: (folder / "seen").read_text().count("LOGON")
        try:
            for round in range(count + 1):
                service, before, start = subprocess.Popen(command, stderr=subprocess.DEVNULL), logons(), time.monotonic()
                # One in five is killed wherever it is; the others once the counterparty has come back.
                while (round % 5 or round == count) and logons() == before:
                    if time.monotonic() > start + 60 or service.poll() is not None or client.poll() is not None:
                        sys.exit(f"round {round}: it does not come back\n{(folder / 'seen').read_text()[-2000:]}")
                    time.sleep(0.01)
                time.sleep(random.random() * 0.8 + (round == count) * 3)
                service.kill() if round < count else service.terminate()
                service.wait()
            client.communicate(timeout=60)
        finally:
            for process in (sender, client, service):
                process.kill()
        seen = (folder / "seen").read_text()
        summary = next((line for line in seen.splitlines() if line.startswith("SUMMARY")), seen[-2000:])
        if client.returncode != 0 or "FAILED" in seen:
            failures = [line for line in seen.splitlines() if line.startswith("FAILED")]
            sys.exit(f"{version}: {failures[:3]} {summary}")
        # QuickFIX keeps the next number that it expects: it lies behind all that it has seen.
        (numbers,) = folder.glob("*.seqnums")
        expected = int(numbers.read_text().split(":")[1])
        highest = int(re.search(r"numbers (\d+)", summary).group(1))
        if expected != highest + 1:
            sys.exit(f"{version}: a gap is open: {expected} is expected, {highest} was seen")
        entries = seen.count("\nX,")
        if entries < 10 * count:
            sys.exit(f"{version}: {entries} entries are not enough to kill anything in the middle of")
        print(f"{version}: {count} kills, {logons()} logons, {entries} entries; {summary[8:]}; no gap is open")


def main():
    binary, peer, spec, count = sys.argv[1:5]
    rows, last = replayed(binary)
    for version in ("FIX.4.4", "FIXT.1.1"):
        subscriber(binary, peer, spec, version, rows, last)
        server(binary, peer, spec, version)
    for version, share in (("FIX.4.4", int(count) - int(count) // 2), ("FIXT.1.1", int(count) // 2)):
        if share > 0:
            kills(binary, peer, spec, version, share)


if __name__ == "__main__":
    main()
