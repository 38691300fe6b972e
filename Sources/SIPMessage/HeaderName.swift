import Primitives

/// A header field name that the program looks at; every other one is `.other` and is passed on as it came.
public enum HeaderName: UInt8, CaseIterable, Sendable {
    case other = 0
    case via, from, to, callID, cSeq, contact
    case maxForwards, contentLength, contentType, contentEncoding, route, recordRoute
    case path, expires, minExpires, authorization, proxyAuthorization, wwwAuthenticate
    case proxyAuthenticate, require, proxyRequire, supported, unsupported, allow
    case accept, userAgent, server, warning, reason, retryAfter
    case maxBreadth, date, event, referTo, referredBy, subject
    case rAck, rSeq, sessionExpires, minSE, allowEvents, timestamp

    /// The name with this text, long or compact form, without case (RFC 3261 7.3.1 and 7.3.3).
    public init(_ text: ByteSlice) {
        guard let first = text.first else {
            self = .other
            return
        }
        let letter = ASCII.lowercase(first)
        let candidate: HeaderName
        switch text.count {
        case 1:
            self = HeaderName(compact: letter)
            return
        case 2: candidate = .to
        case 3: candidate = .via
        case 4:
            switch letter {
            case UInt8(ascii: "c"): candidate = .cSeq
            case UInt8(ascii: "d"): candidate = .date
            case UInt8(ascii: "f"): candidate = .from
            case UInt8(ascii: "p"): candidate = .path
            case UInt8(ascii: "r"):
                candidate = ASCII.lowercase(text[1]) == UInt8(ascii: "a") ? .rAck : .rSeq
            default: candidate = .other
            }
        case 5:
            switch letter {
            case UInt8(ascii: "a"): candidate = .allow
            case UInt8(ascii: "e"): candidate = .event
            case UInt8(ascii: "r"): candidate = .route
            default: candidate = .other
            }
        case 6:
            switch letter {
            case UInt8(ascii: "a"): candidate = .accept
            case UInt8(ascii: "m"): candidate = .minSE
            case UInt8(ascii: "r"): candidate = .reason
            case UInt8(ascii: "s"): candidate = .server
            default: candidate = .other
            }
        case 7:
            switch letter {
            case UInt8(ascii: "c"):
                candidate = ASCII.lowercase(text[1]) == UInt8(ascii: "a") ? .callID : .contact
            case UInt8(ascii: "e"): candidate = .expires
            case UInt8(ascii: "r"): candidate = .require
            case UInt8(ascii: "s"): candidate = .subject
            case UInt8(ascii: "w"): candidate = .warning
            default: candidate = .other
            }
        case 8: candidate = .referTo
        case 9:
            switch letter {
            case UInt8(ascii: "s"): candidate = .supported
            case UInt8(ascii: "t"): candidate = .timestamp
            default: candidate = .other
            }
        case 10: candidate = .userAgent
        case 11:
            switch letter {
            case UInt8(ascii: "m"):
                candidate = ASCII.lowercase(text[1]) == UInt8(ascii: "i") ? .minExpires : .maxBreadth
            case UInt8(ascii: "r"):
                candidate = ASCII.lowercase(text[2]) == UInt8(ascii: "t") ? .retryAfter : .referredBy
            case UInt8(ascii: "u"): candidate = .unsupported
            default: candidate = .other
            }
        case 12:
            switch letter {
            case UInt8(ascii: "a"): candidate = .allowEvents
            case UInt8(ascii: "c"): candidate = .contentType
            case UInt8(ascii: "m"): candidate = .maxForwards
            case UInt8(ascii: "r"): candidate = .recordRoute
            default: candidate = .other
            }
        case 13:
            switch letter {
            case UInt8(ascii: "a"): candidate = .authorization
            case UInt8(ascii: "p"): candidate = .proxyRequire
            default: candidate = .other
            }
        case 14: candidate = .contentLength
        case 15: candidate = .sessionExpires
        case 16:
            switch letter {
            case UInt8(ascii: "c"): candidate = .contentEncoding
            case UInt8(ascii: "w"): candidate = .wwwAuthenticate
            default: candidate = .other
            }
        case 18: candidate = .proxyAuthenticate
        case 19: candidate = .proxyAuthorization
        default: candidate = .other
        }
        // Most peers write a name as the RFCs do, and that comparison is the quicker one.
        let name = candidate.text
        self = text == name || text.equalsIgnoringCase(name) ? candidate : .other
    }

    private init(compact letter: UInt8) {
        switch letter {
        case UInt8(ascii: "v"): self = .via
        case UInt8(ascii: "f"): self = .from
        case UInt8(ascii: "t"): self = .to
        case UInt8(ascii: "i"): self = .callID
        case UInt8(ascii: "m"): self = .contact
        case UInt8(ascii: "l"): self = .contentLength
        case UInt8(ascii: "c"): self = .contentType
        case UInt8(ascii: "e"): self = .contentEncoding
        case UInt8(ascii: "k"): self = .supported
        case UInt8(ascii: "o"): self = .event
        case UInt8(ascii: "r"): self = .referTo
        case UInt8(ascii: "b"): self = .referredBy
        case UInt8(ascii: "s"): self = .subject
        case UInt8(ascii: "x"): self = .sessionExpires
        case UInt8(ascii: "u"): self = .allowEvents
        default: self = .other
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
        case .timestamp: "Timestamp"
        }
    }
}
