"""Clients by the HTTP API: the public page of the API word by word, every parameter, and what a change does to SIP at once.
"""

import json
import re
import shlex
import subprocess
import threading

import pytest

from api import DATE, PREFIXES, assert_refused, fields, is_sid, sid
from conftest import eventually
from daemon import Daemon
from phone import Phone, connect

SHARES_ONE_DAEMON = True

# The page of the API.

# As the page prints them.
CREATE = """\
curl -X POST https://mycompany.restcomm.com/restcomm/2012-04-24/Accounts/ACCOUNT_SID/Clients.json \\
-d 'Login=alice' \\
-d 'Password=test' \\
-u 'YourAccountSid:YourAuthToken'"""
DELETE = """\
curl -X DELETE https://mycompany.restcomm.com/restcomm/2012-04-24/Accounts/ACCOUNT_SID/Clients/CLIENT_SID \\
-u 'YourAccountSid:YourAuthToken'"""
CHANGE_PASSWORD = """\
curl -X PUT https://mycompany.restcomm.com/restcomm/2012-04-24/Accounts/ACCOUNT_SID/Clients/CLIENT_SID \\
-d 'Password=NewPassword' \\
-u 'YourAccountSid:YourAuthToken'"""
LIST = """\
curl -X GET https://mycompany.restcomm.com/restcomm/2012-04-24/Accounts/ACCOUNT_SID/Clients.json \\
-u 'YourAccountSid:YourAuthToken'"""

# The page's answer to the first line; its second example has the same members, and dates in the form that is served.
CREATED = {
    "sid": "CL4e10e3b56a614414bcc1eeca5d96effe", "date_created": "2013-10-16T08:51:32.460-06:00",
    "date_updated": "2013-10-16T08:51:32.460-06:00", "account_sid": "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    "api_version": "2012-04-24", "friendly_name": "alice", "login": "alice", "password": "test", "status": "1",
    "voice_method": "POST", "voice_fallback_method": "POST",
    "uri": "/api/2012-04-24/Accounts/ACae6e420f425248d6a26948c17a9e2acf/Clients/CL4e10e3b56a614414bcc1eeca5d96effe.json",
}


class Curl:
    """Runs a line of the page with another host, other credentials and a client's Sid."""

    def __init__(self, server):
        self.port = server.api_port
        self.account, self.token = server.account()

    def __call__(self, line, client=None):
        for printed, real in (
            ("https://mycompany.restcomm.com", f"http://127.0.0.1:{self.port}"),
            ("ACCOUNT_SID", self.account),
            ("CLIENT_SID", client or ""),
            ("YourAccountSid:YourAuthToken", f"{self.account}:{self.token}"),
        ):
            line = line.replace(printed, real)
        done = subprocess.run(
            [*shlex.split(line.replace("\\\n", " ")), "-sS", "-w", "\n%{http_code} %{content_type}"],
            capture_output=True, timeout=20)
        assert done.returncode == 0, done.stderr
        body, _, end = done.stdout.decode().rpartition("\n")
        status, _, media_type = end.partition(" ")
        return int(status), media_type, body


@pytest.fixture
def empty(tmp_path):
    """A daemon without any client."""
    daemon = Daemon(tmp_path / "empty").start()
    yield daemon
    daemon.stop()


def check_page_members(client, account, login, password):
    """A client's JSON against the page: the same members in the same order, each value in its form."""
    assert list(client) == list(CREATED), "the members of the page in their order, and none that is null"
    assert is_sid(client["sid"], "CL")
    assert is_sid(client["account_sid"], "AC") and client["account_sid"] == account
    for name in ("date_created", "date_updated"):
        assert DATE.fullmatch(client[name]), client[name]
    for name in ("api_version", "status", "voice_method", "voice_fallback_method"):
        assert client[name] == CREATED[name]
    assert (client["friendly_name"], client["login"], client["password"]) == (login, login, password)
    assert client["uri"] == f"/api/2012-04-24/Accounts/{account}/Clients/{client['sid']}.json"


def test_the_page_creates_a_client(empty):
    curl = Curl(empty)
    status, media_type, body = curl(CREATE)
    assert (status, media_type.partition(";")[0]) == (200, "application/json")
    check_page_members(json.loads(body), curl.account, "alice", "test")
    assert body.splitlines()[1].startswith('  "sid": '), "pretty printed with two spaces, as Restcomm does"


def test_the_page_lists_the_clients(empty):
    curl = Curl(empty)
    alice = json.loads(curl(CREATE)[2])
    bob = json.loads(curl(CREATE.replace("alice", "bob").replace("test", "i-1c8468a2"))[2])
    status, media_type, body = curl(LIST)
    assert (status, media_type.partition(";")[0]) == (200, "application/json")
    listed = json.loads(body)
    assert listed == [alice, bob], "a bare array in the order of creation"
    check_page_members(listed[1], curl.account, "bob", "i-1c8468a2")


def test_the_page_changes_a_password_and_is_answered_in_xml_as_no_suffix_asks_for_json(empty):
    curl = Curl(empty)
    alice = json.loads(curl(CREATE)[2])
    status, media_type, body = curl(CHANGE_PASSWORD, alice["sid"])
    assert (status, media_type.partition(";")[0]) == (200, "application/xml")
    assert re.match(r"(<\?xml[^>]*\?>\s*)?<RestcommResponse>\s*<Client>", body)
    assert "<Password>NewPassword</Password>" in body
    (changed,) = json.loads(curl(LIST)[2])
    assert changed == {**alice, "password": "NewPassword", "date_updated": changed["date_updated"]}


