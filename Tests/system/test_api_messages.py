"""Records of texts, and texts that the HTTP API sends to phones."""

import re

import pytest

from api import API, DATE, assert_refused, fields, is_sid, sid
from conftest import eventually
from phone import Phone, connect
from sip import uri_of

SHARES_ONE_DAEMON = True
SHORT_TIMERS = {"t1": "20ms", "t2": "160ms", "t4": "200ms"}  # Timer F fires after 64 * T1 = 1.28 s.

MEMBERS = [
    "sid", "date_created", "date_updated", "date_sent", "account_sid", "from", "to", "body", "status", "direction",
    "error_code", "error_message", "sip_code", "api_version", "uri"]


def records(program, **query):
    return program.fetch("SMS/Messages", PageSize=1000, **query)["messages"]


def record_of(program, body, status=None):
    """The record of the text with this body, which must be there once and have (or soon get) a status."""
    def found():
        same = [one for one in records(program) if one["body"] == body]
        assert len(same) <= 1, "a text has one record"
        return same[0] if same and status in (None, same[0]["status"]) else None
    record = eventually(found)
    assert record, f"no record of {body!r} with the status {status}: {records(program)}"
    return record


def deliver(sender, receiver, body, status=200):
    """A text from phone to phone."""
    sender.send_text(receiver.login, body)
    request = receiver.expect("MESSAGE")
    receiver.reply(request, status)
    return sender.expect_response(sender.answered)


# Texts between clients.

def test_a_delivered_text_has_a_record(api, person):
    alice, bob = person(), person()
    assert deliver(alice, bob, "Grüße, 你好 🙂 <&>").status == 200
    record = record_of(api, "Grüße, 你好 🙂 <&>", "delivered")
    assert [name for name in MEMBERS if name in record] == list(record), "the members in their order"
    assert is_sid(record["sid"], "SM") and record["account_sid"] == api.user
    assert (record["from"], record["to"]) == (alice.login, bob.login)
    assert (record["direction"], record["sip_code"]) == ("outbound-call", 200)
    assert record["api_version"] == "2012-04-24"
    assert "error_code" not in record and "error_message" not in record
    assert all(DATE.fullmatch(record[name]) for name in ("date_created", "date_updated", "date_sent"))
    assert record["uri"] == f"/api/2012-04-24/Accounts/{api.user}/SMS/Messages/{record['sid']}.json"
    assert api.fetch(f"SMS/Messages/{record['sid']}") == record
    assert api.fetch(f"Messages/{record['sid']}") == record, "the other name of the list"
    assert api.ask("GET", record["uri"]).json() == record
    assert api.fetch("Calls", From=alice.login)["total"] == 0, "a text is not a call"


@pytest.mark.parametrize("refusal", [415, 480, 603])
def test_a_text_that_the_recipient_refuses_has_failed(api, person, refusal):
    alice, bob = person(), person()
    assert deliver(alice, bob, f"refused with {refusal}", refusal).status == refusal
    record = record_of(api, f"refused with {refusal}", "failed")
    assert record["sip_code"] == refusal
    assert re.fullmatch(r"R-14\d\d", record["error_code"]) and record["error_message"]


@pytest.mark.parametrize("callee, status, code", [("offline", 480, "R-1303"), ("nobody-at-all", 404, "R-1302")])
def test_a_text_that_reaches_nobody_has_failed(api, person, callee, status, code):
    alice = person()
    to = person(registered=False).login if callee == "offline" else callee
    assert alice.text(to, f"to {callee}").status == status
    record = record_of(api, f"to {callee}", "failed")
    assert (record["to"], record["sip_code"], record["error_code"]) == (to, status, code)
    assert record["error_message"]


