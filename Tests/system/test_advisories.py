"""Advisories of other SIP servers as tests: each names the class of fault and where it was found.

Whatever is sent, the daemon survives it (the fixture sees to that) and serves the next phone.
"""

import itertools
import socket
import time

import pytest

from conftest import eventually
from daemon import resident
from phone import connect
from sip import Message, TCPWire, UDPWire, token
from test_hostile import dial, is_closed

SHARES_ONE_DAEMON = True
MEGABYTE = 1 << 20
REFUSED = range(400, 700)


@pytest.fixture
def stranger(phone):
    """A phone of nobody."""
    return phone("mallory", password="none")


def head(wire, method="OPTIONS", uri="sip:rollcall.test", **changes):
    """The lines of a good request; `None` leaves one out, a list repeats it."""
    transport = wire.transport
    host, port = wire.address
    lines = {
        "Via": f"SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{token()};rport",
        "Max-Forwards": "70", "From": f"<sip:mallory@rollcall.test>;tag={token()}", "To": f"<{uri}>",
        "Call-ID": token(), "CSeq": f"1 {method}", "Content-Length": "0",
    }
    lines.update({name.replace("_", "-"): value for name, value in changes.items()})
    text = [f"{method} {uri} SIP/2.0"]
    for name, value in lines.items():
        values = value if isinstance(value, list) else [value]
        text += [f"{name}: {one}" for one in values if one is not None]
    return text


def ask(wire, lines, body=b"", within=2.0):
    """Sends lines as they are; gives the status of the first answer that is final, or None."""
    wire.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
    deadline = time.monotonic() + within
    while (data := wire.receive(deadline - time.monotonic())) is not None:
        if (answer := Message.parse(data)).status >= 200:
            return answer.status
    return None


@pytest.fixture(params=["udp", "tcp"])
def wire(request, server):
    made = {"udp": UDPWire, "tcp": TCPWire}[request.param](("127.0.0.1", server.port))
    yield made
    made.close()


def test_preallocation_by_content_length(server):
    """sipgo GHSA-pg59-5vwg-4jxq, pjproject#5199: 4 GB announced by 200 bytes cost nothing and end the connection."""
    before = resident(server)
    wires = [TCPWire(("127.0.0.1", server.port)) for _ in range(20)]
    for wire in wires:
        assert ask(wire, head(wire, Content_Length="4294967295")) in (400, 513)
    assert all(wire.is_closed() for wire in wires)
    assert resident(server) - before < 4 * MEGABYTE


@pytest.mark.parametrize("length", ["-1", "2147483648", "4294967328", "0x10", "1 2", "", "5,5", ["0", "7"], "18446744073709551616"])
def test_content_length_out_of_range_or_ambiguous(wire, length):
    """sems#352, opensips#78, CVE-2026-23457: no length is wrapped, cut or chosen."""
    assert ask(wire, head(wire, Content_Length=length)) in (400, 413, 513)


def test_two_names_of_content_length_that_differ(wire):
    """Both forms of the header count: `l` and `Content-Length`."""
    assert ask(wire, head(wire) + ["l: 7"]) == 400


@pytest.mark.parametrize("line, status", [
    ("Require: none-such", 420), ("Require : none-such", 420), ("Require\t: none-such", 420), ("REQUIRE:none-such", 420),
    ("Require:\r\n none-such", 420), ("require \t :\r\n\tnone-such", 420), ("Require\x01: none-such", 400),
    ("Require\x00: none-such", 400), ("Require\xa0: none-such", 400), (" Require: none-such", 200), (": none-such", 400),
    ("Req uire: none-such", 400), ("NoColon", 400),
])
def test_header_names_in_disguise(wire, line, status):
    """CVE-2020-28361 (`X-Bypass-me :`), CVE-2016-9938: a name is read by the grammar and in no other way."""
    # A line that begins with white space continues the one before, here a Subject.
    assert ask(wire, head(wire) + ["Subject: x", line]) == status


def test_compact_names_are_the_same_headers(wire):
    """siphon#80: every header that is looked up is found by its compact name."""
    compact = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Content-Length": "l"}
    lines = [compact.get(line.partition(":")[0], line.partition(":")[0]) + ":" + line.partition(":")[2] if number else line
             for number, line in enumerate(head(wire))]
    assert ask(wire, lines) == 200
    assert ask(wire, lines + ["t: <sip:other@rollcall.test>"]) == 400


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards"])
def test_single_headers_twice_or_empty(wire, name):
    """CVE-2018-14767: a header that may be there once is neither doubled nor empty."""
    key = name.replace("-", "_")
    good = next(line.partition(": ")[2] for line in head(wire) if line.startswith(name + ":"))
    assert ask(wire, head(wire, **{key: [good, good]})) == 400
    # Without Call-ID or CSeq there is nothing that an answer could belong to.
    assert ask(wire, head(wire, **{key: ""}), within=0.3) in (400, None)


