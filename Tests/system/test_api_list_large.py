"""A list of a hundred thousand clients by the HTTP API: it is streamed, so it costs neither time nor memory of phones."""

import json
import threading
import time
import xml.etree.ElementTree

import pytest

from api import API, Raw
from daemon import Daemon, resident
from phone import Phone

COUNT = 100_000
MEGABYTE = 1 << 20

pytestmark = pytest.mark.load


@pytest.fixture(scope="module")
def hundred_thousand(tmp_path_factory):
    daemon = Daemon(tmp_path_factory.mktemp("large") / "daemon", log={"level": "info"})
    daemon.import_clients([(f"user{number:06}", f"pw{number:06}") for number in range(COUNT)], within=300)
    daemon.start()
    yield daemon
    daemon.stop()


class Watch:
    """The highest resident memory of a daemon while something goes on."""

    def __init__(self, daemon):
        self.daemon, self.highest, self.is_over = daemon, 0, False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over:
            self.highest = max(self.highest, resident(self.daemon))
            time.sleep(0.01)

    def __enter__(self):
        self.before = resident(self.daemon)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()

    @property
    def growth(self):
        return self.highest - self.before


def read_list(connection, request):
    """Sends a request for a list; gives its body, the seconds to the first byte, and those to the last."""
    began = time.monotonic()
    connection.send(request)
    head = connection.head(within=10)
    assert head.status == 200, head
    while not connection.buffer:
        connection.read(time.monotonic() + 10)
    first = time.monotonic() - began
    parts = []
    deadline = time.monotonic() + 60
    if "Content-Length" in head:
        parts.append(connection.take(int(head["Content-Length"]), deadline))
    else:
        while size := int(connection.line(deadline), 16):
            parts.append(connection.take(size, deadline))
            assert connection.take(2, deadline) == b"\r\n"
        assert connection.line(deadline) == ""
    return b"".join(parts), first, time.monotonic() - began


def test_the_list_is_whole_comes_at_once_and_costs_no_memory(hundred_thousand):
    api = API.of(hundred_thousand)
    assert api.fetch("Clients", PageSize=1)
    with Watch(hundred_thousand) as watch, Raw(hundred_thousand.api_port) as connection:
        body, first, whole = read_list(connection, api.written("GET", "Clients.json"))
        assert connection.send(api.written("GET", "Clients.json", query={"PageSize": 1})).answer().status == 200
    clients = json.loads(body)
    print(f"{len(body) / MEGABYTE:.1f} MB, first byte after {first * 1000:.0f} ms, last after {whole:.2f} s, "
          f"{watch.growth / MEGABYTE:.1f} MB of memory")
    assert [client["login"] for client in clients] == [f"user{number:06}" for number in range(COUNT)]
    assert len({client["sid"] for client in clients}) == COUNT
    assert first < 0.5
    assert watch.growth < 30 * MEGABYTE
    api.close()


def test_the_list_in_xml_is_whole_too(hundred_thousand):
    api = API.of(hundred_thousand)
    with Watch(hundred_thousand) as watch, Raw(hundred_thousand.api_port) as connection:
        body, first, _ = read_list(connection, api.written("GET", "Clients"))
    root = xml.etree.ElementTree.fromstring(body)
    assert [client.findtext("Login") for client in root[0]] == [f"user{number:06}" for number in range(COUNT)]
    assert first < 0.5
    assert watch.growth < 30 * MEGABYTE
    api.close()


def test_phones_do_not_wait_while_lists_are_read(hundred_thousand):
    api = API.of(hundred_thousand)
    stop = threading.Event()

    def read():
        while not stop.is_set():
            with Raw(hundred_thousand.api_port) as connection:
                read_list(connection, api.written("GET", "Clients.json"))

    readers = [threading.Thread(target=read) for _ in range(2)]
    phone = Phone(("127.0.0.1", hundred_thousand.port), "user050000", "pw050000", hundred_thousand.domain)
    for reader in readers:
        reader.start()
    times = []
    try:
        for _ in range(100):
            began = time.monotonic()
            phone.register()
            times.append(time.monotonic() - began)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    times.sort()
    assert times[50] < 0.1 and times[-1] < 0.5, f"half within {times[50]:.3f} s, all within {times[-1]:.3f} s"
    phone.close()
    api.close()


@pytest.mark.parametrize("query, expected", [
    ({"Login": "user077777"}, 1), ({"Page": 0, "PageSize": 1000}, 1000), ({"Page": 99, "PageSize": 1000}, 1000),
    ({"Page": 1999, "PageSize": 50}, 50), ({"Status": 0}, 0), ({"FriendlyName": "user000001"}, 1)], ids=str)
def test_a_part_of_the_list_comes_soon(hundred_thousand, query, expected):
    api = API.of(hundred_thousand)
    began = time.monotonic()
    found = api.fetch("Clients", **query)
    took = time.monotonic() - began
    assert len(found) == expected
    assert took < 0.5, f"{took:.2f} s"
    api.close()


def test_a_client_that_is_changed_while_the_list_is_read_breaks_nothing(hundred_thousand):
    api = API.of(hundred_thousand)
    last = api.fetch("Clients", Login=f"user{COUNT - 1:06}")[0]
    with Raw(hundred_thousand.api_port, receive_buffer=4096) as connection:
        connection.send(api.written("GET", "Clients.json"))
        time.sleep(0.3)
        api.update(f"Clients/{last['sid']}", FriendlyName="changed")
        api.remove(f"Clients/{api.fetch('Clients', Login='user099990')[0]['sid']}")
        clients = connection.answer(within=60).json()
    assert len(clients) in (COUNT, COUNT - 1)
    assert clients[-1]["friendly_name"] in ("changed", last["friendly_name"])
    api.close()
