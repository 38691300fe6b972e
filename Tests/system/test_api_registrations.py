"""Registrations by the HTTP API: where each device is, ending one, and why the last attempt was refused."""

import re
import time

import pytest

from api import DATE, assert_refused, fields, is_sid, sid
from conftest import eventually
from phone import Phone
from sip import TCPWire, token

SHARES_ONE_DAEMON = True

MEMBERS = {
    "sid", "account_sid", "client_sid", "login", "contact", "source", "transport", "user_agent", "date_created",
    "date_last_seen", "last_alive", "reachable", "date_expires", "expires_in", "q", "status", "uri"}


def registrations(program, phone=None):
    return program.fetch(f"Clients/{phone.sid}/Registrations" if phone else "Registrations")


def other_device(phone, **options):
    """A second phone of the same client."""
    made = Phone(phone.server, phone.login, phone.password, phone.domain, **options)
    made.sid = phone.sid
    return made


# The list.

@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_registration_tells_where_the_device_is(api, person, transport):
    alice = person(registered=False, transport=transport)
    assert registrations(api, alice) == []
    alice.register([f"{alice.contact};q=0.7"], expires=600, User_Agent="Desk phone/1.0")
    (entry,) = registrations(api, alice)
    assert MEMBERS <= set(entry)
    assert is_sid(entry["sid"], "RG")
    assert (entry["account_sid"], entry["client_sid"], entry["login"]) == (api.user, alice.sid, alice.login)
    assert entry["contact"] == alice.contact_uri
    assert (entry["source"], entry["transport"]) == (alice.host_port, transport)
    assert (entry["user_agent"], entry["status"], entry["q"]) == ("Desk phone/1.0", "active", "0.7")
    assert isinstance(entry["expires_in"], int) and 595 <= entry["expires_in"] <= 600
    assert all(DATE.fullmatch(entry[name]) for name in ("date_created", "date_last_seen", "last_alive", "date_expires"))
    path = f"/api/2012-04-24/Accounts/{api.user}/Registrations/{entry['sid']}.json"
    assert entry["uri"] == path
    for item in (path, f"Registrations/{entry['sid']}.json", f"Clients/{alice.sid}/Registrations/{entry['sid']}.json"):
        answer = api.ask("GET", item)
        assert answer.status == 200
        assert {**answer.json(), "expires_in": 0} == {**entry, "expires_in": 0}


def test_a_registration_in_xml(api, person):
    alice = person()
    (entry,) = registrations(api, alice)
    (shown,) = api.get(f"Registrations/{entry['sid']}").xml()
    assert shown.tag == "Registration"
    values = dict(fields(shown))
    for tag, member in (("Sid", "sid"), ("ClientSid", "client_sid"), ("Login", "login"), ("Contact", "contact"),
                        ("Source", "source"), ("Transport", "transport"), ("Status", "status")):
        assert values[tag] == entry[member]
    (listed,) = api.get(f"Clients/{alice.sid}/Registrations.xml").xml()
    assert listed.tag == "Registrations"
    assert [one.findtext("Sid") for one in listed] == [entry["sid"]]


def test_the_source_is_where_packets_come_from_not_what_the_contact_says(api, person):
    alice = person(registered=False)
    alice.register(["<sip:alice@10.255.255.1:5060>"])
    (entry,) = registrations(api, alice)
    assert (entry["contact"], entry["source"]) == ("sip:alice@10.255.255.1:5060", alice.host_port)


def test_several_devices_are_listed_one_by_one(api, person):
    alice, bob = person(), person()
    mobile = other_device(alice)
    mobile.register()
    contacts = {entry["contact"]: entry["sid"] for entry in registrations(api, alice)}
    assert set(contacts) == {alice.contact_uri, mobile.contact_uri}
    assert len(set(contacts.values())) == 2
    everything = {entry["contact"] for entry in registrations(api)}
    assert {alice.contact_uri, mobile.contact_uri, bob.contact_uri} <= everything
    (theirs,) = registrations(api, bob)
    assert_refused(api.get(f"Clients/{alice.sid}/Registrations/{theirs['sid']}.json"), 404, "R-3201")
    mobile.close()


def test_a_refresh_keeps_the_registration_and_moves_its_time(api, person):
    alice = person(registered=False)
    alice.register(expires=600)
    (before,) = registrations(api, alice)
    time.sleep(1.1)
    alice.register(expires=1200)
    (after,) = registrations(api, alice)
    assert (after["sid"], after["date_created"]) == (before["sid"], before["date_created"])
    assert after["date_last_seen"] != before["date_last_seen"]
    assert after["expires_in"] > 1190


