"""200 calls a second through a local application: none fails, and nothing is left."""

import json
import pathlib
import subprocess
import sys

import pytest

from api import API
from daemon import Daemon, free_port, resident
from storm import cpu_seconds, show, wait_for_empty_tables
from webapp import LOCAL

pytestmark = pytest.mark.load
RATE, COUNT, CALLERS, CALLEES = 200, 1_200, 100, 100


def test_200_application_calls_a_second(tmp_path):
    port = free_port()
    daemon = Daemon(tmp_path / "daemon", **LOCAL, log={"level": "info"})
    logins = [f"load{number:04}" for number in range(CALLERS + CALLEES)]
    daemon.import_clients([(login, daemon.password(login)) for login in logins])
    daemon.start()
    try:
        give_application(daemon, logins[:CALLERS], f"http://127.0.0.1:{port}/voice")
        process = subprocess.Popen(
            [sys.executable, "-B", pathlib.Path(__file__).with_name("appload.py"), str(daemon.port), daemon.domain,
             str(port), str(RATE), str(COUNT), str(CALLERS), str(CALLEES)], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().strip() == "BEGIN"
        before, memory = cpu_seconds(daemon), resident(daemon)
        output, _ = process.communicate(timeout=120)
        result = json.loads(output.splitlines()[-1])
        show("applications", **result, cpu_us=round((cpu_seconds(daemon) - before) * 1e6 / COUNT),
             memory_kb=(resident(daemon) - memory) >> 10)
        assert result["failed"] == 0 and result["asked"] == COUNT, result
        assert result["per_s"] > RATE * 0.9, result
        wait_for_empty_tables(daemon, 45)
    finally:
        daemon.stop()


def give_application(daemon, logins, url):
    api = API.of(daemon)
    sids = {client["login"]: client["sid"] for client in api.fetch("Clients")}
    for login in logins:
        api.update(f"Clients/{sids[login]}", VoiceUrl=url)
    api.close()
