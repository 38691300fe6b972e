"""Docs/examples/application.py runs with a real server, and Docs/Applications.md says what is so."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from applications import hang_up, refused, talk
from conftest import eventually
from daemon import ROOT, free_port
from webapp import LOCAL

SHARES_ONE_DAEMON = True
CONFIGURATION = LOCAL
EXAMPLE = ROOT / "Docs/examples/application.py"
PAGE = ROOT / "Docs/Applications.md"


class Example:
    """The example in a process of its own."""

    def __init__(self, token, directory):
        self.output = directory / "output"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-B", EXAMPLE, "--listen", f"127.0.0.1:{port}"], stdout=output, stderr=output,
                env={**os.environ, "ROLLCALL_TOKEN": token})
        assert eventually(lambda: "listening" in self.said(), 10), self.said()

    def said(self):
        return self.output.read_text()

    def close(self):
        self.process.terminate()
        self.process.wait(5)


@pytest.fixture
def example(server, tmp_path):
    made = Example(server.account()[1], tmp_path)
    yield made
    made.close()


def test_the_example_dials_what_was_dialled_and_logs_each_request(person, example):
    caller, callee = person(VoiceUrl=f"{example.url}/voice"), person()
    hang_up(*talk(caller, callee, callee.login))
    assert eventually(lambda: "/after-dial" in example.said() and example.said().count("/progress") == 4), example.said()
    lines = example.said().splitlines()[1:]
    assert all(re.match(r"\d\d:\d\d:\d\d 200 POST /", line) for line in lines), lines
    assert "DialCallStatus='completed'" in example.said()


def test_the_example_refuses_and_answers_texts(person, example):
    caller = person(VoiceUrl=f"{example.url}/voice")
    refused(caller, 486, "busy")
    made = person(VoiceUrl=f"{example.url}/sms")
    assert made.text("anybody", "Hello").status == 202
    received = made.expect("MESSAGE")
    assert received.body == b"You wrote: Hello"
    made.reply(received, 200)


def ask(url, header=None, body=b"From=a&To=busy"):
    request = urllib.request.Request(url, body, {"X-Rollcall-Signature": header} if header else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_example_refuses_who_has_not_signed(server, example):
    token, url, body = server.account()[1], f"{example.url}/voice?a=1", b"From=a&To=busy"

    def signed(moment, key=token, place=url, text=body):
        mac = hmac.new(key.encode(), f"{moment}.{place}.".encode() + text, hashlib.sha256).hexdigest()
        return f"t={moment},v1={mac}"
    now = int(time.time())
    assert ask(url, signed(now)) == 200
    for wrong in (None, "", "t=1", signed(now, "0" * 32), signed(now - 3_600), signed(now, place=f"{example.url}/sms"),
                  signed(now, text=b"From=b"), signed(now).replace("v1=", "v1=0")):
        assert ask(url, wrong) == 403, wrong


def test_every_request_is_signed(api, person, web, server):
    token = server.account()[1]
    for method in ("POST", "GET"):
        caller = person(VoiceUrl=web.url("/voice?a=%20b"), VoiceMethod=method)
        web.answer("/voice", "<Response><Reject/></Response>")
        refused(caller, 603)
        request = web.wait_for("/voice")
        parts = dict(part.split("=", 1) for part in request.headers["X-Rollcall-Signature"].split(","))
        text = f"{parts['t']}.{web.url(request.target)}.".encode() + request.body
        assert parts["v1"] == hmac.new(token.encode(), text, hashlib.sha256).hexdigest()
        assert abs(int(parts["t"]) - time.time()) < 60


# The command line.

def test_route_shows_each_step_and_the_request(server, api, person, web):
    caller, callee, plain = person(VoiceUrl=web.url("/voice")), person(), person()
    shown = server.command("route", "--from", caller.login, "--to", callee.login)
    assert web.url("/voice") in shown and "POST" in shown and f"From={caller.login}" in shown.replace(": ", "=")
    assert callee.login in server.command("route", "--from", plain.login, "--to", callee.login)
    found = json.loads(server.command("route", "--from", caller.login, "--to", callee.login, "--json"))
    assert found["steps"] and found["request"]["url"] == web.url("/voice")
    names = [parameter["name"] for parameter in found["request"]["parameters"]]
    assert {"CallSid", "AccountSid", "From", "To", "CallStatus", "Direction", "ApiVersion"} <= set(names)
    found = json.loads(server.command("route", "--from", plain.login, "--to", callee.login, "--json"))
    assert callee.host_port in str(found["devices"])
    found = json.loads(server.command("route", "--from", plain.login, "--to", "nobody", "--json"))
    assert found["status"] == 404 and found["code"].startswith("R-")
    assert web.order() == [], "nothing was asked"


def test_route_works_for_texts_and_names_what_is_wrong(server, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    shown = server.command("route", "--from", caller.login, "--to", "x", "--method", "MESSAGE")
    assert "SmsSid" in shown and "Body" in shown
    done = server.run("route", "--from", "nobody", "--to", "x")
    assert done.returncode == 1 and "nobody" in done.stderr
    done = server.run("route", "--from", "alice")
    assert done.returncode == 2 and "--to" in done.stderr


def test_app_test_shows_what_an_application_says(server, api, person, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", '<Response><Dance/><Dial timeout="5"><Client>bob</Client></Dial></Response>')
    done = server.run("app", "test", caller.login, "--to", "somebody")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200" in done.stdout and "Dial" in done.stdout and "bob" in done.stdout and "Dance" in done.stdout
    request = web.wait_for("/voice")
    assert (request["From"], request["To"]) == (caller.login, "somebody")
    assert "X-Rollcall-Signature" in request.headers
    made = api.create("Applications", FriendlyName="App", VoiceUrl=web.url("/voice"), VoiceMethod="GET")
    assert server.run("app", "test", made["sid"]).returncode == 0
    assert web.wait_for("/voice").method == "GET"
    assert server.run("app", "test", web.url("/voice"), "--method", "GET").returncode == 0


@pytest.mark.parametrize("kind", ["404", "bad", "closed", "unknown"])
def test_app_test_fails_with_exit_code_1(server, web, kind):
    web.answer("/bad", "<Response><Dial></Response>")
    subject = {"404": web.url("/gone"), "bad": web.url("/bad"), "closed": f"http://127.0.0.1:{free_port()}/",
               "unknown": "AP" + "0" * 32}[kind]
    done = server.run("app", "test", subject)
    assert done.returncode == 1, done.stdout + done.stderr
    assert {"404": "404", "bad": "line 1", "closed": "connect", "unknown": "AP0"}[kind] in (
        done.stdout + done.stderr).lower().replace("ap0", "AP0")


def test_a_client_gets_an_application_by_the_command_line(server, web):
    server.command("client", "add", "zoe", "--password", "s", "--voice-url", web.url("/voice"))
    assert web.url("/voice") in server.command("client", "show", "zoe")
    server.command("client", "set", "zoe", "--voice-url", "")
    assert "application" not in server.command("client", "show", "zoe")
    done = server.run("client", "set", "zoe", "--voice-url", "http://[")
    assert done.returncode == 1 and "VoiceUrl" in done.stderr


# The page.

def test_the_page_lists_the_codes_of_notifications():
    source = (ROOT / "Sources/CallControl/CallNotification+Code.swift").read_text()
    codes = [int(code.replace("_", "")) for code in re.findall(r"static let \w+: Int64 = ([\d_]+)", source)]
    listed = [int(code) for code in re.findall(r"^\| (\d{5}) \|", PAGE.read_text(), re.M)]
    assert listed == sorted(codes)
