"""An HTTP server of the test's own that plays the application: it answers by script per path and keeps every request.

    web.answer("/voice", "<Response><Reject/></Response>")       # whenever it is asked
    web.answer("/voice", first, second)                          # one after the other, then the last again
    web.answer("/slow", web.hang(), )                            # a mode of failure
    request = web.wait_for("/voice")                             # the next request of this path, with its fields
    web.fields("/state", "CallStatus")                           # what all requests of a path had in a field

Requests are kept in the order in which they came, with the time of their coming."""

import http.server
import itertools
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

from daemon import free_port

XML = "text/xml"
# The configuration that lets the daemon ask applications on this machine.
LOCAL = {"applications": {"allow": ["127.0.0.0/8", "::1"]}}


def response(*verbs):
    """A document of RCML."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{"".join(verbs)}</Response>'


class Request:
    """What the daemon asked: the fields are those of the query of a GET, of the body of a POST."""

    def __init__(self, method, target, headers, body, place):
        self.method, self.target, self.headers, self.body, self.place = method, target, headers, body, place
        self.at = time.monotonic()
        self.path, _, self.query = target.partition("?")
        form = body.decode("utf-8", "replace") if method == "POST" else self.query
        self.pairs = urllib.parse.parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form))
        self.fields = dict(self.pairs)
        self.names = [name for name, _ in self.pairs]

    def __getitem__(self, name):
        return self.fields[name]

    def get(self, name):
        return self.fields.get(name)

    def __repr__(self):
        return f"{self.method} {self.target} {self.fields}"


class Reply:
    """How a request is answered: by this status, type and body, after so many seconds."""

    def __init__(self, body="", status=200, content_type=XML, headers=(), delay=0.0, act=None):
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.content_type, self.headers, self.delay = status, content_type, headers, delay
        self.act = act


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.take()

    do_POST = do_PUT = do_HEAD = do_GET

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        web = self.server.web
        request = Request(self.command, self.path, self.headers, body, self.client_address)
        reply = web.note(request)
        if reply.delay:
            web.stopped.wait(reply.delay)
        try:
            if reply.act:
                reply.act(self)
                return
            self.send_response(reply.status)
            if reply.content_type:
                self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
        except OSError:
            self.close_connection = True  # The daemon has given up, as it may.


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    block_on_close = False

    def handle_error(self, *_):
        pass  # Connections that broke are part of the tests.


class WebApp:
    """The server. `url("/path")` is an address in it; `https` makes it one of TLS with a certificate nobody trusts."""

    def __init__(self, directory=None, https=False, host="127.0.0.1"):
        self.lock = threading.Condition()
        self.requests, self.scripts, self.taken = [], {}, {}
        self.stopped = threading.Event()
        self.host, self.scheme = host, "https" if https else "http"
        self.server = Server((host, free_port()), Handler)
        self.server.web = self
        self.port = self.server.server_address[1]
        if https:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate(directory))
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def url(self, path):
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    # Scripts.

    def answer(self, path, *replies):
        """Answers the path by these documents or replies, one after the other, and then by the last one again."""
        made = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
        with self.lock:
            self.scripts[path] = itertools.chain(made, itertools.repeat(made[-1]))

    def note(self, request):
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()
            script = self.scripts.get(request.path)
            return next(script) if script else Reply("not here", 404, "text/plain")

    # Modes of failure.

    @staticmethod
    def status(number):
        return Reply("this is no document", number, "text/plain")

    def hang(self, seconds=15.0):
        """Nothing is answered."""
        return Reply(act=lambda handler: self.drop(handler, seconds))

    def drop(self, handler, seconds=0.0):
        """Closes the connection without a word, after so many seconds."""
        self.stopped.wait(seconds)
        handler.close_connection = True

    def broken(self):
        """The connection ends within the answer."""
        def act(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<Response>")
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        return Reply(act=act)

    def trickle(self, seconds=15.0):
        """A document that comes a byte at a time and never ends."""
        def act(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9999\r\n\r\n")
            end = time.monotonic() + seconds
            while time.monotonic() < end and not self.stopped.wait(0.1):
                handler.wfile.write(b" ")
                handler.wfile.flush()
            handler.close_connection = True
        return Reply(act=act)

    @staticmethod
    def large(size=10 << 20):
        return Reply(b"<Response><!--" + b"x" * size + b"--><Reject/></Response>")

    @staticmethod
    def redirect(url, status=302):
        return Reply("", status, None, [("Location", url)])

    # What came.

    def of(self, path):
        """All requests of a path."""
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def wait_for(self, path, within=6.0):
        """The next request of the path that was not taken yet."""
        return self.wait_for_all(path, 1, within)[0]

    def wait_for_all(self, path, count, within=6.0):
        """The next `count` requests of the path."""
        deadline = time.monotonic() + within
        with self.lock:
            first = self.taken.get(path, 0)
            while True:
                found = [request for request in self.requests if request.path == path][first:]
                if len(found) >= count:
                    self.taken[path] = first + count
                    return found[:count]
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    came = "\n".join(map(repr, self.requests)) or "nothing"
                    raise AssertionError(f"no {count} requests of {path} within {within} s; what came:\n{came}")
                self.lock.wait(remaining)

    def fields(self, path, name):
        return [request.get(name) for request in self.of(path)]

    def order(self):
        """The paths in the order of their coming."""
        with self.lock:
            return [request.path for request in self.requests]


def certificate(directory):
    """A certificate for 127.0.0.1 that its own key has signed, and the key."""
    directory = pathlib.Path(directory)
    key, made = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
        check=True, capture_output=True, timeout=20)
    return made, key
