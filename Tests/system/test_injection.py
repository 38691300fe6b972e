"""Text that wants to be more than text: header lines through the API, markup, SQL, log lines in names and headers."""

import sqlite3
import urllib.parse

import pytest

from api import assert_refused
from conftest import eventually
from daemon import parse_logfmt
from phone import connect
from sip import token

SHARES_ONE_DAEMON = True

LINE_ENDS = ("\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "x\x00y", "\x1b[31mred", "\x7f", "\u0085next", "\u2028line")
MARKUP = ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "]]><!--", "&lt;&#60;&amp;",
    "javascript:alert(1)")
SQL = ("' OR '1'='1", "'; DROP TABLE client; --", '" OR ""="', "1; DELETE FROM binding", "%", "_", "\\")


# Forged headers through the API.

@pytest.mark.parametrize("text", LINE_ENDS, ids=ascii)
@pytest.mark.parametrize("parameter", ["Login", "Password", "FriendlyName", "VoiceUrl"])
def test_no_line_end_or_control_character_gets_into_a_client(api, parameter, text):
    form = {"Login": f"forged-{token(4)}", "Password": "s3cret", parameter: f"x{text}"}
    answer = api.post("Clients.json", **form)
    ends_no_line_of_sip = text[0] in "\u0085\u2028"
    if answer.status == 200 and ends_no_line_of_sip:
        assert parameter == "FriendlyName" or parameter == "Password"
        return
    assert_refused(answer, 400, parameter=parameter)
    assert b"\r" not in answer.body and "X-Evil" not in answer


@pytest.mark.parametrize("text", LINE_ENDS[:3], ids=ascii)
def test_no_line_end_in_a_path_or_a_query_forges_a_header_of_the_answer(api, text):
    paths = f"Clients/CL{'0' * 30}{urllib.parse.quote(text)}.json", f"{urllib.parse.quote(text)}.json"
    answers = [api.get(path) for path in paths]
    for answer in [*answers, api.get("Clients.json", Login="x" + text), api.get("Calls.json", From=text)]:
        assert "X-Evil" not in answer and answer.status in (200, 400, 404), answer


def test_a_clients_name_is_in_no_sip_message(api, person):
    """What the API takes as a name is for people who look at lists: SIP has the display name of the phone itself."""
    alice, bob = person(FriendlyName='Alice" <sip:evil@example.com>'), person()
    call, answered = connect(alice, bob)
    assert b"evil" not in bytes(answered.invite)
    call.hang_up(answered)


# Markup.

@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_headers_of_a_phone_is_text_in_every_answer(api, person, text):
    alice = person(registered=False)
    quoted = text.replace('"', '\\"')
    alice.register(User_Agent=text, From=f'"{quoted}" <{alice.address_of_record}>;tag={token()}')
    path = f"Clients/{alice.sid}/Registrations"
    (entry,) = api.fetch(path)
    assert entry["user_agent"] == text
    answer = api.get(path)
    assert answer.xml()[0][0].findtext("UserAgent") == text
    for answer in (answer, api.get(f"{path}.json")):
        assert answer.media_type in ("application/json", "application/xml"), "no browser takes it for a page"
        assert answer["X-Content-Type-Options"] in (None, "nosniff")
    assert b"<script" not in api.get(path).body and b"<img" not in api.get(path).body


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_a_name_is_text_in_every_answer(api, person, text):
    alice = person(registered=False, FriendlyName=text)
    assert api.fetch(f"Clients/{alice.sid}")["friendly_name"] == text
    answer = api.get(f"Clients/{alice.sid}")
    assert answer.xml()[0].findtext("FriendlyName") == text
    assert b"<script" not in answer.body and b"<img" not in answer.body


def test_markup_of_a_refused_request_does_not_come_back_as_a_page(api):
    for text in MARKUP:
        answer = api.post("Clients.json", Login=text, Password="x")
        assert answer.media_type == "application/json" and answer.status == 400
    answer = api.get("/<script>alert(1)</script>".replace("<", "%3C").replace(">", "%3E"))
    assert answer.media_type in ("application/json", "application/xml") and b"<script" not in answer.body


# SQL.

@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_filter_finds_nothing_and_changes_nothing(server, api, person, text):
    person(registered=False)
    for path, name in (("Clients", "Login"), ("Clients", "FriendlyName"), ("Applications", "FriendlyName")):
        found = api.fetch(path, **{name: text})
        assert not (found if isinstance(found, list) else next(
            value for value in found.values() if isinstance(value, list))), f"{path} {name} {found}"
    for path, name in (("Calls", "From"), ("Calls", "To"), ("IncomingPhoneNumbers", "PhoneNumber")):
        assert api.get(f"{path}.json", **{name: text}).status in (200, 400)
    assert len(api.fetch("Clients")) >= 1
    assert tables(server) >= {"client", "binding", "account"}


def tables(server):
    with sqlite3.connect(server.state / "rollcall.sqlite", timeout=5) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


@pytest.mark.parametrize("text", SQL)
def test_sql_in_what_a_phone_sends_is_stored_as_text(server, api, person, text):
    alice, bob = person(registered=False), person()
    alice.register(User_Agent=text)
    assert api.fetch(f"Clients/{alice.sid}/Registrations")[0]["user_agent"] == text
    alice.send_text(bob.login, text)
    bob.reply(bob.expect("MESSAGE"), 200)
    assert alice.expect_response(alice.answered).status == 200
    escaped = "".join(f"%{ord(character):02x}" for character in text)
    assert alice.text(f"sip:{escaped}@{server.domain}").status in (404, 480)
    assert tables(server) >= {"client", "binding", "account"}
    assert list(alice.bindings()) == [alice.contact_uri]


# The log.

@pytest.mark.parametrize("text", [
    "x src=udp:192.0.2.1:5060 event=reg.ok", 'x" code=R-0000 why="y', "\u202e\u2066txt", "%0d%0aevil", "\\", "a" * 3000,
], ids=["keys", "quote", "direction", "escaped line end", "backslash", "long"])
def test_text_from_the_wire_stays_within_its_value_in_the_log(server, person, text):
    alice = person(registered=False)
    alice.register(User_Agent=text)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(f"%{byte:02x}" for byte in text.encode()[:60])
    alice.send(alice.request("OPTIONS", f"sip:{escaped}@{server.domain}",
        From=f'"{quoted}" <sip:{escaped}@x>;tag={token()}'))
    alice.ask_with_credentials(alice.register_request(To=f"<sip:{escaped}@{server.domain}>"))
    assert eventually(lambda: server.events("reg.ok", user=alice.login))
    assert eventually(lambda: server.events("reg.refused"))
    for line in server.log().splitlines():
        event = parse_logfmt(line)
        assert event, f"a line is an event: {line}"
        if "src" in event and event["event"] != "api.request":
            assert "192.0.2.1" not in event["src"], line
        assert event.get("code") != "R-0000", line
        assert len(line) < 1_500, line
    (line,) = server.events("reg.ok", user=alice.login)
    if text.isprintable() and len(text) < 100:
        assert line["ua"].replace('\\"', '"').replace("\\\\", "\\") == text, "and it is readable"
