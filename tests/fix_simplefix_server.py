#!/usr/bin/env python3
"""A market data server of FIX 4.4 for interop checks; needs `simplefix` from PyPI.

    fix_simplefix_server.py

Prints the address that it listens on, takes one session as SIMPLEFIX, and answers its market data request with a
snapshot, increments of trades and quotes, one trade of them taken back, and the end of the trading session. Every
BodyLength, CheckSum and MsgSeqNum that comes is checked. Exit code 0 after Logouts both ways.
"""

import datetime
import socket
import sys

import simplefix


class Server:
    def __init__(self, connection):
        self.connection, self.client = connection, None
        self.parser = simplefix.FixParser()
        self.next_out = self.expected = 1

    def send(self, msg_type, pairs):
        message = simplefix.FixMessage()
        for tag, value in [(8, "FIX.4.4"), (35, msg_type), (49, "SIMPLEFIX"), (56, self.client), (34, self.next_out)]:
            message.append_pair(tag, value, header=True)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        message.append_utc_timestamp(52, now, precision=3, header=True)
        for tag, value in pairs:
            message.append_pair(tag, value)
        self.connection.sendall(message.encode())
        self.next_out += 1

    def receive(self):
        while (message := self.parser.get_message()) is None:
            data = self.connection.recv(1 << 12)
            if not data:
                sys.exit("the client went without a Logout")
            self.parser.append_buffer(data)
        sent = message.encode(True)
        body = sent[sent.index(b"\x0135=") + 1 : sent.rindex(b"10=")]
        if int(message.get(9)) != len(body) or int(message.get(10)) != sum(sent[: sent.rindex(b"10=")]) % 256:
            sys.exit(f"BodyLength or CheckSum: {message}")
        if int(message.get(34)) != self.expected or message.get(56) != b"SIMPLEFIX":
            sys.exit(f"MsgSeqNum or TargetCompID: {message}")
        self.expected += 1
        self.client = message.get(49).decode()
        return message

    def wait_for(self, msg_type):
        while (message := self.receive()).get(35) != msg_type:
            if message.get(35) == b"1":
                self.send("0", [(112, message.get(112))])
            elif message.get(35) != b"0":
                sys.exit(f"{message} instead of {msg_type}")
        return message

    def increment(self, request, entries):
        pairs = [(262, request), (268, len(entries))]
        self.send("X", pairs + [pair for entry in entries for pair in entry])

    def serve(self):
        logon = self.wait_for(b"A")
        self.send("A", [(98, 0), (108, logon.get(108)), (141, logon.get(141) or "N")])
        wish = self.wait_for(b"V")
        request, types = wish.get(262), {value for tag, value in wish if tag == 269}
        if wish.get(263) != b"1" or b"2" not in types:
            sys.exit(f"not a subscription to trades: {wish}")
        trade = lambda symbol, number, price, size, time: [
            (279, 0), (269, 2), (278, number), (55, symbol), (270, price), (271, size), (273, time)
        ]
        snapshot = [(262, request), (55, "MSFT"), (268, 2), (269, 2), (270, "20.0001"), (271, 7), (273, "09:30:00.250")]
        self.send("W", snapshot + [(278, 900), (269, 0), (270, "20.00"), (271, 300), (273, "09:30:00.250")])
        self.increment(request, [trade("AAPL", 1, "10.0001", 100, "09:30:00.500"), trade("AAPL", 2, "10.5", 50, "09:30:00.600")])
        self.send("1", [(112, "there?")])
        if self.wait_for(b"0").get(112) != b"there?":
            sys.exit("the TestRequest was answered by another name")
        self.increment(request, [[(279, 2), (269, 2), (278, 2), (55, "AAPL"), (273, "09:30:02.000")]])
        bid = [(279, 0), (269, 0), (278, 5), (55, "AAPL"), (270, "9.99"), (271, 10), (273, "09:30:02.100")]
        self.increment(request, [bid, trade("AAPL", 3, "10.0003", 300, "09:30:03.000")])
        self.send("h", [(336, 1), (340, 3)])
        self.wait_for(b"5")
        self.send("5", [])


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print("%s:%d" % listener.getsockname(), flush=True)
    listener.settimeout(30)
    connection = listener.accept()[0]
    connection.settimeout(30)
    Server(connection).serve()


if __name__ == "__main__":
    main()
