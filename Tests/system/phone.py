"""A scripted user agent. It does what a softphone does, but only when the test tells it to.

    alice.register()
    call = alice.call("bob")            # INVITE, answering the challenge
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")

Everything runs in the test's own thread: the kernel's socket buffers hold what arrives until the test asks for it.
Retransmissions are recognised, answered as before, counted in `phone.retransmissions` and otherwise not shown.
"""

import collections
import time

from sip import SDP, WIRES, Credentials, Message, challenges, literal, parameters, response, token, uri_of

PATIENCE = 4.0  # Seconds to wait for something that must come.
SILENCE = 0.4  # Seconds to wait for something that must not come.


def describe(wanted):
    return wanted if isinstance(wanted, str) else f"a {wanted} response"


class Phone:
    """One user agent with one socket. `login` is its user, `domain` its server's domain."""

    def __init__(self, server, login, password, domain, transport="udp", host=None, port=0):
        self.server, self.login, self.password, self.domain = server, login, password, domain
        self.transport = transport
        self.wire = WIRES[transport](server, host, port)
        self.algorithm, self.qop = "MD5", "auth"
        self.device = token(4)  # Two devices of one login answer with different tags.
        self.call_id, self.cseq = f"{token()}@{login}", 0
        self.backlog, self.seen, self.answers = [], set(), {}
        self.retransmissions = collections.Counter()

    def close(self):
        self.wire.close()

    def __repr__(self):
        return f"Phone({self.login}, {self.transport} {self.host_port})"

    # Who and where this phone is.

    @property
    def host_port(self):
        host, port = self.wire.address
        return f"{literal(host)}:{port}"

    @property
    def address_of_record(self):
        return f"sip:{self.login}@{self.domain}"

    @property
    def contact_uri(self):
        return f"sip:{self.login}@{self.host_port}" + (";transport=tcp" if self.transport == "tcp" else "")

    @property
    def contact(self):
        return f"<{self.contact_uri}>"

    # Sending.

    def via(self):
        return f"SIP/2.0/{self.wire.transport} {self.host_port};branch=z9hG4bK{token()};rport"

    def request(self, method, target, headers=(), body=b"", **replaced):
        """A request outside a dialog. `target` is a URI or the login of another client of the domain.

        Keyword arguments replace headers or leave them out: `From="<sip:x@y>;tag=1"`, `Max_Forwards=None`."""
        uri = target if ":" in target else f"sip:{target}@{self.domain}"
        self.cseq += 1
        message = Message(f"{method} {uri} SIP/2.0", [
            ("Via", self.via()),
            ("Max-Forwards", 70),
            ("From", f"<{self.address_of_record}>;tag={token()}"),
            ("To", f"<{uri}>"),
            ("Call-ID", f"{token()}@{self.login}"),
            ("CSeq", f"{self.cseq} {method}"),
            ("User-Agent", "system-test"),
            *headers,
        ], body)
        return message.copy(**replaced)

    def send(self, message):
        self.wire.send(bytes(message))
        return message

    def reply(self, request, status, reason=None, headers=(), body=b""):
        """Answers a received request, and its retransmissions from now on."""
        tag = None if status == 100 else f"{self.login}-{self.device}-{request.from_tag}"
        answer = bytes(response(request, status, reason, headers, body, tag))
        self.answers[bytes(request)] = answer
        self.wire.send(answer)
        return Message.parse(answer)

    # Receiving.

    def receive(self, within=PATIENCE):
        """The next message that is not a retransmission, or None."""
        deadline = time.monotonic() + within
        while True:
            data = self.wire.receive(deadline - time.monotonic())
            if data is None:
                return None
            message = Message.parse(data)
            if data not in self.seen:
                self.seen.add(data)
                return message
            self.retransmissions[message.start_line] += 1
            if bytes(message) in self.answers:
                self.wire.send(self.answers[bytes(message)])

    def wait(self, matches, description, within=PATIENCE):
        """The first message that matches, whether it came already or comes in time; others are kept for later."""
        for message in self.backlog:
            if matches(message):
                self.backlog.remove(message)
                return message
        deadline = time.monotonic() + within
        while (message := self.receive(deadline - time.monotonic())) is not None:
            if matches(message):
                return message
            self.backlog.append(message)
        others = ", ".join(repr(other.start_line) for other in self.backlog) or "nothing"
        raise AssertionError(f"{self} waited {within} s for {description}; other messages: {others}")

    def expect(self, method, within=PATIENCE):
        """The next request with this method."""
        return self.wait(lambda message: message.is_request and message.method == method, method, within)

    def expect_silence(self, method=None, within=SILENCE):
        """No request (or none with this method) and, without a method, no final response arrives."""
        def breaks(message):
            if method:
                return message.is_request and message.method == method
            return message.is_request or message.status >= 200
        try:
            message = self.wait(breaks, "silence", within)
        except AssertionError:
            return
        raise AssertionError(f"{self} wanted no {method or 'message'} but got\n{message}")

    def expect_response(self, request, status=None, within=PATIENCE):
        """The next response to this request: with this status, or any final one."""
        def matches(message):
            return (not message.is_request and message.transaction == request.transaction
                    and (message.status == status if status else message.status >= 200))
        try:
            return self.wait(matches, f"{status or 'a final response'} to {request.start_line}", within)
        except AssertionError:
            for message in self.backlog:
                if not message.is_request and message.transaction == request.transaction and message.status >= 200:
                    raise AssertionError(f"{self} wanted {status} to {request.start_line} but got\n{message}") from None
            raise

    def ask(self, request, within=PATIENCE):
        """Sends a request and gives its final response."""
        self.send(request)
        return self.expect_response(request, within=within)

    # Credentials.

    def credentials(self, refusal):
        """Credentials for a 401 or 407: the challenge of the preferred algorithm, else the first."""
        offered = challenges(refusal)
        assert offered, f"no challenge in\n{refusal}"
        chosen = next((challenge for challenge in offered if challenge["algorithm"] == self.algorithm), offered[0])
        return Credentials(chosen, self.login, self.password, self.qop)

    def again(self, request, credentials, kind=None, **digest):
        """The same request once more with credentials, the next CSeq and a new branch."""
        kind = kind or ("Authorization" if request.method == "REGISTER" else "Proxy-Authorization")
        self.cseq = max(self.cseq, request.cseq) + 1
        value = credentials.header(request.method, request.uri, request.body, **digest)
        return request.copy(Via=self.via(), CSeq=f"{self.cseq} {request.method}", **{kind.replace("-", "_"): value})

    def ask_with_credentials(self, request, within=PATIENCE):
        """Sends a request, answers the challenge, and gives the final response."""
        refusal = self.ask(request, within)
        if refusal.status not in (401, 407):
            return refusal
        self.answered = self.again(request, self.credentials(refusal))
        return self.ask(self.answered, within)

    # What people do with a phone.

    def register_request(self, contacts=None, expires=3600, headers=(), **replaced):
        """A REGISTER. `contacts` is a list of Contact values (default: this phone), `expires` None leaves it out."""
        contacts = [self.contact] if contacts is None else contacts
        message = self.request(
            "REGISTER", f"sip:{self.domain}",
            [("Contact", contact) for contact in contacts]
            + ([("Expires", expires)] if expires is not None else []) + list(headers),
            **{"To": f"<{self.address_of_record}>", "Call_ID": self.call_id, **replaced})
        return message

    def try_to_register(self, contacts=None, expires=3600, headers=(), **replaced):
        """Registers and gives the final response, whatever it is."""
        return self.ask_with_credentials(self.register_request(contacts, expires, headers, **replaced))

    def register(self, contacts=None, expires=3600, headers=(), **replaced):
        """Registers, which must succeed, and gives the 200."""
        answer = self.try_to_register(contacts, expires, headers, **replaced)
        assert answer.status == 200, f"{self} could not register:\n{answer}"
        return answer

    def unregister(self):
        return self.register(expires=0)

    def bindings(self):
        """The address-of-record's bindings as the registrar lists them: {URI: seconds left}."""
        answer = self.register(contacts=[], expires=None)
        return {uri_of(value): int(parameters(value)["expires"]) for value in answer.values("Contact")}

    def text(self, target, body="Hello", headers=(), **replaced):
        """Sends a MESSAGE and gives its final response."""
        self.send_text(target, body, headers, **replaced)
        return self.expect_response(self.answered)

    def send_text(self, target, body="Hello", headers=(), **replaced):
        """Sends a MESSAGE with credentials; the answer is still to come."""
        request = self.request(
            "MESSAGE", target, [("Content-Type", "text/plain"), *headers], body.encode(), **replaced)
        return self.send_with_credentials(request)

    def send_with_credentials(self, request):
        """Asks for a challenge and sends the request again with credentials; the answer is still to come."""
        refusal = self.ask(request)
        assert refusal.status in (401, 407), f"no challenge for {request.start_line}:\n{refusal}"
        self.answered = self.again(request, self.credentials(refusal))
        return self.send(self.answered)

    def call(self, target, body=SDP, headers=(), **replaced):
        """Calls somebody: INVITE, challenge, ACK, INVITE with credentials. The rest is up to the `Call`."""
        headers = [("Contact", self.contact), ("Content-Type", "application/sdp"), *headers]
        first = self.request("INVITE", target, headers, body, **replaced)
        self.send(first)
        refusal = self.expect_response(first)
        self.send(ack_for(first, refusal))
        assert refusal.status == 407, f"{self} wanted a challenge but got\n{refusal}"
        return Call(self, self.send(self.again(first, self.credentials(refusal))))

    def incoming_call(self, within=PATIENCE):
        return Call(self, self.expect("INVITE", within), incoming=True)


