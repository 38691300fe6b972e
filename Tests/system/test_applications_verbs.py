"""Each verb of RCML with its attributes, and what becomes of a document that has others."""

import time

import pytest

from applications import calls, dial, dial_client, family, hang_up, notifications, only_call, refused, talk
from conftest import eventually
from sip import uri_of
from webapp import LOCAL, Reply, response

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL


@pytest.fixture
def caller(person, web):
    return person(VoiceUrl=web.url("/app/voice?key=1"))


def run(web, *verbs):
    web.answer("/app/voice", response(*verbs))


@pytest.mark.parametrize(["verb", "status", "code"], [
    ("<Reject/>", 603, "R-1605"), ('<Reject reason="rejected"/>', 603, "R-1605"), ('<Reject reason="busy"/>', 486, "R-1606"),
    ("<Hangup/>", 603, "R-1605"), ('<Pause length="0"/><Reject reason="busy"/>', 486, "R-1606"),
    ("<!-- a comment --><Reject reason='busy'></Reject>", 486, "R-1606"),
])
def test_a_verb_refuses_the_call_with_its_reason(api, caller, web, verb, status, code):
    run(web, verb)
    answer = refused(caller, status)
    assert code in answer["Warning"]
    record = only_call(api, caller.login)
    assert record["sip_code"] == status and record["reason_code"] == code


def test_a_bad_reason_is_rejected_with_a_notification(api, caller, web):
    run(web, '<Reject reason="tired"/>')
    refused(caller, 603)
    noted, = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert noted["error_code"] == 13_810 and "tired" in noted["message_text"] and noted["line"] == 2


def test_a_pause_takes_its_time(caller, web):
    run(web, '<Pause length="1"/><Reject/>')
    began = time.monotonic()
    refused(caller, 603)
    assert 0.9 < time.monotonic() - began < 3


@pytest.mark.parametrize(["target", "path"], [
    ("/other", "/other"), ("other?x=1", "/app/other"), ("../other", "/other"), ("http", "/whole"),
])
def test_a_redirect_resolves_its_url(caller, web, target, path):
    if target == "http":
        target = web.url("/whole")
    run(web, f"<Redirect>\n  {target}\n</Redirect><Reject/>")
    web.answer(path, response('<Reject reason="busy"/>'))
    refused(caller, 486)
    request = web.wait_for(path)
    assert request.method == "POST" and request["CallStatus"] == "ringing" and request["From"] == caller.login


def test_a_redirect_can_be_a_get_and_keeps_the_query_of_its_url(caller, web):
    run(web, '<Redirect method="GET">/next?a=1&amp;b=2</Redirect>')
    web.answer("/next", response('<Reject reason="busy"/>'))
    refused(caller, 486)
    request = web.wait_for("/next")
    assert request.method == "GET" and request.pairs[:2] == [("a", "1"), ("b", "2")] and "CallSid" in request.fields


def test_nested_responses_run_in_the_order_of_the_document(caller, web):
    run(web, '<Response><Pause length="0"/><Response><Redirect>/inner</Redirect></Response></Response><Reject/>')
    web.answer("/inner", response('<Reject reason="busy"/>'))
    refused(caller, 486)
    web.wait_for("/inner")


# Dial.

@pytest.mark.parametrize("text", ["client:{}", "<Client>{}</Client>", "\n <Client> {} </Client>\n", "client:{}?X-A=1"])
def test_a_client_is_dialled_by_text_and_by_noun(caller, person, web, text):
    callee = person()
    run(web, f"<Dial>{text.format(callee.login)}</Dial>")
    hang_up(*talk(caller, callee))


@pytest.mark.parametrize("noun", ["<Sip>sip:{0}@rollcall.test</Sip>", "<Uri>sip:{0}@rollcall.test</Uri>", "{0}@rollcall.test"])
def test_a_sip_uri_of_our_domain_is_a_client(caller, person, web, noun):
    callee = person()
    run(web, f"<Dial>{noun.format(callee.login)}</Dial>")
    hang_up(*talk(caller, callee))


def test_custom_headers_reach_the_callee(caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}?X-Ticket=7&amp;Other=a%20b&amp;X-Own=mine</Client>"))
    call, answered = talk(caller, callee, headers=[("X-Caller", "c"), ("X-Own", "caller's"), ("Subject", "hidden?")])
    invite = answered.invite
    assert (invite["X-Ticket"], invite["X-Other"], invite["X-Caller"]) == ("7", "a b", "c")
    assert invite.lines("X-Own") == ["mine"]
    hang_up(call, answered)


