"""Incoming phone numbers by the HTTP API: every parameter, the paged list, who holds a number."""

import itertools

import pytest

from api import DATE, assert_refused, fields, is_sid, sid

SHARES_ONE_DAEMON = True
_numbers = itertools.count(1)

URLS = {
    "VoiceUrl": "http://app.example/voice?a=1&b=2", "VoiceMethod": "GET", "VoiceFallbackUrl": "https://app.example/fallback",
    "VoiceFallbackMethod": "GET", "SmsUrl": "http://app.example/sms", "SmsMethod": "GET", "SmsFallbackUrl": "http://app.example/sms/fallback",
    "SmsFallbackMethod": "GET", "StatusCallback": "http://app.example/status", "StatusCallbackMethod": "GET",
}
MEMBER_OF = {
    "VoiceUrl": "voice_url", "VoiceMethod": "voice_method", "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method", "SmsUrl": "sms_url", "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url", "SmsFallbackMethod": "sms_fallback_method", "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method"}
CAPABILITIES = {"voice_capable", "sms_capable", "mms_capable", "fax_capable"}


def unused():
    return f"+49301{next(_numbers):06}"


@pytest.fixture
def number(api):
    """A number that nothing uses yet."""
    return api.create("IncomingPhoneNumbers", PhoneNumber=unused())


def test_every_attribute_is_shown(api):
    application = api.create("Applications", FriendlyName="menu")["sid"]
    phone_number = unused()
    made = api.create(
        "IncomingPhoneNumbers", PhoneNumber=phone_number, FriendlyName="Reception", VoiceApplicationSid=application,
        SmsApplicationSid=application, **URLS)
    assert is_sid(made["sid"], "PN") and made["account_sid"] == api.user
    assert (made["phone_number"], made["friendly_name"]) == (phone_number, "Reception")
    assert {name: made[member] for name, member in MEMBER_OF.items()} == URLS
    assert made["voice_application_sid"] == made["sms_application_sid"] == application
    assert set(made["capabilities"]) == CAPABILITIES
    assert all(isinstance(value, bool) for value in made["capabilities"].values())
    assert DATE.fullmatch(made["date_created"]) and DATE.fullmatch(made["date_updated"])
    assert made["api_version"] == "2012-04-24"
    assert made["uri"] == f"/api/2012-04-24/Accounts/{api.user}/IncomingPhoneNumbers/{made['sid']}.json"
    assert list(made)[:4] == ["sid", "account_sid", "friendly_name", "phone_number"]
    assert api.fetch(f"IncomingPhoneNumbers/{made['sid']}") == made
    assert api.ask("GET", made["uri"]).json() == made


def test_a_number_in_xml(api):
    phone_number = unused()
    made = api.create("IncomingPhoneNumbers", PhoneNumber=phone_number, **URLS)
    (number,) = api.get(f"IncomingPhoneNumbers/{made['sid']}").xml()
    assert number.tag == "IncomingPhoneNumber"
    shown = dict(fields(number))
    assert {name: shown[name] for name in URLS} == URLS
    assert (shown["PhoneNumber"], shown["FriendlyName"]) == (phone_number, phone_number)


def test_a_number_is_enough_and_what_has_no_value_is_left_out(number):
    assert number["friendly_name"] == number["phone_number"]
    assert not {"voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url", "status_callback",
                "voice_application_sid", "sms_application_sid"} & set(number)
    assert None not in number.values(), "Docs/Compatibility.md: Restcomm writes null here"


def test_a_missing_number_is_named(api):
    assert_refused(api.post("IncomingPhoneNumbers.json", FriendlyName="x"), 400, "R-3301", parameter="PhoneNumber")


@pytest.mark.parametrize("good", ["+123", "123", "+123456789012345", "123456789012345", "+4930"])
def test_a_number_has_3_to_15_digits_and_perhaps_a_plus(api, good):
    made = api.create("IncomingPhoneNumbers", PhoneNumber=good)
    assert made["phone_number"] == good, "as it was given"
    api.remove(f"IncomingPhoneNumbers/{made['sid']}")


