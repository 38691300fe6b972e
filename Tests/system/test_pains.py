"""What people suffer from with other servers, as tests: numbers are those of the table in Docs/Pains.md.

Each kind of call ending, each order of crossing messages, and phones that are gone while the server still has them.
"""

import itertools
import random
import socket
import time

import pytest

from conftest import eventually
from phone import Phone, ack_for, connect
from sip import SDP, token
from storm import IS_LONG, sizes, wait_for_empty_tables

# Transactions live for 64 * T1.
SHORT = {"t1": "20ms", "t2": "80ms", "t4": "100ms"}


# 3. In-dialog requests with the server's address in the Request-URI.

def test_a_bye_of_a_strict_router_is_relayed(alice, bob):
    """RFC 3261 16.4: the Request-URI is our Record-Route, the last Route is whom it is for."""
    call, answered = connect(alice, bob)
    bye = call.request("BYE")
    routes = call.route_set
    strict = bye.copy(Route=None)
    strict.start_line = f"BYE {routes[0].strip('<>')} SIP/2.0"
    for route in [*routes[1:], f"<{call.remote_target}>"]:
        strict.headers.insert(1, ("Route", route))
    alice.send(strict)
    received = answered.expect("BYE")
    assert received.uri == bob.contact_uri and "Route" not in received
    bob.reply(received, 200)
    assert alice.expect_response(strict).status == 200


@pytest.mark.parametrize("uri", ["server", "address of record"])
def test_a_bye_without_its_route_reaches_the_other_side_or_is_refused_with_a_reason(server, alice, bob, uri):
    """A phone that forgets the route set: the server keeps no dialogs, so it says what is wrong."""
    call, answered = connect(alice, bob)
    bye = call.request("BYE").copy(Route=None)
    bye.start_line = f"BYE {f'sip:127.0.0.1:{server.port}' if uri == 'server' else 'sip:bob@' + server.domain} SIP/2.0"
    refusal = alice.ask(bye)
    if uri == "server":
        assert refusal.status in (405, 481) and "R-" in refusal["Warning"], refusal
        call.hang_up(answered)
    else:
        assert refusal.status == 407, "it might be anybody's"
        again = alice.send(alice.again(bye, alice.credentials(refusal)))
        bob.reply(answered.expect("BYE"), 200)
        assert alice.expect_response(again).status == 200


# 5. Connections that are dead.

@pytest.mark.configuration(timers=SHORT)
def test_a_phone_whose_connection_is_full_costs_its_caller_little_and_others_nothing(server, phone, alice, bob):
    carol = phone("carol", transport="tcp")
    carol.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    carol.register()
    # Carol reads nothing from here on, as if her network were gone; her kernel takes a few hundred kB.
    sent = []
    for _ in range(120):
        alice_request = alice.request("MESSAGE", "carol", [("Content-Type", "text/plain")], b"x" * 40_000)
        refusal = alice.ask(alice_request)
        assert refusal.status == 407
        sent.append(alice.send(alice.again(alice_request, alice.credentials(refusal))))
        if len(sent) % 20 == 0:
            began = time.monotonic()
            bob.register()
            assert time.monotonic() - began < 1, "others are served as before"
    # RFC 4320: nothing is answered 408 but an INVITE; the sender's own timer tells it.
    assert eventually(lambda: len(server.events("message.end", to="carol")) == len(sent), within=8)
    assert not server.events("message.end", to="carol", sip=200)
    carol.wire.close()
    again = phone("carol", transport="tcp")
    again.register()
    alice.send_text("carol", "at last")
    again.reply(again.expect("MESSAGE"), 200)
    assert alice.expect_response(alice.answered).status == 200
    wait_for_empty_tables(server, within=8)


def test_a_new_connection_of_the_same_device_replaces_the_dead_one(server, phone, alice):
    """By its instance, or by being the same contact; calls do not go to the connection of before."""
    instance = f'+sip.instance="<urn:uuid:{token(4)}>"'
    dead, alive = phone("bob", transport="tcp"), phone("bob", transport="tcp")
    dead.register([f"{dead.contact};reg-id=1;{instance}"], headers=[("Supported", "outbound, path")])
    alive.register([f"{alive.contact};reg-id=1;{instance}"], headers=[("Supported", "outbound, path")])
    assert list(alive.bindings()) == [alive.contact_uri]
    alice.send_text("bob")
    alive.reply(alive.expect("MESSAGE"), 200)
    assert alice.expect_response(alice.answered).status == 200
    dead.expect_silence("MESSAGE", within=0.2)


# 10. Two phones answer together.

