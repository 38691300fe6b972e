"""The acceptance cases of Restcomm's own test suite for clients and for access to the API, each under its name there.

Where Rollcall differs the test holds the difference; Docs/Compatibility.md explains each of them.
"""

import base64
import hashlib

import pytest

from api import REALM, assert_refused, fresh_source, is_sid, sid
from conftest import eventually
from phone import Phone

SHARES_ONE_DAEMON = True
STRONG = "RestComm1234"


def new_number(counter=[0]):
    """A phone number that no other test has."""
    counter[0] += 1
    return f"+1555{counter[0]:07}"


# ClientsEndpointTest.

@pytest.mark.configuration()
@pytest.mark.parametrize("voice_url", ["http://127.0.0.1:8080/restcomm/demos/hello-world.xml", None],
                         ids=["createClientTest", "createClientTestNoVoiceUrl"])
def test_createClientTest(api, phone, voice_url):
    """Created twice it is the same client; it registers from two places, leaves, and gets a new password."""
    form = {"Login": "bob-2", "Password": STRONG, "VoiceUrl": voice_url}
    first, second = api.create("Clients", **form), api.create("Clients", **form)
    assert is_sid(first["sid"], "CL")
    assert first["sid"] == second["sid"]
    bob, other = phone("bob-2", password=STRONG), phone("bob-2", password=STRONG)
    bob.register()
    other.register()
    bob.unregister()
    other.unregister()
    answer = api.put(f"Clients/{first['sid']}", Password=STRONG * 2)
    assert answer.status == 200
    bob.password = STRONG * 2
    bob.register()


def test_clientRemovalBehaviour(api):
    """The account's own credentials delete a client; the second time there is none."""
    developer = api.child()
    removed = developer.create("Clients", Login="removed", Password=STRONG)
    assert developer.delete(f"Clients/{removed['sid']}").status == 200
    assert developer.delete(f"Clients/{removed['sid']}").status == 404
    developer.close()


@pytest.mark.configuration(authentication={"minPasswordLength": 8})
def test_createClientWithWeakPasswordShouldFail(api):
    # Restcomm scores passwords; Rollcall asks for a length where one is configured (Docs/Compatibility.md).
    answer = api.post("Clients.json", Login="weak", Password="1234")
    assert answer.status == 400
    assert "weak" in answer.text.lower()


@pytest.mark.configuration(authentication={"minPasswordLength": 8})
def test_updateClientWithWeakPasswordShouldFail(api):
    updated = api.create("Clients", Login="updated", Password=STRONG)
    answer = api.put(f"Clients/{updated['sid']}.json", Password="1234")
    assert answer.status == 400
    assert "weak" in answer.text.lower()


def test_without_a_configured_length_the_pages_own_password_is_taken(api):
    # Docs/Compatibility.md: the page creates a client with the password "test", which Restcomm finds too weak.
    assert api.create("Clients", Login="weak-one", Password="test")["password"] == "test"


@pytest.mark.parametrize("login", ["maria.test@telestax.com", "maria.test?"])
def test_createClientTestWithInvalidCharacters(api, login):
    answer = api.post("Clients.json", Login=login, Password=STRONG)
    assert answer.status == 400
    assert "invalid" in answer.text.lower()


def test_createClientTestWithInvalidCharacters_equals_sign(api, phone):
    # Docs/Compatibility.md: RFC 2396 allows "=" in userinfo, and the page asks for just that; Restcomm refuses it.
    assert api.create("Clients", Login="maria.test=", Password=STRONG)["login"] == "maria.test="
    phone("maria.test=", password=STRONG).register()


def test_addSameClientNameInDifferentOrganizations(api):
    # Docs/Compatibility.md: there is one domain, in which a login stands for one client whatever its account.
    first, second = api.child(FriendlyName="org1"), api.child(FriendlyName="org2")
    assert first.post("Clients.json", Login="maria", Password=STRONG).status == 200
    assert_refused(second.post("Clients.json", Login="maria", Password=STRONG), 409, "R-3402")
    first.close()
    second.close()


def test_createClientTestWithIsPushEnabled(api):
    # Docs/Compatibility.md: IsPushEnabled is accepted and ignored; there is no push_client_identity.
    answer = api.post("Clients.json", Login="pushed", Password=STRONG, IsPushEnabled="true")
    assert answer.status == 200
    assert "push_client_identity" not in answer.text


def test_updateClientTestWithIsPushEnabled(api, person):
    made = person(registered=False)
    for value in ("true", "false"):
        answer = api.put(f"Clients/{made.sid}.json", IsPushEnabled=value)
        assert answer.status == 200
        assert "push_client_identity" not in answer.text


# RestcommAPIEndpointSecurityTest.

