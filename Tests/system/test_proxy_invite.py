"""Calls through the proxy: RFC 3261 16, and who may call whom."""

import time

import pytest

from conftest import eventually
from daemon import free_port
from phone import Call, ack_for, connect
from sip import SDP, challenges, parameters, token, uri_of

SHORT_TIMERS = {"t1": "20ms", "t2": "160ms", "t4": "200ms"}  # Timers B and F fire after 64 * T1 = 1.28 s.


def routes_through(message, server, name="Record-Route"):
    """The URIs of a Record-Route or Route set, each of which must be this server's and loose."""
    uris = [uri_of(value) for value in message.values(name)]
    for uri in uris:
        assert f":{server.port}" in uri and ";lr" in uri, f"not a loose route through this server: {uri}"
    return uris


# A call from its beginning to its end.

def test_invite_without_credentials_is_challenged_with_407(alice, bob):
    request = alice.request("INVITE", "bob", [("Contact", alice.contact)], SDP)
    refusal = alice.ask(request)
    assert refusal.status == 407
    assert {challenge["realm"] for challenge in challenges(refusal)} == {"rollcall.test"}
    assert "WWW-Authenticate" not in refusal
    alice.send(ack_for(request, refusal))
    bob.expect_silence()


def test_a_call_is_set_up_and_ended_by_the_caller(alice, bob):
    call = alice.call("bob")
    trying = call.expect(100, within=0.5)
    assert not trying.to_tag, "100 Trying is hop by hop and needs no tag"
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    ringing.reply(200)
    answer = call.expect(200)
    assert answer.body == SDP
    call.ack()
    ringing.expect("ACK")
    call.hang_up(ringing)


def test_a_call_is_ended_by_the_callee(alice, bob):
    call, answered = connect(alice, bob)
    answered.hang_up(call)


def test_trying_comes_at_once(alice, bob):
    call = alice.call("bob")
    began = time.monotonic()
    call.expect(100)
    assert time.monotonic() - began < 0.2, "RFC 3261 17.2.1: within 200 ms"
    assert alice.retransmissions.total() == 0


def test_the_forwarded_invite_is_as_rfc_3261_16_6_says(server, alice, bob):
    call = alice.call("bob", headers=[("X-Unknown", "kept as it is"), ("Subject", "Dinner?")])
    received = bob.incoming_call().invite
    vias = received.values("Via")
    assert len(vias) == 2
    assert vias[0].startswith(f"SIP/2.0/UDP 127.0.0.1:{server.port};")
    assert parameters(vias[0])["branch"].startswith("z9hG4bK")
    assert parameters(vias[1])["branch"] == call.invite.branch
    assert parameters(vias[1])["rport"] == str(alice.wire.address[1])
    assert received["Max-Forwards"] == "69"
    assert received.uri == bob.contact_uri
    assert len(routes_through(received, server)) == 1
    assert "Route" not in received
    assert "Proxy-Authorization" not in received, "credentials for this server are not passed on"
    for name in ("From", "To", "Call-ID", "CSeq", "Contact", "Content-Type", "X-Unknown", "Subject", "User-Agent"):
        assert received[name] == call.invite[name]
    assert received.body == SDP


def test_a_missing_max_forwards_becomes_70(alice, bob):
    alice.call("bob", Max_Forwards=None)
    assert bob.expect("INVITE")["Max-Forwards"] == "70"


def test_responses_lose_exactly_this_servers_via(alice, bob):
    call = alice.call("bob")
    bob.incoming_call().reply(183, headers=[("X-Callee", "here")])
    progress = call.expect(183)
    assert [parameters(via)["branch"] for via in progress.values("Via")] == [call.invite.branch]
    assert progress["X-Callee"] == "here"


def test_requests_in_the_dialog_follow_the_route_set_and_arrive_without_route(server, alice, bob):
    call, answered = connect(alice, bob)
    assert len(call.route_set) == len(answered.route_set) == 1
    acknowledgement = answered.acknowledgement
    assert "Route" not in acknowledgement
    assert acknowledgement.uri == bob.contact_uri
    assert acknowledgement["Max-Forwards"] == "69"
    assert len(acknowledgement.values("Via")) == 2
    for near, far in ((call, answered), (answered, call)):
        received, answer = near.relay("INFO", far)
        assert answer.status == 200, "a request in a dialog is not challenged"
        assert received.uri == far.phone.contact_uri
        assert "Route" not in received
    assert "Route" not in answered.hang_up(call)


