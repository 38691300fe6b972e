"""Texts that reach an application: of a client that has one, to a number; its answers; texts of the API."""

import time

import pytest

from api import is_sid
from applications import notifications, refused
from conftest import eventually
from sip import uri_of
from webapp import LOCAL, Reply, response

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL
NUMBERS = iter(range(4930_5550_0000, 4930_5559_9999))


@pytest.fixture
def number(api):
    """Makes numbers: `number(SmsUrl=...)` gives its digits with a plus."""
    def make(**form):
        return api.create("IncomingPhoneNumbers", PhoneNumber=f"+{next(NUMBERS)}", **form)["phone_number"]
    return make


def texts(api, count=1, **filters):
    """The records of texts, once there are so many and all have ended."""
    def there():
        found = api.fetch("Messages", **filters)["messages"]
        return found if len(found) >= count and all(text["status"] != "sending" for text in found) else None
    found = eventually(there)
    assert found, api.fetch("Messages", **filters)
    return found


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_text_to_a_number_asks_its_sms_url_with_every_parameter(api, person, number, web, method):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms?own=1"), SmsMethod=method)
    web.answer("/sms", response())
    answer = sender.text(dialled, "Grüße & 1+1=2\r\n🙂", headers=[("X-Ticket", "7"), ("Subject", "not told")])
    assert answer.status == 202
    request = web.wait_for("/sms")
    assert request.method == method
    pairs = request.pairs[1:] if method == "GET" else request.pairs
    record, = texts(api, From=sender.login)
    assert dict(pairs) == {
        "SmsSid": record["sid"], "AccountSid": api.account, "From": sender.login, "To": dialled,
        "Body": "Grüße & 1+1=2\r\n🙂", "ApiVersion": "2012-04-24", "SipHeader_X-Ticket": "7"}
    assert is_sid(record["sid"], "SM") and record["direction"] == "inbound"


@pytest.mark.parametrize("dialled", ["+{}", "{}"])
def test_a_number_is_found_with_and_without_its_plus(person, number, web, dialled):
    sender, digits = person(), number(SmsUrl=web.url("/sms"))[1:]
    web.answer("/sms", response())
    assert sender.text(dialled.format(digits)).status == 202
    web.wait_for("/sms")


def test_the_answer_of_the_application_reaches_the_sender(api, person, number, web):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", Reply(response("<Sms>pong &lt;1&gt;</Sms>"), headers=[("X-Route", "7"), ("Secret", "no")]))
    assert sender.text(dialled, "ping").status == 202
    received = sender.expect("MESSAGE")
    assert received.body == b"pong <1>" and uri_of(received["From"]).startswith(f"sip:{dialled}@")
    assert received["X-Route"] == "7" and "Secret" not in received
    assert received["Content-Type"].startswith("text/plain")
    sender.reply(received, 200)
    reply, = texts(api, To=sender.login)
    assert (reply["status"], reply["direction"], reply["from"]) == ("delivered", "outbound-reply", dialled)


def test_the_application_passes_a_text_on(person, number, web):
    sender, third = person(), person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response(f'<Sms to="{third.login}" from="{sender.login}">passed on</Sms>'))
    sender.text(dialled, "pass this on")
    received = third.expect("MESSAGE")
    assert received.body == b"passed on" and uri_of(received["From"]).startswith(f"sip:{sender.login}@")
    third.reply(received, 200)


def test_the_action_of_an_answer_is_fetched_and_its_document_runs(person, number, web):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response('<Sms action="/sent">one</Sms>'))
    web.answer("/sent", response("<Sms>two</Sms>"))
    sender.text(dialled, "x")
    bodies = set()
    for _ in range(2):
        received = sender.expect("MESSAGE")
        bodies.add(received.body)
        sender.reply(received, 200)
    assert bodies == {b"one", b"two"}
    sent = web.wait_for("/sent")
    assert sent["SmsStatus"] == "sending" and sent["MessageSid"] == sent["SmsSid"] != "" and sent["To"] == sender.login


def test_an_application_goes_before_the_urls_of_a_number(api, person, number, web):
    made = api.create("Applications", FriendlyName="App", SmsUrl=web.url("/application"), VoiceUrl=web.url("/voice"))
    sender = person()
    dialled = number(
        SmsUrl=web.url("/own"), VoiceUrl=web.url("/own"), SmsApplicationSid=made["sid"],
        VoiceApplicationSid=made["sid"])
    web.answer("/application", response())
    web.answer("/voice", response("<Reject/>"))
    assert sender.text(dialled).status == 202
    web.wait_for("/application")
    refused(sender, 603, dialled)
    web.wait_for("/voice")
    assert web.order() == ["/application", "/voice"]


def test_a_number_without_anything_for_texts_is_404(api, person, number, web):
    sender = person()
    dialled = number(VoiceUrl="")
    answer = sender.text(dialled)
    assert answer.status == 404 and "R-1612" in answer["Warning"]
    answer = refused(sender, 404, dialled)
    assert "R-1612" in answer["Warning"]


def test_a_number_answers_calls_of_clients_without_an_application(api, person, number, web):
    caller, callee = person(), person()
    dialled = number(VoiceUrl=web.url("/voice"), StatusCallback=web.url("/state"))
    web.answer("/voice", response(f"<Dial><Client>{callee.login}</Client></Dial>"))
    web.answer("/state", "")
    call = caller.call(dialled)
    ringing = callee.incoming_call()
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    bye = ringing.send("BYE")
    assert callee.expect_response(bye).status == 200
    caller.reply(call.expect("BYE"), 200)
    request = web.wait_for("/voice")
    assert (request["From"], request["To"], request["AccountSid"]) == (caller.login, dialled, api.account)
    assert eventually(lambda: web.fields("/state", "CallStatus")[-1:] == ["completed"])