@pytest.mark.parametrize("changes", [
    {"From": "<sip:m@rollcall.test>;tag=" + "t" * 60_000}, {"To": "<sip:rollcall.test>;tag=" + "t" * 30_000},
    {"From": '"unfinished <sip:m@rollcall.test>;tag=1'}, {"From": '"' + "\\" * 999 + " <sip:m@rollcall.test>;tag=1"},
    {"From": "<sip:m@rollcall.test;tag=1"}, {"From": "<>;tag=1"}, {"From": ";tag=1"}, {"Via": "SIP/2.0/UDP"},
    {"Via": "SIP/2.0/UDP x;branch="}, {"Via": "SIP/2.0/UDP x;branch=z9hG4bK" + "b" * 60_000}, {"Via": "SIP/2.0/UDP [::1;branch=z9hG4bK1"},
    {"Via": "SIP/2.0/UDP x:99999;branch=z9hG4bK1"}, {"Via": ";;;"}, {"Via": ","}, {"Via": "SIP/2.0/UDP x;branch=z9hG4bK"},
    {"Via": "SIP/2.0/UDP x;branch=noCookie"},
], ids=lambda changes: repr(changes)[:40])
def test_via_branch_and_tag_of_any_length_and_shape(wire, server, phone, changes):
    """CVE-2018-8828, CVE-2018-16657, CVE-2023-27596 to -28099: a tag of 60 kB, a branch without end, quotes without end."""
    for method in ("OPTIONS", "INVITE", "REGISTER"):
        status = ask(wire, head(wire, method, **changes), within=0.2)
        assert status is None or 200 <= status < 700
        if wire.transport == "TCP" and wire.is_closed(0.01):
            wire = TCPWire(wire.server)
    assert phone("alice").register().status == 200


@pytest.mark.parametrize("value", [
    "Digest", "Digest ", "Digest ,", "Digest username", 'Digest username="', "Digest username=alice, realm", "Digest =",
    'Digest username="alice", realm="rollcall.test", nonce="", uri="", response=""', "Digest " + "a=b," * 2_000,
    'Digest username="alice", username="bob", realm="rollcall.test", nonce="1", uri="sip:x", response="1"',
    'Digest nonce="' + "\\" * 1001, "Basic " + "A" * 10_000, "", ",",
], ids=lambda value: value[:30])
def test_digest_parameters_of_any_shape(wire, phone, value):
    """CVE-2023-28098: credentials that end early, repeat or go on and on are refused or challenged."""
    assert ask(wire, head(wire, "REGISTER", Authorization=value)) in (400, 401, 403)
    assert ask(wire, head(wire, "MESSAGE", "sip:bob@rollcall.test", Proxy_Authorization=value)) in (400, 403, 407)
    assert phone("alice").register().status == 200


@pytest.mark.parametrize("cseq, statuses", [
    ("2147483647 OPTIONS", {200}), ("2147483648 OPTIONS", {400}), ("4294967295 OPTIONS", {400}),
    ("4294967296 OPTIONS", {400}), ("18446744073709551617 OPTIONS", {400}), ("-1 OPTIONS", {400}), ("1 REGISTER", {400}),
    ("1 " + "O" * 20_000, {400}), ("OPTIONS", {400}), ("1", {400}), ("1 OPTIONS x", {400}), ("x OPTIONS", {400}),
], ids=lambda value: str(value)[:24])
def test_cseq_out_of_range_or_of_another_method(wire, cseq, statuses):
    """CVE-2017-9372: the number has 31 bits, the method is that of the request (8.1.1.5)."""
    assert ask(wire, head(wire, CSeq=cseq), within=0.5) in statuses | {None if 200 not in statuses else 200}


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "INVITE", "MESSAGE", "ACK", "BYE", "CANCEL", "SUBSCRIBE", "NOTIFY", "FOO"])
def test_every_mandatory_header_missing_in_turn(wire, phone, method):
    """GHSA-64qc-9x89-rx5j, CVE-2021-33056: what is not there is not followed."""
    for name in ("Via", "From", "To", "Call_ID", "CSeq", "Max_Forwards", "Content_Length"):
        status = ask(wire, head(wire, method, "sip:bob@rollcall.test", **{name: None}), within=0.15)
        # Max-Forwards and, over UDP, Content-Length may be missing (16.3 step 3, 20.14).
        if name not in ("Max_Forwards", "Content_Length"):
            assert status is None or status in REFUSED
        if wire.transport == "TCP" and wire.is_closed(0.01):
            wire = TCPWire(wire.server)
    assert phone("alice").register().status == 200


