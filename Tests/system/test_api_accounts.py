"""Sub-accounts by the HTTP API: who may do what, one table of all routes and all callers; suspension, closing, tokens."""

import itertools
import re

import pytest

from api import API, DATE, REALM, assert_refused, fresh_source, is_sid, sid
from conftest import eventually
from phone import Phone, connect

SHARES_ONE_DAEMON = True
_numbers = itertools.count(1)

# Who may do what.

# Method, path below the account (or below the version), form. `{client}` and its like are resources of the account.
ROUTES = [
    ("GET", "Clients.json", None),
    ("POST", "Clients.json", {"Login": "matrix-{new}", "Password": "p"}),
    ("GET", "Clients/{client}.json", None),
    ("POST", "Clients/{client}.json", {"FriendlyName": "{new}"}),
    ("PUT", "Clients/{client}.json", {"FriendlyName": "{new}"}),
    ("DELETE", "Clients/{client}", None),
    ("GET", "Clients/{client}/Registrations.json", None),
    ("GET", "Clients/{client}/Registrations/{registration}.json", None),
    ("DELETE", "Clients/{client}/Registrations/{registration}", None),
    ("GET", "Clients/{client}/RegistrationStatus.json", None),
    ("GET", "Clients/{client}/registration_status.json", None),
    ("GET", "Registrations.json", None),
    ("GET", "Registrations/{registration}.json", None),
    ("DELETE", "Registrations/{registration}", None),
    ("GET", "Applications.json", None),
    ("POST", "Applications.json", {"FriendlyName": "{new}"}),
    ("GET", "Applications/{application}.json", None),
    ("POST", "Applications/{application}.json", {"FriendlyName": "{new}"}),
    ("PUT", "Applications/{application}.json", {"FriendlyName": "{new}"}),
    ("DELETE", "Applications/{application}", None),
    ("GET", "IncomingPhoneNumbers.json", None),
    ("POST", "IncomingPhoneNumbers.json", {"PhoneNumber": "+1666{new}"}),
    ("GET", "IncomingPhoneNumbers/{number}.json", None),
    ("POST", "IncomingPhoneNumbers/{number}.json", {"FriendlyName": "{new}"}),
    ("PUT", "IncomingPhoneNumbers/{number}.json", {"FriendlyName": "{new}"}),
    ("DELETE", "IncomingPhoneNumbers/{number}", None),
    ("GET", "Calls.json", None),
    ("GET", "Calls/{call}.json", None),
    ("GET", "SMS/Messages.json", None),
    ("GET", "SMS/Messages/{message}.json", None),
    ("POST", "SMS/Messages.json", {"From": "{registered}", "To": "{registered}", "Body": "Hello"}),
    ("GET", "Messages.json", None),
    ("GET", "Messages/{message}.json", None),
    ("POST", "Messages.json", {"From": "{registered}", "To": "{registered}", "Body": "Hello"}),
    ("GET", "/Accounts/{account}.json", None),
    ("POST", "/Accounts/{account}.json", {"FriendlyName": "{new}"}),
    ("PUT", "/Accounts/{account}.json", {"FriendlyName": "{new}"}),
]

# Caller, account in the URL, status and code of the answer. The accounts are top > owner > below, and top > sibling.
RELATIONS = {
    "own account": ("owner", "owner", 200, None),
    "own account of the third level": ("below", "below", 200, None),
    "own top account": ("top", "top", 200, None),
    "child": ("owner", "below", 200, None),
    "child of the top": ("top", "owner", 200, None),
    "grandchild": ("top", "below", 200, None),
    "parent": ("below", "owner", 403, "R-3103"),
    "grandparent": ("below", "top", 403, "R-3103"),
    "parent that is the top": ("owner", "top", 403, "R-3103"),
    "sibling": ("sibling", "owner", 403, "R-3103"),
    "child of a sibling": ("sibling", "below", 403, "R-3103"),
    "sibling of the parent": ("below", "sibling", 403, "R-3103"),
    "unknown account": ("owner", "nobody", 403, "R-3103"),
    "unknown account, asked by the top": ("top", "nobody", 404, "R-3201"),
    "no credentials": ("anonymous", "owner", 401, "R-3101"),
    "wrong token": ("impostor", "owner", 401, "R-3101"),
    "another account's token": ("crossed", "owner", 401, "R-3101"),
    "unknown user": ("stranger", "owner", 401, "R-3101"),
    "suspended": ("suspended", "suspended", 403, "R-3102"),
    "below a suspended one": ("below suspended", "below suspended", 403, "R-3102"),
    "closed": ("closed", "closed", 403, "R-3102"),
    "below a closed one": ("below closed", "below closed", 403, "R-3102"),
    "suspended, on its child": ("suspended", "below suspended", 403, "R-3102"),
}


