"""Two baresips register, call each other with sound, and text."""

import shutil

import pytest

from programs import Baresip

pytestmark = pytest.mark.skipif(not shutil.which("baresip"), reason="baresip is not installed (baresip-core)")


@pytest.fixture
def baresip(server, tmp_path):
    """Makes registered baresips: `baresip("alice", "bob")` is Alice's, with Bob among her contacts."""
    made = []

    def make(login, friend, transport="udp", answer="manual"):
        made.append(Baresip(tmp_path / f"baresip-{login}", server, login, friend, transport, answer))
        made[-1].wait_until_registered()
        return made[-1]

    yield make
    for program in made:
        program.close()


@pytest.fixture(params=["udp-udp", "udp-tcp", "tcp-udp", "tcp-tcp"])
def pair(request, baresip):
    first, second = request.param.split("-")
    return baresip("alice", "bob", first), baresip("bob", "alice", second)


def ring(caller, callee):
    caller.dial(callee.login)
    callee.wait_for_event("CALL_INCOMING")
    caller.wait_for_event("CALL_RINGING")


def talk(caller, callee):
    """A call with RTP arriving at both ends."""
    ring(caller, callee)
    callee.answer()
    for side in (caller, callee):
        side.wait_for_event("CALL_ESTABLISHED")
        side.wait_for_event("CALL_RTPESTAB")


def test_sound_flows_both_ways_and_the_caller_hangs_up(pair):
    alice, bob = pair
    talk(alice, bob)
    for side in pair:
        side.wait_for(r"audio=6[0-9]{4}/6[0-9]{4} \(bit/s\)", within=15)
    alice.hang_up()
    bob.wait_for_event("CALL_CLOSED")
    assert "ESTABLISHED" not in bob.call_list()


def test_the_callee_hangs_up(pair):
    alice, bob = pair
    talk(alice, bob)
    bob.hang_up()
    alice.wait_for_event("CALL_CLOSED")
    assert "ESTABLISHED" not in alice.call_list()


def test_the_caller_gives_up_while_it_rings(pair):
    alice, bob = pair
    ring(alice, bob)
    alice.hang_up()
    bob.wait_for_event("CALL_CLOSED")
    assert "INCOMING" not in bob.call_list()


def test_the_callee_refuses_as_busy(pair):
    alice, bob = pair
    ring(alice, bob)
    bob.refuse(486, "Busy Here")
    closed = alice.wait_for_event("CALL_CLOSED")
    assert "486" in closed["param"]


def test_texts_go_both_ways(pair):
    for number, (sender, receiver) in enumerate((pair, pair[::-1])):
        sender.text(f"words number {number}")
        receiver.wait_for(rf"words number {number}", anew=False)


def test_several_calls_one_after_the_other(baresip):
    alice, bob = baresip("alice", "bob"), baresip("bob", "alice", answer="auto")
    for caller, callee in ((alice, bob), (alice, bob)):
        caller.dial(callee.login)
        caller.wait_for_event("CALL_ESTABLISHED")
        caller.hang_up()
        callee.wait_for_event("CALL_CLOSED")


def test_a_wrong_password_is_shown_as_such(server, tmp_path):
    server.password = lambda login: "wrong"
    program = Baresip(tmp_path / "baresip", server, "alice", "bob")
    try:
        program.connect()
        program.wait_for(r"40[13] (Unauthorized|Forbidden)|reg.* failed|Authentication error", anew=False)
        event = server.wait_for_event("auth.fail", user="alice")
        assert "password" in event["line"].lower()
    finally:
        program.close()