def ack_for(invite, final):
    """The ACK for a failed INVITE: the same branch, the To of the response (RFC 3261 17.1.1.3)."""
    headers = [("Via", invite.lines("Via")[0])] + [("Route", route) for route in invite.lines("Route")]
    headers += [("Max-Forwards", 70), ("From", invite["From"]), ("To", final["To"]), ("Call-ID", invite["Call-ID"])]
    return Message(f"ACK {invite.uri} SIP/2.0", headers + [("CSeq", f"{invite.cseq} ACK")])


class Call:
    """One side of a call: the INVITE transaction first, the dialog after its 200."""

    def __init__(self, phone, invite, incoming=False):
        self.phone, self.invite, self.incoming = phone, invite, incoming
        self.id = invite["Call-ID"]
        self.cseq = invite.cseq
        if incoming:
            self.remote_target = uri_of(invite["Contact"])
            self.route_set = invite.values("Record-Route")
            self.local, self.remote = None, invite["From"]

    # The INVITE.

    def expect(self, wanted, within=PATIENCE):
        """A response to our INVITE by its status, or a request of this call by its method.

        A failure is acknowledged at once, as the transaction layer of a phone does."""
        if isinstance(wanted, str):
            return self.phone.wait(
                lambda message: message.is_request and message.method == wanted and message["Call-ID"] == self.id,
                f"{wanted} in the call {self.id}", within)
        answer = self.phone.expect_response(self.invite, wanted, within)
        if answer.status >= 300:
            self.phone.send(ack_for(self.invite, answer))
        elif answer.status >= 200 or answer.to_tag:
            self.establish(answer)
        return answer

    def expect_final(self, within=PATIENCE):
        """The final response to our INVITE, whatever it is; a failure is acknowledged."""
        answer = self.phone.expect_response(self.invite, within=within)
        if answer.status >= 300:
            self.phone.send(ack_for(self.invite, answer))
        else:
            self.establish(answer)
        return answer

    def establish(self, answer):
        """Builds the caller's side of the dialog from a response (RFC 3261 12.1.2)."""
        self.local, self.remote = answer["From"], answer["To"]
        self.route_set = list(reversed(answer.values("Record-Route")))
        if "Contact" in answer:
            self.remote_target = uri_of(answer["Contact"])

    def reply(self, status, reason=None, headers=(), body=None):
        """Answers the INVITE that we received; a 2xx carries our Contact and a session description."""
        success = 200 <= status < 300
        if status > 100 and status < 300:
            headers = [("Contact", self.phone.contact), *headers]
        if body is None:
            body = SDP if success else b""
        if body:
            headers = [("Content-Type", "application/sdp"), *headers]
        answer = self.phone.reply(self.invite, status, reason, headers, body)
        if status > 100:
            self.local = answer["To"]
        return answer

    def ack(self, body=b""):
        """The ACK for a 2xx: a request of its own along the route set."""
        return self.phone.send(self.request("ACK", body=body, cseq=self.invite.cseq))

    def cancel(self, headers=()):
        """Sends CANCEL for our INVITE and gives its answer."""
        copied = [(name, self.invite[name]) for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")]
        copied += [("Route", route) for route in self.invite.lines("Route")]
        cancel = Message(
            f"CANCEL {self.invite.uri} SIP/2.0", copied + [("CSeq", f"{self.invite.cseq} CANCEL"), *headers])
        return self.phone.ask(cancel)

    def be_cancelled(self, within=PATIENCE):
        """The callee's part of a CANCEL: 200 for it, 487 for the INVITE. Gives the CANCEL."""
        cancel = self.expect("CANCEL", within)
        self.phone.reply(cancel, 200)
        self.reply(487)
        self.expect("ACK")
        return cancel

    def refuse(self, status, reason=None, headers=()):
        """The callee refuses, and the server acknowledges."""
        self.reply(status, reason, headers)
        return self.expect("ACK")

    # The dialog.

    def request(self, method, headers=(), body=b"", cseq=None):
        """A request within the dialog (RFC 3261 12.2.1.1): to the remote target along the route set."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        return Message(f"{method} {self.remote_target} SIP/2.0", [
            ("Via", self.phone.via()),
            *[("Route", route) for route in self.route_set],
            ("Max-Forwards", 70),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", self.phone.contact),
            *headers,
        ], body)

    def send(self, method, headers=(), body=b""):
        return self.phone.send(self.request(method, headers, body))

    def relay(self, method, other, status=200, headers=(), body=b"", reply_headers=()):
        """Sends a request in the dialog, lets the other side answer it, and gives (request as received, answer)."""
        sent = self.send(method, headers, body)
        received = other.expect(method)
        other.phone.reply(received, status, headers=reply_headers)
        return received, self.phone.expect_response(sent)

    def hang_up(self, other):
        """BYE from this side, 200 from the other. Gives the BYE as the other side received it."""
        received, answer = self.relay("BYE", other)
        assert answer.status == 200, f"BYE was answered\n{answer}"
        return received


def connect(caller, callee, target=None, **request):
    """A whole call up to the ACK. Gives both sides: (caller's Call, callee's Call)."""
    call = caller.call(target or callee.login, **request)
    ringing = callee.incoming_call()
    ringing.reply(180)
    call.expect(180)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.acknowledgement = ringing.expect("ACK")
    return call, ringing
