"""What goes wrong beside the network: a locked database, a second daemon, changes by the command line in the middle of a
request, missing addresses, few file descriptors, an end in the middle of work."""

import json
import os
import pty
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import CLIENTS, eventually
from daemon import BINARY, Daemon, default_ports_are_free, free_port
from phone import Phone

STORE, CANNOT_BIND = 5, 4


@pytest.fixture
def daemon(tmp_path):
    """A daemon that the test starts itself; whatever still runs at the end is killed."""
    made = Daemon(tmp_path / "daemon", CLIENTS)
    yield made
    if made.is_alive():
        made.kill()


def database(server):
    return server.state / "rollcall.sqlite"


def rows(server, login):
    """The contacts in the database of a client, expired or not."""
    with sqlite3.connect(database(server), timeout=5) as connection:
        found = connection.execute(
            "SELECT contact FROM binding JOIN client ON client.id = client_id WHERE login = ?", (login,)).fetchall()
    connection.close()
    return [contact.decode() for (contact,) in found]


class Lock:
    """The write lock of the database, in the hands of another process."""

    def __init__(self, server):
        self.connection = sqlite3.connect(database(server), timeout=5, isolation_level=None, check_same_thread=False)

    def __enter__(self):
        self.connection.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_):
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.connection.close()


def credentialed(phone, **arguments):
    """A REGISTER with credentials that was not sent yet."""
    request = phone.register_request(**arguments)
    return phone.again(request, phone.credentials(phone.ask(request)))


# A locked database.

def test_no_answer_promises_a_binding_that_is_not_stored_not_even_to_a_retransmission(server, phone):
    alice = phone("alice")
    request = credentialed(alice)
    with Lock(server):
        alice.send(request)
        for _ in range(3):
            time.sleep(0.2)
            alice.send(request)
        alice.expect_silence(within=0.3)
        assert rows(server, "alice") == []
    assert alice.expect_response(request).status == 200
    assert rows(server, "alice") == [alice.contact_uri]


def test_sigterm_stops_within_a_second_though_the_database_is_locked_and_answers_wait(daemon):
    daemon.start()
    phones = [Phone(("127.0.0.1", daemon.port), login, daemon.password(login), daemon.domain) for login in CLIENTS]
    requests = [credentialed(phone) for phone in phones]
    with Lock(daemon):
        for phone, request in zip(phones, requests):
            phone.send(request)
        time.sleep(0.3)
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.wait_for_exit() == 0
        assert time.monotonic() - began < 1.0
    for phone, request in zip(phones, requests):
        assert phone.expect_response(request).status == 503, "who waits is told that nothing was stored"


def test_sigterm_stops_within_a_second_with_many_connections(daemon):
    daemon.start()
    connections = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(100)]
    for connection in connections:
        connection.sendall(b"OPTIONS sip:rollcall.test SIP/2.0\r\nVia: SI")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit(1.0) == 0
    for connection in connections:
        connection.close()


