"""A gateway: a trunk of sockets that asks for credentials; calls and texts out by its rules, and in from its address."""

import pytest

from applications import calls, dial, dial_client, family, hang_up, refused
from conftest import eventually
from daemon import free_port
from phone import Call, Phone, ack_for
from sip import Credentials, parse_challenge, token, uri_of
from webapp import LOCAL, response

SHARES_ONE_DAEMON = True
PLACE = "127.0.0.9", free_port()
USER, PASSWORD, REALM = "rollcall", "trunk-secret", "trunk.example"
GATEWAY = {
    "name": "carrier", "uri": f"sip:{PLACE[0]}:{PLACE[1]}", "user": USER, "password": PASSWORD,
    "inbound": [f"{PLACE[0]}/32"],
    "rules": [{"prefix": "+"}, {"prefix": "00", "strip": 2, "prepend": "+"}, {"prefix": "0049800", "strip": 4, "prepend": "#"}],
}
CONFIGURATION = {**LOCAL, "gateways": [GATEWAY]}


class Trunk(Phone):
    """The other end of the gateway. It wants credentials for each call and text, unless told otherwise."""

    challenge = f'Digest realm="{REALM}", nonce="{token()}", qop="auth", algorithm=MD5'

    def expect_with_credentials(self, method, status=407):
        """Challenges the next request with this method, and gives the one that comes with the right credentials."""
        first = self.expect(method)
        assert "Authorization" not in first and "Proxy-Authorization" not in first
        name, answer = ("Proxy-Authenticate", "Proxy-Authorization") if status == 407 else (
            "WWW-Authenticate", "Authorization")
        self.reply(first, status, headers=[(name, self.challenge)])
        if method == "INVITE":
            self.wait(lambda message: message.is_request and message.method == "ACK", "the ACK of the challenge")
        second = self.expect(method)
        assert second["Call-ID"] == first["Call-ID"] and second.cseq > first.cseq
        given = parse_challenge(second[answer])
        known = Credentials(parse_challenge(self.challenge), USER, PASSWORD)
        known.count = int(given["nc"], 16)
        ha2 = known.hash(method, given["uri"])
        wanted = known.hash(
            known.hash(USER, REALM, PASSWORD), given["nonce"], given["nc"], given["cnonce"], "auth", ha2)
        assert given["response"] == wanted and given["username"] == USER
        return second

    def incoming(self, status=407):
        return Call(self, self.expect_with_credentials("INVITE", status), incoming=True)


@pytest.fixture
def trunk(server):
    made = Trunk(("127.0.0.1", server.port), "trunk", PASSWORD, server.domain, host=PLACE[0], port=PLACE[1])
    yield made
    made.close()


@pytest.fixture
def number(api):
    """A number of the account with what it is given."""
    def make(**form):
        return api.create("IncomingPhoneNumbers", PhoneNumber=f"+49301{token(3)}".translate(
            str.maketrans("abcdef", "123456")), **form)["phone_number"]
    return make


def talk_outside(caller, trunk, target, status=407):
    call = caller.call(target)
    ringing = trunk.incoming(status)
    ringing.reply(180)
    call.expect(180)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    return call, ringing


@pytest.mark.parametrize("status", [401, 407])
def test_a_call_to_a_number_outside_goes_to_the_gateway_with_credentials(api, person, trunk, status):
    caller = person()
    call, outside = talk_outside(caller, trunk, "+4930123456", status)
    assert outside.invite.uri.startswith(f"sip:+4930123456@{PLACE[0]}")
    # The trunk learns nothing of our client's phone.
    assert caller.host_port not in str(outside.invite)
    hang_up(call, outside)
    record, = calls(api, From=caller.login)
    assert record["to"] == "+4930123456"
    assert eventually(lambda: calls(api, From=caller.login, Status="completed"))


def test_the_trunk_hangs_up(person, trunk):
    call, outside = talk_outside(person(), trunk, "+4930123456")
    hang_up(outside, call)


@pytest.mark.parametrize(["dialled", "sent"], [
    ("+12015550100", "+12015550100"), ("0012015550100", "+12015550100"), ("004980012", "%23800" + "12"),
])
def test_the_longest_rule_that_matches_changes_the_number(person, trunk, dialled, sent):
    caller = person()
    call = caller.call(dialled)
    ringing = trunk.incoming()
    assert uri_of(ringing.invite["To"]).split("@")[0].replace("#", "%23") == f"sip:{sent}", ringing.invite["To"]
    ringing.refuse(486)
    assert call.expect_final().status == 486


def test_a_number_that_no_rule_matches_is_404(person, trunk):
    answer = refused(person(), 404, "12345")
    assert "R-1613" in answer["Warning"] or "R-1302" in answer["Warning"]
    trunk.expect_silence("INVITE", 0.2)


def test_a_client_goes_before_the_gateway(api, phone, person, trunk):
    caller = person()
    api.create("Clients", Login="+4930777", Password="s3cret")
    callee = phone("+4930777", password="s3cret")
    callee.register()
    call = caller.call("+4930777")
    callee.incoming_call().refuse(486)
    assert call.expect_final().status == 486
    trunk.expect_silence("INVITE", 0.2)


@pytest.mark.parametrize("status", [404, 486, 503, 603])
def test_a_refusal_of_the_trunk_reaches_the_caller(person, trunk, status):
    caller = person()
    call = caller.call("+4930123456")
    trunk.incoming().refuse(status)
    # 16.7: a 503 of one place is not one of the whole server.
    assert call.expect_final().status == {503: 500}.get(status, status)


