#!/usr/bin/env python3
"""The brute-force answer to `widetape scan` and `widetape replay`.

Written from the description of the semantics alone; it shares no code with the crate and needs
nothing but Python 3.11. It favours being obviously right over being fast: every row is computed
from the list of the executions of its window, and nothing is ever updated incrementally.

    oracle.py FILE --window 1s,1m,session --step 100ms --policy itch.all
              [--every-end] [--corrections all|DURATION|off] [--symbols A,B] [--events]

FILE is an ITCH 5.0 BinaryFILE (`Length u16 | message`), plain or .gz. The output is the CSV of
`scan`: each key (end, symbol, window) once, at its final revision, ordered by end, symbol and then
window in the order of the option. With --events it is the CSV of `replay`: rows in writing order,
and after them, in their place, the rows that a broken execution re-wrote.

Where the description leaves a choice, the choice is marked READING below.
"""

import argparse
import bisect
import gzip
import heapq
import struct
import sys

HEADER = ("end_ns,symbol,window,vwap,volume,notional,trades,open,high,low,close,"
          "complete,revision,policy")

LENGTHS = {"S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35,
           "h": 21, "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44,
           "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48}

# Which kinds of execution count under which policy. A C is here only if it is printable.
POLICIES = {"itch.all": "ECPQ", "itch.continuous": "ECP", "itch.auction": "Q",
            "itch.displayed": "EC"}

# READING. "A row is written iff at that moment the set of unbroken eligible executions in the
# window is not empty and is not the set of the previous end (end - step)". When a break arrives
# after the rows of the previous end were written and before the rows of this end are, there are
# two sets that could be called "the set of the previous end":
#   "at this moment": the executions of the previous window that are unbroken NOW. "At that moment"
#       governs the whole comparison, so both windows are seen with the same knowledge and the
#       break alone makes no row: it has re-written the rows that held the execution, which is how
#       the reader learns of it. Keys from then on are those of a feed without the execution.
#   "as it was": the executions that were unbroken when the previous end was written. The break
#       alone then makes one more row at the first end after it (unless the window is empty).
PREVIOUS_SET = "at this moment"

# READING. A replace (U) of an order that is not in the book still states the price and size of
# the new order, but not its side. "price it": the new reference is known from then on, so that its
# executions have a price. "ignore it": the new reference stays unknown.
REPLACE_OF_UNKNOWN = "ignore it"


class BadInput(Exception):
    """The file is not what it should be; everything before `offset` has been handed on."""


# ---------------------------------------------------------------------------------- the file

def messages(path):
    """Yields (offset, message) for each message; raises BadInput at the first bad one."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise BadInput(f"offset {at}: a length prefix is cut short")
        length = int.from_bytes(data[at:at + 2], "big")
        # READING. A length of 0 as the last two bytes of the file is the end-of-session marker
        # of BinaryFILE; anywhere else it is a message without a type.
        if length == 0 and at + 2 == len(data):
            return
        message = data[at + 2:at + 2 + length]
        if len(message) < length:
            raise BadInput(f"offset {at}: the message is cut short")
        kind = chr(message[0]) if message else ""
        if LENGTHS.get(kind) != length:
            raise BadInput(f"offset {at}: type {kind!r} with length {length}")
        yield at, message
        at += 2 + length


def number(message, start, size):
    """The big-endian number of `size` bytes at `start`."""
    return int.from_bytes(message[start:start + size], "big")


def name(raw):
    """A symbol as it is printed: without its padding, unprintable bytes as `?`."""
    return "".join(chr(b) if 0x21 <= b <= 0x7E else "?" for b in raw.rstrip(b" "))


# ------------------------------------------------------------------------ executions and breaks

class Execution:
    """One execution that counts under some policy."""

    def __init__(self, kind, time, locate, price, shares, match):
        self.kind, self.time, self.locate = kind, time, locate
        self.price, self.shares, self.match = price, shares, match
        self.broken = False


class Market:
    """The book as far as it prices executions, the names, and the executions that count."""

    NAME_AT = {"R": 11, "A": 24, "F": 24, "P": 24, "Q": 19}

    def __init__(self):
        self.orders = {}        # reference -> [price, shares left]
        self.names = {}         # locate -> (time, name) of the first message that named it
        self.by_match = {}      # match number -> Execution

    def learn_name(self, kind, time, locate, message):
        if kind in self.NAME_AT and locate not in self.names:
            start = self.NAME_AT[kind]
            self.names[locate] = (time, name(message[start:start + 8]))

    def label(self, locate, end):
        """The symbol in the rows of `end`: the name if it was known before `end`."""
        time, label = self.names.get(locate, (end, ""))
        return label if time < end else f"#{locate}"

    def reduce(self, reference, shares):
        """Takes shares from a resting order; one without shares is gone.

        READING. An execution of more shares than are left counts in full; the order is gone.
        """
        order = self.orders.get(reference)
        if order is not None:
            order[1] -= shares
            if order[1] <= 0:
                del self.orders[reference]

    def apply(self, time, message):
        """Applies one message. Returns the execution it brings, or the one it breaks, or None."""
        kind = chr(message[0])
        locate = number(message, 1, 2)
        self.learn_name(kind, time, locate, message)
        reference = number(message, 11, 8)
        if kind in "AF":
            # READING. A second order under a reference in use takes its place.
            self.orders[reference] = [number(message, 32, 4), number(message, 20, 4)]
        elif kind == "D":
            self.orders.pop(reference, None)
        elif kind == "X":
            self.reduce(reference, number(message, 19, 4))
        elif kind == "U":
            known = self.orders.pop(reference, None) is not None
            if known or REPLACE_OF_UNKNOWN == "price it":
                self.orders[number(message, 19, 8)] = [number(message, 31, 4),
                                                       number(message, 27, 4)]
        elif kind in "ECPQ":
            return self.execute(kind, time, locate, message)
        elif kind == "B":
            # Unknown, or a repeat: no effect.
            broken = self.by_match.get(number(message, 11, 8))
            if broken is not None and not broken.broken:
                broken.broken = True
                return broken
        return None

    def execute(self, kind, time, locate, message):
        """The execution of an E, C, P or Q, or None when it does not count.

        READING. An execution belongs to the locate in its own message.
        """
        reference = number(message, 11, 8)
        if kind == "E":
            order = self.orders.get(reference)
            price = order[0] if order else None
            shares, match = number(message, 19, 4), number(message, 23, 8)
            self.reduce(reference, shares)
        elif kind == "C":
            shares, match = number(message, 19, 4), number(message, 23, 8)
            price = number(message, 32, 4) if message[31:32] == b"Y" else None
            self.reduce(reference, shares)
        elif kind == "P":
            shares, price = number(message, 20, 4), number(message, 32, 4)
            match = number(message, 36, 8)
        else:
            shares, price = number(message, 11, 8), number(message, 27, 4)
            match = number(message, 31, 8)
            if shares > 0xFFFF_FFFF:
                raise BadInput(f"Q of {shares} shares at time {time}")
        # Without a price (unknown order, or printed later in bulk) it never counts, and with no
        # shares nothing was executed.
        if price is None or shares == 0:
            return None
        execution = Execution(kind, time, locate, price, shares, match)
        # READING. A match number used twice stands for the later execution.
        self.by_match[match] = execution
        return execution


# -------------------------------------------------------------------------------------- windows

def duration(text):
    """Nanoseconds of `250ms`, `1s`, `5m`, `2h`."""
    for unit, nanos in (("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9), ("h", 3600 * 10**9)):
        if text.endswith(unit) and text[:-len(unit)].isdigit():
            result = int(text[:-len(unit)]) * nanos
            if 0 < result <= 86_400 * 10**9:
                return result
    raise argparse.ArgumentTypeError(f"{text!r} is not a duration")


def width_of(text):
    """Width in nanoseconds; None is `session`, everything before the end."""
    return None if text == "session" else duration(text)


def end_after(time, step):
    """The first multiple of `step` greater than `time`."""
    return (time // step + 1) * step


def decimal(scaled, places):
    """A scaled integer with a decimal point."""
    return f"{scaled // 10**places}.{scaled % 10**places:0{places}d}"


def divide_half_even(numerator, denominator):
    """The nearest integer to the exact quotient, ties to the even one."""
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2 == 1):
        quotient += 1
    return quotient


def vwap(notional, volume):
    """USD with six decimals: notional is in 1e-4 USD, so scale by 100."""
    return decimal(divide_half_even(notional * 100, volume), 6)


def figures(executions):
    """The columns vwap,volume,notional,trades,open,high,low,close of a list of executions."""
    if not executions:
        return ",0,0,0,,,,"
    volume = sum(x.shares for x in executions)
    notional = sum(x.price * x.shares for x in executions)
    prices = [x.price for x in executions]
    shown = [decimal(p, 4) for p in (prices[0], max(prices), min(prices), prices[-1])]
    return f"{vwap(notional, volume)},{volume},{notional},{len(executions)},{','.join(shown)}"


class Written:
    """A row that has been written: its latest figures and how often it was corrected."""

    def __init__(self, values):
        self.values, self.revision = values, 0


class Grid:
    """Writes the rows: all of one end when the time has come, and corrections of them."""

    def __init__(self, options, market, emit):
        self.market, self.emit = market, emit
        self.step = options.step
        self.widths = [(text, width_of(text)) for text in options.window.split(",")]
        self.eligible = POLICIES[options.policy]
        self.policy, self.every_end = options.policy, options.every_end
        self.corrections = options.corrections
        self.executions = {}    # locate -> eligible executions in feed order (so in time order)
        self.times = {}         # locate -> their times
        self.due = []           # heap of (end, locate) at which the set can change
        self.next_end = self.step
        self.rows = {}          # (end, locate, window) -> Written
        self.row_ends = {}      # (locate, window) -> ends written, ascending
        self.previous = {}      # (locate, window) -> set at the latest end looked at

    def held(self, locate, width, end):
        """The unbroken eligible executions in [end - width, end), in feed order."""
        times = self.times[locate]
        start = 0 if width is None else bisect.bisect_left(times, end - width)
        stop = bisect.bisect_left(times, end)
        return [x for x in self.executions[locate][start:stop] if not x.broken]

    def add(self, execution):
        """An execution can change the set of the first end that sees it and, for each width, of
        the first end that no longer does."""
        if execution.kind not in self.eligible:
            return
        locate = execution.locate
        self.executions.setdefault(locate, []).append(execution)
        self.times.setdefault(locate, []).append(execution.time)
        heapq.heappush(self.due, (end_after(execution.time, self.step), locate))
        for _, width in self.widths:
            if width is not None:
                heapq.heappush(self.due, (end_after(execution.time + width, self.step), locate))

    def write_until(self, time):
        """Writes the rows of every end <= `time`."""
        if self.every_end:
            while self.next_end <= time:
                for locate in self.executions:
                    heapq.heappush(self.due, (self.next_end, locate))
                self.next_end += self.step
        while self.due and self.due[0][0] <= time:
            end, locates = self.due[0][0], set()
            while self.due and self.due[0][0] == end:
                locates.add(heapq.heappop(self.due)[1])
            for locate in sorted(locates, key=lambda k: (self.market.label(k, end), k)):
                for window in range(len(self.widths)):
                    self.write(end, locate, window)

    def write(self, end, locate, window):
        """The row rule. `complete` is always true: a file has no sequence gaps."""
        width = self.widths[window][1]
        now = self.held(locate, width, end)
        if PREVIOUS_SET == "at this moment":
            before = self.held(locate, width, end - self.step)
        else:
            before = self.previous.get((locate, window), [])
            self.previous[locate, window] = now
        if now and (self.every_end or now != before):
            key = (end, locate, window)
            self.rows[key] = Written(figures(now))
            self.row_ends.setdefault((locate, window), []).append(end)
            self.emit(self.line(key))

    def correct(self, execution, time):
        """A break at `time`: re-writes every written row whose window holds the execution.

        `--corrections off` publishes none, DURATION none of an execution older than that. What is
        written later is right in any case, because the execution is marked as broken.
        """
        if execution.kind not in self.eligible:
            return
        locate = execution.locate
        if PREVIOUS_SET == "as it was":
            heapq.heappush(self.due, (end_after(time, self.step), locate))
        if self.corrections is not None and time - execution.time > self.corrections:
            return
        touched = []
        for window, (_, width) in enumerate(self.widths):
            ends = self.row_ends.get((locate, window), [])
            first = bisect.bisect_right(ends, execution.time)
            last = len(ends) if width is None else bisect.bisect_right(
                ends, execution.time + width)
            touched += [(end, locate, window) for end in ends[first:last]]
        for key in sorted(touched):
            row = self.rows[key]
            row.values = figures(self.held(locate, self.widths[key[2]][1], key[0]))
            row.revision += 1
            self.emit(self.line(key))

    def line(self, key):
        end, locate, window = key
        row = self.rows[key]
        return (end, self.market.label(locate, end),
                f"{end},{self.market.label(locate, end)},{self.widths[window][0]},"
                f"{row.values},true,{row.revision},{self.policy}")

    def final_lines(self):
        """Every key once, at its final revision."""
        order = sorted(self.rows, key=lambda k: (k[0], self.market.label(k[1], k[0]), k[1], k[2]))
        return [self.line(key) for key in order]


# ------------------------------------------------------------------------------------- the run

def corrections_of(text):
    """Largest age of an execution whose break is published: None = any, -1 = never."""
    return {"all": None, "off": -1}[text] if text in ("all", "off") else duration(text)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="Brute-force answer to `widetape scan`.")
    parser.add_argument("file")
    parser.add_argument("--window", default="1s,1m,session")
    parser.add_argument("--step", default="100ms", type=duration)
    parser.add_argument("--policy", default="itch.all", choices=POLICIES)
    parser.add_argument("--every-end", action="store_true")
    parser.add_argument("--corrections", default="all", type=corrections_of)
    parser.add_argument("--symbols", default="")
    parser.add_argument("--events", action="store_true", help="the order of `replay`")
    parser.add_argument("--previous-set", choices=("at this moment", "as it was"))
    return parser.parse_args(arguments)


def run(options, out):
    """Prints the CSV to `out`; returns the complaint about the input, or None."""
    # READING. --symbols selects rows by the label that they print.
    wanted = set(options.symbols.split(",")) if options.symbols else None

    def show(row):
        if wanted is None or row[1] in wanted:
            print(row[2], file=out)

    market = Market()
    grid = Grid(options, market, show if options.events else lambda row: None)
    print(HEADER, file=out)
    time, complaint, any_message = 0, None, False
    try:
        for _, message in messages(options.file):
            # Time running backwards: the effective time is the running maximum.
            time, any_message = max(time, number(message, 5, 6)), True
            grid.write_until(time)
            execution = market.apply(time, message)
            if execution is not None and execution.broken:
                grid.correct(execution, time)
            elif execution is not None:
                grid.add(execution)
    except BadInput as error:
        complaint = str(error)
    if any_message:
        grid.write_until(end_after(time, options.step))
    if not options.events:
        for row in grid.final_lines():
            show(row)
    return complaint


def main():
    global PREVIOUS_SET
    options = parse_arguments(sys.argv[1:])
    PREVIOUS_SET = options.previous_set or PREVIOUS_SET
    complaint = run(options, sys.stdout)
    if complaint:
        print(f"{options.file}: {complaint}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