def test_a_sigterm_during_the_start_ends_it(daemon):
    daemon.start()
    daemon.stop()
    with sqlite3.connect(database(daemon)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # So that the start has to write, and to wait for the lock.
        connection.execute("BEGIN EXCLUSIVE")
        daemon.start(wait=False)
        time.sleep(0.5)
        assert daemon.is_alive()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for_exit(1.0)
        connection.execute("ROLLBACK")
    connection.close()
    daemon.start()
    assert daemon.stop() == 0


# A second daemon.

def test_a_second_daemon_on_the_same_database_does_not_start(daemon, tmp_path):
    daemon.start()
    other = Daemon(tmp_path / "other", stateDirectory=str(daemon.state)).start(wait=False)
    assert other.wait_for_exit() == STORE
    assert "rollcall.sqlite" in other.log() and f"process {daemon.process.pid}" in other.log()
    alice = Phone(("127.0.0.1", daemon.port), "alice", daemon.password("alice"), daemon.domain)
    alice.register()
    daemon.kill()
    other.start()
    assert other.stop() == 0, "the lock of a killed daemon is nobody's"


# The command line in the middle of a REGISTER.

@pytest.mark.parametrize("command", [["set", "alice", "--disable"], ["remove", "alice"]], ids=["disabled", "removed"])
def test_a_client_that_is_disabled_or_removed_while_it_registers_leaves_no_binding(server, phone, command):
    phones = [phone("alice") for _ in range(4)]
    stop = threading.Event()

    def hammer(alice):
        while not stop.is_set():
            answer = alice.try_to_register()
            if answer.status not in (200, 503):
                return

    threads = [threading.Thread(target=hammer, args=(alice,)) for alice in phones]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    server.command("client", *command)
    time.sleep(0.6)
    stop.set()
    for thread in threads:
        thread.join()
    assert rows(server, "alice") == []
    assert server.registrations() == []
    assert not server.events("store.error"), "the database did nothing wrong"
    assert phone("bob").text("alice").status in (403, 404, 480)


def test_a_client_that_is_removed_and_added_again_has_no_binding_of_before(server, phone, bob):
    alice = phone("alice")
    alice.register()
    server.command("client", "remove", "alice")
    server.add_client("alice")
    time.sleep(0.6)  # The daemon looks for changes four times a second.
    assert alice.bindings() == {}
    assert rows(server, "alice") == []


@pytest.mark.parametrize("login", ["%61lice", "a%3Bb", "a%c3%a9"])
def test_a_login_has_one_way_to_be_written(server, login):
    done = server.run("client", "add", login, "--password", "x")
    assert done.returncode == 1
    assert "%" in done.stderr


def test_a_name_does_not_steer_the_terminal(server):
    refused = server.run("client", "set", "alice", "--name", "\x1b[31m\x9bred")
    assert refused.returncode == 1 and "FriendlyName" in refused.stderr and "\x1b" not in refused.stderr
    # One of before the rule.
    with sqlite3.connect(server.state / "rollcall.sqlite") as database:
        database.execute("UPDATE client SET friendly_name = ? WHERE login = 'alice'", ("\x1b[31m\x9bred",))
    for command in (["client", "show", "alice"], ["client", "list"]):
        printed = server.command(*command)
        assert "red" in printed and "\x1b" not in printed and "\x9b" not in printed


# A connection that ends with its REGISTER.

def test_a_register_followed_by_rubbish_in_one_segment_leaves_no_binding(server, phone):
    alice = phone("alice", transport="tcp")
    for _ in range(5):
        request = credentialed(alice)
        alice.wire.send(bytes(request) + b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n")
        alice.wire.close()
        alice = phone("alice", transport="tcp")
    assert eventually(lambda: len(server.events("flow.closed")) == 5)
    # Five seconds are left to come back.
    assert eventually(lambda: alice.bindings() == {}, within=15, every=0.25)
    assert eventually(lambda: rows(server, "alice") == [])


# Addresses.

def sip_listeners(daemon):
    """Where the daemon listens for SIP, as the log says it."""
    return [event["on"] for event in daemon.events("listen.ok") if not event["on"].startswith("http:")]


def test_an_optional_listener_that_the_machine_cannot_have_is_left_out(tmp_path):
    port = free_port()
    listeners = [{"transport": transport, "address": address, "port": port, "optional": address != "127.0.0.1"}
                 for transport in ("udp", "tcp") for address in ("127.0.0.1", "192.0.2.77", "2001:db8::77")]
    daemon = Daemon(tmp_path / "daemon", port=port, listeners=listeners).start()
    assert len(sip_listeners(daemon)) == 2
    assert len([note for note in daemon.events("config.note") if "optional" in note["line"]]) == 4
    assert daemon.stop() == 0


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::77"])
def test_a_listener_that_the_machine_cannot_have_stops_the_start_and_says_so(tmp_path, address):
    daemon = Daemon(tmp_path / "daemon")
    daemon.configuration["listeners"] = [{"transport": "udp", "address": address, "port": daemon.port}]
    daemon.write_configuration()
    daemon.start(wait=False)
    assert daemon.wait_for_exit() == CANNOT_BIND
    assert "this machine does not have the address" in daemon.log()
    assert daemon.events("server.start"), "what was logged before the failure is not lost"


def test_behind_a_wildcard_the_answer_comes_from_the_address_that_was_asked(tmp_path):
    port = free_port()
    daemon = Daemon(tmp_path / "daemon", CLIENTS, port=port,
                    listeners=[{"transport": "udp", "address": "0.0.0.0", "port": port}]).start()
    addresses = [listener.removeprefix("udp:").rsplit(":", 1)[0] for listener in sip_listeners(daemon)]
    assert "127.0.0.1" in addresses
    for address in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(2)
            phone.bind((address, 0))
            phone.sendto(
                f"REGISTER sip:{daemon.domain} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:9;rport;branch=z9hG4bKw\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:alice@{daemon.domain}>;tag=1\r\nTo: <sip:alice@{daemon.domain}>\r\n"
                "Call-ID: wildcard\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n".encode(), (address, port))
            assert phone.recvfrom(65536)[1] == (address, port)
    assert daemon.stop() == 0


# The machine.

def test_the_limit_of_connections_is_reached_though_the_shell_grants_few_descriptors(tmp_path):
    daemon = Daemon(tmp_path / "daemon", limits={"connectionsPerSource": 1000})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(128, soft), hard))  # Which the daemon inherits.
    try:
        daemon.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    connections = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(400)]
    for connection in connections:
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(2) == b"\r\n"
    for connection in connections:
        connection.close()
    assert daemon.stop() == 0


