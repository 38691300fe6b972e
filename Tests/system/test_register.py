"""The registrar: RFC 3261 10.3, with digest authentication by RFC 7616 and the decisions of this server."""

import time

import pytest

from conftest import eventually
from phone import PATIENCE, connect
from sip import Credentials, Message, challenges, parameters, token, uri_of


def expires_of(answer, contact):
    """The remaining seconds that a REGISTER's 200 gives for one Contact URI."""
    for value in answer.values("Contact"):
        if uri_of(value) == contact:
            return int(parameters(value)["expires"])
    raise AssertionError(f"{contact} is not in\n{answer}")


def about(seconds):
    """A remaining time may have run for two seconds."""
    return range(seconds - 2, seconds + 1)


def is_called(caller, callee, login="bob"):
    """Whether a MESSAGE from the caller reaches the callee; the callee answers it."""
    caller.send_text(login)
    try:
        request = callee.expect("MESSAGE", within=1)
    except AssertionError:
        return False
    callee.reply(request, 200)
    caller.expect_response(caller.answered, 200)
    return True


# The challenge.

def test_register_without_credentials_is_challenged_with_the_domain_as_realm(phone):
    alice = phone("alice")
    refusal = alice.ask(alice.register_request())
    assert refusal.status == 401
    offered = challenges(refusal)
    assert {challenge["realm"] for challenge in offered} == {"rollcall.test"}
    assert "MD5" in {challenge["algorithm"] for challenge in offered}, "every phone knows MD5"
    assert all(challenge["nonce"] and challenge["qop"] == ["auth"] for challenge in offered)
    assert refusal.to_tag, "RFC 3261 8.2.6.2: the To of a response carries a tag"
    assert "Proxy-Authenticate" not in refusal


@pytest.mark.configuration(authentication={"algorithms": ["MD5", "SHA-256"]})
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", None], ids=["qop=auth", "no-qop"])
def test_register_succeeds_with_every_offered_algorithm_and_with_the_form_of_rfc_2069(phone, algorithm, qop):
    alice = phone("alice")
    alice.algorithm, alice.qop = algorithm, qop
    offered = challenges(alice.ask(alice.register_request()))
    assert [challenge["algorithm"] for challenge in offered] == ["MD5", "SHA-256"], "in the configured order"
    answer = alice.register()
    assert list(map(uri_of, answer.values("Contact"))) == [alice.contact_uri]


@pytest.mark.configuration(authentication={"algorithms": ["SHA-512-256", "SHA-256", "MD5"], "qop": ["auth", "auth-int"]})
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_register_succeeds_with_the_strong_forms_where_configured(phone, algorithm, qop):
    alice = phone("alice")
    alice.algorithm, alice.qop = algorithm, qop
    refusal = alice.ask(alice.register_request())
    assert [challenge["algorithm"] for challenge in challenges(refusal)] == ["SHA-512-256", "SHA-256", "MD5"]
    credentials = alice.credentials(refusal)
    assert (credentials.challenge["algorithm"], credentials.qop) == (algorithm, qop)
    assert alice.register().status == 200


@pytest.mark.configuration(authentication={"qop": ["auth", "auth-int"]})
def test_auth_int_covers_the_body(alice, bob):
    alice.qop = "auth-int"
    request = alice.request("MESSAGE", "bob", [("Content-Type", "text/plain")], b"pay 10")
    credentials = alice.credentials(alice.ask(request))
    changed = alice.again(request, credentials)
    changed.body = b"pay 99"
    assert alice.ask(changed).status == 407
    bob.expect_silence("MESSAGE")


@pytest.mark.configuration(authentication={"nonceLifetime": "1s"})
def test_an_expired_nonce_with_right_credentials_is_answered_stale(phone):
    alice = phone("alice")
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    time.sleep(2.1)
    refusal = alice.ask(alice.again(request, credentials))
    assert refusal.status == 401
    assert all(challenge["stale"].lower() == "true" for challenge in challenges(refusal))
    assert alice.register().status == 200


def test_a_nonce_serves_several_requests_while_the_nonce_count_rises(phone):
    alice = phone("alice")
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    for _ in range(5):
        request = alice.again(request, credentials)
        assert alice.ask(request).status == 200
    assert credentials.count == 5


def test_a_replayed_nonce_count_is_refused(phone):
    alice = phone("alice")
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    assert alice.ask(alice.again(request, credentials, count=1)).status == 200
    assert alice.ask(alice.again(request, credentials, count=1)).status == 401
    assert alice.ask(alice.again(request, credentials, count=2)).status == 200


