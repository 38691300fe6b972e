"""kill -9 in the middle of work: what was acknowledged is there after the restart, and what was removed stays removed.

Phones register, refresh and unregister, programs create and remove clients, all at once, until the daemon is killed; a
request that had no answer yet may or may not have counted. Eight times, or a hundred with ROLLCALL_LONG=1.
"""

import http.client
import random
import threading
import time

import pytest

from api import API
from daemon import Daemon
from phone import Phone
from storm import IS_LONG, logins, show

KILLS = 100 if IS_LONG else 8
THREADS, PHONES_OF_A_THREAD = 4, 6


class Work(threading.Thread):
    """One thread's part of the load, until the daemon no longer answers."""

    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random, self.over, self.killing = random.Random(seed), threading.Event(), threading.Event()
        self.acknowledged, self.failure = 0, None

    def run(self):
        try:
            while not self.over.is_set():
                self.once()
        except (OSError, http.client.HTTPException) as failure:
            if not self.killing.is_set():
                self.failure = failure
        except Exception as failure:  # Which would be lost with the thread.
            self.failure = failure


class Registering(Work):
    """Phones of its own; `known` has their last acknowledged binding, `open` what was asked for and not answered."""

    def __init__(self, daemon, own, seed):
        super().__init__(seed)
        address = "127.0.0.1", daemon.port
        self.phones = {login: Phone(address, login, daemon.password(login), daemon.domain) for login in own}
        self.known, self.open = {}, {}

    def once(self):
        phone = self.random.choice(list(self.phones.values()))
        expires = 0 if self.random.random() < 0.2 else self.random.randrange(600, 3600)
        request = phone.register_request(expires=expires)
        refusal = self.ask(phone, request)
        if refusal is None:
            return
        self.open[phone.login] = expires
        answer = self.ask(phone, phone.again(request, phone.credentials(refusal)))
        if answer is None:
            return
        assert answer.status == 200, answer
        self.known[phone.login] = expires, time.time()
        del self.open[phone.login]
        self.acknowledged += 1

    def ask(self, phone, request):
        """The answer, or None when the daemon died over it. Without retransmissions, which a new daemon would answer."""
        phone.send(request)
        while not self.over.is_set():
            message = phone.receive(0.02)
            if message is not None and message.transaction == request.transaction and message.status >= 200:
                return message
        # What was on its way when the daemon was killed has arrived by now.
        while (message := phone.receive(0.05)) is not None:
            if message.transaction == request.transaction and message.status >= 200:
                return message
        return None


class Provisioning(Work):
    """A program that creates and removes clients; `clients` are those that must be there, `open` the doubtful ones."""

    def __init__(self, daemon, name, seed):
        super().__init__(seed)
        self.api, self.name = API.of(daemon), name
        self.clients, self.removed, self.open = {}, set(), set()
        self.count = 0

    def once(self):
        if self.clients and self.random.random() < 0.3:
            login = self.random.choice(list(self.clients))
            self.open.add(login)
            answer = self.api.delete(f"Clients/{self.clients[login]}.json")
            assert answer.status in (200, 204), answer
            del self.clients[login]
            self.removed.add(login)
        else:
            login = f"{self.name}{self.count}"
            self.count += 1
            self.open.add(login)
            self.clients[login] = self.api.create("Clients", Login=login, Password="s3cret-s3cret")["sid"]
        self.open.discard(login)
        self.acknowledged += 1


def check_bindings(daemon, work, kill):
    there = {entry["login"]: entry for entry in daemon.registrations()}
    for registering in work:
        for login, (expires, at) in registering.known.items():
            if login in registering.open:
                continue  # One of two answers is right, and which one nobody can say.
            entry = there.get(login)
            if expires == 0:
                assert entry is None, f"kill {kill}: {login} had unregistered and is back: {entry}"
                continue
            assert entry is not None, f"kill {kill}: the registration of {login} was acknowledged and is lost"
            assert entry["contact"] == registering.phones[login].contact_uri, f"kill {kill}: {entry}"
            left = expires - (time.time() - at)
            assert abs(entry["expires_in"] - left) < 3, f"kill {kill}: {entry}, {left:.0f} s should be left"


def check_clients(daemon, programs, kill):
    there = set(daemon.command("client", "list", "--json").split('"'))
    for program in programs:
        lost = set(program.clients) - program.open - there
        assert not lost, f"kill {kill}: clients whose creation was answered are lost: {lost}"
        back = program.removed & there
        assert not back, f"kill {kill}: clients whose removal was answered are back: {back}"


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path):
    names = logins(THREADS * PHONES_OF_A_THREAD)
    daemon = Daemon(tmp_path / "daemon", names, log={"level": "info"}).start()
    generator = random.Random(9)
    registrations = changes = doubtful = 0
    phones = [Registering(daemon, names[n::THREADS], seed=n) for n in range(THREADS)]
    try:
        for kill in range(KILLS):
            work = phones if kill == 0 else [again(thread, kill) for thread in phones]
            phones = work
            programs = [Provisioning(daemon, f"made{kill}-", seed=kill)]
            for thread in work + programs:
                thread.start()
            time.sleep(generator.uniform(0.1, 0.5))
            for thread in work + programs:
                thread.killing.set()
            daemon.kill()
            for thread in work + programs:
                thread.over.set()
            for thread in work + programs:
                thread.join(10)
                if thread.failure:
                    raise thread.failure
            registrations += sum(thread.acknowledged for thread in work)
            changes += sum(thread.acknowledged for thread in programs)
            doubtful += sum(len(thread.open) for thread in work + programs)
            daemon.start()
            check_bindings(daemon, work, kill)
            check_clients(daemon, programs, kill)
    finally:
        for thread in phones:
            for phone in thread.phones.values():
                phone.close()
        if daemon.is_alive():
            daemon.stop()
    show("kill", kills=KILLS, registrations_acknowledged=registrations, changes_acknowledged=changes,
        unanswered=doubtful)
    assert registrations > KILLS * 5 and changes > KILLS, "there was load"


def again(thread, seed):
    """A thread with the same phones that goes on after a kill."""
    next_one = Registering.__new__(Registering)
    Work.__init__(next_one, seed * 100 + len(thread.known))
    next_one.phones, next_one.known, next_one.open = thread.phones, thread.known, thread.open
    return next_one