def test_what_ends_is_gone_from_the_list(api, person):
    alice = person()
    (entry,) = registrations(api, alice)
    alice.unregister()
    assert registrations(api, alice) == []
    assert_refused(api.get(f"Registrations/{entry['sid']}.json"), 404, "R-3201")


@pytest.mark.configuration(registrar={"minExpires": "1s"})
def test_what_expires_is_gone_from_the_list(api, person):
    alice = person(registered=False)
    alice.register(expires=1)
    assert len(registrations(api, alice)) == 1
    time.sleep(1.3)
    assert registrations(api, alice) == []
    assert registrations(api) == []


def test_a_closed_connection_is_gone_from_the_list(api, person):
    alice = person(transport="tcp")
    assert len(registrations(api, alice)) == 1
    assert registrations(api, alice)[0]["reachable"] is True
    alice.close()
    assert eventually(lambda: registrations(api, alice)[0]["reachable"] is False)
    assert eventually(lambda: registrations(api, alice) == [], within=8), "after the time to come back"


def test_the_list_is_of_the_account_and_comes_in_pages_where_asked_for(api, person):
    child = api.child()
    people = [person(account=child) for _ in range(5)]
    person()
    everything = registrations(child)
    assert [entry["login"] for entry in everything] == [one.login for one in people]
    def contacts(**query):
        return [entry["contact"] for entry in child.fetch("Registrations", **query)]
    assert contacts(Page=0, PageSize=2) == [one.contact_uri for one in people[:2]]
    assert contacts(Page=2, PageSize=2) == [people[4].contact_uri]
    assert contacts(Page=3, PageSize=2) == []
    assert_refused(child.get("Registrations.json", PageSize=0), 400, parameter="PageSize")
    child.close()


def test_a_hostile_user_agent_is_text(api, person):
    alice = person(registered=False)
    alice.register(User_Agent='<b>"x"</b> & \\ {evil} \x1b[31m \xff')
    (entry,) = registrations(api, alice)
    assert entry["user_agent"].startswith('<b>"x"</b> & \\ {evil}')
    answer = api.get(f"Clients/{alice.sid}/Registrations")
    assert answer.xml()[0][0].findtext("UserAgent").startswith('<b>"x"</b> & \\ {evil}')
    assert b"\x1b" not in answer.body


@pytest.mark.parametrize("name", [sid("RG"), "RG1", "x", sid("CL"), "RG" + "0" * 32])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_registration_is_answered_404(api, person, method, name):
    alice = person()
    for path in (f"Registrations/{name}", f"Clients/{alice.sid}/Registrations/{name}"):
        assert_refused(api.ask(method, path), 404, "R-3201")
    assert len(registrations(api, alice)) == 1


def test_registrations_of_an_unknown_client_are_answered_404(api):
    for path in ("Registrations", "RegistrationStatus", f"Registrations/{sid('RG')}"):
        assert_refused(api.get(f"Clients/{sid('CL')}/{path}.json"), 404, "R-3201")


# Ending one.