def test_a_nonce_that_this_server_did_not_make_is_refused(phone):
    alice = phone("alice")
    request = alice.register_request()
    challenge = challenges(alice.ask(request))[0]
    nonce = challenge["nonce"]
    challenge["nonce"] = ("A" if nonce[0] != "A" else "B") + nonce[1:]
    forged = Credentials(challenge, alice.login, alice.password)
    assert alice.ask(alice.again(request, forged)).status == 401


def test_a_retransmitted_register_is_answered_the_same(phone):
    alice = phone("alice")
    request = alice.register_request()
    authorized = bytes(alice.again(request, alice.credentials(alice.ask(request))))
    answers = []
    for _ in range(3):
        alice.wire.send(authorized)
        answers.append(Message.parse(alice.wire.receive(PATIENCE)))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({uri_of(answer["Contact"]) for answer in answers}) == 1
    assert list(alice.bindings()) == [alice.contact_uri]


# Who may register.

def refusal_of(phone, login, password):
    """How the wire looks for a REGISTER with these credentials: status, reason phrase, names of the headers."""
    made = phone(login, password=password)
    answer = made.try_to_register()
    return answer.start_line, sorted(name for name, _ in answer.headers)


def test_wrong_password_unknown_login_and_disabled_client_look_the_same(server, phone):
    server.command("client", "set", "carol", "--disable")
    wrong = refusal_of(phone, "alice", "wrong")
    assert wrong[0].startswith("SIP/2.0 401 ")
    assert refusal_of(phone, "nobody", "wrong") == wrong
    assert eventually(lambda: refusal_of(phone, "carol", server.password("carol")) == wrong, within=2)


@pytest.mark.configuration(authentication={"failuresBefore403": 3, "failureWindow": "1m"})
@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_the_configured_number_of_failures_brings_403(phone, login):
    stranger = phone(login, password="wrong")
    statuses = [stranger.try_to_register().status for _ in range(5)]
    assert statuses[:2] == [401, 401]
    assert statuses[-1] == 403


@pytest.mark.configuration(authentication={"failuresBefore403": 2, "failureWindow": "1s"})
def test_the_failures_are_forgotten_after_their_window(phone):
    alice = phone("alice", password="wrong")
    assert [alice.try_to_register().status for _ in range(4)][-1] == 403
    alice.password = "alice-secret"
    assert eventually(lambda: alice.try_to_register().status == 200, within=4, every=0.3)


def test_the_log_says_why_a_registration_was_refused(server, phone):
    assert phone("alice", password="wrong").try_to_register().status == 401
    assert phone("nobody").try_to_register().status == 401
    for login in ("alice", "nobody"):
        event = server.wait_for_event("auth.fail", user=login)
        assert event["src"].startswith("udp:127.0.0.1:"), event["line"]
    codes = {event["user"]: event["code"] for event in server.events("auth.fail")}
    assert codes == {"alice": "R-1102", "nobody": "R-1101"}


def test_a_client_cannot_register_for_another(phone):
    alice = phone("alice")
    answer = alice.try_to_register(To="<sip:bob@rollcall.test>")
    assert answer.status == 403
    answer = alice.try_to_register(
        To="<sip:bob@rollcall.test>", From=f"<sip:bob@rollcall.test>;tag={token()}")
    assert answer.status == 403
    assert phone("bob").bindings() == {}


def test_third_party_registration_is_refused(phone):
    alice = phone("alice")
    assert alice.try_to_register(From=f"<sip:bob@rollcall.test>;tag={token()}").status == 403


def test_a_foreign_domain_is_not_registered_here(phone):
    alice = phone("alice")
    request = alice.register_request().copy(To="<sip:alice@elsewhere.example>")
    request.start_line = "REGISTER sip:elsewhere.example SIP/2.0"
    answer = alice.ask_with_credentials(request)
    assert answer.status in (403, 404), answer


def test_an_escaped_login_is_the_same_login(phone):
    alice = phone("alice")
    alice.register(To="<sip:%61lice@rollcall.test>")
    assert list(alice.bindings()) == [alice.contact_uri]


# How long.

