"""Records of calls: what phones did, as the HTTP API tells it, and the paged list of it."""

import datetime
import re
import time

import pytest

from api import API, DATE, ISO_TIME, assert_refused, fields, is_sid, sid
from conftest import CLIENTS, eventually
from daemon import ROOT, Daemon
from phone import Phone, connect

SHARES_ONE_DAEMON = True
SHORT_TIMERS = {"t1": "20ms", "t2": "160ms", "t4": "200ms"}  # Timers B and F fire after 64 * T1 = 1.28 s.

MEMBERS = [
    "sid", "date_created", "date_updated", "parent_call_sid", "account_sid", "to", "from", "status", "start_time",
    "answer_time", "end_time", "duration", "direction", "api_version", "caller_name", "uri", "ring_duration", "sip_code",
    "reason_code", "reason", "call_id", "subresource_uris"]
STATUSES = {"queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"}


def record_of(program, call, status=None, **query):
    """The record of a call, which must be there once and have (or soon get) a status."""
    def found():
        records = [one for one in program.fetch("Calls", PageSize=1000, **query)["calls"] if one["call_id"] == call.id]
        assert len(records) <= 1, "a call has one record"
        return records[0] if records and status in (None, records[0]["status"]) else None
    record = eventually(found)
    assert record, f"no record with the status {status}: {program.fetch('Calls', PageSize=1000)['calls']}"
    return record


def moment(text):
    """A time of a record in seconds since 1970."""
    assert ISO_TIME.fullmatch(text), text
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def check_refused(record, status, sip, reason):
    """How the record of a call looks that was not answered."""
    assert (record["status"], record["sip_code"], record["reason_code"]) == (status, sip, reason)
    assert record["reason"], "in words too"
    assert "answer_time" not in record
    assert record["duration"] == 0, "talk time only"
    assert moment(record["start_time"]) <= moment(record["end_time"]) <= time.time() + 1


# What becomes of a call.

@pytest.mark.parametrize("ended_by", ["caller", "callee"])
def test_an_answered_call_is_completed_when_either_side_hangs_up(api, person, ended_by):
    began = time.time()
    alice, bob = person(FriendlyName="Alice Liddell"), person()
    call = alice.call(bob.login)
    ringing = bob.incoming_call()
    queued = record_of(api, call, "queued")
    assert not {"answer_time", "end_time", "sip_code", "reason_code", "reason"} & set(queued)
    ringing.reply(180)
    call.expect(180)
    assert "end_time" not in record_of(api, call, "ringing")
    time.sleep(1.1)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    going_on = record_of(api, call, "in-progress")
    assert "end_time" not in going_on and "answer_time" in going_on
    time.sleep(2.1)
    call.hang_up(ringing) if ended_by == "caller" else ringing.hang_up(call)
    record = record_of(api, call, "completed")
    assert [name for name in MEMBERS if name in record] == list(record), "the members in their order"
    assert is_sid(record["sid"], "CA") and record["sid"] == queued["sid"]
    assert (record["from"], record["to"]) == (alice.login, bob.login)
    assert record["caller_name"] == "Alice Liddell"
    assert record["account_sid"] == api.user
    assert (record["direction"], record["api_version"]) == ("client-to-client", "2012-04-24")
    assert record["uri"] == f"/api/2012-04-24/Accounts/{api.user}/Calls/{record['sid']}.json"
    assert "parent_call_sid" not in record and "reason_code" not in record
    start, answer, end = (moment(record[name]) for name in ("start_time", "answer_time", "end_time"))
    assert began - 0.1 <= start and end <= time.time() + 0.1
    assert 1.0 <= answer - start <= 2 and 2.0 <= end - answer <= 3
    assert record["ring_duration"] in (1, 2) and record["duration"] in (2, 3)
    assert DATE.fullmatch(record["date_created"]) and DATE.fullmatch(record["date_updated"])
    assert api.fetch(f"Calls/{record['sid']}") == record
    assert api.ask("GET", record["uri"]).json() == record