@pytest.mark.configuration()
@pytest.mark.parametrize("path", ["Registrations/{0}", "Clients/{1}/Registrations/{0}", "Registrations/{0}.json"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_deleted_registration_is_not_called_any_more(server, api, person, path, transport):
    alice, bob = person(), person(transport=transport)
    (entry,) = registrations(api, bob)
    answer = api.delete(path.format(entry["sid"], bob.sid))
    assert (answer.status, answer.body) == (200, b"")
    assert alice.text(bob.login).status == 480, "when the answer is there"
    bob.expect_silence("MESSAGE")
    for method in ("GET", "DELETE"):
        assert_refused(api.ask(method, f"Registrations/{entry['sid']}"), 404, "R-3201")
    server.wait_for_event("reg.removed", user=bob.login)
    bob.register()
    alice.send_text(bob.login)
    bob.reply(bob.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)


def test_of_several_devices_only_the_deleted_one_goes(api, person):
    alice, desk = person(), person()
    mobile = other_device(desk)
    mobile.register()
    (entry,) = [one for one in registrations(api, desk) if one["contact"] == desk.contact_uri]
    api.remove(f"Registrations/{entry['sid']}")
    assert [one["contact"] for one in registrations(api, desk)] == [mobile.contact_uri]
    alice.send_text(desk.login)
    mobile.reply(mobile.expect("MESSAGE"), 200)
    alice.expect_response(alice.answered, 200)
    desk.expect_silence("MESSAGE")
    mobile.close()


@pytest.mark.configuration()
def test_a_deleted_registration_does_not_come_back_at_kill_9(server, api, person):
    alice = person()
    (entry,) = registrations(api, alice)
    api.remove(f"Registrations/{entry['sid']}")
    server.kill()
    server.start()
    assert registrations(api, alice) == []


@pytest.mark.configuration()
def test_after_a_restart_a_device_on_tcp_waits_and_one_on_udp_is_active(server, api, person):
    alice, bob = person(), person(transport="tcp")
    server.kill()
    server.start()
    states = {entry["login"]: entry["status"] for entry in registrations(api)}
    assert states == {alice.login: "active", bob.login: "waiting"}
    port = bob.wire.address[1]
    bob.wire.close()
    bob.wire = TCPWire(bob.server, port=port)
    bob.register()
    assert {entry["status"] for entry in registrations(api)} == {"active"}


# Why it is not registered.

def status_of(program, phone):
    return program.fetch(f"Clients/{phone.sid}/RegistrationStatus")


def test_the_status_of_a_registration_counts_devices(api, person):
    alice = person(registered=False)
    status = status_of(api, alice)
    assert (status["client_sid"], status["login"]) == (alice.sid, alice.login)
    assert (status["registered"], status["registrations"]) == (False, 0)
    assert "last_failure" not in status and "date_last_seen" not in status
    assert status["uri"].startswith(f"/api/2012-04-24/Accounts/{api.user}/Clients/{alice.sid}/RegistrationStatus")
    alice.register()
    mobile = other_device(alice)
    mobile.register()
    status = status_of(api, alice)
    assert (status["registered"], status["registrations"]) == (True, 2)
    assert DATE.fullmatch(status["date_last_seen"])
    assert api.ask("GET", status["uri"], headers={"Accept": "application/json"}).json() == status
    assert api.fetch(f"Clients/{alice.sid}/registration_status") == status, "the other name"
    mobile.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_wrong_password_is_told_with_where_it_came_from(api, person, transport):
    alice = person(registered=False)
    guesser = other_device(alice, transport=transport)
    guesser.password = "wrong"
    answer = guesser.try_to_register(User_Agent="Phone with an old password")
    assert answer.status == 401
    status = status_of(api, alice)
    failure = status["last_failure"]
    assert set(failure) == {"date", "source", "transport", "user_agent", "method", "code", "message"}
    assert DATE.fullmatch(failure["date"])
    assert (failure["source"], failure["transport"]) == (guesser.host_port, transport)
    assert failure["user_agent"] == "Phone with an old password"
    assert (failure["method"], failure["code"]) == ("REGISTER", "R-1102")
    assert "The password does not match." in failure["message"]
    assert status["registered"] is False
    shown = api.get(f"Clients/{alice.sid}/RegistrationStatus").xml()[0]
    assert shown.find("LastFailure").findtext("Code") == "R-1102"
    guesser.close()


def test_the_last_failure_counts(api, person):
    alice = person(registered=False, Status="0")
    alice.try_to_register()
    assert status_of(api, alice)["last_failure"]["code"] == "R-1103"
    api.update(f"Clients/{alice.sid}", Status="1")
    alice.try_to_register(expires=5)
    assert status_of(api, alice)["last_failure"]["code"] == "R-1203"
    alice.register()
    alice.password = "wrong"
    alice.text("anybody")
    failure = status_of(api, alice)["last_failure"]
    assert (failure["method"], failure["code"]) == ("MESSAGE", "R-1102")


def test_of_too_many_failures_it_is_told_what_they_were(api, person):
    alice = person(registered=False)
    alice.password = "wrong"
    for _ in range(7):
        alice.try_to_register()
    # R-1104, that there were too many, says less.
    assert status_of(api, alice)["last_failure"]["code"] == "R-1102"


def test_a_challenge_is_no_failure(api, person):
    alice = person()
    alice.ask(alice.register_request())
    assert "last_failure" not in status_of(api, alice)


def test_an_attempt_under_another_login_is_nobodys_failure(api, person, phone):
    alice = person()
    phone("stranger", password="x").try_to_register()
    assert alice.try_to_register(From=f"<sip:bob@rollcall.test>;tag={token()}").status == 403
    failure = status_of(api, alice)["last_failure"]
    assert failure["code"] in ("R-1112", "R-1113"), "what alice's own credentials were used for"


def test_failures_do_not_tell_the_password(api, person):
    alice = person(registered=False)
    alice.password = "wr0ng-guess"
    alice.try_to_register()
    text = api.get(f"Clients/{alice.sid}/RegistrationStatus.json").text
    assert "wr0ng-guess" not in text and not re.search(r"response|nonce", text)
