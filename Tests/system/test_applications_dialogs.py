"""Requests within a call through an application: two dialogs that know nothing of each other, and what is passed on."""

import time

import pytest

from applications import dial_client, family, hang_up, talk
from phone import ack_for
from sip import SDP, parameters, uri_of
from webapp import LOCAL

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL
HOLD = SDP + b"a=sendonly\r\n"
HELD = SDP.replace(b"40000", b"40004") + b"a=recvonly\r\n"
SDP_TYPE = ("Content-Type", "application/sdp")


@pytest.fixture
def pair(person, web):
    """Caller and callee, who will be connected by an application."""
    callee = person()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login))
    return caller, callee


@pytest.fixture
def sides(pair):
    """The two sides of an answered call."""
    return talk(*pair)


def reinvite(near, far, body=HOLD, answer=HELD, headers=()):
    """A re-INVITE up to its ACK. Gives it as the other side received it, and its answer."""
    sent = near.send("INVITE", [SDP_TYPE, *headers], body)
    received = far.expect("INVITE")
    far.phone.reply(received, 200, headers=[("Contact", far.phone.contact), SDP_TYPE], body=answer)
    final = near.phone.expect_response(sent)
    assert final.status == 200, final
    near.phone.send(near.request("ACK", cseq=sent.cseq))
    far.expect("ACK")
    return received, final


def test_one_side_learns_nothing_of_the_other(pair):
    caller, callee = pair
    call, answered = talk(caller, callee, headers=[("X-Carried", "yes"), ("Subject", "private")])
    invite, final = answered.invite, call.phone.seen
    assert invite["Call-ID"] != call.id and invite.from_tag != call.invite.from_tag
    assert caller.host_port not in str(invite).split("\r\n\r\n")[0]
    assert uri_of(invite["Contact"]) != caller.contact_uri and "Record-Route" not in invite
    assert len(invite.lines("Via")) == 1 and "Proxy-Authorization" not in invite
    assert invite["X-Carried"] == "yes"
    head = next(data for data in final if data.startswith(b"SIP/2.0 200") and b"INVITE" in data)
    assert callee.host_port.encode() not in head.split(b"\r\n\r\n")[0]
    hang_up(call, answered)


def test_descriptions_pass_unchanged_and_the_caller_is_answered_when_the_callee_is(pair):
    caller, callee = pair
    call = caller.call("1", body=SDP + b"a=mine:1\r\n")
    ringing = callee.incoming_call()
    assert ringing.invite.body == SDP + b"a=mine:1\r\n"
    ringing.reply(180)
    call.expect(180)
    time.sleep(0.2)
    ringing.reply(200, body=SDP + b"a=theirs:1\r\n")
    assert call.expect(200).body == SDP + b"a=theirs:1\r\n"
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_early_media_is_passed_on(pair):
    caller, callee = pair
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(183, headers=[("X-Early", "1")], body=SDP + b"a=early:1\r\n")
    early = call.expect(183)
    assert early.body == SDP + b"a=early:1\r\n" and early["Content-Type"] == "application/sdp"
    ringing.reply(200)
    assert call.expect(200).to_tag == early.to_tag
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_an_offerless_invite_gets_the_offer_of_the_callee_and_its_answer_in_the_ack(pair):
    caller, callee = pair
    call = caller.call("1", body=b"", Content_Type=None)
    ringing = callee.incoming_call()
    assert ringing.invite.body == b""
    ringing.reply(200, body=SDP + b"a=offer:1\r\n")
    assert call.expect(200).body == SDP + b"a=offer:1\r\n"
    call.phone.send(call.request("ACK", [SDP_TYPE], SDP + b"a=answer:1\r\n", cseq=call.invite.cseq))
    assert ringing.expect("ACK").body == SDP + b"a=answer:1\r\n"
    hang_up(call, ringing)


