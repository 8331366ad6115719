#!/usr/bin/env python3
"""The jobs of `columns.rs` in numba, Polars and DuckDB, on the same columns.

    WIDETAPE_COLUMNS=DIR cargo bench -- columns   # writes the columns, our answers and times
    python3 -m venv venv && venv/bin/pip install numpy numba polars duckdb
    venv/bin/python benches/peers.py DIR [--threads N] [--peers numba,polars,duckdb]

Each peer has its fast form: numba one loop over feed order with tables by locate, and for the sliding
windows two cursors and queues; Polars lazy queries on the streaming engine (`group_by_dynamic` is the
slow form of bars); DuckDB a table in memory. All of them compute integers here, so every answer must be
exactly ours. Our J2 is given twice: from resident columns, and with the making of them, which is what
the peers, who start from feed order, are to be compared with.
"""

import argparse
import json
import os
import statistics
import sys
import time

RUNS = 3
FIELDS = ["notional", "volume", "trades", "open", "high", "low", "close"]


def timed(job):
    """The last answer and the median time; the first call only warms up when it was quick."""
    times, answer = [], None
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        answer = job()
        times.append(time.perf_counter() - start)
        if times[0] > 20:
            return answer, times[0]
    return answer, statistics.median(times[1:])


def check(what, ours, theirs):
    """Every column equal, in the order of (locate, step)."""
    import numpy as np

    for name, column in ours.items():
        if not np.array_equal(column, np.asarray(theirs[name]).astype(column.dtype)):
            sys.exit(f"{what}: column {name} differs from ours")


