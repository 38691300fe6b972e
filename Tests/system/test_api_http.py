"""The HTTP server of the API: RFC 9110 and 9112 in ordinary use, and what hostile or broken peers send."""

import json
import random
import re
import resource
import socket
import sqlite3
import threading
import time
import urllib.parse

import pytest

from api import API, FORM, REALM, Answer, Raw, assert_refused, fresh_source
from conftest import CLIENTS, eventually
from daemon import Daemon, descriptors, resident, sockets
from phone import Phone

SHARES_ONE_DAEMON = True
MEGABYTE = 1 << 20


@pytest.fixture
def raw(server):
    """Makes plain connections: `raw()`, `raw(source="127.0.0.2")`."""
    made = []

    def dial(**options):
        made.append(Raw(server.api_port, **options))
        return made[-1]

    yield dial
    for connection in made:
        connection.close()


def serves(api):
    """Whether the API answers a new connection."""
    program = api.copy()
    try:
        return program.get("Clients.json", PageSize=1).status == 200
    finally:
        program.close()


# Ordinary use.

def test_a_connection_serves_many_requests(api, raw):
    connection = raw()
    for _ in range(200):
        answer = connection.send(api.written("GET", "Clients.json", query={"Login": "alice"})).answer()
        assert answer.status == 200 and answer.json()[0]["login"] == "alice"
        assert (answer["Connection"] or "").lower() != "close"


@pytest.mark.parametrize("version, headers, kept", [
    ("HTTP/1.1", ["Connection: close"], False), ("HTTP/1.1", ["Connection: CLOSE, x"], False), ("HTTP/1.0", [], False),
    ("HTTP/1.1", [], True), ("HTTP/1.1", ["Connection: keep-alive"], True)])
def test_a_connection_is_closed_when_asked_for(api, raw, version, headers, kept):
    connection = raw()
    connection.send(api.written("GET", "Clients.json", headers).replace(b"HTTP/1.1", version.encode(), 1))
    answer = connection.answer()
    assert answer.status == 200
    assert connection.is_closed(within=0.3) is not kept
    assert kept or answer["Connection"].lower() == "close"


def test_pipelined_requests_are_answered_in_their_order(api, raw):
    names = [CLIENTS[number % 4] for number in range(100)]
    connection = raw().send(b"".join(api.written("GET", "Clients.json", query={"Login": name}) for name in names))
    assert [connection.answer().json()[0]["login"] for _ in names] == names


def test_pipelined_changes_happen_one_after_the_other(api, raw):
    made = api.create("Clients", Login="pipelined", Password="p")
    path = f"Clients/{made['sid']}.json"
    connection = raw().send(
        b"".join(api.written("PUT", path, body=f"FriendlyName=name{number}".encode()) + api.written("GET", path)
                 for number in range(30)) + api.written("DELETE", path) + api.written("GET", path))
    for number in range(30):
        assert [connection.answer().json()["friendly_name"] for _ in range(2)] == [f"name{number}"] * 2
    assert [connection.answer().status for _ in range(2)] == [200, 404]


def test_a_request_may_come_byte_by_byte(api, raw):
    made = api.create("Clients", Login="bytewise", Password="p")
    connection = raw()
    for byte in api.written("PUT", f"Clients/{made['sid']}.json", body=b"FriendlyName=slowly"):
        connection.send(bytes([byte]))
    assert connection.answer().json()["friendly_name"] == "slowly"
    api.remove(f"Clients/{made['sid']}")


@pytest.mark.parametrize("body", [
    b"5\r\nLogin\r\n14\r\n=chunked&Password=pw\r\n0\r\n\r\n",
    b"05\r\nLogin\r\n00014\r\n=chunked&Password=pw\r\n000\r\n\r\n",
    b"5;name=value\r\nLogin\r\n14;x=\"quoted \\\" text\"\r\n=chunked&Password=pw\r\n0\r\n\r\n",
    b"5\r\nLogin\r\n14\r\n=chunked&Password=pw\r\n0\r\nX-Trailer: ignored\r\n\r\n",
    b"".join(b"1\r\n%c\r\n" % byte for byte in b"Login=chunked&Password=pw") + b"0\r\n\r\n",
], ids=["plain", "zeros", "extensions", "trailer", "single bytes"])
def test_a_chunked_body_is_read(api, raw, body):
    headers = ["Transfer-Encoding: chunked", f"Content-Type: {FORM}"]
    connection = raw().send(api.written("POST", "Clients.json", headers) + body + api.written("GET", "Clients.json"))
    answer = connection.answer()
    assert answer.status == 200, answer
    assert (answer.json()["login"], answer.json()["password"]) == ("chunked", "pw")
    assert connection.answer().status == 200, "the next request begins where the body ends"
    api.remove(f"Clients/{answer.json()['sid']}")


def test_100_continue_comes_before_the_body_is_sent(api, raw):
    body = b"Login=continued&Password=p"
    head = api.written("POST", "Clients.json", [
        f"Content-Length: {len(body)}", f"Content-Type: {FORM}", "Expect: 100-continue"])
    connection = raw().send(head)
    assert connection.answer().status == 100
    answer = connection.send(body).answer()
    assert answer.json()["login"] == "continued"
    api.remove(f"Clients/{answer.json()['sid']}")


def test_an_unknown_expectation_is_answered_417(api, raw):
    answer = raw().send(api.written("GET", "Clients.json", ["Expect: miracles"])).answer()
    assert_refused(answer, 417)


