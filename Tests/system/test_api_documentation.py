"""Docs/API.md is run: its shell blocks in order against a fresh daemon, and the answers are compared with the page's.

What differs from run to run (sids, tokens, dates, ports, seconds) is compared by what it is, and sids also by which is
which. `ROLLCALL_UPDATE_DOCS=1` writes the answers of the run into the page. A comment as `<!-- alice registers -->`
stands for what people do with phones."""

import base64
import difflib
import http.client
import json
import os
import re
import shlex
import subprocess
import urllib.request

import pytest

from conftest import eventually
from daemon import BINARY, ROOT, Daemon
from phone import Phone, connect

PAGE = ROOT / "Docs/API.md"
UPDATE = os.environ.get("ROLLCALL_UPDATE_DOCS") == "1"
END = "-- the end of the block --"
ANSWERS = ("json", "xml", "text")


class Shell:
    """One bash for the whole page, so that its variables stay. The page's port becomes the daemon's."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.requests = daemon.directory / "requests"
        self.process = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        self.run(f'curl() {{ printf "%s\\t" "$@" >>{self.requests}; echo >>{self.requests}; command curl "$@"; }}')
        program = shlex.join([str(BINARY), "--config", str(daemon.configuration_file)])
        self.run(f'rollcall() {{ {program} "$@"; }}')

    def run(self, block):
        """Runs a block and gives what it prints."""
        block = block.replace(":8080", f":{self.daemon.api_port}")
        self.process.stdin.write(f"{block}\necho; echo '{END}'\n")
        self.process.stdin.flush()
        printed = ""
        while not printed.endswith(f"\n{END}\n"):
            line = self.process.stdout.readline()
            assert line, f"the shell ended after\n{printed}"
            printed += line
        return printed.removesuffix(f"\n{END}\n").strip("\n").replace(f":{self.daemon.api_port}", ":8080")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class People:
    """What the page's comments say that people do."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.phones = {}

    def phone(self, login, password):
        if login not in self.phones:
            self.phones[login] = Phone(("127.0.0.1", self.daemon.port), login, password, self.daemon.domain)
        self.phones[login].password = password
        return self.phones[login]

    def do(self, what):
        {
            "alice registers": lambda: self.phone("alice", "test").register(),
            "alice registers with a wrong password": self.register_wrongly,
            "somebody guesses a password": self.guess,
            "alice has the password NewPassword": lambda: self.phone("alice", "NewPassword").register(),
            "alice registers again": lambda: self.phone("alice", "NewPassword").register(),
            "alice calls bob, and carol who is not there": self.call,
            "bob takes the text": self.take_text,
            "bob answers the call, which has no application": self.take_call,
        }[what]()

    def register_wrongly(self):
        phone = Phone(("127.0.0.1", self.daemon.port), "alice", "wrong", self.daemon.domain)
        assert phone.try_to_register().status == 401
        phone.close()

    def guess(self):
        phone = Phone(("127.0.0.1", self.daemon.port), "admin", "1234", self.daemon.domain)
        assert [phone.try_to_register().status for _ in range(6)][-1] == 403
        phone.close()

    def call(self):
        alice, bob = self.phone("alice", "NewPassword"), self.phone("bob", "test2")
        alice.register()
        bob.register()
        caller, callee = connect(alice, bob)
        caller.hang_up(callee)
        self.daemon.add_client("carol")
        self.daemon.add_client("dave")
        assert alice.call("carol").expect_final().status == 480
        # The answer does not wait for the record.
        assert eventually(lambda: [call["status"] for call in self.daemon_calls()] == ["completed", "no-answer"])

    def daemon_calls(self):
        account, token = self.daemon.account()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.daemon.api_port}/2012-04-24/Accounts/{account}/Calls.json",
            headers={"Authorization": "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["calls"]

    def take_text(self):
        bob = self.phone("bob", "test2")
        bob.reply(bob.expect("MESSAGE"), 200)
        self.daemon.wait_for_event("message.end")

    def take_call(self):
        bob = self.phone("bob", "test2")
        ringing = bob.incoming_call()
        ringing.reply(200)
        ringing.expect("ACK")
        # The address of its application is not allowed.
        bob.reply(ringing.expect("BYE"), 200)
        assert eventually(lambda: all("end_time" in call for call in self.daemon_calls()))

    def close(self):
        for phone in self.phones.values():
            phone.close()


# The page.

def steps(text):
    """The page in parts: ("text", lines), ("sh", block), an answer's language with its block, ("do", comment)."""
    pattern = re.compile(r"^```(\w+)\n(.*?)^```\n|^<!-- (.*?) -->\n", re.MULTILINE | re.DOTALL)
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield "between", text[end:match.start()]
        yield ("do", match[3]) if match[3] else (match[1], match[2].rstrip("\n"))
        end = match.end()
    yield "between", text[end:]


def language(answer):
    """What an answer is written in."""
    return "json" if answer[:1] in "[{" else "xml" if answer[:1] == "<" else "text"


class Names:
    """Names for what is different in each run: the first sid of a kind is CL#1, and so on."""

    def __init__(self):
        self.known = {}

    def name(self, match):
        if match[0] not in self.known:
            kind = f"{match[1] or ''}#"
            count = sum(name.startswith(kind) for name in self.known.values())
            self.known[match[0]] = f"{kind}{count + 1}"
        return self.known[match[0]]

    def normal(self, answer):
        answer = re.sub(r"\b([A-Z]{2})?[0-9a-f]{32}\b", self.name, answer)
        answer = re.sub(r"\w{3}, \d{1,2} \w{3} \d{4} [0-9:]{8} \+0000", "DATE", answer)
        answer = re.sub(r"\d{4}-\d\d-\d\dT[0-9:]{8}\.\d{3}Z", "TIME", answer)
        answer = re.sub(r"(?<!:)\b127\.0\.0\.1:(?!8080)\d+", "127.0.0.1:PORT", answer)
        answer = re.sub(r'("(?:expires_in|duration|ring_duration)": )\d+', r"\1SECONDS", answer)
        answer = re.sub(r"(<(\w*Duration)>)\d+", r"\1SECONDS", answer)
        return re.sub(r'("call_id": "|<CallId>)[0-9a-f]+', r"\1ID", answer)


def test_the_page_is_what_the_daemon_answers(tmp_path):
    daemon = Daemon(tmp_path / "daemon").start()
    shell, people = Shell(daemon), People(daemon)
    written, ours, theirs = [], Names(), Names()
    differences = []
    try:
        parts = list(steps(PAGE.read_text()))
        for place, (kind, content) in enumerate(parts):
            if kind == "between":
                written.append(content)
            elif kind == "do":
                people.do(content)
                written.append(f"<!-- {content} -->\n")
            elif kind == "sh":
                answer = shell.run(content)
                written.append(f"```sh\n{content}\n```\n")
                shown = next((part for part in parts[place + 1:] if part != ("between", "\n")), None)
                shown = shown[1] if shown and shown[0] in ANSWERS else ""
                shown, normal = theirs.normal(shown), ours.normal(answer)
                if shown != normal:
                    differences += [f"$ {content}", *difflib.unified_diff(
                        shown.splitlines(), normal.splitlines(), "the page", "the daemon", lineterm="")]
                if answer:
                    written.append(f"\n```{language(answer)}\n{answer}\n```\n")
            elif kind not in ANSWERS:
                written.append(f"```{kind}\n{content}\n```\n")
            elif written and written[-1] == "\n":
                # The answer was written with its command; the empty line between them was, too.
                written.pop()
        unused = unused_operations(daemon, shell.requests.read_text())
    finally:
        people.close()
        shell.close()
        daemon.stop()
    if UPDATE and differences:
        # The whole page is of one run, so that a sid stands for the same throughout.
        PAGE.write_text("".join(written))
    elif not UPDATE:
        assert not differences, "\n".join(differences)
    assert not unused, f"the page does not show {unused}"


def target_of(line):
    """Method and resource of a curl command, given as its arguments with tabs between them."""
    arguments = line.split("\t")
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "POST" if "-d" in arguments else "GET"
    address = next(argument for argument in arguments if argument.startswith("http"))
    path = re.sub(r"^http://[^/]*(/restcomm|/api)?/2012-04-24", "", address.partition("?")[0])
    return method, re.sub(r"(\.json|\.xml)$", "", path)


def unused_operations(daemon, commands):
    """The operations of the OpenAPI document that no curl command was."""
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.api_port}/openapi.json", timeout=10) as answer:
        paths = json.load(answer)["paths"]
    requests = {target_of(line) for line in commands.splitlines() if line}
    unused = []
    for path, item in paths.items():
        form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        for method in item.keys() - {"parameters"}:
            if not any(method.upper() == used and form.fullmatch(target) for used, target in requests):
                unused.append(f"{method.upper()} {path}")
    return sorted(unused)


