"""Applications by the HTTP API: every parameter, the list, and what refers to them."""

import pytest

from api import DATE, assert_refused, fields, is_sid, sid

SHARES_ONE_DAEMON = True

FULL = {
    "FriendlyName": "Menu", "VoiceUrl": "http://app.example/voice?a=1&b=2", "VoiceMethod": "GET",
    "VoiceFallbackUrl": "https://app.example/fallback", "VoiceFallbackMethod": "GET", "SmsUrl": "http://app.example/sms",
    "SmsMethod": "GET", "SmsFallbackUrl": "http://app.example/sms/fallback", "SmsFallbackMethod": "GET",
    "StatusCallback": "http://app.example/status", "StatusCallbackMethod": "GET",
}
MEMBERS = [
    "sid", "date_created", "date_updated", "friendly_name", "account_sid", "api_version", "voice_url", "voice_method",
    "voice_fallback_url", "voice_fallback_method", "sms_url", "sms_method", "sms_fallback_url", "sms_fallback_method",
    "status_callback", "status_callback_method", "rcml_url", "uri"]
MEMBER_OF = {
    "FriendlyName": "friendly_name", "VoiceUrl": "voice_url", "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url", "VoiceFallbackMethod": "voice_fallback_method", "SmsUrl": "sms_url",
    "SmsMethod": "sms_method", "SmsFallbackUrl": "sms_fallback_url", "SmsFallbackMethod": "sms_fallback_method",
    "StatusCallback": "status_callback", "StatusCallbackMethod": "status_callback_method"}


def test_every_attribute_is_shown_in_its_order(api):
    made = api.create("Applications", **FULL)
    assert list(made) == MEMBERS
    assert is_sid(made["sid"], "AP") and made["account_sid"] == api.user
    assert DATE.fullmatch(made["date_created"]) and DATE.fullmatch(made["date_updated"])
    assert made["api_version"] == "2012-04-24"
    assert {name: made[member] for name, member in MEMBER_OF.items()} == FULL
    assert made["rcml_url"] == made["voice_url"], "the name that Restcomm has for it"
    assert made["uri"] == f"/api/2012-04-24/Accounts/{api.user}/Applications/{made['sid']}.json"
    assert api.fetch(f"Applications/{made['sid']}") == made
    assert api.ask("GET", made["uri"]).json() == made


def test_an_application_in_xml(api):
    made = api.create("Applications", **FULL)
    (application,) = api.get(f"Applications/{made['sid']}").xml()
    assert application.tag == "Application"
    shown = dict(fields(application))
    assert {name: shown[name] for name in FULL} == FULL
    assert shown["RcmlUrl"] == FULL["VoiceUrl"]
    assert shown["Sid"] == made["sid"] and shown["AccountSid"] == api.user
    (applications,) = api.get("Applications").xml()
    assert applications.tag == "Applications"
    assert {application.tag for application in applications} == {"Application"}


def test_a_name_is_enough_and_what_has_no_value_is_left_out(api):
    made = api.create("Applications", FriendlyName="Plain")
    assert not {"voice_url", "voice_fallback_url", "sms_url", "sms_fallback_url", "status_callback", "rcml_url"} & set(made)
    assert {made[name] for name in ("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method",
                                    "status_callback_method") if name in made} <= {"POST"}


@pytest.mark.parametrize("suffix", [".json", ""])
def test_a_missing_name_is_told_in_restcomms_words(api, suffix):
    message = assert_refused(api.post(f"Applications{suffix}", VoiceUrl="http://app.example/voice"), 400, "R-3301")
    assert message == "Friendly name can not be null."


def test_rcml_url_is_another_name_for_voice_url(api):
    made = api.create("Applications", FriendlyName="Old", RcmlUrl="http://app.example/rcml")
    assert made["voice_url"] == made["rcml_url"] == "http://app.example/rcml"
    changed = api.update(f"Applications/{made['sid']}", RcmlUrl="http://app.example/new")
    assert changed["voice_url"] == changed["rcml_url"] == "http://app.example/new"