class World:
    """The accounts of the table, and resources in each of them."""

    def __init__(self, server):
        self.server = server
        self.phones = []
        top = API.of(server)
        owner, sibling = top.child(FriendlyName="owner"), top.child(FriendlyName="sibling")
        suspended, closed = top.child(FriendlyName="suspended"), top.child(FriendlyName="closed")
        self.callers = {
            "top": top, "owner": owner, "below": owner.child(FriendlyName="below"), "sibling": sibling,
            "suspended": suspended, "below suspended": suspended.child(), "closed": closed, "below closed": closed.child(),
            "nobody": API(server.api_port, sid("AC"), "0" * 32),
            "anonymous": owner.copy(), "impostor": owner.copy(password="0" * 32),
            "crossed": owner.copy(password=sibling.password), "stranger": owner.copy(user=sid("AC")),
        }
        self.records = {name: self.make_records(name) for name in ("top", "owner", "below", "sibling")}
        top.update(f"/Accounts/{suspended.user}", Status="suspended")
        top.update(f"/Accounts/{closed.user}", Status="closed")

    def close(self):
        for phone in self.phones:
            phone.close()
        for program in self.callers.values():
            program.close()

    def registered(self, program):
        """A new client of an account, with a phone that is registered."""
        login = f"world-{next(_numbers)}"
        client = program.create("Clients", Login=login, Password="p")
        phone = Phone(("127.0.0.1", self.server.port), login, "p", self.server.domain)
        self.phones.append(phone)
        phone.register()
        return client, phone

    def make_records(self, name):
        """The records of a call and of a text in an account, and a client that is registered."""
        program = self.callers[name]
        client, phone = self.registered(program)
        phone.call("nobody-at-all").expect_final()
        phone.text("nobody-at-all")
        assert eventually(lambda: program.fetch("Calls")["calls"] and program.fetch("SMS/Messages")["messages"])
        return {
            "call": program.fetch("Calls")["calls"][0]["sid"],
            "message": program.fetch("SMS/Messages")["messages"][0]["sid"],
            "registered": client["login"],
        }

    def values(self, name, wanted):
        """Values for the names in a path and a form: of resources of this account, newly made where they may change."""
        made = {"new": f"{next(_numbers):06}", "account": self.callers[name].account}
        if name not in self.records:
            unknown = {"client": "CL", "registration": "RG", "application": "AP", "number": "PN", "call": "CA", "message": "SM"}
            return {**made, **{key: sid(prefix) for key, prefix in unknown.items()}, "registered": "nobody"}
        owner = self.callers["top"].on(self.callers[name])
        made.update(self.records[name])
        if wanted & {"client", "registration"}:
            client, _ = self.registered(owner)
            made["client"] = client["sid"]
            made["registration"] = owner.fetch(f"Clients/{client['sid']}/Registrations")[0]["sid"]
        if "application" in wanted:
            made["application"] = owner.create("Applications", FriendlyName="matrix")["sid"]
        if "number" in wanted:
            made["number"] = owner.create("IncomingPhoneNumbers", PhoneNumber=f"+1777{next(_numbers):06}")["sid"]
        owner.close()
        return made


