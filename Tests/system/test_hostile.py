"""Hostile input: rubbish, mutations, floods of connections, peers that are slow or never read; memory stays bounded."""

import random
import select
import socket
import time

import pytest

from conftest import eventually
from daemon import descriptors, resident
from phone import Phone

MEGABYTE = 1 << 20


def dial(server, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", server.port), timeout=2, source_address=(source, 0))


def is_closed(connection, within=0.0):
    """True when the peer has closed the connection."""
    deadline = time.monotonic() + within
    while True:
        poll = select.poll()  # Which has no limit of 1024 descriptors.
        poll.register(connection, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return False
        try:
            if not connection.recv(65536):
                return True
        except OSError:
            return True


def requests(phone):
    """Requests of all kinds, with credentials where they have some."""
    contact = [("Contact", phone.contact)]
    messages = [phone.register_request(), phone.register_request(["*"], expires=0)]
    messages += [
        phone.request(method, "bob", contact, b"v=0\r\n") for method in ("INVITE", "MESSAGE", "OPTIONS", "BYE", "ACK", "CANCEL")]
    challenge = phone.ask(phone.register_request())
    messages.append(phone.again(messages[0], phone.credentials(challenge)))
    return [bytes(message) for message in messages]


def mutated(message, generator):
    """A message with a few of its bytes changed, left out, repeated or moved."""
    data = bytearray(message)
    for _ in range(generator.randint(1, 8)):
        start = generator.randrange(len(data))
        end = min(len(data), start + generator.choice((1, 1, 2, 8, 64)))
        kind = generator.randrange(5)
        if kind == 0:
            data[start:end] = generator.randbytes(end - start)
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end] * generator.randint(1, 20)
        elif kind == 3:
            data[start:end] = generator.choice((b"\r\n", b"\r\n\r\n", b"\0", b"<", b">", b'"', b";", b",", b":", b"@", b"%", b"%4"))
        else:
            data[start:end] = generator.choice((b"99999999999999999999", b"-1", b"4294967296", b"18446744073709551616", b""))
        if not data:
            data = bytearray(b"\r\n")
    return bytes(data)[:65000]


def test_random_and_mutated_datagrams_neither_stop_the_daemon_nor_fill_its_memory(server, phone):
    bob = phone("bob")
    generator = random.Random(3261)
    kinds = requests(phone("alice"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as enemy:
        enemy.setblocking(False)

        def flood(count):
            for number in range(count):
                data = generator.randbytes(generator.randint(0, 2000)) if number % 4 == 0 else mutated(
                    generator.choice(kinds), generator)
                try:
                    enemy.sendto(data, ("127.0.0.1", server.port))
                except (BlockingIOError, ConnectionRefusedError):
                    pass
                if number % 64 == 63:
                    time.sleep(0.002)

        flood(5_000)
        before = resident(server)
        flood(20_000)
    assert bob.register().status == 200
    assert resident(server) - before < 32 * MEGABYTE


def test_mutated_streams_neither_stop_the_daemon_nor_leave_connections_behind(server, phone):
    alice = phone("alice")
    generator = random.Random(3263)
    kinds = requests(alice)
    before = descriptors(server)
    for _ in range(400):
        with dial(server) as enemy:
            try:
                enemy.sendall(b"".join(mutated(generator.choice(kinds), generator) for _ in range(8)))
            except OSError:
                pass
    assert alice.register().status == 200
    assert eventually(lambda: descriptors(server) <= before + 2), "every connection that ended is given back"


@pytest.mark.parametrize("length", [
    "65536", "4294967296", "9223372036854775807", "18446744073709551615", "9" * 1000, "-1", "0x10", "1 2"])
def test_an_impossible_content_length_ends_its_connection_only(server, phone, length):
    alice = phone("alice", transport="tcp")
    with dial(server) as enemy:
        enemy.sendall(
            b"OPTIONS sip:rollcall.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
            b"From: <sip:x@y>;tag=1\r\nTo: <sip:rollcall.test>\r\nCall-ID: huge\r\nCSeq: 1 OPTIONS\r\n"
            + f"Content-Length: {length}\r\n\r\n".encode())
        assert is_closed(enemy, 3), "nothing after it can be read"
    assert alice.register().status == 200


def test_an_announced_length_costs_no_memory(server, phone):
    before = resident(server)
    enemies = [dial(server) for _ in range(90)]
    for enemy in enemies:
        enemy.sendall(b"OPTIONS sip:rollcall.test SIP/2.0\r\nContent-Length: 60000\r\n\r\n")
    time.sleep(0.3)
    assert resident(server) - before < 4 * MEGABYTE
    for enemy in enemies:
        enemy.close()


@pytest.mark.configuration(protection={"trusted": []})
def test_ten_thousand_connections_of_one_source_leave_room_for_others(server, phone):
    before = resident(server)
    enemies = []
    for _ in range(10_000):
        enemy = dial(server)
        enemies.append(enemy)
        if len(enemies) > 2_000:
            enemies.pop(0).close()
    assert eventually(lambda: sum(not is_closed(enemy) for enemy in enemies) <= 100), "connectionsPerSource is 100"
    with dial(server, "127.0.0.2") as other:
        other.sendall(b"\r\n\r\n")
        assert other.recv(2) == b"\r\n", "another source is served meanwhile"
    for enemy in enemies:
        enemy.close()
    assert resident(server) - before < 16 * MEGABYTE
    tcp = phone("alice", transport="tcp")
    assert eventually(lambda: tcp.register().status == 200), "and the source itself once its connections are gone"


@pytest.mark.configuration(limits={"connections": 30, "connectionsPerSource": 20}, protection={"trusted": []})
def test_the_limits_of_connections_are_kept(server):
    first = [dial(server) for _ in range(25)]
    assert eventually(lambda: sum(not is_closed(one) for one in first) == 20)
    second = [dial(server, "127.0.0.2") for _ in range(15)]
    assert eventually(lambda: sum(not is_closed(one) for one in first) == 15), "the oldest of them make room"
    assert all(not is_closed(one) for one in second)
    assert server.wait_for_event("flow.limited")["why"].startswith("its address has limits.connectionsPerSource")
    for one in first + second:
        one.close()


@pytest.mark.configuration(limits={"connectionsPerSource": 10}, protection={"trusted": []})
def test_a_host_that_opens_connections_keeps_no_phone_behind_its_address_out(server, phone):
    alice = phone("alice", transport="tcp")
    assert alice.register().status == 200
    strangers = [dial(server) for _ in range(40)]
    assert eventually(lambda: sum(not is_closed(one) for one in strangers) <= 12), "10, and 2 for alice"
    again = phone("alice", transport="tcp")
    assert again.register().status == 200, "a new connection of hers is taken"
    assert alice.register().status == 200, "and the proved one never made room"
    for one in strangers:
        one.close()


@pytest.mark.configuration(limits={"messageSize": "2k", "headers": 20})
def test_the_limits_of_messages_are_kept(server, phone):
    alice, bob = phone("alice"), phone("bob", transport="tcp")
    assert alice.register().status == 200
    assert alice.ask(alice.register_request(headers=[("X-Long", "x" * 2_000)])).status in (400, 413, 513)
    assert alice.ask(alice.register_request(headers=[("X-Many", number) for number in range(20)])).status in (400, 413, 513)
    assert bob.register().status == 200
    bob.send(bob.register_request(headers=[("X-Long", "x" * 2_000)]))
    assert eventually(lambda: bob.wire.receive(0.1) is None and bob.wire.closed_by_peer), "the connection is closed"
    assert alice.register().status == 200


@pytest.mark.configuration(limits={"idleConnection": "1s"})
def test_an_idle_connection_is_closed_and_one_with_keepalives_is_not(server):
    with dial(server) as idle, dial(server) as alive:
        for _ in range(8):
            time.sleep(0.3)
            alive.sendall(b"\r\n\r\n")
            assert alive.recv(2) == b"\r\n"
        assert is_closed(idle)


def test_a_peer_that_never_reads_its_answers_costs_bounded_memory(server, phone):
    alice = phone("alice")
    before = resident(server)
    enemies = [dial(server) for _ in range(20)]
    request = (
        b"REGISTER sip:rollcall.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"
        b"From: <sip:x@y>;tag=1\r\nTo: <sip:rollcall.test>\r\nCall-ID: never-%d\r\nCSeq: 1 REGISTER\r\n"
        b"Content-Length: 0\r\n\r\n")
    for enemy in enemies:
        enemy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        enemy.setblocking(False)
    open_ones = list(enemies)
    deadline = time.monotonic() + 4
    number = 0
    while open_ones and time.monotonic() < deadline:
        for enemy in list(open_ones):
            number += 1
            try:
                enemy.send(request % (number, number))
            except BlockingIOError:
                pass
            except OSError:
                open_ones.remove(enemy)
    assert resident(server) - before < 48 * MEGABYTE
    for enemy in enemies:
        enemy.close()
    assert alice.register().status == 200


@pytest.mark.load
def test_a_message_that_comes_too_slowly_is_given_up(server, phone):
    with dial(server) as slow:
        slow.sendall(b"OPTIONS sip:rollcall.test SIP/2.0\r\n")
        began = time.monotonic()
        while not is_closed(slow) and time.monotonic() - began < 40:
            time.sleep(0.5)
            try:
                slow.send(b"X")
            except OSError:
                break
        assert 25 < time.monotonic() - began < 35, "a message has 30 seconds"
    assert phone("alice", transport="tcp").register().status == 200