@pytest.mark.parametrize("path", ["Clients.json", "Clients", "Calls.json", "Clients/CLx.json", "/openapi.json"])
def test_head_is_get_without_the_body(api, path):
    head, get = api.ask("HEAD", path), api.ask("GET", path)
    assert (head.status, head.body) == (get.status, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head[name] == get[name] or (name == "Content-Length" and head[name] is None), name


def test_a_head_leaves_the_connection_in_step(api, raw):
    connection = raw().send(api.written("HEAD", "Clients.json") + api.written("GET", "Clients.json"))
    assert connection.answer("HEAD").status == 200
    assert connection.answer().json()


@pytest.mark.parametrize("path, methods", [
    ("Clients.json", {"GET", "POST"}), ("Clients/CL1", {"GET", "POST", "PUT", "DELETE"}), ("Calls", {"GET"}),
    ("/Accounts", {"GET", "POST"}), ("Registrations/RG1", {"GET", "DELETE"}), ("SMS/Messages", {"GET", "POST"})])
def test_options_lists_the_methods_and_asks_for_no_credentials(api, path, methods):
    answer = api.ask("OPTIONS", path, credentials=False)
    assert (answer.status, answer.body) == (204, b"")
    assert {word.strip() for word in answer["Allow"].split(",")} - {"HEAD", "OPTIONS"} == methods


def test_the_description_asks_for_no_credentials(api):
    answer = api.ask("GET", "/openapi.json", credentials=False)
    assert answer.status == 200
    description = answer.json()
    assert description["openapi"].startswith("3.")
    assert any("Clients" in path for path in description["paths"])


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "BREW", "get", "PROPFIND", "X" * 200])
def test_a_strange_method_is_refused(api, raw, method):
    answer = raw().send(api.written(method, "Clients.json")).answer()
    assert answer.status in (400, 405, 501), answer
    if answer.status == 405:
        assert "GET" in answer["Allow"]


@pytest.mark.parametrize("target", ["http://localhost{0}", "http://api.example:8080{0}", "HTTP://localhost{0}"])
def test_the_absolute_form_of_a_target_is_understood(api, raw, target):
    path = api.target("Clients.json")
    request = api.written("GET", "Clients.json").replace(path.encode(), target.format(path).encode(), 1)
    assert raw().send(request).answer().status == 200


def test_an_escaped_path_is_the_same_path(api):
    path = api.target("Clients.json").replace("Clients", "%43lient%73")
    assert api.ask("GET", path).status == 200


def test_a_query_is_decoded_as_a_form(api):
    made = api.create("Clients", Login="query", Password="p", FriendlyName="a b+c&d=e%")
    for text in ("a+b%2Bc%26d%3De%25", "a%20b%2bc%26d%3de%25"):
        assert api.ask("GET", f"{api.target('Clients.json')}?FriendlyName={text}").json() == [made]
    api.remove(f"Clients/{made['sid']}")


def test_empty_lines_before_a_request_are_passed_over(api, raw):
    # RFC 9112 2.2.
    connection = raw().send(b"\r\n\r\n" + api.written("GET", "Clients.json") + b"\r\n" + api.written("GET", "Clients.json"))
    assert [connection.answer().status for _ in range(2)] == [200, 200]


def test_header_names_have_no_case_and_values_no_space_around_them(api, raw):
    request = api.written("GET", "Clients").replace(b"Authorization: ", b"aUTHORIZATION: \t ")
    request = request.replace(b"\r\n\r\n", b"\r\nACCEPT:application/json  \r\n\r\n")
    assert raw().send(request).answer().json()


@pytest.mark.parametrize("content_type", [
    FORM, f"{FORM}; charset=UTF-8", f"{FORM};charset=\"utf-8\"", FORM.upper()])
def test_a_form_is_a_form(api, content_type):
    answer = api.ask("PUT", f"/Accounts/{api.user}.json", body="FriendlyName=x", headers={"Content-Type": content_type})
    assert answer.status == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "x", FORM + "x"])
def test_another_body_is_answered_415(api, content_type):
    answer = api.ask("POST", "Clients.json", body='{"Login": "x"}', headers={"Content-Type": content_type})
    assert_refused(answer, 415, "R-3203")


def test_an_answer_says_when_it_was_made_and_how_long_it_is(api):
    answer = api.get("Clients.json", PageSize=1)
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer["Date"])
    assert int(answer["Content-Length"]) == len(answer.body)


# Limits.

@pytest.mark.parametrize("length", [200_000, 10_000_000, 2**31, 2**63 - 1])
def test_a_body_that_is_too_long_is_answered_413_before_it_comes(api, raw, length):
    connection = raw().send(api.written("POST", "Clients.json", [f"Content-Length: {length}", f"Content-Type: {FORM}"]))
    assert_refused(connection.answer(), 413)
    assert connection.is_closed()


def test_a_chunked_body_that_becomes_too_long_is_answered_413(api, raw, server):
    before = resident(server)
    connection = raw().send(api.written("POST", "Clients.json", ["Transfer-Encoding: chunked", f"Content-Type: {FORM}"]))
    for _ in range(300):
        connection.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
    assert_refused(connection.answer(), 413)
    assert connection.is_closed()
    assert resident(server) - before < 4 * MEGABYTE


@pytest.mark.parametrize("length", [9_000, 60_000, 1_000_000])
def test_a_target_that_is_too_long_is_answered_414(api, raw, length):
    connection = raw().send(api.written("GET", "Clients.json", query={"Login": "x" * length}))
    assert connection.answer().status in (414, 431)
    assert connection.is_closed()


