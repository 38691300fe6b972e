import Foundation
import Testing

@testable import RESTInterface

@Suite struct ResponseFormatBodyTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func resource(_ name: String) -> Representation {
        var resource = Representation("Client")
        resource.add("sid", name)
        return resource
    }

    @Test func `A resource stands alone in JSON and within the root in XML`() {
        #expect(text(ResponseFormat.json.body(of: resource("a"))) == "{\n  \"sid\": \"a\"\n}\n")
        #expect(
            text(ResponseFormat.xml.body(of: resource("a")))
                == "<RestcommResponse>\n  <Client>\n    <Sid>a</Sid>\n  </Client>\n</RestcommResponse>\n")
    }

    @Test func `A list is a bare array in JSON and an element in XML`() {
        let list = [resource("a"), resource("b")]
        #expect(
            text(ResponseFormat.json.body(of: list, element: "Clients")) == """
                [
                  {
                    "sid": "a"
                  },
                  {
                    "sid": "b"
                  }
                ]

                """)
        #expect(
            text(ResponseFormat.xml.body(of: list, element: "Clients")) == """
                <RestcommResponse>
                  <Clients>
                    <Client>
                      <Sid>a</Sid>
                    </Client>
                    <Client>
                      <Sid>b</Sid>
                    </Client>
                  </Clients>
                </RestcommResponse>

                """)
    }

    @Test func `An empty list is empty`() {
        #expect(text(ResponseFormat.json.body(of: [], element: "Clients")) == "[]\n")
        #expect(
            text(ResponseFormat.xml.body(of: [], element: "Clients"))
                == "<RestcommResponse>\n  <Clients>\n  </Clients>\n</RestcommResponse>\n")
    }

    @Test func `An error is an object in JSON, and in XML its members stand in the root`() {
        let failure = Failure.invalid("Login", "'<' & more.")
        #expect(
            text(ResponseFormat.json.body(of: failure)) == """
                {
                  "code": "R-3302",
                  "message": "Login is invalid: '<' & more.",
                  "parameter": "Login",
                  "more_info": "Docs/Reasons.md#r-3302"
                }

                """)
        #expect(
            text(ResponseFormat.xml.body(of: failure)) == """
                <RestcommResponse>
                  <Message>Login is invalid: '&lt;' &amp; more.</Message>
                  <Code>R-3302</Code>
                  <Parameter>Login</Parameter>
                  <MoreInfo>Docs/Reasons.md#r-3302</MoreInfo>
                </RestcommResponse>

                """)
    }

    @Test func `An answer of the HTTP server itself has the form of the API's errors`() throws {
        let (type, body) = RESTService.serverError(status: 413, message: "", wantsJSON: true)
        #expect(type == "application/json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: String])
        #expect(object["code"] == "R-3003" && object["message"] == Problem.bodyTooLarge.cause)
        let (other, xml) = RESTService.serverError(status: 400, message: "The <x> is bad.", wantsJSON: false)
        #expect(other == "application/xml" && text(xml).contains("<Message>The &lt;x&gt; is bad.</Message>"))
    }
}
