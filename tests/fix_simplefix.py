#!/usr/bin/env python3
"""An independent FIX 4.4 counterparty for interop checks; needs `simplefix` from PyPI.

    fix_simplefix.py HOST:PORT [--seconds N] [--sender NAME] [--target NAME] [--types 9B478]

Logs on, subscribes to all symbols and windows, and ends at a Logout, a closed connection or after N
seconds. Every BodyLength, CheckSum and MsgSeqNum that comes is checked. Then one JSON line for each
(symbol, window) with the newest value of each entry type, values as the text that was sent:

    {"symbol": "AAPL", "window": "1s", "end": "09:30:01.000", "complete": true, "revision": 0, "9": "320.000033", "B": "3"}

and a last line {"summary": ...}. Exit code 0 if all was well, 1 if a check failed.
"""

import argparse
import datetime
import json
import socket
import sys
import time

import simplefix


class Failure(Exception):
    """A message that is not what the protocol says."""


class Counterparty:
    def __init__(self, address, sender, target, types):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.socket.settimeout(0.05)
        self.parser = simplefix.FixParser()
        self.sender, self.target, self.types = sender, target, types
        self.next_out = 1
        self.expected = 1
        self.rows = {}
        self.counts = {"snapshots": 0, "increments": 0, "statuses": 0, "entries": 0, "messages": 0, "text": ""}
        self.logged_out = False

    def send(self, msg_type, pairs):
        message = simplefix.FixMessage()
        message.append_pair(8, "FIX.4.4", header=True)
        message.append_pair(35, msg_type, header=True)
        message.append_pair(49, self.sender, header=True)
        message.append_pair(56, self.target, header=True)
        message.append_pair(34, self.next_out, header=True)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        message.append_utc_timestamp(52, now, precision=3, header=True)
        for tag, value in pairs:
            message.append_pair(tag, value)
        self.socket.sendall(message.encode())
        self.next_out += 1

    def subscribe(self):
        pairs = [(262, "ALL"), (263, "1"), (264, "1"), (265, "1"), (267, len(self.types))]
        pairs += [(269, kind) for kind in self.types]
        self.send("V", pairs + [(146, 1), (55, "*")])

    def take(self, message):
        text = {tag: message.get(tag) for tag in (8, 34, 35, 49, 56)}
        if text[8] != b"FIX.4.4" or text[49] != self.target.encode() or text[56] != self.sender.encode():
            raise Failure(f"header: {message}")
        sent = bytes(message.encode(True))
        body = sent[sent.index(b"\x0135=") + 1 : sent.rindex(b"10=")]
        if int(message.get(9)) != len(body):
            raise Failure(f"BodyLength: {message}")
        if int(message.get(10)) != sum(sent[: sent.rindex(b"10=")]) % 256:
            raise Failure(f"CheckSum: {message}")
        if int(text[34]) != self.expected:
            raise Failure(f"MsgSeqNum {text[34]} instead of {self.expected}")
        self.expected += 1
        self.counts["messages"] += 1
        self.act(text[35], message)

    def act(self, msg_type, message):
        if msg_type == b"A":
            self.subscribe()
        elif msg_type == b"1":
            self.send("0", [(112, message.get(112))])
        elif msg_type == b"5":
            self.counts["text"] = (message.get(58) or b"").decode()
            if not self.logged_out:
                self.send("5", [])
            self.logged_out = True
        elif msg_type in (b"W", b"X"):
            self.counts["snapshots" if msg_type == b"W" else "increments"] += 1
            self.market_data(msg_type, message)
        elif msg_type == b"f":
            self.counts["statuses"] += 1
        elif msg_type != b"0":
            raise Failure(f"unexpected: {message}")

    def market_data(self, msg_type, message):
        opener = 269 if msg_type == b"W" else 279
        symbol, announced, entries = None, 0, []
        for tag, value in message:
            if tag == 268:
                announced = int(value)
            elif tag == opener:
                entries.append({tag: value})
            elif entries:
                entries[-1][tag] = value
            elif tag == 55:
                symbol = value
        if len(entries) != announced:
            raise Failure(f"{announced} entries announced, {len(entries)} found: {message}")
        for entry in entries:
            entry.pop(10, None)
            self.entry(entry.get(55, symbol), entry)
        self.counts["entries"] += len(entries)

    def entry(self, symbol, entry):
        key = (symbol.decode(), entry.get(282, b"book").decode())
        row = self.rows.setdefault(key, {"symbol": key[0], "window": key[1], "end": ""})
        end = entry[273].decode()
        if end < row["end"]:
            return
        note = entry.get(58, b"").decode().split()
        row["end"] = end
        row["complete"] = "incomplete" not in note
        row["revision"] = int(note[-1]) if "revision" in note else 0
        kind = entry[269].decode()
        if entry.get(279) == b"2":
            row.pop(kind, None)
        else:
            row[kind] = (entry.get(270) or entry[271]).decode()

    def run(self, seconds):
        self.send("A", [(98, 0), (108, 30)])
        deadline = time.monotonic() + seconds
        leaving = False
        while not self.logged_out:
            if time.monotonic() > deadline:
                if leaving:
                    return
                self.send("5", [])
                leaving, deadline = True, time.monotonic() + 5
            try:
                data = self.socket.recv(1 << 12)
            except socket.timeout:
                continue
            if not data:
                return
            self.parser.append_buffer(data)
            while (message := self.parser.get_message()) is not None:
                self.logged_out |= leaving and message.get(35) == b"5"
                self.take(message)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("address")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--sender", default="SIMPLEFIX")
    arguments.add_argument("--target", default="WIDETAPE")
    arguments.add_argument("--types", default="9B478")
    options = arguments.parse_args()
    party = Counterparty(options.address, options.sender, options.target, options.types)
    failure = None
    try:
        party.run(options.seconds)
    except Failure as reason:
        failure = str(reason)
    for key in sorted(party.rows):
        print(json.dumps(party.rows[key]))
    print(json.dumps({"summary": party.counts | {"logged_out": party.logged_out, "failure": failure}}))
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