@pytest.mark.parametrize("by_callee", [False, True], ids=["by the caller", "by the callee"])
def test_a_reinvite_changes_the_call(alice, bob, by_callee):
    call, answered = connect(alice, bob)
    near, far = (answered, call) if by_callee else (call, answered)
    held = SDP.replace(b"a=rtpmap", b"a=sendonly\r\na=rtpmap")
    sent = near.send("INVITE", [("Content-Type", "application/sdp")], held)
    again = Call(far.phone, far.expect("INVITE"), incoming=True)
    assert again.invite.body == held
    assert again.invite["CSeq"] == sent["CSeq"]
    assert "Route" not in again.invite
    again.reply(200)
    near.phone.expect_response(sent, 200)
    near.phone.send(near.request("ACK", cseq=sent.cseq))
    assert again.expect("ACK").cseq == sent.cseq
    far.hang_up(near)


def test_a_call_survives_the_loss_of_both_registrations(alice, bob):
    call, answered = connect(alice, bob)
    alice.unregister()
    bob.unregister()
    assert "Route" not in answered.hang_up(call)


def test_a_request_with_a_forged_route_is_not_relayed(server, phone, bob):
    stranger = phone("mallory", password="none")
    request = stranger.request("BYE", bob.contact_uri, [("Route", f"<sip:127.0.0.1:{server.port};lr>")]).copy(
        To=f"<sip:bob@rollcall.test>;tag={token()}")
    assert stranger.ask(request).status in (403, 404, 407, 481)
    bob.expect_silence()


