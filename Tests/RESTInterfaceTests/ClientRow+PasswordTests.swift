import SIPAuthentication
import Store
import Testing

@testable import RESTInterface

@Suite struct ClientRowPasswordTests {
    private func row(isKept: Bool) -> ClientRow {
        var row = ClientRow(
            accountID: 1, login: "alice", friendlyName: "A", password: nil, ha1MD5: [], ha1SHA256: [],
            ha1SHA512_256: [], realm: "", date: .init(seconds: 0))
        row.setPassword("test", realm: "example.com", isKept: isKept)
        return row
    }

    @Test func `The digests are those of login, realm and password`() {
        let row = row(isKept: false)
        // printf alice:example.com:test | md5sum
        #expect(
            row.ha1MD5.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                == "ff2b785245d02d75e9c1eb05fcc9e3da")
        #expect(row.ha1SHA256.count == 32 && row.ha1SHA512_256.count == 32)
        #expect(row.realm == "example.com" && row.password == nil)
    }

    @Test func `A password is known again, whether it is kept or not`() {
        for isKept in [true, false] {
            let row = row(isKept: isKept)
            #expect((row.password == "test") == isKept)
            #expect(row.hasPassword("test", realm: "example.com"))
            #expect(!row.hasPassword("Test", realm: "example.com"))
            #expect(!row.hasPassword("", realm: "example.com"))
        }
    }

    @Test func `In another realm only a password that is kept is of use`() {
        #expect(row(isKept: true).hasPassword("test", realm: "other.example"))
        #expect(!row(isKept: false).hasPassword("test", realm: "other.example"))
        #expect(row(isKept: false).digest(realm: "other.example") == nil)
        #expect(row(isKept: true).digest(realm: "other.example") != row(isKept: true).digest(realm: "example.com"))
    }
}
