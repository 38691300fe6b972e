"""The tables of the server are empty again when nothing is going on: SIGUSR1 writes their sizes into the log."""

import signal

import pytest

from conftest import eventually
from phone import connect

# Transactions live for 64 * T1.
SHORT = {"t1": "20ms", "t2": "80ms", "t4": "100ms"}
TABLES = ("transactions", "contexts", "timers", "queued")


def sizes(server):
    """The sizes of all tables now."""
    known = len(server.events("server.state"))
    server.signal(signal.SIGUSR1)
    assert eventually(lambda: len(server.events("server.state")) > known, within=2)
    return server.events("server.state")[-1]


def is_empty(server):
    state = sizes(server)
    return all(int(state[table]) == 0 for table in TABLES)


@pytest.mark.configuration(timers=SHORT)
def test_tables_are_empty_after_every_kind_of_call_and_text(server, alice, bob):
    call, answered = connect(alice, bob)
    assert not is_empty(server), "an answered call still has its transactions"
    call.hang_up(answered)

    refused = alice.call("bob")
    bob.incoming_call().refuse(486)
    refused.expect_final()

    cancelled = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    cancelled.expect(180)
    cancelled.cancel()
    ringing.be_cancelled()
    cancelled.expect_final()

    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered)

    alice.send_text("bob", "nobody answers this")
    alice.call("bob", body=b"nor this")
    alice.text("nobody")
    alice.ask(alice.request("INVITE", "bob"))

    assert eventually(lambda: is_empty(server), within=8), sizes(server)
    state = sizes(server)
    assert (state["clients"], state["bindings"]) == ("4", "2")
