"""Docs/Compatibility.md, claim by claim: what is as Restcomm has it, and what is not. The page names all tests here."""

import base64
import hashlib
import http.client
import json
import re
import urllib.parse

import pytest

from conftest import eventually
from daemon import ROOT
from phone import Phone, connect
from webapp import response

PAGE = ROOT / "Docs/Compatibility.md"
UTC = re.compile(r"\w{3}, [1-9]\d? \w{3} \d{4} \d\d:\d\d:\d\d \+0000")


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class Account:
    """An account of the API with its credentials. Paths are below /restcomm/2012-04-24/Accounts/SID unless absolute."""

    def __init__(self, port, sid, token):
        self.port, self.sid, self.token = port, sid, token

    def ask(self, method, path, form=None, *, name=None, token=None, scheme="Basic", accept="application/json"):
        if not path.startswith("/"):
            path = f"/restcomm/2012-04-24/Accounts/{self.sid}" + (f"/{path}" if path else "")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Accept": accept} if accept else {}
        if scheme:
            pair = f"{name or self.sid}:{token or self.token}"
            headers["Authorization"] = f"{scheme} {base64.b64encode(pair.encode()).decode()}"
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        connection.request(method, path, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def get(self, path="", **options):
        return self.ask("GET", path, **options)

    def post(self, path, **form):
        return self.ask("POST", path, form)

    def put(self, path, **form):
        return self.ask("PUT", path, form)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def client(self, login, **form):
        answer = self.post("Clients", **{"Login": login, "Password": "RestComm1234", **form})
        assert answer.status == 200, answer.text
        return answer.json

    def child(self, **form):
        """An account below this one."""
        made = self.post("/2012-04-24/Accounts", **form).json
        return Account(self.port, made["sid"], made["auth_token"])

    def at(self, other, path):
        """A path below another account, to be asked with these credentials."""
        return f"/restcomm/2012-04-24/Accounts/{other.sid}/{path}"

    def set_status(self, other, status):
        answer = self.post(self.at(other, "").rstrip("/"), Status=status)
        assert answer.status == 200, answer.text


@pytest.fixture
def top(server):
    """The account that the first start makes."""
    return Account(server.api_port, *server.account())


@pytest.fixture
def phone_of(server):
    """A phone with a given password."""
    phones = []

    def make(login, password):
        phones.append(Phone(("127.0.0.1", server.port), login, password, server.domain))
        return phones[-1]

    yield make
    for made in phones:
        made.close()


# Restcomm's own acceptance cases for Clients.

@pytest.mark.parametrize("urls", [{"VoiceUrl": "http://127.0.0.1:8080/demo/hello-world.xml"}, {}])
def test_create_client(top, phone_of, urls):
    first, second = top.client("erin", **urls), top.client("erin", **urls)
    assert first["sid"] == second["sid"]
    phone = phone_of("erin", "RestComm1234")
    phone.register()
    phone.register(["<sip:erin@127.0.0.1:5072>"])
    phone.unregister()
    assert top.put(f"Clients/{first['sid']}", Password="RestComm1234RestComm1234").status == 200
    phone_of("erin", "RestComm1234RestComm1234").register()
    assert phone.try_to_register().status == 401


def test_removal_of_a_client(top):
    developer = top.child()
    sid = developer.client("erin")["sid"]
    removed = developer.delete(f"Clients/{sid}")
    assert (removed.status, removed.text) == (200, "")
    assert developer.delete(f"Clients/{sid}").status == 404


@pytest.mark.configuration(authentication={"minPasswordLength": 8})
def test_weak_password_when_a_length_is_configured(top):
    answer = top.post("Clients.json", Login="erin", Password="1234")
    assert answer.status == 400 and "weak" in answer.text
    sid = top.client("frank")["sid"]
    answer = top.put(f"Clients/{sid}", Password="1234")
    assert answer.status == 400 and "weak" in answer.text
    # A repeated creation is found before the password is looked at.
    assert top.post("Clients", Login="frank", Password="1234").status == 409


def test_weak_password_by_default(top):
    assert top.client("erin", Password="test")["password"] == "test"
    assert top.post("Clients", Login="frank", Password="").status == 400


@pytest.mark.parametrize("login", [
    "maria.test@telestax.com", "maria.test?", "maria:test", "maria test", "märia", "maria/test"])
def test_invalid_characters_of_a_login(top, login):
    answer = top.post("Clients", Login=login, Password="RestComm1234")
    assert answer.status == 400 and "invalid" in answer.text


def test_equals_sign_in_a_login(top):
    assert top.client("maria.test=")["login"] == "maria.test="


def test_same_login_in_another_account(top):
    top.child().client("maria")
    answer = top.child().post("Clients", Login="maria", Password="RestComm1234")
    assert answer.status == 409
    assert "already created by another account. Please, choose a different name and try again." in answer.text


def test_push_is_not_there(top):
    made = top.client("erin", IsPushEnabled="true")
    changed = top.put(f"Clients/{made['sid']}.json", IsPushEnabled="true")
    assert changed.status == 200 and "push_client_identity" not in {**made, **changed.json}


def test_credentials_and_statuses(top):
    developer = top.child()
    sid = developer.client("erin")["sid"]
    for path in ("Clients", f"Clients/{sid}"):
        refused = developer.get(path, scheme=None)
        assert refused.status == 401 and refused.headers["WWW-Authenticate"] == 'Basic realm="Restcomm realm"'
        assert developer.get(path, token="wrong").status == 401
    for status in ("suspended", "closed"):
        top.set_status(developer, status)
        refused = developer.get("Clients")
        assert refused.status == 403 and "Account is not active" in refused.text


RESOURCES = {
    "Clients": ({"Login": "erin", "Password": "RestComm1234"}, 200),
    "Applications": ({"FriendlyName": "One"}, 200),
    "IncomingPhoneNumbers": ({"PhoneNumber": "+15550100"}, 204),
}


@pytest.mark.parametrize("name", RESOURCES)
def test_parent_acts_for_its_sub_account(top, name):
    form, deleted = RESOURCES[name]
    child = top.child()
    made = top.post(top.at(child, name), **form)
    assert made.status == 200 and made.json["account_sid"] == child.sid
    assert top.get(top.at(child, name)).status == 200
    assert top.get(top.at(child, f"{name}/{made.json['sid']}")).status == 200
    assert top.delete(top.at(child, f"{name}/{made.json['sid']}")).status == deleted


@pytest.mark.parametrize("name", RESOURCES)
def test_sub_account_keeps_off_parent_and_sibling(top, name):
    form, _ = RESOURCES[name]
    child, sibling = top.child(), top.child()
    others = {"Login": "frank", "PhoneNumber": "+15550101"}
    for other, wanted in ((sibling, form), (top, {key: others.get(key, value) for key, value in form.items()})):
        sid = other.post(name, **wanted).json["sid"]
        answers = [
            child.get(child.at(other, name)), child.post(child.at(other, name), **form),
            child.get(child.at(other, f"{name}/{sid}")), child.delete(child.at(other, f"{name}/{sid}")),
            child.post(child.at(other, f"{name}/{sid}"), FriendlyName="x")]
        assert [answer.status for answer in answers] == [403] * 5
    assert [child.get(child.at(top, path)).status for path in ("", "Calls", "SMS/Messages")] == [403] * 3


def test_resource_under_another_account_s_address(top):
    child = top.child()
    sid = child.client("erin")["sid"]
    assert top.get(f"Clients/{sid}").status == 403


def test_account_has_no_default_client_and_no_password(top):
    made = top.post("/2012-04-24/Accounts", EmailAddress="erin@example.com", FriendlyName="Erin")
    assert made.status == 200
    child = Account(top.port, made.json["sid"], made.json["auth_token"])
    assert child.get("Clients").json == []
    refused = top.post("/2012-04-24/Accounts", EmailAddress="frank@example.com", Password="RestComm1234")
    assert refused.status == 400 and refused.json["parameter"] == "Password"
    assert top.post(f"/2012-04-24/Accounts/{child.sid}", Password="RestComm1234").status == 400


def test_closing_an_account_removes_its_clients(top, phone_of):
    child = top.child()
    grandchild = child.child()
    own, below = child.client("erin")["sid"], grandchild.client("frank")["sid"]
    phones = phone_of("erin", "RestComm1234"), phone_of("frank", "RestComm1234")
    for phone in phones:
        phone.register()
    top.set_status(child, "closed")
    assert top.get(top.at(grandchild, "").rstrip("/")).json["status"] == "closed"
    assert top.get(top.at(child, f"Clients/{own}")).status == 404
    assert top.get(top.at(grandchild, f"Clients/{below}")).status == 404
    assert [phone.try_to_register().status for phone in phones] == [401, 401]
    again = top.post(top.at(child, "").rstrip("/"), Status="active")
    assert again.status == 400 and "Account is closed" in again.text


@pytest.mark.parametrize("path", [
    "/restcomm/2012-04-24/Organizations", "/restcomm/2012-04-24/Accounts/migrate/AC" + 32 * "0",
    "/restcomm/2012-04-24/Accounts/{sid}/Supervisor", "/restcomm/2012-04-24/Accounts/{sid}/Supervisor/metrics",
    "/restcomm/2012-04-24/Accounts/{sid}/Recordings", "/restcomm/2012-04-24/Accounts/{sid}/Conferences",
    "/restcomm/2012-04-24/Accounts/{sid}/AvailablePhoneNumbers"])
def test_resources_that_are_not_there(top, path):
    path = path.format(sid=top.sid)
    assert top.get(path).status == top.ask("PUT", path, {}).status == 404


# Authentication.

def test_who_may_authenticate(top):
    child = top.child(EmailAddress="sales@example.com", FriendlyName="Sales")
    assert child.get("Clients", name="sales@example.com").status == 200
    assert child.get("Clients", name="Sales").status == 401
    assert child.get("Clients", scheme="bASIC").status == 200
    assert child.get("/2012-04-24/Accounts/sales@example.com/Clients").status == 200
    # Restcomm took any text whose MD5 is the token, and made the token of the password.
    assert child.token != hashlib.md5(child.sid.encode()).hexdigest() and re.fullmatch("[0-9a-f]{32}", child.token)


def test_rights_are_those_of_the_tree(top):
    child = top.child()
    grandchild = child.child()
    assert child.get(child.at(grandchild, "Clients")).status == 200
    refused = grandchild.post("/2012-04-24/Accounts", FriendlyName="Too deep")
    assert refused.status == 400 and "This account is not allowed to have sub-accounts" in refused.text
    assert not {"role", "organization"} & child.get().json.keys()
    assert child.post("", Status="closed").status == 403
    assert top.get("/2012-04-24/Accounts/AC" + 32 * "0").status == 404
    assert child.get("/2012-04-24/Accounts/AC" + 32 * "0").status == 403


# Forms.

def test_addresses_and_forms(top):
    sid = top.client("erin")["sid"]
    for prefix in ("/restcomm", "/api", ""):
        shown = top.get(f"{prefix}/2012-04-24/Accounts/{top.sid}/Clients/{sid}.json", accept=None)
        assert shown.json["uri"] == f"/api/2012-04-24/Accounts/{top.sid}/Clients/{sid}.json"
        assert top.get(shown.json["uri"]).status == 200
    path = f"Clients/{sid}"
    for path, accept in ((path, None), (path, "*/*"), (path + ".xml", "application/json")):
        assert top.get(path, accept=accept).text.startswith("<RestcommResponse>\n  <Client>\n    <Sid>CL")
    assert top.get(f"/2012-04-24/Accounts.json/{top.sid}/Clients", accept=None).json


def test_dates_are_utc_and_the_last_change_is_stored(top):
    made = top.client("erin")
    assert UTC.fullmatch(made["date_created"]) and UTC.fullmatch(made["date_updated"])
    changed = top.put(f"Clients/{made['sid']}", FriendlyName="Erin").json
    assert top.get(f"Clients/{made['sid']}").json == changed


def test_members_of_a_client(top):
    made = top.client("erin")
    assert list(made) == [
        "sid", "date_created", "date_updated", "account_sid", "api_version", "friendly_name", "login", "password",
        "status", "voice_method", "voice_fallback_method", "uri"]
    assert (made["status"], made["password"], made["api_version"]) == ("1", "RestComm1234", "2012-04-24")


@pytest.mark.configuration(authentication={"passwords": "digest"})
def test_password_is_shown_once_in_mode_digest(top):
    made = top.client("erin")
    assert made["password"] == "RestComm1234"
    assert "password" not in top.get(f"Clients/{made['sid']}").json
    assert "password" not in top.client("erin")
    assert top.put(f"Clients/{made['sid']}", Password="other").json["password"] == "other"


@pytest.mark.parametrize(["name", "value"], [
    ("Status", "2"), ("Status", "yes"), ("VoiceMethod", "PUT"), ("VoiceUrl", "example.com"),
    ("VoiceUrl", "ftp://example.com"), ("VoiceUrl", "http://a b"), ("VoiceUrl", "http://:80/"),
    ("VoiceUrl", "https://#x"), ("VoiceUrl", "/demos/hello.xml"), ("VoiceUrl", "http://u:p@example.com/"),
    ("VoiceFallbackUrl", "http://a/" + "x" * 2048), ("VoiceApplicationSid", "AP1"),
    ("VoiceApplicationSid", "AP" + 32 * "0"), ("FriendlyName", "x" * 65), ("Password", "x" * 129)])
def test_values_are_checked(top, name, value):
    refused = top.post("Clients", **{"Login": "erin", "Password": "RestComm1234", name: value})
    assert refused.status == 400 and refused.json["parameter"] == name
    assert top.put(f"Clients/{top.client('frank')['sid']}", **{name: value}).status == 400


def test_repetition_with_other_values(top):
    top.client("erin", FriendlyName="Erin")
    for form in ({"Password": "other"}, {"FriendlyName": "Other"}, {"Status": "0"}):
        assert top.post("Clients", **{"Login": "erin", "Password": "RestComm1234", **form}).status == 409


def test_login_cannot_be_changed(top):
    sid = top.client("erin")["sid"]
    assert top.put(f"Clients/{sid}", Login="frank").status == 400
    assert top.put(f"Clients/{sid}", Login="erin").status == 200


def test_errors_have_bodies(top):
    refused = top.get("Clients/CL1")
    assert refused.status == 404 and refused.json["code"] == "R-3201"
    refused = top.ask("POST", "Clients", {"Password": "x"}, accept=None)
    assert refused.status == 400
    assert refused.text.startswith("<RestcommResponse>") and "<Message>Login can not be null.</Message>" in refused.text
    assert top.ask("PUT", "Clients", {}).status == 405
    assert top.post("Clients", Login="erin", Password="x" * 140_000).status == 413


# Lists.

def test_pages_of_a_paged_list(top):
    for number in range(5):
        top.post("IncomingPhoneNumbers", PhoneNumber=f"+1555010{number}")
    page = top.get("IncomingPhoneNumbers?PageSize=2&Page=2").json
    wanted = {"page": 2, "num_pages": 3, "page_size": 2, "total": 5, "start": "4", "end": "4", "next_page_uri": None}
    assert {name: page[name] for name in wanted} == wanted
    assert len(page["incomingPhoneNumbers"]) == 1 and page["previous_page_uri"].endswith("?Page=1&PageSize=2")
    assert top.get("IncomingPhoneNumbers?PageSize=2&Page=3").status == 400
    assert top.get("IncomingPhoneNumbers?PageSize=2000").status == 400
    assert top.get("IncomingPhoneNumbers?PhoneNumber=%2B1555010*").json["total"] == 0


def test_pages_of_an_array(top):
    logins = [client["login"] for client in top.get("Clients.json").json]
    assert logins == ["alice", "bob", "carol", "dave"]
    assert [client["login"] for client in top.get("Clients.json?Page=1&PageSize=3").json] == ["dave"]
    assert top.get("Clients.json?Page=9").json == []
    assert [client["login"] for client in top.get("Clients.json?Login=bob").json] == ["bob"]


# The other resources.

def test_accounts(top):
    child = top.child(FriendlyName="Sales", EmailAddress="sales@example.com")
    assert top.post("/2012-04-24/Accounts", EmailAddress="sales@example.com").status == 409
    assert child.sid != "AC" + hashlib.md5(b"sales@example.com").hexdigest()
    assert top.delete(f"/2012-04-24/Accounts/{child.sid}").status == 405
    assert [account["sid"] for account in top.get("/2012-04-24/Accounts").json] == [child.sid]
    nameless = top.post("/2012-04-24/Accounts").json
    assert nameless["friendly_name"] == nameless["sid"]
    renewed = top.post(f"/2012-04-24/Accounts/{child.sid}", RenewAuthToken="true").json["auth_token"]
    assert child.get("Clients").status == 401 and child.get("Clients", token=renewed).status == 200


def test_suspending_an_account_refuses_its_clients(top, phone_of):
    child = top.child()
    child.client("erin")
    phone = phone_of("erin", "RestComm1234")
    phone.register()
    top.set_status(child, "suspended")
    assert top.get(top.at(child, "Registrations")).json == [] and phone.try_to_register().status == 401
    top.set_status(child, "active")
    phone_of("erin", "RestComm1234").register()


def test_applications(top):
    missing = top.post("Applications")
    assert missing.status == 400 and missing.json["message"] == "Friendly name can not be null."
    made = top.post("Applications", FriendlyName="One", RcmlUrl="http://example.com/rcml", Kind="voice").json
    assert made["rcml_url"] == made["voice_url"] == "http://example.com/rcml" and "kind" not in made
    top.client("erin", VoiceApplicationSid=made["sid"])
    used = top.delete(f"Applications/{made['sid']}")
    assert used.status == 409 and "erin" in used.text
    assert top.delete("Applications/AP" + 32 * "0").status == 404


def test_numbers(top):
    made = top.post("IncomingPhoneNumbers", PhoneNumber="15550100").json
    assert made["phone_number"] == "15550100" and None not in made.values()
    taken = top.post("IncomingPhoneNumbers", PhoneNumber="15550100")
    assert taken.status == 409 and taken.json["code"] == "R-3404"
    assert top.post("IncomingPhoneNumbers", AreaCode="305").status == 400
    assert top.post("IncomingPhoneNumbers", PhoneNumber="reception").status == 400
    assert top.post("IncomingPhoneNumbers", PhoneNumber="reception", isSIP="true").json["is_sip"] is True
    assert top.delete(f"IncomingPhoneNumbers/{made['sid']}").status == 204


def test_calls(top, server, alice, bob):
    caller, callee = connect(alice, bob)
    caller.hang_up(callee)
    server.wait_for_event("call.end")
    listed = top.get("Calls?Status=completed").json
    assert listed["total"] == 1
    call = listed["calls"][0]
    assert call["uri"].endswith(f"/Calls/{call['sid']}.json") and call["sid"].startswith("CA")
    assert (call["from"], call["to"], call["status"], call["direction"]) == (
        "alice", "bob", "completed", "client-to-client")
    assert not {"InstanceId", "price", "price_unit", "answered_by", "forwarded_from", "phone_number_sid"} & call.keys()
    assert top.get("Calls?SubAccounts=true&localOnly=true&ConferenceSid=CF1").json["total"] == 1
    assert top.delete(f"Calls/{call['sid']}").status == 405
    for query in ("Status=COMPLETED", "SortBy=Price", "SortBy=From:up", "StartTime=2026-13-01", "Page=1"):
        assert top.get(f"Calls?{query}").status == 400, query
    child = top.child()
    assert child.get(f"Calls/{call['sid']}").status == 403
    assert child.get("Calls").json["total"] == 0


@pytest.mark.configuration(applications={"allow": ["127.0.0.0/8"]})
def test_calls_of_the_api(top, alice, bob, web):
    form = {"From": "alice", "To": "client:bob", "Url": web.url("/app")}
    assert top.post("Calls", **{**form, "From": "stranger"}).status == 400
    refused = top.post("Calls", **{**form, "To": "client:carol"})
    assert refused.status == 409 and refused.json["code"] == "R-3408"
    assert "The SIP Client carol is not registered or does not exist" in refused.json["message"]
    web.answer("/app", response("<Dance/>", '<Pause length="30"/>'))
    made = top.post("Calls", **form).json
    ringing = bob.incoming_call()
    ringing.reply(200)
    ringing.expect("ACK")
    web.wait_for("/app")
    path = f"Calls/{made['sid']}"
    assert top.post(path, Status="canceled").json["code"] == "R-3410"
    assert top.post(path, Status="completed").status == 200
    bob.reply(ringing.expect("BYE"), 200)
    over = top.post(path, Status="completed")
    assert over.status == 410 and over.json["code"] == "R-3409"
    noted = top.get(f"{path}/Notifications").json["notifications"]
    assert noted[0]["line"] == 2 and not {"request_variables", "response_body"} & noted[0].keys()
    assert top.post(f"Calls/CA{32 * '0'}", Status="completed").status == 404
    call, answered = connect(alice, bob)
    # The record comes a moment after the answer.
    between = eventually(
        lambda: [call for call in top.get("Calls").json["calls"] if call["direction"] == "client-to-client"])[0]
    assert top.post(f"Calls/{between['sid']}", Status="completed").json["code"] == "R-3411"
    call.hang_up(answered)


def test_texts(top, server, alice, bob):
    sent = top.post("SMS/Messages", From="client:alice", To="client:bob", Body="Hello", Encoding="UTF-8").json
    assert (sent["from"], sent["to"], sent["status"], sent["direction"]) == ("alice", "bob", "sending", "outbound-api")
    assert not {"price", "price_unit"} & sent.keys()
    bob.reply(bob.expect("MESSAGE"), 200)
    server.wait_for_event("message.end")
    assert top.get(f"SMS/Messages/{sent['sid']}").json["status"] == "delivered"
    assert top.post("SMS/Messages", From="stranger", To="bob", Body="Hello").status == 400
    assert top.post("SMS/Messages", From="alice", To="stranger", Body="Hello").status == 400
    assert top.post("SMS/Messages", From="alice", To="carol", Body="Hello").status == 409
    assert top.delete(f"SMS/Messages/{sent['sid']}").status == 405
    assert top.get("SMS/Messages", accept=None).text.count("<SMSMessage>") == 2


@pytest.mark.configuration(applications={"allow": ["127.0.0.0/8"]})
def test_client_with_an_application(top, alice, bob, web):
    sid = next(client["sid"] for client in top.get("Clients").json if client["login"] == "alice")
    assert top.put(f"Clients/{sid}", VoiceUrl=web.url("/app")).status == 200
    web.answer("/app", response('<Reject reason="busy"/>'), response("<Sms>seen</Sms>"))
    assert alice.call("bob").expect_final().status == 486
    assert alice.text("bob").status == 202
    alice.reply(alice.expect("MESSAGE"), 200)
    assert top.put(f"Clients/{sid}", VoiceUrl="").status == 200
    connect(alice, bob)


def test_disabled_client_is_refused_at_once(top, alice, bob):
    sid = next(client["sid"] for client in top.get("Clients").json if client["login"] == "bob")
    caller, callee = connect(alice, bob)
    top.put(f"Clients/{sid}", Status="0")
    caller.hang_up(callee)
    assert alice.call("bob").expect_final().status == 480
    assert bob.try_to_register().status == 401
    top.put(f"Clients/{sid}", Status="1")
    bob.register()
    connect(alice, bob)


def test_registrations_of_a_deleted_registration(top, alice, bob):
    listed = top.get("Registrations").json
    assert {registration["login"] for registration in listed} == {"alice", "bob"}
    sid = next(registration["sid"] for registration in listed if registration["login"] == "bob")
    assert top.delete(f"Registrations/{sid}").status == 200
    assert alice.call("bob").expect_final().status == 480


def test_no_cors(top):
    assert "Access-Control-Allow-Origin" not in top.get("Clients").headers


# The page.

def test_the_page_names_these_tests_and_no_others():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    ours = set(re.findall(r"^def (test_\w+)", (ROOT / "Tests/system/test_compatibility.py").read_text(), re.M))
    assert named == ours - {"test_the_page_names_these_tests_and_no_others"}
