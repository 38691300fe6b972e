import Glibc
import Testing

@testable import Transport

@Suite struct SystemErrorTests {
    @Test("An error says which call failed, and why in the system's words")
    func description() {
        #expect(SystemError(EADDRINUSE, "bind").description == "bind: Address already in use")
        #expect(SystemError(9999, "bind").description == "bind: error 9999")
    }
}