@pytest.fixture(scope="module")
def world(shared):
    made = World(shared)
    yield made
    made.close()


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("method, path, form", ROUTES, ids=lambda value: value if isinstance(value, str) else "")
def test_who_may_do_what(world, relation, method, path, form):
    caller, target, status, code = RELATIONS[relation]
    values = world.values(target, set(re.findall(r"\{(\w+)\}", path + repr(form))))
    is_item = "{" in path
    path = path.format(**values)
    form = form and {name: value.format(**values) for name, value in form.items()}
    program = world.callers[caller].on(world.callers[target])
    if status == 401:
        program.source = fresh_source()
    item = path if status == 403 and target in world.records and is_item else None
    judge = world.callers["top"].on(world.callers[target])
    before = judge.ask("GET", item, headers={"Accept": "application/json"}) if item else None
    answer = program.ask(method, path, form, credentials=caller != "anonymous", headers={"Accept": "application/json"})
    if status == 200:
        assert answer.status in (200, 204), answer
    else:
        assert_refused(answer, status, code)
        if status == 401:
            assert answer["WWW-Authenticate"] == f'Basic realm="{REALM}"'
    if before is not None:
        after = judge.ask("GET", item, headers={"Accept": "application/json"})
        assert (after.status, without_time(after.json())) == (200, without_time(before.json())), "a refusal changes nothing"
    program.close()
    judge.close()


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("method, path", [("GET", "Bans.json"), ("DELETE", f"Bans/{sid('BN')}")])
def test_bans_are_of_the_whole_server_and_for_its_main_account(world, relation, method, path):
    caller, target, status, code = RELATIONS[relation]
    if status == 200 and target != "top":
        status, code = 403, "R-3107"
    elif status == 200 and method == "DELETE":
        status, code = 404, "R-3201"
    program = world.callers[caller].on(world.callers[target])
    if status == 401:
        program.source = fresh_source()
    answer = program.ask(method, path, credentials=caller != "anonymous", headers={"Accept": "application/json"})
    if status == 200:
        assert answer.status == 200, answer
    else:
        assert_refused(answer, status, code)
    program.close()


def without_time(value):
    """A representation without what time changes."""
    if isinstance(value, list):
        return [without_time(element) for element in value]
    if isinstance(value, dict):
        return {name: without_time(element) for name, element in value.items() if name != "expires_in"}
    return value


@pytest.mark.parametrize("method, path, form", [route for route in ROUTES if re.search(
    r"\{(client|registration|application|number|call|message)\}", route[1])],
    ids=lambda value: value if isinstance(value, str) else "")
def test_a_resource_is_found_under_its_own_account_only(world, method, path, form):
    values = world.values("owner", set(re.findall(r"\{(\w+)\}", path)))
    path = path.format(**values)
    form = form and {name: value.format(**values) for name, value in form.items()}
    for caller, target in (("top", "top"), ("top", "below"), ("sibling", "sibling")):
        program = world.callers[caller].on(world.callers[target])
        answer = program.ask(method, path, form, headers={"Accept": "application/json"})
        assert_refused(answer, 403, "R-3104")
        program.close()
    owner = world.callers["owner"].copy()
    assert owner.ask("GET", path, headers={"Accept": "application/json"}).status == 200, "and is still there"
    owner.close()


@pytest.mark.parametrize("method, form", [("GET", None), ("POST", {"FriendlyName": "x"})])
@pytest.mark.parametrize("caller, status, code", [
    ("anonymous", 401, "R-3101"), ("impostor", 401, "R-3101"), ("stranger", 401, "R-3101"),
    ("suspended", 403, "R-3102"), ("closed", 403, "R-3102"), ("below suspended", 403, "R-3102"),
    ("below closed", 403, "R-3102")])
def test_the_list_of_accounts_is_for_active_accounts(world, method, form, caller, status, code):
    program = world.callers[caller].copy(source=fresh_source())
    assert_refused(program.ask(method, "/Accounts.json", form, credentials=caller != "anonymous"), status, code)
    program.close()


