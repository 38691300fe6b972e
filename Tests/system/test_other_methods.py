"""OPTIONS to the server, and every other method between clients."""

import pytest

from phone import connect


def test_options_to_the_server_tells_what_it_can(server, phone):
    probe = phone("nobody")
    for target in ("sip:rollcall.test", f"sip:127.0.0.1:{server.port}"):
        answer = probe.ask(probe.request("OPTIONS", target))
        assert answer.status == 200
        assert {"INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "MESSAGE", "OPTIONS"} <= set(answer.values("Allow"))
        assert answer.to_tag


@pytest.mark.parametrize("method, headers, body", [
    ("OPTIONS", [("Accept", "application/sdp")], b""),
    ("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n"),
    ("REFER", [("Refer-To", "<sip:carol@rollcall.test>"), ("Contact", "<sip:alice@127.0.0.1:9>")], b""),
    ("SUBSCRIBE", [("Event", "presence"), ("Expires", "60"), ("Contact", "<sip:alice@127.0.0.1:9>")], b""),
    ("NOTIFY", [("Event", "presence"), ("Subscription-State", "active"), ("Contact", "<sip:alice@127.0.0.1:9>")], b""),
    ("PUBLISH", [("Event", "presence"), ("Expires", "60")], b""),
    ("NEWMETHOD", [], b"something new"),
])
def test_a_request_outside_a_dialog_is_relayed(alice, bob, method, headers, body):
    alice.send_with_credentials(alice.request(method, "bob", headers, body))
    received = bob.expect(method)
    assert received.uri == bob.contact_uri
    assert received.body == body
    for name, value in headers:
        assert received[name] == value
    bob.reply(received, 200, headers=[("X-Answer", "yes")])
    assert alice.expect_response(alice.answered, 200)["X-Answer"] == "yes"


@pytest.mark.parametrize("method, headers", [
    ("INFO", [("Content-Type", "application/dtmf-relay")]),
    ("UPDATE", []),
    ("OPTIONS", []),
    ("REFER", [("Refer-To", "<sip:carol@rollcall.test>")]),
    ("NOTIFY", [("Event", "refer"), ("Subscription-State", "active;expires=60")]),
    ("SUBSCRIBE", [("Event", "dialog")]),
    ("NEWMETHOD", []),
])
def test_a_request_in_a_dialog_is_relayed_from_both_sides(alice, bob, method, headers):
    call, answered = connect(alice, bob)
    for near, far in ((call, answered), (answered, call)):
        received, answer = near.relay(method, far, headers=headers)
        assert answer.status == 200
        assert received.uri == far.phone.contact_uri
        assert "Route" not in received
        for name, value in headers:
            assert received[name] == value
    call.hang_up(answered)


def test_prack_acknowledges_a_reliable_provisional(alice, bob):
    call = alice.call("bob", headers=[("Supported", "100rel")])
    ringing = bob.incoming_call()
    ringing.reply(183, headers=[("Require", "100rel"), ("RSeq", "1")])
    assert call.expect(183)["RSeq"] == "1"
    received, answer = call.relay("PRACK", ringing, headers=[("RAck", f"1 {call.invite['CSeq']}")])
    assert (received["RAck"], answer.status) == (f"1 {call.invite['CSeq']}", 200)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    call.hang_up(ringing)


def test_a_subscription_lives_by_its_own_dialog(alice, bob):
    request = alice.request("SUBSCRIBE", "bob", [
        ("Event", "presence"), ("Expires", "60"), ("Contact", alice.contact)])
    alice.send_with_credentials(request)
    received = bob.expect("SUBSCRIBE")
    bob.reply(received, 200, headers=[("Contact", bob.contact), ("Expires", "60")])
    accepted = alice.expect_response(alice.answered, 200)
    assert len(received.values("Record-Route")) == 1, "SUBSCRIBE makes a dialog, so the proxy stays in it"
    notify = bob.request("NOTIFY", alice.contact_uri, [
        ("Route", received["Record-Route"]), ("Event", "presence"), ("Subscription-State", "active;expires=60"),
        ("Contact", bob.contact)], From=accepted["To"], To=accepted["From"], Call_ID=accepted["Call-ID"])
    bob.send(notify)
    arrived = alice.expect("NOTIFY")
    assert "Route" not in arrived
    alice.reply(arrived, 200)
    bob.expect_response(notify, 200)


@pytest.mark.parametrize("method", ["OPTIONS", "INFO", "SUBSCRIBE", "NOTIFY", "REFER", "BYE", "UPDATE"])
def test_every_method_of_a_stranger_is_refused(phone, bob, method):
    stranger = phone("mallory", password="none")
    assert stranger.ask_with_credentials(stranger.request(method, "bob")).status in (403, 407, 481)
    bob.expect_silence()


def test_a_bye_of_no_dialog_is_refused_here_or_there(alice, bob):
    sent = alice.send_with_credentials(alice.request("BYE", "bob", To="<sip:bob@rollcall.test>;tag=gone"))
    try:
        bob.reply(bob.expect("BYE", within=0.5), 481, "Call/Transaction Does Not Exist")
    except AssertionError:
        pass
    assert alice.expect_response(sent).status in (403, 404, 481)


def test_an_ack_of_nothing_is_ignored(alice, bob):
    alice.send(alice.request("ACK", "bob"))
    alice.expect_silence()
    bob.expect_silence()


def test_register_between_clients_is_not_a_thing(alice, bob):
    request = alice.request("REGISTER", "sip:bob@rollcall.test", [("Contact", alice.contact)])
    assert alice.ask_with_credentials(request).status >= 400
    bob.expect_silence()
