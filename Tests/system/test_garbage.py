"""A million datagrams and thousands of streams of garbage: the daemon lives, says little, and serves its phones.

Random bytes, and valid SIP of every kind with its bytes, lines, lengths and quotes changed (Tests/storm/garbage.c).
60,000 datagrams, or a million with ROLLCALL_LONG=1.
"""

import random
import socket
import threading

import pytest

from conftest import eventually
from daemon import resident, sockets
from phone import Phone
from storm import (
    IS_LONG, MEGABYTE, Storm, cpu_seconds, daemon_for, dropped_datagrams, lines_about, logins, show,
    wait_for_empty_tables)
from test_hostile import mutated, requests

DATAGRAMS, STREAMS = (1_000_000, 2_000) if IS_LONG else (60_000, 300)
RATE, PHONES = (20_000, 10) if IS_LONG else (10_000, 10)
SHORT = {"t1": "100ms", "t2": "1s", "t4": "1s"}  # Transactions are forgotten after 6.4 s instead of 32.
# Strangers, but allowed to send so much: else hardly any of it would be read.
STRANGERS = {"protection": {
    "trusted": [], "packetsPerSource": 1_000_000, "burst": 1_000_000, "bannedAfter": 100_000}}


@pytest.fixture
def daemon(tmp_path):
    made = daemon_for(tmp_path / "daemon", PHONES, timers=SHORT, **STRANGERS).start()
    yield made
    assert made.stop() == 0, "the daemon survived"


class Streams(threading.Thread):
    """One connection of garbage after the other, some of them ended in the middle, some read, some not."""

    def __init__(self, server, count):
        super().__init__(daemon=True)
        self.server, self.count, self.random = server, count, random.Random(3261)
        phone = Phone(("127.0.0.1", server.port), *(logins(1) * 2), server.domain)
        phone.password = server.password(phone.login)
        self.kinds = requests(phone)
        phone.close()

    def run(self):
        for number in range(self.count):
            try:
                source = f"127.0.2.{100 + number % 100}", 0
                with socket.create_connection(("127.0.0.1", self.server.port), 2, source) as enemy:
                    if number % 3 == 0:
                        enemy.sendall(self.random.randbytes(self.random.randrange(1, 5_000)))
                    else:
                        enemy.sendall(b"".join(mutated(self.random.choice(self.kinds), self.random) for _ in range(5)))
                    if number % 2:
                        enemy.settimeout(0.02)
                        enemy.recv(4_096)
            except OSError:
                pass  # The daemon closes what it cannot read.


def test_garbage_neither_ends_the_daemon_nor_fills_its_memory_or_its_log_and_phones_are_served(daemon):
    storms = []

    def garbage(count, seed):
        storms.append(Storm(daemon, "garbage", from_="127.0.2.1", addresses=20, phones=PHONES, count=count,
            rate=RATE, seed=seed))
        return storms[-1]

    try:
        cpu = cpu_seconds(daemon)
        seconds = DATAGRAMS / RATE
        traffic = Storm(daemon, "traffic", from_="127.0.0.3", phones=PHONES, seconds=seconds, calls=5, texts=5,
            registers=2, hold=0.2)
        storms.append(traffic.wait_until_ready())
        streams = Streams(daemon, STREAMS)
        streams.start()
        first = garbage(DATAGRAMS // 3, seed=1).result(within=600)
        before = resident(daemon)
        second = garbage(DATAGRAMS - DATAGRAMS // 3, seed=2).result(within=600)
        streams.join(120)
        after = resident(daemon)
        result = traffic.result()
    finally:
        for storm in storms:
            storm.close()
    lines = lines_about(daemon, r"127\.0\.2\.\d+")
    dropped = dropped_datagrams(daemon)
    state = wait_for_empty_tables(daemon, within=20)
    show("garbage", datagrams=first["sent"] + second["sent"], per_s=second["per_s"],
        answers=first["answers"] + second["answers"],
         streams=STREAMS, dropped=dropped, log_lines=len(lines), rss_before=before, rss_after=after,
         cpu_s=round(cpu_seconds(daemon) - cpu, 1), state=state, **{name: result[name] for name in (
             "calls", "texts", "registrations", "failed", "violations", "violation", "setup_p99_ms")})
    assert first["sent"] + second["sent"] == DATAGRAMS
    assert dropped < DATAGRAMS / 10, "the daemon has read them"
    assert first["registered"] == second["registered"] == 0
    assert len(lines) < 100, lines[:20]
    assert after - before < 16 * MEGABYTE
    assert (state["clients"], state["bindings"]) == (PHONES, PHONES)
    assert eventually(lambda: sockets(daemon) < 20), "every connection that ended is given back"
    assert result["violations"] == 0 and result["failed"] == 0 and result["timeouts"] == 0, result
    assert result["calls"] > 0 and result["texts"] > 0