@pytest.mark.parametrize("contact", [
    "None", "*", "*, *", "<>", "<sip:>", "sip:", "<sip:@>", "<sip:@127.0.0.1>", "<sip:a@>", "<sip:a@[::1>", "<sip:a@127.0.0.1:0>",
    "<sip:a@127.0.0.1:65536>", "<sip:a@\x00>", "<mailto:a@b>", "<sip:a@" + "b" * 20_000 + ">", '"', "<sip:a@b?X-Evil=%0d%0aVia>",
    "<sip:%@b>", "<sip:%zz@b>", ";expires=1", "<sip:a@b>;expires=99999999999999999999", "<sip:a@b>;q=-1", "<tel:>",
], ids=lambda value: value[:24])
def test_contacts_of_any_shape(phone, contact):
    """drachtio (`Contact: None`, `*`), Flexisip 2.4.2: bound if it is one, refused if not, and never a crash."""
    alice = phone("alice")
    status = alice.try_to_register([contact]).status
    assert status == 200 or status in REFUSED
    alice.register(contacts=["*"], expires=0)


ODD_URIS = [
    "sip:", "sip:@", "sip:@rollcall.test", "sip:bob@", "sip:bob@rollcall.test:", "sip:bob@rollcall.test:0",
    "sip:bob@rollcall.test:99999", "sip:a,b@rollcall.test", "sip:a@b@rollcall.test", "sip:a\\b@rollcall.test",
    "sip:" + "a" * 300 + "@rollcall.test", "sip:" + "a" * 30_000 + "@rollcall.test", "sip:bob@" + "a." * 10_000 + "test",
    "tel:", "tel:+", "tel:+1-(201)-555;ext=9", "tel:abc", "sips:bob@rollcall.test", "SIP:bob@ROLLCALL.TEST",
    "sip:bob%00@rollcall.test", "sip:%@rollcall.test", "sip:bob@[::1", "sip:bob@[::1]:5060", "sip:bob@[1:2:3:4:5:6:7:8:9]",
    "sip:bob@rollcall.test;" + "a;" * 5_000, "sip:bob@rollcall.test?" + "a=b&" * 5_000, "sip:;x@rollcall.test", "sip:bob:pw@rollcall.test",
    "http://rollcall.test/", "urn:service:sos", ":", "*", "sip:bob@rollcall.test;lr=\"", "sip:bob@300.1.1.1", "sip:bob@-",
]


@pytest.mark.parametrize("uri", ODD_URIS, ids=lambda value: value[:24])
def test_odd_uris_everywhere(stranger, alice, uri):
    """drachtio#238, #243, resiprocate#311: as Request-URI, To, From, Route and Contact, of strangers and of clients."""
    wire = stranger.wire
    for method in ("INVITE", "REGISTER", "OPTIONS"):
        for changes in ({"To": f"<{uri}>"}, {"From": f"<{uri}>;tag=1"}, {"Route": f"<{uri}>"}, {"Contact": f"<{uri}>"}):
            status = ask(wire, head(wire, method, **changes), within=0.1)
            assert status is None or 200 <= status < 700
        assert ask(wire, head(wire, method, uri), within=0.1) in (None, *REFUSED, 200)
    request = alice.request("MESSAGE", "bob", [("Route", f"<{uri}>")])
    assert alice.ask_with_credentials(request).status in REFUSED
    assert alice.register().status == 200


@pytest.mark.configuration(timers={"t1": "50ms"})
def test_invites_that_are_never_acknowledged(server, alice, bob):
    """CVE-2020-28327, ES2021-06 (CVE-2021-41145): a client's calls without ACK end by themselves, and leave nothing."""
    before = resident(server)
    for number in range(150):
        call = alice.call("bob")
        invite = bob.expect("INVITE")
        bob.reply(invite, 486 if number % 2 else 200, headers=[("Contact", bob.contact)])
        assert call.phone.wait(lambda message: not message.is_request and message.status in (486, 200), "an answer")
    server.signal(10)
    assert int(server.wait_for_event("server.state")["transactions"]) > 0
    def tables():
        server.signal(10)
        time.sleep(0.1)
        state = server.events("server.state")[-1]
        return all(state[name] == "0" for name in ("transactions", "contexts", "timers"))
    assert eventually(tables, within=12, every=0.5), server.events("server.state")[-1]["line"]
    assert resident(server) - before < 8 * MEGABYTE