def test_the_page_deletes_a_client(empty):
    curl = Curl(empty)
    alice = json.loads(curl(CREATE)[2])
    status, _, body = curl(DELETE, alice["sid"])
    assert (status, body) == (200, "")
    assert json.loads(curl(LIST)[2]) == []
    assert curl(DELETE, alice["sid"])[0] == 404


def test_the_pages_client_registers_calls_and_is_called(empty):
    curl = Curl(empty)
    curl(CREATE)
    curl(CREATE.replace("alice", "bob"))
    alice, bob = (
        Phone(("127.0.0.1", empty.port), login, "test", empty.domain) for login in ("alice", "bob"))
    alice.register()
    bob.register()
    call, answered = connect(alice, bob)
    answered.hang_up(call)
    alice.close()
    bob.close()


# The representation.

FULL = {
    "FriendlyName": "Zoë's phone", "Status": "0", "VoiceUrl": "http://app.example/voice?a=1&b=2", "VoiceMethod": "GET",
    "VoiceFallbackUrl": "https://app.example/fallback", "VoiceFallbackMethod": "GET",
}
MEMBERS = [
    "sid", "date_created", "date_updated", "account_sid", "api_version", "friendly_name", "login", "password", "status",
    "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method", "voice_application_sid", "uri"]
ELEMENTS = [
    "Sid", "DateCreated", "DateUpdated", "AccountSid", "ApiVersion", "FriendlyName", "Login", "Password", "Status",
    "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod", "VoiceApplicationSid", "Uri"]


@pytest.fixture
def full(api, person):
    """A client with a value for everything."""
    application = api.create("Applications", FriendlyName="menu", VoiceUrl="http://app.example/menu")
    return person(registered=False, VoiceApplicationSid=application["sid"], **FULL)


def test_every_attribute_is_shown_in_json_in_the_order_of_the_page(api, full):
    client = api.fetch(f"Clients/{full.sid}")
    assert client == full.client
    assert list(client) == MEMBERS
    assert client["friendly_name"] == "Zoë's phone"
    assert client["status"] == "0", "a string, as in the page"
    assert client["voice_url"] == FULL["VoiceUrl"]
    assert client["voice_fallback_url"] == FULL["VoiceFallbackUrl"]
    assert (client["voice_method"], client["voice_fallback_method"]) == ("GET", "GET")
    assert is_sid(client["voice_application_sid"], "AP")


def test_every_attribute_is_shown_in_xml_in_the_order_of_the_page(api, full):
    (client,) = api.get(f"Clients/{full.sid}").xml()
    assert client.tag == "Client"
    assert [tag for tag, _ in fields(client)] == ELEMENTS
    values = dict(zip(ELEMENTS, (full.client[member] for member in MEMBERS)))
    values["Uri"] = values["Uri"].removesuffix(".json")
    assert dict(fields(client)) == values


def test_an_attribute_without_a_value_is_left_out(api, person):
    made = person(registered=False)
    assert list(made.client) == [name for name in MEMBERS if name not in (
        "voice_url", "voice_fallback_url", "voice_application_sid")]
    (client,) = api.get(f"Clients/{made.sid}.xml").xml()
    assert not {"VoiceUrl", "VoiceFallbackUrl", "VoiceApplicationSid"} & {tag for tag, _ in fields(client)}


def test_a_list_in_xml_has_its_clients_within_clients(api):
    child = api.child()
    (clients,) = child.get("Clients").xml()
    assert (clients.tag, list(clients), (clients.text or "").strip()) == ("Clients", [], "")
    made = [child.create("Clients", Login=f"xml-list-{number}", Password="p") for number in range(3)]
    (clients,) = child.get("Clients.xml").xml()
    assert clients.tag == "Clients"
    assert [client.tag for client in clients] == ["Client"] * 3
    assert [client.findtext("Sid") for client in clients] == [client["sid"] for client in made]
    child.close()


@pytest.mark.parametrize("name", ["Zoë 🙂 你好", "<b>&amp;\"quoted\"'</b>", "a\\b/c", " in the middle ", "]]>", "x" * 64,
                                  "é" * 64], ids=ascii)
def test_a_friendly_name_comes_back_as_it_was_sent(api, person, name):
    made = person(registered=False, FriendlyName=name)
    assert api.fetch(f"Clients/{made.sid}")["friendly_name"] == name
    assert api.get(f"Clients/{made.sid}").xml()[0].findtext("FriendlyName") == name
    assert [client["sid"] for client in api.fetch("Clients", FriendlyName=name)] == [made.sid]


def test_the_dates_say_when_it_was_made_and_last_changed(api, person):
    made = person(registered=False)
    assert made.client["date_created"] == made.client["date_updated"]
    assert eventually(lambda: api.update(
        f"Clients/{made.sid}", FriendlyName="new")["date_updated"] != made.client["date_created"], every=0.3)
    client = api.fetch(f"Clients/{made.sid}")
    assert client["date_created"] == made.client["date_created"]
    assert client["date_updated"] != client["date_created"], "and it is kept, other than by Restcomm"


