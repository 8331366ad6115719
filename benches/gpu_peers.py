#!/usr/bin/env python3
"""The dense grid of `widetape compare` in CuPy and PyTorch, on the same executions.

    widetape compare --symbols 10000 --seconds 23400 --columns DIR --json REPORT
    python benches/gpu_peers.py REPORT DIR [--peers cupy,torch] [--symbols-at-once 1000]

Each peer does what a user of it would write: trades sorted by symbol and step, prefix sums and an index of
cells, extremes by doubling; whole arrays, no kernel of its own. All sums are integers. Every answer is
checked by the digest that the report has of ours before a time is printed. `numpy` runs the lines of CuPy on
the processor, and `torch` runs there where it finds no GPU: both are for trying the script out.

Times: `upload` to the device, `build` what all windows share, `compute` all answers in the memory of the
device; nothing is read back. The medians of three runs after a first one.
"""

import argparse
import importlib
import json
import os
import statistics
import sys
import time

import numpy as np

RUNS = 3
FIELDS = ["notional", "notional_high", "volume", "trades", "open", "high", "low", "close"]
GOLDEN = 0x9E3779B97F4A7C15
NO_PRICE = 2**31 - 1


def behind(pick, plane, by):
    """Each place with what stands `by` places before it."""
    merged = plane.clone() if hasattr(plane, "clone") else plane.copy()
    merged[:, by:] = pick(plane[:, by:], plane[:, :-by])
    return merged


def extremes(pick, plane, widths):
    """The extreme of the last `width` places, for ascending widths."""
    span = 1
    for width in widths:
        while 2 * span <= width:
            plane = behind(pick, plane, span)
            span *= 2
        yield behind(pick, plane, width - span) if width > span else plane


def built(grid, prefix, price, shares, held, high, low):
    """What all windows share: trades as prefix sums, where those of each cell start, extremes of cells."""
    plane = (grid.symbols, grid.ends)
    return {
        "price": price,
        "notional": prefix(price * shares),
        "volume": prefix(shares),
        "starts": prefix(held),
        "high": high.reshape(plane),
        "low": low.reshape(plane),
    }


class Arrays:
    """CuPy, or NumPy in its place."""

    def __init__(self, name):
        self.xp = importlib.import_module(name)
        self.on_gpu = name == "cupy"
        if self.on_gpu:
            scatter = importlib.import_module("cupyx")
            self.scatter_max, self.scatter_min = scatter.scatter_max, scatter.scatter_min
            device = self.xp.cuda.runtime.getDeviceProperties(0)["name"].decode()
        else:
            self.scatter_max, self.scatter_min = np.maximum.at, np.minimum.at
            device = "the processor"
        self.device = f"{name} {self.xp.__version__} on {device}"

    def wait(self):
        if self.on_gpu:
            self.xp.cuda.Device().synchronize()

    def upload(self, trades):
        return {name: self.xp.asarray(column) for name, column in trades.items()}

    def build(self, trades, grid):
        xp = self.xp
        cell = grid.cell(trades["time_ns"], trades["locate"].astype(xp.int64))
        order = xp.argsort(cell, kind="stable")
        cell, price = cell[order], trades["price"][order]
        shares = trades["shares"][order].astype(xp.int64)
        prefix = lambda values: xp.concatenate([xp.zeros(1, xp.int64), xp.cumsum(values)])
        high = xp.zeros(grid.cells, xp.int32)
        low = xp.full(grid.cells, NO_PRICE, xp.int32)
        self.scatter_max(high, cell, price)
        self.scatter_min(low, cell, price)
        return built(grid, prefix, price, shares, xp.bincount(cell, minlength=grid.cells), high, low)

    def arange(self, count):
        return self.xp.arange(count)

    def where(self, condition, values):
        return self.xp.where(condition, values, 0)

    def clamp(self, values, most):
        return self.xp.clip(values, 0, most)

    def wide(self, values):
        return values.astype(self.xp.int64)

    def maximum(self, a, b):
        return self.xp.maximum(a, b)

    def minimum(self, a, b):
        return self.xp.minimum(a, b)


