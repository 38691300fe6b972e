"""Something that the server needs is gone, slow or wrong for a while: room on the disk, the database, file descriptors, the
reader of the log, the time of day. SIP goes on, promises are kept, and afterwards all is as before without a restart."""

import os
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import pytest

from api import API
from conftest import CLIENTS, eventually
from daemon import BINARY, Daemon
from phone import Phone, connect

STORE = 5


@pytest.fixture
def daemon(tmp_path):
    """A daemon that the test starts itself; whatever still runs at the end is killed."""
    made = Daemon(tmp_path / "daemon", CLIENTS)
    yield made
    if made.is_alive():
        made.kill()


def phone_of(daemon, login, **options):
    return Phone(("127.0.0.1", daemon.port), login, daemon.password(login), daemon.domain, **options)


def stored(daemon, login):
    """The contacts of a client in the database."""
    connection = sqlite3.connect(f"file:{daemon.state}/rollcall.sqlite?mode=ro", uri=True, timeout=5)
    try:
        return {contact.decode() for (contact,) in connection.execute(
            "SELECT contact FROM binding JOIN client ON client.id = client_id WHERE login = ?", (login,))}
    finally:
        connection.close()


def assert_calls_work(alice, bob):
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    assert alice.expect_response(alice.answered).status == 200


# The disk.

class SmallDisk:
    """A file system of a few megabytes at a directory, to be filled."""

    def __init__(self, path, size="3m"):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    def fill(self):
        with open(self.path / "filler", "ab", buffering=0) as file:
            for size in (65_536, 4_096, 512):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self):
        (self.path / "filler").unlink()

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def disk(daemon):
    made = SmallDisk(daemon.state)
    yield made
    if daemon.is_alive():
        daemon.kill()
    made.unmount()


def test_on_a_full_disk_calls_go_on_no_registration_is_promised_and_room_mends_it(daemon, disk):
    daemon.start()
    alice, bob, carol = (phone_of(daemon, login) for login in CLIENTS[:3])
    alice.register()
    bob.register()
    disk.fill()
    # What the log of the database has room for is stored; then nothing more.
    promised, refused = set(), set()
    for number in range(400):
        contact = f"sip:carol@10.0.{number // 250}.{number % 250 + 1}"
        answer = carol.try_to_register([f"<{contact}>"])
        assert answer.status in (200, 503), answer
        if answer.status == 503:
            assert "R-1208" in answer["Warning"]
            refused.add(contact)
            if len(refused) == 20:
                break
        else:
            promised.add(contact)
    assert len(refused) == 20
    assert not refused & set(carol.bindings()), "what is not stored is not in memory either"
    assert not refused & stored(daemon, "carol")
    assert_calls_work(alice, bob)
    errors = daemon.events("store.error")
    assert 1 <= len(errors) <= 4 and any("disk" in error["why"] or "space" in error["why"] for error in errors), errors
    # Who is called by whom: carol has what was stored, and nothing else.
    disk.free()
    assert carol.register().status == 200
    assert daemon.wait_for_event("store.ok")
    assert carol.contact_uri in stored(daemon, "carol")
    assert_calls_work(alice, bob)
    assert daemon.stop() == 0
    daemon.start()
    assert not refused & set(carol.bindings())
    assert daemon.stop() == 0


def test_a_limit_of_the_size_of_files_does_not_end_the_server(daemon):
    daemon.configuration["log"]["level"] = "info"
    daemon.write_configuration()
    daemon.start()
    alice, bob, carol = (phone_of(daemon, login) for login in CLIENTS[:3])
    alice.register()
    bob.register()
    pid = daemon.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (32_768, hard))
    statuses = [carol.try_to_register([f"<sip:carol@10.0.0.{number}>"]).status for number in range(1, 30)]
    assert 503 in statuses and set(statuses) <= {200, 503}
    assert daemon.is_alive()
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    assert eventually(lambda: carol.try_to_register().status == 200)
    assert carol.contact_uri in stored(daemon, "carol")
    assert daemon.stop() == 0


def test_a_file_system_that_cannot_be_written_stops_the_start_with_a_sentence(daemon, disk):
    daemon.start()
    assert daemon.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)
    try:
        daemon.start(wait=False)
        assert daemon.wait_for_exit() == STORE
        message = daemon.log().splitlines()[-1]
        assert message.startswith("rollcall: ") and str(daemon.state) in message and message.endswith("."), message
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk.path], check=True)
    daemon.start()
    assert daemon.stop() == 0


# The database.