def test_the_loss_of_a_200_is_healed_by_the_callees_retransmission(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    answer = ringing.reply(200)
    call.expect(200)
    bob.wire.send(bytes(answer))
    assert eventually(lambda: alice.receive(0.2) is None and alice.retransmissions["SIP/2.0 200 OK"] >= 1)
    call.ack()
    ringing.expect("ACK")


def test_a_retransmitted_invite_is_forwarded_once_and_answered_as_before(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    alice.send(call.invite)
    assert eventually(lambda: alice.receive(0.2) is None and alice.retransmissions["SIP/2.0 180 Ringing"] >= 1)
    bob.expect_silence("INVITE")
    assert bob.retransmissions.total() == 0


# Failures that the callee chooses.

@pytest.mark.parametrize("status", [486, 603, 480, 488, 500, 600])
def test_a_refusal_comes_through(alice, bob, status):
    call = alice.call("bob")
    bob.incoming_call().refuse(status, headers=[("X-Why", "tests")])
    answer = call.expect(status)
    assert answer["X-Why"] == "tests"
    assert [parameters(via)["branch"] for via in answer.values("Via")] == [call.invite.branch]


def test_503_of_a_callee_is_not_passed_on_as_503(alice, bob):
    call = alice.call("bob")
    bob.incoming_call().refuse(503)
    assert call.expect_final().status == 500, "RFC 3261 16.7 step 6"


def test_the_refusal_is_acknowledged_hop_by_hop(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    acknowledgement = ringing.refuse(486)
    assert acknowledgement.branch == ringing.invite.branch
    assert acknowledgement.uri == ringing.invite.uri
    assert len(acknowledgement.values("Via")) == 1
    call.expect(486)
    bob.expect_silence("ACK")


# CANCEL.

def test_cancel_while_ringing(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    assert call.cancel([("Reason", 'SIP;cause=600;text="Busy Everywhere"')]).status == 200
    cancel = ringing.be_cancelled()
    assert cancel.branch == ringing.invite.branch
    assert cancel.uri == ringing.invite.uri
    assert "cause=600" in cancel["Reason"]
    call.expect(487)


def test_cancel_before_the_callee_has_answered_anything_waits_for_a_provisional(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    assert call.cancel().status == 200
    bob.expect_silence("CANCEL")
    ringing.reply(180)
    ringing.be_cancelled()
    call.expect(487)


def test_cancel_after_the_answer_changes_nothing(alice, bob):
    call, answered = connect(alice, bob)
    assert call.cancel().status in (200, 481)
    bob.expect_silence("CANCEL")
    call.hang_up(answered)


def test_cancel_of_nothing_is_answered_481(alice, bob):
    invite = alice.request("INVITE", "bob")
    assert Call(alice, invite).cancel().status == 481
    bob.expect_silence()


# Who may call whom.

def test_a_caller_who_is_not_registered_is_told_so(phone, bob):
    call = phone("alice").call("bob")
    refusal = call.expect_final()
    assert refusal.status == 403
    assert refusal["Warning"].startswith("399 ")
    assert "regist" in refusal["Warning"].lower()
    bob.expect_silence()


def test_a_callee_who_is_not_registered_is_unavailable(alice):
    assert alice.call("bob").expect_final().status == 480


def test_an_unknown_callee_is_not_found(alice):
    assert alice.call("nobody").expect_final().status == 404


def test_a_foreign_domain_is_not_called(alice, bob):
    assert alice.call("sip:bob@elsewhere.example").expect_final().status in (403, 404)
    assert alice.call(f"sip:bob@127.0.0.2:{bob.wire.address[1]}").expect_final().status in (403, 404)
    bob.expect_silence()


def test_a_stranger_is_not_relayed(phone, bob):
    stranger = phone("mallory", password="none")
    for target in ("bob", bob.contact_uri, "sip:bob@elsewhere.example"):
        call = stranger.call(target)
        assert call.expect_final().status in (403, 404, 407)
    bob.expect_silence()


def test_a_caller_cannot_pretend_to_be_somebody_else(alice, bob):
    call = alice.call("bob", From=f"<sip:carol@rollcall.test>;tag={token()}")
    assert call.expect_final().status == 403
    bob.expect_silence()


def test_wrong_credentials_are_challenged_again(phone, alice, bob):
    impostor = phone("alice", password="wrong")
    assert impostor.call("bob").expect_final().status == 407
    bob.expect_silence()


def test_an_alias_of_the_domain_is_the_domain(server, alice, bob):
    for host in ("127.0.0.1", f"127.0.0.1:{server.port}", "ROLLCALL.test"):
        call = alice.call(f"sip:bob@{host}")
        bob.incoming_call().refuse(486)
        call.expect(486)


def test_a_route_to_this_server_before_the_call_is_taken_off(server, alice, bob):
    alice.call("bob", headers=[("Route", f"<sip:127.0.0.1:{server.port};lr>")])
    assert "Route" not in bob.expect("INVITE")


# Forking.

@pytest.fixture
def two_bobs(phone):
    desk, mobile = phone("bob"), phone("bob")
    desk.register()
    mobile.register()
    return desk, mobile


def test_all_bindings_ring_and_the_first_answer_wins(alice, two_bobs):
    call = alice.call("bob")
    desk, mobile = (bob.incoming_call() for bob in two_bobs)
    assert desk.invite.branch != mobile.invite.branch
    desk.reply(180)
    mobile.reply(180)
    mobile.reply(200)
    winner = call.expect(200)
    assert winner["To"] == mobile.local
    cancel = desk.be_cancelled()
    assert "cause=200" in cancel["Reason"], "RFC 3326: the call was completed elsewhere"
    call.ack()
    mobile.expect("ACK")
    alice.expect_silence()
    call.hang_up(mobile)


def test_both_answers_reach_the_caller_when_they_cross(alice, two_bobs):
    call = alice.call("bob")
    desk, mobile = (bob.incoming_call() for bob in two_bobs)
    desk.reply(200)
    mobile.reply(200)
    answers = {call.expect(200)["To"] for _ in range(2)}
    assert answers == {desk.local, mobile.local}, "RFC 3261 16.7: every 2xx to an INVITE is forwarded"


def test_the_best_response_is_chosen_after_all_have_refused(alice, two_bobs):
    call = alice.call("bob")
    desk, mobile = (bob.incoming_call() for bob in two_bobs)
    desk.refuse(500)
    alice.expect_silence("INVITE", within=0.2)
    mobile.refuse(486)
    assert call.expect_final().status == 486, "a 4xx before a 5xx (RFC 3261 16.7 step 6)"


def test_a_6xx_ends_the_search(alice, two_bobs):
    call = alice.call("bob")
    desk, mobile = (bob.incoming_call() for bob in two_bobs)
    mobile.reply(180)
    desk.refuse(603)
    mobile.be_cancelled()
    call.expect(603)


def test_cancel_reaches_every_branch(alice, two_bobs):
    call = alice.call("bob")
    branches = [bob.incoming_call() for bob in two_bobs]
    for branch in branches:
        branch.reply(180)
    assert call.cancel().status == 200
    for branch in branches:
        branch.be_cancelled()
    call.expect(487)


def test_a_higher_q_is_tried_first(alice, phone):
    first, second = phone("bob"), phone("bob")
    second.register([f"{second.contact};q=0.2"])
    first.register([f"{first.contact};q=0.9"])
    call = alice.call("bob")
    ringing = first.incoming_call()
    second.expect_silence("INVITE")
    ringing.refuse(486)
    next_one = second.incoming_call()
    next_one.reply(200)
    call.expect(200)
    call.ack()
    next_one.expect("ACK")
    call.hang_up(next_one)


def test_equal_q_is_tried_at_once_and_before_a_lower_one(alice, phone):
    phones = [phone("bob") for _ in range(3)]
    for bob, q in zip(phones, ("0.5", "0.5", "0.1")):
        bob.register([f"{bob.contact};q={q}"])
    call = alice.call("bob")
    pair = [bob.incoming_call() for bob in phones[:2]]
    phones[2].expect_silence("INVITE")
    for branch in pair:
        branch.refuse(480)
    phones[2].incoming_call().refuse(486)
    assert call.expect_final().status in (480, 486)


# Silence and the timers.

@pytest.mark.configuration(timers=SHORT_TIMERS)
def test_a_callee_that_never_answers_brings_408(alice, bob):
    call = alice.call("bob")
    bob.expect("INVITE")
    assert call.expect(408, within=5).status == 408, "Timer B: 64 * T1 without any response"
    assert bob.receive(0.1) is None
    assert bob.retransmissions.total() >= 3, "Timer A: the INVITE is retransmitted over UDP"


@pytest.mark.configuration(timers=SHORT_TIMERS, proxy={"timerC": "2s"})
def test_a_callee_that_rings_too_long_is_cancelled(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    ringing.be_cancelled(within=6)
    assert call.expect_final().status in (408, 487), "Timer C"


@pytest.mark.configuration(timers=SHORT_TIMERS, proxy={"timerC": "2s"})
def test_every_provisional_response_starts_timer_c_again(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    for part in range(4):
        ringing.reply(180, headers=[("X-Part", part)])
        bob.expect_silence("CANCEL", within=0.9)
    ringing.refuse(486)
    call.expect(486)


@pytest.mark.configuration(timers=SHORT_TIMERS)
def test_a_silent_device_does_not_keep_another_from_answering(alice, two_bobs):
    call = alice.call("bob")
    silent, ringing = two_bobs[0], two_bobs[1].incoming_call()
    silent.expect("INVITE")
    ringing.reply(180)
    time.sleep(1.6)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")


@pytest.mark.configuration(timers=SHORT_TIMERS)
def test_a_failure_is_repeated_until_it_is_acknowledged(alice, bob):
    call = alice.call("bob")
    bob.incoming_call().refuse(486)
    refusal = alice.expect_response(call.invite, 486)
    alice.receive(0.3)
    assert alice.retransmissions[refusal.start_line] >= 2, "Timer G"
    alice.send(ack_for(call.invite, refusal))
    alice.receive(0.1)
    repeated = alice.retransmissions[refusal.start_line]
    alice.receive(0.4)
    assert alice.retransmissions[refusal.start_line] == repeated, "ACK ends the repetition"


# Validation (RFC 3261 16.3).

def final_answer(phone, request):
    """The final answer to a request, with the challenge answered and the ACK sent, whichever comes."""
    phone.send(request)
    answer = phone.expect_response(request)
    if request.method == "INVITE":
        phone.send(ack_for(request, answer))
    if answer.status != 407:
        return answer
    request = phone.again(request, phone.credentials(answer))
    phone.send(request)
    answer = phone.expect_response(request)
    if request.method == "INVITE":
        phone.send(ack_for(request, answer))
    return answer


def test_max_forwards_zero_is_answered_483(alice, bob):
    assert final_answer(alice, alice.request("INVITE", "bob", body=SDP, Max_Forwards=0)).status == 483
    bob.expect_silence()


def test_a_loop_is_answered_482(alice, bob):
    # Bob sends the request on to where it came from, as a forwarding rule gone wrong would.
    sent = alice.send_text("bob")
    looped = bob.expect("MESSAGE")
    looped.start_line = sent.start_line
    looped.headers.insert(0, ("Via", bob.via()))
    assert bob.ask(looped).status == 482


def test_a_binding_that_points_back_to_this_server_ends_in_a_failure(server, alice, phone):
    bob = phone("bob")
    back = f"127.0.0.1:{server.port}"
    if bob.try_to_register([f"<sip:bob@{back}>"], headers=[("Path", f"<sip:{back};lr>")]).status == 200:
        assert alice.text("bob").status >= 400


def test_an_unknown_proxy_require_is_answered_420(alice, bob):
    answer = final_answer(alice, alice.request("INVITE", "bob", [("Proxy-Require", "teleport, time-travel")], SDP))
    assert answer.status == 420
    assert answer.values("Unsupported") == ["teleport", "time-travel"]
    bob.expect_silence()


def test_an_unknown_uri_scheme_is_answered_416(alice):
    assert final_answer(alice, alice.request("INVITE", "gopher://rollcall.test/bob", body=SDP)).status == 416


def test_require_is_the_callees_affair(alice, bob):
    call = alice.call("bob", headers=[("Require", "teleport")])
    ringing = bob.incoming_call()
    assert ringing.invite["Require"] == "teleport"
    ringing.refuse(420, "Bad Extension", [("Unsupported", "teleport")])
    assert call.expect(420)["Unsupported"] == "teleport"


def test_an_unknown_sip_version_is_answered_505(alice):
    request = alice.request("OPTIONS", "bob")
    request.start_line = request.start_line.replace("SIP/2.0", "SIP/3.0")
    assert alice.ask(request).status == 505


# Devices that cannot be reached.

def nowhere():
    """A Path through a TCP port where nobody listens: connecting is refused at once."""
    return [("Path", f"<sip:127.0.0.1:{free_port()};transport=tcp;lr>"), ("Supported", "path")]


def test_a_refused_tcp_connection_is_answered_at_once(alice, phone):
    bob = phone("bob")
    bob.register(headers=nowhere())
    began = time.monotonic()
    answer = alice.call("bob").expect_final()
    assert answer.status in (480, 500, 503)
    assert time.monotonic() - began < 1.5
    bob.expect_silence()


def test_another_device_is_tried_when_a_connection_is_refused(alice, phone):
    broken, working = phone("bob"), phone("bob")
    broken.register([f"{broken.contact};q=1.0"], headers=nowhere())
    working.register([f"{working.contact};q=0.5"])
    call = alice.call("bob")
    ringing = working.incoming_call(within=2)
    ringing.refuse(486)
    assert call.expect_final().status in (480, 486)


# Two transports, two address families.

@pytest.mark.parametrize("caller, callee", [
    (dict(transport="udp"), dict(transport="tcp")),
    (dict(transport="tcp"), dict(transport="udp")),
    (dict(transport="tcp"), dict(transport="tcp")),
    (dict(family=4), dict(family=6)),
    (dict(family=6), dict(family=4)),
    (dict(family=6, transport="tcp"), dict(family=4, transport="udp")),
], ids=["udp-tcp", "tcp-udp", "tcp-tcp", "ipv4-ipv6", "ipv6-ipv4", "ipv6 tcp-ipv4 udp"])
@pytest.mark.parametrize("ended_by", ["caller", "callee"])
def test_a_call_across_transports_and_address_families(server, phone, caller, callee, ended_by):
    alice, bob = phone("alice", **caller), phone("bob", **callee)
    alice.register()
    bob.register()
    call, answered = connect(alice, bob)
    same = {"transport": "udp", "family": 4, **caller} == {"transport": "udp", "family": 4, **callee}
    expected = 1 if same else 2
    assert len(routes_through(answered.invite, server)) == expected
    assert len(call.route_set) == expected
    received, _ = call.relay("INFO", answered)
    assert "Route" not in received
    near, far = (call, answered) if ended_by == "caller" else (answered, call)
    bye = near.hang_up(far)
    assert "Route" not in bye
    assert parameters(bye.values("Via")[0])["branch"].startswith("z9hG4bK")
    sent_by = bye.values("Via")[0].split()
    assert sent_by[0] == f"SIP/2.0/{far.phone.wire.transport}"


def test_only_the_tcp_side_of_a_double_record_route_says_tcp(server, phone):
    alice, bob = phone("alice"), phone("bob", transport="tcp")
    alice.register()
    bob.register()
    _, answered = connect(alice, bob)
    top, bottom = routes_through(answered.invite, server)
    assert "transport=tcp" in top and "transport=tcp" not in bottom


def test_a_disabled_client_can_end_its_call_and_do_nothing_else_in_it(server, alice, bob):
    call, answered = connect(alice, bob)
    server.command("client", "set", "alice", "--disable")
    server.wait_for_event("client.changed", within=1)
    server.wait_for_event("reg.removed", user="alice")
    refused = call.send("MESSAGE", headers=[("Content-Type", "text/plain")], body=b"still here?")
    assert alice.expect_response(refused).status == 403
    bob.expect_silence("MESSAGE")
    call.hang_up(answered)


def test_every_reason_of_a_cancel_is_passed_on(alice, bob):
    call = alice.call("bob")
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    assert call.cancel([("Reason", 'SIP;cause=480, Q.850;cause=16;text="Normal call clearing"')]).status == 200
    cancel = ringing.be_cancelled()
    assert "SIP;cause=480" in cancel["Reason"] and "Q.850;cause=16" in cancel["Reason"]
    call.expect_final()
