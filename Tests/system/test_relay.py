"""Never an open relay, never a reflector: whatever a request or response says, nothing leaves to a third party."""

import itertools
import select
import socket

import pytest

from phone import connect
from sip import Message, token

VICTIM = "127.0.0.9"
METHODS = ("INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER", "BYE", "ACK", "CANCEL", "INFO", "REGISTER", "FOO")

SHARES_ONE_DAEMON = True


class Victim:
    """A third party that listens on one port over UDP and TCP, and must never hear anything."""

    def __init__(self):
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((VICTIM, 0))
        self.port = self.datagrams.getsockname()[1]
        self.streams = socket.create_server((VICTIM, self.port))
        self.address = f"{VICTIM}:{self.port}"

    def heard(self, within=0.3):
        """Whether anything came, a datagram or a connection."""
        return bool(select.select([self.datagrams, self.streams], [], [], within)[0])

    def close(self):
        self.datagrams.close()
        self.streams.close()


@pytest.fixture
def victim():
    made = Victim()
    yield made
    made.close()


def fire(phone, request, is_authenticated):
    """Sends a request, with the right credentials where that is wanted and asked for; gives the last answer or None."""
    phone.send(request)
    if request.method == "ACK":
        return None
    answer = phone.expect_response(request)
    if not is_authenticated or answer.status not in (401, 407):
        return answer
    return phone.ask(phone.again(request, phone.credentials(answer)))


