import Primitives

/// What is wrong with a message, as the status and reason phrase of its answer.
///
/// Which answer a fault gets is decided here and nowhere else. A response with a fault is dropped, and so is a request
/// whose fault leaves nobody to answer (`SIPMessage.isAnswerable`).
public enum Fault: UInt8, Error, Sendable {
    case notSIP
    case requestLine
    case statusLine
    case version
    case lineBreak
    case headerName
    case tooManyHeaders
    case missingEnd
    case missingVia
    case malformedVia
    case missingFrom
    case malformedFrom
    case missingTo
    case malformedTo
    case missingCallID
    case malformedCallID
    case missingCSeq
    case malformedCSeq
    case methodMismatch
    case repeatedHeader
    case malformedMaxForwards
    case malformedContentLength
    case bodyShort
    case missingContentLength
    case malformedRequestURI
    case unsupportedScheme
    case malformedContact
    case malformedExpires
    case malformedRoute
    case tooLarge

    /// The status of the answer.
    public var status: UInt16 {
        switch self {
        case .version: 505
        case .unsupportedScheme: 416
        case .tooLarge: 513
        default: 400
        }
    }

    /// The reason phrase of the answer: it names the fault.
    public var phrase: ByteSlice {
        switch self {
        case .notSIP: "Not a SIP Message"
        case .requestLine: "Malformed Request-Line"
        case .statusLine: "Malformed Status-Line"
        case .version: "Version Not Supported"
        case .lineBreak: "Line Not Ended by CRLF"
        case .headerName: "Malformed Header Name"
        case .tooManyHeaders: "Too Many Headers"
        case .missingEnd: "Header Section Not Ended by an Empty Line"
        case .missingVia: "Missing Via"
        case .malformedVia: "Malformed Via"
        case .missingFrom: "Missing From"
        case .malformedFrom: "Malformed From"
        case .missingTo: "Missing To"
        case .malformedTo: "Malformed To"
        case .missingCallID: "Missing Call-ID"
        case .malformedCallID: "Malformed Call-ID"
        case .missingCSeq: "Missing CSeq"
        case .malformedCSeq: "Malformed CSeq"
        case .methodMismatch: "CSeq Method Does Not Match Request-Line"
        case .repeatedHeader: "Repeated Single-Valued Header"
        case .malformedMaxForwards: "Malformed Max-Forwards"
        case .malformedContentLength: "Malformed Content-Length"
        case .bodyShort: "Body Shorter Than Content-Length"
        case .missingContentLength: "Missing Content-Length"
        case .malformedRequestURI: "Malformed Request-URI"
        case .unsupportedScheme: "Unsupported URI Scheme"
        case .malformedContact: "Malformed Contact"
        case .malformedExpires: "Malformed Expires"
        case .malformedRoute: "Malformed Route"
        case .tooLarge: "Message Too Large"
        }
    }
}
