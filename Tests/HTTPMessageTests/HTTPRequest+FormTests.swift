import HTTPMessage
import Primitives
import Testing

@Suite struct HTTPRequestFormTests {
    static func request(_ type: String?, _ body: String = "a=b") -> HTTPRequest {
        var headers = HTTPHeaders()
        if let type { headers.append("content-type", type) }
        return HTTPRequest(
            method: .post, path: [], rawPath: "/", headers: headers, body: Array(body.utf8), source: IPAddress(ipv4: 1))
    }

    @Test(
        "A form is read whatever the case and the harmless parameters of its type",
        arguments: [
            "application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded ; Charset=\"UTF-8\"",
            "application/x-www-form-urlencoded;charset=utf-8;x=y", "application/x-www-form-urlencoded;",
        ])
    func formIsRead(type: String) throws {
        #expect(try Self.request(type).form["a"] == "b")
    }

    @Test("Another type, or none, is an error when there is a body")
    func otherTypeIsAnError() throws {
        #expect(throws: FormError.unsupportedType) { try Self.request("application/json").form }
        #expect(throws: FormError.unsupportedType) { try Self.request(nil).form }
        #expect(throws: FormError.unsupportedCharacterSet) {
            try Self.request("application/x-www-form-urlencoded; charset=latin1").form
        }
        #expect(throws: FormError.invalidEscape) {
            try Self.request("application/x-www-form-urlencoded", "a=%").form
        }
        #expect(try Self.request("application/json", "").form == FormFields())
        #expect(FormError.unsupportedType.status == 415)
        #expect(FormError.invalidEscape.status == 400)
    }
}