# Format.

@pytest.mark.parametrize("path, accept, expected", [
    ("Clients", None, "xml"),
    ("Clients", "*/*", "xml"),
    ("Clients", "text/html, application/xhtml+xml", "xml"),
    ("Clients", "application/json", "json"),
    ("Clients", "text/plain, application/json;q=0.5", "json"),
    ("Clients", "application/vnd.restcomm+json", "json"),
    ("Clients.json", None, "json"),
    ("Clients.json", "application/xml", "json"),
    ("Clients.xml", None, "xml"),
    ("Clients.xml", "application/json", "xml"),
    ("Clients/", None, "xml"),
    ("Clients.json/", None, "json"),
])
def test_the_suffix_goes_over_accept_and_xml_is_the_rest(api, path, accept, expected):
    answer = api.ask("GET", path, headers={"Accept": accept} if accept else {})
    assert answer.status == 200
    assert answer.media_type == f"application/{expected}"
    answer.json() if expected == "json" else answer.xml()


@pytest.mark.parametrize("path", [
    "/Accounts.json/{account}/Clients/{client}", "/Accounts/{account}.json/Clients/{client}",
    "/Accounts/{account}/Clients.json/{client}", "/Accounts/{account}/Clients/{client}.json"])
def test_the_suffix_is_understood_on_every_segment(api, person, path):
    made = person(registered=False)
    answer = api.get(path.format(account=api.account, client=made.sid))
    assert answer.status == 200
    assert answer.json() == made.client


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_three_prefixes_mean_the_same(api, person, prefix):
    made = person(registered=False)
    answer = api.ask("GET", f"Clients/{made.sid}.json", prefix=prefix)
    assert answer.status == 200
    assert answer.json() == made.client
    assert api.ask("PUT", f"Clients/{made.sid}.json", {"FriendlyName": prefix}, prefix=prefix).status == 200
    assert api.ask("DELETE", f"Clients/{made.sid}", prefix=prefix).status == 200


def test_the_uri_of_a_client_leads_to_it(api, person):
    made = person(registered=False)
    assert api.ask("GET", made.client["uri"]).json() == made.client
    uri = api.get(f"Clients/{made.sid}").xml()[0].findtext("Uri")
    assert not uri.endswith(".json")
    assert api.ask("GET", uri).xml()[0].findtext("Sid") == made.sid


@pytest.mark.parametrize("path", [
    "Clients.txt", "Clientele", "Clients/{client}/Nothing", "/Nothing", "/", "/2011-01-01/Accounts", "clients"])
@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_an_unknown_path_is_answered_404(api, person, path, accept):
    answer = api.ask("GET", path.format(client=person(registered=False).sid), headers={"Accept": accept})
    assert answer.media_type == accept
    assert_refused(answer, 404, "R-3201")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("name", [sid("CL"), "CL123", "PN" + "0" * 32, "x" * 200])
def test_an_unknown_client_is_answered_404(api, method, name):
    form = {"FriendlyName": "x"} if method in ("POST", "PUT") else None
    assert_refused(api.ask(method, f"Clients/{name}", form), 404, "R-3201")


@pytest.mark.parametrize("name", [".", "..", "%2e%2e", "%2E%2E/%2e%2e", "../Applications", "..%2f"])
def test_dots_lead_nowhere(api, name):
    answer = api.ask("PUT", f"Clients/{name}", {"FriendlyName": "x"})
    assert answer.status in (400, 404)
    assert api.fetch(f"/Accounts/{api.user}")["friendly_name"] != "x"


@pytest.mark.parametrize("method, path, allowed", [
    ("PUT", "Clients", {"GET", "POST"}),
    ("DELETE", "Clients", {"GET", "POST"}),
    ("PATCH", "Clients.json", {"GET", "POST"}),
    ("PATCH", "Clients/{client}", {"GET", "POST", "PUT", "DELETE"}),
])
def test_a_method_that_is_not_served_is_answered_405_with_allow(api, person, method, path, allowed):
    answer = api.ask(method, path.format(client=person(registered=False).sid), {})
    assert_refused(answer, 405, "R-3202")
    assert allowed <= {word.strip() for word in answer["Allow"].split(",")}
    assert method not in answer["Allow"]


# Creation.

def login_of(test, counter=[0]):
    counter[0] += 1
    return f"{test}-{counter[0]}"


@pytest.mark.parametrize("form, message, parameter", [
    ({}, "Login can not be null.", "Login"),
    ({"Password": "p"}, "Login can not be null.", "Login"),
    ({"Login": "creation"}, "Password can not be null.", "Password"),
])
@pytest.mark.parametrize("suffix", [".json", ""])
def test_a_required_parameter_that_is_missing_is_named_in_restcomms_words(api, form, message, parameter, suffix):
    answer = api.post(f"Clients{suffix}", **form)
    assert assert_refused(answer, 400, "R-3301", parameter=parameter) == message


def test_an_xml_refusal_has_its_message_directly_under_the_root(api):
    tags = [tag for tag, _ in fields(api.post("Clients").xml())]
    assert tags[0] == "Message", "as Restcomm has it"
    assert set(tags) == {"Message", "Code", "MoreInfo", "Parameter"}


