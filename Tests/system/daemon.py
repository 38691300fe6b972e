"""The real `rollcall` binary under test: its configuration, its process, its log and its command line."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ROLLCALL", ROOT / ".build/release/rollcall")).resolve()
DOMAIN = "rollcall.test"
START_LIMIT = 15.0  # Seconds until `server.ready`.
STOP_LIMIT = 5.0
# Two runs beside each other keep out of each other's way with a range each.
_first_port, _last_port = map(int, os.environ.get("ROLLCALL_PORTS", "20000-29900").split("-"))
_next_port = _first_port + os.getpid() * 10 % (_last_port - _first_port)


def is_free(port, kind, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # A server may bind over connections in TIME_WAIT, so this probe may too.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(neighbours=1):
    """A port that nothing uses, UDP or TCP, IPv4 or IPv6; `neighbours` asks for as many in a row.

    Below the ephemeral range, and another one at each call, so that two tests do not meet."""
    global _next_port
    while True:
        first = _next_port
        _next_port += neighbours
        if _next_port > _last_port:
            _next_port = _first_port
        if all(
            is_free(port, kind, host)
            for port in range(first, first + neighbours)
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
            for host in ("127.0.0.1", "::1")
        ):
            return first


def default_ports_are_free():
    """Whether a daemon without a configuration can start here."""
    kinds = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    return all(is_free(5060, kind, "0.0.0.0") for kind in kinds) and is_free(8080, kinds[1], "127.0.0.1")


def free_short_port():
    """A free port of four digits: sipsak cuts the last digit off longer ones."""
    return next(
        port for port in range(6_000 + os.getpid() % 3_000, 10_000)
        if all(is_free(port, kind, host) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
               for host in ("127.0.0.1", "::1")))


def parse_logfmt(line):
    """A log line as a dictionary: `time`, `level`, `event` and the keys. None when it is not an event line."""
    match = re.match(r"(\S+)\s+(error|warn|info|debug)\s+(\S+)\s*(.*)$", line)
    if not match:
        return None
    fields = {"time": match[1], "level": match[2], "event": match[3], "line": line}
    for name, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', match[4]):
        fields[name] = value[1:-1] if value.startswith('"') else value
    return fields


def merge(base, changes):
    """The configuration with changes laid over it, dictionary by dictionary."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def resident(server):
    """The resident memory of a daemon in bytes."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def private(server):
    """The memory of a daemon that is backed by no file, in bytes."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def descriptors(server):
    """How many file descriptors a daemon has open."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def sockets(server):
    """How many sockets a daemon has open."""
    count = 0
    for name in os.listdir(f"/proc/{server.process.pid}/fd"):
        try:
            count += os.readlink(f"/proc/{server.process.pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            pass  # Closed meanwhile.
    return count


class Daemon:
    """`rollcall serve` with its own state directory, ports and configuration. `changes` go over the defaults."""

    # What stands before the commands: `ip netns exec NAME` for a daemon in a network of its own.
    prefix = ()

    def __init__(self, directory, clients=(), port=None, **changes):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.api_port = free_port()
        self.clients = list(clients)
        self.process = None
        self.starts = 0
        self._account = None
        self.configuration = merge({
            "domain": DOMAIN,
            "aliases": ["127.0.0.1"],
            "stateDirectory": str(self.directory / "state"),
            "listeners": [
                {"transport": transport, "address": address, "port": self.port}
                for transport in ("udp", "tcp") for address in ("127.0.0.1", "::1")
            ],
            "api": {"listen": [f"127.0.0.1:{self.api_port}"]},
            "log": {"level": "debug", "format": "logfmt"},
            # Many tests leave calls open, which the end of the daemon must not wait for.
            "shutdown": {"drain": "0s"},
        }, changes)
        self.domain = self.configuration["domain"]
        self.write_configuration()

    # Files.

    @property
    def configuration_file(self):
        return self.directory / "rollcall.json5"

    @property
    def log_file(self):
        return self.directory / "log"

    @property
    def state(self):
        return pathlib.Path(self.configuration["stateDirectory"])

    def write_configuration(self):
        self.state.mkdir(parents=True, exist_ok=True)
        self.configuration_file.write_text("// Written by the system tests.\n" + json.dumps(self.configuration, indent=4))

    def password(self, login):
        return f"{login}-secret"

    # The command line.

    def run(self, *arguments, within=10, stdin=None):
        """Runs `rollcall --config FILE ARGUMENTS` and gives the completed process."""
        return subprocess.run(
            [*self.prefix, BINARY, "--config", self.configuration_file, *arguments], capture_output=True, text=True, timeout=within,
            input=stdin, env=self.environment)

    def command(self, *arguments, within=10):
        """Runs a command that must succeed and gives what it prints."""
        done = self.run(*arguments, within=within)
        assert done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def add_client(self, login, password=None, *options):
        self.command("client", "add", login, "--password", password or self.password(login), *options)

    def import_clients(self, clients, within=120):
        """Adds many clients, given as (login, password) pairs, at once."""
        file = self.directory / "clients.csv"
        file.write_text("".join(f"{login},{password}\n" for login, password in clients))
        self.command("client", "import", str(file), within=within)

    def registrations(self):
        return json.loads(self.command("registrations", "--json"))

    def account(self):
        """The AccountSid and the AuthToken of the account that the first start makes."""
        if self._account is None:
            shown = json.loads(self.command("account", "show", "--json"))
            self._account = shown["sid"], shown["auth_token"]
        return self._account

    # The process.

    @property
    def environment(self):
        return {**os.environ, "SWIFT_BACKTRACE": "enable=no", "TZ": "UTC"}

    def start(self, wait=True):
        """Starts serving; with the clients that it was made with, at the first start."""
        if self.starts == 0 and self.clients:
            self.import_clients([(login, self.password(login)) for login in self.clients])
        self.starts += 1
        self.log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BINARY, "--config", self.configuration_file, "serve"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=self.environment)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self.events("server.ready"):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"the daemon did not start (exit code {self.process.poll()}):\n{self.log()}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_exit(self, within=STOP_LIMIT):
        """The exit code of the process, which must end in time."""
        return self.process.wait(within)

    def stop(self):
        """SIGTERM; if it does not end, SIGKILL and an error."""
        if not self.is_alive():
            return self.process and self.process.returncode
        self.signal(signal.SIGTERM)
        try:
            return self.wait_for_exit()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM did not end the daemon within {STOP_LIMIT} s") from None

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    # The log.

    def log(self):
        """Everything that the last start of the daemon wrote."""
        if not self.log_file.exists():
            return ""
        with open(self.log_file, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode("utf-8", "replace")

    def events(self, event=None, **fields):
        """The log's events, filtered by name (a prefix ending in "." will do) and by fields."""
        found = []
        for line in self.log().splitlines():
            if event is not None and event not in line:
                continue  # Parsing is what takes time, and logs are long.
            record = parse_logfmt(line)
            if record is None:
                continue
            name = record["event"]
            named = event is None or name == event or (event.endswith(".") and name.startswith(event))
            if named and all(record.get(key) == str(value) for key, value in fields.items()):
                found.append(record)
        return found

    def wait_for_event(self, event, within=3.0, **fields):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if found := self.events(event, **fields):
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no {event} {fields} in the log within {within} s:\n{self.log()[-4000:]}")