def test_the_contact_parameter_goes_over_the_header_and_the_header_over_the_default(phone):
    alice = phone("alice")
    assert expires_of(alice.register(expires=None), alice.contact_uri) in about(3600)
    assert expires_of(alice.register(expires=600), alice.contact_uri) in about(600)
    answer = alice.register([f"{alice.contact};expires=300"], expires=600)
    assert expires_of(answer, alice.contact_uri) in about(300)


@pytest.mark.configuration(registrar={"defaultExpires": "10m"})
def test_the_default_is_configurable(phone):
    alice = phone("alice")
    assert expires_of(alice.register(expires=None), alice.contact_uri) in about(600)


def test_too_brief_an_interval_is_refused_with_min_expires(phone):
    alice = phone("alice")
    for answer in (
        alice.try_to_register(expires=59),
        alice.try_to_register([f"{alice.contact};expires=1"], expires=3600),
    ):
        assert (answer.status, answer["Min-Expires"]) == (423, "60")
    assert alice.bindings() == {}
    assert expires_of(alice.register(expires=60), alice.contact_uri) in about(60)


def test_too_long_an_interval_is_lowered(phone):
    alice = phone("alice")
    for expires in (3601, 86_400, 4_294_967_295, "99999999999999999999"):
        assert expires_of(alice.register(expires=expires), alice.contact_uri) in about(3600)


@pytest.mark.parametrize("expires", ["", "soon", "-1", "6e2"])
def test_an_unreadable_expires_is_refused_or_taken_as_the_default(phone, expires):
    # RFC 3261 20.19 gives only digits; 10.3 step 6 lets a malformed value be the default.
    alice = phone("alice")
    answer = alice.try_to_register(expires=expires)
    assert answer.status == 400 or expires_of(answer, alice.contact_uri) in about(3600)


@pytest.mark.configuration(registrar={"minExpires": "1s"})
def test_an_expired_binding_is_gone_and_not_called(server, alice, phone):
    bob = phone("bob")
    bob.register(expires=1)
    assert is_called(alice, bob)
    server.wait_for_event("reg.expired", within=5)
    assert bob.bindings() == {}
    assert alice.text("bob").status == 480
    bob.expect_silence("MESSAGE")


@pytest.mark.configuration(registrar={"minExpires": "1s"})
def test_a_refresh_keeps_a_binding_alive(alice, phone):
    bob = phone("bob")
    for _ in range(4):
        bob.register(expires=2)
        time.sleep(0.8)
    assert is_called(alice, bob)


def test_a_shorter_refresh_replaces_the_longer_time(phone):
    alice = phone("alice")
    alice.register(expires=3600)
    assert expires_of(alice.register(expires=60), alice.contact_uri) in about(60)
    assert len(alice.bindings()) == 1


# Several bindings.

def test_the_answer_lists_every_binding_with_its_remaining_time(phone):
    desk, mobile = phone("alice"), phone("alice")
    desk.register(expires=600)
    answer = mobile.register(expires=1200)
    assert expires_of(answer, desk.contact_uri) in about(600)
    assert expires_of(answer, mobile.contact_uri) in about(1200)


def test_a_register_without_contact_is_a_query(phone):
    alice = phone("alice")
    assert "Contact" not in alice.register(contacts=[], expires=None)
    alice.register()
    answer = alice.register(contacts=[], expires=None)
    assert list(map(uri_of, answer.values("Contact"))) == [alice.contact_uri]


def test_a_query_with_expires_zero_removes_nothing(phone):
    alice = phone("alice")
    alice.register()
    alice.register(contacts=[], expires=0)
    assert list(alice.bindings()) == [alice.contact_uri]


def test_the_contact_in_the_answer_is_the_clients_own(phone):
    alice = phone("alice")
    contact = "<sip:alice-x@10.99.0.7:5099;ob;line=7>"
    answer = alice.register([f'"Alice at home" {contact};q=0.7'])
    assert uri_of(answer["Contact"]) == "sip:alice-x@10.99.0.7:5099;ob;line=7"
    assert parameters(answer["Contact"])["q"] in ("0.7", "0.70", "0.700")


def test_several_contacts_in_one_register_are_all_stored(phone):
    alice = phone("alice")
    contacts = ["<sip:a@127.0.0.1:40001>;expires=100", "<sip:b@127.0.0.1:40002>;expires=200"]
    one_line = alice.register([", ".join(contacts)])
    assert expires_of(one_line, "sip:a@127.0.0.1:40001") in about(100)
    assert expires_of(one_line, "sip:b@127.0.0.1:40002") in about(200)
    two_lines = alice.register(["<sip:c@127.0.0.1:40003>", "<sip:d@127.0.0.1:40004>"])
    assert len(two_lines.values("Contact")) == 4


