"""Starting, stopping, and what survives: exit codes, SIGTERM, kill -9."""

import os
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from conftest import CLIENTS
from daemon import BINARY, Daemon
from phone import Phone, connect
from sip import TCPWire

USAGE, BAD_CONFIGURATION, PORT_IN_USE, DAMAGED_DATABASE = 2, 3, 4, 5


@pytest.fixture
def daemon(tmp_path):
    """A daemon that the test starts itself; whatever still runs at the end is killed."""
    made = Daemon(tmp_path / "daemon", CLIENTS)
    yield made
    if made.is_alive():
        made.kill()


def phones_of(daemon, *logins):
    return [Phone(("127.0.0.1", daemon.port), login, daemon.password(login), daemon.domain) for login in logins]


# kill -9.

def test_clients_and_live_bindings_survive_kill_9_and_a_call_goes_through(daemon):
    daemon.start()
    alice, bob = phones_of(daemon, "alice", "bob")
    alice.register(expires=1800)
    bob.register(["<sip:bob@10.255.255.1:5060>;q=0.5"], expires=600, headers=[("X-Note", "behind a router")])
    daemon.kill()
    daemon.start()
    bindings = bob.bindings()
    assert list(bindings) == ["sip:bob@10.255.255.1:5060"]
    assert 590 <= bindings["sip:bob@10.255.255.1:5060"] <= 600, "the time went on while the daemon was away"
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    (carol,) = phones_of(daemon, "carol")
    carol.register()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_goes_on_across_kill_9_from_both_sides(daemon, transport):
    daemon.start()
    alice, = phones_of(daemon, "alice")
    bob = Phone(("127.0.0.1", daemon.port), "bob", daemon.password("bob"), daemon.domain, transport=transport)
    alice.register()
    bob.register()
    call, answered = connect(alice, bob)
    daemon.kill()
    daemon.start()
    if transport == "tcp":
        # As a phone does that has lost its connection; its Contact names the same port.
        port = bob.wire.address[1]
        bob.wire.close()
        bob.wire = TCPWire(bob.server, port=port)
        bob.register()
    for near, far in ((call, answered), (answered, call)):
        assert near.relay("INFO", far)[1].status == 200
    answered.hang_up(call)


def test_a_registration_that_was_answered_200_is_never_lost(daemon):
    daemon.start()
    logins = [login for login in CLIENTS for _ in range(5)]
    phones = phones_of(daemon, *logins)
    for round_ in range(3):
        for phone in phones:
            phone.register()
        daemon.kill()  # At once after the last 200.
        daemon.start()
        for login in CLIENTS:
            own = [phone for phone in phones if phone.login == login]
            assert set(own[0].bindings()) == {phone.contact_uri for phone in own}, f"round {round_}"


def test_what_expired_while_the_daemon_was_away_is_gone(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS, registrar={"minExpires": "1s"}).start()
    alice, bob = phones_of(daemon, "alice", "bob")
    alice.register()
    bob.register(expires=1)
    daemon.kill()
    time.sleep(1.2)
    daemon.start()
    assert bob.bindings() == {}
    assert alice.text("bob").status == 480
    daemon.stop()


def test_removed_clients_and_bindings_stay_removed(daemon):
    daemon.start()
    alice, bob = phones_of(daemon, "alice", "bob")
    alice.register()
    bob.register()
    bob.unregister()
    daemon.command("client", "remove", "carol")
    daemon.kill()
    daemon.start()
    assert bob.bindings() == {}
    assert "carol" not in daemon.command("client", "list")
    assert list(alice.bindings()) == [alice.contact_uri]


def test_a_binding_over_tcp_does_not_survive_its_connection(daemon):
    daemon.start()
    alice, _ = phones_of(daemon, "alice", "bob")
    bob = Phone(("127.0.0.1", daemon.port), "bob", daemon.password("bob"), daemon.domain, transport="tcp")
    alice.register()
    bob.register()
    daemon.kill()
    daemon.start()
    began = time.monotonic()
    assert alice.text("bob").status in (480, 503)
    assert time.monotonic() - began < 2, "the caller does not wait for a connection that is gone"


def test_credentials_given_before_a_restart_are_challenged_again_not_refused(daemon):
    daemon.start()
    (alice,) = phones_of(daemon, "alice")
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    daemon.kill()
    daemon.start()
    answer = alice.ask(alice.again(request, credentials))
    assert answer.status in (200, 401)
    alice.register()


# Stopping.

def test_sigterm_stops_within_a_second_with_exit_code_0(daemon):
    daemon.start()
    alice, bob = phones_of(daemon, "alice", "bob")
    alice.register()
    bob.register()
    connect(alice, bob)
    began = time.monotonic()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit() == 0
    assert time.monotonic() - began < 1.0
    assert daemon.events("server.stop")


def test_sigint_stops_too(daemon):
    daemon.start()
    daemon.signal(signal.SIGINT)
    assert daemon.wait_for_exit(1) == 0


def test_a_second_sigterm_stops_at_once(daemon):
    daemon.start()
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGTERM)
    daemon.wait_for_exit(0.5)


