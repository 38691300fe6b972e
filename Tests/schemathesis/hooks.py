"""Hooks of schemathesis: they put sids that exist in the place of most invented ones, and read the XML answers.

Loaded by schemathesis itself; Tests/schemathesis/run says where the API is, and with which credentials."""

import atexit
import collections
import itertools
import json
import os
import pathlib
import re
import sys
import time
import urllib.parse
import xml.etree.ElementTree
import zlib

import requests
import schemathesis
import schemathesis.engine.observations

API = os.environ["ROLLCALL_API"] + "/api/2012-04-24"
ACCOUNT = os.environ["ROLLCALL_ACCOUNT"]
CREDENTIALS = (ACCOUNT, os.environ["ROLLCALL_TOKEN"])
REFRESH = 0.5  # Seconds for which a list of sids is good.
SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
SUFFIXED = re.compile(rf"({SID.pattern})(\.json|\.xml)?")

PARTY = re.compile(r"(sip:)?[A-Za-z0-9]+@.*|(client:)?[A-Za-z0-9\-_.!~*'();&=+$,]{1,64}")
GOOD_URL = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9_-]{1,62}(\.[A-Za-z0-9_-]{1,62}){0,3}(:[1-9][0-9]{0,3})?"
    r"([/?]([A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?")
LEAST = 3  # So many resources are kept of what can be made.
# Whose client, and whose registrations, are needed to the end.
# Where no application is asked: the server does not do so on its own machine.
NOWHERE = "http://127.0.0.1:9/"
KEPT = {"ClientSid": ("alice", "bob", "carol", "dave"), "RegistrationSid": ("alice", "bob")}

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from phone import Phone  # noqa: E402

dave = Phone(
    ("127.0.0.1", int(os.environ["ROLLCALL_SIP_PORT"])), "dave", os.environ["ROLLCALL_DAVE"],
    os.environ["ROLLCALL_DOMAIN"])


def post(path, form):
    return session.post(f"{API}/Accounts/{ACCOUNT}/{path}.json", data=form, timeout=10).json()


def make_registration(number):
    """Registers one more device of dave."""
    dave.try_to_register([f"<sip:dave@127.0.0.1:{20_000 + number % 9_000}>;q=0.5"])


def make_ban(number):
    """Lets a login wait, by wrong passwords."""
    guesser = Phone(dave.server, f"guess{number}", "wrong", dave.domain)
    for _ in range(6):
        guesser.try_to_register()
    guesser.close()


# The place of a sid: the list that has it, the member of the list, and how one more is made.
PLACES = {
    "ClientSid": ("Clients", None, lambda n: post("Clients", {"Login": f"seed{n}", "Password": "secret"})),
    "ApplicationSid": ("Applications", None, lambda n: post("Applications", {"FriendlyName": f"seed{n}"})),
    "PhoneNumberSid": (
        "IncomingPhoneNumbers", "incomingPhoneNumbers",
        lambda n: post("IncomingPhoneNumbers", {"PhoneNumber": f"+1555{n:07}"})),
    "RegistrationSid": ("Registrations", None, make_registration),
    "BanSid": ("Bans", None, make_ban),
    "CallSid": ("Calls?Reverse=true", "calls", None),
    "NotificationSid": ("Notifications", "notifications", None),
    "MessageSid": ("SMS/Messages", "messages", None),
}

session = requests.Session()
session.auth = CREDENTIALS
numbers = itertools.count(int(time.time()) % 100_000 * 10)
lists = {}
reached = collections.defaultdict(collections.Counter)  # Statuses by operation.
kept = set()  # Sids of what must not be changed.
given = set()  # Sids that the API has named: schemathesis has them from there, so they stay.