def test_a_call_without_ringing_rings_from_its_start(api, person):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    ringing = bob.incoming_call()
    time.sleep(1.1)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.expect("ACK")
    call.hang_up(ringing)
    record = record_of(api, call, "completed")
    assert record["ring_duration"] in (1, 2) and record["duration"] in (0, 1)


@pytest.mark.parametrize("sip, status, reason", [
    (486, "busy", "R-1404"), (600, "busy", "R-1404"), (603, "failed", "R-1405"),
    (500, "failed", "R-1406"), (404, "failed", "R-1406"), (488, "failed", "R-1406"),
    (480, "no-answer", None), (408, "no-answer", None)])
def test_a_refusal_by_the_callee_is_told(api, person, sip, status, reason):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    bob.incoming_call().refuse(sip)
    answered = call.expect_final().status
    record = record_of(api, call, status)
    check_refused(record, status, answered, reason or record["reason_code"])


def test_a_call_that_the_caller_gives_up_is_canceled(api, person):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    call.cancel()
    ringing.be_cancelled()
    call.expect(487)
    check_refused(record_of(api, call, "canceled"), "canceled", 487, "R-1403")


def test_a_callee_who_is_not_registered_has_not_answered(api, person):
    alice, bob = person(), person(registered=False)
    call = alice.call(bob.login)
    assert call.expect_final().status == 480
    check_refused(record_of(api, call, "no-answer"), "no-answer", 480, "R-1303")


def test_a_call_to_nobody_has_failed(api, person):
    alice = person()
    call = alice.call("nobody-of-this-name")
    assert call.expect_final().status == 404
    record = record_of(api, call, "failed")
    check_refused(record, "failed", 404, "R-1302")
    assert record["to"] == "nobody-of-this-name"
    assert record["reason"].startswith(known_reasons()["R-1302"])


def known_reasons():
    """The causes in Docs/Reasons.md by their codes."""
    rows = re.findall(r"^\| (R-\d{4}) \| \d* ?\| ([^|]*) \|", (ROOT / "Docs/Reasons.md").read_text(), re.M)
    return {code: cause.strip() for code, cause in rows}


@pytest.mark.configuration(timers=SHORT_TIMERS, proxy={"timerC": "2s"})
def test_a_callee_that_rings_without_end_has_not_answered(api, person):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    ringing.be_cancelled(within=6)
    answered = call.expect_final().status
    record = record_of(api, call, "no-answer")
    check_refused(record, "no-answer", answered, "R-1407")
    assert record["ring_duration"] in (1, 2, 3)


@pytest.mark.configuration(timers=SHORT_TIMERS)
def test_a_callee_that_is_silent_has_not_answered(api, person):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    bob.expect("INVITE")
    call.expect(408, within=5)
    check_refused(record_of(api, call, "no-answer"), "no-answer", 408, "R-1401")


def test_a_call_to_two_devices_has_one_record(api, person, server):
    alice, desk = person(), person()
    mobile = Phone(desk.server, desk.login, "s3cret", server.domain)
    mobile.register()
    call = alice.call(desk.login)
    first, second = desk.incoming_call(), mobile.incoming_call()
    first.reply(180)
    second.reply(180)
    second.reply(200)
    call.expect(200)
    first.be_cancelled()
    call.ack()
    second.expect("ACK")
    record = record_of(api, call, "in-progress")
    call.hang_up(second)
    assert record_of(api, call, "completed")["sid"] == record["sid"]
    assert api.fetch("Calls", From=alice.login)["total"] == 1
    mobile.close()


def test_only_the_dialog_of_the_first_answer_ends_the_record(api, person, server):
    alice, desk = person(), person()
    mobile = Phone(desk.server, desk.login, "s3cret", server.domain)
    mobile.register()
    call = alice.call(desk.login)
    winner, loser = desk.incoming_call(), mobile.incoming_call()
    winner.reply(200)
    first = call.expect(200)
    loser.reply(200)
    call.expect(200)
    call.ack()
    loser.expect("ACK")
    call.hang_up(loser)
    time.sleep(0.2)
    record_of(api, call, "in-progress")
    call.establish(first)
    call.ack()
    winner.expect("ACK")
    call.hang_up(winner)
    record_of(api, call, "completed")
    mobile.close()


