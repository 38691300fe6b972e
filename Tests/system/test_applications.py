"""A client with an application: what the application is asked, the dialled leg, callbacks in their order, records."""

import re
import time

import pytest

from api import ISO_TIME, is_sid
from applications import calls, dial, dial_client, family, hang_up, refused, talk
from conftest import eventually
from phone import connect
from sip import SDP
from webapp import LOCAL, Reply, response

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL
REJECT = response("<Reject/>")
VOICE = ["CallSid", "AccountSid", "From", "To", "CallStatus", "ApiVersion", "Direction", "CallerName", "ForwardedFrom",
         "CallTimestamp"]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_first_request_has_every_documented_parameter(api, person, web, method):
    caller = person(FriendlyName="Alice A", VoiceUrl=web.url("/voice?own=1&To=kept"), VoiceMethod=method)
    web.answer("/voice", REJECT)
    headers = [("X-Ticket", "a b&c=ü"), ("X-Empty", ""), ("Diversion", "<sip:+4930123@example.com>;reason=unknown"),
               ("Subject", "not told")]
    refused(caller, 603, "whatever-1", headers=headers)
    request = web.wait_for("/voice")
    assert request.method == method
    record = only(api, caller)
    # The URL's own query is kept, whatever the method; what is added to a GET comes behind it.
    assert request.query.startswith("own=1&To=kept&") if method == "GET" else request.query == "own=1&To=kept"
    query = request.pairs[2:] if method == "GET" else request.pairs
    assert [name for name, _ in query] == VOICE + ["SipHeader_X-Ticket", "SipHeader_X-Empty", "SipHeader_Diversion"]
    fields = dict(query)
    assert fields["CallSid"] == record["sid"] and is_sid(fields["CallSid"], "CA")
    assert fields["AccountSid"] == api.account
    assert (fields["From"], fields["To"]) == (caller.login, "whatever-1")
    assert (fields["CallStatus"], fields["Direction"], fields["ApiVersion"]) == ("ringing", "inbound", "2012-04-24")
    assert fields["ForwardedFrom"] == "+4930123"
    assert ISO_TIME.fullmatch(fields["CallTimestamp"])
    assert fields["SipHeader_X-Ticket"] == "a b&c=ü" and fields["SipHeader_X-Empty"] == ""
    assert fields["SipHeader_Diversion"] == "<sip:+4930123@example.com>;reason=unknown"
    if method == "POST":
        assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


def only(api, caller):
    return eventually(lambda: calls(api, From=caller.login))[0]


