"""Many calls through an application at once: the phones of both sides and the application, in one process of asyncio.

    python3 appload.py PORT DOMAIN HTTP-PORT RATE COUNT CALLERS CALLEES

Callers are load0000@DOMAIN and so on with the password `LOGIN-secret`, callees follow them. It prints one line of JSON."""

import asyncio
import hashlib
import json
import re
import secrets
import sys
import time

HOLD = 0.1
PATIENCE = 20.0
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def header(text, name):
    match = re.search(rf"^{name}: *(.*?)\r$", text, re.M | re.I)
    return match[1] if match else ""


def write(start, headers, body=""):
    lines = [start, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Agent(asyncio.DatagramProtocol):
    """All phones: one socket."""

    def __init__(self, server, domain):
        self.server, self.domain = server, domain
        self.waiting, self.answered, self.bad = {}, {}, []
        self.nonces = {}

    def connection_made(self, transport):
        self.transport = transport
        self.place = "127.0.0.1:%d" % transport.get_extra_info("sockname")[1]

    def send(self, data):
        self.transport.sendto(data, self.server)

    def datagram_received(self, data, _):
        text = data.decode()
        if text.startswith("SIP/2.0"):
            status = int(text[8:11])
            queue = self.waiting.get((header(text, "Call-ID"), header(text, "CSeq")))
            if queue is not None and status >= 200:
                queue.put_nowait((status, text))
        else:
            self.request(text)

    def request(self, text):
        method = text.split(" ", 1)[0]
        if method == "ACK":
            return
        key = header(text, "Call-ID"), header(text, "CSeq")
        if key in self.answered:  # A retransmission.
            self.send(self.answered[key])
            return
        copied = [(name, value) for name in ("Via", "From", "To", "Call-ID", "CSeq")
                  for value in re.findall(rf"^{name}: *(.*?)\r$", text, re.M)]
        if "tag=" not in header(text, "To"):
            copied = [(name, value + f";tag={secrets.token_hex(4)}" if name == "To" else value) for name, value in copied]
        if method == "INVITE":
            answer = write("SIP/2.0 200 OK", [*copied, ("Contact", f"<sip:x@{self.place}>"),
                                              ("Content-Type", "application/sdp")], SDP)
        else:
            answer = write("SIP/2.0 200 OK", copied)
        self.answered[key] = answer
        self.send(answer)

    async def ask(self, data, call_id, cseq):
        """Sends a request and gives its final response, repeating it as long as none comes."""
        queue = self.waiting[call_id, cseq] = asyncio.Queue()
        try:
            for wait in (1.0, 2.0, 4.0, 8.0):
                self.send(data)
                try:
                    return await asyncio.wait_for(queue.get(), wait)
                except asyncio.TimeoutError:
                    continue
            return 0, ""
        finally:
            del self.waiting[call_id, cseq]

    def credentials(self, login, method, uri):
        realm, nonce, count = self.nonces[login]
        self.nonces[login] = realm, nonce, count + 1
        nc, cnonce = f"{count + 1:08x}", secrets.token_hex(4)
        ha1, ha2 = md5(f"{login}:{realm}:{login}-secret"), md5(f"{method}:{uri}")
        response = md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
        return (f'Digest username="{login}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
                f'algorithm=MD5, qop=auth, nc={nc}, cnonce="{cnonce}"')

    async def authenticated(self, login, method, uri, headers, body, call_id, first=1):
        """Sends a request with credentials, a new challenge answered. Gives status, answer and the CSeq used."""
        kind = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
        for number in range(first, first + 3):
            cseq = f"{number} {method}"
            branch = "z9hG4bK" + secrets.token_hex(8)
            sent = [("Via", f"SIP/2.0/UDP {self.place};branch={branch};rport"), ("Max-Forwards", 70), *headers,
                    ("Call-ID", call_id), ("CSeq", cseq), ("Contact", f"<sip:{login}@{self.place}>")]
            if login in self.nonces:
                sent.append((kind, self.credentials(login, method, uri)))
            if body:
                sent.append(("Content-Type", "application/sdp"))
            status, text = await self.ask(write(f"{method} {uri} SIP/2.0", sent, body), call_id, cseq)
            if method == "INVITE" and status >= 300:
                self.send(write(f"ACK {uri} SIP/2.0", [
                    ("Via", f"SIP/2.0/UDP {self.place};branch={branch};rport"), ("Max-Forwards", 70),
                    ("From", header(text, "From")), ("To", header(text, "To")), ("Call-ID", call_id),
                    ("CSeq", f"{number} ACK")]))
            if status not in (401, 407):
                return status, text, number
            challenge = header(text, "WWW-Authenticate") or header(text, "Proxy-Authenticate")
            realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge)[1] for name in ("realm", "nonce"))
            self.nonces[login] = realm, nonce, 0
        return status, text, number

    async def register(self, login):
        address = f"<sip:{login}@{self.domain}>"
        status, _, _ = await self.authenticated(
            login, "REGISTER", f"sip:{self.domain}", [("From", address + ";tag=r"), ("To", address)], "",
            secrets.token_hex(8))
        assert status == 200, f"REGISTER of {login} was answered {status}"

    async def call(self, login, callee):
        """A whole call. Gives None, or what went wrong."""
        uri, call_id = f"sip:{callee}@{self.domain}", secrets.token_hex(8)
        sender = f"<sip:{login}@{self.domain}>;tag={secrets.token_hex(4)}"
        status, text, number = await self.authenticated(
            login, "INVITE", uri, [("From", sender), ("To", f"<{uri}>")], SDP, call_id)
        if status != 200:
            return f"INVITE {status}"
        target = re.search(r"<([^>]*)>", header(text, "Contact"))[1]
        routes = [("Route", value) for value in reversed(re.findall(r"^Record-Route: *(.*?)\r$", text, re.M))]

        def within(method, cseq):
            return write(f"{method} {target} SIP/2.0", [
                ("Via", f"SIP/2.0/UDP {self.place};branch=z9hG4bK{secrets.token_hex(8)};rport"), *routes,
                ("Max-Forwards", 70), ("From", sender), ("To", header(text, "To")), ("Call-ID", call_id),
                ("CSeq", cseq)])
        self.send(within("ACK", f"{number} ACK"))
        await asyncio.sleep(HOLD)
        cseq = f"{number + 1} BYE"
        status, _ = await self.ask(within("BYE", cseq), call_id, cseq)
        return None if status == 200 else f"BYE {status}"


