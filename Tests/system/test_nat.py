"""Phones behind a NAT that forgets soon stay callable, by a real NAT of network namespaces.

ROLLCALL_LONG=1 runs it for ten minutes with mappings of 30 s and the default keepalive; else it is seconds.
"""

import os
import shutil
import time

import pytest

from nat import NAT, PHONES, SERVER, STRANGER, NATDaemon, obstacle
from phone import Phone, connect
from programs import BARESIP_CONFIG, Program, write_tone
from sip import uri_of

LONG = os.environ.get("ROLLCALL_LONG") == "1"
# Seconds: until the NAT forgets, between pings, how long the phones are to stay callable.
TIMEOUT, INTERVAL, DURATION = (30, "25s", 600) if LONG else (4, "2s", 9)

OBSTACLE = obstacle()
pytestmark = pytest.mark.skipif(OBSTACLE is not None, reason=str(OBSTACLE))


@pytest.fixture
def network():
    made = NAT("net", TIMEOUT)
    yield made
    made.close()


@pytest.fixture
def server(request, network, tmp_path):
    mark = request.node.get_closest_marker("configuration")
    changes = mark.kwargs if mark else {"nat": {"interval": INTERVAL}}
    daemon = NATDaemon(network, tmp_path / "daemon", ("alice", "bob", "carol"), **changes).start()
    yield daemon
    assert daemon.is_alive()
    daemon.stop()


@pytest.fixture
def people(network, server):
    """Alice on UDP and Carol on TCP behind the NAT, Bob outside; all registered."""
    made = []

    def phone(space, login, host, transport="udp"):
        with network.inside(space):
            made.append(Phone((SERVER, server.port), login, server.password(login), server.domain, transport, host))
        made[-1].register()
        return made[-1]

    yield (phone(network.lan, "alice", PHONES[0]), phone(network.pub, "bob", STRANGER),
           phone(network.lan, "carol", PHONES[1], "tcp"))
    for phone in made:
        phone.close()


def answer_pings(phones, seconds):
    """Lets time pass; the phones answer what the server asks. Gives how many pings each has had."""
    pings = [0] * len(phones)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for index, phone in enumerate(phones):
            message = phone.receive(0.05)
            if message is not None and message.is_request and message.method == "OPTIONS":
                phone.reply(message, 200)
                pings[index] += 1
    return pings


def live(server, login):
    return next(entry for entry in server.registrations() if entry["login"] == login)


def test_pain_1_phones_behind_nat_stay_callable(network, server, people):
    alice, bob, carol = people
    assert PHONES[0] not in live(server, "alice")["source"], "the NAT does not translate"
    pings = answer_pings(people, DURATION)
    assert pings[0] >= DURATION // (TIMEOUT if LONG else 2) - 1 and pings[2] >= 1, pings
    assert pings[1] == 0, "Bob is not behind a NAT"
    for phone in (alice, carol):
        call, ringing = connect(bob, phone)
        # Pain 2 and the last one of the list: what follows finds the phone though its Contact is private.
        assert uri_of(ringing.invite["Contact"])
        ringing.hang_up(call)
        call, ringing = connect(bob, phone)
        call.hang_up(ringing)
    assert live(server, "alice")["reachable"] and not server.events("reg.unreachable")


@pytest.mark.configuration(nat={"keepalive": "crlf", "interval": INTERVAL})
def test_empty_lines_keep_a_nat_open_too(server, people):
    alice, bob, _ = people
    assert answer_pings(people, TIMEOUT * 1.5) == [0, 0, 0], "an empty line is no OPTIONS"
    call, ringing = connect(bob, alice)
    call.hang_up(ringing)


@pytest.mark.configuration(nat={"keepalive": "off"})
def test_without_keepalive_the_call_does_not_arrive(server, people):
    """So the tests above can fail."""
    alice, bob, _ = people
    call, ringing = connect(bob, alice)
    call.hang_up(ringing)
    time.sleep(TIMEOUT * 1.5)
    bob.call("alice")
    alice.expect_silence("INVITE", within=1.5)


def test_a_mapping_that_moves_is_followed(network, server, people):
    alice, bob, carol = people
    before = live(server, "alice")["source"]
    call, ringing = connect(bob, alice)
    network.forget()
    alice.register()
    after = live(server, "alice")["source"]
    assert after != before, "the router gave the same port again"
    call.hang_up(ringing)  # The call that began by the old mapping.
    call, ringing = connect(bob, alice)
    ringing.hang_up(call)
    assert len([entry for entry in server.registrations() if entry["login"] == "alice"]) == 1


@pytest.mark.configuration(nat={"interval": "1s", "unanswered": 2})
def test_a_phone_that_the_nat_has_lost_is_told_as_unreachable_and_comes_back(network, server, people):
    alice, bob, _ = people
    answer_pings(people, 2.5)
    network.forget()
    server.wait_for_event("reg.unreachable", within=8, user="alice")
    assert live(server, "alice")["reachable"] is False
    call = bob.call("alice")
    assert "R-1317" in call.expect(480)["Warning"]
    alice.register()
    server.wait_for_event("reg.reachable", user="alice")
    call, ringing = connect(bob, alice)
    call.hang_up(ringing)


@pytest.mark.skipif(not shutil.which("baresip"), reason="baresip is not installed (baresip-core)")
def test_baresip_behind_nat_stays_callable(network, server, people, tmp_path):
    _, bob, _ = people
    directory = tmp_path / "baresip"
    directory.mkdir()
    (directory / "config").write_text(BARESIP_CONFIG.format(
        directory=directory, sip_port=5060, control_port=4444, rtp_port=20_000, last_rtp_port=20_018,
    ).replace("sip_listen 127.0.0.1", f"sip_listen {PHONES[1]}"))
    (directory / "accounts").write_text(
        f"<sip:alice@{SERVER}:{server.port}>;auth_pass={server.password('alice')};regint=3600;answermode=auto\n")
    (directory / "contacts").write_text("")
    write_tone(directory / "tone.wav")
    program = Program("baresip", directory, ["ip", "netns", "exec", network.lan, "baresip", "-f", str(directory)])
    try:
        program.wait_for(r"200 OK")
        answer_pings(people, DURATION if LONG else TIMEOUT * 1.75)
        found = [entry for entry in server.registrations() if entry["user_agent"].startswith("baresip")]
        assert len(found) == 1 and found[0]["reachable"]
        people[0].unregister()  # So that baresip alone is called.
        call = bob.call("alice")
        call.expect(200)
        call.ack()
        bye = call.send("BYE")
        assert bob.expect_response(bye).status == 200
    finally:
        program.close()