@pytest.mark.parametrize("from_callee", [False, True])
def test_hold_and_resume_by_reinvite(sides, from_callee):
    near, far = sides[::-1] if from_callee else sides
    received, answer = reinvite(near, far)
    assert received.body == HOLD and answer.body == HELD
    assert received["Call-ID"] == far.id and received.to_tag == parameters(far.local)["tag"]
    received, answer = reinvite(near, far, SDP, SDP)
    assert received.body == SDP and answer.body == SDP
    hang_up(*sides)


@pytest.mark.parametrize("status", [488, 500])
def test_a_refused_reinvite_leaves_the_call_as_it_was(sides, status):
    call, answered = sides
    sent = call.send("INVITE", [SDP_TYPE], HOLD)
    received = answered.expect("INVITE")
    answered.phone.reply(received, status)
    final = call.phone.expect_response(sent)
    call.phone.send(ack_for(sent, final))
    assert final.status == status
    hang_up(call, answered)


def test_a_refused_reinvite_of_the_callee_leaves_the_call_as_it_was(sides):
    call, answered = sides
    sent = answered.send("INVITE", [SDP_TYPE], HOLD)
    received = call.expect("INVITE")
    call.phone.reply(received, 486)
    final = answered.phone.expect_response(sent)
    answered.phone.send(ack_for(sent, final))
    assert final.status == 486
    hang_up(answered, call)


def test_glare_is_491_for_one_or_both_and_the_call_goes_on(sides):
    call, answered = sides
    mine = call.send("INVITE", [SDP_TYPE], HOLD)
    theirs = answered.send("INVITE", [SDP_TYPE], HOLD)
    finals = []
    waiting = [(call, mine), (answered, theirs)]
    deadline = time.monotonic() + 8
    while waiting and time.monotonic() < deadline:
        for side, sent in list(waiting) + [(call, None), (answered, None)]:
            backlog = side.phone.backlog
            message = backlog.pop(0) if backlog else side.phone.receive(0.05)
            if message is None or message.is_request and message.method == "ACK":
                continue
            if message.is_request and message.method == "INVITE":
                # A phone that has sent an INVITE of its own refuses one that comes (RFC 3261 14.2).
                side.phone.reply(message, 491)
                continue
            own = mine if side is call else theirs
            if not message.is_request and message.transaction == own.transaction and message.status >= 200:
                side.phone.send(ack_for(own, message))
                finals.append(message.status)
                waiting = [entry for entry in waiting if entry[0] is not side]
    assert len(finals) == 2 and 491 in finals and set(finals) <= {491, 200, 500}, finals
    for side in (call, answered):
        side.phone.backlog.clear()
    time.sleep(0.1)
    hang_up(call, answered)


@pytest.mark.parametrize(["method", "headers", "body"], [
    ("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n"),
    ("UPDATE", [SDP_TYPE], HOLD), ("MESSAGE", [("Content-Type", "text/plain")], b"still there?"),
    ("OPTIONS", [], b""), ("NOTIFY", [("Event", "refer"), ("Content-Type", "message/sipfrag")], b"SIP/2.0 100 Trying"),
])
@pytest.mark.parametrize("from_callee", [False, True])
def test_requests_within_the_call_reach_the_other_side_and_their_answers_come_back(
        sides, method, headers, body, from_callee):
    near, far = sides[::-1] if from_callee else sides
    sent = near.send(method, [*headers, ("X-Carried", "yes")], body)
    received = far.expect(method)
    assert received.body == body and received["X-Carried"] == "yes" and received["Call-ID"] == far.id
    assert received["Call-ID"] != sent["Call-ID"]
    for name, value in headers:
        assert received[name] == value
    answer = [SDP_TYPE] if method == "UPDATE" else []
    far.phone.reply(received, 200, headers=answer, body=HELD if method == "UPDATE" else b"")
    final = near.phone.expect_response(sent)
    assert final.status == 200 and final.body == (HELD if method == "UPDATE" else b"")
    hang_up(*sides)