def test_wrong_credentials_end_the_call_and_are_told(server, person, trunk):
    caller = person()
    call = caller.call("+4930123456")
    for _ in range(2):
        invite = trunk.expect("INVITE")
        challenge = f'Digest realm="{REALM}", nonce="{token()}", qop="auth", algorithm=MD5'
        answer = trunk.reply(invite, 407, headers=[("Proxy-Authenticate", challenge)])
        trunk.expect("ACK")
        assert answer.status == 407
    answer = call.expect_final()
    assert answer.status in (403, 500) and "Proxy-Authenticate" not in answer
    assert "R-1614" in answer["Warning"]


def test_a_call_that_is_cancelled_is_cancelled_at_the_trunk(person, trunk):
    caller = person()
    call = caller.call("+4930123456")
    ringing = trunk.incoming()
    ringing.reply(180)
    call.expect(180)
    call.cancel()
    ringing.be_cancelled()
    assert call.expect_final().status == 487


def test_an_application_dials_outside(api, person, trunk, web):
    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial('<Number>+4930123456</Number>', callerId="+4930555"))
    call, outside = talk_outside(caller, trunk, "anything")
    assert uri_of(outside.invite["From"]).startswith("sip:+4930555@")
    hang_up(call, outside)
    parent, (child,) = family(api, caller.login)
    assert child["to"] == "+4930123456" and child["parent_call_sid"] == parent["sid"]


def test_the_api_calls_outside(api, person, trunk, web):
    sender = person()
    web.answer("/voice", response("<Hangup/>"))
    made = api.create("Calls", From=sender.login, To="+4930123456", Url=web.url("/voice"))
    ringing = trunk.incoming()
    ringing.reply(200)
    ringing.expect("ACK")
    assert web.wait_for("/voice")["CallSid"] == made["sid"]
    trunk.reply(ringing.expect("BYE"), 200)


def test_a_text_outside_goes_to_the_gateway(api, person, trunk):
    sender = person()
    sender.send_text("+4930123456", "hello outside")
    received = trunk.expect_with_credentials("MESSAGE")
    assert received.body == b"hello outside" and received.uri.startswith("sip:+4930123456@")
    trunk.reply(received, 202)
    assert sender.expect_response(sender.answered).status == 202
    made = api.create("Messages", From=sender.login, To="+4930123456", Body="by the API")
    received = trunk.expect_with_credentials("MESSAGE")
    assert received.body == b"by the API"
    trunk.reply(received, 200)
    assert eventually(lambda: api.fetch(f"Messages/{made['sid']}")["status"] == "delivered")


# From outside.

def from_outside(trunk, target, headers=(), body=b"v=0\r\n"):
    """An INVITE of the trunk, which has no credentials."""
    invite = trunk.request("INVITE", target, [
        ("Contact", trunk.contact), ("Content-Type", "application/sdp"), *headers], body,
        From=f"<sip:+4917012345@{PLACE[0]}>;tag={token()}")
    trunk.send(invite)
    return invite


def test_a_call_from_outside_reaches_the_application_of_its_number(api, person, trunk, web, number):
    callee = person()
    dialled = number(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login))
    call = Call(trunk, from_outside(trunk, dialled, [("X-Trunk", "7")]))
    ringing = callee.incoming_call()
    request = web.wait_for("/voice")
    assert (request["From"], request["To"], request["Direction"]) == ("+4917012345", dialled, "inbound")
    assert request["SipHeader_X-Trunk"] == "7" and request["AccountSid"] == api.account
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    hang_up(call, ringing)


def test_a_text_from_outside_reaches_the_application_of_its_number(trunk, web, number):
    dialled = number(SmsUrl=web.url("/sms"))
    web.answer("/sms", response())
    text = trunk.request(
        "MESSAGE", dialled, [("Content-Type", "text/plain")], b"from outside",
        From=f"<sip:+4917012345@{PLACE[0]}>;tag=1")
    assert trunk.ask(text).status == 202
    request = web.wait_for("/sms")
    assert (request["From"], request["Body"]) == ("+4917012345", "from outside")


def test_nobody_outside_reaches_a_client_or_the_gateway_itself(person, trunk):
    callee = person()
    for target in (callee.login, "+4930999999"):
        invite = from_outside(trunk, target)
        answer = trunk.expect_response(invite)
        trunk.send(ack_for(invite, answer))
        assert answer.status in (403, 404), answer
        text = trunk.request("MESSAGE", target, [("Content-Type", "text/plain")], b"x", From="<sip:+49@x.example>;tag=1")
        assert trunk.ask(text).status in (403, 404)
    callee.expect_silence()


def test_a_stranger_is_no_gateway(server, web, number):
    dialled = number(VoiceUrl=web.url("/voice"), SmsUrl=web.url("/voice"))
    stranger = Trunk(("127.0.0.1", server.port), "trunk", PASSWORD, server.domain, host="127.0.0.10")
    try:
        invite = from_outside(stranger, dialled)
        answer = stranger.expect_response(invite)
        stranger.send(ack_for(invite, answer))
        assert answer.status in (403, 407)
        text = stranger.request("MESSAGE", dialled, [("Content-Type", "text/plain")], b"x")
        assert stranger.ask(text).status in (403, 407)
    finally:
        stranger.close()
    assert web.order() == []


@pytest.mark.configuration(gateways=[{**GATEWAY, "inbound": []}])
def test_without_inbound_addresses_the_gateway_itself_is_a_stranger(trunk, web, number):
    dialled = number(VoiceUrl=web.url("/voice"))
    invite = from_outside(trunk, dialled)
    answer = trunk.expect_response(invite)
    trunk.send(ack_for(invite, answer))
    assert answer.status in (403, 407)
    assert web.order() == []