def dial_inner(inner, attributes=""):
    return f"<Dial{attributes}>{inner}</Dial>"


def test_the_caller_id_is_shown_to_the_callee(api, caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}</Client>", ' callerId="+4930555"'))
    call, answered = talk(caller, callee)
    assert uri_of(answered.invite["From"]).startswith("sip:+4930555@")
    hang_up(call, answered)
    _, (child,) = family(api, caller.login)
    assert child["from"] == "+4930555"


def test_without_a_caller_id_the_callee_sees_the_caller(caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}</Client>"))
    call, answered = talk(caller, callee)
    assert uri_of(answered.invite["From"]).startswith(f"sip:{caller.login}@")
    hang_up(call, answered)


def test_several_nouns_ring_at_once_and_one_call_comes_about(api, caller, person, web):
    first, second = person(), person()
    run(web, dial_inner(f"<Client>{first.login}</Client><Client>{second.login}</Client>", ' action="/after"'))
    web.answer("/after", response())
    call = caller.call("1")
    rings = [first.incoming_call(), second.incoming_call()]
    for ringing in rings:
        ringing.reply(180)
    rings[1].reply(200)
    call.expect(200)
    call.ack()
    rings[1].expect("ACK")
    rings[0].be_cancelled()
    hang_up(call, rings[1])
    parent, children = family(api, caller.login)
    assert sorted(child["status"] for child in children) == ["canceled", "completed"]
    assert web.wait_for("/after")["DialCallSid"] == next(
        child["sid"] for child in children if child["status"] == "completed")


def test_one_busy_noun_leaves_the_other_ringing(caller, person, web):
    first, second = person(), person()
    run(web, dial_inner(f"<Client>{first.login}</Client><Client>{second.login}</Client>"))
    call = caller.call("1")
    other = second.incoming_call()
    first.incoming_call().refuse(486)
    other.reply(200)
    call.expect(200)
    call.ack()
    other.expect("ACK")
    hang_up(call, other)


def test_the_ringing_ends_by_its_timeout(api, caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}</Client>", ' timeout="1" action="/after"'))
    web.answer("/after", response())
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(180)
    began = time.monotonic()
    ringing.be_cancelled()
    assert 0.5 < time.monotonic() - began < 3
    assert call.expect_final().status in (408, 480)
    assert web.wait_for("/after")["DialCallStatus"] == "no-answer"
    _, (child,) = family(api, caller.login)
    assert child["status"] == "no-answer"


def test_the_talk_ends_by_its_time_limit_and_the_next_verb_runs(api, caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}</Client>", ' timeLimit="1"'), "<Hangup/>")
    call, answered = talk(caller, callee)
    for side in (answered, call):
        bye = side.expect("BYE")
        side.phone.reply(bye, 200)
    parent, (child,) = family(api, caller.login)
    assert (parent["status"], child["status"]) == ("completed", "completed") and child["duration"] in (1, 2)


def test_without_action_the_next_verb_runs_after_a_failed_dial(caller, person, web):
    first, second = person(), person()
    run(web, dial_inner(f"<Client>{first.login}</Client>"), dial_inner(f"<Client>{second.login}</Client>"))
    call = caller.call("1")
    first.incoming_call().refuse(486)
    ringing = second.incoming_call()
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_the_action_decides_what_follows(caller, person, web):
    callee = person()
    run(web, dial_inner(f"<Client>{callee.login}</Client>", ' action="after" method="GET"'), "<Reject/>")
    web.answer("/app/after", response('<Reject reason="busy"/>'))
    call = caller.call("1")
    callee.incoming_call().refuse(404)
    assert call.expect_final().status == 486
    assert web.wait_for("/app/after").method == "GET"


def test_a_document_runs_on_the_callee_before_the_two_are_connected(api, caller, person, web):
    callee = person()
    run(web, dial_inner(f'<Client url="/screen" method="GET">{callee.login}</Client>'))
    web.answer("/screen", Reply(response(), delay=0.3))
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(200)
    screen = web.wait_for("/screen")
    assert screen.method == "GET" and screen["To"] == callee.login and screen["Direction"] == "outbound-dial"
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)
    parent, (child,) = family(api, caller.login)
    assert screen["ParentCallSid"] == parent["sid"] and screen["CallSid"] == child["sid"]