def test_while_the_database_is_locked_for_five_seconds_texts_and_calls_are_as_fast_as_ever(daemon):
    daemon.start()
    alice, bob, carol = (phone_of(daemon, login) for login in CLIENTS[:3])
    alice.register()
    bob.register()
    request = carol.register_request()
    request = carol.again(request, carol.credentials(carol.ask(request)))
    lock = sqlite3.connect(daemon.state / "rollcall.sqlite", timeout=5, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    carol.send(request)
    times = []
    while time.monotonic() - began < 5:
        for work in (text, ring):
            start = time.monotonic()
            work(alice, bob)
            times.append(time.monotonic() - start)
        time.sleep(0.02)
    carol.expect_silence(within=0.05)
    lock.execute("ROLLBACK")
    lock.close()
    assert carol.expect_response(request).status == 200
    assert carol.contact_uri in stored(daemon, "carol")
    times.sort()
    assert len(times) > 50
    assert times[int(len(times) * 0.99)] < 0.2, f"p99 is {times[int(len(times) * 0.99)]:.3f} s"
    slow = daemon.events("store.slow")
    assert len(slow) == 1 and int(slow[0]["ms"]) >= 2000 and int(slow[0]["queued"]) >= 1
    assert not daemon.events("store.error")
    assert daemon.stop() == 0


def text(alice, bob):
    """A text, credentials and all."""
    alice.send_text("bob")
    bob.reply(bob.expect("MESSAGE"), 200)
    assert alice.expect_response(alice.answered).status == 200


def ring(alice, bob):
    """A call up to its refusal."""
    call = alice.call("bob")
    bob.incoming_call().refuse(486)
    call.expect(486)


@pytest.mark.skipif("ROLLCALL_LONG_TESTS" not in os.environ, reason="waits 15 s for a lock: set ROLLCALL_LONG_TESTS")
def test_a_binding_that_could_not_be_stored_is_not_called(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS).start()
    alice, bob = phone_of(daemon, "alice"), phone_of(daemon, "bob")
    alice.register()
    lock = sqlite3.connect(daemon.state / "rollcall.sqlite", timeout=5, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    request = bob.register_request()
    request = bob.again(request, bob.credentials(bob.ask(request)))
    bob.send(request)
    answer = bob.expect_response(request, within=25)
    assert answer.status == 503
    # Lost on its way: the phone sends the same again, and must not be told that it is registered.
    assert bob.ask(request).status == 401
    lock.execute("ROLLBACK")
    lock.close()
    assert daemon.events("reg.removed", user="bob", why="it could not be stored")
    assert alice.text("bob").status == 480
    bob.expect_silence("MESSAGE", within=0.1)
    bob.register()
    text(alice, bob)
    assert daemon.stop() == 0


# File descriptors.

def test_without_file_descriptors_sip_goes_on_and_connections_wait(daemon):
    daemon.start()
    alice, bob = phone_of(daemon, "alice"), phone_of(daemon, "bob")
    alice.register()
    bob.register()
    api = API.of(daemon)
    assert api.get("Clients.json").status == 200
    pid = daemon.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    lowest = next(number for number in range(10_000) if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, hard))
    waiting = socket.create_connection(("127.0.0.1", daemon.port))
    waiting.sendall(b"\r\n\r\n")
    other = api.copy()
    asked = []
    thread = threading.Thread(target=lambda: asked.append(other.get("Clients.json").status))
    thread.start()
    waiting.settimeout(0.5)
    with pytest.raises(TimeoutError):
        waiting.recv(2)
    assert_calls_work(alice, bob)
    bob.register()
    assert api.get("Clients.json").status == 200, "a connection that is open is served"
    before = cpu_ticks(pid)
    time.sleep(1)
    assert cpu_ticks(pid) - before < 50, "nobody spins meanwhile"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    waiting.settimeout(5)
    assert waiting.recv(2) == b"\r\n"
    thread.join(5)
    assert asked == [200]
    waiting.close()
    other.close()
    api.close()
    assert daemon.stop() == 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# The log.

def test_a_reader_of_the_log_that_stands_still_stops_nothing_and_learns_what_it_has_missed(daemon):
    for login in CLIENTS[:2]:
        daemon.add_client(login)
    reader, writer = os.pipe()
    daemon.process = subprocess.Popen(
        [BINARY, "--config", daemon.configuration_file, "serve"], stdin=subprocess.DEVNULL, stdout=writer,
        stderr=writer, env=daemon.environment)
    os.close(writer)
    log = b""
    while b"server.ready" not in log:
        log += os.read(reader, 65_536)
    alice, bob = phone_of(daemon, "alice"), phone_of(daemon, "bob")
    alice.register()
    bob.register()
    # Nobody reads: 64 KB in the pipe, 8 MB in the queue, then lines are lost. A challenge is a long line at debug.
    noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    noise.connect(("127.0.0.1", daemon.port))
    user = "x" * 128
    for number in range(50_000):
        noise.send(
            f"REGISTER sip:{daemon.domain} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number};rport\r\n"
            f"From: <sip:{user}@{daemon.domain}>;tag=1\r\nTo: <sip:{user}@{daemon.domain}>\r\n"
            f"Call-ID: {number:0128}\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n".encode())
        if number % 100 == 99:
            time.sleep(0.001)
    noise.close()
    # Behind what is still in the socket's buffer; from then on as ever.
    assert alice.ask(alice.request("OPTIONS", f"sip:{daemon.domain}"), within=15).status == 200
    began = time.monotonic()
    assert_calls_work(alice, bob)
    assert time.monotonic() - began < 4
    os.set_blocking(reader, True)
    tail = b""
    deadline = time.monotonic() + 15
    while b"log.dropped" not in tail and time.monotonic() < deadline:
        tail = tail[-65_536:] + os.read(reader, 1 << 20)
    assert b"log.dropped" in tail
    line = next(line for line in tail.splitlines() if b"log.dropped" in line)
    assert int(line.split(b"lines=")[1]) > 0
    drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reader, 1 << 20), b"")])
    drain.start()
    assert daemon.stop() == 0
    drain.join()
    os.close(reader)


