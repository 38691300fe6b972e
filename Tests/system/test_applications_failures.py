"""Each way in which an application can fail, with a fallback and without: a final answer in time, and a notification."""

import time

import pytest

from applications import notifications, only_call, refused
from daemon import free_port
from webapp import LOCAL, Reply, WebApp, response

SHARES_ONE_DAEMON = True
DEADLINE = 2.0
CONFIGURATION = {"applications": {**LOCAL["applications"], "deadline": f"{DEADLINE:g}s"}}
BUSY = response('<Reject reason="busy"/>')


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """An application whose certificate nobody has signed."""
    made = WebApp(tmp_path_factory.mktemp("tls"), https=True)
    made.answer("/voice", BUSY)
    yield made
    made.close()


# Name: (what the URL is, or None for the test's server; how that answers; status without a fallback; code of the note)
FAILURES = {
    "404": (None, lambda web: web.status(404), 404, 21_402),
    "403": (None, lambda web: web.status(403), 500, 11_206),
    "500": (None, lambda web: web.status(500), 500, 11_206),
    "hangs": (None, lambda web: web.hang(), 504, 11_205),
    "trickles": (None, lambda web: web.trickle(), 504, 11_205),
    "closes": (None, lambda web: Reply(act=web.drop), 500, 11_205),
    "breaks": (None, lambda web: web.broken(), 500, 11_205),
    "bad-xml": (None, lambda web: "<Response>\n  <Reject>\n</Response>", 500, 12_100),
    "no-xml": (None, lambda web: "hello", 500, 12_100),
    "empty-body": (None, lambda web: "", 500, 12_100),
    "another-root": (None, lambda web: "<html><body/></html>", 500, 12_100),
    "entities": (None, lambda web: '<!DOCTYPE r [<!ENTITY a "b">]><Response><Reject/></Response>', 500, 12_100),
    "not-utf-8": (None, lambda web: Reply(b"<Response><Sms>\xff\xfe</Sms></Response>"), 500, 12_100),
    "sound": (None, lambda web: Reply(b"RIFF", content_type="audio/wav"), 500, 12_300),
    "10-MB": (None, lambda web: web.large(), 500, 11_206),
    "circle": (None, lambda web: web.redirect("/voice"), 500, 11_206),
    "redirect-to-file": (None, lambda web: web.redirect("file:///etc/passwd"), 500, None),
    "closed-port": (lambda: f"http://127.0.0.1:{free_port()}/voice", None, 500, 11_205),
    "no-such-name": (lambda: "http://application.invalid/voice", None, 500, 11_205),
    "not-allowed": (lambda: "http://169.254.169.254/latest/meta-data", None, 500, 11_100),
    "not-allowed-in-ipv6": (lambda: "http://[fe80::1]/", None, 500, 11_100),
}


@pytest.fixture(params=FAILURES)
def failing(request, web):
    """The URL of an application that fails, the status of a call without a fallback, the code of its notification."""
    place, script, status, code = FAILURES[request.param]
    if script:
        web.answer("/voice", script(web))
    return place() if place else web.url("/voice?secret=1"), status, code


def test_a_failure_gives_the_caller_a_final_answer_in_time_and_a_notification(api, person, failing):
    url, status, code = failing
    caller = person(VoiceUrl=url)
    began = time.monotonic()
    answer = refused(caller, status, within=DEADLINE + 4)
    assert time.monotonic() - began < DEADLINE + 1.5
    assert "399 " in answer["Warning"]
    record = only_call(api, caller.login)
    assert record["status"] == "failed" and record["sip_code"] == status
    noted = notifications(api, f"Calls/{record['sid']}")
    assert all(note["log"] == 0 for note in noted)
    assert code is None or code in [note["error_code"] for note in noted], noted
    assert any(note.get("request_url", "").startswith(url.split("?")[0]) for note in noted)
    assert "secret" not in str(noted)


def test_a_failure_is_made_up_for_by_the_fallback(api, person, web, failing):
    url, _, code = failing
    caller = person(VoiceUrl=url, VoiceFallbackUrl=web.url("/fallback"), VoiceFallbackMethod="GET")
    web.answer("/fallback", BUSY)
    began = time.monotonic()
    refused(caller, 486, within=DEADLINE + 4)
    assert time.monotonic() - began < DEADLINE + 0.5
    request = web.wait_for("/fallback")
    assert request.method == "GET" and request["From"] == caller.login and request["CallStatus"] == "ringing"
    noted = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert code is None or code in [note["error_code"] for note in noted], noted