@pytest.mark.parametrize("bad", [
    "", "+", "12", "+12", "+1234567890123456", "12a4", "+49 30 1", "49-30-1", "++123", "1+23", "sip:123", "reception",
    "١٢٣٤", "123\n", "12\x0034"], ids=ascii)
def test_what_is_no_number_is_refused(api, bad):
    answer = api.post("IncomingPhoneNumbers.json", PhoneNumber=bad)
    assert_refused(answer, 400, parameter="PhoneNumber")
    assert answer.json()["code"] in ("R-3301", "R-3302")


@pytest.mark.parametrize("good", ["reception", "*21", "x" * 64, "sales.team-1"])
def test_a_sip_number_is_any_user(api, good):
    made = api.create("IncomingPhoneNumbers", PhoneNumber=good, isSIP="true")
    assert made["phone_number"] == good
    api.remove(f"IncomingPhoneNumbers/{made['sid']}")


@pytest.mark.parametrize("bad", ["", "a b", "a@b", "x" * 65, "a:b", "a\nb", "<a>", "é"], ids=ascii)
def test_what_is_no_user_is_refused_as_a_sip_number(api, bad):
    assert_refused(
        api.post("IncomingPhoneNumbers.json", PhoneNumber=bad, isSIP="true"), 400, parameter="PhoneNumber")


@pytest.mark.parametrize("name", [*URLS, "VoiceApplicationSid", "SmsApplicationSid", "FriendlyName"])
def test_a_wrong_value_is_refused_and_its_parameter_is_named(api, number, name):
    value = {"Method": "PATCH", "ionSid": sid("AP"), "lyName": "a\nb"}.get(name[-6:], "ftp://app.example/")
    phone_number = unused()
    answer = api.post("IncomingPhoneNumbers.json", PhoneNumber=phone_number, **{name: value})
    assert_refused(answer, 400, "R-3302", parameter=name)
    assert api.fetch("IncomingPhoneNumbers", PhoneNumber=phone_number)["total"] == 0
    answer = api.put(f"IncomingPhoneNumbers/{number['sid']}.json", **{"SmsUrl": "http://app.example/new", name: value})
    assert_refused(answer, 400, parameter=name)
    assert api.fetch(f"IncomingPhoneNumbers/{number['sid']}") == number, "all or nothing"


@pytest.mark.parametrize("parameter", ["VoiceApplicationSid", "SmsApplicationSid"])
def test_an_application_of_another_account_is_refused(api, number, parameter):
    child = api.child()
    theirs = child.create("Applications", FriendlyName="theirs")["sid"]
    for answer in (
        api.post("IncomingPhoneNumbers.json", PhoneNumber=unused(), **{parameter: theirs}),
        api.put(f"IncomingPhoneNumbers/{number['sid']}.json", **{parameter: theirs}),
    ):
        assert_refused(answer, 400, "R-3302", parameter=parameter)
    child.close()


def test_a_number_belongs_to_one_account_and_is_there_once(api, number):
    # Docs/Compatibility.md: Restcomm answers 400 with the text 21452.
    child = api.child()
    for program in (api, child):
        assert_refused(program.post("IncomingPhoneNumbers.json", PhoneNumber=number["phone_number"]), 409, "R-3404")
    assert child.fetch("IncomingPhoneNumbers")["total"] == 0
    child.close()


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_change_touches_what_it_names_and_empty_clears(api, number, method):
    application = api.create("Applications", FriendlyName="menu")["sid"]
    changes = {**URLS, "FriendlyName": "New", "VoiceApplicationSid": application, "SmsApplicationSid": application}
    members = {**MEMBER_OF, "FriendlyName": "friendly_name", "VoiceApplicationSid": "voice_application_sid",
               "SmsApplicationSid": "sms_application_sid"}
    path = f"IncomingPhoneNumbers/{number['sid']}"
    expected = dict(number)
    for name, value in changes.items():
        answer = api.ask(method, f"{path}.json", {name: value})
        assert answer.status == 200, answer
        changed = answer.json()
        varying = {member: changed[member] for member in ("date_updated", "capabilities")}
        expected = {**expected, members[name]: value, **varying}
        assert changed == expected
    cleared = api.update(path, **{name: "" for name in changes})
    assert cleared == {**number, "date_updated": cleared["date_updated"]}


