#!/usr/bin/env python3
"""Writes edge_cases.itch: a few seconds around 10:00:00 in which every rule about executions,
breaks and rows is met once, by hand. Run it in this folder; it also checks the oracle beside it
against session answers that were worked out on paper.
"""

import sys

sys.dont_write_bytecode = True
import oracle  # noqa: E402
from golden import session_answers  # noqa: E402

OUT = bytearray()
TEN = 36_000 * 10**9
MS = 10**6


def put(kind, locate, at, *fields):
    """One message; `at` is in nanoseconds after 10:00:00, a field is (value, size) or bytes."""
    body = kind.encode() + locate.to_bytes(2, "big") + bytes(2) + (TEN + at).to_bytes(6, "big")
    for field in fields:
        body += field if isinstance(field, bytes) else field[0].to_bytes(field[1], "big")
    assert len(body) == oracle.LENGTHS[kind], (kind, len(body))
    OUT.extend(len(body).to_bytes(2, "big") + body)


def system(at, event):
    put("S", 0, at, event)


def directory(locate, at, symbol):
    put("R", locate, at, symbol.ljust(8).encode(), b"QN", (100, 4), b"NCZ PN 1N", (0, 4), b"N")


def order(locate, at, reference, side, shares, symbol, price):
    put("A", locate, at, (reference, 8), side, (shares, 4), symbol.ljust(8).encode(), (price, 4))


def executed(locate, at, reference, shares, match):
    put("E", locate, at, (reference, 8), (shares, 4), (match, 8))


def executed_at(locate, at, reference, shares, match, printable, price):
    put("C", locate, at, (reference, 8), (shares, 4), (match, 8), printable, (price, 4))


def cancel(locate, at, reference, shares):
    put("X", locate, at, (reference, 8), (shares, 4))


def delete(locate, at, reference):
    put("D", locate, at, (reference, 8))


def replace(locate, at, reference, new, shares, price):
    put("U", locate, at, (reference, 8), (new, 8), (shares, 4), (price, 4))


def hidden(locate, at, shares, symbol, price, match):
    put("P", locate, at, (0, 8), b"B", (shares, 4), symbol.ljust(8).encode(), (price, 4),
        (match, 8))


def cross(locate, at, shares, symbol, price, match, kind):
    put("Q", locate, at, (shares, 8), symbol.ljust(8).encode(), (price, 4), (match, 8), kind)


def broken(locate, at, match):
    put("B", locate, at, (match, 8))


def pricing():
    """ONE: what has a price, and which. Counts: 100 at 10.00, 50 at 10.02, 30 at 10.03, 20 at
    10.05, 300 at 10.01 (hidden), 1000 at 10.02 (cross)."""
    order(1, 10 * MS, 100, b"B", 100, "ONE", 100_000)
    executed(1, 20 * MS, 100, 100, 1)               # takes all: the order is gone
    executed(1, 30 * MS, 100, 1, 2)                 # so this has no price
    executed(1, 30 * MS, 999, 1, 3)                 # nor has this, of an order never seen
    order(1, 100 * MS, 101, b"S", 200, "ONE", 100_100)
    replace(1, 110 * MS, 101, 102, 80, 100_200)
    executed(1, 120 * MS, 101, 10, 4)               # the old reference is gone
    executed(1, 130 * MS, 102, 50, 5)
    cancel(1, 140 * MS, 102, 30)                    # nothing is left
    executed(1, 150 * MS, 102, 1, 6)
    order(1, 200 * MS, 103, b"S", 100, "ONE", 100_500)
    executed_at(1, 210 * MS, 103, 30, 7, b"Y", 100_300)
    executed_at(1, 220 * MS, 103, 50, 8, b"N", 100_400)   # printed in the cross below
    executed(1, 230 * MS, 103, 20, 9)               # what those two left
    executed(1, 240 * MS, 103, 1, 10)
    executed_at(1, 245 * MS, 998, 40, 11, b"N", 100_400)
    hidden(1, 250 * MS, 300, "ONE", 100_100, 12)
    hidden(1, 260 * MS, 0, "ONE", 100_100, 13)      # nothing was executed
    cross(1, 270 * MS, 1_000, "ONE", 100_200, 14, b"I")
    cross(1, 280 * MS, 0, "ONE", 0, 15, b"I")
    broken(1, 290 * MS, 8)                          # never counted: no effect
    broken(1, 290 * MS, 13)
    broken(1, 290 * MS, 777)                        # unknown
    executed_at(2, 300 * MS, 997, 7, 16, b"Y", 70_000)    # no order, but its own price; no name


