"""A small DNS server for tests: it answers from a zone, and lies, dawdles or keeps silent where it is told to.

    names = NameServer()
    names.zone["phone.test", "A"] = ["127.0.0.1"]
    names.zone["_sip._tcp.edge.test", "SRV"] = [(1, 0, 5071, "one.test")]
    names.behave["dead.test"] = "silent"

What a name does: "silent", "servfail", "truncate" (over UDP), "spoof" (answers with a wrong identifier come first),
"case" (answers in lower case), "garbage", "loop" (aliases without end), or a number of seconds to wait.
"""

import collections
import heapq
import selectors
import socket
import struct
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "AAAA": 28, "SRV": 33, "NAPTR": 35}
NAMES = {number: name for name, number in TYPES.items()}


def encoded(name):
    labels = [label.encode() for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def text(data):
    return bytes([len(data)]) + data.encode()


def content(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "SRV":
        return struct.pack(">HHH", *value[:3]) + encoded(value[3])
    if kind == "NAPTR":
        order, preference, flags, services, replacement = value
        return struct.pack(">HH", order, preference) + text(flags) + text(services) + text("") + encoded(replacement)
    return encoded(value)


class NameServer:
    """A DNS server on 127.0.0.1, UDP and TCP, in a thread of its own."""

    def __init__(self, port=0):
        self.zone, self.behave, self.ttl = {}, {}, 60
        self.asked = collections.Counter()
        self.over_tcp = 0
        self.port = port
        self.thread = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        for _ in range(50):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
            self.udp.bind(("127.0.0.1", self.port))
            port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind(("127.0.0.1", port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.port = port
        self.tcp.listen()
        self.stopped, self.stopper = socket.socketpair()
        self.later = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        if self.thread:
            self.stopper.send(b".")
            self.thread.join()
            self.thread = None
            for one in (self.udp, self.tcp, self.stopped, self.stopper):
                one.close()

    def count(self, name, kind=None):
        """How often a name was asked for."""
        return sum(count for (asked, type_), count in self.asked.items() if asked == name and kind in (None, type_))

    def run(self):
        with selectors.DefaultSelector() as selector:
            for one in (self.udp, self.tcp, self.stopped):
                selector.register(one, selectors.EVENT_READ)
            connections = []
            while True:
                wait = max(0, self.later[0][0] - time.monotonic()) if self.later else None
                for key, _ in selector.select(wait):
                    if key.fileobj is self.stopped:
                        for one in connections:
                            one.close()
                        return
                    if key.fileobj is self.udp:
                        query, peer = self.udp.recvfrom(4096)
                        self.answer(query, lambda data, peer=peer: self.udp.sendto(data, peer), is_tcp=False)
                    elif key.fileobj is self.tcp:
                        one, _ = self.tcp.accept()
                        connections.append(one)
                        selector.register(one, selectors.EVENT_READ)
                    else:
                        one = key.fileobj
                        data = one.recv(4096)
                        if len(data) > 2:
                            self.over_tcp += 1
                            self.answer(data[2:], lambda answer, one=one: one.sendall(
                                struct.pack(">H", len(answer)) + answer), is_tcp=True)
                        else:
                            selector.unregister(one)
                            connections.remove(one)
                            one.close()
                while self.later and self.later[0][0] <= time.monotonic():
                    _, _, send, data = heapq.heappop(self.later)
                    send(data)

    def answer(self, query, send, is_tcp):
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1:position + 1 + query[position]].decode())
            position += query[position] + 1
        name = ".".join(labels).lower()
        kind = NAMES.get(struct.unpack(">H", query[position + 1:position + 3])[0], "?")
        question = query[12:position + 5]
        self.asked[name, kind] += 1
        behaviour = self.behave.get((name, kind), self.behave.get(name))
        if behaviour == "silent":
            return
        if behaviour == "garbage":
            send(query[:2] + b"\x81\x80" + b"\xff" * 40)
            send(query[:2] + b"\x81\x80\0\1\xff\xff\0\0\0\0" + question + b"\xc0\x0c\xc0\x0c")
            return
        if behaviour == "servfail":
            send(query[:2] + b"\x81\x82\0\1\0\0\0\0\0\0" + question)
            return
        if behaviour == "truncate" and not is_tcp:
            send(query[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + question)
            return
        if behaviour == "case" and not is_tcp:
            question = encoded(name) + question[-4:]
        data = self.response(query[:2], question, name, kind)
        if behaviour == "spoof":
            lie = b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\x0c\0\1\0\1\0\0\xff\xff\0\4" + b"\x7f\6\6\6"
            for wrong in range(20):
                send(struct.pack(">H", (struct.unpack(">H", query[:2])[0] + 1 + wrong) & 0xffff) + lie)
            other = encoded("other.test") + question[-4:]
            send(query[:2] + lie.replace(question, other))
        if isinstance(behaviour, (int, float)):
            heapq.heappush(self.later, (time.monotonic() + behaviour, id(data), send, data))
        else:
            send(data)

    def response(self, identifier, question, name, kind):
        records = []
        if self.behave.get(name) == "loop":
            records = [(5, encoded(f"x{len(name)}{name}"[-60:]))]
            self.behave[f"x{len(name)}{name}"[-60:]] = "loop"
        for value in self.zone.get((name, kind), []):
            records.append((TYPES[kind], content(kind, value)))
        if not records and (name, "CNAME") in self.zone:
            records = [(5, encoded(self.zone[name, "CNAME"]))]
        exists = any(known == name for known, _ in self.zone) or records
        body = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", number, 1, self.ttl, len(data)) + data for number, data in records)
        if not records:
            data = b"\0\0" + struct.pack(">IIIII", 1, 2, 3, 4, 5)
            body = b"\xc0\x0c" + struct.pack(">HHIH", 6, 1, 5, len(data)) + data
        return (identifier + (b"\x81\x80" if exists else b"\x81\x83")
                + struct.pack(">HHHH", 1, len(records), 0 if records else 1, 0) + question + body)
