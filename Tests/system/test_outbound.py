"""Phones whose way changes, by the pains of operators that they are named after: NAT, connections, outbound flows."""

import itertools
import os
import socket
import struct
import time

import pytest

from conftest import eventually
from phone import connect
from sip import WIRES

SHARES_ONE_DAEMON = True
PRIVATE = "10.255.255.{}:5060"


@pytest.fixture(autouse=True)
def nobody_is_registered(phone):
    """The phones of the tests before are gone."""
    for login in ("alice", "bob", "carol"):
        phone(login).register(["*"], expires=0)


def registered(phone, login, transport="udp", contact=None, **options):
    made = phone(login, transport=transport)
    made.register([contact] if contact else None, **options)
    return made


def flow(number, user="bob", device="1", port=5060):
    """A Contact with a flow of RFC 5626; the address is nobody's."""
    return (f'<sip:{user}@{PRIVATE.format(device)[:-4]}{port};transport=tcp>;reg-id={number}'
            f';+sip.instance="<urn:uuid:00000000-0000-1000-8000-{device:0>12}>"')


def register_flow(phone, number, login="bob", device="1", port=5060):
    made = phone(login, transport="tcp")
    # The latest flow is the first that is tried: they are told apart by the millisecond.
    time.sleep(0.01)
    answer = made.register([flow(number, login, device, port)], headers=[("Supported", "path, outbound")])
    return made, answer


def reconnect(phone):
    """The phone's network breaks: another connection from another port, and nothing is left of the old one."""
    phone.wire.close()
    phone.wire = WIRES[phone.transport](phone.server)


# Pains 1, 2, 3 and 4.

@pytest.mark.parametrize("first, second", itertools.product(("udp", "tcp"), repeat=2))
@pytest.mark.parametrize("by", ["caller", "callee"])
def test_pain_4_every_pair_of_transports_ends_a_call_from_both_sides(phone, first, second, by):
    alice = registered(phone, "alice", first, f"<sip:alice@{PRIVATE.format(1)};transport={first}>")
    bob = registered(phone, "bob", second, f"<sip:bob@{PRIVATE.format(2)};transport={second}>")
    # The ACK of pain 2 is in it: `connect` waits for it, and its Request-URI is a private address.
    call, ringing = connect(alice, bob)
    assert len(ringing.invite.values("Record-Route")) == (1 if first == second else 2)
    bye = call.hang_up(ringing) if by == "caller" else ringing.hang_up(call)
    assert not bye.values("Route"), "both values are the server's"
    for made in (alice, bob):
        made.unregister()


def test_pain_2_the_acknowledgement_of_a_phone_with_a_private_contact_arrives(phone):
    alice = registered(phone, "alice", contact=f"<sip:alice@{PRIVATE.format(1)}>")
    bob = registered(phone, "bob")
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(200, headers=[])
    answer = call.expect(200)
    # As phones do that were told a private address: to exactly that, along the route.
    call.remote_target = f"sip:bob@{PRIVATE.format(9)}"
    call.ack()
    assert ringing.expect("ACK").uri == call.remote_target and answer.status == 200
    call.hang_up(ringing)


def test_pain_3_the_server_s_address_in_the_request_line_of_a_bye_does_not_matter(phone, server):
    alice, bob = registered(phone, "alice"), registered(phone, "bob")
    call, ringing = connect(alice, bob)
    call.remote_target = f"sip:127.0.0.1:{server.port}"
    call.hang_up(ringing)


# Pain 7.

@pytest.mark.configuration(nat={"interval": "1s"})
def test_pain_7_each_phone_is_pinged_over_the_way_that_it_registered_by_and_no_other(phone, server):
    alice = registered(phone, "alice", contact=f"<sip:alice@{PRIVATE.format(1)}>")
    bob = registered(phone, "bob", "tcp", f"<sip:bob@{PRIVATE.format(2)};transport=tcp>")
    carol = registered(phone, "carol")
    for made, contact in ((alice, PRIVATE.format(1)), (bob, PRIVATE.format(2))):
        for _ in range(2):
            ping = made.expect("OPTIONS")
            assert contact in ping.uri and len(bytes(ping)) < 500
            made.reply(ping, 404)
    carol.expect_silence("OPTIONS")
    before = {entry["login"]: entry["last_alive"] for entry in server.registrations()}
    assert before.keys() == {"alice", "bob", "carol"}
    # Without its connection Bob gets no ping by any other way: nothing connects to his address, nothing is logged.
    bob.wire.close()
    time.sleep(1.5)
    assert not server.events("transport.error")


