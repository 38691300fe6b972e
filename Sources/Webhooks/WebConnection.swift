import Glibc
import Primitives

/// A connection to an application without TLS, for one request after the other. Used on the client's thread alone.
final class WebConnection {
    /// What became of an attempt to read or write.
    enum Progress { case waits, answered, broken(HTTPAnswerParser.Fault?) }

    let descriptor: Int32
    let token: UInt64
    /// Address, port and host: what its requests have in common.
    let key: String
    /// The exchange that uses it; nil while it is kept.
    var exchange: WebExchange?
    /// When it was last used, or began to connect.
    var since: UInt64
    private(set) var isConnected = false
    /// True for one that has carried a request already.
    var isUsed = false
    var parser = HTTPAnswerParser(bodyLimit: 0)
    private var output: [UInt8] = []
    private var sent = 0

    /// Begins to connect; nil, with the error's number, when that fails at once.
    static func open(
        _ address: IPAddress, _ port: UInt16, key: String, token: UInt64, now: UInt64
    ) -> (connection: WebConnection?, error: Int32) {
        let number = socket(
            address.isIPv4 ? AF_INET : AF_INET6,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return (nil, errno) }
        var one: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let result: Int32
        if address.isIPv4 {
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = port.bigEndian
            place.sin_addr.s_addr = address.ipv4.bigEndian
            result = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        } else {
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            place.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &place.sin6_addr) {
                $0.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            result = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        if result != 0, errno != EINPROGRESS {
            let error = errno
            close(number)
            return (nil, error)
        }
        return (WebConnection(number, key: key, token: token, now: now), 0)
    }

    private init(_ descriptor: Int32, key: String, token: UInt64, now: UInt64) {
        self.descriptor = descriptor
        self.key = key
        self.token = token
        since = now
    }

    deinit { close(descriptor) }

    /// True while bytes wait to be sent, or the connection is being made.
    var wantsToWrite: Bool { !isConnected || sent < output.count }

    /// Begins a request.
    func begin(_ bytes: [UInt8], bodyLimit: Int) {
        output = bytes
        sent = 0
        parser = HTTPAnswerParser(bodyLimit: bodyLimit)
    }

    /// The error of the connection, 0 for none.
    var error: Int32 {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        return error
    }

    /// Sends what waits; false when the connection is broken.
    func write() -> Bool {
        while sent < output.count {
            let count = output.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN
            }
            isConnected = true
            sent += count
        }
        output = []
        sent = 0
        return true
    }

    /// Reads what has come, through a buffer that all connections share.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Progress {
        // More is read after the other connections had their turn.
        for _ in 0..<16 {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .waits : .broken(nil)
            }
            do throws(HTTPAnswerParser.Fault) {
                if count == 0 {
                    try parser.end()
                } else {
                    try parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            } catch {
                return .broken(error)
            }
            if parser.isComplete { return .answered }
        }
        return .waits
    }
}