@pytest.mark.configuration(limits={"transactionsPerClient": 3})
def test_one_client_has_only_its_share(server, alice, bob, phone):
    """CVE-2018-7286: a registered client that begins calls without end is refused, and others call as before."""
    statuses = [alice.text("nobody").status for _ in range(5)]
    assert statuses == [404] * 3 + [503] * 2
    assert server.wait_for_event("message.refused", code="R-1509")
    carol = phone("carol")
    carol.register()
    sent = carol.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    carol.expect_response(sent, 200)


@pytest.mark.configuration(limits={"connections": 40, "connectionsPerSource": 30, "unprovenConnection": "2s"})
def test_idle_strangers_keep_no_phone_out(server, phone):
    """AST-2016-005: all places taken by connections that say nothing, and phones register over TCP as before."""
    strangers = [dial(server, f"127.0.0.{2 + number // 20}") for number in range(80)]
    assert eventually(lambda: sum(not is_closed(one) for one in strangers) <= 40)
    alice = phone("alice", transport="tcp")
    assert alice.register().status == 200
    again = [dial(server, f"127.0.0.{2 + number // 20}") for number in range(80)]
    assert alice.register().status == 200, "a client's connection never makes room"
    assert eventually(lambda: all(is_closed(one) for one in strangers + again), within=5)
    assert alice.register().status == 200
    whys = {event["why"] for event in server.events("flow.limited")}
    assert any("unprovenConnection" in why for why in whys) and any("place was needed" in why for why in whys)
    for one in strangers + again:
        one.close()


@pytest.mark.configuration(limits={"sendTimeout": "1s"})
def test_a_peer_that_stops_reading_fails_its_texts_soon(server, alice, phone):
    """kamailio#4187: a send that hangs ends its connection within limits.sendTimeout, and the binding with it."""
    bob = phone("bob", transport="tcp")
    bob.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bob.register()
    begun = time.monotonic()
    sent = [alice.send_text("bob", "x" * 50_000) for _ in range(5)]
    for request in sent:
        assert alice.expect_response(request, within=6).status == 500
    assert time.monotonic() - begun < 6, "and not after Timer F"
    assert alice.text("bob").status == 480, "the binding went with its connection"


def test_late_and_repeated_final_responses(server, alice, bob):
    """CVE-2022-45474, drachtio#263: a 200 behind a 487, a 486 behind a 200, each of them thrice."""
    call = alice.call("bob")
    invite = bob.expect("INVITE")
    bob.reply(invite, 180)
    call.expect(180)
    call.cancel()
    bob.reply(bob.expect("CANCEL"), 200)
    bob.reply(invite, 487)
    call.expect_final()
    for status in (200, 486, 487, 180) * 3:
        bob.send(Message.parse(bytes(bob.reply(invite, status, headers=[("Contact", bob.contact)]))))
    first, ringing = connect(alice, bob)
    first.hang_up(ringing)
    assert server.is_alive()


def test_methods_of_strangers_are_challenged(stranger, bob):
    """CVE-2021-37624 (MESSAGE), CVE-2021-41157 (SUBSCRIBE): all methods need credentials, but OPTIONS to the server."""
    for method in ("INVITE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO", "UPDATE", "BYE", "OPTIONS", "FOO"):
        assert stranger.ask(stranger.request(method, "bob")).status == 407, method
    assert stranger.ask(stranger.request("REGISTER", f"sip:{stranger.domain}")).status == 401
    assert stranger.ask(stranger.request("OPTIONS", f"sip:{stranger.domain}")).status == 200
    bob.expect_silence()


def test_no_credentials_are_given_away(alice, bob):
    """CVE-2021-41158: a challenge of a callee goes to the caller; the server answers none itself, for no realm."""
    sent = alice.send_text("bob")
    received = bob.expect("MESSAGE")
    assert "Proxy-Authorization" not in received, "the caller's credentials are for the server alone (22.3)"
    realm = f'Digest realm="{alice.domain}", nonce="stolen", algorithm=MD5'
    bob.reply(received, 407, headers=[("Proxy-Authenticate", realm)])
    assert alice.expect_response(sent).status == 407
    bob.expect_silence("MESSAGE")


@pytest.mark.parametrize("to, sender", itertools.product(("alice", "bob"), repeat=2))
def test_nobody_registers_for_somebody_else(phone, to, sender):
    """siphon enforce_auth_aor_match: credentials of alice bind alice, asked for by alice."""
    alice = phone("alice")
    answer = alice.try_to_register(
        To=f"<sip:{to}@{alice.domain}>", From=f"<sip:{sender}@{alice.domain}>;tag={token()}")
    assert answer.status == (200 if to == sender == "alice" else 403)
