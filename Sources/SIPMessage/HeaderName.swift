import Primitives

/// A header field name that the program looks at; every other one is `.other` and is passed on as it came.
public enum HeaderName: UInt8, Sendable {
    case other = 0
    case via, from, to, callID, cSeq, contact
    case maxForwards, contentLength, contentType, contentEncoding, route, recordRoute
    case path, expires, minExpires, authorization, proxyAuthorization, wwwAuthenticate
    case proxyAuthenticate, require, proxyRequire, supported, unsupported, allow
    case accept, userAgent, server, warning, reason, retryAfter
    case maxBreadth, date, event, referTo, referredBy, subject
    case rAck, rSeq, sessionExpires, minSE, allowEvents

    /// The number of names, `.other` included.
    static let count = 42

    /// The name with this text, long or compact form, without case (RFC 3261 7.3.1 and 7.3.3).
    public init(_ text: ByteSlice) {
        self = .other
        guard let first = text.first else { return }
        switch (text.count, ASCII.lowercase(first)) {
        case (1, UInt8(ascii: "v")): self = .via
        case (1, UInt8(ascii: "f")): self = .from
        case (1, UInt8(ascii: "t")): self = .to
        case (1, UInt8(ascii: "i")): self = .callID
        case (1, UInt8(ascii: "m")): self = .contact
        case (1, UInt8(ascii: "l")): self = .contentLength
        case (1, UInt8(ascii: "c")): self = .contentType
        case (1, UInt8(ascii: "e")): self = .contentEncoding
        case (1, UInt8(ascii: "k")): self = .supported
        case (1, UInt8(ascii: "o")): self = .event
        case (1, UInt8(ascii: "r")): self = .referTo
        case (1, UInt8(ascii: "b")): self = .referredBy
        case (1, UInt8(ascii: "s")): self = .subject
        case (1, UInt8(ascii: "x")): self = .sessionExpires
        case (1, UInt8(ascii: "u")): self = .allowEvents
        case (2, UInt8(ascii: "t")): if text.equalsIgnoringCase("To") { self = .to }
        case (3, UInt8(ascii: "v")): if text.equalsIgnoringCase("Via") { self = .via }
        case (4, UInt8(ascii: "c")): if text.equalsIgnoringCase("CSeq") { self = .cSeq }
        case (4, UInt8(ascii: "d")): if text.equalsIgnoringCase("Date") { self = .date }
        case (4, UInt8(ascii: "f")): if text.equalsIgnoringCase("From") { self = .from }
        case (4, UInt8(ascii: "p")): if text.equalsIgnoringCase("Path") { self = .path }
        case (4, UInt8(ascii: "r")):
            if text.equalsIgnoringCase("RAck") {
                self = .rAck
            } else if text.equalsIgnoringCase("RSeq") {
                self = .rSeq
            }
        case (5, UInt8(ascii: "a")): if text.equalsIgnoringCase("Allow") { self = .allow }
        case (5, UInt8(ascii: "e")): if text.equalsIgnoringCase("Event") { self = .event }
        case (5, UInt8(ascii: "r")): if text.equalsIgnoringCase("Route") { self = .route }
        case (6, UInt8(ascii: "a")): if text.equalsIgnoringCase("Accept") { self = .accept }
        case (6, UInt8(ascii: "m")): if text.equalsIgnoringCase("Min-SE") { self = .minSE }
        case (6, UInt8(ascii: "r")): if text.equalsIgnoringCase("Reason") { self = .reason }
        case (6, UInt8(ascii: "s")): if text.equalsIgnoringCase("Server") { self = .server }
        case (7, UInt8(ascii: "c")):
            if text.equalsIgnoringCase("Call-ID") {
                self = .callID
            } else if text.equalsIgnoringCase("Contact") {
                self = .contact
            }
        case (7, UInt8(ascii: "e")): if text.equalsIgnoringCase("Expires") { self = .expires }
        case (7, UInt8(ascii: "r")): if text.equalsIgnoringCase("Require") { self = .require }
        case (7, UInt8(ascii: "s")): if text.equalsIgnoringCase("Subject") { self = .subject }
        case (7, UInt8(ascii: "w")): if text.equalsIgnoringCase("Warning") { self = .warning }
        case (8, UInt8(ascii: "r")): if text.equalsIgnoringCase("Refer-To") { self = .referTo }
        case (9, UInt8(ascii: "s")): if text.equalsIgnoringCase("Supported") { self = .supported }
        case (10, UInt8(ascii: "u")): if text.equalsIgnoringCase("User-Agent") { self = .userAgent }
        case (11, UInt8(ascii: "m")):
            if text.equalsIgnoringCase("Min-Expires") {
                self = .minExpires
            } else if text.equalsIgnoringCase("Max-Breadth") {
                self = .maxBreadth
            }
        case (11, UInt8(ascii: "r")):
            if text.equalsIgnoringCase("Retry-After") {
                self = .retryAfter
            } else if text.equalsIgnoringCase("Referred-By") {
                self = .referredBy
            }
        case (11, UInt8(ascii: "u")): if text.equalsIgnoringCase("Unsupported") { self = .unsupported }
        case (12, UInt8(ascii: "a")): if text.equalsIgnoringCase("Allow-Events") { self = .allowEvents }
        case (12, UInt8(ascii: "c")): if text.equalsIgnoringCase("Content-Type") { self = .contentType }
        case (12, UInt8(ascii: "m")): if text.equalsIgnoringCase("Max-Forwards") { self = .maxForwards }
        case (12, UInt8(ascii: "r")): if text.equalsIgnoringCase("Record-Route") { self = .recordRoute }
        case (13, UInt8(ascii: "a")): if text.equalsIgnoringCase("Authorization") { self = .authorization }
        case (13, UInt8(ascii: "p")): if text.equalsIgnoringCase("Proxy-Require") { self = .proxyRequire }
        case (14, UInt8(ascii: "c")): if text.equalsIgnoringCase("Content-Length") { self = .contentLength }
        case (15, UInt8(ascii: "s")): if text.equalsIgnoringCase("Session-Expires") { self = .sessionExpires }
        case (16, UInt8(ascii: "c")): if text.equalsIgnoringCase("Content-Encoding") { self = .contentEncoding }
        case (16, UInt8(ascii: "w")): if text.equalsIgnoringCase("WWW-Authenticate") { self = .wwwAuthenticate }
        case (18, UInt8(ascii: "p")): if text.equalsIgnoringCase("Proxy-Authenticate") { self = .proxyAuthenticate }
        case (19, UInt8(ascii: "p")): if text.equalsIgnoringCase("Proxy-Authorization") { self = .proxyAuthorization }
        default: break
        }
    }

