"""Fixtures: `server` is a fresh daemon with the clients alice, bob, carol and dave; `phone` makes their phones.

`api` is a client program of the HTTP API, `person` makes clients with names of their own, and their phones.

A test changes the configuration with a mark: `@pytest.mark.configuration(registrar={"minExpires": "1s"})`.
In a module with `SHARES_ONE_DAEMON = True` all tests without this mark use the same daemon. A module's
`CONFIGURATION` is that of all its daemons, under the mark.

`web` is an HTTP server of the test's own (webapp.py): what answers for clients and numbers.
"""

import itertools
import time

import pytest

pytest.register_assert_rewrite("api")

import storm
from api import API
from daemon import BINARY, Daemon, merge
from phone import Phone
from webapp import WebApp

CLIENTS = ("alice", "bob", "carol", "dave")


def pytest_configure(config):
    config.addinivalue_line("markers", "configuration(**keys): daemon configuration over the tests' defaults")
    config.addinivalue_line("markers", "load: takes long and much CPU")


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}: run `swift build -c release`, or name the binary in ROLLCALL", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of the daemon's log with a test that failed."""
    report = (yield).get_result()
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and server is not None:
        report.sections.append((f"log of rollcall ({server.log_file})", server.log()[-12_000:]))


def make_server(request, directory):
    mark = request.node.get_closest_marker("configuration")
    keys = getattr(request.module, "CONFIGURATION", {})
    return Daemon(directory, CLIENTS, **merge(keys, mark.kwargs if mark else {}))


@pytest.fixture(scope="module")
def shared(request, tmp_path_factory):
    """The daemon of the tests of a module that share one."""
    keys = getattr(request.module, "CONFIGURATION", {})
    daemon = Daemon(tmp_path_factory.mktemp("shared") / "daemon", CLIENTS, **keys).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def server(request, tmp_path):
    """A running daemon. A test passes only if the daemon survives it and stops properly."""
    if getattr(request.module, "SHARES_ONE_DAEMON", False) and not request.node.get_closest_marker("configuration"):
        daemon = request.getfixturevalue("shared")
        daemon.log_start = daemon.log_file.stat().st_size  # Only the lines of this test.
        yield daemon
        assert daemon.is_alive(), f"the daemon ended by itself with exit code {daemon.process.returncode}"
        return
    daemon = make_server(request, tmp_path / "daemon").start()
    yield daemon
    survived = daemon.is_alive() or getattr(daemon, "ended_on_purpose", False)
    code = daemon.stop()
    assert survived, f"the daemon ended by itself with exit code {code}"


@pytest.fixture
def phone(server):
    """Makes phones: `phone("alice")`, `phone("bob", transport="tcp", family=6)`."""
    phones = []

    def make(login, *, password=None, transport="udp", family=4, host=None, port=0):
        address = ("127.0.0.1" if family == 4 else "::1", server.port)
        made = Phone(address, login, password or server.password(login), server.domain, transport, host, port)
        phones.append(made)
        return made

    yield make
    for made in phones:
        made.close()


@pytest.fixture
def web():
    """An HTTP server of the test's own."""
    made = WebApp()
    yield made
    made.close()


@pytest.fixture
def alice(phone):
    """Alice's phone, registered over UDP."""
    made = phone("alice")
    made.register()
    return made


@pytest.fixture
def bob(phone):
    """Bob's phone, registered over UDP."""
    made = phone("bob")
    made.register()
    return made


@pytest.fixture
def api(server):
    """A client program with the credentials of the daemon's account."""
    made = API.of(server)
    yield made
    made.close()


_people = itertools.count(1)


def make_person(api, phone, account=None, name="user", registered=True, transport="udp", password="s3cret", **form):
    """A client with a login that nobody else has, made by the API, and its phone; its Sid is `phone.sid`."""
    login = f"{name}{next(_people)}"
    client = (account or api).create("Clients", Login=login, Password=password, **form)
    made = phone(login, password=password, transport=transport)
    made.sid, made.client = client["sid"], client
    if registered:
        made.register()
    return made


@pytest.fixture
def person(api, phone):
    """Makes clients and their phones: `person()`, `person(account=child, registered=False, FriendlyName="Zoe")`."""
    def make(**options):
        return make_person(api, phone, **options)
    return make


def eventually(condition, within=3.0, every=0.02):
    """Waits until a condition holds; gives whether it did."""
    deadline = time.monotonic() + within
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            return False
        time.sleep(every)


def pytest_sessionfinish():
    storm.remove_program()
