/// Every refusal of the API: a stable code, the HTTP status, and in one sentence each what is wrong and what to do.
///
/// The number is the code (`R-3101`), one space of numbers with the reasons of SIP, and never changes its meaning.
/// `Docs/Reasons.md` lists the same table.
public enum Problem: Int, CaseIterable, Sendable {
    // The HTTP request itself; most are answered by the HTTP server.
    case requestMalformed = 3001
    case requestTimedOut = 3002
    case bodyTooLarge = 3003
    case targetTooLong = 3004
    case expectationUnknown = 3005
    case headersTooLarge = 3006
    case notImplemented = 3007
    case versionUnsupported = 3008
    case overloaded = 3009

    // Who is asking.
    case notAuthenticated = 3101
    case accountInactive = 3102
    case accountOutOfReach = 3103
    case resourceElsewhere = 3104
    case tooManyFailures = 3105
    case ownStatus = 3106
    case mainAccountOnly = 3107

    // For what.
    case notFound = 3201
    case methodNotAllowed = 3202
    case bodyNotForm = 3203

    // With which parameters.
    case parameterMissing = 3301
    case parameterInvalid = 3302
    case passwordWeak = 3303
    case pageInvalid = 3304

    // What stands against it.
    case loginTaken = 3401
    case loginTakenElsewhere = 3402
    case applicationInUse = 3403
    case numberTaken = 3404
    case emailTaken = 3405
    case accountClosed = 3406
    case accountsTooDeep = 3407
    case recipientUnreachable = 3408
    case callOver = 3409
    case callAnswered = 3410
    case callElsewhere = 3411

    // What we cannot do now.
    case storeUnavailable = 3501
    case unexpected = 3502
    case searchTooLong = 3503
    case changeNotInEffect = 3504
    case textsRefused = 3505

    /// The code as text: `R-` and four digits.
    public var code: String { "R-\(rawValue)" }

    /// The HTTP status.
    public var status: Int { entry.status }
    /// What is wrong. An answer may say it more exactly.
    public var cause: String { entry.cause }
    /// What to do about it.
    public var remedy: String { entry.remedy }

    /// The problem that an answer of the HTTP server itself stands for.
    public init(ofServerStatus status: Int) {
        self =
            switch status {
            case 408: .requestTimedOut
            case 413: .bodyTooLarge
            case 414: .targetTooLong
            case 417: .expectationUnknown
            case 431: .headersTooLarge
            case 501: .notImplemented
            case 503: .overloaded
            case 505: .versionUnsupported
            case 500, 502, 504: .unexpected
            default: .requestMalformed
            }
    }
}