def test_clientSecurityTest(server, api):
    account = api.child()
    client = account.create("Clients", Login="secured", Password=STRONG)
    stranger = account.copy(source=fresh_source())
    for path in ("Clients.json", f"Clients/{client['sid']}.json"):
        answer = stranger.ask("GET", path, credentials=False)
        assert answer.status == 401
        assert answer["WWW-Authenticate"] == f'Basic realm="{REALM}"'
    stranger.password = "wrong"
    assert stranger.get("Clients.json").status == 401
    for status in ("suspended", "closed"):
        inactive = api.child()
        api.update(f"/Accounts/{inactive.user}", Status=status)
        answer = inactive.get("Clients.json")
        assert_refused(answer, 403, "R-3102", "not active")
        inactive.close()
    account.close()
    stranger.close()


# MultitenancyAllowAccessApiTest, MultitenancyDenyAccessApiTest. test_api_accounts.py has the whole table.

RESOURCES = {
    "Clients": lambda: {"Login": f"tenant-{new_number()[1:]}", "Password": STRONG},
    "Applications": lambda: {"FriendlyName": "tenant"},
    "IncomingPhoneNumbers": lambda: {"PhoneNumber": new_number()},
}
RECORDS = ("Calls", "SMS/Messages", "Registrations")


@pytest.fixture
def tenants(api):
    """The accounts of Restcomm's test: a primary one, its sub-account, and a sibling of the primary one."""
    primary = api.child(FriendlyName="primary")
    secondary = primary.child(FriendlyName="secondary")
    sibling = api.child(FriendlyName="sibling")
    yield primary, secondary, sibling
    for program in (primary, secondary, sibling):
        program.close()


@pytest.mark.parametrize("resource", [*RESOURCES, *RECORDS])
def test_MultitenancyAllowAccessApiTest(tenants, resource):
    primary, secondary, _ = tenants
    for program in (primary, primary.on(secondary)):
        assert program.get(f"{resource}.json").status == 200
        if resource in RESOURCES:
            answer = program.post(f"{resource}.json", **RESOURCES[resource]())
            assert answer.status == 200
            assert answer.json()["account_sid"] == program.account
            assert program.delete(f"{resource}/{answer.json()['sid']}").status in (200, 204)


@pytest.mark.parametrize("resource", [*RESOURCES, *RECORDS])
def test_MultitenancyDenyAccessApiTest(tenants, resource):
    primary, secondary, sibling = tenants
    for caller, other in ((secondary, primary), (sibling, primary), (sibling, secondary), (primary, sibling)):
        program = caller.on(other)
        assert program.get(f"{resource}.json").status == 403
        if resource in RESOURCES:
            assert program.post(f"{resource}.json", **RESOURCES[resource]()).status == 403
            theirs = other.create(resource, **RESOURCES[resource]())
            assert program.delete(f"{resource}/{theirs['sid']}").status == 403
            assert other.get(f"{resource}/{theirs['sid']}.json").status == 200


# AccountsEndpointOrganizationsTest.

def test_testRemoveClientOfOrg2UsingOrg3Credentials(api):
    # Docs/Compatibility.md: organizations are sub-accounts here.
    second, third = api.child(FriendlyName="org2"), api.child(FriendlyName="org3")
    client = second.create("Clients", Login="of-org2", Password=STRONG)
    assert third.on(second).delete(f"Clients/{client['sid']}").status == 403
    assert third.delete(f"Clients/{client['sid']}").status == 403
    assert second.get(f"Clients/{client['sid']}.json").status == 200
    second.close()
    third.close()


# AccountsEndpointTest.

def test_testCreateAccountCheckClientExisted(api):
    # Docs/Compatibility.md: an account has no password, and no client comes with it.
    account = api.child(EmailAddress="newcomer@company.test", FriendlyName="newcomer")
    assert account.fetch("Clients") == []
    answer = api.post("/Accounts.json", EmailAddress="second@company.test", Password=STRONG)
    assert_refused(answer, 400, "R-3302", parameter="Password")
    client = account.create("Clients", Login="newcomer", Password=STRONG)
    assert account.post(f"Clients/{client['sid']}.json", VoiceUrl="http://127.0.0.1:8080/welcome.xml").status == 200
    account.close()


def test_testUpdateAccountCheckClient(api, phone):
    # Docs/Compatibility.md: a client's password is changed by the client, not by its account.
    account = api.child(EmailAddress="linked@company.test")
    client = account.create("Clients", Login="linked", Password=STRONG)
    answer = api.put(f"/Accounts/{account.user}.json", Password="NewPass1234")
    assert_refused(answer, 400, "R-3302", parameter="Password")
    assert account.fetch(f"Clients/{client['sid']}")["password"] == STRONG
    phone("linked", password=STRONG).register()
    account.close()


def test_testCloseAccountCheckClient(api, phone):
    """Closing an account removes its clients; their phones register no more."""
    account = api.child()
    client = account.create("Clients", Login="closed", Password=STRONG)
    closed = phone("closed", password=STRONG)
    closed.register()
    api.update(f"/Accounts/{account.user}", Status="closed")
    assert closed.try_to_register().status in (401, 403)
    assert api.on(account).get(f"Clients/{client['sid']}.json").status == 404
    account.close()