@pytest.mark.parametrize("login", [
    "a", "x" * 64, "alice.smith", "a-b_c.d!e~f*g'h(i)", "a;b&c=d+e$f,g", "+4930123456", "caf%C3%A9"])
def test_a_login_may_have_what_rfc_2396_allows_in_userinfo(api, login):
    made = api.create("Clients", Login=login, Password="p")
    assert made["login"] == login
    assert [client["sid"] for client in api.fetch("Clients", Login=login)] == [made["sid"]]
    api.remove(f"Clients/{made['sid']}")


@pytest.mark.parametrize("login, character", [
    ("a b", None), ("a:b", ":"), ("a@b", "@"), ("a/b", "/"), ("a?b", "?"), ("a#b", "#"), ("aéb", "é"), ("a%", "%"),
    ("a%4", "%"), ("a%zz", "%"), ('a"b', '"'), ("a<b", "<"), ("a[b", "["), ("a\\b", "\\"), ("a\tb", None), ("a\rb", None),
    ("a\nb", None), ("a\0b", None), ("a\x7fb", None)], ids=ascii)
def test_a_login_that_no_userinfo_can_be_is_refused_with_its_character(api, login, character):
    words = ["invalid"] + ([character] if character else [])
    assert_refused(api.post("Clients.json", Login=login, Password="p"), 400, "R-3302", *words, parameter="Login")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", api.post("Clients", Login=login, Password="p").text)


@pytest.mark.parametrize("login", ["", "x" * 65])
def test_a_login_has_1_to_64_characters(api, login):
    assert_refused(api.post("Clients.json", Login=login, Password="p"), 400, parameter="Login")


def test_a_login_is_the_same_however_it_is_escaped(api, phone, server):
    made = api.create("Clients", Login="caf%C3%A9", Password="p")
    for login in ("caf%c3%a9", "%63af%C3%A9"):
        for password in ("other", "p"):
            # Taken, or to be written in the one form that the login has already.
            assert_refused(answer := api.post("Clients.json", Login=login, Password=password), answer.status)
            assert answer.status in (400, 409)
    assert api.fetch("Clients", Login="caf%C3%A9") == [made]
    phone("caf%C3%A9", password="p").register()
    assert eventually(lambda: api.fetch(f"Clients/{made['sid']}/Registrations"))
    api.remove(f"Clients/{made['sid']}")


def test_an_empty_password_is_refused(api):
    assert_refused(api.post("Clients.json", Login="creation", Password=""), 400, "R-3302", parameter="Password")
    assert api.fetch("Clients", Login="creation") == []


@pytest.mark.parametrize("password", ["p", " ", "with:colon", "Grüße 🙂", '"\\', "x" * 128, "a+b&c=d%20"], ids=ascii)
def test_a_password_is_taken_as_it_is(api, phone, password):
    login = login_of("password")
    made = api.create("Clients", Login=login, Password=password)
    assert made["password"] == password
    assert api.get(f"Clients/{made['sid']}").xml()[0].findtext("Password") == password
    phone(login, password=password).register()


# Create and change have the same rules for these.
WRONG_VALUES = [
    ("Status", "2"), ("Status", "-1"), ("Status", "yes"), ("Status", "1.0"), ("Status", "01x"), ("Status", "9" * 40),
    ("VoiceMethod", "PATCH"), ("VoiceMethod", "GET POST"), ("VoiceFallbackMethod", "PUT"),
    ("VoiceUrl", "ftp://app.example/"), ("VoiceUrl", "javascript:alert(1)"), ("VoiceUrl", "http://"),
    ("VoiceUrl", "app.example/voice"), ("VoiceUrl", "http://app.example/a b"), ("VoiceUrl", "http://app.example/\r\nX: y"),
    ("VoiceUrl", "http://app.example/" + "x" * 2048), ("VoiceUrl", "/voice"), ("VoiceUrl", "http://["), ("VoiceUrl", "http://u:p@app.example/"),
    ("VoiceFallbackUrl", "file:///etc/passwd"), ("VoiceFallbackUrl", "http://app.example/a b"),
    ("VoiceApplicationSid", sid("AP")), ("VoiceApplicationSid", "menu"), ("VoiceApplicationSid", sid("CL")),
    ("FriendlyName", "x" * 65), ("FriendlyName", "a\nb"), ("FriendlyName", "a\0b"), ("FriendlyName", "a\x1b[31m"),
]


@pytest.mark.parametrize("name, value", WRONG_VALUES, ids=lambda value: ascii(value)[:40])
def test_a_wrong_value_is_refused_and_its_parameter_is_named(api, person, name, value):
    answer = api.post("Clients.json", Login="wrong-value", Password="p", **{name: value})
    assert_refused(answer, 400, "R-3302", parameter=name)
    assert api.fetch("Clients", Login="wrong-value") == [], "nothing was made"
    made = person(registered=False)
    answer = api.put(f"Clients/{made.sid}.json", **{name: value, "Password": "changed"})
    assert_refused(answer, 400, "R-3302", parameter=name)
    assert api.fetch(f"Clients/{made.sid}") == made.client, "all or nothing"