def test_nothing_of_a_parent_or_sibling_is_in_an_accounts_lists(world):
    for name in ("top", "owner", "below", "sibling"):
        program = world.callers[name].copy()
        for path, key in (("Clients", None), ("Registrations", None), ("Applications", None),
                          ("IncomingPhoneNumbers", "incomingPhoneNumbers"), ("Calls", "calls"), ("SMS/Messages", "messages")):
            listed = program.fetch(path)
            for entry in listed[key] if key else listed:
                assert entry["account_sid"] == program.account
        program.close()


@pytest.mark.parametrize("path, method", [
    ("/Accounts/{account}", "DELETE"), ("/Accounts", "PUT"), ("/Accounts", "DELETE"), ("Calls", "PUT"), ("Calls", "DELETE"),
    ("Notifications", "POST"),
    ("Calls/{call}", "DELETE"), ("Calls/{call}", "PUT"), ("SMS/Messages/{message}", "DELETE"),
    ("Messages/{message}", "DELETE"), ("Registrations", "POST"), ("Registrations/{registration}", "PUT"),
    ("Clients/{client}/RegistrationStatus", "POST"), ("Clients/{client}/Registrations", "DELETE"),
    ("Applications", "DELETE"), ("IncomingPhoneNumbers", "PUT")])
def test_what_is_not_served_is_answered_405(world, path, method):
    values = world.values("owner", set(re.findall(r"\{(\w+)\}", path)))
    program = world.callers["owner"].copy()
    answer = program.ask(method, path.format(**values), {}, headers={"Accept": "application/json"})
    assert_refused(answer, 405, "R-3202")
    allowed = {word.strip() for word in answer["Allow"].split(",")}
    assert "GET" in allowed and method not in allowed
    program.close()


# Sub-accounts.

MEMBERS = ["sid", "friendly_name", "email_address", "type", "status", "date_created", "date_updated", "auth_token", "uri",
           "subresource_uris"]


def test_a_sub_account_is_made_and_shown(api):
    made = api.create("/Accounts", FriendlyName="Sales", EmailAddress="sales@company.test")
    assert [name for name in made if name != "parent_account_sid"] == MEMBERS
    assert is_sid(made["sid"], "AC")
    assert re.fullmatch(r"[0-9a-f]{32}", made["auth_token"])
    assert (made["friendly_name"], made["email_address"]) == ("Sales", "sales@company.test")
    assert (made["type"], made["status"]) == ("Full", "active")
    assert DATE.fullmatch(made["date_created"]) and DATE.fullmatch(made["date_updated"])
    assert made["uri"] == f"/api/2012-04-24/Accounts/{made['sid']}.json"
    assert made.get("parent_account_sid", api.user) == api.user
    assert api.fetch(f"/Accounts/{made['sid']}") == made
    assert api.ask("GET", made["uri"]).json() == made
    child = api.copy(user=made["sid"], password=made["auth_token"], account=made["sid"])
    assert child.fetch(f"/Accounts/{made['sid']}") == made, "an account sees itself"
    assert set(made["subresource_uris"]) == {
        "clients", "calls", "applications", "incoming_phone_numbers", "sms_messages", "registrations"}
    for uri in made["subresource_uris"].values():
        assert child.ask("GET", uri).status == 200
    child.close()


def test_a_sub_account_in_xml(api):
    child = api.child(FriendlyName="Sales & Support")
    (account,) = child.get(f"/Accounts/{child.user}").xml()
    assert account.tag == "Account"
    assert account.findtext("Sid") == child.user
    assert account.findtext("FriendlyName") == "Sales & Support"
    assert account.findtext("AuthToken") == child.password
    below = child.child()
    (accounts,) = child.get("/Accounts").xml()
    assert accounts.tag == "Accounts"
    assert [account.findtext("Sid") for account in accounts] == [below.user]
    child.close()
    below.close()


def test_the_name_is_the_address_or_the_sid_where_none_is_given(api):
    assert api.create("/Accounts", EmailAddress="unnamed@company.test")["friendly_name"] == "unnamed@company.test"
    made = api.create("/Accounts")
    assert made["friendly_name"] == made["sid"]
    assert "email_address" not in made