def numba_jobs(day, bars, threads):
    import numba
    import numpy as np

    numba.set_num_threads(threads)
    u8 = np.uint64

    @numba.njit(parallel=True, cache=False)
    def totals(locate, price, shares, pieces):
        notional = np.zeros((pieces, 65536), np.uint64)
        volume = np.zeros((pieces, 65536), np.uint64)
        trades = np.zeros((pieces, 65536), np.uint64)
        length = (len(locate) + pieces - 1) // pieces
        for piece in numba.prange(pieces):
            for i in range(piece * length, min((piece + 1) * length, len(locate))):
                at = locate[i]
                notional[piece, at] += u8(price[i]) * u8(shares[i])
                volume[piece, at] += u8(shares[i])
                trades[piece, at] += u8(1)
        return notional.sum(0), volume.sum(0), trades.sum(0)

    @numba.njit(cache=False)
    def bars_of(time_ns, locate, price, shares, out_locate, out_step, long, word):
        # The open bar of each symbol: its place among the rows, which grow in feed order.
        place = np.full(65536, -1, np.int64)
        rows, end, step = 0, u8(0), u8(0)
        for i in range(len(locate)):
            if time_ns[i] >= end:
                step = time_ns[i] // u8(1_000_000_000)
                end = (step + u8(1)) * u8(1_000_000_000)
            at = locate[i]
            row = place[at]
            if row < 0 or out_step[row] != step:
                row = rows
                rows += 1
                place[at] = row
                out_locate[row], out_step[row] = at, step
                long[row, 0] = u8(price[i]) * u8(shares[i])
                long[row, 1] = shares[i]
                word[row, 0] = 1
                word[row, 1] = word[row, 2] = word[row, 3] = word[row, 4] = price[i]
            else:
                long[row, 0] += u8(price[i]) * u8(shares[i])
                long[row, 1] += u8(shares[i])
                word[row, 0] += np.uint32(1)
                word[row, 2] = max(word[row, 2], price[i])
                word[row, 3] = min(word[row, 3], price[i])
                word[row, 4] = price[i]
        return rows

    @numba.njit(parallel=True, cache=False)
    def slide(starts, step, long_in, word_in, width, long, word):
        for symbol in numba.prange(len(starts) - 1):
            first, last = starts[symbol], starts[symbol + 1]
            highs, lows = np.empty(last - first, np.int64), np.empty(last - first, np.int64)
            high_from = high_to = low_from = low_to = 0
            low = first
            notional, volume, trades = u8(0), u8(0), np.uint32(0)
            for i in range(first, last):
                notional += long_in[i, 0]
                volume += long_in[i, 1]
                trades += word_in[i, 0]
                while step[i] - step[low] >= width:
                    notional -= long_in[low, 0]
                    volume -= long_in[low, 1]
                    trades -= word_in[low, 0]
                    low += 1
                while high_to > high_from and word_in[highs[high_to - 1], 2] <= word_in[i, 2]:
                    high_to -= 1
                highs[high_to] = i
                high_to += 1
                while highs[high_from] < low:
                    high_from += 1
                while low_to > low_from and word_in[lows[low_to - 1], 3] >= word_in[i, 3]:
                    low_to -= 1
                lows[low_to] = i
                low_to += 1
                while lows[low_from] < low:
                    low_from += 1
                long[i, 0], long[i, 1], word[i, 0] = notional, volume, trades
                word[i, 1], word[i, 4] = word_in[low, 1], word_in[i, 4]
                word[i, 2], word[i, 3] = word_in[highs[high_from], 2], word_in[lows[low_from], 3]

    columns = day["locate"], day["price"], day["shares"]
    (notional, volume, trades), j1 = timed(lambda: totals(*columns, threads))
    held = np.flatnonzero(trades)
    answer = {"locate": held, "notional": notional[held], "volume": volume[held], "trades": trades[held]}
    yield "J1", j1, lambda ours: check("numba J1", ours, answer)

    count = len(bars["step"])
    out_locate, out_step = np.empty(count, np.uint16), np.empty(count, np.uint32)
    long, word = np.empty((count, 2), np.uint64), np.empty((count, 5), np.uint32)
    job = lambda: bars_of(day["time_ns"], *columns, out_locate, out_step, long, word)
    rows, j2 = timed(job)

    def check_bars(ours):
        order = np.lexsort((out_step[:rows], out_locate[:rows]))
        theirs = {"locate": out_locate[order], "step": out_step[order]}
        theirs |= {name: long[order, k] for k, name in enumerate(FIELDS[:2])}
        theirs |= {name: word[order, k] for k, name in enumerate(FIELDS[2:])}
        check("numba J2", ours, theirs)

    yield "J2", j2, check_bars

    starts = np.flatnonzero(np.diff(bars["locate"].astype(np.int64), prepend=-1, append=1 << 20))
    long_in = np.stack([bars[name] for name in FIELDS[:2]], axis=1)
    word_in = np.stack([bars[name] for name in FIELDS[2:]], axis=1)
    window_long, window_word = np.empty_like(long_in), np.empty_like(word_in)
    width = np.uint32(60)
    job = lambda: slide(starts, bars["step"], long_in, word_in, width, window_long, window_word)
    _, j3 = timed(job)
    answer = {name: window_long[:, k] for k, name in enumerate(FIELDS[:2])}
    answer |= {name: window_word[:, k] for k, name in enumerate(FIELDS[2:])}
    answer |= {"locate": bars["locate"], "step": bars["step"]}
    yield "J3", j3, lambda ours: check("numba J3", ours, answer)