class Torch:
    def __init__(self, _):
        self.torch = importlib.import_module("torch")
        self.on_gpu = self.torch.cuda.is_available()
        self.where_to = "cuda" if self.on_gpu else "cpu"
        device = self.torch.cuda.get_device_name(0) if self.on_gpu else "the processor"
        self.device = f"torch {self.torch.__version__} on {device}"

    def wait(self):
        if self.on_gpu:
            self.torch.cuda.synchronize()

    def upload(self, trades):
        return {name: self.torch.from_numpy(column).to(self.where_to) for name, column in trades.items()}

    def build(self, trades, grid):
        torch = self.torch
        cell = grid.cell(trades["time_ns"], trades["locate"].long())
        cell, order = torch.sort(cell, stable=True)
        price, shares = trades["price"][order], trades["shares"][order].long()
        prefix = lambda values: torch.nn.functional.pad(torch.cumsum(values, 0), (1, 0))
        plane = lambda value: torch.full((grid.cells,), value, dtype=torch.int32, device=self.where_to)
        high = plane(0).scatter_reduce_(0, cell, price, "amax")
        low = plane(NO_PRICE).scatter_reduce_(0, cell, price, "amin")
        return built(grid, prefix, price, shares, torch.bincount(cell, minlength=grid.cells), high, low)

    def arange(self, count):
        return self.torch.arange(count, device=self.where_to)

    def where(self, condition, values):
        return self.torch.where(condition, values, 0)

    def clamp(self, values, most):
        return self.torch.clamp(values, 0, most)

    def wide(self, values):
        return values.long()

    def maximum(self, a, b):
        return self.torch.maximum(a, b)

    def minimum(self, a, b):
        return self.torch.minimum(a, b)


class Grid:
    """Every symbol × end × width; symbols are locates, counted from 0."""

    def __init__(self, size, locates, at_once):
        self.step_ns = size["step_ms"] * 1_000_000
        self.first, self.ends = size["first"], size["ends"]
        self.widths = sorted(enumerate(size["widths"]), key=lambda pair: pair[1])
        self.symbols = int(locates.max()) + 1
        self.cells = self.symbols * self.ends
        self.at_once = at_once

    def cell(self, time_ns, locate):
        """Where an execution falls: its symbol and the end of its step."""
        return locate * self.ends + time_ns // self.step_ns - (self.first - 1)

    def windows(self, peer, built, each):
        """All answers of a few symbols at a time, handed to `each` with their width and first symbol."""
        steps = peer.arange(self.ends)
        last = len(built["price"]) - 1
        for symbol in range(0, self.symbols, self.at_once):
            rows = slice(symbol, min(symbol + self.at_once, self.symbols))
            row = (peer.arange(rows.stop - rows.start) + symbol)[:, None] * self.ends
            until = built["starts"][row + steps + 1]
            widths = [width for _, width in self.widths]
            highs = extremes(peer.maximum, built["high"][rows], widths)
            lows = extremes(peer.minimum, built["low"][rows], widths)
            for (index, width), high, low in zip(self.widths, highs, lows):
                since = built["starts"][row + peer.clamp(steps + 1 - width, self.ends)]
                trades = until - since
                held = trades > 0
                price = lambda at: peer.where(held, built["price"][peer.clamp(at, last)])
                answers = {
                    "notional": built["notional"][until] - built["notional"][since],
                    "volume": built["volume"][until] - built["volume"][since],
                    "trades": trades,
                    "open": price(since),
                    "high": peer.where(held, high),
                    "low": peer.where(held, low),
                    "close": price(until - 1),
                }
                each(index, symbol, answers)


def digest(peer, grid, built):
    """What `widetape compare` says of its answers: weighted sums modulo 2^64 by width and field."""
    sums = [[0] * len(FIELDS) for _ in grid.widths]
    golden = GOLDEN - 2**64

    def each(width, symbol, answers):
        ends = peer.arange(grid.ends) + grid.first
        count = len(answers["trades"])
        locates = peer.arange(count) + symbol
        weight = ((locates[:, None] << 32) + ends) * golden | 1
        for field, name in enumerate(FIELDS):
            if name in answers:
                sum_of = (weight * peer.wide(answers[name])).sum()
                sums[width][field] = (sums[width][field] + int(sum_of)) % 2**64

    grid.windows(peer, built, each)
    return sums