    /// The long form of the name; empty for `.other`.
    public var text: ByteSlice {
        switch self {
        case .other: ""
        case .via: "Via"
        case .from: "From"
        case .to: "To"
        case .callID: "Call-ID"
        case .cSeq: "CSeq"
        case .contact: "Contact"
        case .maxForwards: "Max-Forwards"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .contentEncoding: "Content-Encoding"
        case .route: "Route"
        case .recordRoute: "Record-Route"
        case .path: "Path"
        case .expires: "Expires"
        case .minExpires: "Min-Expires"
        case .authorization: "Authorization"
        case .proxyAuthorization: "Proxy-Authorization"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .require: "Require"
        case .proxyRequire: "Proxy-Require"
        case .supported: "Supported"
        case .unsupported: "Unsupported"
        case .allow: "Allow"
        case .accept: "Accept"
        case .userAgent: "User-Agent"
        case .server: "Server"
        case .warning: "Warning"
        case .reason: "Reason"
        case .retryAfter: "Retry-After"
        case .maxBreadth: "Max-Breadth"
        case .date: "Date"
        case .event: "Event"
        case .referTo: "Refer-To"
        case .referredBy: "Referred-By"
        case .subject: "Subject"
        case .rAck: "RAck"
        case .rSeq: "RSeq"
        case .sessionExpires: "Session-Expires"
        case .minSE: "Min-SE"
        case .allowEvents: "Allow-Events"
        }
    }
}
