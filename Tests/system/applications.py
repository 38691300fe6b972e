"""What the tests of applications have in common: records, notifications, and calls through an application.

    caller = person(VoiceUrl=web.url("/voice"))
    web.answer("/voice", dial_client(callee.login))
    call, answered = talk(caller, callee)                  # through the application, up to the ACK
"""

from conftest import eventually
from webapp import response


def dial(inner, **attributes):
    """A document that dials: `dial("<Client>bob</Client>", action="/after")`."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return response(f"<Dial{written}>{inner}</Dial>")


def dial_client(login, **attributes):
    return dial(f"<Client>{login}</Client>", **attributes)


def talk(caller, callee, target="999", headers=(), within=6.0):
    """A call up to the ACK, where the application dials the callee. Gives both sides."""
    call = caller.call(target, headers=headers)
    ringing = callee.incoming_call(within)
    ringing.reply(180)
    call.expect(180)
    ringing.reply(200)
    call.expect(200)
    call.ack()
    ringing.acknowledgement = ringing.expect("ACK")
    return call, ringing


def hang_up(near, far):
    """BYE from one side: both legs end, each with an answer of its own."""
    sent = near.send("BYE")
    answer = near.phone.expect_response(sent)
    assert answer.status == 200, answer
    received = far.expect("BYE")
    far.phone.reply(received, 200)
    return received


def calls(api, **filters):
    """The records of calls, the oldest first."""
    return api.fetch("Calls", **filters)["calls"]


def family(api, login, within=4.0):
    """The parent's record of the only call of a login, and those of its legs, once all have ended."""
    def ended():
        parents = calls(api, From=login)
        parents = [parent for parent in parents if "parent_call_sid" not in parent]
        if len(parents) != 1 or "end_time" not in parents[0]:
            return None
        children = calls(api, ParentCallSid=parents[0]["sid"])
        return (parents[0], children) if all("end_time" in child for child in children) else None
    found = eventually(ended, within)
    assert found, f"the records of {login} have not ended: {calls(api, From=login)}"
    return found


def notifications(api, path, count=1, within=4.0):
    """The notifications of a call or text (`Calls/CA...`), once there are so many."""
    def there():
        listed = api.fetch(f"{path}/Notifications")["notifications"]
        return listed if len(listed) >= count else None
    found = eventually(there, within)
    assert found, f"there are not {count} notifications of {path}: {api.fetch(f'{path}/Notifications')}"
    return found


def only_call(api, login, within=4.0):
    """The record of the only call of a login, once it has ended."""
    def ended():
        found = calls(api, From=login)
        return found if found and "end_time" in found[0] else None
    found = eventually(ended, within)
    assert found and len(found) == 1, calls(api, From=login)
    return found[0]


def refused(caller, status, target="999", within=8.0, headers=()):
    """A call that ends with this status. Gives the answer."""
    call = caller.call(target, headers=headers)
    answer = call.expect_final(within)
    assert answer.status == status, answer
    return answer