def test_a_target_of_usual_length_is_fine(api, raw):
    assert raw().send(api.written("GET", "Clients.json", query={"Note": "x" * 2000, "Login": "nobody"})).answer().json() == []


@pytest.mark.parametrize("headers", [
    ["X-Long: " + "x" * 40_000], ["x" * 40_000 + ": 1"], [f"X-{number}: {number}" for number in range(150)],
    [f"X-{number}: " + "x" * 1000 for number in range(50)], ["Cookie: " + "a=b; " * 200_000]],
    ids=["long value", "long name", "many", "many and long", "megabyte"])
def test_too_much_of_a_head_is_answered_431(api, raw, headers):
    connection = raw().send(api.written("GET", "Clients.json", headers))
    assert_refused(connection.answer(), 431)
    assert connection.is_closed()


def test_a_head_of_usual_size_is_fine(api, raw):
    headers = [f"X-{number}: {'x' * 100}" for number in range(50)]
    assert raw().send(api.written("GET", "Clients.json", headers)).answer().status == 200


@pytest.mark.parametrize("body", [
    b"&".join(b"P%d=x" % number for number in range(1000)), b"&" * 100_000, b"=" * 100_000, b"%26" * 30_000,
    b"Login=x&" * 10_000])
def test_a_form_of_many_parameters_costs_little(api, raw, body):
    began = time.monotonic()
    answer = raw().send(api.written("POST", "Clients.json", body=body)).answer()
    assert answer.status == 400
    assert time.monotonic() - began < 0.5


