"""Many users at once, with the load generator `sipload`: nothing fails, and nothing is answered wrongly.

The generator is not part of the project: `ROLLCALL_BENCH` names the directory with its source, sipload.c.
It plays both sides of every call and text, and counts as violations whatever arrives that should not have.
"""

import json
import os
import pathlib
import subprocess

import pytest

from daemon import ROOT, Daemon, free_port

BENCH = pathlib.Path(os.environ.get("ROLLCALL_BENCH", ROOT / "../shared/bench"))
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(not (BENCH / "sipload.c").is_file(), reason=f"sipload.c is not in {BENCH}"),
]


@pytest.fixture(scope="module")
def sipload(tmp_path_factory):
    """The compiled generator."""
    binary = tmp_path_factory.mktemp("sipload") / "sipload"
    subprocess.run(["cc", "-O2", "-w", "-o", binary, BENCH / "sipload.c"], check=True)
    return binary


def serving(directory, users):
    """A daemon as an operator would run it, with this many clients of the domain bench.local."""
    daemon = Daemon(
        directory, domain="bench.local", aliases=[], log={"level": "info"},
        # All of them come from one address.
        limits={"connectionsPerSource": 10_000}, authentication={"algorithms": ["MD5", "SHA-256"]})
    daemon.import_clients([(f"user{number:06}", f"pw{number:06}") for number in range(users)], within=300)
    return daemon.start()


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    daemon = serving(tmp_path_factory.mktemp("load"), 1_000)
    yield daemon
    daemon.stop()


def cpu_seconds(daemon):
    """User and system time that the daemon has used so far."""
    fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(sipload, daemon, mode, *options):
    """Runs one mode and gives its result, with the daemon's CPU time for each job in microseconds."""
    process = subprocess.Popen(
        [sipload, mode, "--target", f"127.0.0.1:{daemon.port}", "--lport", str(free_port(neighbours=4)), "--sync",
         *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        begun = process.stdout.readline().strip() == "BEGIN"
        before = cpu_seconds(daemon) if begun else 0
        output, errors = process.communicate("\n", timeout=240)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert begun and "END" in output, f"sipload ended with {process.returncode}: {output}{errors}"
    result = json.loads(output.splitlines()[-1])
    if result["completed"]:
        result["server_cpu_us"] = round((cpu_seconds(daemon) - before) * 1e6 / result["completed"], 1)
    summary = {key: result.get(key) for key in ("mode", "users", "completed", "per_s", "server_cpu_us", "retrans")}
    print(json.dumps(summary))
    return result


def check(result, completed):
    assert result["failed"] == 0, result
    assert result["violations"] == 0, result
    assert result["completed"] == completed, result
    assert not result["aborted"] and not result["prime_failed"], result


@pytest.mark.parametrize("mode, count, options", [
    ("register", 20_000, []),
    ("reregister", 20_000, []),
    ("message", 5_000, ["--prime"]),
    ("invite", 2_000, ["--prime"]),
    ("register", 5_000, ["--alg", "sha256"]),
    ("message", 5_000, ["--prime", "--preauth"]),
], ids=["register", "reregister", "message", "invite", "register with SHA-256", "message with a kept nonce"])
def test_a_thousand_users(sipload, thousand, mode, count, options):
    check(run(sipload, thousand, mode, "--users", "1000", "--count", str(count), *options), count)


def test_no_wrong_password_gets_in(sipload, tmp_path):
    daemon = serving(tmp_path, 100)
    result = run(sipload, daemon, "register", "--users", "100", "--count", "300", "--badpw")
    assert result["violations"] == 0, result
    assert "200" not in result["status"]
    daemon.stop()


def test_after_the_load_the_registrations_are_all_there(sipload, thousand):
    run(sipload, thousand, "register", "--users", "1000", "--count", "1000")
    assert len({entry["login"] for entry in thousand.registrations()}) == 1_000


def test_a_hundred_thousand_users_register(sipload, tmp_path):
    daemon = serving(tmp_path, 100_000)
    check(run(sipload, daemon, "register", "--users", "100000", "--count", "100000"), 100_000)
    daemon.kill()
    daemon.start()
    assert len(daemon.registrations()) == 100_000, "kill -9 loses none of them"
    daemon.stop()
