"""Transports: UDP and TCP, IPv4 and IPv6, what may go wrong on them."""

import os
import random
import time

import pytest

from conftest import eventually
from daemon import Daemon, free_port
from phone import Phone, connect
from sip import Message, TCPWire, UDPWire, parameters


def options(phone, **replaced):
    return phone.request("OPTIONS", "sip:rollcall.test", **replaced)


# Where responses go (RFC 3261 18.2.2, RFC 3581).

@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_server_is_reached_by_every_transport_and_family(phone, transport, family):
    probe = phone("probe", transport=transport, family=family)
    assert probe.ask(options(probe)).status == 200
    alice = phone("alice", transport=transport, family=family)
    alice.register()


def test_rport_and_received_are_filled_in(phone):
    probe = phone("probe")
    answer = probe.ask(options(probe))
    via = parameters(answer["Via"])
    assert via["rport"] == str(probe.wire.address[1])
    assert via["received"] == "127.0.0.1"


def test_received_is_added_when_the_sent_by_address_is_another(phone):
    probe = phone("probe")
    answer = probe.ask(options(probe, Via="SIP/2.0/UDP phone.invalid:5060;branch=z9hG4bKother;rport"))
    via = parameters(answer["Via"])
    assert (via["received"], via["rport"]) == ("127.0.0.1", str(probe.wire.address[1]))


def test_the_response_comes_from_where_the_request_went(server, phone):
    probe = phone("probe")
    probe.send(options(probe))
    probe.wire.socket.settimeout(2)
    _, source = probe.wire.socket.recvfrom(65_535)
    assert source == ("127.0.0.1", server.port)


def test_responses_keep_every_via_in_order(phone):
    probe = phone("probe")
    request = options(probe)
    more = ["SIP/2.0/TCP one.example;branch=z9hG4bK1", "SIP/2.0/UDP two.example;branch=z9hG4bK2"]
    request.headers[1:1] = [("Via", more[0]), ("v", more[1])]
    assert probe.ask(request).values("Via")[1:] == more


# Keepalive (RFC 5626 4.4.1, 3.5.1).

def test_a_crlf_ping_over_tcp_gets_a_pong(server):
    wire = TCPWire(("127.0.0.1", server.port))
    for _ in range(3):
        wire.send(b"\r\n\r\n")
        assert eventually(lambda: wire.read(0.2) and wire.buffer == b"\r\n", within=2)
        wire.buffer = b""
    wire.close()


def test_a_crlf_between_messages_is_passed_over(phone):
    probe = phone("probe", transport="tcp")
    probe.wire.send(b"\r\n")
    assert probe.ask(options(probe)).status == 200
    probe.wire.send(b"\r\n\r\n\r\n")
    assert probe.ask(options(probe)).status == 200


def test_empty_datagrams_are_no_harm(phone):
    probe = phone("probe")
    for keepalive in (b"", b"\r\n", b"\r\n\r\n", b"\0", b"\0\0\0\0"):
        probe.wire.send(keepalive)
    assert probe.ask(options(probe)).status == 200


# Framing on a stream (RFC 3261 18.3).

def test_two_messages_in_one_segment(phone):
    probe = phone("probe", transport="tcp")
    first, second = options(probe), options(probe)
    probe.wire.send(bytes(first) + bytes(second))
    assert probe.expect_response(first).status == 200
    assert probe.expect_response(second).status == 200


def test_a_message_byte_by_byte(phone):
    probe = phone("probe", transport="tcp")
    request = options(probe)
    request.body = b"a body as well"
    for byte in bytes(request):
        probe.wire.send(bytes([byte]))
    assert probe.expect_response(request).status == 200


@pytest.mark.parametrize("cut", ["in the start line", "between CR and LF", "before the body", "in the body"])
def test_a_message_in_two_parts(phone, cut):
    probe = phone("probe", transport="tcp")
    request = options(probe)
    request.body = b"0123456789"
    data = bytes(request)
    at = {"in the start line": 5, "between CR and LF": data.index(b"\r\n") + 1,
          "before the body": data.index(b"\r\n\r\n") + 4, "in the body": len(data) - 3}[cut]
    probe.wire.send(data[:at])
    probe.expect_silence(within=0.1)
    probe.wire.send(data[at:])
    assert probe.expect_response(request).status == 200


def test_a_request_and_the_start_of_the_next(phone):
    probe = phone("probe", transport="tcp")
    first, second = options(probe), options(probe)
    data = bytes(first) + bytes(second)
    probe.wire.send(data[:-20])
    assert probe.expect_response(first).status == 200
    probe.wire.send(data[-20:])
    assert probe.expect_response(second).status == 200


def test_bytes_after_the_content_length_of_a_datagram_are_ignored(phone):
    probe = phone("probe")
    request = options(probe)
    probe.wire.send(bytes(request) + b"and some rubbish")
    assert probe.expect_response(request).status == 200


# Size.

@pytest.mark.parametrize("size", [10_000, 60_000])
def test_a_big_message_crosses_tcp_whole(phone, size):
    alice, bob = phone("alice", transport="tcp"), phone("bob", transport="tcp")
    alice.register()
    bob.register()
    body = "".join(chr(97 + number % 26) for number in range(size))
    alice.send_text("bob", body)
    received = bob.expect("MESSAGE")
    assert received.body.decode() == body
    bob.reply(received, 200)
    alice.expect_response(alice.answered, 200)


def test_a_big_datagram_crosses_udp_whole(alice, bob):
    alice.send_text("bob", "y" * 20_000)
    received = bob.expect("MESSAGE")
    assert len(received.body) == 20_000
    bob.reply(received, 200)
    alice.expect_response(alice.answered, 200)