def existing(place):
    """The resources of a place, newest first; some are made where they ran out."""
    path, member, make = PLACES[place]
    known = lists.get(place)
    if known and time.monotonic() - known[0] < REFRESH:
        return known[1]
    path, _, query = path.partition("?")
    address = f"{API}/Accounts/{ACCOUNT}/{path}.json?{query}"

    def read():
        found = session.get(address, params={"PageSize": 1000}, timeout=10).json()
        found = found[member] if member else found
        kept.update(resource["sid"] for resource in found if resource.get("login") in KEPT.get(place, ()))
        return [resource for resource in found if resource["sid"] not in kept]

    found = read()
    if make and len(found) < LEAST:
        for _ in range(LEAST):
            make(next(numbers))
        found = read()
    lists[place] = (time.monotonic(), found)
    return found


def live_call():
    """A call of the API that rings: alice's phone says nothing."""
    def ringing():
        found = session.get(
            f"{API}/Accounts/{ACCOUNT}/Calls.json", params={"Reverse": "true", "PageSize": 20}, timeout=10).json()
        return [call for call in found["calls"] if call["direction"] == "outbound-api" and "end_time" not in call]
    found = ringing()
    if not found:
        post("Calls", {"From": "bob", "To": "alice", "Url": NOWHERE})
        found = ringing()
    return found[0]["sid"] if found else None


def sub_account():
    """An account below ours that may be changed."""
    known = lists.get("AccountSid")
    if known and time.monotonic() - known[0] < REFRESH:
        return known[1]
    found = session.get(f"{API}/Accounts.json", params={"Status": "active", "PageSize": 1000}, timeout=10).json()
    sid = found[-1]["sid"] if found else session.post(f"{API}/Accounts.json", timeout=10).json()["sid"]
    lists["AccountSid"] = (time.monotonic(), sid)
    return sid


