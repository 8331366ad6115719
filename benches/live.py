#!/usr/bin/env python3
"""The whole service under load: `widetape send` in one process, `widetape run` in another, over multicast on
loopback, and a FIX subscriber to every symbol, which reads and counts.

    cargo build --release
    python3 benches/live.py [--rate 10000000] [--seconds 30] [--symbols 8000] [--priority 1] [--quotes] [--keep DIR]

The day is drawn together to as many seconds (`generate --duration`), so ends come as often as they would. What
the service says of itself at its end is printed, and the rows that it published are counted against those of
`replay`: where no message was lost they must be as many. For how much of 10 s before and after the run the cores
stood still by themselves is printed too. 30 s at 10 million messages/s take 9.2 GB on disk and
again in memory, for the sender.
"""

import argparse
import datetime
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

CONFIG = """
[feed]
buffers = 4096
buffer_bytes = 65536
[[feed.lines]]
group = "239.192.0.1:5000"
interface = "127.0.0.1"
receive_buffer = 67108864
[session]
hold_packets = 1024
gap_timeout_ns = 1000000
[recovery]
disabled = true
[window]
windows = ["1s", "1m"]
corrections = "off"
[fix.acceptor]
listen = "127.0.0.1:{port}"
reset_on_logon = true
quotes = {quotes}
[engine]
threads = 3
wait = "park"
{priority}
orders = {orders}
executions = {executions}
"""

WIDETAPE = pathlib.Path(__file__).parent.parent / "target/release/widetape"


def message(kind, number, body):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
    body = f"35={kind}|49=LOAD|56=WIDETAPE|34={number}|52={now}|{body}".replace("|", "\x01")
    text = f"8=FIX.4.4\x019={len(body)}\x01{body}"
    return f"{text}10={sum(text.encode()) % 256:03}\x01".encode()


def subscribe(port, quotes, counted):
    """Reads until the service hangs up."""
    link = None
    while link is None:
        try:
            link = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)
    link.sendall(message("A", 1, "98=0|108=60|141=Y|"))
    entries = "267=6|269=0|269=1|269=9|269=B|269=7|269=8|" if quotes else "267=4|269=9|269=B|269=7|269=8|"
    link.sendall(message("V", 2, f"262=ALL|263=1|264=1|{entries}146=1|55=*|"))
    room = bytearray(1 << 20)
    while received := link.recv_into(room):
        counted[0] += received


def replayed(day):
    """Rows of `replay`, its header apart."""
    asked = ["replay", day, "--window", "1s,1m", "--corrections", "off", "--format", "csv"]
    with subprocess.Popen([WIDETAPE, *asked], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        lines = sum(block.count(b"\n") for block in iter(lambda: process.stdout.read(1 << 20), b""))
    return lines - 1


def stalls():
    """How long the machine's cores stand still while nothing else runs: no latency is shorter."""
    told = subprocess.run([WIDETAPE, "doctor", "--watch", "10s"], check=True, capture_output=True, text=True)
    return re.search(r"^stalls +(.*)", told.stdout, re.M)[1]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=int, default=10_000_000, help="messages a second")
    options.add_argument("--seconds", type=int, default=30)
    options.add_argument("--symbols", type=int, default=8_000)
    options.add_argument("--packets", type=int, default=6_000, help="packets a second")
    options.add_argument("--priority", type=int, help="real-time priority of the threads that the feed needs")
    options.add_argument("--quotes", action="store_true", help="full books, bids and offers too")
    options.add_argument("--keep", type=pathlib.Path, help="where the day is kept for the next run")
    asked = options.parse_args()
    if not WIDETAPE.exists():
        sys.exit(f"{WIDETAPE} is not there: cargo build --release")
    messages = asked.rate * asked.seconds
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        day = (asked.keep or folder) / f"live-{messages}-{asked.seconds}-{asked.symbols}.itch"
        if not day.exists():
            made = ["--messages", str(messages), "--symbols", str(asked.symbols)]
            made += ["--duration", f"{asked.seconds}s", "--out", day]
            subprocess.run([WIDETAPE, "generate", *made], check=True)
            # Or the system writes 9 GB to disk while the service runs.
            os.sync()
        rows = replayed(day)
        before = stalls()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # As many orders stay alive as the generator lets.
        orders = min(messages * 24 // 1000, 1_500_000)
        config = folder / "live.toml"
        quotes = str(asked.quotes).lower()
        executions = messages // 20
        priority = f"real_time_priority = {asked.priority}" if asked.priority else ""
        filled = {"port": port, "quotes": quotes, "orders": orders, "executions": executions, "priority": priority}
        config.write_text(CONFIG.format(**filled))
        sent = ["send", day, "--rate", str(asked.rate), "--packet-bytes", "60000", "--no-rerequest"]
        sent += ["--packets-per-second", str(asked.packets), "--start-delay", "12s"]
        # Its day is in memory before the service begins, so that the two do not compete for that.
        sender = subprocess.Popen([WIDETAPE, *sent], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        status = pathlib.Path(f"/proc/{sender.pid}/status")
        while sender.poll() is None and resident(status) < day.stat().st_size // 1024:
            time.sleep(0.1)
        service = subprocess.Popen([WIDETAPE, "run", "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        counted = [0]
        threading.Thread(target=subscribe, args=(port, asked.quotes, counted), daemon=True).start()
        told = sender.communicate()[1]
        time.sleep(2)
        service.send_signal(2)
        report = service.communicate()[1]
    print(told + report, end="")
    print(f"stalls before      {before}\nstalls after       {stalls()}")
    print(f"FIX bytes read     {counted[0]}")
    lost = int(re.search(r"lost messages (\d+)", report)[1])
    published = int(re.search(r"^publish +rows (\d+)", report, re.M)[1])
    print(f"rows               {published} published, {rows} by replay; {lost} messages lost")
    if lost == 0 and published != rows:
        sys.exit("no message was lost, and the rows are not those of replay")


def resident(status):
    found = re.search(r"RssAnon:\s+(\d+)", status.read_text())
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