def test_requests_within_a_call_make_no_records(api, person):
    alice, bob = person(), person()
    call, answered = connect(alice, bob)
    received, answer = call.relay("INVITE", answered, headers=[("Content-Type", "application/sdp")])
    assert answer.status == 200
    acknowledgement = call.request("ACK", cseq=call.cseq)
    alice.send(acknowledgement)
    answered.relay("INFO", call)
    call.hang_up(answered)
    record_of(api, call, "completed")
    assert api.fetch("Calls", From=alice.login)["total"] == 1
    assert api.fetch("Calls", From=bob.login)["total"] == 0
    assert received


def test_wrong_credentials_make_no_record(api, person):
    alice, bob = person(), person()
    alice.password = "wrong"
    assert alice.call(bob.login).expect_final().status == 407
    alice.password = "s3cret"
    call = alice.call("nobody-here")
    call.expect_final()
    record_of(api, call, "failed")
    assert api.fetch("Calls", From=alice.login)["total"] == 1


@pytest.mark.parametrize("caller, callee", [("udp", "tcp"), ("tcp", "udp")])
def test_a_call_across_transports_is_recorded_to_its_end(api, person, caller, callee):
    alice, bob = person(transport=caller), person(transport=callee)
    call, answered = connect(alice, bob)
    answered.hang_up(call)
    record_of(api, call, "completed")


@pytest.mark.configuration()
def test_the_log_names_the_record(server, api, person):
    alice, bob = person(), person()
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    record = record_of(api, call, "completed")
    assert server.wait_for_event("call.start", call=record["sid"])["cid"] == call.id
    server.wait_for_event("call.end", call=record["sid"])
    alice.call("nobody").expect_final()
    refused = server.wait_for_event("call.refused")
    assert api.fetch(f"Calls/{refused['call']}")["status"] == "failed"


# Whose it is.

def test_a_record_belongs_to_the_account_of_the_caller(api, person):
    child = api.child()
    alice, bob = person(account=child), person()
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    record = record_of(child, call, "completed")
    assert record["account_sid"] == child.user
    assert api.fetch("Calls", From=alice.login)["total"] == 0
    back, answered = connect(bob, alice)
    back.hang_up(answered)
    assert record_of(api, back, "completed")["account_sid"] == api.user
    assert child.fetch("Calls")["total"] == 1
    child.close()


def test_a_record_outlives_the_client_and_its_name(api, person):
    alice, bob = person(FriendlyName="First Name"), person()
    call, answered = connect(alice, bob)
    call.hang_up(answered)
    record = record_of(api, call, "completed")
    api.update(f"Clients/{alice.sid}", FriendlyName="Second Name")
    api.remove(f"Clients/{alice.sid}")
    api.remove(f"Clients/{bob.sid}")
    assert api.fetch(f"Calls/{record['sid']}") == record


def test_an_unknown_call_is_answered_404(api):
    for name in (sid("CA"), "CA1", sid("SM")):
        assert_refused(api.get(f"Calls/{name}.json"), 404, "R-3201")


# Across the end of the process.

@pytest.mark.configuration()
@pytest.mark.parametrize("ended_by", ["caller", "callee"])
def test_a_call_goes_on_across_kill_9_and_its_bye_completes_the_record(server, api, person, ended_by):
    alice, bob = person(), person()
    call, answered = connect(alice, bob)
    before = record_of(api, call, "in-progress")
    server.kill()
    server.start()
    assert api.fetch(f"Calls/{before['sid']}") == before
    call.hang_up(answered) if ended_by == "caller" else answered.hang_up(call)
    record = record_of(api, call, "completed")
    assert record["sid"] == before["sid"]
    assert record["answer_time"] == before["answer_time"]


@pytest.mark.configuration()
def test_a_call_that_rang_at_kill_9_has_failed(server, api, person):
    alice, bob = person(), person()
    call = alice.call(bob.login)
    ringing = bob.incoming_call()
    ringing.reply(180)
    call.expect(180)
    record_of(api, call, "ringing")
    server.kill()
    server.start()
    record = record_of(api, call, "failed")
    assert record["reason_code"] == "R-1409" and "end_time" in record