def test_a_message_over_the_limit_is_refused_and_the_connection_closed(server):
    wire = TCPWire(("127.0.0.1", server.port))
    wire.send(b"MESSAGE sip:bob@rollcall.test SIP/2.0\r\nContent-Length: 2000000000\r\n\r\n")
    assert wire.is_closed(within=3)
    wire.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.configuration(limits={"messageSize": "4k"})
def test_a_message_over_the_limit_is_answered_513(phone, transport):
    alice = phone("alice", transport=transport)
    assert alice.ask(alice.request("MESSAGE", "bob", body=b"x" * 5_000)).status == 513


def test_headers_without_end_are_cut_off(server, phone):
    wire = TCPWire(("127.0.0.1", server.port))
    wire.send(b"MESSAGE sip:bob@rollcall.test SIP/2.0\r\n")
    try:
        for _ in range(200):
            wire.send(b"X-Padding: " + b"x" * 10_000 + b"\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert wire.is_closed(within=3)
    probe = phone("probe")
    assert probe.ask(options(probe)).status == 200


def test_very_many_headers_do_no_harm(phone):
    probe = phone("probe", transport="tcp")
    request = options(probe)
    request.headers += [(f"X-{number}", "1") for number in range(5_000)]
    probe.wire.send(bytes(request))
    probe.receive(1)
    other = phone("probe")
    assert other.ask(options(other)).status == 200


# Rubbish.

def test_rubbish_over_udp_is_survived(phone):
    generator = random.Random(4475)
    probe = phone("probe")
    template = bytes(options(probe))
    for number in range(2_000):
        if number % 2:
            data = generator.randbytes(generator.randrange(1, 1_500))
        else:
            data = bytearray(template)
            for _ in range(generator.randrange(1, 12)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            data = bytes(data)[:generator.randrange(1, len(data) + 1)]
        probe.wire.send(data)
        if number % 50 == 0:
            time.sleep(0.005)
    other = phone("probe")
    assert eventually(lambda: other.send(options(other)) and other.receive(0.5), within=5)


def test_rubbish_over_tcp_closes_the_connection_and_nothing_else(server, phone):
    alice = phone("alice", transport="tcp")
    alice.register()
    for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500), b"GET / HTTP/1.1\r\n\r\n",
                    os.urandom(4_000), b"\r\n" * 10_000 + b"\0" * 10_000):
        wire = TCPWire(("127.0.0.1", server.port))
        try:
            wire.send(rubbish)
            wire.read(0.2)
        except OSError:
            pass
        wire.close()
    assert list(alice.bindings()) == [alice.contact_uri]


def test_rubbish_makes_no_flood_of_log_lines(server, phone):
    probe = phone("probe")
    before = sum(event["level"] != "debug" for event in server.events())
    for number in range(1_000):
        probe.wire.send(b"rubbish %d\r\n\r\n" % number)
        if number % 50 == 0:
            time.sleep(0.005)
    assert eventually(lambda: probe.send(options(probe)) and probe.receive(0.5), within=5)
    assert sum(event["level"] != "debug" for event in server.events()) - before < 100


# Connections.

def test_requests_and_responses_share_the_connection(phone):
    alice, bob = phone("alice", transport="tcp"), phone("bob", transport="tcp")
    alice.register()
    bob.register()
    call, answered = connect(alice, bob)
    answered.hang_up(call)


def test_a_response_after_the_connection_has_closed_does_no_harm(phone, bob):
    alice = phone("alice", transport="tcp")
    alice.register()
    alice.call("bob")
    ringing = bob.incoming_call()
    alice.close()
    ringing.reply(486)
    ringing.expect("ACK")
    other = phone("probe")
    assert other.ask(options(other)).status == 200


@pytest.mark.configuration(limits={"idleConnection": "1s"})
def test_a_connection_that_never_says_anything_is_closed(server):
    wire = TCPWire(("127.0.0.1", server.port))
    assert wire.is_closed(within=5)
    wire.close()


def test_many_connections_come_and_go(server, phone):
    for _ in range(5):
        wires = [TCPWire(("127.0.0.1", server.port)) for _ in range(40)]
        for wire in wires:
            wire.close()
    probe = phone("probe", transport="tcp")
    assert probe.ask(options(probe)).status == 200


def test_two_requests_of_one_client_over_two_transports_do_not_mix(phone):
    udp, tcp = phone("alice"), phone("alice", transport="tcp")
    udp.register()
    tcp.register()
    assert set(udp.bindings()) == {udp.contact_uri, tcp.contact_uri}


def test_peers_are_told_the_advertised_address(tmp_path):
    port = free_port()
    daemon = Daemon(tmp_path / "daemon", ("alice", "bob"), port=port, listeners=[
        {"transport": "udp", "address": "127.0.0.1", "port": port, "advertised": "pbx.example.net:5999"}]).start()
    alice, bob = (Phone(("127.0.0.1", port), login, daemon.password(login), daemon.domain) for login in ("alice", "bob"))
    alice.register()
    bob.register()
    call, answered = connect(alice, bob)
    assert answered.invite.values("Via")[0].startswith("SIP/2.0/UDP pbx.example.net:5999;")
    assert answered.invite["Record-Route"].endswith("@pbx.example.net:5999;lr>")
    answered.hang_up(call)
    assert alice.ask(alice.request("OPTIONS", "sip:pbx.example.net:5999")).status == 200
    daemon.stop()