@pytest.mark.configuration(api={"headTimeout": "1s"})
@pytest.mark.parametrize("trickle", [False, True], ids=["silent", "trickling"])
@pytest.mark.parametrize("part", [b"G", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_comes_too_slowly_is_answered_408(api, raw, part, trickle):
    connection = raw().send(part)
    began = time.monotonic()
    while trickle and time.monotonic() - began < 4 and not connection.is_closed(within=0.2):
        connection.send(b"x")
    answer = connection.answer()
    assert 0.8 < time.monotonic() - began < 4
    assert_refused(answer, 408)
    assert connection.is_closed()
    assert serves(api)


@pytest.mark.configuration(api={"headTimeout": "1s"})
def test_the_second_head_of_a_connection_has_its_time_too(api, raw):
    connection = raw().send(api.written("GET", "Clients.json"))
    assert connection.answer().status == 200
    time.sleep(0.3)
    connection.send(api.written("GET", "Clients.json"))
    assert connection.answer().status == 200
    connection.send(b"GET / HT")
    assert connection.is_closed(within=4)


@pytest.mark.configuration(api={"headTimeout": "1s"})
def test_a_body_that_never_comes_keeps_nobody_waiting(api, raw):
    stuck = [raw().send(api.written("POST", "Clients.json", ["Content-Length: 100", f"Content-Type: {FORM}"]) + b"Login=")
             for _ in range(50)]
    time.sleep(0.2)
    assert serves(api)
    assert len(stuck) == 50


@pytest.mark.configuration(api={"connections": 20})
def test_over_the_limit_of_connections_new_ones_are_refused(api, raw, server):
    kept = []
    for _ in range(20):
        kept.append(raw())
        assert kept[-1].send(api.written("GET", "Clients.json", query={"PageSize": 1})).answer().status == 200
    refused = raw()
    refused.send(api.written("GET", "Clients.json"))
    answer = refused.answer()
    assert answer is None or answer.status == 503
    assert refused.is_closed()
    for connection in kept:
        assert connection.send(api.written("GET", "Clients.json")).answer().status == 200, "those that are open go on"
        connection.close()
    assert eventually(lambda: serves(api))


# What is no HTTP, or two things at once.

def assert_one_refusal(connection, statuses=(400, 501)):
    """One refusal, then the end of the stream: nothing after a broken message is taken for a request."""
    answer = connection.answer()
    assert answer is not None, "an answer says what was wrong"
    assert answer.status in statuses, answer
    assert connection.is_closed(), "the end of a broken message is unknown"
    assert b"HTTP/1." not in connection.buffer, f"a second answer: {connection.buffer!r}"
    assert "R-30" in answer.text
    return answer


BODY = b"Login=smuggled&Password=p"
LENGTH = b"Content-Length: 25"
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"19\r\n" + BODY + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("headers, body", [
    ([LENGTH, b"Content-Length: 26"], BODY),
    ([b"Content-Length: 25, 26"], BODY),
    ([LENGTH, CHUNKED], CHUNKS),
    ([CHUNKED, LENGTH], CHUNKS),
    ([CHUNKED, b"Transfer-Encoding: chunked"], CHUNKS),
    ([b"Transfer-Encoding: chunked, chunked"], CHUNKS),
    ([b"Transfer-Encoding: chunked, identity"], CHUNKS),
    ([b"Transfer-Encoding: identity"], BODY),
    ([b"Transfer-Encoding: xchunked"], CHUNKS),
    ([b"Transfer-Encoding: gzip, chunked"], CHUNKS),
    ([b"Transfer-Encoding: \"chunked\""], CHUNKS),
    ([b"Transfer-Encoding: \x0bchunked"], CHUNKS),
    ([b"Transfer-Encoding:"], BODY),
    ([b"Transfer-Encoding : chunked"], CHUNKS),
    ([b"Content-Length : 25"], BODY),
    ([b"Content-Length\t: 25"], BODY),
    ([b"Content-Length: +25"], BODY),
    ([b"Content-Length: -25"], BODY),
    ([b"Content-Length: 0x19"], BODY),
    ([b"Content-Length: 25 25"], BODY),
    ([b"Content-Length: 25;"], BODY),
    ([b"Content-Length:"], BODY),
    ([b"Content-Length: \xd9\xa2\xd9\xa5"], BODY),
    ([b"Content-Length: 99999999999999999999999"], BODY),
    ([b"X-Folded: a", b" Content-Length: 25"], BODY),
    ([b"X-Folded: a", b"\tb", LENGTH], BODY),
    ([b"X-Bare: a\nContent-Length: 25"], BODY),
    ([b"X-Bare: a\rContent-Length: 25"], BODY),
    ([b"X-Null: a\0b", LENGTH], BODY),
    ([b"X-Control: a\x01b", LENGTH], BODY),
    ([b"no colon here", LENGTH], BODY),
    ([b": no name", LENGTH], BODY),
    ([b"X Y: space in a name", LENGTH], BODY),
    ([b"X(Y): no token", LENGTH], BODY),
    ([b"Host: another", LENGTH], BODY),
], ids=lambda value: ascii(b" | ".join(value))[2:44] if isinstance(value, list) else "")
def test_a_request_whose_length_or_head_is_in_doubt_is_refused_and_the_connection_closed(api, raw, headers, body):
    request = api.written("POST", "Clients.json", [f"Content-Type: {FORM}"])
    request = request.replace(b"\r\n\r\n", b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n", 1)
    connection = raw().send(request + body + api.written("GET", "Clients.json"))
    assert_one_refusal(connection, (400, 413, 501))
    assert api.fetch("Clients", Login="smuggled") == []


@pytest.mark.parametrize("chunks", [
    b"zz\r\nLogin\r\n0\r\n\r\n", b"-5\r\nLogin\r\n0\r\n\r\n", b"+5\r\nLogin\r\n0\r\n\r\n", b"0x5\r\nLogin\r\n0\r\n\r\n",
    b"\r\nLogin\r\n0\r\n\r\n", b" 5\r\nLogin\r\n0\r\n\r\n", b"5\nLogin\r\n0\r\n\r\n", b"5\r\nLogin0\r\n\r\n",
    b"5\r\nLogin\n0\r\n\r\n", b"5\r\nLoginXX0\r\n\r\n", b"ffffffffffffffff\r\nLogin\r\n0\r\n\r\n",
    b"10000000000000005\r\nLogin\r\n0\r\n\r\n", b"5\r\rLogin\r\n0\r\n\r\n", b"5;\n\r\nLogin\r\n0\r\n\r\n",
    b"5;" + b"x" * 50_000 + b"\r\nLogin\r\n0\r\n\r\n", b"5\r\nLogin\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"5\r\nLogin\r\n0\r\nX : y\r\n\r\n"], ids=lambda value: ascii(value)[2:30])
def test_a_broken_chunk_is_refused_and_the_connection_closed(api, raw, chunks):
    request = api.written("POST", "Clients.json", ["Transfer-Encoding: chunked", f"Content-Type: {FORM}"])
    connection = raw().send(request + chunks + api.written("GET", "Clients.json"))
    assert_one_refusal(connection, (400, 413, 431))


@pytest.mark.parametrize("line", [
    b"GET /\r\n", b"GET\r\n", b"\0\r\n", b"GET / HTTP/1.1 x\r\n", b"GET  / HTTP/1.1\r\n", b"GET /  HTTP/1.1\r\n",
    b"GET\t/\tHTTP/1.1\r\n", b" GET / HTTP/1.1\r\n", b"GET / http/1.1\r\n", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r",
    b"GET / HTTP/11\r\n", b"GET / HTTP/1.\r\n", b"GET / HTTP/1.1.1\r\n", b"GET / HTTP/2.0\r\n", b"GET / HTTP/0.9\r\n",
    b"GET / HTTP/9.9\r\n", b"GET / FTP/1.1\r\n", b"GE(T / HTTP/1.1\r\n", b"GET /a b HTTP/1.1\r\n", b"GET /\0 HTTP/1.1\r\n",
    b"GET /\x7f HTTP/1.1\r\n", b"GET /\xff HTTP/1.1\r\n", b"GET x HTTP/1.1\r\n", b"GET http:// HTTP/1.1\r\n",
    b"GET /%zz HTTP/1.1\r\n", b"GET /%2 HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    b"PRI * HTTP/2.0\r\n", b"REGISTER sip:rollcall.test SIP/2.0\r\n"], ids=lambda value: ascii(value)[2:34])
def test_a_request_line_that_is_none_is_refused_and_the_connection_closed(raw, api, line):
    request = api.written("GET", "Clients.json")
    connection = raw().send(line + request.partition(b"\r\n")[2] + request)
    assert_one_refusal(connection, (400, 404, 405, 501, 505))


@pytest.mark.parametrize("request_", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"], ids=["no host", "two hosts", "space", "list"])
def test_a_request_names_one_host(raw, request_):
    assert_one_refusal(raw().send(request_))


def test_a_body_after_a_get_is_no_second_request(api, raw):
    body = api.written("DELETE", "Clients/CL1")
    connection = raw().send(api.written("GET", "Clients.json", [f"Content-Length: {len(body)}", f"Content-Type: {FORM}"]) + body)
    answer = connection.answer()
    assert answer.status in (200, 400, 413)
    assert connection.is_closed(within=0.3) or b"HTTP/1." not in connection.buffer


def test_a_peer_that_leaves_in_the_middle_changes_nothing(api, raw, server):
    before = descriptors(server)
    request = api.written("POST", "Clients.json", body=b"Login=half-way&Password=p")
    for length in range(1, len(request), 7):
        connection = raw().send(request[:length])
        connection.close()
    assert eventually(lambda: descriptors(server) <= before + 1)
    assert api.fetch("Clients", Login="half-way") == []


# Parameters.

@pytest.mark.parametrize("value", [
    "a\r\nX-Injected: yes", "a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b"], ids=ascii)
def test_a_line_end_in_a_name_is_refused_and_goes_nowhere(server, api, person, value):
    made = person(registered=False)
    for answer in (api.post("Clients.json", Login="injected", Password="p", FriendlyName=value),
                   api.put(f"Clients/{made.sid}.json", FriendlyName=value)):
        if "\x85" in value or "\u2028" in value:
            assert answer.status in (200, 400)  # Line ends for Unicode, not for HTTP.
        else:
            assert_refused(answer, 400, "R-3302", parameter="FriendlyName")
        assert "X-Injected" not in answer and "\r\nX-Injected" not in answer.text
    for line in server.log().splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT", line), f"a line that is none of ours: {line!r}"
    for client in api.fetch("Clients", Login="injected"):
        api.remove(f"Clients/{client['sid']}")


@pytest.mark.parametrize("body", [
    b"Login=utf8&Password=p&FriendlyName=%ff", b"Login=utf8&Password=p&FriendlyName=\xff",
    b"Login=utf8&Password=p&FriendlyName=%c3", b"Login=utf8&Password=p&FriendlyName=%c0%af",
    b"Login=utf8&Password=p&FriendlyName=%ed%a0%80", b"Login=utf8&Password=p&FriendlyName=%f4%90%80%80",
    b"Login=utf8&Password=%ff", b"Login=%ff&Password=p", b"Login=utf8&Password=p&%ff=x"], ids=lambda body: ascii(body)[22:])
def test_what_is_not_utf_8_is_refused(api, body):
    answer = api.ask("POST", "Clients.json", body=body, headers={"Content-Type": FORM})
    assert_refused(answer, 400)
    assert api.fetch("Clients", Login="utf8") == []


@pytest.mark.parametrize("body", [b"Login=escape%&Password=p", b"Login=escape%4&Password=p", b"Login=esc&Password=%zz"])
def test_a_broken_escape_is_refused(api, body):
    assert_refused(api.ask("POST", "Clients.json", body=body, headers={"Content-Type": FORM}), 400)


@pytest.mark.parametrize("path", [
    "Clients/%ff", "Clients/%00", "Clients/%0d%0aX-Injected:%20yes", "Clients/CL%2f..%2f..", "Clients/%c0%ae%c0%ae",
    "Clients//", "Clients///x", "Clients/%", "Clients/%e2%80%ae", "%00", "Clients/" + "%41" * 1000, "Clients/.json",
    "Clients/;x=y", "Clients.json.json", "Clients.json.xml"])
def test_a_strange_path_leads_nowhere(api, raw, path):
    connection = raw().send(api.written("GET", path))
    answer = connection.answer()
    assert answer.status in (400, 404), answer
    assert "X-Injected" not in answer
    assert serves(api)


@pytest.mark.parametrize("query", ["Login=%ff", "Login=%00", "Login", "=", "&&&", "Login=alice&Login=bob", "Page=0;x", "?", "%zz=1"])
def test_a_strange_query_breaks_nothing(api, raw, query):
    request = api.written("GET", "Clients.json").replace(b"Clients.json ", b"Clients.json?" + query.encode() + b" ", 1)
    answer = raw().send(request).answer()
    assert answer.status in (200, 400), answer
    if query == "Login=alice&Login=bob":
        assert [client["login"] for client in answer.json()] == ["alice"], "the first value counts"


@pytest.mark.parametrize("user", ["<script>alert(1)</script>", "\"},{\"sid\":\"CL", "]]><x>", "&xxe;<"])
def test_what_a_caller_sends_is_quoted_where_it_comes_back(api, user):
    for suffix in (".json", ""):
        for answer in (api.post(f"Clients{suffix}", Login=user, Password="p"),
                       api.get(f"Clients/{urllib.parse.quote(user, safe='')}{suffix}"),
                       api.get(f"Calls{suffix}", SortBy=user)):
            assert answer.status in (400, 404)
            assert_refused(answer, answer.status)
            assert "<script>" not in answer.text or answer.media_type == "application/json"


def test_mutated_requests_neither_stop_the_daemon_nor_get_a_500(api, raw, server):
    generator = random.Random(9112)
    kinds = [
        api.written("GET", "Clients.json"), api.written("POST", "Clients.json", body=b"Login=mutant&Password=p"),
        api.written("GET", "Calls.json", query={"SortBy": "To:desc", "Page": 0}), api.written("OPTIONS", "Clients"),
        api.written("POST", "Clients.json", ["Transfer-Encoding: chunked", f"Content-Type: {FORM}"]) + CHUNKS,
        api.written("DELETE", "Clients/CL1"), api.written("GET", "/Accounts.json")]
    statuses = set()
    before = descriptors(server)
    for _ in range(1500):
        data = bytearray(generator.choice(kinds))
        for _ in range(generator.randint(1, 5)):
            start = generator.randrange(len(data))
            end = min(len(data), start + generator.choice((1, 1, 2, 8, 40)))
            data[start:end] = generator.choice((
                generator.randbytes(end - start), b"", bytes(data[start:end]) * 3, b"\r\n", b"\r\n\r\n", b"\0", b":", b"%",
                b"99999999999999999999", b"-1", b" "))
            data = data or bytearray(b"x")
        with Raw(server.api_port) as connection:
            connection.send(bytes(data))
            connection.socket.shutdown(socket.SHUT_WR)
            while (answer := connection.answer()) is not None:
                statuses.add(answer.status)
    assert not statuses & {500, 502, 504}, statuses
    assert {200, 400} <= statuses
    assert serves(api)
    assert eventually(lambda: descriptors(server) <= before + 1)


# Many peers, slow peers, peers that never read.

def raise_descriptor_limit(wanted):
    """Lets this process have so many descriptors, or skips the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"this machine allows a process {hard} descriptors; the test needs {wanted}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@pytest.mark.configuration(api={"connections": 10_000, "connectionsPerSource": 10_000, "headTimeout": "1m"})
def test_ten_thousand_connections_leave_the_phones_in_peace(server, api, phone):
    raise_descriptor_limit(11_000)
    alice, bob = phone("alice"), phone("bob")
    before, descriptors_before = resident(server), descriptors(server)
    flood = []
    try:
        for number in range(9_900):
            one = socket.create_connection(("127.0.0.1", server.api_port), timeout=5)
            if number % 2:
                one.sendall(b"GET /restcomm/2012-04-24/Accounts HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            flood.append(one)
        assert eventually(lambda: descriptors(server) >= descriptors_before + 9_900, within=5)
        for _ in range(20):
            began = time.monotonic()
            alice.register()
            bob.register()
            assert time.monotonic() - began < 0.5
        alice.send_text("bob")
        bob.reply(bob.expect("MESSAGE"), 200)
        alice.expect_response(alice.answered, 200)
        assert serves(api), "there is room for another hundred"
        assert resident(server) - before < 100 * MEGABYTE, "ten kilobytes each"
    finally:
        for one in flood:
            one.close()
    assert eventually(lambda: descriptors(server) <= descriptors_before + 2, within=10)
    assert eventually(lambda: resident(server) - before < 48 * MEGABYTE, within=5)
    assert serves(api)


@pytest.mark.configuration()
def test_connections_that_come_and_go_leave_no_memory_behind(server, api):
    request = api.written("GET", "Clients.json", ["Connection: close"])

    def visit(count):
        for _ in range(count):
            with Raw(server.api_port) as connection:
                assert connection.send(request).answer().status == 200

    visit(1000)
    before = resident(server)
    visit(3000)
    assert resident(server) - before < 4 * MEGABYTE


@pytest.mark.configuration()
def test_deep_pipelines_of_peers_that_never_read_cost_bounded_memory(server, api, phone):
    alice = phone("alice")
    request = api.written("GET", "Clients.json") * 200
    before = resident(server)
    enemies = []
    for _ in range(20):
        enemy = Raw(server.api_port, receive_buffer=4096)
        enemy.socket.setblocking(False)
        enemies.append(enemy)
    sent = 0
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for enemy in enemies:
            try:
                sent += enemy.socket.send(request)
            except BlockingIOError:
                pass
            except OSError:
                pass
    assert sent > 20 * 65_536
    assert resident(server) - before < 48 * MEGABYTE
    assert alice.register().status == 200
    assert serves(api)
    for enemy in enemies:
        enemy.close()


def test_a_pipeline_of_thousands_is_answered_to_its_end(api, raw):
    request = api.written("GET", "Clients.json", query={"Login": "bob"})
    connection = raw()
    sender = threading.Thread(target=lambda: connection.send(request * 3000))
    sender.start()
    for _ in range(3000):
        assert connection.answer().json()[0]["login"] == "bob"
    sender.join()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """A daemon with 20,000 clients."""
    daemon = Daemon(tmp_path_factory.mktemp("crowd") / "daemon")
    daemon.import_clients([(f"crowd{number:05}", "p") for number in range(20_000)])
    daemon.start()
    yield daemon
    daemon.stop()


def test_slow_readers_of_a_long_list_cost_bounded_memory_and_get_all_of_it(crowd):
    api = API.of(crowd)
    assert len(api.fetch("Clients")) == 20_000
    before, sockets_before = resident(crowd), sockets(crowd)
    readers = [Raw(crowd.api_port, receive_buffer=4096) for _ in range(30)]
    for reader in readers:
        reader.send(api.written("GET", "Clients.json", ["Connection: close"]))
        assert reader.head().status == 200
    time.sleep(0.5)
    assert resident(crowd) - before < 24 * MEGABYTE, "thirty lists of eight megabytes each"
    made = api.create("Clients", Login="newcomer", Password="p")
    phone = Phone(("127.0.0.1", crowd.port), "newcomer", "p", crowd.domain)
    began = time.monotonic()
    phone.register()
    assert time.monotonic() - began < 0.5, "phones do not wait for readers"
    phone.close()
    api.remove(f"Clients/{made['sid']}")
    api.remove(f"Clients/{api.fetch('Clients', Login='crowd00000')[0]['sid']}")
    patient = readers.pop()
    deadline = time.monotonic() + 20
    while patient.read(deadline):
        pass
    listed = json.loads(dechunked(patient.buffer))
    logins = [client["login"] for client in listed]
    assert logins == sorted(set(logins)) or logins[-1] == "newcomer"
    assert len(logins) >= 19_999
    for reader in readers:
        reader.close()
    assert eventually(lambda: sockets(crowd) <= sockets_before + 1)
    api.close()


def dechunked(data):
    """The body of a chunked answer, or the bytes as they are when it was not chunked."""
    if not re.match(rb"[0-9a-fA-F]+\r\n", data):
        return data
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            return body
        body, data = body + data[:count], data[count + 2:]


def test_a_list_that_is_broken_off_is_not_taken_for_whole(crowd):
    """When the process dies in the middle of a list, the reader sees that it is not complete."""
    api = API.of(crowd)
    reader = Raw(crowd.api_port, receive_buffer=4096)
    reader.send(api.written("GET", "Clients.json"))
    head = reader.head()
    assert "chunked" in (head["Transfer-Encoding"] or "") or "Content-Length" in head
    crowd.kill()
    deadline = time.monotonic() + 10
    while reader.read(deadline):
        pass
    assert not reader.buffer.endswith(b"0\r\n\r\n")
    reader.close()
    crowd.start()


# Guessing.

def guess(program, count, **options):
    return [program.ask("GET", "Clients.json", **options) for _ in range(count)]


def test_repeated_wrong_tokens_are_answered_429_with_a_time(api):
    guesser = api.copy(password="wrong", source=fresh_source())
    answers = guess(guesser, 10)
    assert [answer.status for answer in answers] == [401] * 10
    answers = guess(guesser, 12)
    assert [answer.status for answer in answers[2:]] == [429] * 10
    waits = []
    for answer in answers[2:]:
        assert_refused(answer, 429, "R-3105")
        waits.append(int(answer["Retry-After"]))
    assert waits == sorted(waits) and 1 <= waits[0] < waits[-1] <= 60, "it grows"
    assert all("WWW-Authenticate" not in answer for answer in answers[2:])
    guesser.close()


def test_right_credentials_pass_and_end_the_count(api):
    source = fresh_source()
    guesser, owner = api.copy(password="wrong", source=source), api.copy(source=source)
    assert [answer.status for answer in guess(guesser, 20)][-1] == 429
    assert owner.get("Clients.json").status == 200
    assert [answer.status for answer in guess(guesser, 10)] == [401] * 10
    guesser.close()
    owner.close()


def test_other_addresses_do_not_pay_for_it(api):
    first, second = (api.copy(password="wrong", source=fresh_source()) for _ in range(2))
    assert [answer.status for answer in guess(first, 15)][-1] == 429
    assert guess(second, 1)[0].status == 401
    first.close()
    second.close()


def test_unknown_users_count_as_wrong_tokens_do(api):
    guesser = api.copy(source=fresh_source())
    statuses = []
    for number in range(40):
        guesser.user = f"AC{number:032x}"
        statuses.append(guesser.get("Clients.json").status)
    # More than for one account: several programs may share an address.
    assert statuses[:30] == [401] * 30 and statuses[-1] == 429
    guesser.close()


def test_an_account_that_is_not_active_is_no_guess(api):
    child = api.child()
    api.update(f"/Accounts/{child.user}", Status="suspended")
    child.close()
    child.source = fresh_source()
    assert {answer.status for answer in guess(child, 20)} == {403}
    child.close()


def test_many_sources_of_guesses_cost_bounded_memory(api, server):
    before = resident(server)
    for _ in range(2000):
        guesser = api.copy(password="wrong", source=fresh_source())
        assert guesser.get("Clients.json").status == 401
        guesser.close()
    assert resident(server) - before < 8 * MEGABYTE


@pytest.mark.load
def test_a_minute_later_the_failures_are_forgotten(api):
    guesser = api.copy(password="wrong", source=fresh_source())
    assert [answer.status for answer in guess(guesser, 15)][-1] == 429
    time.sleep(61)
    assert guess(guesser, 1)[0].status == 401
    guesser.close()


@pytest.mark.configuration()
def test_refusals_are_logged_with_the_address_of_the_socket(server, api):
    source = fresh_source()
    guesser = api.copy(password="wr0ng", source=source)
    guess(guesser, 1, headers={"X-Forwarded-For": "198.51.100.7"})
    event = server.wait_for_event("api.refused")
    assert source in event["src"], event["line"]
    assert "198.51.100.7" not in event["line"] and "wr0ng" not in event["line"]
    assert event["code"] == "R-3101"
    guesser.close()


# Behind a proxy.

def test_x_forwarded_for_of_strangers_is_not_believed(api):
    guesser = api.copy(password="wrong", source=fresh_source())
    statuses = [guess(guesser, 1, headers={"X-Forwarded-For": f"198.51.100.{number}"})[0].status for number in range(20)]
    assert statuses[-1] == 429, "inventing addresses does not help"
    guesser.close()


@pytest.mark.configuration(api={"trustedProxies": ["127.0.0.1"]})
def test_x_forwarded_for_of_a_trusted_proxy_is_who_asks(server, api):
    def attempt(program, forwarded):
        return guess(program, 1, headers={"X-Forwarded-For": forwarded})[0].status
    proxy = api.copy(password="wrong")
    assert [attempt(proxy, "198.51.100.7") for _ in range(15)][-1] == 429
    assert attempt(proxy, "198.51.100.8") == 401, "somebody else behind the same proxy"
    assert attempt(proxy, "203.0.113.5, 198.51.100.7") == 429, "what the client itself put there does not count"
    assert attempt(proxy, "198.51.100.7, 127.0.0.1") == 429, "a trusted proxy before this one"
    assert attempt(proxy, "2001:db8::7") == 401
    assert "198.51.100.7" in server.wait_for_event("api.refused")["src"]
    assert api.ask("GET", "Clients.json", headers={"X-Forwarded-For": "198.51.100.7"}).status == 200
    stranger = api.copy(password="wrong", source=fresh_source())
    assert [attempt(stranger, f"192.0.2.{number}") for number in range(15)][-1] == 429
    for rubbish in ("", "unknown", "1.2.3", "999.1.1.1", "<x>", "a" * 5000, ",,,", "198.51.100.9:1234", "\x01"):
        answer = guess(proxy, 1, headers={"X-Forwarded-For": rubbish})[0]
        assert answer.status in (400, 401, 429)
    proxy.close()
    stranger.close()


def test_the_answer_to_no_credentials_names_the_realm_in_both_forms(api):
    program = api.copy(source=fresh_source())
    for suffix in (".json", ""):
        answer = program.ask("GET", f"Clients{suffix}", credentials=False)
        assert_refused(answer, 401, "R-3101")
        assert answer["WWW-Authenticate"] == f'Basic realm="{REALM}"'
    program.close()


# A database that takes nothing.

@pytest.mark.configuration()
def test_while_the_database_is_locked_changes_are_answered_503_and_reading_goes_on(server, api, phone):
    phone("alice").register()
    made = [api.create("Clients", Login=f"kept-{number}", Password="p") for number in range(4)]
    answers = []

    def change(method, path, form):
        program = api.copy()
        try:
            answers.append(program.ask(method, path, form, headers={"Accept": "application/json"}))
        except OSError as error:
            answers.append(error)
        finally:
            program.close()

    changes = [("POST", "Clients", {"Login": f"too-late-{number}", "Password": "p"}) for number in range(4)]
    changes += [("PUT", f"Clients/{client['sid']}", {"Password": "changed"}) for client in made[:2]]
    changes += [("DELETE", f"Clients/{client['sid']}", None) for client in made[2:]]
    threads = [threading.Thread(target=change, args=arguments) for arguments in changes]
    lock = sqlite3.connect(server.state / "rollcall.sqlite", timeout=5, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    slowest = 0
    try:
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
            began = time.monotonic()
            assert serves(api)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
        assert api.fetch("Clients", Login="kept-0") == [made[0]]
    finally:
        lock.execute("ROLLBACK")
        lock.close()
        for thread in threads:
            thread.join()
    assert slowest < 0.5, "those who read do not wait for those who change"
    assert [answer for answer in answers if not isinstance(answer, Answer)] == [], "all are answered within 20 seconds"
    for answer in answers:
        assert_refused(answer, 503, "R-3501")
        assert 1 <= int(answer["Retry-After"]) <= 60
    assert eventually(lambda: api.post("Clients.json", Login="after-it", Password="p").status == 200)
    for client in made:
        assert api.fetch(f"Clients/{client['sid']}") == client, "what was answered 503 did not happen later"
    assert api.fetch("Clients", Login="too-late-0") == []


# The address of the API.

def test_without_an_address_there_is_no_api(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS, api={"listen": []}).start()
    with pytest.raises(ConnectionRefusedError):
        Raw(daemon.api_port)
    phone = Phone(("127.0.0.1", daemon.port), "alice", daemon.password("alice"), daemon.domain)
    phone.register()
    phone.close()
    assert daemon.stop() == 0


def test_a_port_in_use_stops_the_start_and_is_named(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", daemon.api_port))
        holder.listen()
        daemon.start(wait=False)
        assert daemon.wait_for_exit(10) == 4, daemon.log()
    assert str(daemon.api_port) in daemon.log()


@pytest.mark.configuration()
def test_an_end_in_the_middle_of_requests_is_orderly(server, api):
    held = [Raw(server.api_port) for _ in range(20)]
    for connection in held[:10]:
        connection.send(api.written("GET", "Clients.json")[:40])
    for connection in held[10:]:
        assert connection.send(api.written("GET", "Clients.json")).answer().status == 200
    server.ended_on_purpose = True
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 1.0, "Docs/Operating.md: within a second"
    for connection in held:
        assert connection.is_closed()
        connection.close()


def test_an_answer_is_what_these_tests_take_it_for():
    """The tests' own reader of answers: it must see a broken one."""
    answer = Answer(200, [("content-type", "application/json; charset=utf-8")], b"[]")
    assert answer.json() == [] and answer["CONTENT-TYPE"].startswith("application/json")
    with pytest.raises(AssertionError):
        answer.xml()
    with pytest.raises(AssertionError):
        assert_refused(answer, 400)


@pytest.mark.configuration(api={"connectionsPerSource": 5, "trustedProxies": ["127.0.0.3"]})
def test_one_source_has_only_its_share_of_connections_unless_it_is_a_trusted_proxy(server, raw):
    first = [raw(source="127.0.0.2") for _ in range(5)]
    for connection in first:
        connection.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer().status == 200
    refused = raw(source="127.0.0.2").answer()
    assert refused.status == 503
    assert json.loads(refused.body)["code"] == "R-3009", "JSON, which the command line reads"
    assert server.wait_for_event("api.refused", status=503)["src"] == "127.0.0.2"
    for connection in [raw()] + [raw(source="127.0.0.3") for _ in range(10)]:
        connection.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer().status == 200


def test_what_the_http_server_refuses_by_itself_is_logged_a_few_times_only(server, raw):
    for _ in range(60):
        connection = raw(source="127.0.0.77")
        connection.send(b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer().status == 400
    line = server.wait_for_event("api.refused", src="127.0.0.77", status=400)
    assert line["code"] == "R-3001" and line["why"] and line["do"]
    assert len(server.events("api.refused", src="127.0.0.77")) <= 30
