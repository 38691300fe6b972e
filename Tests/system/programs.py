"""Real softphones as test partners: baresip and linphone-daemon, each with its own directory and ports."""

import array
import json
import math
import os
import re
import socket
import subprocess
import time
import wave

from daemon import free_port

PATIENCE = 10.0


class Program:
    """A program under control: its output is kept, awaited by regular expression, and shown when a wait fails."""

    def __init__(self, name, directory, command, stdin=subprocess.DEVNULL, **environment):
        self.name, self.directory = name, directory
        self.output_file = directory / "output"
        self.mark = 0
        with open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, cwd=directory,
                env={**os.environ, "HOME": str(directory), **environment})

    def output(self):
        return self.output_file.read_text(errors="replace")

    def wait_for(self, pattern, within=PATIENCE, anew=True):
        """Waits for output that matches; `anew`: only output since the last successful wait counts."""
        deadline = time.monotonic() + within
        while True:
            text = self.output()
            if match := re.search(pattern, text[self.mark if anew else 0:]):
                if anew:
                    self.mark += match.end()
                return match
            if self.process.poll() is not None and not re.search(pattern, self.output()[self.mark if anew else 0:]):
                raise AssertionError(f"{self.name} ended before {pattern!r}:\n{text[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no {pattern!r} within {within} s:\n{text[-3000:]}")
            time.sleep(0.05)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def write_tone(path):
    """Ten seconds of 440 Hz, 8 kHz mono: something to hear, and RTP that flows."""
    samples = array.array("h", (int(8_000 * math.sin(math.tau * 440 * n / 8_000)) for n in range(80_000)))
    with wave.open(str(path), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(2)
        tone.setframerate(8_000)
        tone.writeframes(samples.tobytes())


BARESIP_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip_port}
audio_player aubridge,nil
audio_source aufile,{directory}/tone.wav
audio_alert aubridge,nil
rtp_ports {rtp_port}-{last_rtp_port}
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aubridge.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
"""


class Baresip(Program):
    """A baresip that registers at once and is driven over its control connection."""

    def __init__(self, directory, server, login, friend, transport="udp", answer="manual"):
        directory.mkdir(parents=True)
        # baresip takes the port after its SIP port for TLS.
        self.sip_port = free_port(neighbours=4)
        self.control_port = free_port()
        self.rtp_port = free_port(neighbours=20) // 2 * 2
        self.login, self.domain = login, f"127.0.0.1:{server.port}"
        (directory / "config").write_text(BARESIP_CONFIG.format(
            directory=directory, sip_port=self.sip_port, control_port=self.control_port, rtp_port=self.rtp_port,
            last_rtp_port=self.rtp_port + 18))
        via = f"sip:{self.domain};transport={transport}"
        (directory / "accounts").write_text(
            f"<sip:{login}@{self.domain};transport={transport}>;auth_user={login};auth_pass={server.password(login)}"
            f';regint=60;outbound="{via}";answermode={answer}\n')
        (directory / "contacts").write_text(f'"{friend}" <sip:{friend}@{self.domain}>\n')
        write_tone(directory / "tone.wav")
        super().__init__(f"baresip of {login}", directory, ["baresip", "-f", str(directory)], stdin=subprocess.PIPE)
        self.control, self.buffer, self.events = None, b"", []

    def connect(self):
        deadline = time.monotonic() + PATIENCE
        while self.control is None:
            try:
                self.control = socket.create_connection(("127.0.0.1", self.control_port), timeout=1)
            except OSError:
                assert time.monotonic() < deadline, f"{self.name} opens no control port:\n{self.output()}"
                time.sleep(0.05)

    def command(self, name, parameters=""):
        """Sends a command as a netstring of JSON."""
        self.connect()
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))

    def read_events(self, seconds):
        """Reads what the control connection says into `events`."""
        self.connect()
        self.control.settimeout(max(seconds, 0.01))
        try:
            self.buffer += self.control.recv(65_536)
        except socket.timeout:
            pass
        while (colon := self.buffer.find(b":")) > 0:
            length = int(self.buffer[:colon])
            if len(self.buffer) < colon + length + 2:
                return
            self.events.append(json.loads(self.buffer[colon + 1:colon + 1 + length]))
            self.buffer = self.buffer[colon + length + 2:]

    def wait_for_event(self, kind, within=PATIENCE, **fields):
        """Takes the first event of this type (`CALL_ESTABLISHED`) from what baresip tells."""
        deadline = time.monotonic() + within
        while True:
            for event in self.events:
                if event.get("type") == kind and all(event.get(key) == value for key, value in fields.items()):
                    self.events.remove(event)
                    return event
            remaining = deadline - time.monotonic()
            seen = ", ".join(str(event.get("type")) for event in self.events)
            assert remaining > 0, f"{self.name}: no {kind} within {within} s; events: {seen}\n{self.output()[-3000:]}"
            self.read_events(min(remaining, 0.2))

    def wait_until_registered(self):
        self.connect()
        self.wait_for(r"200 OK \(.*\) \[\d+ binding", anew=False)

    def dial(self, login):
        self.command("dial", f"sip:{login}@{self.domain}")

    def answer(self):
        self.command("accept")

    def hang_up(self):
        self.command("hangup")

    def refuse(self, status=486, reason="Busy Here"):
        self.command("hangup", f"scode={status} reason={reason}")

    def text(self, words):
        """Texts the friend in the contacts: baresip sends to its current contact."""
        self.command("contact_next")
        self.command("message", words)

    def call_list(self):
        """What `listcalls` answers."""
        self.events = [event for event in self.events if event.get("token") != "listcalls"]
        self.command("listcalls")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for event in self.events:
                if event.get("response") and event.get("token") == "listcalls":
                    self.events.remove(event)
                    return event["data"]
            self.read_events(0.1)
        raise AssertionError(f"{self.name} does not answer listcalls")

    def close(self):
        if self.control:
            self.control.close()
        super().close()


class Linphone(Program):
    """A linphone-daemon, driven over standard input."""

    def __init__(self, directory, login, *options):
        (directory / ".local/share/linphone").mkdir(parents=True)
        self.login = login
        port = free_port()
        (directory / "rc").write_text(
            f"[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nbind_address=127.0.0.1\n"
            f"[rtp]\naudio_rtp_port={free_port(neighbours=4) // 2 * 2}\n")
        super().__init__(
            f"linphone of {login}", directory, ["linphone-daemon", "--config", str(directory / "rc"), *options],
            stdin=subprocess.PIPE)

    def command(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def register(self, server):
        """Registers and waits until that is done. The identity's host is an address: linphone looks up names."""
        self.command(
            f"register sip:{self.login}@127.0.0.1 sip:127.0.0.1:{server.port} {server.password(self.login)}")
        deadline = time.monotonic() + 15
        while "LinphoneRegistrationOk" not in self.output():
            assert time.monotonic() < deadline, f"{self.name} does not register:\n{self.output()}"
            self.command("register-status ALL")
            time.sleep(0.2)

    def close(self):
        if self.process.poll() is None:
            try:
                self.command("quit")
            except OSError:
                pass
        super().close()
