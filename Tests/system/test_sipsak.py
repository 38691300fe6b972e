"""sipsak: the ping and the registration of the people who write scripts."""

import shutil
import subprocess

import pytest

from conftest import CLIENTS
from daemon import Daemon, free_port, free_short_port

pytestmark = pytest.mark.skipif(not shutil.which("sipsak"), reason="sipsak is not installed")


@pytest.fixture
def server(tmp_path):
    daemon = Daemon(tmp_path / "daemon", CLIENTS, port=free_short_port()).start()
    yield daemon
    daemon.stop()


def sipsak(*arguments):
    return subprocess.run(["sipsak", "-vv", *arguments], capture_output=True, text=True, timeout=20)


def test_sipsak_pings_the_server(server):
    done = sipsak("-s", f"sip:127.0.0.1:{server.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIP/2.0 200" in done.stdout


@pytest.mark.parametrize("password, registers", [("alice-secret", True), ("wrong", False)])
def test_sipsak_registers_with_the_right_password_only(server, phone, password, registers):
    port = free_port()
    done = sipsak(
        "-U", "-C", f"sip:alice@127.0.0.1:{port}", "-a", password, "-u", "alice", "-x", "60",
        "-s", f"sip:alice@127.0.0.1:{server.port}")
    assert (done.returncode == 0) == registers, done.stdout + done.stderr
    bindings = phone("alice").bindings()
    assert list(bindings) == ([f"sip:alice@127.0.0.1:{port}"] if registers else [])
