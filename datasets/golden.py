#!/usr/bin/env python3
"""Session answers of an ITCH file, one line a symbol, from the brute-force oracle beside it.

    golden.py FILE [--policy itch.all] [--json]      > golden/NAME.session.csv

The answers are those of the whole file: every unbroken execution that counts under the policy.
They must not depend on windows, ends or revisions, so only the oracle's reading of the file is
used, not its grid.
"""

import argparse
import json
import sys

sys.dont_write_bytecode = True
import oracle  # noqa: E402

COLUMNS = ("symbol", "trades", "volume", "notional", "vwap", "open", "high", "low", "close")


def session_answers(path, policy):
    """A list of dicts, ordered by symbol."""
    market, counted, time = oracle.Market(), [], 0
    for _, message in oracle.messages(path):
        time = max(time, oracle.number(message, 5, 6))
        execution = market.apply(time, message)
        if execution is not None and not execution.broken:
            counted.append(execution)
    by_locate = {}
    for execution in counted:
        if not execution.broken and execution.kind in oracle.POLICIES[policy]:
            by_locate.setdefault(execution.locate, []).append(execution)
    answers = []
    for locate, executions in by_locate.items():
        volume = sum(x.shares for x in executions)
        notional = sum(x.price * x.shares for x in executions)
        prices = [x.price for x in executions]
        answers.append({
            "symbol": market.label(locate, time + 1), "trades": len(executions),
            "volume": volume, "notional": notional, "vwap": oracle.vwap(notional, volume),
            "open": oracle.decimal(prices[0], 4), "high": oracle.decimal(max(prices), 4),
            "low": oracle.decimal(min(prices), 4), "close": oracle.decimal(prices[-1], 4)})
    return sorted(answers, key=lambda answer: answer["symbol"])


def main():
    parser = argparse.ArgumentParser(description="Session answers of an ITCH file.")
    parser.add_argument("file")
    parser.add_argument("--policy", default="itch.all", choices=oracle.POLICIES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    answers = session_answers(options.file, options.policy)
    if options.json:
        json.dump(answers, sys.stdout, indent=1)
        print()
        return
    print(",".join(COLUMNS))
    for answer in answers:
        print(",".join(str(answer[column]) for column in COLUMNS))


if __name__ == "__main__":
    main()