def polars_jobs(day, bars, _threads):
    import polars as pl

    frame = pl.DataFrame(day).lazy()
    price, shares = pl.col("price"), pl.col("shares").cast(pl.UInt64)
    sums = [
        (price.cast(pl.UInt64) * shares).sum().alias("notional"),
        shares.sum().alias("volume"),
        pl.len().alias("trades"),
    ]
    job = lambda: frame.group_by("locate").agg(sums).collect(engine="streaming")
    answer, j1 = timed(job)
    yield "J1", j1, lambda ours: check("polars J1", ours, answer.sort("locate"))

    prices = [
        price.first().alias("open"),
        price.max().alias("high"),
        price.min().alias("low"),
        price.last().alias("close"),
    ]
    step = (pl.col("time_ns") // 1_000_000_000).cast(pl.UInt32).alias("step")
    job = lambda: frame.group_by("locate", step).agg(sums + prices).collect(engine="streaming")
    answer, j2 = timed(job)
    yield "J2", j2, lambda ours: check("polars J2", ours, answer.sort("locate", "step"))

    frame = pl.DataFrame(bars).with_columns(pl.col("step").cast(pl.Int64)).lazy()
    over = [
        pl.col("notional").sum(),
        pl.col("volume").sum(),
        pl.col("trades").sum(),
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
    ]
    rolling = frame.rolling("step", period="60i", group_by="locate").agg(over)
    answer, j3 = timed(lambda: rolling.collect(engine="streaming"))
    yield "J3", j3, lambda ours: check("polars J3", ours, answer.sort("locate", "step"))


def duckdb_jobs(day, bars, threads):
    import duckdb

    base = duckdb.connect()
    base.execute(f"SET threads = {threads}")
    trades, rows = day, bars
    base.execute("CREATE TABLE trades AS SELECT * FROM trades")
    base.execute("CREATE TABLE bars AS SELECT * FROM rows")
    del trades, rows
    sums = """sum(price::UBIGINT * shares)::UBIGINT AS notional, sum(shares)::UBIGINT AS volume,
              count(*) AS trades"""

    def job(query):
        base.execute(f"CREATE OR REPLACE TABLE answer AS {query}")

    def compare(what, order):
        table = base.execute(f"SELECT * FROM answer ORDER BY {order}").fetchnumpy()
        return lambda ours: check(what, ours, table)

    _, j1 = timed(lambda: job(f"SELECT locate, {sums} FROM trades GROUP BY locate"))
    yield "J1", j1, compare("duckdb J1", "locate")
    # Executions at the same nanosecond have no order here, so the row number decides.
    query = f"""SELECT locate, (time_ns // 1000000000)::UINTEGER AS step, {sums},
                arg_min(price, rowid) AS open, max(price) AS high, min(price) AS low,
                arg_max(price, rowid) AS close FROM trades GROUP BY ALL"""
    _, j2 = timed(lambda: job(query))
    yield "J2", j2, compare("duckdb J2", "locate, step")
    query = """SELECT locate, step, sum(notional) OVER w AS notional, sum(volume) OVER w AS volume,
               sum(trades) OVER w AS trades, first_value(open) OVER w AS open,
               max(high) OVER w AS high, min(low) OVER w AS low, close FROM bars
               WINDOW w AS (PARTITION BY locate ORDER BY step::INTEGER
                            RANGE BETWEEN 59 PRECEDING AND CURRENT ROW)"""
    _, j3 = timed(lambda: job(query))
    yield "J3", j3, compare("duckdb J3", "locate, step")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peers", default="numba,polars,duckdb")
    options = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    import numpy as np

    def load(prefix, names):
        path = lambda name: os.path.join(options.folder, f"{prefix}{name}.npy")
        return {name: np.load(path(name)) for name in names}

    day = load("", ["time_ns", "locate", "price", "shares"])
    bars = load("bars_", ["locate", "step", *FIELDS])
    wanted = {
        "J1": load("totals_", ["locate", "notional", "volume", "trades"]),
        "J2": bars,
        "J3": load("sliding_", ["locate", "step", *FIELDS]),
    }
    with open(os.path.join(options.folder, "ours.json")) as file:
        ours = json.load(file)
    suffix = " two" if options.threads > 1 else ""
    rows = {"widetape": {job: ours[job + suffix] for job in ["J1", "J2", "J3"]}}
    rows["widetape, J2 from feed order"] = {"J2": ours["J2" + suffix] + ours["resident"]}
    peers = {"numba": numba_jobs, "polars": polars_jobs, "duckdb": duckdb_jobs}
    for name in options.peers.split(","):
        rows[name] = {}
        for job, seconds, checked in peers[name](day, bars, options.threads):
            checked(wanted[job])
            rows[name][job] = seconds
            print(f"{name} {job} {seconds:.3f} s, equal", file=sys.stderr)

    print(f"{len(day['price'])} trades, {len(bars['step'])} bars, {options.threads} thread(s); seconds (times ours)")
    print(f"{'':30} {'J1':>18} {'J2':>18} {'J3 sparse 60 s':>18}")
    for name, times in rows.items():
        cells = []
        for job in ["J1", "J2", "J3"]:
            seconds = times.get(job)
            ratio = "" if seconds is None else f"{seconds:.4f} ({seconds / rows['widetape'][job]:.2f})"
            cells.append(f"{ratio:>18}")
        print(f"{name:30} {' '.join(cells)}")


if __name__ == "__main__":
    main()