def test_the_openapi_document_is_the_one_that_is_served(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.api_port}/openapi.json", timeout=10) as answer:
        served = answer.read().decode()
    file = ROOT / "Docs/openapi.json"
    if UPDATE:
        file.write_text(served)
    assert file.read_text() == served, "ROLLCALL_UPDATE_DOCS=1 writes it anew"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_the_openapi_document_needs_no_credentials(server, method):
    request = urllib.request.Request(f"http://127.0.0.1:{server.api_port}/openapi.json", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == (204 if method == "OPTIONS" else 200)


@pytest.mark.parametrize(["status", "code", "make"], [
    (413, "R-3003", lambda path: ("POST", path, {}, "Login=" + "x" * (128 << 10))),
    (400, "R-3001", lambda path: ("POST", path, {}, "&".join(["a=1"] * 201))),
    (400, "R-3001", lambda path: ("GET", path + "?" + "&".join(["a=1"] * 201), {}, None)),
    (414, "R-3004", lambda path: ("GET", path + "?Login=" + "x" * 8_192, {}, None)),
    (431, "R-3006", lambda path: ("GET", path, {f"X-{number}": "1" for number in range(101)}, None)),
    (431, "R-3006", lambda path: ("GET", path, {"X": "x" * 32_768}, None)),
])
def test_the_limits_are_those_of_the_page(server, status, code, make):
    account, token = server.account()
    method, path, headers, body = make(f"/2012-04-24/Accounts/{account}/Clients.json")
    headers["Authorization"] = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    # A request line that cannot be read does not say in which form its answer is wanted.
    assert answer.status == status and code in answer.read().decode()
    connection.close()
    assert f"| {status} {code} |" in PAGE.read_text()


def test_a_new_password_leaves_registrations(server, phone):
    """The table of what a change does to SIP; the other lines are tested in test_compatibility.py."""
    alice, bob = phone("alice"), phone("bob")
    alice.register()
    bob.register()
    account, token = server.account()
    api = f"http://127.0.0.1:{server.api_port}/2012-04-24/Accounts/{account}"
    credentials = ["curl", "-s", "-u", f"{account}:{token}"]
    sid = json.loads(subprocess.check_output([*credentials, f"{api}/Clients.json?Login=bob"]))[0]["sid"]
    changed = subprocess.check_output([*credentials, f"{api}/Clients/{sid}.json", "-d", "Password=new"])
    assert json.loads(changed)["password"] == "new"
    connect(alice, bob)
    assert bob.try_to_register().status == 401
    bob.password = "new"
    bob.register()
