"""The messages of RFC 4475, sent to the daemon by UDP and by TCP.

The daemon serves example.com, the domain of most of these messages, and knows none of their users. So a valid request is
refused as that of a stranger, an invalid one as its fault asks for, and responses vanish, for nobody waits for them.
The message files are not part of the project: `ROLLCALL_TORTURE` names their directory.
"""

import os
import pathlib
import re

import pytest

from conftest import CLIENTS
from daemon import ROOT, Daemon
from phone import Phone
from sip import Message, TCPWire, UDPWire

MESSAGES = pathlib.Path(os.environ.get("ROLLCALL_TORTURE", ROOT / "../shared/torture/rfc4475"))

SILENCE = {None}
STRANGER = {407, 403, 404}  # A valid request of somebody unknown: challenged, or told that it is not for here.
UNREGISTERED = {401}  # A valid REGISTER without credentials.
MALFORMED = {400}
TOLERABLE = MALFORMED | STRANGER  # RFC 4475: may be rejected, or read generously.

# name: (answers by UDP, answers by TCP if they differ), in the order of RFC 4475.
EXPECTED = {
    # 3.1.1 Valid messages
    "wsinv": (STRANGER,),
    "intmeth": (STRANGER,),  # An unknown method is relayed, so it is challenged like any other.
    "esc01": (STRANGER,),
    "escnull": (UNREGISTERED,),
    "esc02": (STRANGER,),  # RE%47IST%45R is not REGISTER: methods know no escapes.
    "lwsdisp": (STRANGER,),
    "longreq": (STRANGER,),
    "dblreq": (UNREGISTERED,),  # By UDP one message and rubbish; by TCP two messages, of which this is the first.
    "semiuri": (STRANGER,),
    "transports": (STRANGER,),
    "mpart01": (STRANGER,),
    "unreason": (SILENCE,),
    "noreason": (SILENCE,),
    # 3.1.2 Invalid messages
    "badinv01": (MALFORMED | SILENCE,),  # The Via itself is broken, so there may be no way back.
    "clerr": (MALFORMED, SILENCE | MALFORMED),  # By TCP the rest of the body may still come.
    "ncl": (MALFORMED,),
    "scalar02": (MALFORMED,),
    "scalarlg": (SILENCE,),
    "quotbal": (MALFORMED,),
    "ltgtruri": (MALFORMED,),
    "lwsruri": (MALFORMED,),
    "lwsstart": (TOLERABLE,),
    "trws": (TOLERABLE,),
    "escruri": (TOLERABLE,),
    "baddate": (TOLERABLE,),
    "regbadct": (MALFORMED | UNREGISTERED,),
    "badaspec": (TOLERABLE,),
    "baddn": (TOLERABLE,),
    "badvers": ({505},),
    "mismatch01": (MALFORMED,),
    "mismatch02": (MALFORMED | {501},),
    "bigcode": (SILENCE,),
    # 3.2 Transaction layer semantics
    "badbranch": (TOLERABLE,),
    # 3.3 Application layer semantics
    "insuf": (MALFORMED | SILENCE,),  # Without From, To and Call-ID a response may be impossible.
    "unkscm": ({416},),
    "novelsc": ({416},),
    "unksm2": ({400, 401, 403, 404, 416},),
    "bext01": ({420},),
    "invut": (STRANGER,),
    "regaut01": (UNREGISTERED,),
    "multi01": (MALFORMED,),
    "mcl01": (MALFORMED,),
    "bcast": (SILENCE,),
    "zeromf": ({483},),
    "cparam01": (UNREGISTERED,),
    "cparam02": (UNREGISTERED,),
    "regescrt": (UNREGISTERED,),
    "sdp01": (STRANGER,),
    # 3.4 Backward compatibility
    "inv2543": (STRANGER, STRANGER | MALFORMED | SILENCE),  # No Content-Length: no way to frame it on a stream.
}

pytestmark = pytest.mark.skipif(not MESSAGES.is_dir(), reason=f"the RFC 4475 messages are not at {MESSAGES}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One daemon takes all messages, one after the other."""
    daemon = Daemon(tmp_path_factory.mktemp("torture"), CLIENTS, domain="example.com", aliases=[]).start()
    yield daemon
    daemon.stop()


def sent_by_port(data):
    """The port where a response may go when Via has no rport (RFC 3261 18.2.2)."""
    match = re.search(rb"^(?:Via|v)\s*:[^;,]*?:(\d+)\s*[;,\r]", data, re.IGNORECASE | re.MULTILINE)
    return int(match[1]) if match else 5060


def wire_for(server, data, transport):
    if transport == "TCP":
        return TCPWire(("127.0.0.1", server.port))
    # An address of our own, so that the well-known port is free there.
    return UDPWire(("127.0.0.1", server.port), host=f"127.0.75.{os.getpid() % 250 + 1}", port=sent_by_port(data))


def answer_to(server, data, transport, expected):
    """The status of the first answer that is not 100, or None."""
    wire = wire_for(server, data, transport)
    try:
        wire.send(data)
        while True:
            answer = wire.receive(0.3 if expected == SILENCE else 2.0)
            if answer is None:
                return None, None
            message = Message.parse(answer)
            if message.is_request or message.status != 100:
                return message.status, message
    finally:
        wire.close()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("name", EXPECTED)
def test_rfc_4475(server, name, transport):
    data = (MESSAGES / f"{name}.dat").read_bytes()
    expected = EXPECTED[name][-1 if transport == "TCP" else 0]
    status, message = answer_to(server, data, transport, expected)
    assert status in expected, f"wanted {expected}, got\n{message}"
    if status == 420:
        assert message.values("Unsupported") == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]
    if status == 400:
        assert message.start_line != "SIP/2.0 400 ", "the reason phrase names the fault"
    assert server.is_alive(), "the daemon died of it"
    probe = Phone(("127.0.0.1", server.port), "probe", "", server.domain)
    assert probe.ask(probe.request("OPTIONS", "sip:example.com")).status == 200, "the daemon serves no more"
    probe.close()


def test_two_messages_of_one_stream_are_both_answered(server):
    wire = TCPWire(("127.0.0.1", server.port))
    wire.send((MESSAGES / "dblreq.dat").read_bytes())
    answers = [Message.parse(wire.receive(2.0)) for _ in range(2)]
    while answers[-1].status == 100:
        answers[-1] = Message.parse(wire.receive(2.0))
    assert [answer.method for answer in answers] == ["REGISTER", "INVITE"]
    assert answers[0].status == 401 and answers[1].status in STRANGER
    wire.close()


def test_every_message_of_the_rfc_is_here():
    assert {file.stem for file in MESSAGES.glob("*.dat")} == set(EXPECTED)
    assert len(EXPECTED) == 49


def test_all_messages_at_once_do_not_disturb_a_registration(server):
    for transport in ("UDP", "TCP"):
        for name in EXPECTED:
            data = (MESSAGES / f"{name}.dat").read_bytes()
            wire = wire_for(server, data, transport)
            wire.send(data)
            wire.close()
    alice = Phone(("127.0.0.1", server.port), "alice", server.password("alice"), server.domain)
    alice.register()
    assert list(alice.bindings()) == [alice.contact_uri]
    alice.close()