def timed(peer, job):
    times, result = [], None
    for _ in range(RUNS + 1):
        result = None
        peer.wait()
        start = time.perf_counter()
        result = job()
        peer.wait()
        times.append(time.perf_counter() - start)
    return result, statistics.median(times[1:])


def measure(peer, size, trades, at_once):
    grid = Grid(size, trades["locate"], at_once)
    times = {}
    on_device, times["upload"] = timed(peer, lambda: peer.upload(trades))
    shared, times["build"] = timed(peer, lambda: peer.build(on_device, grid))
    if digest(peer, grid, shared) != size["answers"]:
        sys.exit(f"{peer.device}: the answers differ from ours")
    _, times["compute"] = timed(peer, lambda: grid.windows(peer, shared, lambda *_: None))
    return times


def load(folder):
    """The columns, as signed numbers, which is what the peers compute with."""
    column = lambda name, kind: np.fromfile(os.path.join(folder, name), kind)
    trades = {
        "time_ns": column("time_ns.u64", np.int64),
        "locate": column("locate.u16", np.uint16).astype(np.int32),
        "price": column("price.u32", np.int32),
        "shares": column("shares.u32", np.int32),
    }
    if trades["price"].min() < 0 or trades["shares"].min() < 0:
        sys.exit("prices and shares must be below 2^31")
    return trades


def told(report, size, rows):
    """A table, and how ours stands against each bar."""
    lines = ["| | upload | build | compute | windows/s |", "|---|---|---|---|---|"]
    seconds = lambda value: "" if value is None else f"{value:.4f} s"
    for name, times in rows.items():
        cells = [seconds(times[part]) for part in ["upload", "build", "compute"]]
        rate = f"{size['windows'] / times['compute'] / 1e9:.3f} G"
        lines.append(f"| {name} | {' | '.join(cells)} | {rate} |")
    ours = [row for row in size["rows"] if row["backend"].startswith("gpu")]
    lines.append("")
    if not ours:
        lines.append("widetape found no GPU, so there is nothing to hold against the bars.")
        return lines
    best = min(ours, key=lambda row: row["compute"])
    parallel = next(row for row in size["rows"] if row["backend"] == "parallel")
    bars = [("of the copy bandwidth, compute", best["copy_fraction"], 0.6)]
    bars.append(("x parallel, day resident, totals added up on the device", parallel["reduced"] / best["reduced"], 10))
    bars.append(("x parallel, day resident, read back whole", parallel["resident"] / best["resident"], 1))
    for name, times in rows.items():
        if not name.startswith("widetape"):
            bars.append((f"x {name}, compute", times["compute"] / best["compute"], 1.5))
    lines += [f"Best tier: {best['backend']}.", "", "| what | measured | bar | |", "|---|---|---|---|"]
    for what, found, bar in bars:
        verdict = "met" if found >= bar else "**missed**"
        lines.append(f"| {what} | {found:.2f} | {bar} | {verdict} |")
    if report["adapter"]["is_software"]:
        lines += ["", "The device is software: none of this says anything of a GPU."]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report")
    parser.add_argument("columns")
    parser.add_argument("--peers", default="cupy,torch")
    parser.add_argument("--symbols-at-once", type=int, default=1000)
    options = parser.parse_args()
    with open(options.report) as file:
        report = json.load(file)
    size = report["sizes"][-1]
    trades = load(options.columns)
    if len(trades["price"]) != size["trades"]:
        sys.exit("the columns are not those of the last size of the report")
    rows = {f"widetape {row['backend']}": row for row in size["rows"]}
    missing = []
    for name in options.peers.split(","):
        try:
            peer = (Torch if name == "torch" else Arrays)(name)
        except ImportError as error:
            missing.append(f"{name} is not measured: {error}.")
            continue
        rows[peer.device] = measure(peer, size, trades, options.symbols_at_once)
        print(f"{peer.device}: equal", file=sys.stderr)
    print(f"{size['trades']} trades, {size['windows']} windows\n")
    print("\n".join(told(report, size, rows)))
    if missing:
        print("\n" + "\n".join(missing))


if __name__ == "__main__":
    main()