def test_an_email_address_belongs_to_one_account(api):
    made = api.create("/Accounts", EmailAddress="once@company.test")
    other = api.create("/Accounts")
    assert_refused(api.post("/Accounts.json", EmailAddress="once@company.test"), 409, "R-3405")
    assert_refused(api.put(f"/Accounts/{other['sid']}.json", EmailAddress="once@company.test"), 409, "R-3405")
    assert api.update(f"/Accounts/{made['sid']}", EmailAddress="once@company.test")["sid"] == made["sid"]


@pytest.mark.parametrize("form, parameter", [
    ({"EmailAddress": "nobody"}, "EmailAddress"), ({"EmailAddress": "a b@company.test"}, "EmailAddress"),
    ({"EmailAddress": "a@company.test\r\nX: y"}, "EmailAddress"), ({"FriendlyName": "x" * 65}, "FriendlyName"),
    ({"FriendlyName": "a\0b"}, "FriendlyName"), ({"Status": "suspended"}, "Status"), ({"Status": "closed"}, "Status"),
    ({"Status": "asleep"}, "Status"), ({"Password": "RestComm1234"}, "Password")], ids=ascii)
def test_a_wrong_value_of_a_new_account_is_refused(api, form, parameter):
    before = api.fetch("/Accounts")
    assert_refused(api.post("/Accounts.json", **form), 400, "R-3302", parameter=parameter)
    assert api.fetch("/Accounts") == before


def test_the_list_has_the_children_of_the_caller_in_the_order_of_creation(api):
    parent = api.child()
    children = [parent.create("/Accounts", FriendlyName=f"child {number % 2}") for number in range(5)]
    assert parent.fetch("/Accounts") == children, "the caller is not in it"
    listed = [account["sid"] for account in api.fetch("/Accounts")]
    assert parent.user in listed and not {child["sid"] for child in children} & set(listed), "children, not their children"
    assert parent.fetch("/Accounts", FriendlyName="child 1") == children[1::2]
    assert parent.fetch("/Accounts", Page=1, PageSize=2) == children[2:4]
    suspended = parent.update(f"/Accounts/{children[3]['sid']}", Status="suspended")
    assert parent.fetch("/Accounts", Status="suspended") == [suspended]
    assert len(parent.fetch("/Accounts", Status="active")) == 4
    parent.close()


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_account_is_changed_by_itself_and_by_its_parent(api, method):
    child = api.child(FriendlyName="before", EmailAddress=f"{method.lower()}@company.test")
    for program in (api, child):
        form = {"FriendlyName": f"by {program.user}", "EmailAddress": f"{program.user}@company.test"}
        answer = program.ask(method, f"/Accounts/{child.user}.json", form)
        assert answer.status == 200
        assert (answer.json()["friendly_name"], answer.json()["email_address"]) == tuple(form.values())
        assert api.fetch(f"/Accounts/{child.user}") == answer.json()
    child.close()


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
def test_no_account_changes_its_own_status(api, status):
    child = api.child()
    for program in (api, child):
        assert_refused(program.put(f"/Accounts/{program.user}.json", Status=status), 403, "R-3106")
        assert program.fetch(f"/Accounts/{program.user}")["status"] == "active"
    child.close()


@pytest.mark.parametrize("form, parameter", [
    ({"Status": "asleep"}, "Status"), ({"Status": ""}, "Status"), ({"RenewAuthToken": "perhaps"}, "RenewAuthToken"),
    ({"EmailAddress": "nobody"}, "EmailAddress"), ({"FriendlyName": "a\nb"}, "FriendlyName"),
    ({"Password": "x"}, "Password")], ids=str)
def test_a_wrong_value_of_a_change_is_refused_and_nothing_is_changed(api, form, parameter):
    made = api.create("/Accounts", FriendlyName="kept")
    answer = api.put(f"/Accounts/{made['sid']}.json", **{"FriendlyName": "new", **form})
    assert_refused(answer, 400, "R-3302", parameter=parameter)
    assert api.fetch(f"/Accounts/{made['sid']}") == made


