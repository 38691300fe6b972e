"""linphone-daemon, the second independent stack: it registers, calls a baresip, and is called by one.

Without a sound card linphone sends no RTP, so only the signalling is looked at here."""

import shutil

import pytest

from programs import Baresip, Linphone

pytestmark = pytest.mark.skipif(
    not (shutil.which("linphone-daemon") and shutil.which("baresip")),
    reason="linphone-daemon or baresip is not installed (linphone-cli, baresip-core)")


@pytest.fixture
def programs(server, tmp_path):
    """Alice's linphone and Bob's baresip, both registered."""
    made = []
    try:
        linphone = Linphone(tmp_path / "linphone", "alice", "--auto-answer")
        made.append(linphone)
        baresip = Baresip(tmp_path / "baresip", server, "bob", "alice")
        made.append(baresip)
        linphone.register(server)
        baresip.wait_until_registered()
        yield linphone, baresip
    finally:
        for program in made:
            program.close()


def test_linphone_calls_baresip_and_hangs_up(programs):
    linphone, baresip = programs
    linphone.command("call sip:bob@127.0.0.1")
    baresip.wait_for_event("CALL_INCOMING")
    baresip.answer()
    linphone.wait_for("StreamsRunning", within=15)
    baresip.wait_for_event("CALL_ESTABLISHED")
    linphone.command("terminate")
    baresip.wait_for_event("CALL_CLOSED")


def test_baresip_calls_linphone_and_hangs_up(programs):
    linphone, baresip = programs
    baresip.dial("alice")
    baresip.wait_for_event("CALL_ESTABLISHED", within=15)
    linphone.wait_for("StreamsRunning", within=15)
    baresip.hang_up()
    linphone.wait_for("LinphoneCallEnd", within=15)


def test_baresip_refuses_linphone(programs):
    linphone, baresip = programs
    linphone.command("call sip:bob@127.0.0.1")
    baresip.wait_for_event("CALL_INCOMING")
    baresip.refuse(486, "Busy Here")
    linphone.wait_for("LinphoneCallError|LinphoneCallEnd", within=15)