@pytest.fixture
def limited(tmp_path):
    """A daemon that closes the records of calls after two seconds."""
    daemon = Daemon(tmp_path / "daemon", CLIENTS, calls={"longestCall": "2s"})
    if daemon.run("check").returncode != 0:
        pytest.skip("calls.longestCall cannot be 2s here")
    yield daemon.start()
    daemon.stop()


@pytest.mark.parametrize("restarted", [True, pytest.param(False, marks=pytest.mark.load)], ids=["at a restart", "in passing"])
def test_a_call_without_a_bye_ends_at_the_limit(limited, restarted):
    alice, bob = (
        Phone(("127.0.0.1", limited.port), login, limited.password(login), limited.domain) for login in ("alice", "bob"))
    alice.register()
    bob.register()
    api = API.of(limited)
    call, answered = connect(alice, bob)
    record_of(api, call, "in-progress")
    if restarted:
        time.sleep(2.2)
        limited.kill()
        limited.start()
    # Old records are looked for twice a minute.
    assert eventually(lambda: api.fetch("Calls")["calls"][0]["status"] == "completed", within=35, every=0.2)
    record = record_of(api, call, "completed")
    assert record["reason_code"] == "R-1408" and record["reason"]
    assert record["duration"] in (1, 2), "up to the limit, not to when it was noticed"
    call.hang_up(answered)
    assert eventually(lambda: "reason_code" not in record_of(api, call, "completed")), "the true end takes its place"
    after = record_of(api, call, "completed")
    assert moment(after["end_time"]) > moment(record["end_time"])
    for end in (api, alice, bob):
        end.close()


# The list.

@pytest.fixture(scope="module")
def many(shared):
    """An account with 448 records, as in Restcomm's CallsEndpointTest; a client program of it."""
    program = API.of(shared).child()
    program.phones = {}
    for login in ("list-anna", "list-bert"):
        program.create("Clients", Login=login, Password="p", FriendlyName=login.title())
        phone = Phone(("127.0.0.1", shared.port), login, "p", shared.domain)
        phone.register()
        program.phones[login] = phone
    program.create("Clients", Login="list-carl", Password="p")
    anna, bert = program.phones.values()
    call, answered = connect(anna, bert)
    call.hang_up(answered)
    busy = bert.call("list-anna")
    anna.incoming_call().refuse(486)
    busy.expect_final()
    for number in range(446):
        caller = bert if number % 4 == 0 else anna
        caller.call("list-carl" if number % 10 == 0 else f"ghost-{number % 7}").expect_final()
    assert eventually(lambda: program.fetch("Calls")["total"] == 448)
    program.everything = [record for page in program.pages("Calls") for record in page["calls"]]
    yield program
    for phone in program.phones.values():
        phone.close()
    program.close()


def test_CallsEndpointTest_getCallsList(many):
    """Restcomm's test: 448 records in pages of 50."""
    page = many.fetch("Calls")
    assert (page["page"], page["page_size"], page["total"]) == (0, 50, 448)
    assert page["num_pages"] == 9, "Docs/Compatibility.md: Restcomm rounds down to 8"
    assert (page["start"], page["end"]) == ("0", "49"), "texts, as Restcomm has them"
    assert len(page["calls"]) == 50
    last = many.fetch("Calls", Page=8)
    assert (last["page"], last["start"], len(last["calls"])) == (8, "400", 48)
    assert last["end"] == "447", "Docs/Compatibility.md: the last record's number; Restcomm tells one more"


def test_the_members_of_a_page_have_their_order(many):
    page = many.fetch("Calls")
    assert list(page) == [
        "page", "num_pages", "page_size", "total", "start", "end", "uri", "first_page_uri", "previous_page_uri",
        "next_page_uri", "last_page_uri", "calls"]


