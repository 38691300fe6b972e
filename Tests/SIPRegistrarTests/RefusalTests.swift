import Observability
import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct RefusalTests {
    func warning(_ reason: Reason, domain: ByteSlice = "example.com") -> String {
        var writer = ByteWriter(capacity: 256)
        writer.appendWarning(reason, domain: domain)
        return writer.slice.string
    }

    @Test func `Warning names the code, the cause and the remedy`() {
        let text = warning(.starMisused)
        #expect(text.hasPrefix("Warning: 399 example.com \"R-1207 Contact '*' is allowed only alone"))
        #expect(text.hasSuffix(".\"\r\n"))
    }

    @Test func `Warning does not tell what would let a stranger find logins`() {
        for reason in [Reason.unknownLogin, .wrongPassword, .clientDisabled] { #expect(warning(reason) == "") }
    }

    @Test func `Warning has an IPv6 domain in brackets`() {
        #expect(warning(.badContact, domain: "2001:db8::1").hasPrefix("Warning: 399 [2001:db8::1] \""))
        #expect(warning(.badContact, domain: "[2001:db8::1]").hasPrefix("Warning: 399 [2001:db8::1] \""))
    }

    @Test func `No cause or remedy would end the quoted string`() {
        for reason in Reason.allCases where reason.isDisclosed {
            #expect(warning(reason).filter { $0 == "\"" }.count == 2)
            #expect(!warning(reason).contains("\\"))
        }
    }
}
