"""Floods and guessing: the rate of a source, bans, delays, and what of it is seen and lifted.

This machine is not trusted here, and each address of 127.0.0.0/8 is a source of its own."""

import json
import socket
import time

import pytest

from conftest import eventually
from sip import token


def protected(**keys):
    return pytest.mark.configuration(protection={"trusted": [], **keys}, log={"level": "info"})


@pytest.fixture
def at(server, phone):
    """Makes phones at an address: `at("127.0.0.5", "alice")`."""
    return lambda host, login, **options: phone(login, host=host, **options)


def options(host, port):
    return (
        f"OPTIONS sip:rollcall.test SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token()};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:x@rollcall.test>;tag={token(4)}\r\nTo: <sip:rollcall.test>\r\n"
        f"Call-ID: {token()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


def answered(server, host, count):
    """Sends requests that anybody is answered, and gives how many were."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        wire.bind((host, 0))
        wire.settimeout(0.5)
        for number in range(count):
            wire.sendto(options(host, wire.getsockname()[1]), ("127.0.0.1", server.port))
            if number % 25 == 24:
                time.sleep(0.005)  # The server's socket buffer is not what is tested.
        answers = 0
        try:
            while wire.recv(65_535):
                answers += 1
        except socket.timeout:
            return answers


def attempt(made, within=2.0):
    """One REGISTER with its challenge answered; gives the status, None without an answer."""
    request = made.register_request()
    made.send(request)
    try:
        refusal = made.expect_response(request, within=within)
        if refusal.status != 401:
            return refusal.status
        made.answered = made.again(request, made.credentials(refusal))
        made.send(made.answered)
        return made.expect_response(made.answered, within=within).status
    except AssertionError:
        return None


def guess(at, host, count, name="guess"):
    """Tries so many logins from an address."""
    return [attempt(at(host, f"{name}{number}", password="x")) for number in range(count)]


# Rates.

SMALL = {"packetsPerSource": 10, "burst": 20}


def assert_limited(server, host, count=150):
    """The source gets no more than its burst and its rate."""
    begun = time.monotonic()
    answers = answered(server, host, count)
    assert 20 <= answers <= 21 + 10 * (time.monotonic() - begun), answers


@protected(**SMALL)
def test_a_stranger_gets_a_burst_and_its_rate_and_others_are_not_touched(server):
    assert_limited(server, "127.0.0.2")
    assert answered(server, "127.0.0.3", 20) == 20


@protected(**SMALL)
def test_the_rate_of_a_source_grows_with_its_clients_and_survives_a_restart(server, at):
    assert_limited(server, "127.0.0.4")
    time.sleep(2.5)
    for login in ("alice", "bob", "carol", "dave"):
        assert attempt(at("127.0.0.4", login)) == 200
    time.sleep(2.5)
    assert answered(server, "127.0.0.4", 100) == 100
    server.stop()
    server.start()
    assert answered(server, "127.0.0.4", 100) == 100, "the bindings of before count"
    assert_limited(server, "127.0.0.5")


@protected(**SMALL)
def test_the_messages_of_a_stream_are_limited_too(server, at):
    made = at("127.0.0.6", "alice", transport="tcp")
    begun = time.monotonic()
    for _ in range(150):
        made.wire.send(options("127.0.0.6", 5060))
    answers = 0
    while made.wire.receive(0.5):
        answers += 1
    assert 20 <= answers <= 21 + 10 * (time.monotonic() - begun)


# Bans.

@protected(bannedAfter=8, banTime="3s")
def test_a_guesser_is_banned_told_of_once_and_comes_back_after_its_time(server, at):
    assert guess(at, "127.0.0.7", 8) == [401] * 8
    assert attempt(at("127.0.0.7", "alice")) is None, "not even the right password is read"
    banned = server.wait_for_event("source.banned")
    assert (banned["src"], banned["failures"], banned["user"]) == ("127.0.0.7", "8", "guess7")
    assert banned["s"] == "3" and "rollcall bans lift" in banned["do"]
    assert attempt(at("127.0.0.8", "alice")) == 200
    server.wait_for_event("source.unbanned", within=8, src="127.0.0.7")
    assert attempt(at("127.0.0.7", "bob")) == 200
    assert len(server.events("source.banned")) == len(server.events("source.unbanned")) == 1


@protected(bannedAfter=8)
def test_a_ban_closes_the_connections_of_its_source_and_refuses_new_ones(server, at):
    made = at("127.0.0.9", "alice", transport="tcp")
    assert answered(server, "127.0.0.9", 1) == 1
    guess(at, "127.0.0.9", 8)
    made.wire.send(options("127.0.0.9", 5060))
    assert eventually(lambda: made.wire.receive(0.2) is None and made.wire.closed_by_peer)
    late = at("127.0.0.9", "alice", transport="tcp")
    assert eventually(lambda: late.wire.receive(0.2) is None and late.wire.closed_by_peer)


@protected(bannedAfter=8)
def test_bans_are_listed_and_lifted_by_command_and_api(server, at, api):
    assert "nobody is banned" in server.command("bans")
    guess(at, "127.0.0.10", 8)
    guess(at, "127.0.0.11", 8)
    for _ in range(5):
        attempt(at("127.0.0.12", "bob", password="wrong"))

    def made_to_wait(command):
        """What a command gives while bob waits: each failure makes that longer, and a busy machine may miss the first."""
        for _ in range(4):
            attempt(at("127.0.0.12", "bob", password="wrong"))
            done = server.run(*command)
            if done.returncode == 0 and ("bob" in done.stdout or "lift" in command):
                return done.stdout
            time.sleep(1)
        raise AssertionError(done.stdout + done.stderr)

    listed = json.loads(made_to_wait(["bans", "--json"]))
    assert [(ban["kind"], ban.get("source")) for ban in listed[:2]] in (
        [("source", "127.0.0.10"), ("source", "127.0.0.11")], [("source", "127.0.0.11"), ("source", "127.0.0.10")])
    assert [ban["failures"] for ban in listed[:2]] == [8, 8] and len(listed) == 3
    assert listed[2]["kind"] == "attempt" and listed[2]["source"] == "127.0.0.12" and listed[2]["failures"] >= 6
    assert listed[2]["login"] == "bob" and listed[2]["code"] == "R-1102"
    table = made_to_wait(["bans"])
    assert "127.0.0.10" in table and "banned" in table and "waits" in table

    # One that is lifted before it was told of ends without a line.
    server.wait_for_event("source.banned", src="127.0.0.10")
    assert server.command("bans", "lift", "127.0.0.10").startswith("lifted")
    server.wait_for_event("source.unbanned", src="127.0.0.10", why="an operator lifted it")
    assert attempt(at("127.0.0.10", "alice")) == 200
    done = server.run("bans", "lift", "127.0.0.10")
    assert done.returncode == 1 and "rollcall bans" in done.stderr

    bans = {ban.get("source"): ban["sid"] for ban in api.fetch("Bans")}
    assert api.delete(f"Bans/{bans['127.0.0.11']}").status == 200
    assert api.delete(f"Bans/{bans['127.0.0.11']}").status == 404
    assert attempt(at("127.0.0.11", "alice")) == 200
    made_to_wait(["bans", "lift", "bob"])
    assert attempt(at("127.0.0.12", "bob")) == 200
    assert api.fetch("Bans") == []


@protected(bannedAfter=8)
def test_without_a_server_nobody_is_banned(server):
    server.stop()
    server.ended_on_purpose = True
    assert "nobody is banned" in server.command("bans")


@protected(bannedAfter=8)
def test_an_office_is_not_banned_for_a_phone_with_a_wrong_password(server, at):
    office = "127.0.0.13"
    bob = at(office, "bob")
    bob.register()
    statuses = [attempt(at(office, "alice", password="wrong")) for _ in range(30)]
    assert statuses[:5] == [401] * 5 and set(statuses[5:]) == {403}
    assert attempt(at(office, "carol")) == 200
    bob.register()
    assert server.events("source.banned") == []


# Delays.

@protected()
def test_a_wrong_password_waits_longer_each_time_and_the_right_one_gets_in_after_that(server, at):
    made = at("127.0.0.14", "alice", password="wrong")
    assert [attempt(made) for _ in range(6)] == [401] * 5 + [403]
    refusal = made.ask_with_credentials(made.register_request())
    assert refusal.status == 403 and refusal["Retry-After"] in ("1", "2")
    assert "R-1104" in refusal["Warning"]
    time.sleep(1.1)
    assert attempt(made) == 403
    made.password = "alice-secret"
    assert attempt(made) == 403, "it waits 2 s now"
    assert eventually(lambda: attempt(made) == 200, within=5, every=0.2)


@protected()
def test_the_wait_does_not_tell_whether_a_login_exists(server, at):
    def looks(login):
        made = at("127.0.0.15", login, password="wrong")
        answers = [made.ask_with_credentials(made.register_request()) for _ in range(8)]
        return [(answer.start_line, sorted(name for name, _ in answer.headers)) for answer in answers]
    assert looks("alice") == looks("nobody")


@protected(bannedAfter=1000)
def test_a_nonce_of_another_address_counts_against_nobody(server, at):
    victim = "127.0.0.16"
    scanner = at("127.0.0.17", "alice", password="wrong")
    refusal = scanner.ask(scanner.register_request())
    spoofing = at(victim, "alice", password="wrong")
    for _ in range(40):
        forged = spoofing.again(spoofing.register_request(), scanner.credentials(refusal))
        assert spoofing.ask(forged).status == 401
    assert json.loads(server.command("bans", "--json")) == []
    assert attempt(at(victim, "bob")) == 200


@protected()
def test_guesses_at_a_login_from_many_addresses_leave_the_registered_phone_working(server, at):
    alice = at("127.0.0.18", "alice")
    alice.register()
    statuses = [attempt(at(f"127.0.1.{number + 1}", "alice", password=f"guess{number}")) for number in range(60)]
    assert statuses[:20] == [401] * 20
    assert statuses.count(401) < 40 and set(statuses) == {401, 403}
    assert attempt(alice) == 200
    assert attempt(at("127.0.0.18", "alice")) == 200, "and so does a new device at the same address"
    assert [ban["kind"] for ban in json.loads(server.command("bans", "--json"))] == ["login"]
    server.command("bans", "lift", "alice")
    assert attempt(at("127.0.2.1", "alice")) == 200


# The log.

@protected(bannedAfter=5)
def test_a_scan_from_many_addresses_writes_few_lines_and_the_office_keeps_its_own(server, at):
    at("127.0.0.19", "alice").register()
    for source in range(50):
        guess(at, f"127.0.3.{source + 1}", 5, name=f"scan{source}-")
    assert attempt(at("127.0.0.19", "bob", password="wrong")) == 401
    assert eventually(lambda: len(server.events("source.banned")) >= 30)
    refusals = [event for event in server.events("auth.fail") if event["src"].startswith("udp:127.0.3.")]
    assert 0 < len(refusals) <= 60
    assert len(server.events("source.banned")) <= 60, "30 a minute"
    assert eventually(lambda: len(server.events("auth.fail", user="bob")) == 1)
    assert len(server.log().splitlines()) < 200
