"""The HTTP API as a client program sees it: requests, answers and sockets, written independently of the daemon's code.

    api.create("Clients", Login="alice", Password="secret")     # POST, must succeed, gives the JSON
    api.get("Clients.json", Login="alice")                      # any answer
    api.child(FriendlyName="Sales").get("Clients.json")         # with the credentials of a sub-account
    Raw(api.port).send(b"GET / HTTP/1.1\\r\\n")                   # what no client library would send

A path such as `Clients.json` is below the client's account, `/Accounts.json` below the version, and one that names the
version itself, as the `uri` of a resource does, is taken as it is.
"""

import base64
import http.client
import itertools
import json
import re
import select
import socket
import time
import urllib.parse
import xml.etree.ElementTree

PREFIXES = ("/restcomm/2012-04-24", "/api/2012-04-24", "/2012-04-24")
FORM = "application/x-www-form-urlencoded"
REALM = "Restcomm realm"
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [1-9]\d? (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" \d\d:\d\d:\d\d \+0000")
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_sources = itertools.count(1)


def fresh_source():
    """A loopback address that no test has used: failed authentications are counted by address."""
    number = next(_sources)
    return f"127.{100 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def sid(prefix, digit="f"):
    """A Sid of the right form that stands for nothing."""
    return prefix + digit * 32


def is_sid(text, prefix):
    return re.fullmatch(prefix + "[0-9a-f]{32}", text) is not None


class Answer:
    """A response: its status, its headers (looked up without case), its body."""

    def __init__(self, status, headers, body, version="HTTP/1.1"):
        self.status, self.headers, self.body, self.version = status, list(headers), body, version

    def __getitem__(self, name):
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def __contains__(self, name):
        return self[name] is not None

    def __repr__(self):
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"{self.version} {self.status}\n{head}\n{self.body[:2000].decode('utf-8', 'replace')}"

    @property
    def text(self):
        return self.body.decode()

    @property
    def media_type(self):
        return (self["Content-Type"] or "").partition(";")[0].strip()

    def json(self):
        assert self.media_type == "application/json", f"wanted JSON but got\n{self}"
        return json.loads(self.body)

    def xml(self):
        """The root element, which is always RestcommResponse."""
        assert self.media_type == "application/xml", f"wanted XML but got\n{self}"
        root = xml.etree.ElementTree.fromstring(self.body)
        assert root.tag == "RestcommResponse", self
        return root


def assert_refused(answer, status, code=None, *words, parameter=None):
    """Asserts how every refusal looks, in JSON or in XML, and that its message has the words. Gives the message."""
    assert answer.status == status, f"wanted {status} but got\n{answer}"
    if answer.media_type == "application/xml":
        root = answer.xml()
        found = {"message": "Message", "code": "Code", "more_info": "MoreInfo", "parameter": "Parameter"}
        body = {name: root.findtext(tag) for name, tag in found.items() if root.find(tag) is not None}
    else:
        body = answer.json()
    assert {"code", "message", "more_info"} <= set(body), f"a refusal says what, why and where to read on:\n{answer}"
    assert re.fullmatch(r"R-3\d{3}", body["code"]), answer
    assert code is None or body["code"] == code, f"wanted {code} but got\n{answer}"
    assert body["more_info"] == f"Docs/Reasons.md#{body['code'].lower()}", answer
    assert body["message"], answer
    for word in words:
        assert word.lower() in body["message"].lower(), f"the message lacks {word!r}:\n{answer}"
    if parameter:
        assert body.get("parameter") == parameter, f"wanted the parameter {parameter} named:\n{answer}"
        assert parameter in body["message"], f"the message does not name {parameter}:\n{answer}"
    return body["message"]


def fields(element):
    """The children of an XML element as a list of (tag, text), in their order."""
    return [(child.tag, child.text or "") for child in element]