def test_an_orderly_restart_keeps_everything_and_leaves_the_port_free(daemon):
    daemon.start()
    (alice,) = phones_of(daemon, "alice")
    alice.register()
    for _ in range(3):
        assert daemon.stop() == 0
        daemon.start()
    assert list(alice.bindings()) == [alice.contact_uri]


# Starting, and not starting.

def exit_of(daemon):
    """Starts a daemon that must end by itself; gives (exit code, everything that it wrote)."""
    daemon.start(wait=False)
    return daemon.wait_for_exit(10), daemon.log()


def test_a_first_start_works_with_an_empty_state_directory(tmp_path):
    daemon = Daemon(tmp_path / "daemon").start()
    assert daemon.stop() == 0
    database = daemon.state / "rollcall.sqlite"
    assert database.stat().st_mode & 0o077 == 0, "nobody else may read the database: mode 0600"


@pytest.mark.parametrize("damage", ["rubbish", "cut", "overwritten middle"])
def test_a_damaged_database_stops_the_start_with_its_own_exit_code(daemon, damage):
    daemon.start()
    daemon.stop()
    database = daemon.state / "rollcall.sqlite"
    for extra in ("-wal", "-shm"):
        (daemon.state / f"rollcall.sqlite{extra}").unlink(missing_ok=True)
    content = database.read_bytes()
    database.write_bytes({
        "rubbish": b"this is not a database " * 1_000,
        "cut": content[:len(content) // 2],
        "overwritten middle": content[:100] + os.urandom(len(content) - 100),
    }[damage])
    code, log = exit_of(daemon)
    assert code == DAMAGED_DATABASE, log
    assert "rollcall.sqlite" in log, "the message names the file"


def test_a_database_of_the_future_is_not_touched(daemon):
    daemon.start()
    daemon.stop()
    with sqlite3.connect(daemon.state / "rollcall.sqlite") as connection:
        connection.execute("PRAGMA user_version = 1000000")
    connection.close()
    code, log = exit_of(daemon)
    assert code == DAMAGED_DATABASE, log


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_port_in_use_stops_the_start_with_its_own_exit_code(daemon, kind):
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", daemon.port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        code, log = exit_of(daemon)
    assert code == PORT_IN_USE, log
    assert str(daemon.port) in log, "the message names the port"


def test_a_second_daemon_on_the_same_port_does_not_start(daemon, tmp_path):
    daemon.start()
    other = Daemon(tmp_path / "other")
    other.configuration["listeners"] = daemon.configuration["listeners"]
    other.write_configuration()
    code, log = exit_of(other)
    assert code == PORT_IN_USE, log
    (alice,) = phones_of(daemon, "alice")
    alice.register()


@pytest.mark.parametrize("text, complaint", [
    ("{ domian: 'x' }", "domain"),
    ("{ registrar: { maxExpire: '1h' } }", "maxExpires"),
    ("{ registrar: { maxExpires: 'soon' } }", "registrar.maxExpires"),
    ("{ registrar: { maxBindings: 'ten' } }", "registrar.maxBindings"),
    ("{ registrar: { maxBindings: -1 } }", "registrar.maxBindings"),
    ("{ listeners: [ { transport: 'pigeon', address: '127.0.0.1', port: 5060 } ] }", "transport"),
    ("{ this is not JSON5", "rollcall.json5"),
], ids=["unknown key", "unknown inner key", "no duration", "wrong type", "out of range", "unknown word", "syntax"])
def test_a_wrong_configuration_stops_the_start_and_says_where(daemon, text, complaint):
    daemon.configuration_file.write_text(text)
    checked = daemon.run("check")
    assert checked.returncode == BAD_CONFIGURATION
    assert complaint in checked.stdout + checked.stderr
    daemon.clients = []
    code, log = exit_of(daemon)
    assert code == BAD_CONFIGURATION, log
    assert complaint in log


def test_a_missing_configuration_file_is_a_wrong_configuration(daemon):
    daemon.configuration_file.unlink()
    assert daemon.run("check").returncode == BAD_CONFIGURATION


def test_a_right_configuration_is_found_right(daemon):
    assert daemon.run("check").returncode == 0
    daemon.configuration_file.write_text("// Everything at its default.\n{}\n")
    assert daemon.run("check").returncode == 0


@pytest.mark.parametrize("arguments", [["dance"], ["serve", "--fast"], ["client"], ["client", "add"], []],
                         ids=["unknown command", "unknown option", "incomplete", "missing login", "nothing"])
def test_wrong_usage_ends_with_exit_code_2(daemon, arguments):
    done = daemon.run(*arguments)
    assert done.returncode == USAGE, done.stdout + done.stderr
    assert done.stderr, "usage errors go to standard error"


def test_help_is_everywhere(daemon):
    for arguments in ([], ["serve"], ["client"], ["client", "add"], ["registrations"], ["account"], ["check"]):
        done = subprocess.run(
            [BINARY, *arguments, "--help"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 0, arguments
        assert "usage" in done.stdout.lower(), arguments
