import Glibc
import Primitives

/// The kernel's form of addresses: sockaddr_in and sockaddr_in6, written and read by their fixed layout.
extension SocketAddress {
    /// Room that each of the kernel's forms needs, in bytes.
    static let systemSize = 32

    /// The address family for `socket`.
    var family: Int32 { address.isIPv4 ? AF_INET : AF_INET6 }

    /// Writes the kernel's form to `target`, which has `systemSize` bytes, and gives its length.
    @inline(__always)
    func write(to target: UnsafeMutableRawPointer) -> socklen_t {
        target.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        if address.isIPv4 {
            target.storeBytes(of: UInt16(AF_INET), as: UInt16.self)
            target.storeBytes(of: address.ipv4.bigEndian, toByteOffset: 4, as: UInt32.self)
            target.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
            return 16
        }
        target.storeBytes(of: UInt16(AF_INET6), as: UInt16.self)
        target.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
        target.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: 0, toByteOffset: 24, as: UInt32.self)
        return 28
    }

    /// Reads the kernel's form from `source`, which has as many bytes as its family needs; nil for another family.
    @inline(__always)
    init?(system source: UnsafeRawPointer) {
        let port = UInt16(bigEndian: source.load(fromByteOffset: 2, as: UInt16.self))
        switch Int32(source.load(as: UInt16.self)) {
        case AF_INET:
            let value = UInt32(bigEndian: source.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            self.init(address: IPAddress(ipv4: value), port: port)
        case AF_INET6:
            let high = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let low = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            self.init(address: IPAddress(high: high, low: low), port: port)
        default:
            return nil
        }
    }

    /// Calls `body` with the kernel's form.
    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.systemSize, alignment: 8) { buffer in
            // The buffer has bytes, so it has an address.
            guard let base = buffer.baseAddress else { preconditionFailure("no memory") }
            let length = write(to: base)
            return body(UnsafePointer(base.assumingMemoryBound(to: sockaddr.self)), length)
        }
    }
}