# A client's own application.

@pytest.mark.parametrize("kind", ["VoiceUrl", "SmsUrl of an application", "VoiceUrl of an application"])
def test_a_text_of_a_client_with_an_application_goes_to_it(api, person, web, kind):
    if kind == "VoiceUrl":
        form = {"VoiceUrl": web.url("/app")}
    else:
        form = {"VoiceUrl": web.url("/voice"), "SmsUrl": web.url("/app")}
        if kind.startswith("Voice"):
            form = {"VoiceUrl": web.url("/app")}
        form = {"VoiceApplicationSid": api.create("Applications", FriendlyName="App", **form)["sid"]}
    sender, other = person(**form), person()
    web.answer("/app", response(f'<Sms to="client:{other.login}" from="{sender.login}">seen: hello</Sms>'))
    assert sender.text(other.login, "hello").status == 202
    request = web.wait_for("/app")
    assert (request["From"], request["To"], request["Body"]) == (sender.login, other.login, "hello")
    assert "SmsSid" in request.fields and "CallSid" not in request.fields
    received = other.expect("MESSAGE")
    assert received.body == b"seen: hello"
    other.reply(received, 200)


@pytest.mark.configuration(applications={"messages": "direct"})
def test_texts_can_be_left_alone_by_the_configuration(person, web):
    sender, other = person(VoiceUrl=web.url("/app")), person()
    sender.send_text(other.login, "hello")
    received = other.expect("MESSAGE")
    other.reply(received, 200)
    assert sender.expect_response(sender.answered).status == 200
    assert web.order() == []


def test_a_text_that_is_none_is_refused(person, number, web):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    for kind, body in [("application/json", b"{}"), ("text/plain", b"")]:
        request = sender.request("MESSAGE", dialled, [("Content-Type", kind)], body)
        sender.send_with_credentials(request)
        assert sender.expect_response(sender.answered).status in (406, 415)
    assert web.order() == []


# Failures.

@pytest.mark.parametrize("mode", ["status", "hang", "no-document"])
def test_a_failed_fetch_uses_the_fallback_and_is_noted(api, person, number, web, mode):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"), SmsFallbackUrl=web.url("/fallback"), SmsFallbackMethod="GET")
    web.answer("/sms", {"status": web.status(500), "hang": web.hang(8), "no-document": Reply("no")}[mode])
    web.answer("/fallback", response("<Sms>by the fallback</Sms>"))
    assert sender.text(dialled).status == 202
    received = sender.wait(lambda message: message.is_request and message.method == "MESSAGE", "the answer", 8)
    assert received.body == b"by the fallback"
    sender.reply(received, 200)
    request = web.wait_for("/fallback")
    assert request.method == "GET" and request["Body"] == "Hello"
    noted = notifications(api, f"SMS/Messages/{request['SmsSid']}")
    assert noted[0]["sms_sid"] == request["SmsSid"] and noted[0]["request_url"] == web.url("/sms")


def test_verbs_of_calls_are_skipped_with_a_notification(api, person, number, web):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response("<Dial>client:x</Dial>", "<Say>x</Say>", "<Sms>all the same</Sms>"))
    sender.text(dialled)
    sender.reply(sender.expect("MESSAGE"), 200)
    noted = notifications(api, f"SMS/Messages/{web.wait_for('/sms')['SmsSid']}", 2)
    assert {note["error_code"] for note in noted} == {12_202, 12_201}


def test_a_redirect_of_a_text_is_followed(person, number, web):
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response('<Redirect method="GET">/next</Redirect>'))
    web.answer("/next", response("<Sms>next</Sms>"))
    sender.text(dialled)
    received = sender.expect("MESSAGE")
    assert received.body == b"next"
    sender.reply(received, 200)
    assert web.wait_for("/next").method == "GET"


def test_an_answer_to_nobody_is_a_failed_record(api, person, number, web):
    sender = person()
    nobody = person(registered=False)
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response(f'<Sms to="{nobody.login}">hello?</Sms>'))
    sender.text(dialled)
    failed, = texts(api, To=nobody.login)
    assert failed["status"] == "failed" and failed["error_code"] == "R-1303"


# Texts of the API.

def test_a_text_of_the_api_comes_from_a_number_and_is_recorded(api, person, number):
    receiver, sender = person(), number()
    made = api.create("SMS/Messages", From=sender, To=receiver.login, Body="by the API")
    received = receiver.expect("MESSAGE")
    assert received.body == b"by the API" and uri_of(received["From"]).startswith(f"sip:{sender}@")
    receiver.reply(received, 200)
    assert texts(api, To=receiver.login)[0]["sid"] == made["sid"]


def test_a_text_of_the_api_to_an_outside_number_needs_a_gateway(api, person):
    sender = person()
    answer = api.post("SMS/Messages.json", From=sender.login, To="+4930999", Body="x")
    assert answer.status == 400 and answer.json()["parameter"] == "To"


def test_many_texts_to_a_number_are_all_asked_for(person, number, web):
    """Fast: what is slow here is the test's own server."""
    sender = person()
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response())
    began = time.monotonic()
    for count in range(50):
        assert sender.text(dialled, f"text {count}").status == 202
    assert time.monotonic() - began < 10
    bodies = [request["Body"] for request in web.wait_for_all("/sms", 50, 10)]
    assert sorted(bodies) == sorted(f"text {count}" for count in range(50))