def test_the_pages_lead_through_all_records_and_back(many):
    pages = list(many.pages("Calls", PageSize=100))
    assert [len(page["calls"]) for page in pages] == [100, 100, 100, 100, 48]
    assert pages[0]["previous_page_uri"] is None and pages[-1]["next_page_uri"] is None
    assert [record["sid"] for page in pages for record in page["calls"]] == [record["sid"] for record in many.everything]
    assert len({record["sid"] for record in many.everything}) == 448
    for page in pages:
        assert page["uri"].startswith(f"/api/2012-04-24/Accounts/{many.user}/Calls")
        for link, number in (("first_page_uri", 0), ("last_page_uri", 4)):
            found = many.ask("GET", page[link], headers={"Accept": "application/json"}).json()
            assert (found["page"], found["page_size"]) == (number, 100)
    back = many.ask("GET", pages[3]["previous_page_uri"], headers={"Accept": "application/json"}).json()
    assert back["calls"] == pages[2]["calls"]


def test_the_links_keep_the_filters(many):
    pages = list(many.pages("Calls", From="list-bert", PageSize=50, SortBy="DateCreated:desc"))
    assert len(pages) == 3
    assert {record["from"] for page in pages for record in page["calls"]} == {"list-bert"}
    assert {page["total"] for page in pages} == {113}
    starts = [record["start_time"] for page in pages for record in page["calls"]]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize("query", [
    {"Page": 9}, {"Page": -1}, {"Page": "x"}, {"PageSize": 0}, {"PageSize": 1001}, {"PageSize": "x"},
    {"Page": 1, "PageSize": 448}, {"Page": 1, "From": "nobody-at-all"}, {"Page": "9" * 25}], ids=str)
def test_a_page_that_does_not_exist_is_refused(many, query):
    answer = many.get("Calls.json", **query)
    assert_refused(answer, 400)
    assert answer.json()["code"] in ("R-3304", "R-3302")
    if query in ({"Page": 9}, {"Page": 1, "PageSize": 448}):
        assert answer.json()["code"] == "R-3304"


def test_the_records_are_filtered_by_their_ends_of_from_and_to(many):
    def total(**query):
        return many.fetch("Calls", **query)["total"]
    assert total(From="list-anna") + total(From="list-bert") == 448
    assert total(From="bert") == total(From="list-bert") == 113, "the end will do"
    assert total(From="list") == 0, "the beginning will not"
    assert total(To="ghost-3") == sum(record["to"] == "ghost-3" for record in many.everything) > 0
    assert total(To="3", From="anna") == sum(
        record["to"].endswith("3") and record["from"] == "list-anna" for record in many.everything) > 0
    for text in ("%", "_", "g%", "ghost__", "*", "\\", "'", "' OR 1=1 --"):
        assert total(To=text) == 0, "no character has a meaning of its own"


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_the_records_are_filtered_by_status(many, status):
    expected = [record["sid"] for record in many.everything if record["status"] == status]
    page = many.fetch("Calls", Status=status, PageSize=1000)
    assert [record["sid"] for record in page["calls"]] == expected
    assert page["total"] == len(expected)
    if status in ("completed", "busy", "failed", "no-answer"):
        assert expected


@pytest.mark.parametrize("status", ["finished", "COMPLETED", "in progress", "completed,busy"])
def test_an_unknown_status_is_refused(many, status):
    assert_refused(many.get("Calls.json", Status=status), 400, parameter="Status")


def test_the_records_are_filtered_by_day(many):
    first, last = (datetime.date.fromisoformat(many.everything[index]["start_time"][:10]) for index in (0, -1))
    day = datetime.timedelta(days=1)
    assert many.fetch("Calls", StartTime=first, EndTime=last)["total"] == 448, "both days are within"
    assert many.fetch("Calls", StartTime=first - day)["total"] == 448
    assert many.fetch("Calls", StartTime=last + day)["total"] == 0
    assert many.fetch("Calls", EndTime=first - day)["total"] == 0
    assert many.fetch("Calls", EndTime=last + day)["total"] == 448