@pytest.mark.configuration(timers=SHORT)
def test_both_of_two_phones_that_answer_together_are_told_and_no_call_is_left(server, phone, alice):
    """A thousand times with ROLLCALL_LONG=1. The caller acknowledges both and ends the one it does not want."""
    rounds = 1_000 if IS_LONG else 50
    generator = random.Random(10)
    bobs = [phone("bob"), phone("bob")]
    for bob in bobs:
        bob.register()
    both = 0
    for number in range(rounds):
        call = alice.call("bob")
        ringing = [bob.incoming_call() for bob in bobs]
        order = generator.sample(ringing, 2)
        if generator.random() < 0.5:
            for one in order:
                one.reply(180)
        for one in order:
            one.reply(200)
        answers = {}
        deadline = time.monotonic() + 4
        while len(answers) < 2 and time.monotonic() < deadline:
            answer = alice.wait(lambda message: is_final(message, call.invite), "both answers")
            assert answer.status == 200, f"round {number}: a call that was answered got\n{answer}"
            answers[answer.to_tag] = answer
        assert len(answers) == 2, f"round {number}: {len(answers)} of 2 answers arrived"
        both += 1
        for position, answer in enumerate(answers.values()):
            call.establish(answer)
            call.ack()
            taken = next(one for one in ringing if one.phone.contact_uri == call.remote_target)
            assert taken.expect("ACK")["Call-ID"] == call.id
            call.hang_up(taken)
        for bob in bobs:
            # A CANCEL that crossed the answer; nothing depends on it.
            for stray in [message for message in bob.backlog if message.is_request and message.method == "CANCEL"]:
                bob.backlog.remove(stray)
                bob.reply(stray, 200)
    assert both == rounds
    wait_for_empty_tables(server, within=8)


def is_final(message, request):
    return not message.is_request and message.transaction == request.transaction and message.status >= 200


# 11. CANCEL crosses ringing and answer.

@pytest.mark.configuration(timers=SHORT)
def test_caller_and_callee_agree_in_whatever_order_cancel_ringing_and_answer_cross(server, alice, bob):
    generator = random.Random(11)
    seen = set()
    events = ("180", "final", "cancel")
    for final, order, _ in itertools.product((200, 486), itertools.permutations(events), range(10 if IS_LONG else 3)):
        call = alice.call("bob")
        ringing = bob.incoming_call()
        cancel, answered = None, False
        for event in order:
            if event == "180" and not answered:
                ringing.reply(180)
            elif event == "final":
                # A phone that has got the CANCEL before says 487.
                early = [message for message in bob_requests(bob) if message.method == "CANCEL"]
                if not early:
                    ringing.reply(final)
                    answered = True
            elif event == "cancel":
                cancel = send_cancel(call)
            time.sleep(generator.choice((0, 0, 0.001, 0.005)))
        outcome = settle(bob, ringing, answered)
        answer = call.expect_final()
        assert alice.expect_response(cancel).status in (200, 481)
        if outcome == 487:
            assert answer.status == 487, f"the callee was cancelled, the caller was told\n{answer}"
        elif final == 200:
            assert answer.status == 200, f"the callee has answered, the caller was told\n{answer}"
        else:
            # Who hangs up before it rang may be told that it did, though the callee was busy.
            assert answer.status in (486, 487), f"the callee was busy, the caller was told\n{answer}"
        if answer.status == 200:
            call.ack()
            ringing.expect("ACK")
            call.hang_up(ringing)
        else:
            ringing.expect("ACK")
        alice.expect_silence(within=0.01)
        seen.add((final, answer.status))
    assert {(200, 200), (200, 487), (486, 486)} <= seen, "the orders did cross"
    wait_for_empty_tables(server, within=8)