@pytest.mark.parametrize("url", [
    "http://app.example", "https://app.example:8443/voice?a=b&c=%20#part", "http://[2001:db8::1]:8080/",
    "http://app.example/" + "x" * (2048 - 19), "HTTP://APP.EXAMPLE/"], ids=lambda url: url[:30])
def test_an_absolute_url_is_taken_as_it_is(api, person, url):
    made = person(registered=False, VoiceUrl=url, VoiceFallbackUrl=url)
    assert (made.client["voice_url"], made.client["voice_fallback_url"]) == (url, url)


@pytest.mark.parametrize("given, stored", [("get", "GET"), ("Post", "POST"), ("", "POST"), ("GET", "GET")])
def test_a_method_is_written_in_capitals_and_post_when_empty(person, given, stored):
    made = person(registered=False, VoiceMethod=given, VoiceFallbackMethod=given)
    assert (made.client["voice_method"], made.client["voice_fallback_method"]) == (stored, stored)


def test_an_application_of_another_account_is_refused(api):
    child = api.child()
    application = child.create("Applications", FriendlyName="theirs")
    answer = api.post("Clients.json", Login="borrower", Password="p", VoiceApplicationSid=application["sid"])
    assert_refused(answer, 400, "R-3302", parameter="VoiceApplicationSid")
    child.close()


