"""The end of the server by SIGTERM: nothing new begins, what runs may end, and nobody waits longer than was said."""

import signal
import time

import pytest

from api import API
from conftest import CLIENTS, eventually
from daemon import Daemon
from phone import Phone, connect


@pytest.fixture
def daemon(tmp_path):
    """A daemon that drains for ten seconds; whatever still runs at the end is killed."""
    made = Daemon(tmp_path / "daemon", CLIENTS, shutdown={"drain": "10s"}).start()
    yield made
    if made.is_alive():
        made.kill()


def phones(daemon, *logins):
    made = [Phone(("127.0.0.1", daemon.port), login, daemon.password(login), daemon.domain) for login in logins]
    for phone in made:
        phone.register()
    return made


def drain(daemon):
    """Sends SIGTERM and waits until the daemon has begun to drain; gives the line."""
    daemon.signal(signal.SIGTERM)
    return daemon.wait_for_event("server.drain")


def is_refused(answer):
    return (answer.status == 503 and 10 <= int(answer["Retry-After"]) <= 20 and "Warning" not in answer)


def test_a_running_call_goes_on_until_its_end_and_new_ones_are_refused(daemon):
    alice, bob, carol, dave = phones(daemon, *CLIENTS)
    call, answered = connect(alice, bob)
    line = drain(daemon)
    assert line["calls"] == "1" and line["ms"] == "10000"
    # New calls and texts.
    invite = carol.request("INVITE", "dave", [("Contact", carol.contact)])
    assert is_refused(carol.ask(invite))
    assert is_refused(carol.ask(carol.request("MESSAGE", "dave", [("Content-Type", "text/plain")], b"Hello")))
    assert is_refused(carol.ask(carol.request("OPTIONS", f"sip:{daemon.domain}")))
    assert daemon.events("call.refused", code="R-1508")
    # What goes on.
    assert carol.register().status == 200
    call.relay("INVITE", answered)
    assert daemon.is_alive()
    began = time.monotonic()
    answered.hang_up(call)
    assert daemon.wait_for_exit(3) == 0, "with the last call it ends"
    assert time.monotonic() - began < 2.5
    stop = daemon.events("server.stop")[0]
    assert stop["why"] == "SIGTERM" and stop["calls"] == "0"
    dave.expect_silence("INVITE", within=0.1)


def test_a_call_that_rings_can_be_answered_and_is_then_waited_for(daemon):
    alice, bob = phones(daemon, "alice", "bob")
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    drain(daemon)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    time.sleep(0.7)
    assert daemon.is_alive()
    call.hang_up(ringing)
    assert daemon.wait_for_exit(3) == 0


def test_a_text_under_way_is_waited_for(daemon):
    alice, bob = phones(daemon, "alice", "bob")
    alice.send_text("bob")
    text = bob.expect("MESSAGE")
    assert drain(daemon)["requests"] == "1"
    bob.reply(text, 200)
    assert alice.expect_response(alice.answered).status == 200
    assert daemon.wait_for_exit(3) == 0


def test_without_a_call_sigterm_ends_at_once(daemon):
    alice, bob = phones(daemon, "alice", "bob")
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    assert eventually(lambda: daemon.events("call.end"))
    began = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit(2) == 0
    assert time.monotonic() - began < 1.0
    assert not daemon.events("server.drain")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(daemon, number):
    connect(*phones(daemon, "alice", "bob"))
    drain(daemon)
    began = time.monotonic()
    daemon.signal(number)
    assert daemon.wait_for_exit(2) == 0
    assert time.monotonic() - began < 1.0
    stop = daemon.events("server.stop")[0]
    assert stop["why"] == "a second signal" and stop["calls"] == "1"


def test_sigint_ends_at_once(daemon):
    connect(*phones(daemon, "alice", "bob"))
    began = time.monotonic()
    daemon.signal(signal.SIGINT)
    assert daemon.wait_for_exit(2) == 0
    assert time.monotonic() - began < 1.0
    assert not daemon.events("server.drain")


def test_the_limit_ends_it_and_the_line_says_how_many_calls_were_left(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS, shutdown={"drain": "1s"}).start()
    connect(*phones(daemon, "alice", "bob"))
    began = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit(4) == 0
    assert 0.9 < time.monotonic() - began < 3
    assert daemon.events("server.stop")[0]["calls"] == "1"
    # The call itself outlives the server, as ever.
    daemon.start()
    assert daemon.stop() == 0


def test_calls_of_before_a_restart_are_waited_for_too(daemon):
    alice, bob = phones(daemon, "alice", "bob")
    call, answered = connect(alice, bob)
    time.sleep(0.2)  # Records are written within milliseconds, without anybody waiting for it.
    daemon.kill()
    daemon.start()
    assert drain(daemon)["calls"] == "1"
    call.hang_up(answered)
    assert daemon.wait_for_exit(3) == 0


def test_the_api_goes_on_but_for_texts(daemon):
    api = API.of(daemon)
    alice, bob = phones(daemon, "alice", "bob")
    call, answered = connect(alice, bob)
    drain(daemon)
    assert api.get("Clients.json").status == 200
    api.create("Clients", Login="erin", Password="s3cret")
    refused = api.post("SMS/Messages.json", From="alice", To="bob", Body="Hello")
    assert refused.status == 503 and refused.json()["code"] == "R-3505" and "R-1508" in refused.text
    assert "parameter" not in refused.json() and refused["Retry-After"] == "10"
    bob.expect_silence("MESSAGE", within=0.2)
    call.hang_up(answered)
    assert daemon.wait_for_exit(3) == 0
