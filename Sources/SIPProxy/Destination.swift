import Primitives
import SIPRegistrar

/// Where a request is forwarded to: the next Request-URI, the Route set in front of it, and the way there.
enum Destination {
    /// A contact of a client.
    case binding(Binding)
    /// The other party of a dialog, along its route token; the Request-URI stays what it is.
    case peer(Flow, requestURI: [UInt8])
    /// A SIP URI elsewhere: a gateway, or what a document of an application names.
    case uri([UInt8])

    /// The preference of a contact in thousandths.
    var q: UInt16 {
        switch self {
        case .binding(let binding): binding.q
        case .peer, .uri: 1000
        }
    }

    /// Calls `body` with the Request-URI and the Route values to put on top.
    func withText<Result>(_ body: (_ requestURI: ByteSlice, _ path: ByteSlice) -> Result) -> Result {
        switch self {
        case .binding(let binding): binding.withText { body($0.contact, $0.path) }
        case .peer(_, let requestURI), .uri(let requestURI): requestURI.withSlice { body($0, .empty) }
        }
    }
}