def test_a_refused_request_within_the_call_is_refused_with_the_same_status(sides):
    call, answered = sides
    sent = call.send("INFO", [("Content-Type", "text/x")], b"?")
    answered.phone.reply(answered.expect("INFO"), 415)
    assert call.phone.expect_response(sent).status == 415
    hang_up(call, answered)


@pytest.mark.parametrize("from_callee", [False, True])
def test_refer_and_its_notifications_pass(sides, from_callee):
    near, far = sides[::-1] if from_callee else sides
    sent = near.send("REFER", [("Refer-To", "<sip:carol@rollcall.test>")])
    received = far.expect("REFER")
    assert uri_of(received["Refer-To"]).startswith("sip:carol@")
    far.phone.reply(received, 202)
    assert near.phone.expect_response(sent).status == 202
    body = b"SIP/2.0 200 OK\r\n"
    notified = far.send("NOTIFY", [
        ("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"),
        ("Content-Type", "message/sipfrag")], body)
    received = near.expect("NOTIFY")
    assert received.body == body and received["Event"] == "refer"
    near.phone.reply(received, 200)
    assert far.phone.expect_response(notified).status == 200
    hang_up(*sides)


def test_reliable_provisional_responses_and_their_prack_pass(pair):
    caller, callee = pair
    call = caller.call("1", headers=[("Supported", "100rel")])
    ringing = callee.incoming_call()
    assert "100rel" in (ringing.invite["Supported"] or "")
    ringing.reply(183, headers=[("Require", "100rel"), ("RSeq", "7")], body=SDP)
    early = call.expect(183)
    assert early["Require"] == "100rel" and early["RSeq"]
    sent = call.send("PRACK", [("RAck", f"{early['RSeq']} {call.invite.cseq} INVITE")])
    received = ringing.expect("PRACK")
    assert received["RAck"].split()[0] == "7" and received["RAck"].split()[1] == str(ringing.invite.cseq)
    callee.reply(received, 200)
    assert caller.expect_response(sent).status == 200
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_an_unknown_dialog_is_481(sides):
    call, answered = sides
    hang_up(call, answered)
    for side in sides:
        sent = side.send("INFO")
        assert side.phone.expect_response(sent).status == 481


def test_a_repeated_2xx_is_acknowledged_again(pair):
    caller, callee = pair
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    before = callee.retransmissions.copy()
    callee.wire.send(callee.answers[bytes(ringing.invite)])
    time.sleep(0.3)
    callee.receive(0.3)
    assert sum(callee.retransmissions.values()) > sum(before.values())
    hang_up(call, ringing)


def test_the_answer_is_repeated_until_the_caller_acknowledges_it(pair):
    caller, callee = pair
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(200)
    call.expect(200)
    time.sleep(1.3)
    caller.receive(0.1)
    assert any("200" in line for line in caller.retransmissions)
    call.ack()
    hang_up(call, ringing)


def test_both_hang_up_at_once(api, pair):
    caller, callee = pair
    call, answered = talk(caller, callee)
    mine, theirs = call.send("BYE"), answered.send("BYE")
    for side, sent in ((call, mine), (answered, theirs)):
        assert side.phone.expect_response(sent).status in (200, 481)
    for side in (call, answered):
        for message in side.phone.backlog:
            if message.is_request and message.method == "BYE":
                side.phone.reply(message, 200)
    parent, (child,) = family(api, caller.login)
    assert parent["status"] == child["status"] == "completed"


def test_a_session_timer_is_agreed_with_who_asks_for_one(pair):
    caller, callee = pair
    call = caller.call("1", headers=[("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90")])
    ringing = callee.incoming_call()
    ringing.reply(200)
    final = call.expect(200)
    assert final["Session-Expires"].startswith("90;") and "refresher=uac" in final["Session-Expires"]
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_an_interval_that_is_too_small_is_422(pair):
    caller, _ = pair
    call = caller.call("1", headers=[("Supported", "timer"), ("Session-Expires", "30")])
    answer = call.expect_final()
    assert answer.status == 422 and int(answer["Min-SE"]) >= 90