def chance(*values):
    """A number that depends on nothing but the values, so that a case stays the same when it is run again."""
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = context.operation.definition.raw["operationId"]
    path = dict(case.path_parameters or {})
    draw = chance(operation, sorted(path.items()), case.query, case.body)
    if draw % 8 == 1 and not is_stateful(case):
        case.headers["Accept"] = "application/xml"
    account = path.get("AccountSid")
    if isinstance(account, str) and (SUFFIXED.fullmatch(account) or "@" in account):
        if operation in ("updateAccount", "replaceAccount"):
            # Our own token must stay what it is.
            if account not in given or account == ACCOUNT:
                path["AccountSid"] = sub_account()
        elif operation != "readAccount" and (account in given or draw % 16 > 1) or draw % 4:
            path["AccountSid"] = ACCOUNT
    # The last sid first: a client in front of a registration must be its own.
    for place in reversed([name for name in path if name in PLACES]):
        value = path[place]
        sid = SUFFIXED.fullmatch(value) if isinstance(value, str) else None
        if not sid or sid[1] not in kept and (sid[1] in given and is_stateful(case) or draw % 4 == 0):
            continue
        if path["AccountSid"] == ACCOUNT and (resources := existing(place)):
            resource = resources[draw // 4 % len(resources)]
            path[place] = resource["sid"] + (sid[2] or "")
            if place == "RegistrationSid" and "ClientSid" in path:
                path["ClientSid"] = resource["client_sid"]
                break
    if operation == "orderCall" and path.get("AccountSid") == ACCOUNT and draw % 8 > 2 and (live := live_call()):
        path["CallSid"] = live
    if path != (case.path_parameters or {}):
        case.path_parameters = path
    if isinstance(case.body, dict):
        case.body = seeded(case.body, draw, path.get("AccountSid") == ACCOUNT, operation)


def seeded(form, draw, is_ours, operation):
    """The form with applications that exist, and mostly a sender and a recipient that exist."""
    form = dict(form)
    for name in ("VoiceApplicationSid", "SmsApplicationSid", "ApplicationSid"):
        if isinstance(form.get(name), str) and SID.fullmatch(form[name]):
            # Those of another account, or of none, are refused by a test of their own.
            form[name] = existing("ApplicationSid")[0]["sid"] if is_ours else ""
    if "PhoneNumber" in form and form.get("isSIP") in (None, "", "false") and draw % 4:
        form["isSIP"] = "true"
    # Nobody outside is asked for what is made up here.
    if operation in ("startCall", "orderCall"):
        for name in ("Url", "FallbackUrl", "StatusCallback"):
            if isinstance(form.get(name), str) and GOOD_URL.fullmatch(form[name]):
                form[name] = NOWHERE
    if operation == "orderCall" and draw % 4:
        if not form.get("Status") and not form.get("Url"):
            form["Status"] = ("completed", "canceled")[draw // 4 % 2]
        elif form.get("Status") in ("completed", "canceled") and form.get("Url") == NOWHERE:
            del form["Url"]
    # What is wrong with a form stays in it.
    parties = [form.get(name) for name in ("From", "To")]
    if is_ours and all(isinstance(party, str) and PARTY.fullmatch(party) for party in parties) and draw % 4:
        form["From"] = ("alice", "client:bob")[draw // 4 % 2]
        form["To"] = ("bob", "client:alice", "bob", "carol")[draw // 8 % 4]
        if operation == "startCall" and not form.get("ApplicationSid"):
            form.setdefault("Url", NOWHERE)
    return form


def is_stateful(case):
    return case.meta is not None and case.meta.phase.name.value == "stateful"


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.method.upper() == (response.request.method or "").upper():
        reached[case.operation.definition.raw["operationId"]][response.status_code] += 1
    given.update(SID.findall(response.text if len(response.content) < 100_000 else ""))
    if case.operation.method.upper() in ("DELETE", "POST", "PUT") and response.status_code < 300:
        lists.clear()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops what is no mistake of the API, though schemathesis cannot know it.

    Of a repeated parameter the first value counts, as at Restcomm, whatever follows it. And an empty value is as good as
    none (`allowEmptyValue`), also for a number. And whoever brings wrong credentials again and again is asked to wait."""
    if failure.code == "ST401" and "got `429" in failure.message:
        return False
    if type(failure).__name__ != "AcceptedNegativeData":
        return True
    faults = [line for line in failure.message.splitlines() if "/properties/" in line and "header:" not in line]
    # As it was sent: an object without members, for example, is an empty value in a query.
    body = response.request.body or ""
    body = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    query, form = (
        urllib.parse.parse_qs(text, keep_blank_values=True)
        for text in (urllib.parse.urlsplit(response.request.url).query, body))

    def is_none(fault):
        name = re.search(r"/properties/([^/ ]+)", fault)[1]
        if "body:" in fault:
            return len(form.get(name, [])) > 1
        return len(query.get(name, [])) > 1 or not query.get(name, [""])[0]

    return not faults or not all(is_none(fault) for fault in faults)


def forgiving(same_origin_path):
    """schemathesis 4.32.5 ends its run at a text in an answer that begins like a URL and is none ("http://[")."""
    def path(value, origin):
        try:
            return same_origin_path(value, origin)
        except ValueError:
            return None

    return path


schemathesis.engine.observations._same_origin_path = forgiving(schemathesis.engine.observations._same_origin_path)


@atexit.register
def write_reached():
    pathlib.Path(os.environ["ROLLCALL_REACHED"]).write_text(json.dumps(reached))


@schemathesis.check
def xml_is_well_formed(context, response, case):
    """An answer in XML is one document with Restcomm's root element."""
    kind = response.headers.get("content-type", [""])[0]
    if kind.startswith("application/xml") and response.content and case.method.upper() != "HEAD":
        root = xml.etree.ElementTree.fromstring(response.content)
        assert root.tag == "RestcommResponse", f"the root element is {root.tag}"


@schemathesis.check
def errors_have_their_code(context, response, case):
    """A refusal in JSON names a code, and in words what is wrong."""
    kind = response.headers.get("content-type", [""])[0]
    if response.status_code >= 400 and kind.startswith("application/json"):
        error = response.json()
        assert re.fullmatch(r"R-3\d{3}", error["code"]), error
        assert error["message"] and error["more_info"] == f"Docs/Reasons.md#{error['code'].lower()}", error