@pytest.mark.parametrize("name", ["StartTime", "EndTime"])
@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-02-30", "24.11.2026", "2026-1-1x", "99999-01-01", "-1"])
def test_a_day_that_is_none_is_refused(many, name, value):
    assert_refused(many.get("Calls.json", **{name: value}), 400, parameter=name)


@pytest.mark.parametrize("field, member", [
    ("DateCreated", "start_time"), ("From", "from"), ("To", "to"), ("Direction", "direction"), ("Status", "status"),
    ("Duration", "duration")])
@pytest.mark.parametrize("direction", ["", ":asc", ":desc"])
def test_the_records_are_sorted(many, field, member, direction):
    values = [record[member] for page in many.pages("Calls", SortBy=field + direction, PageSize=1000)
              for record in page["calls"]]
    assert len(values) == 448
    assert values == sorted(values, reverse=direction == ":desc")


def test_a_sorted_list_has_every_record_once_over_its_pages(many):
    pages = list(many.pages("Calls", SortBy="To:desc", PageSize=30))
    assert len({record["sid"] for page in pages for record in page["calls"]}) == 448


def test_the_first_record_comes_first_and_reverse_turns_it_round(many):
    assert many.everything[0]["status"] == "completed"
    starts = [record["start_time"] for record in many.everything]
    assert starts == sorted(starts)
    reverse = many.fetch("Calls", Reverse="true", PageSize=1000)["calls"]
    assert [record["sid"] for record in reverse] == [record["sid"] for record in reversed(many.everything)]
    assert many.fetch("Calls", Reverse="false", PageSize=1000)["calls"] == many.everything


@pytest.mark.parametrize("value", ["DateCreated:up", "DateCreated:asc:desc", ":asc", "Colour", "Price;drop", "DateCreated "])
def test_a_wrong_order_is_refused(many, value):
    answer = many.get("Calls.json", SortBy=value)
    assert_refused(answer, 400)
    if value in ("DateCreated:up", ":asc"):
        assert "Error parsing the SortBy parameter" in answer.json()["message"]


def test_a_call_that_is_part_of_another_is_found_by_it(many):
    assert many.fetch("Calls", ParentCallSid=many.everything[0]["sid"])["total"] == 0
    assert many.fetch("Calls", ParentCallSid=sid("CA"))["total"] == 0


def test_the_list_in_xml(many):
    (calls,) = many.get("Calls", PageSize=3).xml()
    assert calls.tag == "Calls"
    attributes = {name: calls.get(name) for name in ("page", "numpages", "pagesize", "total", "start", "end")}
    assert attributes == {"page": "0", "numpages": "150", "pagesize": "3", "total": "448", "start": "0", "end": "2"}
    assert calls.get("uri").startswith("/api/2012-04-24/")
    assert [call.tag for call in calls] == ["Call"] * 3
    assert [call.findtext("Sid") for call in calls] == [record["sid"] for record in many.everything[:3]]


def test_a_record_in_xml(many):
    record = many.everything[0]
    (call,) = many.get(f"Calls/{record['sid']}").xml()
    assert call.tag == "Call"
    shown = dict(fields(call))
    for tag, member in (("Sid", "sid"), ("From", "from"), ("To", "to"), ("Status", "status"), ("StartTime", "start_time"),
                        ("EndTime", "end_time"), ("Direction", "direction"), ("CallerName", "caller_name")):
        assert shown[tag] == record[member]
    assert shown["Duration"] == str(record["duration"])


def test_an_account_without_calls_has_one_empty_page(api):
    child = api.child()
    page = child.fetch("Calls")
    assert (page["calls"], page["total"], page["num_pages"], page["page"]) == ([], 0, 1, 0)
    assert page["previous_page_uri"] is None and page["next_page_uri"] is None
    (calls,) = child.get("Calls").xml()
    assert (calls.get("total"), len(calls)) == ("0", 0)
    child.close()


def test_every_status_is_a_word_of_the_page_and_every_reason_is_in_the_docs(many):
    known = known_reasons()
    for record in many.everything:
        assert record["status"] in STATUSES
        if record["status"] != "completed":
            assert record["reason_code"] in known
            assert record["reason"].startswith(known[record["reason_code"]])
