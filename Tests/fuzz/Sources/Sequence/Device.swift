import Primitives

/// A phone: whose it is, where it is, what it writes as its host.
struct Device {
    var user: String
    var flow: Flow
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

    var isStranger: Bool { user == "mallory" }
    var contact: String { "sip:\(user)@\(host)\(flow.transport == .tcp ? ";transport=tcp" : "")" }

    /// All phones at the beginning; the last two are a stranger's.
    static let all = [
        Device("alice", "198.51.100.1"), Device("bob", "198.51.100.2"), Device("bob", "198.51.100.22", port: 5070),
        Device("carol", "198.51.100.3", port: 40_003, listener: 2, connection: 77),
        Device("carol", "198.51.100.33", port: 5090, listener: 1), Device("bob", "2001:db8::4", listener: 3),
        Device("alice", "198.51.100.1", port: 40_001, listener: 2, connection: 79),
        Device("bob", "198.51.100.2", port: 40_002, listener: 2, connection: 80),
        Device("mallory", "203.0.113.66"),
        Device("mallory", "203.0.113.66", port: 40_009, listener: 2, connection: 99),
    ]
}

/// A request as a device sends it.
struct Request {
    var method: String
    var device: Device
    var uri: String
    var from: String
    var fromTag: String
    var to: String
    var toTag = ""
    var callID: String
    var sequence: Int
    var branch: String
    /// Header lines, each with its end.
    var headers = ""
    /// The header line with credentials.
    var credentials = ""
    var contact: String
    var body = ""
    var hasResponsePort = true

    /// The request as bytes.
    var bytes: [UInt8] {
        let transport = device.flow.transport == .tcp ? "TCP" : "UDP"
        var text = "\(method) \(uri) SIP/2.0\r\nVia: SIP/2.0/\(transport) \(device.host);branch=\(branch)"
        text += hasResponsePort ? ";rport\r\n" : "\r\n"
        text += "Max-Forwards: 70\r\nFrom: <\(from)>;tag=\(fromTag)\r\nTo: <\(to)>"
        text += toTag.isEmpty ? "\r\n" : ";tag=\(toTag)\r\n"
        text += "Call-ID: \(callID)\r\nCSeq: \(sequence) \(method)\r\n"
        text += contact.isEmpty ? "" : "Contact: \(contact)\r\n"
        text += headers
        text += credentials
        text += "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        return Array(text.utf8)
    }

    /// The same for another method within its transaction: a CANCEL or an ACK.
    func hopByHop(_ method: String, toTag: String) -> Request {
        var request = self
        request.method = method
        request.toTag = toTag
        request.credentials = ""
        request.body = ""
        return request
    }
}

/// A message that the server wanted sent.
struct Sent {
    var flow: Flow
    var bytes: [UInt8]
    var origin: UInt64
}
