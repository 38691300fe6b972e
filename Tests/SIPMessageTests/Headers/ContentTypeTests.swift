import Primitives
import SIPMessage
import Testing

@Suite("ContentType")
struct ContentTypeTests {
    @Test(
        "The value is a type, a slash and a subtype, white space allowed around each (20.15)",
        arguments: [
            ("application/sdp", "application", "sdp"), ("Application / SDP", "Application", "SDP"),
            ("text\r\n /\r\n\tplain", "text", "plain"), ("message/sipfrag;version=2.0", "message", "sipfrag"),
            ("application/vnd.3gpp.sms ; a", "application", "vnd.3gpp.sms"), ("a/b;c=\";/\\\"\"", "a", "b"),
        ])
    func values(text: String, type: String, subtype: String) {
        text.withSlice {
            let value = ContentType($0)
            #expect(value?.type.string == type)
            #expect(value?.subtype.string == subtype)
        }
    }

    @Test("Parameters are found without case, quoted or not")
    func parameters() {
        let value = ContentType("multipart/mixed; Boundary=\"a;b\\\"c\" ;\r\n charset = UTF-8")
        #expect(value?.parameters["boundary"] == "a;b\\\"c")
        #expect(value?.parameters["CHARSET"] == "UTF-8")
        #expect(value?.parameters["version"] == nil)
    }

    @Test("Media types are compared without case, and both parts count")
    func matching() {
        let value = ContentType("APPLICATION/Sdp;a=b")
        #expect(value?.matches("application", "sdp") == true)
        #expect(value?.matches("application", "sd") == false)
        #expect(value?.matches("text", "sdp") == false)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", "/", "sdp", "application/", "/sdp", "application/sdp/x", "appli cation/sdp", "application/s dp",
            "application/sdp;", "application/sdp;=b", "application/sdp;a=", "application/sdp;a=\"b",
            "application/sdp x", "application;a=b/c", "a/b,c/d", "a/b;c=d,e/f", "*/\u{0}", "a/b;c=\"\\", "\"a\"/b",
            "é/b",
        ])
    func malformed(text: String) {
        let isContentType = text.withSlice { ContentType($0) != nil }
        #expect(!isContentType)
    }

    @Test("Content-Type is read from the message, in the compact form too (7.3.3)")
    func accessor() {
        #expect(Parsed(options(adding: "c: text/plain\n")).contentType == "text/plain")
        #expect(Parsed(options(adding: "Content-Type: text\n")).contentType == nil)
        #expect(Parsed(options()).contentType == nil)
    }
}