def test_three_levels_and_no_more(api):
    third = api.child().child()
    assert_refused(third.post("/Accounts.json"), 400, "R-3407", "not allowed to have sub-accounts")
    assert third.fetch("/Accounts") == []
    third.close()


# Tokens.

@pytest.mark.parametrize("by", ["itself", "its parent"])
def test_a_renewed_token_counts_at_once_and_the_old_one_no_more(api, by):
    child = api.child(EmailAddress=f"{'own' if by == 'itself' else 'other'}-token@company.test")
    child.source = fresh_source()
    child.close()
    assert child.get("Clients.json").status == 200
    old_connection = child.connection
    answer = (child if by == "itself" else api).put(f"/Accounts/{child.user}.json", RenewAuthToken="true")
    assert answer.status == 200
    renewed = answer.json()["auth_token"]
    assert re.fullmatch(r"[0-9a-f]{32}", renewed) and renewed != child.password
    assert old_connection is child.connection, "on the same connection too"
    assert_refused(child.get("Clients.json"), 401, "R-3101")
    by_email = child.copy(user=api.fetch(f"/Accounts/{child.user}")["email_address"])
    assert_refused(by_email.get("Clients.json"), 401, "R-3101")
    child.password = by_email.password = renewed
    assert child.get("Clients.json").status == 200
    assert by_email.get("Clients.json").status == 200
    assert child.update(f"/Accounts/{child.user}", RenewAuthToken="false")["auth_token"] == renewed
    child.close()
    by_email.close()


@pytest.mark.configuration()
def test_the_command_line_shows_the_renewed_token_of_the_top_account(server, api):
    renewed = api.update(f"/Accounts/{api.user}", RenewAuthToken="true")["auth_token"]
    assert renewed != api.password
    server._account = None
    assert server.account() == (api.user, renewed)
    server.kill()
    server.start()
    assert_refused(api.copy(source=fresh_source()).get("Clients.json"), 401, "R-3101")
    assert API.of(server).get("Clients.json").status == 200


def test_the_tokens_are_not_in_the_log(server, api):
    child = api.child()
    child.copy(password="n0t-the-t0ken", source=fresh_source()).get("Clients.json")
    child.update(f"/Accounts/{child.user}", RenewAuthToken="true")
    for secret in (api.password, child.password, "n0t-the-t0ken", child.authorization.split()[1]):
        assert secret not in server.log()
    child.close()


# Suspension and closing, with what they do to phones.

@pytest.fixture
def family(api, person):
    """An account with one below it, a client with a registered phone in each, and a client outside."""
    class Family:
        parent = api.child(FriendlyName="parent")
        child = parent.child(FriendlyName="child")
        first, second, outside = person(account=parent), person(account=child), person()
        phones = first, second
    yield Family
    Family.parent.close()
    Family.child.close()


def set_status(api, account, status):
    return api.update(f"/Accounts/{account.user}", Status=status)


def test_suspending_an_account_refuses_it_and_all_below_at_once(api, family):
    answer = set_status(api, family.parent, "suspended")
    assert answer["status"] == "suspended"
    for program in (family.parent, family.child):
        assert_refused(program.get("Clients.json"), 403, "R-3102", "not active")
        assert api.fetch(f"/Accounts/{program.user}")["status"] == "suspended", "the effective status"
    for phone in family.phones:
        assert family.outside.text(phone.login).status in (404, 480), "its bindings are gone"
        phone.expect_silence("MESSAGE")
        assert phone.try_to_register().status in (401, 403)
        assert phone.call(family.outside.login).expect_final().status in (403, 407)
    assert api.on(family.parent).fetch("Registrations") == []
    assert api.on(family.child).fetch("Registrations") == []
    assert family.outside.try_to_register().status == 200


def test_an_account_that_is_active_again_has_everything_back(api, family):
    clients = family.child.fetch("Clients")
    set_status(api, family.parent, "suspended")
    assert api.on(family.child).fetch("Clients") == clients, "nothing is deleted"
    set_status(api, family.parent, "active")
    assert api.fetch(f"/Accounts/{family.child.user}")["status"] == "active"
    assert family.child.fetch("Clients") == clients
    for phone in family.phones:
        assert phone.try_to_register().status == 200
    call, answered = connect(family.outside, family.second)
    answered.hang_up(call)


