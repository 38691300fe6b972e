import Primitives

/// The table behind `Reason`.
extension Reason {
    /// A row of the table.
    struct Entry {
        let code: ByteSlice
        let status: UInt16
        let cause: ByteSlice
        let remedy: ByteSlice

        init(_ code: ByteSlice, _ status: UInt16, _ cause: ByteSlice, _ remedy: ByteSlice) {
            self.code = code
            self.status = status
            self.cause = cause
            self.remedy = remedy
        }
    }

    var entry: Entry {
        switch self {
        case .unknownLogin:
            Entry(
                "R-1101", 401, "No client has this login.",
                "Check the user name (also called account, login or authentication name) in the softphone, or create the client."
            )
        case .wrongPassword:
            Entry(
                "R-1102", 401, "The password does not match.",
                "Enter the password again in the softphone; 'rollcall client set LOGIN --ask-password' sets a new one.")
        case .clientDisabled:
            Entry(
                "R-1103", 401, "The client is disabled.",
                "Enable it with 'rollcall client set LOGIN --enable'.")
        case .tooManyFailures:
            Entry(
                "R-1104", 403, "Too many attempts with a wrong password or login.",
                "Correct user name and password in the softphone, then wait for the seconds in Retry-After, at most a minute."
            )
        case .nonceStale:
            Entry(
                "R-1105", 401, "The challenge was too old; a new one was sent.",
                "Nothing to do: the softphone answers the new challenge by itself.")
        case .nonceReplayed:
            Entry(
                "R-1106", 401, "The same credentials were sent twice (the nonce-count did not grow).",
                "A retry with a new nonce-count follows by itself; if it repeats, the device or something on the way sends old requests again."
            )
        case .nonceForged:
            Entry(
                "R-1107", 401, "The nonce is not one that this server has issued.",
                "Nothing to do after a restart with new keys; otherwise the credentials belong to another server or were invented."
            )
        case .credentialsMalformed:
            Entry(
                "R-1108", 400, "The Authorization header cannot be read.",
                "Report it to the maker of the device, or send the parameters that RFC 7616 asks for.")
        case .wrongRealm:
            Entry(
                "R-1109", 401, "The credentials are for another realm.",
                "Leave the realm empty in the softphone, or set it to the domain of this server.")
        case .unsupportedAlgorithm:
            Entry(
                "R-1110", 401, "The digest algorithm is not one of those offered.",
                "Let the softphone choose the algorithm, or add it to authentication.algorithms.")
        case .unsupportedQualityOfProtection:
            Entry(
                "R-1111", 401, "The digest qop is not one of those offered.",
                "Let the softphone choose the qop, or add it to authentication.qop.")
        case .fromIsNotLogin:
            Entry(
                "R-1112", 403, "The From address is not the authenticated login at this domain.",
                "Set user name and authentication name in the softphone to the same login, and the domain to that of this server."
            )
        case .toIsNotLogin:
            Entry(
                "R-1113", 403, "The address to register is not that of the authenticated login.",
                "Set user name and authentication name in the softphone to the same login, and the domain to that of this server."
            )
        case .registerForeignDomain:
            Entry(
                "R-1201", 404, "REGISTER for a domain that this server does not serve.",
                "Set the domain in the softphone to that of this server, or add the name to aliases.")
        case .intervalTooBrief:
            Entry(
                "R-1203", 423, "The registration interval is shorter than the minimum.",
                "Raise the registration time in the softphone to the Min-Expires value, or lower registrar.minExpires.")
        case .tooManyBindings:
            Entry(
                "R-1204", 403, "The client has as many devices registered as it may have.",
                "Switch a device off, raise registrar.maxBindings, or set registrar.whenFull to replaceOldest.")
        case .registerOutOfOrder:
            Entry(
                "R-1205", 500, "A REGISTER came after a later one of the same device (its CSeq is lower).",
                "Register again; if it repeats, two programs of the device register with the same Call-ID.")
        case .badContact:
            Entry(
                "R-1206", 400, "A Contact of the REGISTER cannot be used.",
                "The Contact must be one SIP URI with host or address; check the public address set in the softphone.")
        case .starMisused:
            Entry(
                "R-1207", 400, "Contact '*' is allowed only alone and with Expires 0.",
                "Remove each Contact by itself, or send '*' with Expires: 0 and no other Contact.")
        case .storeUnavailable:
            Entry(
                "R-1208", 503, "The database cannot store the change now.",
                "Free disk space and check the rights of the database file; store.error in the log names the fault.")
        case .firstHopLacksOutbound:
            Entry(
                "R-1211", 439,
                "The phone asks for outbound flows, and the proxy before this server does not keep them.",
                "Register here without that proxy, switch 'outbound' (RFC 5626) off in the phone, or have the proxy write 'ob' into its Path."
            )
        case .callerNotRegistered:
            Entry(
                "R-1301", 403, "The caller is not registered.",
                "Register the softphone first; only registered clients may call or send messages.")
        case .calleeUnknown:
            Entry(
                "R-1302", 404, "Nobody here has the dialled name.",
                "Check the number or name; 'rollcall client list' shows all clients.")
        case .calleeNotRegistered:
            Entry(
                "R-1303", 480, "The dialled client has no device registered.",
                "Start the callee's softphone; 'rollcall registrations' shows who is registered.")
        case .foreignDestination:
            Entry(
                "R-1304", 404, "The destination is in a domain that this server does not serve.",
                "Dial a client of this domain, or add the domain to aliases if it is ours.")
        case .routeElsewhere:
            Entry(
                "R-1305", 403, "The request asks to be routed through another server (Route header).",
                "Remove extra outbound proxies from the softphone; only this server may be in the route.")
        case .tooManyHops:
            Entry(
                "R-1306", 483, "The request has passed too many servers (Max-Forwards is 0).",
                "Look for two servers that send the call to each other; the sender must start at 70.")
        case .loopDetected:
            Entry(
                "R-1307", 482, "The request came back to this server unchanged.",
                "Look for a device registered with an address of this server as its Contact.")
        case .maxBreadthExceeded:
            Entry(
                "R-1308", 440, "The request would be forked to more devices than Max-Breadth allows.",
                "Register fewer devices for the callee, or raise proxy.maxBreadth.")
        case .unsupportedExtension:
            Entry(
                "R-1309", 420, "The request requires an extension that this server does not have.",
                "Switch the extension named in Unsupported off in the softphone.")
        case .unsupportedScheme:
            Entry(
                "R-1310", 416, "The address is neither a sip nor a tel URI that this server can route.",
                "Dial name@domain or a number; sips needs TLS, which this listener does not have.")
        case .nameNotResolved:
            Entry(
                "R-1311", 503, "The host of the next hop cannot be resolved.",
                "Check the name in the Contact or Route and the resolver of this machine.")
        case .clientHasApplication:
            Entry(
                "R-1312", 501,
                "The client has an application that does not exist any more, or that has no URL.",
                "Give the application a URL, or clear VoiceUrl and VoiceApplicationSid of the client; its calls and messages then go to whom they name."
            )
        case .calleeUnreachable:
            Entry(
                "R-1317", 480, "No device of the dialled client answers any more, though they are registered.",
                "Look at the callee's phone and its network; 'rollcall registrations' shows when each was heard last, and its next registration brings it back."
            )
        case .noAnswer:
            Entry(
                "R-1401", 408, "None of the callee's devices answered.",
                "Check that the devices can be reached from this server; a phone behind NAT must keep its mapping open."
            )
        case .contactUnreachable:
            Entry(
                "R-1402", 500, "Sending to the callee's device failed.",
                "The device is gone or a firewall refuses the packets; it must register again.")
        case .callCancelled:
            Entry(
                "R-1403", 487, "The caller hung up before an answer.",
                "Nothing to do.")
        case .calleeBusy:
            Entry(
                "R-1404", 486, "The callee is busy.",
                "Try again later.")
        case .calleeDeclined:
            Entry(
                "R-1405", 603, "The callee declined the call.",
                "Nothing to do.")
        case .calleeFailed:
            Entry(
                "R-1406", 500, "The callee's device answered with an error.",
                "Look up the status in the line; the device's own log says more.")
        case .ringingTooLong:
            Entry(
                "R-1407", 408, "The callee's device rang without an answer for too long (timer C).",
                "Answer earlier, or raise proxy.timerC.")
        case .callLimitReached:
            Entry(
                "R-1408", 408, "The call ended without a BYE within the time that a call may last.",
                "Nothing to do; if it repeats, a device loses its connection in calls and cannot hang up."
            )
        case .serverRestarted:
            Entry(
                "R-1409", 503, "The server ended while the call was being set up.",
                "Call again."
            )
        case .flowFailed:
            Entry(
                "R-1417", 430, "The connection to the other phone of the call is gone.",
                "Call again; a phone that registers anew within the call is found again by itself.")
        case .dialogUnknown:
            Entry(
                "R-1501", 481, "The request belongs to a dialog that this server did not route.",
                "Start the call again; after a restart with new keys old calls cannot be changed.")
        case .methodNotAllowed:
            Entry(
                "R-1502", 405, "The method is not served here.",
                "Use a method of the Allow header.")
        case .messageMalformed:
            Entry(
                "R-1503", 400, "The message breaks the SIP grammar, or a header that must be there is missing.",
                "Compare the message with RFC 3261 section 8.1.1; the field named in the line is where reading stopped."
            )
        case .messageTooLarge:
            Entry(
                "R-1505", 513, "The message is larger than this server accepts.",
                "Send less, or raise limits.messageSize.")
        case .transactionUnknown:
            Entry(
                "R-1506", 481, "The CANCEL matches no request that is in progress.",
                "Nothing to do: the call was answered or had ended before.")
        case .serverOverloaded:
            Entry(
                "R-1507", 503, "The server is overloaded.",
                "Try again after the time of Retry-After; the log of the server tells what is short.")
        case .serverStopping:
            Entry(
                "R-1508", 503, "The server is stopping and takes no new calls and texts.",
                "Try again after the seconds in Retry-After; calls that run go on for shutdown.drain.")
        case .clientShareUsed:
            Entry(
                "R-1509", 503, "The client has too many requests under way.",
                "Let calls end before new ones begin, or raise limits.transactionsPerClient.")
        case .applicationUnreachable:
            Entry(
                "R-1601", 500, "The application gave no document that can be run.",
                "Read the call's notifications (Calls/{sid}/Notifications): they name the URL and what was wrong; a fallback URL helps when the first fails."
            )
        case .applicationTooSlow:
            Entry(
                "R-1602", 504, "The application did not answer within the time that a caller waits for it.",
                "Make it answer faster, or raise applications.deadline; the call's notifications name the URL."
            )
        case .applicationNotFound:
            Entry(
                "R-1603", 404, "The application's URL gave 404.",
                "Correct VoiceUrl or SmsUrl of the client, the number or the application."
            )
        case .documentWithoutAction:
            Entry(
                "R-1604", 488, "The application's document has nothing that this version can do with the call.",
                "Let it Dial, Redirect, Reject, Hangup or Pause; the call's notifications name what was skipped."
            )
        case .applicationRejected:
            Entry(
                "R-1605", 603, "The application has refused the call.",
                "Look at the document that it gave: it has Reject, or Hangup before anybody was dialled."
            )
        case .applicationBusy:
            Entry(
                "R-1606", 486, "The application has refused the call as busy.",
                "Look at the document that it gave: it has Reject with reason busy."
            )
        case .accountInactive:
            Entry(
                "R-1607", 403, "The account that the call or text belongs to is suspended or closed.",
                "Set the account's Status to active."
            )
        case .talkTimeUsed:
            Entry(
                "R-1608", 480, "The call was ended as its time limit was reached.",
                "Raise timeLimit of Dial, or applications.longestCall."
            )
        case .sessionExpired:
            Entry(
                "R-1609", 480, "Neither phone has refreshed the call in its session interval: one of them is gone.",
                "Look at the network of the phones; a phone that was switched off in a call looks like this."
            )
        case .endedByOrder:
            Entry(
                "R-1610", 480, "The API has ended the call.",
                "Nothing is wrong; somebody asked for it by POST on the call."
            )
        case .acknowledgementMissing:
            Entry(
                "R-1611", 408, "The caller never acknowledged the answer to its call.",
                "Look at the caller's network: the 200 is lost, or its ACK."
            )
        case .numberWithoutApplication:
            Entry(
                "R-1612", 404, "The number exists, but has nothing that answers.",
                "Set VoiceUrl or SmsUrl, or VoiceApplicationSid or SmsApplicationSid, of the number."
            )
        case .noGateway:
            Entry(
                "R-1613", 404, "Nobody here has this name or number, and no gateway takes it.",
                "Check the number dialled; calls to the outside need a gateway in the configuration whose rules match it."
            )
        case .gatewayRefused:
            Entry(
                "R-1614", 403, "The gateway does not accept our credentials.",
                "Check user and password of the gateway in the configuration."
            )
        case .sessionTooShort:
            Entry(
                "R-1616", 422, "The session interval that the phone asks for is shorter than 90 seconds.",
                "Set the session timer of the phone to 90 seconds or more."
            )
        case .textUnsuitable:
            Entry(
                "R-1615", 406, "An application takes plain text only, and the text has another type or is empty.",
                "Send text/plain with something in it; applications.messages set to direct lets texts go to the client that they name."
            )
        }
    }
}
