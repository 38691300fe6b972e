"""A power cut in an office of 5,000 phones while a scanner tries logins: everybody registers, calls go through.

With ROLLCALL_LONG=1 in full; else 1,500 phones and a few seconds.
"""

import pytest

from daemon import resident
from storm import (
    IS_LONG, MEGABYTE, Storm, cpu_seconds, daemon_for, dropped_datagrams, lines_about, show,
    wait_for_empty_tables)

PHONES, SECONDS, SPREAD = (5_000, 60, 10) if IS_LONG else (1_500, 6, 2)
CALLERS = 40
PROTECTION = {"protection": {"trusted": []}}


@pytest.fixture
def office(tmp_path):
    """A daemon that was started a moment ago, with all the clients, and protected against everybody."""
    daemon = daemon_for(tmp_path / "daemon", PHONES + CALLERS, **PROTECTION).start()
    yield daemon
    assert daemon.stop() == 0


def test_an_office_registers_after_a_power_cut_and_calls_go_through_while_a_scanner_guesses(office):
    storms = []
    try:
        before, cpu = resident(office), cpu_seconds(office)
        calls = Storm(office, "traffic", from_="127.0.0.3", phones=CALLERS, first=PHONES, seconds=SECONDS, calls=20,
            hold=0.3)
        storms.append(calls.wait_until_ready())
        scanner = Storm(office, "scan", from_="127.0.1.1", addresses=50, rate=20_000, seconds=SECONDS, phones=PHONES)
        storms.append(scanner.wait_until_ready())
        registering = Storm(office, "register", from_="127.0.0.2", phones=PHONES, seconds=60, spread=SPREAD)
        storms.append(registering)
        phones, scan, talk = registering.result(), scanner.result(), calls.result(within=160)
    finally:
        for storm in storms:
            storm.close()
    after = resident(office)
    lines = lines_about(office, r"127\.0\.1\.\d+")
    show("storm", phones=phones["registered"], last_registered_s=phones["last_registered_s"],
         register_retransmissions=phones["retransmissions"], register_statuses=phones["statuses"],
         scan_sent=scan["sent"], scan_per_s=scan["per_s"], scan_answers=scan["answers"],
         amplification=round(scan["bytes_answered"] / scan["bytes_sent"], 3), scan_log_lines=len(lines),
         calls=talk["calls"], setup_p50_ms=talk["setup_p50_ms"], setup_p99_ms=talk["setup_p99_ms"],
         setup_max_ms=talk["setup_max_ms"], pause_ms=talk["pause_ms"], rss_before=before, rss_after=after, dropped=dropped_datagrams(office),
         cpu_s=round(cpu_seconds(office) - cpu, 1), log_lines=len(office.log().splitlines()))
    assert phones["registered"] == PHONES, phones
    assert len({entry["login"] for entry in office.registrations()}) == PHONES + CALLERS
    assert phones["violations"] == 0 and talk["violations"] == 0, (phones, talk)
    assert talk["failed"] == 0 and talk["timeouts"] == 0 and talk["unfinished"] == 0, talk
    # A machine with other work to do stops the generator now and then, and the daemon as long.
    assert talk["setup_p99_ms"] < (100 if IS_LONG else 1_000 + 8 * talk["pause_ms"]), talk
    assert scan["accepted"] == 0, "no guess succeeds"
    assert scan["bytes_answered"] < 1.5 * scan["bytes_sent"], "the server is no amplifier"
    assert scan["sent"] > SECONDS * 20_000 * (0.5 if IS_LONG else 0.1), f"the scanner was too slow to show anything: {scan}"
    # A source that is refused costs next to nothing, and a phone about 2 kB.
    assert after - before < 64 * MEGABYTE
    assert len(lines) < 200, lines[:20]
    if IS_LONG:
        wait_for_empty_tables(office, within=70)
