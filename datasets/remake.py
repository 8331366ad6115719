#!/usr/bin/env python3
"""Writes edge_cases.itch and every golden answer again. Run it in this folder."""

import gzip
import io
import sys

sys.dont_write_bytecode = True
import edge_cases  # noqa: E402
import golden  # noqa: E402
import oracle  # noqa: E402


def write(path, text):
    """A file, compressed (the same bytes each time) if its name ends in .gz."""
    data = text.encode()
    if path.endswith(".gz"):
        data = gzip.compress(data, compresslevel=9, mtime=0)
    with open(path, "wb") as file:
        file.write(data)


def main():
    edge_cases.main()
    for line in open("golden/cases.txt", encoding="ascii"):
        if line.startswith("#"):
            continue
        name, source, command = (part.strip() for part in line.split("|"))
        command, *arguments = command.split()
        if command == "replay":
            arguments.append("--events")
        out = io.StringIO()
        complaint = oracle.run(oracle.parse_arguments([source, *arguments]), out)
        assert complaint is None, complaint
        write(f"golden/{name}", out.getvalue())
    for name in ("edge_cases.itch", "sample_day.itch.gz"):
        answers = golden.session_answers(name, "itch.all")
        lines = [",".join(golden.COLUMNS)]
        lines += [",".join(str(answer[column]) for column in golden.COLUMNS) for answer in answers]
        write(f"golden/{name.split('.')[0]}.session.csv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