@pytest.mark.parametrize("verb", ["<Hangup/>", "<Reject/>", '<Pause length="0"/><Hangup/>'])
def test_the_document_of_the_callee_can_refuse(api, caller, person, web, verb):
    callee = person()
    run(web, dial_inner(f'<Client url="/screen">{callee.login}</Client>', ' action="/after"'))
    web.answer("/screen", response(verb))
    web.answer("/after", response())
    call = caller.call("1")
    ringing = callee.incoming_call()
    ringing.reply(200)
    bye = ringing.expect("BYE")
    callee.reply(bye, 200)
    assert call.expect_final().status == 603
    assert web.wait_for("/after")["DialCallStatus"] == "busy"


@pytest.mark.parametrize(["attribute", "code"], [
    ('timeout="soon"', 13_212), ('timeLimit="-1"', 13_216), ('method="PUT" action="/after"', 13_210),
])
def test_a_bad_attribute_is_noted_and_the_default_holds(api, caller, person, web, attribute, code):
    callee = person()
    run(web, "\n", dial_inner(f"<Client>{callee.login}</Client>", f" {attribute}"))
    web.answer("/after", response())
    hang_up(*talk(caller, callee))
    parent, _ = family(api, caller.login)
    noted, = notifications(api, f"Calls/{parent['sid']}")
    assert noted["error_code"] == code and noted["log"] == 1 and noted["line"] == 3


# Texts within a call.

def test_a_call_texts_its_caller_and_a_third(api, caller, person, web):
    third = person()
    run(web, f'<Sms>Ticket 7 &lt;ok&gt;</Sms><Sms to="client:{third.login}" from="+4930555">for you</Sms>', "<Reject/>")
    call = caller.call("hotline")
    received = caller.expect("MESSAGE")
    assert received.body == b"Ticket 7 <ok>" and uri_of(received["From"]).startswith("sip:hotline@")
    caller.reply(received, 200)
    other = third.expect("MESSAGE")
    assert other.body == b"for you" and uri_of(other["From"]).startswith("sip:+4930555@")
    third.reply(other, 200)
    assert call.expect_final().status == 603

    def delivered():
        texts = api.fetch("Messages", To=caller.login)["messages"]
        return texts and texts[0]["status"] == "delivered" and texts[0]
    text = eventually(delivered)
    assert text and text["direction"] == "outbound-call" and text["body"] == "Ticket 7 <ok>"


def test_the_action_of_a_text_goes_on(caller, web):
    run(web, '<Sms action="/sent">hello</Sms><Reject/>')
    web.answer("/sent", response('<Reject reason="busy"/>'))
    call = caller.call("hotline")
    caller.reply(caller.expect("MESSAGE"), 200)
    assert call.expect_final().status == 486
    sent = web.wait_for("/sent")
    assert sent["SmsStatus"] == "sending" and sent["MessageSid"].startswith("SM") and sent["Body"] == "hello"


# What cannot be run.

@pytest.mark.parametrize("verb", ["<Say>hello</Say>", "<Play>/a.wav</Play>", "<Gather/>", "<Record/>", "<Say/><Play/>"])
def test_media_alone_ends_the_call_with_488_and_says_why(api, caller, web, verb):
    run(web, verb)
    answer = refused(caller, 488)
    assert "R-1604" in answer["Warning"]
    noted = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    name = verb[1:verb.index(">")].strip("/")
    assert any(name in note["message_text"] and note["error_code"] == 12_201 for note in noted)


@pytest.mark.parametrize("verb", ["<Say>hello</Say>", "<Dance/>", "<Enqueue>x</Enqueue>"])
def test_what_cannot_be_run_is_skipped_with_a_notification(api, caller, person, web, verb):
    callee = person()
    run(web, verb, dial_inner(f"<Client>{callee.login}</Client>"))
    hang_up(*talk(caller, callee))
    parent, _ = family(api, caller.login)
    noted, = notifications(api, f"Calls/{parent['sid']}")
    assert verb[1:].split(">")[0].strip("/") in noted["message_text"]
    assert noted["request_url"] == web.url("/app/voice"), "without the query"


def test_an_empty_document_is_488_at_once(caller, web):
    run(web)
    began = time.monotonic()
    refused(caller, 488)
    assert time.monotonic() - began < 2
