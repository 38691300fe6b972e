/// The table behind `Problem`.
extension Problem {
    typealias Entry = (status: Int, cause: String, remedy: String)

    var entry: Entry {
        switch self {
        case .requestMalformed:
            (
                400, "The HTTP request cannot be read.",
                "Use an HTTP client that follows RFC 9112; the message says what is wrong."
            )
        case .requestTimedOut:
            (408, "The request did not arrive in time.", "Send it again, without long pauses in it.")
        case .bodyTooLarge:
            (413, "The body is too large.", "Send less; a body may have 128 KiB.")
        case .targetTooLong:
            (414, "The address is too long.", "Use shorter filters; the target of a request may have 8 KiB.")
        case .expectationUnknown:
            (417, "The expectation in Expect is not supported.", "Send Expect: 100-continue, or none.")
        case .headersTooLarge:
            (
                431, "The header fields are too many or too large.",
                "Send fewer cookies and fields; 32 KiB and 100 fields are allowed."
            )
        case .notImplemented:
            (
                501, "The method or transfer coding is not supported.",
                "Use GET, POST, PUT or DELETE, and chunked or Content-Length."
            )
        case .versionUnsupported:
            (505, "This version of HTTP is not supported.", "Use HTTP/1.1.")
        case .overloaded:
            (
                503, "The API has too much to do.",
                "Send the request again after the seconds in Retry-After, with fewer connections at a time."
            )
        case .notAuthenticated:
            (
                401, "No credentials, or no account has these.",
                "Use Basic authentication with AccountSid (or the account's e-mail address) and AuthToken; 'rollcall account show' prints them."
            )
        case .accountInactive:
            (403, "Account is not active.", "Activate it, or the account above it, with Status=active.")
        case .accountOutOfReach:
            (
                403, "The account in the URL is neither the caller's own nor below it.",
                "Use the credentials of that account or of one above it."
            )
        case .resourceElsewhere:
            (
                403, "The resource belongs to another account than the one in the URL.",
                "Name the account of the resource in the URL."
            )
        case .tooManyFailures:
            (
                429, "Too many requests with wrong credentials came from this address.",
                "Correct AccountSid and AuthToken; wait for the seconds in Retry-After."
            )
        case .ownStatus:
            (403, "An account cannot change its own Status.", "Use the credentials of the account above it.")
        case .mainAccountOnly:
            (
                403, "This concerns the whole server, and is for its main account only.",
                "Use the AccountSid and AuthToken that 'rollcall account show' prints, in the URL too."
            )
        case .notFound:
            (404, "There is no such resource.", "Look up the sid in the list that it is in; Docs/API.md has all paths.")
        case .methodNotAllowed:
            (405, "The resource does not have this method.", "Use one of the methods in Allow.")
        case .bodyNotForm:
            (415, "The body is not a form.", "Send the parameters as application/x-www-form-urlencoded.")
        case .parameterMissing:
            (400, "A required parameter is missing.", "Send the parameter that the message names.")
        case .parameterInvalid:
            (400, "A parameter has an invalid value.", "Correct the parameter that the message names.")
        case .passwordWeak:
            (
                400, "The password is too weak.",
                "Choose a longer one; authentication.minPasswordLength sets the least length."
            )
        case .pageInvalid:
            (400, "There is no such page.", "Ask for a Page from 0 up to the last one.")
        case .loginTaken:
            (
                409, "The account has a client with this login, and with other values.",
                "Change that client with POST or PUT, or choose another login."
            )
        case .loginTakenElsewhere:
            (
                409, "A client with the same name was already created by another account.",
                "Please, choose a different name and try again."
            )
        case .applicationInUse:
            (
                409, "The application is in use.",
                "Take it from the clients and numbers that the message names, then delete it."
            )
        case .numberTaken:
            (409, "The number exists already.", "Change that number, or choose another one.")
        case .emailTaken:
            (409, "The email address used for the new account is already in use.", "Choose another address, or none.")
        case .accountClosed:
            (400, "Account is closed, for ever.", "Create a new account.")
        case .accountsTooDeep:
            (
                400, "This account is not allowed to have sub-accounts.",
                "Create it below an account of the first or second level."
            )
        case .recipientUnreachable:
            (
                409, "The recipient has no device registered.",
                "Start the recipient's softphone; its Registrations show who is registered."
            )
        case .callOver:
            (410, "The call is over.", "Nothing is to be done; its record says how it ended.")
        case .callAnswered:
            (409, "The call is answered already, so it cannot be canceled.", "Send Status=completed to end it.")
        case .callElsewhere:
            (
                409, "The call goes on between its phones, and this server cannot change it.",
                "Only calls of applications, gateways and the API can be ended or redirected; let one of the phones hang up."
            )
        case .storeUnavailable:
            (
                503, "The database cannot take the change now; nothing was changed.",
                "Send the request again after the seconds in Retry-After; the log of the server says why."
            )
        case .textsRefused:
            (
                503, "The server takes no new texts and calls now: it is about to end, or has too much to do.",
                "Send the request again after the seconds in Retry-After; the message says why it was refused."
            )
        case .unexpected:
            (
                500, "The server failed in a way that it does not expect.",
                "Report it with the server's log of this moment."
            )
        case .searchTooLong:
            (
                503, "The search took too long and was ended.",
                "Name a shorter time, for example by StartTime and EndTime, or narrow the search by other parameters."
            )
        case .changeNotInEffect:
            (
                503, "The change is stored, but calls and registrations do not go by it yet.",
                "Nothing is to be sent again: it takes effect once the database can be read; the log of the server says why."
            )
        }
    }
}