def breaks():
    """THREE: breaks on both sides of the ends 11:00:00.0, .1 and .2 (an hour later, so that the
    executions above are old). Left: 200 at 20.01 and 60 at 20.06, 80 at 20.08."""
    hour = 3_600_000 * MS
    hidden(3, hour - 50 * MS, 100, "THREE", 200_000, 21)
    broken(3, hour - 1, 21)                         # the last moment before its first end
    hidden(3, hour + 10 * MS, 200, "THREE", 200_100, 22)
    hidden(3, hour + 20 * MS, 300, "THREE", 200_200, 23)
    broken(3, hour + 100 * MS, 23)                  # exactly at its first end: a correction
    broken(3, hour + 110 * MS, 23)                  # repeated
    hidden(3, hour + 210 * MS, 400, "THREE", 200_300, 24)
    broken(3, hour + 250 * MS, 24)                  # came and went between two ends
    hidden(4, hour + 260 * MS - 1, 700, "FOUR", 1_100, 29)
    hidden(4, hour + 260 * MS, 500, "FOUR", 1_000, 25)
    broken(4, hour + 5_260 * MS, 29)                # a nanosecond older than 5 s
    broken(4, hour + 5_260 * MS, 25)                # exactly 5 s old; its rows are left empty
    hidden(3, hour + 6_000 * MS, 60, "THREE", 200_600, 26)
    hidden(3, hour + 6_000 * MS, 70, "THREE", 200_700, 27)
    broken(3, hour + 6_350 * MS, 27)                # between two ends, both held it
    broken(1, hour + 6_400 * MS, 12)                # an execution of an hour before
    hidden(3, hour + 6_300 * MS, 80, "THREE", 200_800, 28)      # time runs backwards


def rounding():
    """TIE, UP and DOWN: averages half way between two millionths, and next to it."""
    two = 7_200_000 * MS
    # 999_999 shares at 1.0001 and one at 1.0002 would do for thirds; halves need a volume of 2^n:
    # 1 of 128 shares a tick higher adds 0.78125 millionths; 64 of 12_800 add 0.5.
    hidden(5, two, 12_736, "TIE", 10_000, 31)
    hidden(5, two, 64, "TIE", 10_001, 32)           # 1.0000005: to the even 1.000000
    hidden(6, two, 12_608, "UP", 10_000, 33)
    hidden(6, two, 192, "UP", 10_001, 34)           # 1.0000015: to the even 1.000002
    hidden(7, two, 12_735, "DOWN", 10_000, 35)
    hidden(7, two, 65, "DOWN", 10_001, 36)          # a little more than half: 1.000001
    hidden(8, two, 0xFFFF_FFFF, "HUGE", 0xFFFF_FFFF, 37)
    hidden(8, two, 0xFFFF_FFFF, "HUGE", 0xFFFF_FFFF, 38)
    hidden(8, two, 1, "HUGE", 0, 39)


ON_PAPER = {
    "ONE": (5, 1_200, 100 * 100_000 + 50 * 100_200 + 30 * 100_300 + 20 * 100_500
            + 1_000 * 100_200, "10.019083"),
    "#2": (1, 7, 490_000, "7.000000"),
    "THREE": (3, 340, 200 * 200_100 + 60 * 200_600 + 80 * 200_800, "20.035294"),
    "TIE": (2, 12_800, 128_000_064, "1.000000"),
    "UP": (2, 12_800, 128_000_192, "1.000002"),
    "DOWN": (2, 12_800, 128_000_065, "1.000001"),
    "HUGE": (3, 2 * 0xFFFF_FFFF + 1, 2 * 0xFFFF_FFFF**2, "429496.729450"),
}


def main():
    system(-4 * 10**12, b"O")
    for locate, symbol in ((1, "ONE"), (3, "THREE"), (4, "FOUR")):
        directory(locate, 0, symbol)
    pricing()
    breaks()
    rounding()
    system(8_000_000 * MS, b"C")
    with open("edge_cases.itch", "wb") as file:
        file.write(OUT)
    answers = {answer.pop("symbol"): answer for answer in session_answers("edge_cases.itch", "itch.all")}
    found = {symbol: (a["trades"], a["volume"], a["notional"], a["vwap"])
             for symbol, a in answers.items()}
    assert found == ON_PAPER, [(s, found.get(s), ON_PAPER.get(s)) for s in found | ON_PAPER
                               if found.get(s) != ON_PAPER.get(s)]


if __name__ == "__main__":
    main()
