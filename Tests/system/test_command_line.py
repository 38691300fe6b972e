"""The command line of a running daemon: what it prints, how soon it works, what it never shows."""

import json
import re

import pytest

from conftest import eventually, make_server
from phone import connect

SOON = 1.0  # Seconds after which a change is in effect.


def test_a_new_client_can_register_within_a_second(server, phone):
    erin = phone("erin", password="in the garden")
    assert erin.try_to_register().status == 401
    server.command("client", "add", "erin", "--password", "in the garden", "--name", "Erin's phone")
    assert eventually(lambda: erin.try_to_register().status == 200, within=SOON)


def test_a_new_client_can_be_called_and_texted(server, phone, alice):
    server.add_client("erin")
    erin = phone("erin")
    assert eventually(lambda: erin.try_to_register().status == 200, within=SOON)
    call, answered = connect(alice, erin)
    call.hang_up(answered)


def test_a_new_password_counts_within_a_second_and_the_old_one_no_more(server, phone):
    alice = phone("alice")
    alice.register()
    server.command("client", "set", "alice", "--password", "changed")
    assert eventually(lambda: alice.try_to_register().status == 401, within=SOON)
    alice.password = "changed"
    assert alice.try_to_register().status == 200


def test_a_removed_client_is_gone_within_a_second(server, phone, alice, bob):
    server.command("client", "remove", "bob")
    assert eventually(lambda: bob.try_to_register().status == 401, within=SOON)
    assert alice.text("bob").status == 404
    assert bob.text("alice").status == 407
    bob.expect_silence("MESSAGE")


def test_a_client_can_be_made_disabled(server, phone):
    server.command("client", "add", "erin", "--password", "p", "--disable")
    assert phone("erin", password="p").try_to_register().status == 401
    server.command("client", "set", "erin", "--enable")
    erin = phone("erin", password="p")
    assert eventually(lambda: erin.try_to_register().status == 200, within=SOON)


def test_clients_are_listed_in_the_order_of_their_creation(server):
    server.add_client("zoe")
    server.add_client("erin")
    text = server.command("client", "list")
    assert all(login in text for login in ("alice", "bob", "carol", "dave", "zoe", "erin"))
    listed = [client["login"] for client in json.loads(server.command("client", "list", "--json"))]
    assert listed == ["alice", "bob", "carol", "dave", "zoe", "erin"]


def test_one_client_is_shown(server):
    server.command("client", "add", "erin", "--password", "p", "--name", "Erin's phone")
    shown = server.command("client", "show", "erin")
    assert "erin" in shown and "Erin's phone" in shown
    assert re.search(r"\bCL[0-9a-f]{32}\b", shown), "the Sid"


def test_an_unknown_client_is_an_error(server):
    for arguments in (["show", "nobody"], ["set", "nobody", "--disable"], ["remove", "nobody"]):
        done = server.run("client", *arguments)
        assert done.returncode != 0
        assert "nobody" in done.stderr


def test_the_same_login_twice_is_an_error_and_changes_nothing(server, phone):
    done = server.run("client", "add", "alice", "--password", "other")
    assert done.returncode != 0
    assert "alice" in done.stderr
    phone("alice").register()


@pytest.mark.parametrize("login", ["", "with:colon", "with space", "x" * 65, "a@b"])
def test_an_impossible_login_is_refused(server, login):
    assert server.run("client", "add", login, "--password", "p").returncode != 0


def test_an_empty_password_is_refused(server):
    assert server.run("client", "add", "erin", "--password", "").returncode != 0


def test_many_clients_are_imported_at_once(server, phone):
    server.import_clients([(f"import{number}", f"pw{number}") for number in range(500)])
    # Not by trying: what fails too often has to wait.
    assert server.wait_for_event("client.changed", user="import499")
    last = phone("import499", password="pw499")
    assert eventually(lambda: last.try_to_register().status == 200, within=SOON)


def test_a_wrong_line_of_an_import_is_named_and_nothing_is_imported(server):
    file = server.directory / "wrong.csv"
    file.write_text("erin,one\nwith space,two\nfrank,three\n")
    done = server.run("client", "import", str(file))
    assert done.returncode != 0
    assert "2" in done.stderr
    assert "erin" not in server.command("client", "list")