def test_several_contacts_are_stored_all_or_not_at_all(phone):
    alice = phone("alice")
    good = "<sip:a@127.0.0.1:40001>;expires=100"
    assert alice.try_to_register([good, "<sip:b@127.0.0.1:40002>;expires=2"]).status == 423
    assert alice.bindings() == {}
    assert alice.try_to_register([good, "<not a uri>"]).status == 400
    assert alice.bindings() == {}


@pytest.mark.configuration(registrar={"maxBindings": 3, "whenFull": "replaceOldest"})
def test_over_the_limit_the_oldest_binding_goes(phone):
    alice = phone("alice")
    for port in (40001, 40002, 40003, 40004):
        alice.register([f"<sip:alice@127.0.0.1:{port}>"])
    assert set(alice.bindings()) == {f"sip:alice@127.0.0.1:{port}" for port in (40002, 40003, 40004)}


@pytest.mark.configuration(registrar={"maxBindings": 3, "whenFull": "refuse"})
def test_over_the_limit_a_new_binding_is_refused_where_so_configured(phone):
    alice = phone("alice")
    for port in (40001, 40002, 40003):
        alice.register([f"<sip:alice@127.0.0.1:{port}>"])
    assert alice.try_to_register(["<sip:alice@127.0.0.1:40004>"]).status == 403
    assert len(alice.bindings()) == 3
    assert alice.try_to_register(["<sip:alice@127.0.0.1:40003>"]).status == 200, "a refresh is not a new binding"


@pytest.mark.configuration(registrar={"maxBindings": 2, "whenFull": "refuse"})
def test_a_single_register_may_not_exceed_the_limit(phone):
    alice = phone("alice")
    answer = alice.try_to_register([f"<sip:alice@127.0.0.1:{port}>" for port in (40001, 40002, 40003)])
    assert answer.status == 403
    assert alice.bindings() == {}


# Removal.

def test_expires_zero_removes_one_binding(phone):
    desk, mobile = phone("alice"), phone("alice")
    desk.register()
    mobile.register()
    answer = desk.unregister()
    assert list(map(uri_of, answer.values("Contact"))) == [mobile.contact_uri]
    mobile.register([f"{mobile.contact};expires=0"], expires=3600)
    assert mobile.bindings() == {}


def test_removing_what_is_not_there_is_fine(phone):
    alice = phone("alice")
    assert "Contact" not in alice.unregister()


def test_star_removes_all_bindings(phone):
    desk, mobile = phone("alice"), phone("alice")
    desk.register()
    mobile.register()
    assert "Contact" not in desk.register(["*"], expires=0)
    assert desk.bindings() == {}


@pytest.mark.parametrize("contacts, expires", [
    (["*"], 3600),
    (["*"], None),
    (["*", "<sip:alice@127.0.0.1:40001>"], 0),
], ids=["expires not zero", "no expires", "not alone"])
def test_a_wrong_star_is_refused_and_changes_nothing(phone, contacts, expires):
    alice = phone("alice")
    alice.register()
    assert alice.try_to_register(contacts, expires=expires).status == 400
    assert list(alice.bindings()) == [alice.contact_uri]


# Order, identity of a binding.

def test_an_older_register_of_the_same_call_id_changes_nothing(phone):
    alice = phone("alice")
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    alice.cseq += 10
    assert alice.ask(alice.again(request, credentials)).status == 200
    late = alice.again(request.copy(Expires="0"), credentials)
    # The credentials do not cover CSeq.
    late = late.copy(CSeq=f"{late.cseq - 5} REGISTER")
    answer = alice.ask(late)
    assert answer.status >= 400, "RFC 3261 10.3 step 7: an update that is older than the binding fails"
    assert list(alice.bindings()) == [alice.contact_uri]


def test_another_call_id_may_start_at_any_cseq(phone):
    alice = phone("alice")
    alice.cseq = 1000
    alice.register()
    alice.cseq, alice.call_id = 0, "after-a-reboot"
    assert alice.register(expires=600).status == 200
    assert list(alice.bindings()) == [alice.contact_uri]


def test_equal_contact_uris_are_one_binding(phone):
    alice = phone("alice")
    alice.register(["<sip:alice@Desk.example:5070>"])
    alice.register(["<sip:%61lice@desk.EXAMPLE:5070>"])
    assert len(alice.bindings()) == 1
    alice.register(["<sip:alice@desk.example:5071>"])
    assert len(alice.bindings()) == 2


INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"'


def test_the_same_instance_and_reg_id_replace_a_binding(phone):
    alice = phone("alice")
    supported = [("Supported", "path, outbound")]
    alice.register([f"<sip:alice@127.0.0.1:40001>;{INSTANCE};reg-id=1"], headers=supported)
    alice.register([f"<sip:alice@127.0.0.1:40002>;{INSTANCE};reg-id=1"], headers=supported)
    assert list(alice.bindings()) == ["sip:alice@127.0.0.1:40002"]
    alice.register([f"<sip:alice@127.0.0.1:40003>;{INSTANCE};reg-id=2"], headers=supported)
    assert len(alice.bindings()) == 2


def test_the_answer_repeats_instance_and_reg_id(phone):
    alice = phone("alice")
    answer = alice.register([f"{alice.contact};{INSTANCE};reg-id=1"], headers=[("Supported", "outbound")])
    assert "urn:uuid:00000000-0000-1000-8000-000A95A0E128" in answer["Contact"].replace("000a95a0e128", "000A95A0E128")
    assert parameters(answer["Contact"])["reg-id"] == "1"


# Path (RFC 3327).

def test_path_is_echoed_and_becomes_the_route(alice, phone):
    edge, bob = phone("carol"), phone("bob")
    path = f"<sip:edge@{edge.host_port};lr>"
    answer = bob.register(headers=[("Path", path), ("Supported", "path")])
    assert uri_of(answer["Path"]) == uri_of(path)
    alice.send_text("bob")
    received = edge.expect("MESSAGE")
    assert received.uri == bob.contact_uri
    assert list(map(uri_of, received.values("Route"))) == [uri_of(path)]
    edge.reply(received, 200)
    alice.expect_response(alice.answered, 200)


# Require.

def test_an_unknown_required_extension_is_refused(phone):
    alice = phone("alice")
    answer = alice.try_to_register(headers=[("Require", "teleport")])
    assert answer.status == 420
    assert answer.values("Unsupported") == ["teleport"]


# What the operator changes.

def test_disabling_a_client_drops_its_bindings_and_refuses_its_requests(server, alice, bob):
    assert is_called(alice, bob)
    server.command("client", "set", "bob", "--disable")
    assert eventually(lambda: bob.try_to_register().status == 401, within=1)
    assert alice.text("bob").status in (480, 404)
    assert bob.text("alice").status == 407
    server.command("client", "set", "bob", "--enable")
    assert eventually(lambda: bob.try_to_register().status == 200, within=2)
    assert is_called(alice, bob)


# Network address translation and flows.

def test_a_contact_with_an_unreachable_address_is_reached_at_its_source(alice, phone):
    bob = phone("bob")
    private = "sip:bob@10.255.255.1:5060"
    answer = bob.register([f"<{private}>"])
    assert uri_of(answer["Contact"]) == private
    alice.send_text("bob")
    received = bob.expect("MESSAGE")
    assert received.uri == private, "the Request-URI is the Contact as the client gave it"
    bob.reply(received, 200)
    alice.expect_response(alice.answered, 200)


def test_a_call_between_two_clients_behind_address_translation_works_to_its_end(phone):
    alice, bob = phone("alice"), phone("bob")
    alice.register(["<sip:alice@10.255.255.1:5060>"])
    bob.register(["<sip:bob@10.255.255.2:5060>"])
    call, answered = connect(alice, bob)
    call.hang_up(answered)


def test_a_binding_over_tcp_is_reached_over_its_connection(alice, phone):
    bob = phone("bob", transport="tcp")
    bob.register(["<sip:bob@10.255.255.1:5060;transport=tcp>"])
    assert is_called(alice, bob)


def test_a_binding_over_tcp_is_gone_when_its_connection_closes(server, alice, phone):
    bob = phone("bob", transport="tcp")
    bob.register()
    assert is_called(alice, bob)
    bob.close()
    server.wait_for_event("flow.closed")
    assert eventually(lambda: alice.text("bob").status == 480, within=2), "at once"
    assert eventually(lambda: phone("bob").bindings() == {}, within=8), "after the five seconds to come back"


def test_bindings_are_listed_for_the_operator(server, alice, bob):
    assert eventually(lambda: {"alice", "bob"} <= {entry.get("login") for entry in server.registrations()})