class Application(asyncio.Protocol):
    """Answers every request with a document that dials what was dialled."""

    asked = 0

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            length = int(length[1]) if length else 0
            if len(rest) < length:
                return
            body, self.buffer = rest[:length], rest[length:]
            Application.asked += 1
            to = re.search(rb"(?:^|&)To=([^&]*)", body)
            document = b"<Response><Dial><Client>%s</Client></Dial></Response>" % (to[1] if to else b"nobody")
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(document), document))


async def main(port, domain, http_port, rate, count, callers, callees):
    loop = asyncio.get_running_loop()
    application = await loop.create_server(Application, "127.0.0.1", http_port, backlog=1024)
    agents = []
    for _ in range(2):
        _, agent = await loop.create_datagram_endpoint(
            lambda: Agent(("127.0.0.1", port), domain), local_addr=("127.0.0.1", 0))
        agents.append(agent)
    near, far = agents
    logins = [f"load{number:04}" for number in range(callers + callees)]
    for login in logins[:callers]:
        await near.register(login)
    for login in logins[callers:]:
        await far.register(login)
    print("BEGIN", flush=True)
    began = time.monotonic()
    calls = []
    for number in range(count):
        calls.append(asyncio.create_task(near.call(logins[number % callers], logins[callers + number % callees])))
        await asyncio.sleep(max(0, began + (number + 1) / rate - time.monotonic()))
    offered = time.monotonic() - began
    results = await asyncio.wait_for(asyncio.gather(*calls), PATIENCE + 20)
    failures = [result for result in results if result]
    print(json.dumps({
        "calls": count, "failed": len(failures), "failures": sorted(set(failures)), "asked": Application.asked,
        "per_s": round(count / offered, 1), "seconds": round(time.monotonic() - began, 2)}), flush=True)
    application.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(main(int(arguments[0]), arguments[1], *map(int, arguments[2:])))
