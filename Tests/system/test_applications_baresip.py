"""Real softphones through an application: sound flows both ways, and the callbacks come in their order."""

import shutil

import pytest

from applications import dial, dial_client
from conftest import eventually
from programs import Baresip
from webapp import LOCAL, response

pytestmark = pytest.mark.skipif(not shutil.which("baresip"), reason="baresip is not installed (baresip-core)")
CONFIGURATION = LOCAL


@pytest.fixture
def baresip(server, tmp_path):
    made = []

    def make(login, friend, transport="udp", answer="manual"):
        made.append(Baresip(tmp_path / f"baresip-{login}", server, login, friend, transport, answer))
        made[-1].wait_until_registered()
        return made[-1]

    yield make
    for program in made:
        program.close()


def give(api, login, **form):
    client, = api.fetch("Clients", Login=login)
    api.update(f"Clients/{client['sid']}", **form)


@pytest.mark.parametrize("transports", ["udp-udp", "tcp-udp", "udp-tcp"])
def test_sound_flows_both_ways_through_an_application(api, web, baresip, transports):
    first, second = transports.split("-")
    alice, bob = baresip("alice", "bob", first), baresip("bob", "alice", second)
    give(api, "alice", VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial('<Client statusCallback="/progress">bob</Client>', action="/after"))
    web.answer("/progress", "")
    web.answer("/after", response())
    alice.dial("anything-at-all")
    bob.wait_for_event("CALL_INCOMING")
    alice.wait_for_event("CALL_RINGING")
    bob.answer()
    for side in (alice, bob):
        side.wait_for_event("CALL_ESTABLISHED")
        side.wait_for_event("CALL_RTPESTAB")
    for side in (alice, bob):
        side.wait_for(r"audio=6[0-9]{4}/6[0-9]{4} \(bit/s\)", within=15)
    alice.hang_up()
    bob.wait_for_event("CALL_CLOSED")
    progress = web.wait_for_all("/progress", 4)
    assert [request["CallStatus"] for request in progress] == ["initiated", "ringing", "answered", "completed"]
    assert web.wait_for("/after")["DialCallStatus"] == "completed"

    def ended():
        records = api.fetch("Calls")["calls"]
        return len(records) == 2 and [record["status"] for record in records] == ["completed"] * 2
    assert eventually(ended)


def test_the_callee_hangs_up(api, web, baresip):
    alice, bob = baresip("alice", "bob"), baresip("bob", "alice", answer="auto")
    give(api, "alice", VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client("bob"))
    alice.dial("1")
    for side in (alice, bob):
        side.wait_for_event("CALL_ESTABLISHED")
    bob.hang_up()
    alice.wait_for_event("CALL_CLOSED")


def test_an_application_that_refuses_is_shown_by_the_phone(api, web, baresip):
    alice = baresip("alice", "bob")
    give(api, "alice", VoiceUrl=web.url("/voice"))
    web.answer("/voice", response('<Reject reason="busy"/>'))
    alice.dial("1")
    assert "486" in alice.wait_for_event("CALL_CLOSED")["param"]


def test_the_caller_gives_up_while_it_rings(api, web, baresip):
    alice, bob = baresip("alice", "bob"), baresip("bob", "alice")
    give(api, "alice", VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client("bob"))
    alice.dial("1")
    bob.wait_for_event("CALL_INCOMING")
    alice.wait_for_event("CALL_RINGING")
    alice.hang_up()
    bob.wait_for_event("CALL_CLOSED")