@pytest.mark.parametrize("name", [name for name in FULL if name != "FriendlyName"])
def test_a_wrong_value_is_refused_and_its_parameter_is_named(api, name):
    before = api.fetch("Applications")
    wrong = ["PATCH"] if name.endswith("Method") else ["ftp://app.example/", "app.example", "/a b", "/" + "x" * 2048, "/\r\nx"]
    for value in wrong:
        assert_refused(api.post("Applications.json", FriendlyName="Wrong", **{name: value}), 400, "R-3302", parameter=name)
    assert api.fetch("Applications") == before
    made = api.create("Applications", **FULL)
    assert_refused(api.put(f"Applications/{made['sid']}.json", FriendlyName="New", **{name: wrong[0]}), 400, parameter=name)
    assert api.fetch(f"Applications/{made['sid']}") == made, "all or nothing"


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "a\0b"], ids=ascii)
def test_a_wrong_name_is_refused(api, name):
    assert_refused(api.post("Applications.json", FriendlyName=name), 400, "R-3302", parameter="FriendlyName")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_change_touches_what_it_names_and_empty_clears(api, method):
    made = api.create("Applications", **FULL)
    for name, member in MEMBER_OF.items():
        value = "POST" if name.endswith("Method") else "http://app.example/new"
        answer = api.ask(method, f"Applications/{made['sid']}.json", {name: value})
        assert answer.status == 200, answer
        changed = answer.json()
        made = {**made, member: value, "date_updated": changed["date_updated"]}
        made["rcml_url"] = made["voice_url"]
        assert changed == made
    cleared = api.update(
        f"Applications/{made['sid']}", VoiceUrl="", VoiceFallbackUrl="", SmsUrl="", SmsFallbackUrl="", StatusCallback="")
    assert not {"voice_url", "rcml_url", "voice_fallback_url", "sms_url", "sms_fallback_url", "status_callback"} & set(cleared)


def test_a_name_is_not_unique_and_the_list_can_be_filtered_by_it(api):
    child = api.child()
    made = [child.create("Applications", FriendlyName=f"App {number % 2}") for number in range(5)]
    assert child.fetch("Applications") == made, "a bare array in the order of creation"
    assert child.fetch("Applications", FriendlyName="App 1") == made[1::2]
    assert child.fetch("Applications", Page=1, PageSize=2) == made[2:4]
    assert child.fetch("Applications", FriendlyName="nothing") == []
    child.close()


def test_a_deleted_application_is_gone(api):
    made = api.create("Applications", FriendlyName="Gone")
    answer = api.delete(f"Applications/{made['sid']}")
    assert (answer.status, answer.body) == (200, b"")
    for method in ("GET", "PUT", "DELETE"):
        # Docs/Compatibility.md: Restcomm answers 200 to the DELETE of what does not exist.
        form = {} if method == "PUT" else None
        assert_refused(api.ask(method, f"Applications/{made['sid']}.json", form), 404, "R-3201")


@pytest.mark.parametrize("name", [sid("AP"), "AP1", sid("CL"), "menu"])
def test_an_unknown_application_is_answered_404(api, name):
    assert_refused(api.get(f"Applications/{name}.json"), 404, "R-3201")


# What refers to it.

@pytest.mark.parametrize("kind", ["client", "number by voice", "number by sms"])
def test_an_application_in_use_is_not_deleted(api, person, kind):
    made = api.create("Applications", FriendlyName="Used")
    if kind == "client":
        holder = person(registered=False, VoiceApplicationSid=made["sid"])
        path, parameter, name = f"Clients/{holder.sid}", "VoiceApplicationSid", holder.login
    else:
        parameter = "VoiceApplicationSid" if kind == "number by voice" else "SmsApplicationSid"
        name = f"+1201{int(made['sid'][2:], 16) % 10**7:07}"
        number = api.create("IncomingPhoneNumbers", PhoneNumber=name, **{parameter: made["sid"]})
        path = f"IncomingPhoneNumbers/{number['sid']}"
    assert_refused(api.delete(f"Applications/{made['sid']}.json"), 409, "R-3403", name)
    assert api.fetch(f"Applications/{made['sid']}") == made
    api.update(path, **{parameter: ""})
    api.remove(f"Applications/{made['sid']}")


def test_an_application_whose_user_is_deleted_is_free(api, person):
    made = api.create("Applications", FriendlyName="Used")
    holder = person(registered=False, VoiceApplicationSid=made["sid"])
    api.remove(f"Clients/{holder.sid}")
    api.remove(f"Applications/{made['sid']}")


def test_many_users_of_an_application_are_told_without_end(api, person):
    made = api.create("Applications", FriendlyName="Popular")
    for _ in range(40):
        person(registered=False, VoiceApplicationSid=made["sid"])
    answer = api.delete(f"Applications/{made['sid']}.json")
    assert_refused(answer, 409, "R-3403")
    assert len(answer.body) < 4096


@pytest.mark.configuration()
def test_applications_survive_kill_9(server, api):
    made = api.create("Applications", **FULL)
    server.kill()
    server.start()
    assert api.fetch("Applications") == [made]
