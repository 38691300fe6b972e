import Primitives
import Testing

@testable import Transport

@Suite struct PortHolderTests {
    static let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:13C4 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
           1: 0100007F:13C4 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
           2: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
        """

    @Test("Sockets are found by their local port, for TCP only those that listen")
    func inodes() {
        #expect(PortHolder.inodes(in: Self.table, port: 5060, onlyListening: true) == ["socket:[4711]"])
        #expect(
            PortHolder.inodes(in: Self.table, port: 5060, onlyListening: false) == ["socket:[4711]", "socket:[4712]"])
        #expect(PortHolder.inodes(in: Self.table, port: 53, onlyListening: false) == ["socket:[4713]"])
        #expect(PortHolder.inodes(in: Self.table, port: 5, onlyListening: false).isEmpty)
        #expect(PortHolder.inodes(in: "", port: 5060, onlyListening: false).isEmpty)
    }
}
