import Primitives

/// Every refusal and every unhappy end: a stable code, a SIP status, and a cause and a remedy in one sentence each.
///
/// The number is the code (`R-1102`) and never changes its meaning; a new reason gets a new number. `Docs/Reasons.md`
/// lists the same table.
public enum Reason: UInt16, CaseIterable, Sendable {
    // Who is asking: RFC 3261 section 22, RFC 7616.
    case unknownLogin = 1101
    case wrongPassword = 1102
    case clientDisabled = 1103
    case tooManyFailures = 1104
    case nonceStale = 1105
    case nonceReplayed = 1106
    case nonceForged = 1107
    case credentialsMalformed = 1108
    case wrongRealm = 1109
    case unsupportedAlgorithm = 1110
    case unsupportedQualityOfProtection = 1111
    case fromIsNotLogin = 1112
    case toIsNotLogin = 1113

    // REGISTER: RFC 3261 section 10.3.
    case registerForeignDomain = 1201
    case intervalTooBrief = 1203
    case tooManyBindings = 1204
    case registerOutOfOrder = 1205
    case badContact = 1206
    case starMisused = 1207
    case storeUnavailable = 1208
    case firstHopLacksOutbound = 1211

    // Where to: RFC 3261 sections 16.3 to 16.6.
    case callerNotRegistered = 1301
    case calleeUnknown = 1302
    case calleeNotRegistered = 1303
    case foreignDestination = 1304
    case routeElsewhere = 1305
    case tooManyHops = 1306
    case loopDetected = 1307
    case maxBreadthExceeded = 1308
    case unsupportedExtension = 1309
    case unsupportedScheme = 1310
    case nameNotResolved = 1311
    case clientHasApplication = 1312
    case calleeUnreachable = 1317

    // What became of the call: RFC 3261 sections 16.7 to 16.10.
    case noAnswer = 1401
    case contactUnreachable = 1402
    case callCancelled = 1403
    case calleeBusy = 1404
    case calleeDeclined = 1405
    case calleeFailed = 1406
    case ringingTooLong = 1407
    case callLimitReached = 1408
    case serverRestarted = 1409
    case flowFailed = 1417

    // Messages and dialogs: RFC 3261 sections 8.2, 12.2 and 16.3.
    case dialogUnknown = 1501
    case methodNotAllowed = 1502
    case messageMalformed = 1503
    case messageTooLarge = 1505
    case transactionUnknown = 1506
    case serverOverloaded = 1507
    case serverStopping = 1508
    case clientShareUsed = 1509

    // Applications, their numbers, and gateways.
    case applicationUnreachable = 1601
    case applicationTooSlow = 1602
    case applicationNotFound = 1603
    case documentWithoutAction = 1604
    case applicationRejected = 1605
    case applicationBusy = 1606
    case accountInactive = 1607
    case talkTimeUsed = 1608
    case sessionExpired = 1609
    case endedByOrder = 1610
    case acknowledgementMissing = 1611
    case numberWithoutApplication = 1612
    case noGateway = 1613
    case gatewayRefused = 1614
    case textUnsuitable = 1615
    case sessionTooShort = 1616

    /// The code as text: `R-` and four digits.
    public var code: ByteSlice { entry.code }
    /// The SIP status of the answer. A digest failure is 401 here; a proxy answers 407 (RFC 3261 section 22.3).
    public var status: UInt16 { entry.status }
    /// What is wrong, for the person who configures the softphone or tails the log.
    public var cause: ByteSlice { entry.cause }
    /// What to do about it.
    public var remedy: ByteSlice { entry.remedy }

    /// True when the peer may be told (a Warning header, a reason phrase).
    ///
    /// False for what would let a stranger find out logins: an unknown login, a wrong password and a disabled client
    /// look the same on the wire, and only the log tells them apart.
    public var isDisclosed: Bool {
        switch self {
        case .unknownLogin, .wrongPassword, .clientDisabled: false
        // Anybody may ask, and what an operator does is not for everybody.
        case .serverStopping: false
        default: true
        }
    }
}
