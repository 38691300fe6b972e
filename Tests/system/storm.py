"""The program of Tests/storm: compiled once, started beside a daemon, its figures read; and faults of the process."""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from daemon import ROOT, Daemon, private

SOURCES = ROOT / "Tests/storm"
IS_LONG = os.environ.get("ROLLCALL_LONG") == "1"  # Asks for the full forms: minutes instead of seconds.
MEGABYTE = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


@functools.cache
def program():
    """The compiled `storm`."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-storm-"))
    program.directory = directory
    binary = directory / "storm"
    subprocess.run(
        ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", binary, *SOURCES.glob("*.c"), "-lm"],
        check=True)
    return binary


def remove_program():
    if program.cache_info().currsize:
        shutil.rmtree(program.directory, ignore_errors=True)


class Storm:
    """One run of `storm`: `Storm(server, "register", phones=100)` starts it, `result()` waits for its figures."""

    def __init__(self, server, command, target=None, **options):
        server_address = f"127.0.0.1:{target or server.port}"
        arguments = [str(word) for name, value in options.items() for word in ("--" + name.rstrip("_"), value)]
        self.process = subprocess.Popen(
            [program(), command, "--server", server_address, "--domain", server.domain, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.command = command

    def wait_until_ready(self):
        line = self.process.stdout.readline().strip()
        assert line == "READY", f"storm {self.command} said {line!r}"
        return self

    def result(self, within=120):
        output, _ = self.process.communicate(timeout=within)
        assert self.process.returncode == 0, f"storm {self.command} ended with {self.process.returncode}"
        return json.loads(output.splitlines()[-1])

    def stop(self):
        """Ends what runs until it is told to, and gives its figures."""
        self.process.terminate()
        return self.result()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def logins(count, first=0):
    return [f"storm{number:05}" for number in range(first, first + count)]


def daemon_for(directory, count, **changes):
    """A daemon as an operator would run it, with so many clients."""
    return Daemon(directory, logins(count), **{"log": {"level": "info"}, **changes})


def cpu_seconds(server):
    """User and system time that the daemon has used so far."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def dropped_datagrams(server):
    """How many datagrams the kernel threw away because the daemon did not read them in time."""
    port = f":{server.port:04X}"
    with open("/proc/net/udp") as table:
        return sum(int(line.split()[-1]) for line in table if line.split()[1].endswith(port))


def lines_about(server, source):
    """The lines of the log that name a source address that matches, or no source at all but a count of them."""
    pattern = re.compile(rf"src=(udp:|tcp:)?{source}")
    return [line for line in server.log().splitlines() if pattern.search(line)]


def sizes(server):
    """The sizes of all tables now, from the line that SIGUSR1 writes."""
    known = len(server.events("server.state"))
    server.signal(signal.SIGUSR1)
    deadline = time.monotonic() + 5
    while len(found := server.events("server.state")) == known:
        assert time.monotonic() < deadline, "SIGUSR1 writes no server.state"
        time.sleep(0.02)
    return {name: int(value) for name, value in found[-1].items() if value.isdecimal()}


def wait_for_empty_tables(server, within):
    """Waits until no transaction, context, timer or queued message is left; gives the last sizes."""
    deadline = time.monotonic() + within
    while True:
        state = sizes(server)
        if not any(state[table] for table in ("transactions", "contexts", "timers", "queued")):
            return state
        assert time.monotonic() < deadline, f"the tables are not empty after {within} s: {state}"
        time.sleep(0.5)


def show(name, **figures):
    """Prints the figures of a show as one line of JSON (pytest -s, or -rP)."""
    print(f"\n{name} {json.dumps(figures)}", flush=True)


class Interruptions(threading.Thread):
    """What a machine does to a process: it stands still for 0.2 s, and somebody holds its database for some time."""

    def __init__(self, server, every, lock_every, lock_seconds):
        super().__init__(daemon=True)
        self.server, self.every, self.lock_every, self.lock_seconds = server, every, lock_every, lock_seconds
        self.over = threading.Event()
        self.stops = self.locks = 0

    def run(self):
        next_lock = time.monotonic() + self.lock_every / 2
        while not self.over.wait(self.every):
            self.server.signal(signal.SIGSTOP)
            time.sleep(0.2)
            self.server.signal(signal.SIGCONT)
            self.stops += 1
            if time.monotonic() > next_lock:
                next_lock = time.monotonic() + self.lock_every
                self.lock()

    def lock(self):
        connection = sqlite3.connect(self.server.state / "rollcall.sqlite", timeout=5, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(self.lock_seconds)
        connection.execute("ROLLBACK")
        connection.close()
        self.locks += 1

    def end(self):
        self.over.set()
        self.join()


def memory_besides_cache(server):
    """The private memory of a daemon but for the pages of its database, which grow with the records up to 16 MB."""
    return private(server) - sizes(server)["cacheBytes"]


class Memory(threading.Thread):
    """The memory of a daemon besides the cache of its database, as it changes."""

    def __init__(self, server, every):
        super().__init__(daemon=True)
        self.server, self.every = server, every
        self.over = threading.Event()
        self.samples = []

    def run(self):
        while not self.over.wait(self.every):
            self.samples.append(memory_besides_cache(self.server))

    def end(self):
        self.over.set()
        self.join()
        return self.samples

    def median(self, first, last):
        """The median of a part of the samples, as in `median(0.5, 0.75)`."""
        part = sorted(self.samples[int(len(self.samples) * first):max(int(len(self.samples) * last), 1)])
        return part[len(part) // 2]