def test_a_text_to_several_devices_has_one_record(api, person, server):
    alice, desk = person(), person()
    mobile = Phone(desk.server, desk.login, "s3cret", server.domain)
    mobile.register()
    alice.send_text(desk.login, "to both")
    for phone in (desk, mobile):
        phone.reply(phone.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    record_of(api, "to both", "delivered")
    mobile.close()


def test_a_retransmitted_text_has_one_record(api, person):
    alice, bob = person(), person()
    sent = alice.send_text(bob.login, "once")
    request = bob.expect("MESSAGE")
    alice.send(sent)
    bob.reply(request, 200)
    alice.expect_response(sent, 200)
    alice.send(sent)
    record_of(api, "once", "delivered")


@pytest.mark.parametrize("content_type", ["application/im-iscomposing+xml", "message/imdn+xml",
                                          "Application/im-iscomposing+xml; charset=UTF-8"])
def test_a_notice_that_somebody_writes_or_has_read_makes_no_record(api, person, content_type):
    alice, bob = person(), person()
    alice.send_text(bob.login, "<isComposing/>", Content_Type=content_type)
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    deliver(alice, bob, f"after {content_type}")
    record_of(api, f"after {content_type}", "delivered")
    assert api.fetch("SMS/Messages", From=alice.login)["total"] == 1


def test_what_is_no_text_has_a_record_without_a_body(api, person):
    alice, bob = person(), person()
    alice.send_text(bob.login, "\x89PNG", Content_Type="image/png")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    (record,) = eventually(lambda: records(api, From=alice.login))
    assert (record["status"], record.get("body", "")) == ("delivered", "")


def test_a_text_within_a_call_makes_no_record(api, person):
    alice, bob = person(), person()
    call, answered = connect(alice, bob)
    call.relay("MESSAGE", answered, headers=[("Content-Type", "text/plain")], body=b"in the call")
    call.hang_up(answered)
    deliver(alice, bob, "after the call")
    record_of(api, "after the call", "delivered")
    assert api.fetch("SMS/Messages", From=alice.login)["total"] == 1


def test_wrong_credentials_make_no_record(api, person):
    alice, bob = person(), person()
    alice.password = "wrong"
    assert alice.text(bob.login, "guessed").status == 407
    alice.password = "s3cret"
    deliver(alice, bob, "known")
    record_of(api, "known", "delivered")
    assert api.fetch("SMS/Messages", From=alice.login)["total"] == 1


def test_a_record_belongs_to_the_account_of_the_sender(api, person):
    child = api.child()
    alice, bob = person(account=child), person()
    deliver(alice, bob, "from a child account")
    assert record_of(child, "from a child account", "delivered")["account_sid"] == child.user
    deliver(bob, alice, "to a child account")
    assert record_of(api, "to a child account", "delivered")["account_sid"] == api.user
    assert [record["body"] for record in records(child)] == ["from a child account"]
    child.close()


@pytest.mark.configuration()
def test_records_survive_kill_9_and_the_log_names_them_but_not_their_words(server, api, person):
    alice, bob = person(), person()
    deliver(alice, bob, "pr1vate words")
    record = record_of(api, "pr1vate words", "delivered")
    server.wait_for_event("message.end", message=record["sid"])
    assert "pr1vate words" not in server.log()
    server.kill()
    server.start()
    assert api.fetch(f"SMS/Messages/{record['sid']}") == record


def test_an_unknown_text_is_answered_404(api):
    for name in (sid("SM"), "SM1", sid("CA")):
        assert_refused(api.get(f"SMS/Messages/{name}.json"), 404, "R-3201")


# Texts that the API sends.

@pytest.mark.parametrize("path", ["SMS/Messages", "Messages"])
@pytest.mark.parametrize("prefix", ["", "client:"])
def test_a_text_arrives_with_its_sender_and_its_words(api, person, server, path, prefix):
    alice, bob = person(), person()
    body = f"Grüße by {path} {prefix}, 你好 🙂\r\nsecond line"
    made = api.create(path, From=prefix + alice.login, To=prefix + bob.login, Body=body)
    received = bob.expect("MESSAGE")
    assert received.body == body.encode()
    assert received["Content-Type"].startswith("text/plain")
    assert uri_of(received["From"]) == f"sip:{alice.login}@{server.domain}"
    assert uri_of(received["To"]) == f"sip:{bob.login}@{server.domain}"
    assert received.from_tag and not received.to_tag
    assert int(received["Max-Forwards"]) > 0
    assert (made["status"], made["direction"]) == ("sending", "outbound-api")
    assert (made["from"], made["to"], made["body"]) == (alice.login, bob.login, body)
    assert record_of(api, body)["status"] == "sending", "until the phone has taken it"
    bob.reply(received, 200)
    record = record_of(api, body, "delivered")
    assert (record["sid"], record["sip_code"]) == (made["sid"], 200)
    assert api.fetch(f"SMS/Messages/{made['sid']}") == record
    alice.expect_silence()


def test_a_phone_answers_a_text_of_the_api(api, person):
    alice, bob = person(), person()
    api.create("Messages", From=alice.login, To=bob.login, Body="question")
    received = bob.expect("MESSAGE")
    bob.reply(received, 200)
    bob.send_text(uri_of(received["From"]), "reply")
    request = alice.expect("MESSAGE")
    assert request.body == b"reply"
    alice.reply(request, 200)
    bob.expect_response(bob.answered, 200)


def test_a_number_of_the_account_may_send(api, person):
    bob = person()
    api.create("IncomingPhoneNumbers", PhoneNumber="+12015550199")
    api.create("Messages", From="+12015550199", To=bob.login, Body="by number")
    received = bob.expect("MESSAGE")
    assert uri_of(received["From"]).startswith("sip:+12015550199@")
    bob.reply(received, 200)
    assert record_of(api, "by number", "delivered")["from"] == "+12015550199"


def test_a_text_reaches_every_device_over_every_transport(api, person, server):
    alice, desk = person(), person(transport="tcp")
    mobile = Phone(desk.server, desk.login, "s3cret", server.domain)
    mobile.register()
    api.create("Messages", From=alice.login, To=desk.login, Body="everywhere")
    for phone in (desk, mobile):
        received = phone.expect("MESSAGE")
        assert received.body == b"everywhere"
        phone.reply(received, 200)
    record_of(api, "everywhere", "delivered")
    mobile.close()


def test_a_text_crosses_accounts_of_the_domain(api, person):
    child = api.child()
    alice, bob = person(account=child), person()
    child.create("Messages", From=alice.login, To=bob.login, Body="across accounts")
    bob.reply(bob.expect("MESSAGE"), 200)
    assert record_of(child, "across accounts", "delivered")["account_sid"] == child.user
    child.close()


@pytest.mark.parametrize("refusal", [415, 603, 480])
def test_a_text_that_the_phone_refuses_has_failed(api, person, refusal):
    alice, bob = person(), person()
    made = api.create("Messages", From=alice.login, To=bob.login, Body=f"api refused {refusal}")
    bob.reply(bob.expect("MESSAGE"), refusal)
    record = record_of(api, f"api refused {refusal}", "failed")
    assert record["sid"] == made["sid"]
    assert record["sip_code"] == refusal and re.fullmatch(r"R-1\d{3}", record["error_code"]) and record["error_message"]


@pytest.mark.configuration(timers=SHORT_TIMERS)
def test_a_text_that_nobody_takes_has_failed(api, person):
    alice, bob = person(), person()
    api.create("Messages", From=alice.login, To=bob.login, Body="unanswered")
    bob.expect("MESSAGE")
    record = record_of(api, "unanswered", "failed")
    assert (record["sip_code"], record["error_code"]) == (408, "R-1401")


def test_a_recipient_who_is_not_registered_is_told_at_once(api, person):
    alice, bob = person(), person(registered=False)
    answer = api.post("SMS/Messages.json", From=alice.login, To=bob.login, Body="not there")
    assert_refused(answer, 409, "R-3408", "The dialled client has no device registered.")


def test_a_recipient_who_does_not_exist_is_refused(api, person):
    alice = person()
    for to in ("nobody-at-all", "client:nobody-at-all", "+15005550000"):
        answer = api.post("SMS/Messages.json", From=alice.login, To=to, Body="for nobody")
        assert_refused(answer, 400, "R-3302", parameter="To")
    # A number could be somebody's outside: that nobody took it is in its record.
    tried = [record for record in records(api) if record["body"] == "for nobody"]
    assert [(record["to"], record["status"]) for record in tried] == [("+15005550000", "failed")]


def test_a_sender_must_be_of_the_account(api, person):
    child = api.child()
    theirs, bob = person(account=child), person()
    number = child.create("IncomingPhoneNumbers", PhoneNumber="+12015550198")["phone_number"]
    for sender in (theirs.login, f"client:{theirs.login}", number, "nobody-at-all", "+15005550001", f"{bob.login}@x"):
        answer = api.post("SMS/Messages.json", From=sender, To=bob.login, Body="spoofed")
        assert_refused(answer, 400, "R-3302", parameter="From")
    bob.expect_silence("MESSAGE")
    child.close()


def test_a_sender_that_is_disabled_is_refused_or_sent_for_but_nothing_breaks(api, person):
    alice, bob = person(registered=False, Status="0"), person()
    answer = api.post("SMS/Messages.json", From=alice.login, To=bob.login, Body="from a disabled one")
    assert answer.status in (200, 400)


@pytest.mark.parametrize("missing", ["From", "To", "Body"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_parameter_is_named(api, person, missing, value):
    alice, bob = person(), person()
    form = {"From": alice.login, "To": bob.login, "Body": "text", missing: value}
    answer = api.post("SMS/Messages.json", **form)
    assert_refused(answer, 400, parameter=missing)
    if value is None:
        assert answer.json()["message"] == f"{missing} can not be null."
        assert answer.json()["code"] == "R-3301"
    bob.expect_silence("MESSAGE", within=0.1)


@pytest.mark.parametrize("form", [
    {"To": "bob\r\nContact: <sip:evil@host>"}, {"From": "alice>;tag=1\r\nX: y"}, {"To": "bob@elsewhere.example"},
    {"To": "sip:bob@elsewhere.example"}, {"To": "a b"}, {"To": "<bob>"}, {"From": "client:"}, {"To": "client:"},
    {"To": "\0"}], ids=ascii)
def test_an_address_that_is_none_is_refused(api, person, form):
    alice, bob = person(), person()
    answer = api.post("SMS/Messages.json", **{"From": alice.login, "To": bob.login, "Body": "text", **form})
    assert_refused(answer, 400, parameter=next(iter(form)))
    bob.expect_silence("MESSAGE", within=0.1)


def test_words_of_a_body_do_not_become_headers(api, person):
    alice, bob = person(), person()
    body = "\r\n\r\nMESSAGE sip:x@y SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    api.create("Messages", From=alice.login, To=bob.login, Body=body)
    received = bob.expect("MESSAGE")
    assert received.body == body.encode()
    bob.reply(received, 200)
    bob.expect_silence("MESSAGE")


def test_a_long_text_passes_and_a_longer_one_is_refused(api, person):
    alice, bob = person(), person(transport="tcp")
    text = "x" * 1600
    api.create("Messages", From=alice.login, To=bob.login, Body=text)
    received = bob.expect("MESSAGE")
    assert received.body == text.encode()
    bob.reply(received, 200)
    record_of(api, text, "delivered")
    answer = api.post("Messages.json", From=alice.login, To=bob.login, Body="x" * 70_000)
    assert_refused(answer, 400, "R-3302", parameter="Body")


# The list.

@pytest.fixture(scope="module")
def many(shared):
    """An account with 60 texts; a client program of it."""
    program = API.of(shared).child()
    program.create("Clients", Login="texts-anna", Password="p")
    anna = Phone(("127.0.0.1", shared.port), "texts-anna", "p", shared.domain)
    anna.register()
    for number in range(60):
        if number % 6 == 0:
            anna.send_text("texts-anna", f"note {number} 100%")
            anna.reply(anna.expect("MESSAGE"), 200)
            anna.expect_response(anna.answered, 200)
        else:
            anna.text(f"ghost-{number % 4}", f"boo {number}")
    assert eventually(lambda: program.fetch("SMS/Messages")["total"] == 60)
    yield program
    anna.close()
    program.close()


def test_the_list_comes_in_pages(many):
    pages = list(many.pages("SMS/Messages"))
    assert [len(page["messages"]) for page in pages] == [50, 10]
    assert [(page["page"], page["num_pages"], page["total"], page["start"], page["end"]) for page in pages] == [
        (0, 2, 60, "0", "49"), (1, 2, 60, "50", "59")]
    assert len({record["sid"] for page in pages for record in page["messages"]}) == 60
    assert pages[0]["messages"][0]["body"] == "note 0 100%", "in the order of creation"
    assert_refused(many.get("SMS/Messages.json", Page=2), 400, "R-3304")


def test_the_list_can_be_filtered(many):
    def total(**query):
        return many.fetch("Messages", **query)["total"]
    assert total(Status="delivered") == 10
    assert total(Status="failed") == 50
    assert total(From="anna") == 60 and total(From="texts") == 0
    assert total(To="ghost-1") == total(To="1") == sum(number % 6 != 0 and number % 4 == 1 for number in range(60))
    assert total(Body="boo") == 50
    assert total(Body="100%") == 10
    assert total(Body="o%2") == 0 and total(Body="_") == 0, "no character has a meaning of its own"
    assert total(StartTime="2001-01-01") == 60 and total(EndTime="2001-01-01") == 0
    for query in ({"Status": "lost"}, {"StartTime": "yesterday"}, {"EndTime": "2026-02-30"}):
        assert_refused(many.get("Messages.json", **query), 400, parameter=next(iter(query)))


def test_the_list_in_xml(many):
    (texts,) = many.get("SMS/Messages", PageSize=2).xml()
    assert texts.tag == "SMSMessages"
    assert (texts.get("page"), texts.get("numpages"), texts.get("pagesize"), texts.get("total")) == ("0", "30", "2", "60")
    assert [text.tag for text in texts] == ["SMSMessage"] * 2
    shown = dict(fields(texts[0]))
    assert (shown["From"], shown["To"], shown["Body"]) == ("texts-anna", "texts-anna", "note 0 100%")
    assert (shown["Status"], shown["Direction"]) == ("delivered", "outbound-call")