def test_a_number_itself_does_not_change(api, number):
    answer = api.put(f"IncomingPhoneNumbers/{number['sid']}.json", PhoneNumber=unused())
    assert answer.status in (200, 400)
    assert api.fetch(f"IncomingPhoneNumbers/{number['sid']}")["phone_number"] == number["phone_number"]


def test_a_deleted_number_is_gone_and_free(api, number):
    answer = api.delete(f"IncomingPhoneNumbers/{number['sid']}")
    assert (answer.status, answer.body) == (204, b""), "204, as Restcomm has it for numbers"
    for method in ("GET", "PUT", "DELETE"):
        form = {} if method == "PUT" else None
        assert_refused(api.ask(method, f"IncomingPhoneNumbers/{number['sid']}.json", form), 404, "R-3201")
    again = api.create("IncomingPhoneNumbers", PhoneNumber=number["phone_number"])
    assert again["sid"] != number["sid"]


# The list, a paged object.

@pytest.fixture
def seven(api):
    """An account with seven numbers."""
    child = api.child()
    child.made = [
        child.create("IncomingPhoneNumbers", PhoneNumber=unused(), FriendlyName=f"Line {number % 2}") for number in range(7)]
    yield child
    child.close()


def test_the_list_is_a_page_with_its_numbers(seven):
    page = seven.fetch("IncomingPhoneNumbers")
    assert page["incomingPhoneNumbers"] == seven.made
    assert (page["page"], page["num_pages"], page["page_size"], page["total"]) == (0, 1, 50, 7)
    assert (page["start"], page["end"]) == ("0", "6")
    assert page["uri"].startswith(f"/api/2012-04-24/Accounts/{seven.user}/IncomingPhoneNumbers")
    assert page["previous_page_uri"] is None and page["next_page_uri"] is None


def test_the_pages_lead_from_one_to_the_next(seven):
    pages = list(seven.pages("IncomingPhoneNumbers", PageSize=3))
    assert [len(page["incomingPhoneNumbers"]) for page in pages] == [3, 3, 1]
    assert sum((page["incomingPhoneNumbers"] for page in pages), []) == seven.made
    assert {(page["num_pages"], page["total"]) for page in pages} == {(3, 7)}
    assert_refused(seven.get("IncomingPhoneNumbers.json", Page=3, PageSize=3), 400, "R-3304")


def test_the_list_can_be_filtered(seven):
    def found(**query):
        return seven.fetch("IncomingPhoneNumbers", **query)["incomingPhoneNumbers"]
    assert found(PhoneNumber=seven.made[3]["phone_number"]) == [seven.made[3]]
    assert found(PhoneNumber=seven.made[3]["phone_number"][:-1]) == [], "exactly"
    assert found(FriendlyName="Line 1") == seven.made[1::2]
    assert found(FriendlyName="Line") == []


def test_the_list_in_xml(seven):
    (numbers,) = seven.get("IncomingPhoneNumbers", PageSize=3).xml()
    assert numbers.tag == "IncomingPhoneNumbers"
    assert (numbers.get("page"), numbers.get("numpages"), numbers.get("pagesize"), numbers.get("total")) == ("0", "3", "3", "7")
    assert [number.findtext("Sid") for number in numbers] == [number["sid"] for number in seven.made[:3]]


def test_an_account_without_numbers_has_one_empty_page(api):
    child = api.child()
    page = child.fetch("IncomingPhoneNumbers")
    assert (page["incomingPhoneNumbers"], page["total"], page["num_pages"]) == ([], 0, 1)
    child.close()


@pytest.mark.configuration()
def test_numbers_survive_kill_9(server, api):
    made = api.create("IncomingPhoneNumbers", PhoneNumber="+4930", **URLS)
    server.kill()
    server.start()
    assert api.fetch("IncomingPhoneNumbers")["incomingPhoneNumbers"] == [made]
