"""SIP for tests: messages, digest credentials and sockets, written independently of the daemon's Swift code.

Nothing here decides anything on its own. A test builds a message, sends it, and looks at what comes back; the scripted
user agent that does the usual things in the usual order is in `phone.py`.
"""

import hashlib
import secrets
import socket
import time

COMPACT = {
    "v": "Via", "f": "From", "t": "To", "m": "Contact", "i": "Call-ID", "l": "Content-Length", "c": "Content-Type",
    "k": "Supported", "s": "Subject", "e": "Content-Encoding", "r": "Refer-To", "o": "Event", "u": "Allow-Events",
}

REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily",
    400: "Bad Request", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 500: "Server Internal Error", 503: "Service Unavailable",
    600: "Busy Everywhere", 603: "Decline",
}

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
).encode()


def token(length=8):
    """A random word for a tag, a branch or a Call-ID."""
    return secrets.token_hex(length)


def split(value, separator=","):
    """Splits a header value where the separator stands outside quotes and angle brackets."""
    parts, quoted, escaped, depth, start = [], False, False, 0, 0
    for position, character in enumerate(value):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted and character == "<":
            depth += 1
        elif not quoted and character == ">":
            depth -= 1
        elif character == separator and not quoted and depth == 0:
            parts.append(value[start:position].strip())
            start = position + 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]


def parameters(value):
    """The `;name=value` parameters after a header value as a dictionary with lower-case names."""
    found = {}
    for part in split(value, ";")[1:]:
        name, _, content = part.partition("=")
        found[name.strip().lower()] = content.strip().strip('"')
    return found


def uri_of(value):
    """The URI of a name-addr or addr-spec header value: `"Bob" <sip:bob@host>;tag=1` gives `sip:bob@host`."""
    if "<" in value:
        return value[value.index("<") + 1:value.index(">")]
    return split(value, ";")[0]