def send_cancel(call):
    """Sends CANCEL and does not wait."""
    invite = call.invite
    copied = [(name, invite[name]) for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")]
    cancel = invite.copy()
    cancel.start_line, cancel.headers, cancel.body = f"CANCEL {invite.uri} SIP/2.0", copied, b""
    cancel.headers.append(("CSeq", f"{invite.cseq} CANCEL"))
    return call.phone.send(cancel)


def bob_requests(bob, within=0.0):
    """The requests that have arrived by now, taken into the backlog."""
    while (message := bob.receive(within)) is not None:
        bob.backlog.append(message)
    return [message for message in bob.backlog if message.is_request]


def settle(bob, ringing, answered):
    """Lets the callee end the call: cancelled, if a CANCEL came before it answered. Gives what it said."""
    deadline = time.monotonic() + 4
    if not answered:
        cancel = ringing.expect("CANCEL", 4)
        bob.reply(cancel, 200)
        ringing.reply(487)
        return 487
    for cancel in [message for message in bob_requests(bob, 0.02) if message.method == "CANCEL"]:
        bob.backlog.remove(cancel)
        bob.reply(cancel, 200)
    assert time.monotonic() < deadline
    return None


# 15. Every table is empty again after every kind of ending.

def end_by_caller(alice, bob, phone):
    call, answered = connect(alice, bob)
    call.hang_up(answered)


def end_by_callee(alice, bob, phone):
    call, answered = connect(alice, bob)
    answered.hang_up(call)


def end_refused(alice, bob, phone):
    call = alice.call("bob")
    bob.incoming_call().refuse(603)
    call.expect_final()


def end_cancelled(alice, bob, phone):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    call.cancel()
    ringing.be_cancelled()
    call.expect_final()


def end_cancelled_and_the_callee_is_silent(alice, bob, phone):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    call.cancel()


def end_never_answered(alice, bob, phone):
    alice.call("bob")


def end_rings_without_end(alice, bob, phone):
    alice.call("bob")
    bob.incoming_call().reply(180)


def end_answer_without_ack(alice, bob, phone):
    alice.call("bob")
    bob.incoming_call().reply(200)


def end_refusal_without_ack(alice, bob, phone):
    alice.call("bob")
    bob.incoming_call().reply(486)


def end_challenge_without_ack(alice, bob, phone):
    alice.ask(alice.request("INVITE", "bob", [("Contact", alice.contact)], SDP))


def end_bye_without_answer(alice, bob, phone):
    call, _ = connect(alice, bob)
    call.send("BYE")


def end_both_vanish(alice, bob, phone):
    connect(alice, bob)


def end_stream_closes_while_ringing(alice, bob, phone):
    carol = phone("carol", transport="tcp")
    carol.register()
    alice.call("carol")
    carol.incoming_call().reply(180)
    carol.wire.close()


def end_calling_stream_closes_while_ringing(alice, bob, phone):
    dave = phone("dave", transport="tcp")
    dave.register()
    dave.call("bob")
    bob.incoming_call().reply(180)
    dave.wire.close()


def end_nobody_is_registered(alice, bob, phone):
    call = alice.call("dave")
    assert call.expect_final().status == 480


def end_port_is_closed(alice, bob, phone):
    gone = phone("dave")
    gone.register()
    gone.wire.close()
    alice.call("dave").expect_final()


def end_forked_and_one_answers(alice, bob, phone):
    other = phone("bob")
    other.register()
    call = alice.call("bob")
    first, second = bob.incoming_call(), other.incoming_call()
    second.reply(180)
    call.expect(180)
    first.reply(200)
    call.expect(200)
    call.ack()
    second.be_cancelled()
    other.unregister()


def end_text_without_answer(alice, bob, phone):
    alice.send_text("bob")


def end_answer_twice_and_late(alice, bob, phone):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    answer = ringing.reply(486)
    ringing.expect("ACK")
    call.expect_final()
    for status in (486, 200, 603):
        late = answer.copy()
        late.start_line = f"SIP/2.0 {status} Late"
        bob.send(late)


ENDINGS = [function for name, function in sorted(globals().items()) if name.startswith("end_")]


def run_endings(server, phone, endings):
    for ending in endings:
        # Phones of its own for each, so that what one leaves unanswered disturbs no other.
        alice, bob = phone("alice"), phone("bob")
        alice.register(["*"], expires=0)
        bob.register(["*"], expires=0)
        phone("dave").register(["*"], expires=0)
        alice.register()
        bob.register()
        ending(alice, bob, phone)
    state = wait_for_empty_tables(server, within=12)
    assert state["clients"] == 4 and state["bindings"] <= 4, state


@pytest.mark.configuration(timers=SHORT, proxy={"timerC": "1s"})
def test_every_table_is_empty_after_every_kind_of_ending(server, phone):
    run_endings(server, phone, ENDINGS)


@pytest.mark.skipif(not IS_LONG, reason="one after the other they take minutes; ROLLCALL_LONG=1 asks for it")
@pytest.mark.configuration(timers=SHORT, proxy={"timerC": "1s"})
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda function: function.__name__)
def test_every_table_is_empty_after(server, phone, ending):
    for _ in range(5):
        run_endings(server, phone, [ending])


# 21. A big INVITE by UDP.

def test_a_big_invite_crosses_udp_in_fragments_and_its_answers_come_back(alice, bob):
    body = SDP + b"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 200
    assert len(body) > 5 * 1500
    call = alice.call("bob", body=body)
    ringing = bob.incoming_call()
    assert ringing.invite.body == body
    ringing.reply(200, body=body)
    assert call.expect(200).body == body
    call.ack()
    ringing.expect("ACK")
    call.hang_up(ringing)
