"""`rollcall rcml check FILE`: what it prints of a document, and its exit codes."""

import subprocess

import pytest

from daemon import BINARY

GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Dial timeout="20" action="/after" callerId="+15550100">
    <Client url="whisper">alice?X-Tenant=7</Client>
    <Sip>sip:bob@example.net</Sip>
  </Dial>
  <Sms to="client:carol">Missed you</Sms>
  <Pause length="2"/>
  <Redirect method="GET">next?a=1&amp;b=2</Redirect>
</Response>
"""


def check(*arguments, stdin=b""):
    done = subprocess.run([BINARY, "rcml", "check", *arguments], input=stdin, capture_output=True, timeout=30)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_good_document_is_listed_verb_by_verb(tmp_path):
    file = tmp_path / "answer.xml"
    file.write_text(GOOD)
    code, printed, complaints = check(file)
    assert (code, complaints) == (0, "")
    assert printed.splitlines() == [
        "Dial client alice, X-Tenant: 7, url POST /whisper and sip:bob@example.net; ringing 20 s, talk 14400 s, "
        "caller +15550100, action POST /after",
        "Sms from what was called to carol: 10 bytes",
        "Pause 2 s",
        "Redirect GET /next?a=1&b=2",
    ]


def test_standard_input_and_the_url_of_the_document():
    code, printed, complaints = check("-", "--url", "https://app.example/dir/voice", stdin=GOOD.encode())
    assert (code, complaints) == (0, "")
    assert "action POST https://app.example/after" in printed
    assert "Redirect GET https://app.example/dir/next?a=1&b=2" in printed


def test_remarks_are_in_their_order_with_line_and_column(tmp_path):
    file = tmp_path / "answer.xml"
    file.write_text('<Response>\n  <Say>Hello</Say>\n  <dial>1</dial>\n  <Pause length="x"/>\n</Response>\n')
    code, printed, complaints = check(file)
    assert code == 1
    assert printed == "Pause 1 s\n"
    assert complaints.splitlines() == [
        f"{file}:2:3: error: Say was skipped: it needs media, which this version does not have.",
        f"{file}:3:3: warning: 'dial' is no verb and was skipped. Capitals matter: write 'Dial'.",
        f"{file}:4:3: warning: length 'x' is no number of seconds: 1 was taken.",
    ]


@pytest.mark.parametrize("text, complaint", [
    ("<Response>\n<Dial></Say></Response>", "2:7: error: The document is not well-formed XML: this tag closes 'Say', but 'Dial' of line 2 is open"),
    ("<!DOCTYPE html><html/>", "1:1: error: The document has a declaration"),
    ("<Other/>", "1:1: error: The root element is 'Other', not 'Response'"),
    ("", "1:1: error: The answer is empty"),
])
def test_a_fault_ends_with_code_1(text, complaint):
    code, printed, complaints = check("-", stdin=text.encode())
    assert (code, printed) == (1, "")
    assert complaints.startswith(f"-:{complaint}")
    assert complaints.count("\n") == 1


def test_a_file_that_is_missing_is_named(tmp_path):
    code, printed, complaints = check(tmp_path / "none.xml")
    assert (code, printed) == (1, "")
    assert str(tmp_path / "none.xml") in complaints


def test_a_document_writes_nothing_to_the_terminal_but_text():
    code, printed, complaints = check(
        "-", stdin="<Response><Dial callerId='a&#155;2J'><Sip>sip:a@b&#155;2J</Sip></Dial>\n<Pause length='&#10;&#155;x'/>"
        "</Response>".encode())
    assert code == 1
    assert complaints.count("\n") == 3
    assert not any(ord(letter) < 32 and letter != "\n" or 0x7f <= ord(letter) < 0xa0 for letter in printed + complaints)