@pytest.mark.parametrize("has_fallback", [False, True])
def test_a_certificate_that_nobody_signed_is_not_trusted(api, person, web, tls, has_fallback):
    web.answer("/fallback", BUSY)
    caller = person(VoiceUrl=tls.url("/voice"), VoiceFallbackUrl=web.url("/fallback") if has_fallback else "")
    refused(caller, 486 if has_fallback else 500, within=DEADLINE + 4)
    noted, = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert "certificate" in noted["message_text"].lower()
    assert tls.of("/voice") == []


def test_the_line_and_the_column_of_a_broken_document_are_told(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", '<?xml version="1.0"?>\n<Response>\n  <Dial></Dail>\n</Response>')
    refused(caller, 500)
    noted, = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert noted["line"] == 3 and noted["column"] > 2


def test_both_fail(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"), VoiceFallbackUrl=web.url("/fallback"))
    web.answer("/voice", web.status(500))
    web.answer("/fallback", web.status(502))
    refused(caller, 500)
    noted = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}", 2)
    assert [note["request_url"] for note in noted][:2] == [web.url("/voice"), web.url("/fallback")]


def test_both_hang_and_the_deadline_is_one(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"), VoiceFallbackUrl=web.url("/fallback"))
    for path in ("/voice", "/fallback"):
        web.answer(path, web.hang())
    began = time.monotonic()
    refused(caller, 504, within=DEADLINE + 4)
    assert DEADLINE - 0.3 < time.monotonic() - began < DEADLINE + 1
    web.wait_for("/fallback")


def test_a_failure_of_a_later_document_does_not_use_the_fallback(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"), VoiceFallbackUrl=web.url("/fallback"))
    web.answer("/voice", response("<Redirect>/gone</Redirect>"))
    refused(caller, 500)
    assert web.order() == ["/voice", "/gone"]
    noted, = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert noted["error_code"] == 21_402


def test_a_circle_of_documents_ends(api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", response("<Redirect>/voice</Redirect>"))
    refused(caller, 500, within=DEADLINE * 5)
    assert len(web.of("/voice")) <= 100
    noted = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
    assert noted[-1]["error_code"] == 14_106


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_redirects_of_http_keep_method_and_parameters(person, web, status):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", web.redirect("/moved?x=1", status))
    web.answer("/moved", BUSY)
    refused(caller, 486)
    request = web.wait_for("/moved")
    assert request["From"] == caller.login
    # RFC 9110 15.4.4: behind a 303 the other resource is read.
    assert (request.method, request.query.split("&")[0]) == ("GET" if status == 303 else "POST", "x=1")


def test_relative_urls_are_those_of_the_place_where_the_document_was(person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", web.redirect("/deep/document"))
    web.answer("/deep/document", response("<Redirect>next</Redirect>"))
    web.answer("/deep/next", BUSY)
    refused(caller, 486)
    web.wait_for("/deep/next")


@pytest.mark.configuration(applications={"allow": []})
def test_addresses_of_this_machine_are_refused_unless_they_are_allowed(api, person, web):
    web.answer("/voice", BUSY)
    for url in (web.url("/voice"), web.url("/voice").replace("127.0.0.1", "localhost"), "http://0.0.0.0:1/"):
        caller = person(VoiceUrl=url)
        refused(caller, 500)
        noted, = notifications(api, f"Calls/{only_call(api, caller.login)['sid']}")
        assert noted["error_code"] == 11_100 and "applications.allow" in noted["message_text"]
    assert web.order() == []


def test_a_thousand_bytes_of_headers_do_not_matter_and_the_answer_may_be_chunked(person, web):
    def chunked(handler):
        body = BUSY.encode()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
                            + b"X-Long: " + b"x" * 1000 + b"\r\n\r\n")
        for start in range(0, len(body), 7):
            piece = body[start:start + 7]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", Reply(act=chunked))
    refused(caller, 486)


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml", "text/html; charset=utf-8", "TEXT/XML"])
def test_these_types_of_content_are_documents(person, web, content_type):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", Reply(BUSY, content_type=content_type))
    refused(caller, 486)


def test_a_lone_ampersand_is_repaired(person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", response("<Redirect>/next?a=1&b=2</Redirect>"))
    web.answer("/next", BUSY)
    refused(caller, 486)
    assert web.wait_for("/next").query == "a=1&b=2"


def test_a_plain_call_does_not_wait_for_slow_applications(person, web):
    slow = [person(VoiceUrl=web.url("/voice")) for _ in range(30)]
    caller, callee = person(), person()
    web.answer("/voice", web.hang())
    waiting = [one.call("1") for one in slow]
    web.wait_for_all("/voice", len(slow))
    began = time.monotonic()
    call = caller.call(callee.login)
    ringing = callee.incoming_call()
    ringing.reply(200)
    call.expect(200)
    assert time.monotonic() - began < 1
    call.ack()
    ringing.expect("ACK")
    call.hang_up(ringing)
    assert {call.expect_final(DEADLINE + 4).status for call in waiting} == {504}