@pytest.mark.configuration(nat={"interval": "1s", "unanswered": 2})
def test_a_phone_that_stops_answering_is_passed_by_and_found_again(phone, server):
    alice = registered(phone, "alice")
    bob = registered(phone, "bob", contact=f"<sip:bob@{PRIVATE.format(2)}>")
    second = registered(phone, "bob")
    for _ in range(2):
        bob.reply(bob.expect("OPTIONS"), 200)
    lost = server.wait_for_event("reg.unreachable", within=8, user="bob")
    assert lost["level"] == "warn" and int(lost["silent"]) >= 1 and lost["do"]
    entry = next(entry for entry in server.registrations() if "10.255" in entry["contact"])
    assert entry["reachable"] is False
    assert "(unreachable)" in server.command("registrations")
    alice.send_text("bob")
    second.reply(second.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    second.unregister()
    assert "R-1317" in alice.text("bob")["Warning"]
    bob.reply(bob.expect("OPTIONS"), 200)
    server.wait_for_event("reg.reachable", user="bob")
    bob.expect_silence("MESSAGE", within=0.1)
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)


@pytest.mark.configuration(nat={"interval": "1s", "unanswered": 2})
def test_a_phone_that_does_not_know_options_is_called_for_ever(phone, server):
    alice = registered(phone, "alice")
    bob = registered(phone, "bob", contact=f"<sip:bob@{PRIVATE.format(2)}>")
    for _ in range(5):
        bob.expect("OPTIONS")
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    assert not server.events("reg.unreachable")


@pytest.mark.configuration(nat={"interval": "1s", "unanswered": 2, "keepalive": "crlf"})
def test_empty_lines_on_a_connection_are_answered_by_an_empty_line_or_the_phone_is_gone(phone, server):
    bob = registered(phone, "bob", "tcp", f"<sip:bob@{PRIVATE.format(2)};transport=tcp>")
    wire = bob.wire.socket
    for _ in range(2):
        wire.settimeout(3)
        assert wire.recv(100) == b"\r\n\r\n"
        wire.sendall(b"\r\n")
    wire.settimeout(0.3)
    with pytest.raises(socket.timeout):
        wire.recv(100)  # Nothing is answered to an answer.
    server.wait_for_event("reg.unreachable", within=8, user="bob")
    wire.sendall(b"\r\n\r\n")  # The phone's own ping is as good.
    server.wait_for_event("reg.reachable", user="bob")


# Pain 8.

@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_pain_8_a_phone_that_comes_back_by_another_port_rings_once(phone, server, transport):
    alice = registered(phone, "alice")
    bob = registered(phone, "bob", transport)
    for _ in range(3):
        reconnect(bob)
        bob.register()
    assert bob.bindings().keys() == {bob.contact_uri}
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    bob.unregister()


def test_pain_8_two_phones_of_one_client_stay_two(phone):
    first, second = registered(phone, "bob"), registered(phone, "bob")
    assert first.bindings().keys() == {first.contact_uri, second.contact_uri}
    for made in (first, second):
        made.unregister()


# Pain 9.

def test_pain_9_a_closed_connection_gets_no_calls_and_a_phone_that_comes_back_has_lost_nothing(phone, server):
    alice, bob = registered(phone, "alice"), registered(phone, "bob", "tcp")
    call, ringing = connect(alice, bob)
    reconnect(bob)
    server.wait_for_event("flow.closed")
    assert alice.text("bob").status == 480
    assert bob.bindings(), "it is still registered"
    bob.register()
    # Its Contact has another port now: the call goes on over the new connection, from both sides.
    received, answer = call.relay("INFO", ringing)
    assert answer.status == 200 and received["Call-ID"] == call.id
    reconnect(bob)
    bob.register()
    call.hang_up(ringing)
    assert len(bob.bindings()) == 1
    bob.unregister()


