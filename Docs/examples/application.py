#!/usr/bin/env python3
"""An application for Rollcall: one file, nothing but Python's standard library (3.9 or later).

    python3 application.py                        # listens on 127.0.0.1:9000, does not check who asks
    ROLLCALL_TOKEN=8fe0... python3 application.py # only requests signed with this AuthToken are answered

What it does, and where to change it:

    /voice       answers a call: whoever is dialled is called, with a few names of its own ("busy", "sales")
    /fallback    answers when /voice could not
    /after-dial  is asked when the dialled call is over
    /progress    is told how the dialled call gets on
    /state       is told how the call itself gets on (StatusCallback of a number or an application)
    /sms         answers a text

Each request is one line on the terminal."""

import argparse
import hashlib
import hmac
import http.server
import os
import time
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

AGE = 300  # Seconds for which a signature is good.


# The application. A function gets the fields of the request, and gives the verbs of its answer.

def voice(call):
    """Someone calls: who it was is From, what was dialled is To."""
    to = call.get("To", "")
    if to == "busy":
        return '<Reject reason="busy"/>'
    if to == "sales":  # Two phones ring, the first that answers has the call.
        return dial("<Client>alice</Client><Client>bob</Client>")
    if to.lstrip("+").isdigit():
        return dial(f"<Number>{escape(to)}</Number>")
    return dial(f"<Client statusCallback={quoteattr('/progress')}>{escape(to)}</Client>")


def dial(nouns):
    return f'<Dial action="/after-dial" timeout="30">{nouns}</Dial>'


def after_dial(call):
    """The dialled call is over: DialCallStatus says how. Nothing more is to be done with the caller."""
    return "<Hangup/>"


def fallback(call):
    return "<Reject/>"


def sms(text):
    """Someone texts: the answer goes back to who wrote."""
    return f"<Sms>You wrote: {escape(text.get('Body', ''))}</Sms>"


def told(fields):
    """A callback tells something; its answer is not used."""
    return ""


PATHS = {
    "/voice": voice, "/fallback": fallback, "/after-dial": after_dial, "/sms": sms, "/progress": told, "/state": told,
}


# Who asks.

def is_signed(header, token, url, body, now):
    """Whether X-Rollcall-Signature is that of this request: t=SECONDS,v1=HMAC-SHA256 of "SECONDS.URL.BODY"."""
    parts = dict(part.partition("=")[::2] for part in (header or "").split(","))
    moment, signature = parts.get("t", ""), parts.get("v1", "")
    if not moment.isdigit() or abs(now - int(moment)) > AGE:
        return False
    wanted = hmac.new(token.encode(), f"{moment}.{url}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, signature)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Connections are kept, so that the next request is faster.
    timeout = 30

    def do_GET(self):
        self.take(b"")

    def do_POST(self):
        self.take(self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1 << 20)))

    def take(self, body):
        path, _, query = self.path.partition("?")
        form = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True) + form)
        url = self.server.base + self.path
        if self.server.token and not is_signed(
                self.headers.get("X-Rollcall-Signature"), self.server.token, url, body, time.time()):
            return self.reply(path, fields, 403, "the signature is missing or wrong")
        if path not in PATHS:
            return self.reply(path, fields, 404, "there is no such path")
        verbs = PATHS[path](fields)
        self.reply(path, fields, 200, f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{verbs}</Response>\n')

    def reply(self, path, fields, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        shown = " ".join(
            f"{name}={fields[name]!r}" for name in (
                "CallSid", "SmsSid", "From", "To", "Direction", "CallStatus", "DialCallStatus", "DialCallDuration",
                "Body") if name in fields)
        print(time.strftime("%H:%M:%S"), status, self.command, path, shown, flush=True)

    def log_message(self, *_):
        pass  # `reply` says more.


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description="An application for Rollcall.")
    parser.add_argument("--listen", default="127.0.0.1:9000", metavar="HOST:PORT", help="default: %(default)s")
    parser.add_argument(
        "--url", metavar="URL", help="how Rollcall names this server, if not http://HOST:PORT: a proxy stands before it")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    server = Server((host, int(port)), Handler)
    server.base = (options.url or f"http://{host}:{server.server_address[1]}").rstrip("/")
    server.token = os.environ.get("ROLLCALL_TOKEN", "")
    print(f"listening: {server.base}/voice", "" if server.token else "(signatures are not checked)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