def test_the_first_value_of_a_repeated_parameter_counts_and_unknown_ones_are_ignored(api):
    answer = api.ask("POST", "Clients.json", body="Login=first&Password=a&Login=second&Password=b&Colour=red",
                     headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert (answer.json()["login"], answer.json()["password"]) == ("first", "a")
    assert api.fetch("Clients", Login="second") == []


def test_parameters_of_the_query_are_not_those_of_a_post(api):
    assert_refused(api.ask("POST", "Clients.json", {}, query={"Login": "in-query", "Password": "p"}), 400, "R-3301")
    assert api.fetch("Clients", Login="in-query") == []


# Duplicates.

def test_a_repeated_creation_with_the_same_values_gives_the_existing_client(api):
    form = {"Login": login_of("retry"), "Password": "p", "FriendlyName": "Retry", "VoiceMethod": "GET"}
    made = api.create("Clients", **form)
    assert api.create("Clients", **form) == made
    assert api.create("Clients", Login=form["Login"], Password="p") == made, "what is not given does not differ"
    assert len(api.fetch("Clients", Login=form["Login"])) == 1


@pytest.mark.parametrize("change", [
    {"Password": "other"}, {"FriendlyName": "Other"}, {"Status": "0"}, {"VoiceUrl": "http://app.example/"},
    {"VoiceMethod": "GET"}], ids=lambda change: next(iter(change)))
def test_a_repeated_creation_with_another_value_is_refused_and_changes_nothing(api, change):
    form = {"Login": login_of("differs"), "Password": "p"}
    made = api.create("Clients", **form)
    assert_refused(api.post("Clients.json", **{**form, **change}), 409, "R-3401")
    assert api.fetch(f"Clients/{made['sid']}") == made


def test_a_login_of_another_account_is_refused_in_restcomms_words(api, person):
    held = person(registered=False)
    child = api.child()
    for password in ("s3cret", "other"):
        message = assert_refused(child.post("Clients.json", Login=held.login, Password=password), 409, "R-3402")
        assert message == (
            "A client with the same name was already created by another account. "
            "Please, choose a different name and try again.")
    assert child.fetch("Clients") == []
    child.close()


@pytest.mark.configuration(authentication={"minPasswordLength": 8})
def test_the_checks_of_a_creation_have_an_order(api):
    api.create("Clients", Login="held", Password="long enough")
    wrong = {"VoiceMethod": "PATCH"}
    assert_refused(api.post("Clients.json", **wrong), 400, "R-3301", parameter="Login")
    assert_refused(api.post("Clients.json", Login="a b", **wrong), 400, "R-3301", parameter="Password")
    assert_refused(api.post("Clients.json", Login="a b", Password="short", **wrong), 400, "R-3302", parameter="Login")
    assert_refused(
        api.post("Clients.json", Login="held", Password="short", **wrong), 400, "R-3302", parameter="VoiceMethod")
    # As in Restcomm: whoever asks for a client that exists is not told that its password is weak.
    assert_refused(api.post("Clients.json", Login="held", Password="short"), 409, "R-3401")
    assert_refused(api.post("Clients.json", Login="new", Password="short"), 400, "R-3303", "weak")


def test_of_many_creations_at_once_one_wins(api):
    login, answers = login_of("race"), []
    programs = [api.copy() for _ in range(8)]
    threads = [
        threading.Thread(target=lambda program=program, number=number: answers.append(
            program.post("Clients.json", Login=login, Password=f"p{number}").status))
        for number, program in enumerate(programs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for program in programs:
        program.close()
    assert sorted(answers) == [200] + [409] * 7
    assert len(api.fetch("Clients", Login=login)) == 1


# Changes.

@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_change_touches_what_it_names_and_nothing_else(api, full, method):
    before = api.fetch(f"Clients/{full.sid}")
    for name, value, member in (
        ("FriendlyName", "Renamed", "friendly_name"), ("Password", "renewed", "password"), ("Status", "1", "status"),
        ("VoiceUrl", "http://app.example/new", "voice_url"), ("VoiceMethod", "POST", "voice_method"),
        ("VoiceFallbackUrl", "http://app.example/fallback", "voice_fallback_url"),
        ("VoiceFallbackMethod", "POST", "voice_fallback_method"),
    ):
        answer = api.ask(method, f"Clients/{full.sid}.json", {name: value})
        assert answer.status == 200, answer
        after = answer.json()
        assert after == {**before, member: value, "date_updated": after["date_updated"]}
        assert api.fetch(f"Clients/{full.sid}") == after, "what the answer shows is what is stored"
        before = after


def test_an_empty_value_clears(api, full):
    cleared = api.update(
        f"Clients/{full.sid}", VoiceUrl="", VoiceFallbackUrl="", VoiceApplicationSid="", FriendlyName="",
        VoiceMethod="", VoiceFallbackMethod="")
    assert not {"voice_url", "voice_fallback_url", "voice_application_sid"} & set(cleared)
    assert cleared["friendly_name"] == full.login
    assert (cleared["voice_method"], cleared["voice_fallback_method"]) == ("POST", "POST")


def test_a_change_of_nothing_is_answered_with_the_client(api, person):
    made = person(registered=False)
    assert api.update(f"Clients/{made.sid}")["sid"] == made.sid
    assert api.ask("PUT", f"Clients/{made.sid}.json").status == 200, "even without a body"


def test_a_login_cannot_be_changed(api, person):
    made = person(registered=False)
    assert api.update(f"Clients/{made.sid}", Login=made.login)["login"] == made.login
    answer = api.put(f"Clients/{made.sid}.json", Login="renamed", FriendlyName="x")
    assert_refused(answer, 400, "R-3302", parameter="Login")
    assert api.fetch(f"Clients/{made.sid}") == {
        **made.client, "date_updated": api.fetch(f"Clients/{made.sid}")["date_updated"]}


def test_an_empty_new_password_is_refused(api, person):
    made = person(registered=False)
    assert_refused(api.put(f"Clients/{made.sid}.json", Password=""), 400, "R-3302", parameter="Password")
    assert api.fetch(f"Clients/{made.sid}")["password"] == "s3cret"


@pytest.mark.configuration(authentication={"minPasswordLength": 8})
def test_a_password_below_the_configured_length_is_refused_as_weak(api):
    for password, refused in (("1234567", True), ("12345678", False), ("ääääääää", False)):
        answer = api.post("Clients.json", Login=f"length-{password}".replace("ä", "a"), Password=password)
        if refused:
            assert_refused(answer, 400, "R-3303", "weak", "8")
        else:
            assert answer.status == 200
    client = answer.json()
    assert_refused(api.put(f"Clients/{client['sid']}.json", Password="short"), 400, "R-3303", "weak")
    assert_refused(api.put(f"Clients/{client['sid']}.json", Password=""), 400, "R-3302")


# The list.

@pytest.fixture
def fifty_three(api):
    """An account with 53 clients, some of them disabled."""
    child = api.child()
    logins = [login_of("many") for _ in range(53)]
    child.made = [
        child.create("Clients", Login=login, Password="p", Status=str(int(number % 10 != 0)), FriendlyName=f"Group {number % 3}")
        for number, login in enumerate(logins)]
    yield child
    child.close()


def test_a_list_has_everything_in_the_order_of_creation(fifty_three):
    assert fifty_three.fetch("Clients") == fifty_three.made


def test_a_list_can_be_filtered(fifty_three):
    made = fifty_three.made
    assert fifty_three.fetch("Clients", Login=made[7]["login"]) == [made[7]]
    assert fifty_three.fetch("Clients", Login=made[7]["login"][:-1] + "x") == []
    assert fifty_three.fetch("Clients", Status=0) == made[::10]
    assert fifty_three.fetch("Clients", Status=1) == [client for client in made if client["status"] == "1"]
    assert fifty_three.fetch("Clients", FriendlyName="Group 1") == made[1::3]
    assert fifty_three.fetch("Clients", FriendlyName="Group") == [], "the whole name, exactly"
    assert fifty_three.fetch("Clients", FriendlyName="Group 0", Status=0) == made[::30]
    assert_refused(fifty_three.get("Clients.json", Status="x"), 400, "R-3302", parameter="Status")


def test_a_list_comes_in_pages_where_asked_for(fifty_three):
    made = fifty_three.made
    assert fifty_three.fetch("Clients", Page=0) == made[:50], "50 a page"
    assert fifty_three.fetch("Clients", Page=1) == made[50:]
    assert fifty_three.fetch("Clients", PageSize=20) == made[:20]
    assert fifty_three.fetch("Clients", Page=2, PageSize=20) == made[40:]
    assert fifty_three.fetch("Clients", Page=0, PageSize=1000) == made
    assert fifty_three.fetch("Clients", Page=1, PageSize=4, Status=0) == made[40::10]
    assert len(fifty_three.get("Clients.xml", Page=2, PageSize=20).xml()[0]) == 13


@pytest.mark.parametrize("query", [
    {"Page": -1}, {"Page": "x"}, {"PageSize": 0}, {"PageSize": -1}, {"PageSize": 1001}, {"PageSize": "many"},
    {"Page": "9" * 30}, {"Page": "1.5"}, {"Page": "9223372036854775807"}], ids=str)
def test_a_page_that_is_no_number_in_range_is_refused(api, query):
    answer = api.get("Clients.json", **query)
    assert_refused(answer, 400, parameter=next(iter(query)))
    assert answer.json()["code"] in ("R-3302", "R-3304")


@pytest.mark.parametrize("query", [{"Page": 2}, {"Page": 3, "PageSize": 20}, {"Page": 99_999_999, "PageSize": 1000}], ids=str)
def test_after_the_last_page_of_a_bare_array_comes_an_empty_one(fifty_three, query):
    # A bare array has no total: whoever reads page after page ends at the empty one.
    assert fifty_three.fetch("Clients", **query) == []


def test_an_empty_list_is_empty(api):
    child = api.child()
    assert child.get("Clients.json").json() == []
    assert child.get("Clients.json", Page=0).json() == []
    child.close()


# What a change does to SIP, at once when its answer leaves.

def is_reached(caller, callee):
    """Whether a text from the caller reaches the callee."""
    caller.send_text(callee.login)
    request = callee.receive(0.5)
    if request is None or request.method != "MESSAGE":
        return False
    callee.reply(request, 200)
    return caller.expect_response(caller.answered).status == 200


def test_a_new_client_registers_and_is_called_at_once(person):
    alice, bob = person(), person()
    call, answered = connect(alice, bob)
    call.hang_up(answered)


def test_a_new_password_is_demanded_at_the_next_challenge(api, person):
    alice = person()
    for number in range(5):
        api.update(f"Clients/{alice.sid}", Password=f"new-{number}")
        assert alice.try_to_register().status == 401, "the old one"
        alice.password = f"new-{number}"
        assert alice.try_to_register().status == 200, "the new one"


@pytest.mark.configuration(authentication={"failuresBefore403": 0})
def test_a_new_password_is_demanded_whichever_socket_asks(server, api, person):
    alice = person(registered=False)
    # From many ports and over both transports, so that every thread of the daemon is asked.
    phones = [
        Phone(alice.server, alice.login, alice.password, alice.domain, transport=("udp", "tcp")[number % 2])
        for number in range(8)]
    for phone in phones:
        phone.register()
    for number in range(3):
        api.update(f"Clients/{alice.sid}", Password=f"turn-{number}")
        assert [phone.try_to_register().status for phone in phones] == [401] * 8
        for phone in phones:
            phone.password = f"turn-{number}"
        assert [phone.try_to_register().status for phone in phones] == [200] * 8
    api.update(f"Clients/{alice.sid}", Status="0")
    assert [phone.try_to_register().status for phone in phones] == [401] * 8
    api.remove(f"Clients/{alice.sid}")
    for phone in phones:
        phone.close()


def test_a_client_that_is_switched_on_and_off_while_it_registers_ends_as_it_was_left(server, api, person):
    alice = person()
    phones = [Phone(alice.server, alice.login, alice.password, alice.domain) for _ in range(4)]
    over = threading.Event()

    def register(phone):
        while not over.is_set():
            phone.try_to_register()

    threads = [threading.Thread(target=register, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for number in range(20):
        api.update(f"Clients/{alice.sid}", Status=str(number % 2))
        if number % 2 == 0:
            assert api.fetch(f"Clients/{alice.sid}/Registrations") == [], "disabled, it has no registration"
    api.update(f"Clients/{alice.sid}", Status="0")
    over.set()
    for thread in threads:
        thread.join()
    assert api.fetch(f"Clients/{alice.sid}/Registrations") == []
    assert alice.login not in {entry["login"] for entry in server.registrations()}
    for phone in phones:
        phone.close()


def test_credentials_answered_before_the_change_are_refused_after_it(api, person):
    alice = person()
    request = alice.register_request()
    credentials = alice.credentials(alice.ask(request))
    api.update(f"Clients/{alice.sid}", Password="changed")
    assert alice.ask(alice.again(request, credentials)).status == 401


def test_a_change_of_something_else_leaves_password_and_bindings_alone(api, person):
    alice, bob = person(), person()
    api.update(f"Clients/{bob.sid}", FriendlyName="Robert")
    assert is_reached(alice, bob)
    assert bob.try_to_register().status == 200


@pytest.mark.configuration()
def test_status_0_drops_the_bindings_and_refuses_at_once_and_status_1_lets_it_in_again(server, api, person):
    alice, bob = person(), person()
    api.update(f"Clients/{bob.sid}", Status="0")
    assert alice.text(bob.login).status in (404, 480)
    bob.expect_silence("MESSAGE")
    assert bob.try_to_register().status == 401
    assert bob.text(alice.login).status == 407
    assert api.fetch(f"Clients/{bob.sid}/Registrations") == []
    server.wait_for_event("client.changed", user=bob.login)
    server.wait_for_event("reg.removed", user=bob.login)
    assert api.update(f"Clients/{bob.sid}", Status="1")["status"] == "1"
    assert alice.text(bob.login).status == 480, "the old binding does not come back"
    assert bob.try_to_register().status == 200
    assert is_reached(alice, bob)


def test_a_client_may_be_made_disabled(api, person):
    alice = person(registered=False, Status="0")
    assert alice.try_to_register().status == 401
    api.update(f"Clients/{alice.sid}", Status="1")
    assert alice.try_to_register().status == 200


@pytest.mark.configuration()
def test_delete_drops_the_bindings_and_refuses_at_once(server, api, person):
    alice, bob = person(), person()
    api.remove(f"Clients/{bob.sid}")
    assert alice.text(bob.login).status == 404
    assert bob.try_to_register().status == 401
    assert bob.text(alice.login).status == 407
    bob.expect_silence("MESSAGE")
    server.wait_for_event("client.removed", user=bob.login)
    server.wait_for_event("reg.removed", user=bob.login)
    assert_refused(api.get(f"Clients/{bob.sid}.json"), 404, "R-3201")
    made = api.create("Clients", Login=bob.login, Password="s3cret")
    assert made["sid"] != bob.sid, "a new client, though its login is the same"
    assert api.fetch(f"Clients/{made['sid']}/Registrations") == []
    assert bob.try_to_register().status == 200


@pytest.mark.configuration()
def test_every_change_is_in_the_log_and_no_password(server, api):
    made = api.create("Clients", Login="logged", Password="k3ep-me-secret", FriendlyName="first")
    server.wait_for_event("client.changed", user="logged")
    api.update(f"Clients/{made['sid']}", Password="an0ther-secret")
    assert eventually(lambda: len(server.events("client.changed", user="logged")) == 2)
    api.remove(f"Clients/{made['sid']}")
    server.wait_for_event("client.removed", user="logged")
    for secret in ("k3ep-me-secret", "an0ther-secret", api.password, api.authorization.split()[1]):
        assert secret not in server.log()


@pytest.mark.configuration()
def test_the_log_says_who_changed_what(server, api):
    child = api.child()
    made = api.on(child).create("Clients", Login="noted", Password="p")
    api.on(child).update(f"Clients/{made['sid']}", FriendlyName="Noted")
    assert eventually(lambda: len(server.events("api.change")) >= 3)
    events = server.events("api.change")
    assert [event["method"] for event in events][-2:] == ["POST", "PUT"]
    for event in events:
        assert event["account"] == api.user, "whose credentials it had"
        assert "127.0.0.1" in event["src"] and event["status"] == "200"
    assert f"/Accounts/{child.user}/Clients" in events[-2]["path"]
    assert made["sid"] in events[-1]["path"]
    assert not server.events("api.refused")
    child.close()


def test_command_line_and_api_see_the_same_clients(server, api, person):
    made = person(registered=False, FriendlyName="By the API")
    shown = json.loads(server.command("client", "show", made.login, "--json"))
    assert (shown["sid"], shown["friendly_name"]) == (made.sid, "By the API")
    server.command("client", "set", made.login, "--name", "By the command line", "--password", "by-command")
    client = api.fetch(f"Clients/{made.sid}")
    assert (client["friendly_name"], client["password"]) == ("By the command line", "by-command")
    server.command("client", "remove", made.login)
    assert_refused(api.get(f"Clients/{made.sid}.json"), 404, "R-3201")


@pytest.mark.configuration()
def test_changes_survive_kill_9_as_soon_as_they_are_answered(server, api, person):
    kept, changed, removed = person(), person(), person()
    api.update(f"Clients/{changed.sid}", Password="changed", FriendlyName="Changed")
    api.remove(f"Clients/{removed.sid}")
    server.kill()
    server.start()
    assert [client["sid"] for client in api.fetch("Clients")][-2:] == [kept.sid, changed.sid]
    assert api.fetch(f"Clients/{changed.sid}")["friendly_name"] == "Changed"
    changed.password = "changed"
    assert changed.try_to_register().status == 200
    assert removed.try_to_register().status == 401


# Passwords that are stored as digests only.

@pytest.mark.configuration(authentication={"passwords": "digest"})
def test_a_password_stored_as_digest_is_shown_once(api, person):
    alice = person()
    assert alice.client["password"] == "s3cret", "in the answer to the POST that sets it"
    for answer in (
        api.get(f"Clients/{alice.sid}.json"), api.get(f"Clients/{alice.sid}"), api.get("Clients.json"), api.get("Clients"),
        api.put(f"Clients/{alice.sid}.json", FriendlyName="Alice"), api.put(f"Clients/{alice.sid}", Status="1"),
    ):
        assert answer.status == 200
        assert "password" not in answer.text.lower()
        assert "s3cret" not in answer.text
    changed = api.update(f"Clients/{alice.sid}", Password="renewed")
    assert changed["password"] == "renewed"
    alice.password = "renewed"
    assert alice.try_to_register().status == 200


@pytest.mark.configuration(authentication={"passwords": "digest"})
def test_a_repeated_creation_is_recognised_by_the_digest(api, person):
    alice = person(registered=False)
    assert api.create("Clients", Login=alice.login, Password="s3cret")["sid"] == alice.sid
    assert_refused(api.post("Clients.json", Login=alice.login, Password="other"), 409, "R-3401")


@pytest.mark.configuration(authentication={"passwords": "digest"})
def test_no_password_is_in_the_database_where_digests_are_stored(server, api):
    api.create("Clients", Login="digested", Password="not-in-the-file")
    for file in server.state.iterdir():
        assert b"not-in-the-file" not in file.read_bytes(), file