def test_the_display_name_is_the_caller_name_and_null_without_one(person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", REJECT)
    call = caller.call("1", From=f'"Zoë, at work" <{caller.address_of_record}>;tag=1')
    assert call.expect_final(8).status == 603
    assert web.wait_for("/voice")["CallerName"] == "Zoë, at work"
    refused(caller, 603)
    request = web.wait_for("/voice")
    assert request["CallerName"] == "null" and request["ForwardedFrom"] == "null"


@pytest.mark.parametrize("dialled", ["bob", "+4930123", "*98", "a%20b"])
def test_the_application_is_asked_whatever_is_dialled(person, web, dialled):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", REJECT)
    refused(caller, 603, dialled)
    assert web.wait_for("/voice")["To"] == dialled.replace("%20", " ")


def test_an_application_goes_before_the_url_of_the_client(api, person, web):
    made = api.create("Applications", FriendlyName="App", VoiceUrl=web.url("/application"), VoiceMethod="GET")
    caller = person(VoiceUrl=web.url("/own"), VoiceApplicationSid=made["sid"])
    web.answer("/application", REJECT)
    refused(caller, 603)
    assert web.wait_for("/application").method == "GET"
    # A change is in effect when its answer has come.
    api.update(f"Applications/{made['sid']}", VoiceUrl=web.url("/changed"), VoiceMethod="POST")
    web.answer("/changed", response('<Reject reason="busy"/>'))
    refused(caller, 486)
    assert web.wait_for("/changed").method == "POST"
    api.update(f"Clients/{caller.sid}", VoiceApplicationSid="")
    web.answer("/own", REJECT)
    refused(caller, 603)
    web.wait_for("/own")
    assert web.order() == ["/application", "/changed", "/own"]


def test_a_client_without_application_calls_as_before(api, person, web):
    caller, callee = person(VoiceUrl=web.url("/voice")), person()
    api.update(f"Clients/{caller.sid}", VoiceUrl="")
    call, answered = connect(caller, callee)
    call.hang_up(answered)
    assert web.order() == []
    record = eventually(lambda: calls(api, From=caller.login, Status="completed"))[0]
    assert record["direction"] == "client-to-client"


def test_only_calls_of_the_client_go_to_its_application(person, web):
    caller, callee = person(), person(VoiceUrl=web.url("/voice"))
    call, answered = connect(caller, callee)
    answered.hang_up(call)
    assert web.order() == []


def test_a_caller_needs_credentials_and_a_registration(person, web):
    caller = person(registered=False, VoiceUrl=web.url("/voice"))
    call = caller.call("999")
    assert call.expect_final().status == 403
    assert web.order() == []


def test_a_dialled_client_is_reached_and_the_callbacks_come_in_order(api, person, web):
    callee = person()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial(
        f'<Client statusCallback="/progress" statusCallbackMethod="GET">{callee.login}</Client>', action="/after"))
    web.answer("/progress", "")
    web.answer("/after", response())
    call, answered = talk(caller, callee, "the-sales-team")
    web.wait_for("/voice")
    time.sleep(1.1)
    hang_up(call, answered)
    after = web.wait_for("/after")
    progress = web.wait_for_all("/progress", 4)
    parent, (child,) = family(api, caller.login)
    assert parent["direction"] == "inbound" and child["direction"] == "outbound-dial"
    assert (parent["status"], child["status"]) == ("completed", "completed")
    assert (parent["to"], child["to"]) == ("the-sales-team", callee.login)
    assert child["parent_call_sid"] == parent["sid"] and child["from"] == caller.login
    assert parent["duration"] in (1, 2) and child["duration"] in (1, 2)
    assert parent["account_sid"] == child["account_sid"] == api.account
    # The action.
    assert after["CallSid"] == parent["sid"] and after["DialCallSid"] == child["sid"]
    assert after["DialCallStatus"] == "completed" and after["DialCallDuration"] in ("1", "2")
    assert re.fullmatch(r"\d+", after["DialRingDuration"]) and after["CallStatus"] in ("completed", "in-progress")
    assert after.method == "POST"
    # The leg.
    assert [request["CallStatus"] for request in progress] == ["initiated", "ringing", "answered", "completed"]
    assert [request["SequenceNumber"] for request in progress] == ["0", "1", "2", "3"]
    for request in progress:
        assert request.method == "GET" and request["CallSid"] == child["sid"]
        assert request["ParentCallSid"] == parent["sid"] and request["Direction"] == "outbound-dial"
        assert (request["From"], request["To"]) == (caller.login, callee.login)
        assert request["CallbackSource"] == "call-progress-events" and request["AccountSid"] == api.account
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [0-9:]{8} \+0000", request["Timestamp"])
    assert "CallDuration" not in progress[0].fields and progress[3]["CallDuration"] in ("1", "2")


def test_the_callee_hangs_up_and_the_next_document_goes_on_with_the_caller(api, person, web):
    first, second = person(), person()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(first.login, action="/after"))
    web.answer("/after", dial_client(second.login))
    call, answered = talk(caller, first)
    sent = answered.send("BYE")
    assert first.expect_response(sent).status == 200
    assert web.wait_for("/after")["DialCallStatus"] == "completed"
    again = second.incoming_call()
    caller.expect_silence("BYE", 0.2)
    again.reply(200, body=SDP.replace(b"40000", b"40002"))
    # The caller was answered long ago: it learns the new description by a re-INVITE.
    renewed = call.expect("INVITE")
    assert b"40002" in renewed.body and renewed.to_tag == call.invite.from_tag
    caller.reply(renewed, 200, headers=[("Contact", caller.contact), ("Content-Type", "application/sdp")], body=SDP)
    call.expect("ACK")
    again.expect("ACK")
    hang_up(call, again)
    parent, children = family(api, caller.login)
    assert [child["to"] for child in children] == [first.login, second.login]
    assert [record["status"] for record in (parent, *children)] == ["completed"] * 3