# The time of day.

SHIFTED_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
/* CLOCK_REALTIME and gettimeofday with the seconds in the file CLOCK_SHIFT added; all other clocks as they are. */
static volatile int64_t *shift;
static int (*next)(clockid_t, struct timespec *);
__attribute__((constructor)) static void prepare(void) {
    next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int file = open(getenv("CLOCK_SHIFT"), O_RDONLY);
    shift = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    close(file);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = next(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += *shift;
    return result;
}
int gettimeofday(struct timeval *value, void *zone) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    value->tv_sec = time.tv_sec;
    value->tv_usec = time.tv_nsec / 1000;
    return 0;
}
"""


class Clock:
    """The daemon's clock of the day, which can be set."""

    def __init__(self, directory, monkeypatch):
        source, library = directory / "clock.c", directory / "clock.so"
        source.write_text(SHIFTED_CLOCK)
        try:
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no C compiler: {error}")
        self.file = directory / "shift"
        self.set(0)
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("CLOCK_SHIFT", str(self.file))

    def set(self, seconds):
        with open(self.file, "r+b" if self.file.exists() else "w+b") as file:
            file.write(struct.pack("=q", seconds))


DAY = 86_400


@pytest.mark.parametrize("step", [DAY, -DAY], ids=["a day on", "a day back"])
def test_when_the_clock_is_set_registrations_keep_the_time_they_have_left(daemon, tmp_path, monkeypatch, step):
    clock = Clock(tmp_path, monkeypatch)
    daemon.start()
    monkeypatch.delenv("LD_PRELOAD")
    alice, bob, carol = (phone_of(daemon, login) for login in CLIENTS[:3])
    alice.register()
    bob.register(expires=600)
    challenge = carol.ask(carol.register_request())
    clock.set(step)
    line = daemon.wait_for_event("clock.step", within=8)
    assert abs(int(line["ms"]) - step * 1000) < 1500
    assert_calls_work(alice, bob)
    assert 590 <= next(iter(bob.bindings().values())) <= 600
    # A nonce of before is stale at the worst: the phone is asked again, not refused.
    answer = carol.ask(carol.again(carol.register_request(), carol.credentials(challenge)))
    if answer.status == 401:
        assert "stale=true" in answer["WWW-Authenticate"]
        answer = carol.ask(carol.again(carol.register_request(), carol.credentials(answer)))
    assert answer.status == 200
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + step))
    assert daemon.wait_for_event("reg.ok", user="carol")["time"].startswith(day)
    assert not daemon.events("reg.expired")
    # In the database too.
    assert eventually(lambda: expiry(daemon, "bob") > time.time() + step + 580)
    assert expiry(daemon, "bob") < time.time() + step + 605
    assert daemon.is_alive() and daemon.stop() == 0


def expiry(daemon, login):
    connection = sqlite3.connect(f"file:{daemon.state}/rollcall.sqlite?mode=ro", uri=True, timeout=5)
    try:
        return connection.execute(
            "SELECT expires_at FROM binding JOIN client ON client.id = client_id WHERE login = ?", (login,)
        ).fetchone()[0] / 1000
    finally:
        connection.close()