def test_testCloseAccountNested(api):
    """The accounts below a closed one are closed too, and their clients are gone."""
    top = api.child(FriendlyName="top")
    below = top.child(FriendlyName="below")
    client = below.create("Clients", Login="nested", Password=STRONG)
    api.update(f"/Accounts/{top.user}", Status="closed")
    assert api.fetch(f"/Accounts/{below.user}")["status"] == "closed"
    assert api.on(below).get(f"Clients/{client['sid']}.json").status == 404
    assert_refused(below.get("Clients.json"), 403, "R-3102")
    top.close()
    below.close()


# ClientPasswordMigrationTest.

def test_migrateClientsOrg1Test(api):
    # Docs/Compatibility.md: there are no organizations; how passwords are stored is a matter of configuration.
    assert_refused(api.ask("PUT", f"/Organizations/{sid('OR')}/Migrate.json", {}), 404, "R-3201")


# Authentication, section by section of Restcomm's identity layer.

def test_the_user_name_is_the_sid_or_the_email_address(api):
    account = api.child(EmailAddress="owner@company.test", FriendlyName="Owner")
    assert account.get("Clients.json").status == 200
    by_email = account.copy(user="owner@company.test")
    assert by_email.get("Clients.json").status == 200
    by_name = account.copy(user="Owner", source=fresh_source())
    assert_refused(by_name.get("Clients.json"), 401, "R-3101")
    for program in (account, by_email, by_name):
        program.close()


def test_the_email_address_stands_for_the_account_in_the_url_too(api):
    account = api.child(EmailAddress="in-url@company.test")
    client = account.create("Clients", Login="by-email", Password=STRONG)
    program = account.copy(account="in-url@company.test")
    assert program.fetch("Clients") == [client]
    assert program.fetch(f"Clients/{client['sid']}") == client
    assert api.fetch("/Accounts/in-url@company.test")["sid"] == account.user
    assert api.ask("GET", "/Accounts/in-url%40company.test.json").status == 200
    account.close()
    program.close()


def test_only_the_token_is_the_password_not_a_text_whose_md5_it_is(api):
    # Docs/Compatibility.md: Restcomm's token is the MD5 of the account's password, and takes either.
    token = api.child().password
    assert len(token) == 32 and int(token, 16) >= 0
    account = api.child()
    hashed = account.copy(password=hashlib.md5(account.password.encode()).hexdigest(), source=fresh_source())
    assert_refused(hashed.get("Clients.json"), 401, "R-3101")
    account.close()
    hashed.close()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic "])
def test_the_schemes_name_is_compared_without_case(api, scheme):
    # Docs/Compatibility.md: RFC 9110 11.1; Restcomm knows only "Basic".
    header = api.authorization.replace("Basic", scheme)
    assert api.ask("GET", "Clients.json", headers={"Authorization": header}).status == 200


@pytest.mark.parametrize("value", [
    "", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), "Bearer abc", 'Digest username="x"', "Basic " + "QQ" * 1000,
    "Basic " + base64.b64encode(b"a\0b:c").decode()], ids=lambda value: value[:24])
def test_an_authorization_that_cannot_be_read_is_answered_401(api, value):
    program = api.copy(source=fresh_source())
    answer = program.ask("GET", "Clients.json", headers={"Authorization": value})
    assert_refused(answer, 401, "R-3101")
    assert answer["WWW-Authenticate"] == f'Basic realm="{REALM}"'
    program.close()


def test_the_token_may_hold_no_more_than_itself(api):
    for password in (api.password + "0", api.password[:-1], api.password.upper() + " ", ":" + api.password, ""):
        program = api.copy(password=password, source=fresh_source())
        assert_refused(program.get("Clients.json"), 401, "R-3101")
        program.close()


def test_a_third_level_is_the_last(api):
    third = api.child().child()
    assert_refused(
        third.post("/Accounts.json", FriendlyName="fourth"), 400, "R-3407",
        "This account is not allowed to have sub-accounts")
    third.close()


def test_an_account_that_does_not_exist_is_404_for_the_top_account_only(api):
    # Docs/Compatibility.md: Restcomm fails with 500 here.
    child = api.child()
    assert_refused(api.copy(account=sid("AC")).get("Clients.json"), 404, "R-3201")
    assert_refused(child.copy(account=sid("AC")).get("Clients.json"), 403, "R-3103")
    child.close()


def test_a_registered_phone_stays_registered_over_the_deletion_of_another(server, api, person):
    """What Restcomm's counter of registered users gets wrong: one device of two going away."""
    alice = person()
    second = Phone(("127.0.0.1", server.port), alice.login, "s3cret", server.domain)
    second.register()
    second.unregister()
    second.close()
    assert eventually(lambda: [entry["contact"] for entry in api.fetch(f"Clients/{alice.sid}/Registrations")]
                      == [alice.contact_uri])