class Message:
    """A SIP message: its start line, its headers in order, its body."""

    def __init__(self, start_line, headers=(), body=b""):
        self.start_line = start_line
        self.headers = [(name, str(value)) for name, value in headers]
        self.body = body

    @classmethod
    def parse(cls, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon, f"not a header line: {line!r}"
            name = name.strip()
            headers.append((COMPACT.get(name.lower(), name), value.strip()))
        message = cls(lines[0], headers, body)
        length = message["Content-Length"]
        if length is not None:
            assert len(body) >= int(length), f"the body has {len(body)} bytes, Content-Length says {length}"
            message.body = body[:int(length)]
        return message

    def __bytes__(self):
        headers = list(self.headers)
        if self["Content-Length"] is None:
            headers.append(("Content-Length", len(self.body)))
        lines = [self.start_line] + [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    def __str__(self):
        return bytes(self).decode("utf-8", "replace")

    __repr__ = __str__

    # The start line.

    @property
    def is_request(self):
        return not self.start_line.startswith("SIP/2.0 ")

    @property
    def method(self):
        """The method of a request, or of the request that a response answers."""
        return self.start_line.split(" ")[0] if self.is_request else self["CSeq"].split()[1]

    @property
    def uri(self):
        return self.start_line.split(" ")[1]

    @property
    def status(self):
        return 0 if self.is_request else int(self.start_line.split(" ")[1])

    # Headers. `message["Via"]` is the first value line or None; `values` is every value, comma lists taken apart.

    def __getitem__(self, name):
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def __setitem__(self, name, value):
        self.headers = [(known, old) for known, old in self.headers if known.lower() != name.lower()]
        self.headers.append((name, str(value)))

    def __contains__(self, name):
        return self[name] is not None

    def lines(self, name):
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def values(self, name):
        return [value for line in self.lines(name) for value in split(line)]

    def remove(self, name):
        self.headers = [(known, value) for known, value in self.headers if known.lower() != name.lower()]

    def copy(self, **changes):
        """The same message with headers replaced (`Max_Forwards="3"`), or left out (`To=None`)."""
        message = Message(self.start_line, self.headers, self.body)
        for name, value in changes.items():
            name = name.replace("_", "-")
            if value is None:
                message.remove(name)
            else:
                message[name] = value
        return message

    @property
    def branch(self):
        return parameters(self.values("Via")[0])["branch"]

    @property
    def cseq(self):
        return int(self["CSeq"].split()[0])

    @property
    def from_tag(self):
        return parameters(self["From"]).get("tag")

    @property
    def to_tag(self):
        return parameters(self["To"]).get("tag")

    @property
    def transaction(self):
        """What makes a response belong to a request."""
        return self["Call-ID"], self["CSeq"], self.branch


def response(request, status, reason=None, headers=(), body=b"", to_tag=None):
    """A response to a request by RFC 3261 8.2.6: Via, From, To, Call-ID and CSeq come from the request."""
    to = request["To"]
    if to_tag and "tag=" not in to:
        to += f";tag={to_tag}"
    copied = [("Via", via) for via in request.lines("Via")]
    copied += [("Record-Route", route) for route in request.lines("Record-Route")] if status < 300 else []
    copied += [("From", request["From"]), ("To", to), ("Call-ID", request["Call-ID"]), ("CSeq", request["CSeq"])]
    return Message(f"SIP/2.0 {status} {reason or REASONS.get(status, 'Unnamed')}", copied + list(headers), body)


# Digest access authentication, RFC 7616 and (without qop) RFC 2069.

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def parse_challenge(value):
    """A WWW-Authenticate or Proxy-Authenticate value as a dictionary; `qop` becomes a list."""
    scheme, _, rest = value.partition(" ")
    assert scheme.lower() == "digest", value
    challenge = {}
    for part in split(rest):
        name, _, content = part.partition("=")
        challenge[name.strip().lower()] = content.strip().strip('"')
    challenge["qop"] = [word.strip() for word in challenge.get("qop", "").split(",") if word.strip()]
    challenge.setdefault("algorithm", "MD5")
    return challenge


def challenges(message):
    """Every digest challenge of a 401 or 407, best first as the server ordered them."""
    return [parse_challenge(line) for name in ("WWW-Authenticate", "Proxy-Authenticate") for line in message.lines(name)]


class Credentials:
    """Answers one challenge, as often as its nonce is good for: every use raises the nonce-count."""

    def __init__(self, challenge, login, password, qop="auth"):
        self.challenge, self.login, self.password = challenge, login, password
        self.qop = qop if qop in challenge["qop"] else None
        self.count = 0

    def hash(self, *parts):
        text = b":".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        return hashlib.new(HASHES[self.challenge["algorithm"]], text).hexdigest()

    def header(self, method, uri, body=b"", count=None):
        """The value of an Authorization or Proxy-Authorization header for one request."""
        challenge, cnonce = self.challenge, token(4)
        self.count = count or self.count + 1
        nc = f"{self.count:08x}"
        ha1 = self.hash(self.login, challenge["realm"], self.password)
        ha2 = self.hash(method, uri, self.hash(body)) if self.qop == "auth-int" else self.hash(method, uri)
        if self.qop:
            answer = self.hash(ha1, challenge["nonce"], nc, cnonce, self.qop, ha2)
        else:
            answer = self.hash(ha1, challenge["nonce"], ha2)
        fields = [
            f'username="{self.login}"', f'realm="{challenge["realm"]}"', f'nonce="{challenge["nonce"]}"',
            f'uri="{uri}"', f'response="{answer}"', f'algorithm={challenge["algorithm"]}',
        ]
        if self.qop:
            fields += [f"qop={self.qop}", f"nc={nc}", f'cnonce="{cnonce}"']
        if "opaque" in challenge:
            fields.append(f'opaque="{challenge["opaque"]}"')
        return "Digest " + ", ".join(fields)


# Sockets. Both kinds: `send(bytes)` to the server, `receive(seconds)` gives one message's bytes or None.

def literal(host):
    """An address as it stands in a URI or a Via: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


class UDPWire:
    transport = "UDP"

    def __init__(self, server, host=None, port=0):
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.server = server
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((host or server[0], port))

    @property
    def address(self):
        return self.socket.getsockname()[:2]

    def send(self, data, to=None):
        self.socket.sendto(data, to or self.server)

    def receive(self, seconds):
        """The next datagram; keepalive CRLFs are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            remaining = deadline - time.monotonic()
            self.socket.settimeout(max(remaining, 0.000_1))
            try:
                data = self.socket.recv(65_535)
            except (socket.timeout, BlockingIOError):
                return None
            except ConnectionRefusedError:
                continue
            if data.strip():
                return data

    def close(self):
        self.socket.close()


class TCPWire:
    transport = "TCP"

    def __init__(self, server, host=None, port=0):
        self.server = server
        self.socket = socket.create_connection(server, timeout=5, source_address=(host or server[0], port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.closed_by_peer = False

    @property
    def address(self):
        return self.socket.getsockname()[:2]

    def send(self, data):
        self.socket.sendall(data)

    def frame(self):
        """Takes one whole message off the front of what has arrived (RFC 3261 18.3), or None."""
        self.buffer = self.buffer.lstrip(b"\r\n")
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(Message.parse(head + blank + b"\0" * 65_535)["Content-Length"] or 0)
        if len(rest) < length:
            return None
        message, self.buffer = self.buffer[:len(head) + 4 + length], rest[length:]
        return message

    def receive(self, seconds):
        deadline = time.monotonic() + seconds
        while True:
            message = self.frame()
            if message:
                return message
            if not self.read(deadline - time.monotonic()):
                return None

    def read(self, seconds):
        """Reads what is there into the buffer; False when time is up or the server closed the connection."""
        self.socket.settimeout(max(seconds, 0.000_1))
        try:
            data = self.socket.recv(65_536)
        except (socket.timeout, BlockingIOError):
            return False
        except ConnectionResetError:
            data = b""
        self.buffer += data
        self.closed_by_peer = not data
        return bool(data)

    def is_closed(self, within=2.0):
        """Whether the server closes this connection in time."""
        deadline = time.monotonic() + within
        while not self.closed_by_peer and time.monotonic() < deadline:
            self.read(deadline - time.monotonic())
        return self.closed_by_peer

    def close(self):
        self.socket.close()


WIRES = {"udp": UDPWire, "tcp": TCPWire}