def test_registrations_are_shown_with_contact_and_time(server, phone):
    alice = phone("alice")
    alice.register(expires=600)
    assert eventually(server.registrations)
    (binding,) = server.registrations()
    assert binding["login"] == "alice"
    assert binding["contact"] == alice.contact_uri
    assert 590 <= binding["expires_in"] <= 600
    assert alice.contact_uri in server.command("registrations")
    alice.unregister()
    assert eventually(lambda: server.registrations() == [])


def test_the_account_is_shown(server):
    shown = server.command("account", "show")
    assert re.search(r"\bAC[0-9a-f]{32}\b", shown)
    assert re.search(r"\b[0-9a-f]{32}\b", shown.replace("AC", "", 1)), "the AuthToken"


def test_the_version_is_told(server):
    assert re.search(r"\d+\.\d+", server.command("version"))


def test_commands_work_without_a_running_daemon(server, phone):
    server.ended_on_purpose = True
    server.stop()
    server.add_client("erin")
    assert "erin" in server.command("client", "list")
    server.start()
    phone("erin").register()


def test_no_password_and_no_credentials_in_the_log(server, phone, alice, bob):
    server.command("client", "add", "erin", "--password", "k3ep-me-secret")
    erin = phone("erin", password="k3ep-me-secret")
    assert eventually(lambda: erin.try_to_register().status == 200, within=SOON)
    phone("erin", password="wr0ng-guess").try_to_register()
    call, answered = connect(erin, bob, headers=[("X-Note", "n0t-for-the-log")], body=b"c0ntent-of-the-call")
    call.hang_up(answered)
    alice.send_text("bob", "my pr1vate words")
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    log = server.log()
    for secret in ("k3ep-me-secret", "wr0ng-guess", "my pr1vate words", "c0ntent-of-the-call", "alice-secret"):
        assert secret not in log
    assert not re.search(r'response="?[0-9a-f]{32}', log)


def test_every_line_of_the_log_is_an_event_with_a_source(server, phone, alice, bob):
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    phone("dave", password="wrong").try_to_register()
    lines = server.log().splitlines()
    events = server.events()
    assert len(events) == len(lines), "lines that are no events:\n" + "\n".join(
        line for line in lines if line not in {event["line"] for event in events})
    for event in events:
        if event["event"] in ("reg.ok", "reg.refused", "auth.fail", "call.start", "call.refused"):
            assert event["src"].startswith(("udp:127.0.0.1:", "tcp:127.0.0.1:")), event["line"]


def test_text_from_the_wire_cannot_forge_a_log_line(server, phone):
    mallory = phone("mallory", password="x")
    mallory.ask_with_credentials(mallory.register_request(
        User_Agent='evil" event=x\x0b\x1b[31m', To="<sip:a%0d%0a2026-01-01T00:00:00Z%20info%20reg.ok@rollcall.test>"))
    log = server.log()
    assert "\x1b" not in log and "\x0b" not in log
    assert not server.events("reg.ok")


@pytest.mark.configuration(log={"format": "json"})
def test_the_log_can_be_json(tmp_path, request):
    server = make_server(request, tmp_path / "daemon").start(wait=False)
    assert eventually(lambda: "server.ready" in server.log(), within=10)
    server.stop()
    for line in server.log().splitlines():
        assert {"event", "level"} <= set(json.loads(line)), line


@pytest.mark.parametrize("callee, status", [("bob", 480), ("nobody", 404), ("sip:bob@elsewhere.example", 404)])
def test_a_refused_call_says_why_and_what_to_do(server, alice, callee, status):
    refusal = alice.call(callee).expect_final()
    assert refusal.status == status
    event = server.wait_for_event("call.refused")
    assert re.fullmatch(r"R-\d{4}", event["code"]), event["line"]
    assert event["from"] == "alice"
    assert event["why"] and event["do"]
    assert refusal["Warning"].startswith("399 "), "the caller is told as well"
