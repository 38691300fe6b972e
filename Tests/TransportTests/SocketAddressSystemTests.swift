import Glibc
import Primitives
import Testing

@testable import Transport

@Suite struct SocketAddressSystemTests {
    @Test(
        "An address comes back from the kernel's form as it was",
        arguments: ["127.0.0.1", "255.254.253.252", "2001:db8::7", "::1"])
    func roundTrip(text: String) throws {
        let address = SocketAddress(address: try #require(text.withSlice { IPAddress($0) }), port: 5061)
        let back = address.withSystemAddress { pointer, _ in SocketAddress(system: UnsafeRawPointer(pointer)) }
        #expect(back == address)
    }

    @Test("The kernel's form has the bytes in network order")
    func networkOrder() {
        let address = SocketAddress(address: IPAddress(ipv4: 0x0102_0304), port: 0x1234)
        let (family, port, value, length) = address.withSystemAddress { pointer, length in
            pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                ($0.pointee.sin_family, $0.pointee.sin_port, $0.pointee.sin_addr.s_addr, length)
            }
        }
        #expect(family == sa_family_t(AF_INET) && port == 0x3412 && value == 0x0403_0201 && length == 16)
    }

    @Test("Other address families are not taken")
    func otherFamily() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        let address = withUnsafeBytes(of: &storage) { $0.baseAddress.flatMap(SocketAddress.init(system:)) }
        #expect(address == nil)
    }
}