@pytest.mark.parametrize(["status", "word", "record"], [
    (486, "busy", "busy"), (603, "busy", "failed"), (480, "no-answer", "no-answer"), (404, "failed", "failed"),
    (500, "failed", "failed"),
])
def test_the_action_is_told_how_the_leg_failed(api, person, web, status, word, record):
    callee = person()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login, action="/after"))
    web.answer("/after", response())
    call = caller.call("1")
    callee.incoming_call().refuse(status)
    # Nothing more follows, so the caller is answered as the callee has.
    assert call.expect_final().status == status
    after = web.wait_for("/after")
    assert after["DialCallStatus"] == word and after["DialCallDuration"] == "0"
    parent, (child,) = family(api, caller.login)
    assert child["sid"] == after["DialCallSid"] and child["status"] == record and child["sip_code"] == status
    assert parent["sip_code"] == status


def test_a_client_that_is_not_there_fails_at_once(api, person, web):
    callee = person(registered=False)
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login, action="/after"))
    web.answer("/after", response())
    refused(caller, 480)
    after = web.wait_for("/after")
    assert (after["DialCallStatus"], after["DialCallSid"], after["DialCallDuration"]) == ("failed", "null", "0")
    refused_to = dial_client("nobody-has-this-name", action="/after")
    web.answer("/voice", refused_to)
    refused(caller, 404)
    assert web.wait_for("/after")["DialCallStatus"] == "failed"


def test_the_caller_cancels_while_it_rings(api, person, web):
    callee = person()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login, action="/after"))
    web.answer("/after", response())
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(180)
    call.expect(180)
    assert call.cancel().status == 200
    ringing.be_cancelled()
    assert call.expect_final().status == 487
    assert web.wait_for("/after")["DialCallStatus"] == "canceled"
    parent, (child,) = family(api, caller.login)
    assert (parent["status"], child["status"]) == ("canceled", "canceled")


def test_the_caller_cancels_while_the_application_thinks(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", web.hang(3))
    call = caller.call("1")
    web.wait_for("/voice")
    assert call.cancel().status == 200
    assert call.expect_final().status == 487
    assert eventually(lambda: calls(api, From=caller.login, Status="canceled"))


def test_all_devices_of_a_client_ring_and_the_first_that_answers_has_the_call(api, person, phone, web):
    desk = person()
    mobile = phone(desk.login, password="s3cret")
    mobile.register()
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(desk.login))
    call = caller.call("1")
    rings = [device.incoming_call() for device in (desk, mobile)]
    for ringing in rings:
        ringing.reply(180)
    call.expect(180)
    rings[1].reply(200)
    call.expect(200)
    call.ack()
    rings[1].expect("ACK")
    rings[0].be_cancelled()
    hang_up(call, rings[1])
    parent, children = family(api, caller.login)
    assert len(children) == 1 and children[0]["status"] == parent["status"] == "completed"


def test_the_status_callback_of_an_application_is_told_each_state_once(api, person, web):
    callee = person()
    made = api.create(
        "Applications", FriendlyName="App", VoiceUrl=web.url("/voice"), StatusCallback=web.url("/state"),
        StatusCallbackMethod="GET")
    caller = person(VoiceApplicationSid=made["sid"])
    web.answer("/voice", dial_client(callee.login))
    web.answer("/state", "")
    call, answered = talk(caller, callee)
    hang_up(call, answered)
    parent, _ = family(api, caller.login)
    assert eventually(lambda: web.fields("/state", "CallStatus")[-1:] == ["completed"])
    states = web.fields("/state", "CallStatus")
    assert len(states) == len(set(states)) and states[-2:] == ["in-progress", "completed"]
    assert set(web.fields("/state", "CallSid")) == {parent["sid"]}
    assert web.of("/state")[-1]["CallDuration"] == "0"


def test_a_retransmitted_invite_asks_the_application_once(person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", Reply(REJECT, delay=0.5))
    call = caller.call("1")
    for _ in range(3):
        caller.send(call.invite)
    assert call.expect_final().status == 603
    assert len(web.of("/voice")) == 1


def test_requests_of_one_call_share_a_connection(person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", response("<Redirect>/next</Redirect>"))
    web.answer("/next", response("<Redirect>/last</Redirect>"))
    web.answer("/last", REJECT)
    refused(caller, 603)
    assert web.order() == ["/voice", "/next", "/last"]
    assert len({request.place for request in web.requests}) == 1