@pytest.mark.parametrize("place", ["/dev/null/state", "/proc/rollcall"])
def test_a_place_that_cannot_be_written_stops_the_start_with_a_sentence(tmp_path, place):
    daemon = Daemon(tmp_path / "daemon")
    daemon.configuration["stateDirectory"] = place
    daemon.configuration_file.write_text(json.dumps(daemon.configuration))
    daemon.start(wait=False)
    assert daemon.wait_for_exit() == STORE
    message = daemon.log().splitlines()[-1]
    assert message.startswith("rollcall: ") and place in message and message.endswith(".")


@pytest.mark.parametrize("has_terminal", [False, True], ids=["without terminal", "at a terminal"])
def test_a_first_start_without_configuration_works_in_an_empty_directory(tmp_path, has_terminal):
    if not default_ports_are_free():
        pytest.skip("something has port 5060")
    environment = {name: value for name, value in os.environ.items() if name != "STATE_DIRECTORY"}
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "serve"], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=other_end if has_terminal else subprocess.PIPE)
    try:
        log = b""
        while b"server.ready" not in log:
            line = process.stdout.readline()
            assert line, "it ended"
            log += line
        token = subprocess.run(
            [BINARY, "account", "show"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        ).stdout.split("AuthToken:")[1].split()[0]
        assert token not in log.decode(), "a token is nothing for a log"
        if has_terminal:
            assert token in os.read(terminal, 65536).decode()
        files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
        assert files and all(mode == 0o600 for mode in files.values()), files
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    finally:
        process.terminate()
        assert process.wait(2) == 0
        os.close(terminal)
        os.close(other_end)


# Memory and database.

def test_memory_and_database_agree_after_a_storm_of_registrations_over_many_sockets(server, phone):
    stop = threading.Event()
    failures = []

    def storm(seed):
        generator = random.Random(seed)
        try:
            while not stop.is_set():
                transport = generator.choice(("udp", "udp", "tcp"))
                device = Phone(("127.0.0.1", server.port), "alice", server.password("alice"), server.domain, transport)
                instance = f'<sip:alice@10.0.0.{generator.randint(1, 5)}:5060>;+sip.instance="<urn:uuid:{generator.randint(1, 4)}>"'
                for _ in range(generator.randint(1, 3)):
                    choice = generator.randrange(6)
                    if choice == 0:
                        device.try_to_register(["*"], expires=0)
                    elif choice == 1:
                        device.try_to_register([instance], expires=0)
                    elif choice == 2:
                        device.try_to_register()
                    else:
                        device.try_to_register([instance])
                device.close()
        except Exception as failure:  # Which would be lost with the thread.
            failures.append(failure)

    threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(4)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    time.sleep(0.5)
    assert sorted(phone("alice").bindings()) == sorted(rows(server, "alice"))
