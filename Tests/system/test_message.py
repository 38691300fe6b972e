"""Text messages: RFC 3428 through the proxy."""

import time

import pytest

from conftest import eventually
from daemon import free_port
from phone import connect
from sip import parameters, token


def test_message_without_credentials_is_challenged_with_407(alice, bob):
    assert alice.ask(alice.request("MESSAGE", "bob", body=b"hello")).status == 407
    bob.expect_silence()


@pytest.mark.parametrize("text", ["Hello", "", "Grüße, 你好 🙂", "two\r\n\r\nlines\r\n", "x" * 1100],
                         ids=["plain", "empty", "unicode", "lines", "long"])
def test_a_text_arrives_as_it_was_sent(alice, bob, text):
    alice.send_text("bob", text)
    received = bob.expect("MESSAGE")
    assert received.body == text.encode()
    assert received["Content-Type"] == "text/plain"
    assert received.uri == bob.contact_uri
    assert received["Max-Forwards"] == "69"
    bob.reply(received, 200)
    assert alice.expect_response(alice.answered).status == 200


def test_texts_go_both_ways(alice, bob):
    for sender, receiver in ((alice, bob), (bob, alice), (alice, bob)):
        sender.send_text(receiver.login, f"from {sender.login}")
        received = receiver.expect("MESSAGE")
        assert received.body.decode() == f"from {sender.login}"
        receiver.reply(received, 202)
        assert sender.expect_response(sender.answered).status == 202


def test_a_text_needs_no_dialog_and_records_no_route(alice, bob):
    alice.send_text("bob")
    received = bob.expect("MESSAGE")
    assert "Record-Route" not in received
    assert "Proxy-Authorization" not in received


def test_a_text_within_a_call_follows_its_route_set(alice, bob):
    call, answered = connect(alice, bob)
    for near, far in ((call, answered), (answered, call)):
        received, answer = near.relay("MESSAGE", far, headers=[("Content-Type", "text/plain")], body=b"are you there?")
        assert received.body == b"are you there?"
        assert answer.status == 200
    call.hang_up(answered)


def test_a_retransmitted_text_is_delivered_once_and_answered_the_same(alice, bob):
    sent = alice.send_text("bob")
    received = bob.expect("MESSAGE")
    alice.send(sent)
    alice.send(sent)
    bob.reply(received, 200)
    alice.expect_response(sent, 200)
    alice.send(sent)
    assert eventually(lambda: alice.receive(0.2) is None and alice.retransmissions["SIP/2.0 200 OK"] >= 1)
    bob.expect_silence("MESSAGE")
    assert bob.retransmissions.total() == 0


@pytest.mark.parametrize("status", [415, 480, 603])
def test_the_recipients_refusal_comes_through(alice, bob, status):
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), status)
    assert alice.expect_response(alice.answered).status == status


def test_the_refusals_of_calls_are_those_of_texts(phone, alice):
    assert alice.text("bob").status == 480
    assert alice.text("nobody").status == 404
    assert alice.text("sip:bob@elsewhere.example").status in (403, 404)
    assert alice.text("bob", From=f"<sip:carol@rollcall.test>;tag={token()}").status == 403
    unregistered = phone("dave").text("alice")
    assert unregistered.status == 403
    assert "regist" in unregistered["Warning"].lower()
    alice.expect_silence()


def test_a_text_to_oneself_arrives_on_ones_own_devices(alice):
    alice.send_text("alice", "note to self")
    received = alice.expect("MESSAGE")
    assert received.body == b"note to self"
    alice.reply(received, 200)
    alice.expect_response(alice.answered, 200)


def test_a_text_reaches_every_device_and_the_first_answer_is_the_answer(alice, phone):
    phones = [phone("bob") for _ in range(3)]
    for bob in phones:
        bob.register()
    alice.send_text("bob")
    received = [bob.expect("MESSAGE") for bob in phones]
    phones[1].reply(received[1], 200)
    alice.expect_response(alice.answered, 200)
    phones[0].reply(received[0], 200)
    phones[2].reply(received[2], 480)
    alice.expect_silence()


@pytest.mark.configuration(timers={"t1": "20ms", "t2": "160ms", "t4": "200ms"})
def test_a_silent_recipient_ends_by_timer_f(alice, bob):
    # RFC 4320: a 408 to a non-INVITE request comes too late for anybody, so the proxy may stay silent.
    sent = alice.send_text("bob")
    bob.expect("MESSAGE")
    time.sleep(1.5)
    bob.receive(0.1)
    assert bob.retransmissions.total() >= 4, "Timer E retransmits over UDP"
    answer = alice.receive(1)
    assert answer is None or answer.status in (100, 408, 480), answer
    assert alice.text("carol").status == 480, "the daemon serves on"
    assert sent


def test_a_refused_connection_to_the_recipient_is_answered_at_once(alice, phone):
    bob = phone("bob")
    bob.register(headers=[("Path", f"<sip:127.0.0.1:{free_port()};transport=tcp;lr>"), ("Supported", "path")])
    began = time.monotonic()
    assert alice.text("bob").status in (480, 500, 503)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("sender, receiver", [
    (dict(transport="udp"), dict(transport="tcp")),
    (dict(transport="tcp"), dict(transport="udp")),
    (dict(family=6), dict(family=4, transport="tcp")),
], ids=["udp-tcp", "tcp-udp", "ipv6 udp-ipv4 tcp"])
def test_texts_cross_transports(phone, sender, receiver):
    alice, bob = phone("alice", **sender), phone("bob", **receiver)
    alice.register()
    bob.register()
    alice.send_text("bob", "across")
    received = bob.expect("MESSAGE")
    assert received.body == b"across"
    assert received.values("Via")[0].split()[0] == f"SIP/2.0/{bob.wire.transport}"
    assert parameters(received.values("Via")[0])["branch"].startswith("z9hG4bK")
    bob.reply(received, 200)
    alice.expect_response(alice.answered, 200)


def test_a_call_id_of_base64_is_taken(alice, bob):
    text = alice.request("MESSAGE", "bob", body=b"hello", **{"Call-ID": "MTIzNDU2Nzg5MA=="})
    assert alice.ask(text).status == 407
