"""The project's own sipp scenarios (Tests/sipp), each over UDP; registration also over TCP."""

import os
import shutil
import subprocess

import pytest

from conftest import eventually
from daemon import ROOT, free_port

pytestmark = pytest.mark.skipif(not shutil.which("sipp"), reason="sipp is not installed (sip-tester)")
RUN = ROOT / "Tests/sipp/run"


@pytest.fixture
def sipp(server, phone):
    """Runs `Tests/sipp/run` with 20 users against the daemon."""
    users = [(f"sipp{number:02}", f"secret{number:02}") for number in range(20)]
    server.import_clients(users)
    last = phone(users[-1][0], password=users[-1][1])
    assert eventually(lambda: last.try_to_register(contacts=[]).status == 200), "the import took no effect"
    file = server.directory / "users.csv"
    file.write_text("".join(f"{login};{password}\n" for login, password in users))

    def run(scenario, transport="u1", *options, environment={}):
        return subprocess.run(
            [RUN, scenario, *options], capture_output=True, text=True, timeout=300,
            env={**os.environ, "SERVER": f"127.0.0.1:{server.port}", "USERS": str(file), "TRANSPORT": transport,
                 "CALLER_PORT": str(free_port()), "CALLEE_PORT": str(free_port()), **environment})

    return run


@pytest.mark.configuration(authentication={"failuresBefore403": 1000})
@pytest.mark.parametrize("scenario, transport", [
    *((scenario, "u1") for scenario in (
        "register", "reregister", "unregister", "wrong_password", "call", "cancel", "busy", "no_answer", "message")),
    *((scenario, "t1") for scenario in ("register", "reregister", "unregister", "wrong_password")),
], ids=lambda value: {"u1": "udp", "t1": "tcp"}.get(value, value))
def test_scenario(sipp, scenario, transport):
    done = sipp(scenario, transport)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_scenario_can_fail(sipp):
    """Who reads "ok" must know that it is not always said: here nobody serves."""
    done = sipp("register", "u1", "-n", "1", environment={
        "SERVER": f"127.0.0.1:{free_port()}", "TIME_LIMIT": "3"})
    assert done.returncode == 1
    assert "FAILED" in done.stdout
