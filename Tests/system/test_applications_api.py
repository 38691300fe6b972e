"""Calls that the API starts, and orders for live calls."""

import pytest

from api import assert_refused, sid
from applications import calls, dial_client, family, hang_up, notifications, talk
from conftest import eventually
from phone import connect
from sip import uri_of
from webapp import LOCAL, Reply, response

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL


def ended(api, made, within=4.0):
    """The record of a call, once it has ended."""
    def look():
        record = api.fetch(f"Calls/{made['sid']}")
        return record if "end_time" in record else None
    found = eventually(look, within)
    assert found, api.fetch(f"Calls/{made['sid']}")
    return found


def answer(phone, status=200):
    """Takes a call of the server. Gives the phone's side."""
    ringing = phone.incoming_call()
    ringing.reply(180)
    ringing.reply(status)
    ringing.expect("ACK")
    return ringing


def test_a_call_is_started_and_its_application_dials(api, person, web):
    sender, first, second = person(), person(), person()
    web.answer("/voice", dial_client(second.login))
    web.answer("/state", "")
    made = api.create(
        "Calls", From=sender.login, To=f"client:{first.login}?X-Ticket=7", Url=web.url("/voice"), Method="GET",
        StatusCallback=web.url("/state"), StatusCallbackEvent="initiated,ringing,answered,completed")
    assert made["direction"] == "outbound-api" and made["status"] in ("queued", "ringing")
    assert (made["from"], made["to"]) == (sender.login, first.login)
    ringing = first.incoming_call()
    assert ringing.invite["X-Ticket"] == "7" and uri_of(ringing.invite["From"]).startswith(f"sip:{sender.login}@")
    assert web.order().count("/voice") == 0
    ringing.reply(180)
    ringing.reply(200)
    ringing.expect("ACK")
    request = web.wait_for("/voice")
    assert request.method == "GET" and request["CallSid"] == made["sid"]
    assert (request["Direction"], request["CallStatus"]) == ("outbound-api", "in-progress")
    assert (request["From"], request["To"]) == (sender.login, first.login)
    other = second.incoming_call()
    other.reply(200)
    # The first party learns the description of the second.
    renewed = ringing.expect("INVITE")
    first.reply(renewed, 200, headers=[("Contact", first.contact), ("Content-Type", "application/sdp")],
                body=ringing.invite.body or b"v=0\r\n")
    ringing.expect("ACK")
    other.expect("ACK")
    sent = other.send("BYE")
    assert second.expect_response(sent).status == 200
    first.reply(ringing.expect("BYE"), 200)
    record = ended(api, made)
    assert record["status"] == "completed" and record["sip_code"] == 200
    child, = calls(api, ParentCallSid=made["sid"])
    assert child["to"] == second.login and child["direction"] == "outbound-dial"
    assert eventually(lambda: web.fields("/state", "CallStatus")[-1:] == ["completed"])
    assert web.fields("/state", "CallStatus") == ["initiated", "ringing", "answered", "completed"]
    assert set(web.fields("/state", "CallSid")) == {made["sid"]}


def test_the_status_callback_is_told_only_what_was_asked_for(api, person, web):
    sender, callee = person(), person()
    web.answer("/voice", response("<Hangup/>"))
    web.answer("/state", "")
    made = api.create(
        "Calls", From=sender.login, To=callee.login, Url=web.url("/voice"), StatusCallback=web.url("/state"))
    ringing = answer(callee)
    callee.reply(ringing.expect("BYE"), 200)
    ended(api, made)
    assert eventually(lambda: web.fields("/state", "CallStatus")) == ["completed"]


@pytest.mark.parametrize(["status", "word"], [(486, "busy"), (603, "failed"), (480, "no-answer")])
def test_a_call_that_is_refused_asks_no_application(api, person, web, status, word):
    sender, callee = person(), person()
    made = api.create("Calls", From=sender.login, To=callee.login, Url=web.url("/voice"))
    callee.incoming_call().refuse(status)
    record = ended(api, made)
    assert (record["status"], record["sip_code"]) == (word, status)
    assert web.order() == []


def test_the_ringing_ends_by_timeout(api, person, web):
    sender, callee = person(), person()
    made = api.create("Calls", From=sender.login, To=callee.login, Url=web.url("/voice"), Timeout="1")
    ringing = callee.incoming_call()
    ringing.reply(180)
    ringing.be_cancelled()
    assert ended(api, made)["status"] == "no-answer"


def test_a_client_that_is_not_registered_is_named(api, person, web):
    sender, callee = person(), person(registered=False)
    refusal = api.post("Calls.json", From=sender.login, To=f"client:{callee.login}", Url=web.url("/voice"))
    message = assert_refused(refusal, 409, "R-3408")
    assert message.startswith(f"The SIP Client {callee.login} is not registered or does not exist.")
    assert refusal.json()["parameter"] == "To"


@pytest.mark.parametrize(["change", "code", "name"], [
    ({"From": None}, "R-3301", "From"), ({"To": None}, "R-3301", "To"), ({"Url": None}, "R-3301", "Url"),
    ({"From": "stranger"}, "R-3302", "From"), ({"To": "stranger"}, "R-3302", "To"),
    ({"To": "+4930999"}, "R-3302", "To"), ({"Url": "http://["}, "R-3302", "Url"), ({"Url": "/voice"}, "R-3302", "Url"),
    ({"Timeout": "0"}, "R-3302", "Timeout"), ({"ApplicationSid": sid("AP")}, "R-3302", "ApplicationSid"),
    ({"StatusCallbackEvent": "later"}, "R-3302", "StatusCallbackEvent"),
])
def test_bad_parameters_are_named_and_nobody_is_called(api, person, web, change, code, name):
    sender, callee = person(), person()
    form = {"From": sender.login, "To": callee.login, "Url": web.url("/voice"), **change}
    assert_refused(api.post("Calls.json", **form), 400, code, name)
    callee.expect_silence("INVITE", 0.2)