def test_pain_9_a_call_whose_phone_is_gone_for_good_is_told_so_at_once(phone, server):
    alice, bob = registered(phone, "alice"), registered(phone, "bob", "tcp")
    call, _ = connect(alice, bob)
    bob.wire.close()
    server.wait_for_event("flow.closed")
    answer = alice.ask(call.request("BYE"))
    assert answer.status == 430 and "R-1417" in answer["Warning"]


@pytest.mark.configuration(nat={"reconnectTime": "0s"})
def test_pain_9_without_a_time_to_come_back_the_registration_goes_with_the_connection(phone, server):
    bob = registered(phone, "bob", "tcp")
    bob.wire.close()
    server.wait_for_event("reg.removed", user="bob")
    assert eventually(lambda: server.registrations() == [])


# RFC 5626.

def test_two_flows_of_a_phone_ring_once_and_the_second_takes_over(phone, server):
    alice = registered(phone, "alice")
    first, answer = register_flow(phone, 1)
    assert answer["Require"] == "outbound" and answer["Flow-Timer"] == "120" and "outbound" in answer["Supported"]
    second, answer = register_flow(phone, 2)
    assert len(answer.values("Contact")) == 2
    call = alice.call("bob")
    ringing = second.incoming_call()
    first.expect_silence("INVITE")
    second.wire.close()
    ringing = first.incoming_call()
    ringing.reply(200)
    call.expect(200)
    call.ack()
    call.hang_up(ringing)
    assert len(first.register([flow(1)], headers=[("Supported", "outbound")]).values("Contact")) <= 2
    first.register(["*"], expires=0)


def test_a_flow_failed_by_an_edge_is_tried_by_the_other(phone):
    alice = registered(phone, "alice")
    first, _ = register_flow(phone, 1, device="5")
    second, _ = register_flow(phone, 2, device="5")
    call = alice.call("bob")
    second.incoming_call().refuse(430)
    first.incoming_call().refuse(486)
    call.expect(486)
    first.register(["*"], expires=0)


def test_a_flow_is_refused_behind_a_proxy_that_does_not_keep_it(phone):
    bob = phone("bob")
    outbound = [("Supported", "outbound")]
    answer = bob.try_to_register([flow(1)], headers=outbound + [("Path", "<sip:edge.example.net;lr>")])
    assert answer.status == 439 and "R-1211" in answer["Warning"]
    assert bob.try_to_register(
        [flow(1)], headers=outbound + [("Path", "<sip:127.0.0.1:9;lr;ob>")]).status == 200
    bob.register(["*"], expires=0)


# RFC 6223 and STUN.

def test_a_phone_that_offers_keepalives_is_told_how_often(phone):
    for transport, seconds in (("udp", 25), ("tcp", 120)):
        bob = phone("bob", transport=transport)
        request = bob.register_request()
        refusal = bob.ask(request)
        again = bob.again(request, bob.credentials(refusal))
        again["Via"] = again["Via"] + ";keep"
        answer = bob.ask(again)
        assert answer.status == 200 and f";keep={seconds}" in answer["Via"]
        bob.unregister()


@pytest.mark.parametrize("family", [4, 6])
def test_a_stun_request_at_the_sip_port_is_answered_with_its_address(server, family):
    host = "127.0.0.1" if family == 4 else "::1"
    with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.bind((host, 0))
        client.settimeout(3)
        transaction = os.urandom(12)
        client.sendto(struct.pack("!HHI", 1, 0, 0x2112_A442) + transaction, (host, server.port))
        answer = client.recv(1000)
        assert answer[:8] == struct.pack("!HHI", 0x0101, 12 if family == 4 else 24, 0x2112_A442)
        assert answer[8:20] == transaction
        kind, length, _, seen, port = struct.unpack("!HHBBH", answer[20:28])
        mask = struct.pack("!I", 0x2112_A442) + transaction
        address = bytes(left ^ right for left, right in zip(answer[28:], mask))
        assert (kind, length, seen) == (0x0020, len(answer) - 24, 1 if family == 4 else 2)
        assert port ^ 0x2112 == client.getsockname()[1]
        assert socket.inet_ntop(client.family, address) == host
        # What only looks like it gets nothing.
        client.settimeout(0.3)
        client.sendto(struct.pack("!HHI", 1, 4, 0x2112_A442) + transaction, (host, server.port))
        with pytest.raises(socket.timeout):
            client.recv(1000)
