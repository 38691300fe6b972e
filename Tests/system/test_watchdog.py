"""The watchdog over the threads that serve SIP, and what the service manager is told (sd_notify)."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import CLIENTS, eventually
from daemon import BINARY, ROOT, Daemon
from phone import Phone, connect

USAGE, CONFIGURATION, CANNOT_BIND, STORE = 2, 3, 4, 5
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def thread_of(daemon, name):
    """The identifier of a thread by its name, which it gives itself in its first moment."""
    def find():
        for number in os.listdir(f"/proc/{daemon.process.pid}/task"):
            with open(f"/proc/{daemon.process.pid}/task/{number}/comm") as comm:
                if comm.read().strip() == name:
                    return int(number)
    found = eventually(find)
    assert found, f"no thread {name}"
    return found


def threads(daemon):
    """What each thread does, for the case that the watchdog did not bite."""
    lines = []
    for number in os.listdir(f"/proc/{daemon.process.pid}/task"):
        path = f"/proc/{daemon.process.pid}/task/{number}/"
        lines.append(" ".join(open(path + name).read().strip()[:80] for name in ("comm", "wchan", "syscall", "stat")))
    return "\n".join(lines)


class Wedge:
    """Stops one thread of a process, and only that, as if it hung. All in one thread: a tracer is a thread."""

    def __init__(self, daemon, name):
        self.number = thread_of(daemon, name)
        self.wedged, self.free = threading.Event(), threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self.hold)
        self.thread.start()
        self.wedged.wait()
        if self.error:
            pytest.skip(f"ptrace is not allowed here: {self.error}")

    def hold(self):
        if libc.ptrace(PTRACE_SEIZE, self.number, None, None) or libc.ptrace(PTRACE_INTERRUPT, self.number, None, None):
            self.error = os.strerror(ctypes.get_errno())
            self.wedged.set()
            return
        os.waitpid(self.number, WALL)
        self.wedged.set()
        self.free.wait(30)
        libc.ptrace(PTRACE_DETACH, self.number, None, None)

    def release(self):
        self.free.set()
        self.thread.join()


@pytest.fixture
def make(tmp_path):
    """Makes daemons that the test starts itself; whatever still runs at the end is killed."""
    daemons = []

    def made(*arguments, **changes):
        daemons.append(Daemon(tmp_path / "daemon", *arguments, **changes))
        return daemons[-1]

    yield made
    for daemon in daemons:
        if daemon.is_alive():
            daemon.kill()


@pytest.fixture
def daemon(make):
    return make(CLIENTS, shutdown={"watchdog": "2s"}, workers=2).start()


@pytest.mark.parametrize("name", ["sip-0", "sip-1"])
def test_a_worker_that_hangs_ends_the_process_with_its_name_and_the_reason(daemon, name):
    time.sleep(1)  # In its first moment a thread may hold a lock of the runtime that the start still needs.
    wedge = Wedge(daemon, name)
    began = time.monotonic()
    try:
        assert eventually(lambda: daemon.events("server.wedged"), within=15), threads(daemon)
        took = time.monotonic() - began
        line = daemon.events("server.wedged")[0]
        assert line["thread"] == name and 2000 < int(line["ms"]) < 8000
        assert line["level"] == "error" and line["why"] and "SIGABRT" in line["do"]
        assert 1 < took < 10
    finally:
        wedge.release()
    assert daemon.wait_for_exit(5) == -signal.SIGABRT
    daemon.start()
    assert daemon.stop() == 0


def test_a_pause_of_the_whole_process_is_no_hang(daemon):
    for _ in range(2):
        daemon.signal(signal.SIGSTOP)
        time.sleep(3.5)
        daemon.signal(signal.SIGCONT)
        time.sleep(0.7)
    assert daemon.is_alive() and not daemon.events("server.wedged")
    phone = Phone(("127.0.0.1", daemon.port), "alice", daemon.password("alice"), daemon.domain)
    phone.register()
    assert daemon.stop() == 0


def test_without_the_watchdog_a_worker_may_hang_for_ever(make):
    daemon = make(shutdown={"watchdog": "0s"}, workers=2).start()
    wedge = Wedge(daemon, "sip-1")
    time.sleep(2.5)
    alive = daemon.is_alive()
    wedge.release()
    assert alive and daemon.stop() == 0


def test_a_thread_of_the_api_that_hangs_does_not_end_the_process(daemon):
    wedge = Wedge(daemon, "http-0")
    time.sleep(3.5)
    alive = daemon.is_alive()
    wedge.release()
    assert alive and daemon.stop() == 0


# sd_notify.

class Manager:
    """The socket of a service manager."""

    def __init__(self, monkeypatch, address, **environment):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    def receive(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def receive_until(self, name):
        while name not in (found := self.receive()):
            pass
        return found


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_manager_hears_of_start_reload_and_end(make, tmp_path, monkeypatch, kind):
    address = str(tmp_path / "notify") if kind == "path" else f"@rollcall-test-{os.getpid()}"
    manager = Manager(monkeypatch, address)
    daemon = make(CLIENTS, shutdown={"drain": "5s"})
    daemon.start(wait=False)
    assert manager.receive() == {"READY": "1"}
    assert daemon.wait_for_event("server.ready", within=0.5), "not before everything is open"
    before = time.monotonic_ns() // 1000
    daemon.signal(signal.SIGHUP)
    reloading = manager.receive()
    assert reloading["RELOADING"] == "1"
    assert before - 2000 <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.receive() == {"READY": "1"}
    phones = [Phone(("127.0.0.1", daemon.port), login, daemon.password(login), daemon.domain) for login in CLIENTS[:2]]
    for phone in phones:
        phone.register()
    call, answered = connect(*phones)
    daemon.signal(signal.SIGTERM)
    stopping = manager.receive()
    assert stopping["STOPPING"] == "1" and int(stopping["EXTEND_TIMEOUT_USEC"]) == 20_000_000
    call.hang_up(answered)
    assert daemon.wait_for_exit() == 0


def test_the_manager_gets_signs_of_life_while_the_workers_turn(make, tmp_path, monkeypatch):
    manager = Manager(monkeypatch, str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
    daemon = make(shutdown={"watchdog": "0s"}, workers=2).start()
    began = time.monotonic()
    for _ in range(4):
        manager.receive_until("WATCHDOG")
    assert time.monotonic() - began < 4
    wedge = Wedge(daemon, "sip-1")
    manager.socket.settimeout(1.5)
    with pytest.raises(TimeoutError):
        for _ in range(6):  # What was on its way, and the second in which the thread could still be well.
            manager.receive()
    wedge.release()
    manager.socket.settimeout(5)
    manager.receive_until("WATCHDOG")
    assert daemon.stop() == 0


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@" + "x" * 200])
def test_a_socket_that_cannot_be_used_is_no_reason_not_to_start(make, monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    daemon = make().start()
    assert daemon.stop() == 0


# The unit file of the page.

def unit_file():
    text = (ROOT / "Docs/Operating.md").read_text()
    return text.split("```ini\n")[1].split("```")[0]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit_file(tmp_path):
    file = tmp_path / "rollcall.service"
    file.write_text(unit_file().replace("/usr/local/bin/rollcall", str(BINARY)))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, timeout=60)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "rollcall.service" in line]
    assert done.returncode == 0 and not ours, ours or done.stderr


def test_the_unit_file_restarts_after_all_but_what_a_restart_does_not_mend():
    page = (ROOT / "Docs/Operating.md").read_text()
    codes = {int(line.split("|")[1]) for line in page.splitlines() if re.match(r"\| \d+ \|", line)}
    lasting = {int(code) for code in re.search(r"RestartPreventExitStatus=(.*)", unit_file())[1].split()}
    assert lasting == {USAGE, CONFIGURATION, CANNOT_BIND, STORE} < codes
    assert "kill -HUP" in unit_file() and "Type=notify" in unit_file()
