import Primitives
import Testing

@testable import Transport

@Suite struct ConnectionTableTests {
    private func source(_ text: String) -> IPAddress? {
        text.withSlice { IPAddress($0) }.map { ConnectionTable.source($0) }
    }

    @Test("Connections are counted for each IPv4 address, and for each IPv6 network of 64 bits")
    func source() {
        #expect(source("192.0.2.1") != source("192.0.2.2"))
        #expect(source("2001:db8::1") == source("2001:db8::ffff:1"))
        #expect(source("2001:db8::1") != source("2001:db8:0:1::1"))
        #expect(source("::1") != source("0.0.0.1"))
    }
}