def test_an_application_of_the_account_answers(api, person, web):
    sender, callee = person(), person()
    made = api.create("Applications", FriendlyName="App", VoiceUrl=web.url("/voice"), VoiceMethod="GET")
    web.answer("/voice", response("<Hangup/>"))
    call = api.create("Calls", From=sender.login, To=callee.login, ApplicationSid=made["sid"])
    ringing = answer(callee)
    callee.reply(ringing.expect("BYE"), 200)
    assert web.wait_for("/voice")["CallSid"] == call["sid"]
    assert ended(api, call)["status"] == "completed"


def test_a_document_that_cannot_be_had_ends_the_call_with_a_notification(api, person, web):
    sender, callee = person(), person()
    made = api.create("Calls", From=sender.login, To=callee.login, Url=web.url("/voice"))
    ringing = answer(callee)
    callee.reply(ringing.expect("BYE"), 200)
    assert web.wait_for("/voice").method == "POST"
    ended(api, made)
    assert notifications(api, f"Calls/{made['sid']}")[0]["error_code"] == 21_402


def test_rights_are_those_of_the_tree(api, person, web):
    child = api.child(FriendlyName="Sales")
    own, other, callee = person(account=child), person(), person()
    assert_refused(child.post("Calls.json", From=other.login, To=callee.login, Url=web.url("/voice")), 400, "R-3302", "From")
    assert child.on(api).post("Calls.json", From=own.login, To=callee.login, Url=web.url("/voice")).status == 403
    web.answer("/voice", response("<Hangup/>"))
    made = api.on(child).create("Calls", From=own.login, To=callee.login, Url=web.url("/voice"))
    assert made["account_sid"] == child.account
    ringing = answer(callee)
    callee.reply(ringing.expect("BYE"), 200)
    assert web.wait_for("/voice")["AccountSid"] == child.account
    assert_refused(api.post(f"Calls/{made['sid']}.json", Status="completed"), 403, "R-3104")
    child.close()


# Orders.

def running(api, caller):
    """The record of the only call of a client, while it goes on."""
    return eventually(lambda: [call for call in calls(api, From=caller.login) if "parent_call_sid" not in call])[0]


@pytest.mark.parametrize("form", [{"Status": "completed"}, {"Status": "canceled"}])
def test_a_ringing_call_is_ended(api, person, web, form):
    callee, caller = person(), person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login, action="/after"))
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(180)
    call.expect(180)
    record = running(api, caller)
    answered = api.create(f"Calls/{record['sid']}", **form)
    assert answered["sid"] == record["sid"]
    ringing.be_cancelled()
    assert call.expect_final().status >= 480
    assert ended(api, record)["reason_code"] == "R-1610"


def test_an_answered_call_is_ended_by_completed_alone(api, person, web):
    callee, caller = person(), person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login))
    call, answered = talk(caller, callee)
    record = running(api, caller)
    assert_refused(api.post(f"Calls/{record['sid']}.json", Status="canceled"), 409, "R-3410")
    api.create(f"Calls/{record['sid']}", Status="completed")
    for side in (call, answered):
        side.phone.reply(side.expect("BYE"), 200)
    over = ended(api, record)
    assert over["status"] == "completed" and over["reason_code"] == "R-1610"
    assert_refused(api.post(f"Calls/{record['sid']}.json", Status="completed"), 410, "R-3409")


def test_a_live_call_is_sent_on_to_another_document(api, person, web):
    first, second, caller = person(), person(), person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(first.login))
    web.answer("/other", dial_client(second.login))
    call, answered = talk(caller, first)
    record = running(api, caller)
    assert api.create(f"Calls/{record['sid']}", Url=web.url("/other"), Method="GET")["status"] == "in-progress"
    first.reply(answered.expect("BYE"), 200)
    request = web.wait_for("/other")
    assert request.method == "GET" and request["CallSid"] == record["sid"] and request["CallStatus"] == "in-progress"
    other = second.incoming_call()
    other.reply(486)
    other.expect("ACK")
    caller.reply(call.expect("BYE"), 200)
    ended(api, record)


def test_a_waiting_call_is_sent_on_to_another_document(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", web.hang(5))
    web.answer("/other", response('<Reject reason="busy"/>'))
    call = caller.call("1")
    web.wait_for("/voice")
    api.create(f"Calls/{running(api, caller)['sid']}", Url=web.url("/other"))
    assert call.expect_final().status == 486


def test_a_call_between_clients_cannot_be_changed(api, person):
    caller, callee = person(), person()
    call, answered = connect(caller, callee)
    record = running(api, caller)
    assert_refused(api.post(f"Calls/{record['sid']}.json", Status="completed"), 409, "R-3411")
    call.hang_up(answered)


def test_an_unknown_call_is_404(api):
    assert_refused(api.post(f"Calls/{sid('CA')}.json", Status="completed"), 404, "R-3201")


def test_notifications_are_members_of_their_call(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", response("<Dance/><Reject/>"))
    assert caller.call("1").expect_final().status == 603
    record = running(api, caller)
    path = record["subresource_uris"]["notifications"]
    noted = eventually(lambda: api.ask("GET", path).json()["notifications"])
    assert len(noted) == 1 and noted[0]["call_sid"] == record["sid"]
    whole = api.ask("GET", noted[0]["uri"]).json()
    assert whole == noted[0] and whole["error_code"] == 12_200 and whole["line"] == 2 and "Dance" in whole["message_text"]
    assert whole in api.fetch("Notifications", Reverse="true")["notifications"]