@pytest.mark.parametrize("is_authenticated", [False, True], ids=["stranger", "client"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_no_request_uri_and_no_route_leads_to_a_third_party(phone, victim, is_authenticated, transport):
    """16.3 to 16.6: the destination is a client of the domain, or there is none."""
    alice = phone("alice", transport=transport)
    if is_authenticated:
        alice.register()
    server = f"127.0.0.1:{alice.server[1]}"
    foreign, own = f"sip:bob@{victim.address}", f"sip:bob@{alice.domain}"
    forged = f"<sip:rc{token(40)}@{server};lr>"
    ways = [
        (foreign, []),
        (f"sip:{victim.address}", []),
        (f"{foreign};transport=tcp", []),
        (f"{own};maddr={VICTIM}", []),
        (own, [("Route", f"<sip:{victim.address};lr>")]),
        (own, [("Route", f"<sip:{server};lr>"), ("Route", f"<sip:{victim.address};lr>")]),
        (own, [("Route", f"<sip:{server};lr>, <{foreign};lr>")]),
        (foreign, [("Route", f"<sip:{server};lr>")]),
        (foreign, [("Route", forged)]),
        (f"sip:rc{token(40)}@{server}", [("Route", f"<{foreign}>")]),
    ]
    for (uri, routes), method, in_dialog in itertools.product(ways, METHODS, (False, True)):
        to = f"<{uri.split(';')[0]}>" + (";tag=made-up" if in_dialog else "")
        request = alice.request(
            method, uri, [*routes, ("Contact", f"<{foreign}>"), ("Record-Route", f"<sip:{victim.address};lr>")], To=to)
        answer = fire(alice, request, is_authenticated)
        is_for_us = method in ("OPTIONS", "CANCEL", "REGISTER")
        assert answer is None or answer.status >= 400 or is_for_us, f"{request}\n{answer}"
    assert not victim.heard()


def test_a_real_route_token_opens_no_other_dialog_and_no_other_way(phone, alice, bob, victim):
    """The token is for one call and its two parties, whatever Request-URI stands beside it."""
    call, ringing = connect(alice, bob)
    route = call.request("BYE").lines("Route")[0]
    mallory = phone("mallory", password="none")
    others = [
        mallory.request(method, f"sip:bob@{victim.address}", [("Route", route)], To=f"<sip:bob@{alice.domain}>;tag=x")
        for method in ("BYE", "INFO", "INVITE", "MESSAGE")]
    for request in others:
        assert mallory.ask(request).status in (403, 404, 407, 481)
    # With the Call-ID and tags of the call, it leads to its party and nowhere else.
    own = call.request("INFO")
    stolen = mallory.request(
        "INFO", f"sip:bob@{victim.address}", [("Route", route)], To=own["To"], From=own["From"],
        Call_ID=own["Call-ID"], Max_Forwards="5")
    mallory.send(stolen)
    bob.reply(bob.expect("INFO"), 200)
    mallory.expect_response(stolen, 200)
    tampered = mallory.request(
        "INFO", f"sip:bob@{victim.address}", [("Route", route.replace("sip:rc", "sip:rcA", 1))], To=own["To"],
        From=own["From"], Call_ID=own["Call-ID"])
    assert mallory.ask(tampered).status >= 400
    call.hang_up(ringing)
    assert not victim.heard()


@pytest.mark.parametrize("via", [
    "{victim};branch={branch}",
    "{victim};branch={branch};rport",
    "{me};branch={branch};maddr=127.0.0.9",
    "{me};branch={branch};received=127.0.0.9",
    "{me};branch={branch};received=127.0.0.9;rport={port}",
    "{me};branch={branch};rport={port}",
    "{victim};branch={branch};maddr=127.0.0.9;ttl=1;received=127.0.0.9;rport={port}",
])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_answer_goes_to_the_source_whatever_via_says(phone, victim, via, transport):
    """18.2.2: over UDP to the source address, over TCP by the connection; never to maddr, received or sent-by."""
    alice = phone("alice", transport=transport)
    for method, uri in (("OPTIONS", f"sip:{alice.domain}"), ("INVITE", "bob"), ("REGISTER", f"sip:{alice.domain}")):
        value = via.format(victim=victim.address, me=alice.host_port, branch=f"z9hG4bK{token()}", port=victim.port)
        alice.send(alice.request(method, uri, Via=f"SIP/2.0/{transport.upper()} {value}"))
    assert not victim.heard()


def test_a_response_whose_connection_is_gone_goes_to_no_third_party(phone, bob, victim):
    """18.2.2: it goes to the port of Via at the address that the request came from."""
    alice = phone("alice", transport="tcp")
    alice.register()
    call = alice.call("bob", Via=f"SIP/2.0/TCP {victim.address};branch=z9hG4bK{token()}")
    ringing = bob.incoming_call()
    alice.wire.close()
    ringing.reply(486)
    assert not victim.heard(0.5)


def test_an_injected_response_is_dropped(phone, bob, alice, victim):
    """16.7: a response without a transaction goes nowhere, whatever its second Via names."""
    mallory = phone("mallory", password="none")
    server = f"127.0.0.1:{alice.server[1]}"
    for branch in (token(), "z9hG4bK" + token(), "z9hG4bK" + "0" * 32, "z9hG4bK" + "0" * 15 + "1" + "f" * 16):
        mallory.send(Message("SIP/2.0 200 OK", [
            ("Via", f"SIP/2.0/UDP {server};branch={branch}"),
            ("Via", f"SIP/2.0/UDP {victim.address};branch=z9hG4bKv;received={VICTIM};rport={victim.port}"),
            ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>;tag=2"), ("Call-ID", token()), ("CSeq", "1 INVITE")]))
    # The answer of the callee itself, with a Via that was put in below ours.
    call = alice.call("bob")
    invite = bob.expect("INVITE")
    answer = bob.reply(invite, 180)
    changed = answer.copy()
    changed.headers.insert(1, ("Via", f"SIP/2.0/UDP {victim.address};branch=z9hG4bKv"))
    bob.send(changed)
    call.expect(180)
    bob.reply(invite, 486, "Busy Here")
    call.expect_final()
    assert not victim.heard()


def test_a_loop_through_a_device_ends(alice, bob):
    """RFC 5393, RFC 3261 16.3 step 4: a device that sends its request back to the server is answered 482."""
    sent = alice.send_text("bob", headers=[("Max-Breadth", "2")])
    received = bob.expect("MESSAGE")
    returned = received.copy(Max_Forwards=int(received["Max-Forwards"]) - 1)
    returned.start_line = f"MESSAGE sip:bob@{alice.domain} SIP/2.0"
    returned.headers.insert(0, ("Via", bob.via()))
    assert bob.ask(returned).status == 482
    bob.reply(received, 200)
    alice.expect_response(sent, 200)


def test_max_breadth_bounds_the_copies_of_a_request(phone, alice):
    """RFC 5393 5.3: of three devices only as many are asked at a time as Max-Breadth allows."""
    devices = [phone("carol") for _ in range(3)]
    for device in devices:
        device.register()
    alice.send_text("carol", headers=[("Max-Breadth", "1")])
    rung = [device for device in devices if device.wire.receive(0.4)]
    assert len(rung) == 1
    assert alice.ask(alice.request("MESSAGE", "carol", [("Max-Breadth", "0")])).status == 440