class API:
    """A client program: whose credentials it has, which account it works on, which address it comes from."""

    def __init__(self, port, user, password, account=None, source="127.0.0.1"):
        self.port, self.user, self.password = port, user, password
        self.account = account or user
        self.source = source
        self.connection = None

    @classmethod
    def of(cls, server, **changes):
        """With the credentials of a daemon's first account."""
        return cls(server.api_port, *server.account(), **changes)

    def copy(self, **changes):
        """Another client program that differs in something."""
        known = {name: getattr(self, name) for name in ("port", "user", "password", "account", "source")}
        return API(**{**known, **changes})

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    # Requests.

    @property
    def authorization(self):
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def target(self, path, query=None, prefix=PREFIXES[0]):
        """The request target for a path, with the fields of a query."""
        if "2012-04-24" not in path and path != "/openapi.json":
            path = f"{prefix}{path}" if path.startswith("/") else f"{prefix}/Accounts/{self.account}/{path}"
        if query:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(query)
        return path

    def ask(self, method, path, form=None, query=None, headers=(), body=None, prefix=PREFIXES[0], credentials=True):
        """Sends a request over a kept connection and gives its answer, whatever it is."""
        sent = {"Authorization": self.authorization} if credentials else {}
        if form is not None:
            pairs = [(name, value) for name, value in dict(form).items() if value is not None]
            body = urllib.parse.urlencode(pairs)
            sent["Content-Type"] = FORM
        if isinstance(body, str):
            body = body.encode()
        sent.update(headers)
        for attempt in range(2):
            is_new = self.connection is None
            if is_new:
                self.connection = http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=20, source_address=(self.source, 0))
            try:
                self.connection.request(method, self.target(path, query, prefix), body, sent)
                response = self.connection.getresponse()
                content = response.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if is_new or attempt:
                    raise
                continue  # The server has closed a connection that was idle.
            if response.will_close:
                self.close()
            return Answer(response.status, response.getheaders(), content)

    def get(self, path, **query):
        return self.ask("GET", path, query=query)

    def post(self, path, **form):
        return self.ask("POST", path, form)

    def put(self, path, **form):
        return self.ask("PUT", path, form)

    def delete(self, path):
        return self.ask("DELETE", path)

    # Requests that must succeed; they give the JSON.

    def fetch(self, path, **query):
        answer = self.get(path if path.endswith(".json") else f"{path}.json", **query)
        assert answer.status == 200, f"GET {path} {query} was answered\n{answer}"
        return answer.json()

    def create(self, path, **form):
        answer = self.post(path if path.endswith(".json") else f"{path}.json", **form)
        assert answer.status == 200, f"POST {path} {form} was answered\n{answer}"
        return answer.json()

    def update(self, path, **form):
        answer = self.put(path if path.endswith(".json") else f"{path}.json", **form)
        assert answer.status == 200, f"PUT {path} {form} was answered\n{answer}"
        return answer.json()

    def remove(self, path):
        answer = self.delete(path)
        assert answer.status in (200, 204) and answer.body == b"", f"DELETE {path} was answered\n{answer}"
        return answer

    # Accounts.

    def child(self, **form):
        """Makes a sub-account of the caller. Gives a client program with the credentials of that account."""
        made = self.create("/Accounts", **form)
        child = self.copy(user=made["sid"], password=made["auth_token"], account=made["sid"])
        child.connection = None
        return child

    def on(self, other):
        """The same credentials, used on another account (a Sid or a client program of that account)."""
        return self.copy(account=getattr(other, "account", other))

    # Lists in pages.

    def pages(self, path, **query):
        """All pages of a paged list, one after the other by its own links."""
        page = self.fetch(path, **query)
        while True:
            yield page
            link = page["next_page_uri"]
            if link is None:
                return
            answer = self.ask("GET", link, headers={"Accept": "application/json"})
            assert answer.status == 200, f"GET {link} was answered\n{answer}"
            page = answer.json()

    # Bytes for a plain socket.

    def written(self, method, path, headers=(), body=b"", query=None):
        """A whole request as bytes, with credentials; `headers` are lines without their ends."""
        lines = [f"{method} {self.target(path, query)} HTTP/1.1", "Host: localhost", f"Authorization: {self.authorization}"]
        lines += headers
        if body and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
            lines += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Raw:
    """A plain connection to the API. `answer` reads one response; None means that the server closed instead."""

    def __init__(self, port, source="127.0.0.1", receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(5)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """Sends everything, as far as the server lets us: it may have closed already."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def read(self, deadline):
        """Reads what is there into the buffer; False at the end of the stream, an error when time is up."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.000_1))
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def take(self, count, deadline):
        while len(self.buffer) < count:
            if not self.read(deadline):
                raise EOFError(f"the stream ended after {len(self.buffer)} of {count} bytes")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def line(self, deadline):
        while b"\r\n" not in self.buffer:
            if not self.read(deadline):
                raise EOFError("the stream ended within a line")
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def head(self, within=5.0):
        """The status line and the headers of the next response, or None at the end of the stream."""
        deadline = time.monotonic() + within
        while not self.buffer:
            if not self.read(deadline):
                return None
        version, status, _ = (self.line(deadline) + " ").split(" ", 2)
        assert version.startswith("HTTP/1."), f"not a response: {version!r}"
        headers = []
        while line := self.line(deadline):
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        return Answer(int(status), headers, b"", version)

    def answer(self, method="GET", within=5.0):
        """The next response with its body. A 100 (Continue) is one of its own."""
        answer = self.head(within)
        if answer is None or method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        deadline = time.monotonic() + within
        if "chunked" in (answer["Transfer-Encoding"] or "").lower():
            assert "Content-Length" not in answer, f"two lengths:\n{answer}"
            while size := int(self.line(deadline).partition(";")[0], 16):
                answer.body += self.take(size, deadline)
                assert self.take(2, deadline) == b"\r\n"
            while self.line(deadline):
                pass
        elif "Content-Length" in answer:
            answer.body = self.take(int(answer["Content-Length"]), deadline)
        else:
            while self.read(deadline):
                pass
            answer.body, self.buffer = self.buffer, b""
        return answer

    def is_closed(self, within=2.0):
        """Whether the server closes the connection in time; what it sends before goes into the buffer."""
        deadline = time.monotonic() + within
        while True:
            poll = select.poll()  # Which has no limit of 1024 descriptors.
            poll.register(self.socket, select.POLLIN)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return False
            try:
                if not self.read(time.monotonic() + 1):
                    return True
            except OSError:
                return True
