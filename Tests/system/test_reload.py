"""SIGHUP: a good file takes effect at once, a bad one changes nothing, and what needs a restart says so."""

import os
import select
import signal
import socket
import subprocess
import time

import pytest

from api import API
from conftest import CLIENTS, eventually
from daemon import BINARY, Daemon, default_ports_are_free, merge
from phone import Phone, connect


def reload(server, event="config.reload", **changes):
    """Writes changes into the configuration file and sends SIGHUP; gives the line that tells of it."""
    server.configuration = merge(server.configuration, changes)
    server.write_configuration()
    return hangup(server, event)


def hangup(server, event):
    before = len(server.events(event))
    server.signal(signal.SIGHUP)
    assert eventually(lambda: len(server.events(event)) > before, within=5), server.log()[-3000:]
    return server.events(event)[before]


def test_what_registrations_may_ask_for_changes_at_once(server, phone):
    alice = phone("alice")
    assert alice.try_to_register(expires=60).status == 200
    line = reload(server, registrar={"minExpires": "5m", "maxBindings": 1})
    assert line["changed"] == "registrar.minExpires registrar.maxBindings"
    refused = alice.try_to_register(expires=60)
    assert refused.status == 423 and refused["Min-Expires"] == "300"
    alice.register(["<sip:alice@10.0.0.9>"], expires=600)
    assert list(alice.bindings()) == ["sip:alice@10.0.0.9"]


def test_the_offered_algorithms_change_at_once(server, phone):
    reload(server, authentication={"algorithms": ["SHA-256"]})
    alice = phone("alice")
    challenge = alice.ask(alice.register_request())
    assert "SHA-256" in challenge["WWW-Authenticate"] and "MD5" not in challenge["WWW-Authenticate"]
    alice.algorithm = "SHA-256"
    alice.register()


def test_the_number_of_devices_that_ring_changes_at_once(server, phone, alice, bob):
    phone("bob").register()
    reload(server, proxy={"maxForks": 1})
    call = alice.call("bob")
    assert eventually(lambda: server.events("call.start", contacts=1))
    call.cancel()


def test_level_and_format_of_the_log_change_for_all_threads(server, phone, alice, bob):
    connect(alice, bob)[0].send("BYE")
    assert server.events("auth.challenge")
    reload(server, log={"level": "info"})
    before = len(server.events("auth.challenge"))
    for login in CLIENTS:
        phone(login).register()
    time.sleep(0.3)
    assert len(server.events("auth.challenge")) <= before + 1, "one turn of a worker may still be at the old level"
    server.configuration["log"]["format"] = "json"
    server.write_configuration()
    server.signal(signal.SIGHUP)
    assert eventually(lambda: '"event":"config.reload"' in server.log())
    phone("carol").register(["<sip:carol@10.0.0.7>"])
    assert eventually(lambda: '"event":"reg.ok"' in server.log())


def test_the_limit_of_connections_of_one_source_changes_at_once(server, phone):
    def dial():
        return socket.create_connection(("127.0.0.1", server.port), timeout=5)

    reload(server, limits={"connectionsPerSource": 1}, protection={"trusted": []})
    with dial() as first, dial() as second:
        # Which of them is closed depends on which of two workers was quicker.
        closed, _, _ = select.select([first, second], [], [], 5)
        assert len(closed) == 1 and closed[0].recv(1) == b""
    reload(server, limits={"connectionsPerSource": 10}, protection={"trusted": []})
    with dial() as first, dial():
        time.sleep(0.3)
        first.sendall(b"\r\n\r\n")
        assert first.recv(2) == b"\r\n"


def test_trusted_proxies_change_at_once(server):
    api = API.of(server)
    reload(server, api={"trustedProxies": ["127.0.0.0/8"]})
    answer = api.ask("GET", "Clients.json", headers={"X-Forwarded-For": "192.0.2.55"})
    assert answer.status == 200
    assert eventually(lambda: server.events("api.request", src="192.0.2.55"))


