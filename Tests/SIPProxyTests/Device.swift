import Primitives

/// A phone: whose it is, where it is, what it sends.
struct Device {
    var user: String
    var flow: Flow
    /// The sent-by of its Via and the host of its Contact.
    var host: String

    init(_ user: String, _ address: String, port: UInt16 = 5060, listener: UInt16 = 0, connection: UInt64 = 0) {
        self.user = user
        flow = Flow(
            transport: connection == 0 ? .udp : .tcp, listener: listener, remote: Device.socket(address, port),
            connection: connection)
        host = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    static func socket(_ address: String, _ port: UInt16) -> SocketAddress {
        SocketAddress(address: address.withSlice { IPAddress($0) } ?? IPAddress(high: 0, low: 0), port: port)
    }

    var contact: String { "sip:\(user)@\(host)\(flow.transport == .tcp ? ";transport=tcp" : "")" }

    /// A request of this device to a user of the domain, without credentials.
    func request(_ method: String, to callee: String, branch: String? = nil) -> Request {
        Request(method: method, from: self, to: callee, branch: branch)
    }

    static let alice = Device("alice", "198.51.100.1")
    static let bob = Device("bob", "198.51.100.2")
    static let bobsDesk = Device("bob", "198.51.100.22", port: 5070)
    static let bobsLaptop = Device("bob", "198.51.100.23", port: 5071)
    static let carol = Device("carol", "198.51.100.3", listener: 2, connection: 77)
}