def test_a_child_that_was_suspended_by_itself_stays_so(api, family):
    set_status(family.parent, family.child, "suspended")
    assert family.first.try_to_register().status == 200, "the account above goes on"
    set_status(api, family.parent, "suspended")
    set_status(api, family.parent, "active")
    assert api.fetch(f"/Accounts/{family.child.user}")["status"] == "suspended"
    assert family.first.try_to_register().status == 200
    assert family.second.try_to_register().status in (401, 403)


def test_a_client_that_is_disabled_stays_so_when_its_account_is_active_again(api, family):
    family.parent.update(f"Clients/{family.first.sid}", Status="0")
    set_status(api, family.parent, "suspended")
    set_status(api, family.parent, "active")
    assert family.parent.fetch(f"Clients/{family.first.sid}")["status"] == "0"
    assert family.first.try_to_register().status == 401


def test_closing_an_account_ends_it_and_all_below_for_good(api, family):
    for program in (family.parent, family.child):
        program.create("Applications", FriendlyName="gone")
        program.create("IncomingPhoneNumbers", PhoneNumber=f"+1888{next(_numbers):06}")
    assert set_status(api, family.parent, "closed")["status"] == "closed"
    for program in (family.parent, family.child):
        assert api.fetch(f"/Accounts/{program.user}")["status"] == "closed"
        assert_refused(program.get("Clients.json"), 403, "R-3102")
        for path, key in (("Clients", None), ("Applications", None), ("Registrations", None),
                          ("IncomingPhoneNumbers", "incomingPhoneNumbers")):
            listed = api.on(program).fetch(path)
            assert (listed[key] if key else listed) == []
        for form in ({"Status": "active"}, {"FriendlyName": "x"}, {"RenewAuthToken": "true"}):
            assert_refused(api.put(f"/Accounts/{program.user}.json", **form), 400, "R-3406", "Account is closed")
        answer = api.on(program).post("Clients.json", Login=f"late-{next(_numbers)}", Password="p")
        assert answer.status in (400, 403, 409), "nothing new in a closed account"
    for phone in family.phones:
        assert family.outside.text(phone.login).status == 404
        phone.expect_silence("MESSAGE")
        assert phone.try_to_register().status in (401, 403)


def test_logins_and_numbers_of_a_closed_account_are_free_again(api, family):
    number = f"+1999{next(_numbers):06}"
    family.parent.create("IncomingPhoneNumbers", PhoneNumber=number)
    set_status(api, family.parent, "closed")
    assert api.create("IncomingPhoneNumbers", PhoneNumber=number)["phone_number"] == number
    for phone in family.phones:
        made = api.create("Clients", Login=phone.login, Password="another")
        assert made["sid"] != phone.sid


def test_records_of_a_closed_account_are_kept(api, family):
    call, answered = connect(family.second, family.outside)
    call.hang_up(answered)
    assert eventually(lambda: family.child.fetch("Calls", Status="completed")["total"] == 1)
    set_status(api, family.child, "closed")
    assert api.on(family.child).fetch("Calls")["total"] == 1


def test_a_call_of_an_account_that_is_suspended_can_be_ended(api, family):
    call, answered = connect(family.first, family.outside)
    set_status(api, family.parent, "suspended")
    call.hang_up(answered)


@pytest.mark.configuration()
def test_suspension_is_in_the_log_and_survives_kill_9(server, api, family):
    set_status(api, family.parent, "suspended")
    for phone in family.phones:
        server.wait_for_event("reg.removed", user=phone.login)
    server.kill()
    server.start()
    assert_refused(family.child.get("Clients.json"), 403, "R-3102")
    for phone in family.phones:
        assert phone.try_to_register().status in (401, 403)
    assert family.outside.try_to_register().status == 200
    set_status(api, family.parent, "active")
    for phone in family.phones:
        assert eventually(lambda: phone.try_to_register().status == 200)