def test_what_needs_a_restart_says_so_each_time_and_changes_nothing(server, alice):
    line = reload(server, workers=1, aliases=["127.0.0.1", "other.example"], registrar={"maxExpires": "30m"})
    assert line["changed"] == "registrar.defaultExpires registrar.maxExpires", "the default follows its bound"
    assert eventually(lambda: len(server.events("config.note", what="this change takes effect with the next start; "
                                                                   "until then the old value holds")) == 2)
    assert {note["key"] for note in server.events("config.note") if "next start" in note["line"]} == {"workers", "aliases"}
    assert alice.ask(alice.request("OPTIONS", "sip:other.example")).status != 200, "the alias is not known yet"
    again = hangup(server, "config.reload")
    assert again["changed"] == "nothing"
    assert eventually(lambda: len([n for n in server.events("config.note") if "next start" in n["line"]]) == 4)


def test_a_bad_file_changes_nothing_and_every_mistake_is_told_with_its_place(server, phone):
    server.configuration_file.write_text(
        '{\n  registrar: { minExpires: "2h", minExpres: "1m" },\n  log: { level: "loud" },\n}\n')
    first = hangup(server, "config.refused")
    assert eventually(lambda: len(server.events("config.refused")) == 2)
    places = [(event["file"].rsplit("/", 1)[1], event.get("key")) for event in server.events("config.refused")]
    assert places == [("rollcall.json5:2:34", "registrar.minExpres"), ("rollcall.json5:3:17", "log.level")]
    assert "rollcall check" in first["do"] and first["level"] == "error"
    assert not server.events("config.reload")
    assert phone("alice").try_to_register(expires=60).status == 200


@pytest.mark.parametrize("text", [None, "", "{", '{ listeners: [] }', "\xff\xfe"], ids=str)
def test_a_file_that_is_missing_or_no_configuration_changes_nothing(server, phone, text):
    if text is None:
        server.configuration_file.unlink()
    else:
        server.configuration_file.write_bytes(text.encode("latin-1"))
    assert hangup(server, "config.refused")["why"]
    phone("alice").register()


def test_a_file_with_a_hundred_mistakes_makes_a_bounded_number_of_lines(server):
    server.configuration_file.write_text("{" + ",".join(f"k{number}: 1" for number in range(100)) + "}")
    hangup(server, "config.refused")
    assert eventually(lambda: len(server.events("config.refused")) == 20)
    time.sleep(0.2)
    refused = server.events("config.refused")
    assert len(refused) == 20 and refused[-1]["more"] == "80"


def test_calls_and_registrations_go_on_through_many_reloads(server, phone, alice, bob):
    call, answered = connect(alice, bob)
    for number in range(30):
        server.configuration["registrar"] = {"maxBindings": 5 + number % 2}
        server.write_configuration()
        server.signal(signal.SIGHUP)
        if number % 5 == 0:
            phone("carol").register()
            assert alice.text("nobody").status in (403, 404, 480)
    call.hang_up(answered)
    assert server.events("config.reload")


def test_the_time_to_drain_is_the_one_of_the_reload(server, alice, bob):
    connect(alice, bob)
    reload(server, shutdown={"drain": "20s"})
    server.signal(signal.SIGTERM)
    assert server.wait_for_event("server.drain")["ms"] == "20000"
    server.ended_on_purpose = True
    server.signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0


def test_without_a_file_sighup_only_says_that_there_is_none(tmp_path):
    if not default_ports_are_free():
        pytest.skip("something has port 5060 or 8080")
    environment = {name: value for name, value in os.environ.items() if name != "STATE_DIRECTORY"}
    process = subprocess.Popen(
        [BINARY, "serve"], cwd=tmp_path, env={**environment, "SWIFT_BACKTRACE": "enable=no"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        line = b""
        while b"server.ready" not in line:
            line = process.stdout.readline()
            assert line, "it ended"
        process.send_signal(signal.SIGHUP)
        line = process.stdout.readline()
        assert b"config.note" in line and b"without --config" in line
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
