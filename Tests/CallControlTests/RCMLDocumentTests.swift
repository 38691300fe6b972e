import CallControl
import Testing

/// A document as text, from a URL of these tests.
func parse(
    _ text: String, contentType: String? = "text/xml", url: String = "http://app.example/dir/voice?k=1"
) throws(WebhookFailure) -> RCMLDocument {
    try RCMLDocument(parsing: Array(text.utf8), contentType: contentType, url: url)
}

@Suite("RCML documents: what is XML, and what is not")
struct RCMLDocumentTests {
    /// The failure of bytes, in short.
    private func fault(_ bytes: [UInt8], contentType: String? = "text/xml") -> String {
        do throws(WebhookFailure) {
            let document = try RCMLDocument(
                parsing: bytes, contentType: contentType, url: "http://app.example/voice?secret=1")
            return "parsed: \(document)"
        } catch {
            #expect(error.notification.url == "http://app.example/voice")
            #expect(error.notification.level == .error)
            return "\(error.kind) \(error.notification.code) \(error.notification.line):\(error.notification.column)"
        }
    }

    private func fault(_ text: String, contentType: String? = "text/xml") -> String {
        fault(Array(text.utf8), contentType: contentType)
    }

    @Test(
        arguments: [
            "text/xml", "application/xml", "TEXT/XML; charset=utf-8", "text/html;charset=\"UTF-8\"",
            "application/rcml+xml",
            "", nil, "text/xml; charset",
        ] as [String?])
    func theseTypesAreRead(_ type: String?) throws {
        #expect(try parse("<Response><Hangup/></Response>", contentType: type).verbs == [.hangUp])
    }

    @Test(arguments: ["text/plain", "audio/x-wav", "application/json", "image/png", "text"])
    func othersAreNot(_ type: String) {
        #expect(fault("<Response/>", contentType: type) == "contentType 12300 0:0")
    }

    @Test func withoutTypeItMustLookLikeXML() {
        #expect(fault("Hello", contentType: nil) == "contentType 12300 0:0")
    }

    @Test(arguments: ["", " ", "\n\t \r\n", "\u{FEFF}"])
    func anEmptyBodyIsAFault(_ text: String) {
        #expect(fault(text) == "document 12100 0:0")
        #expect(fault(text, contentType: nil) == "document 12100 0:0")
    }

    @Test(arguments: [
        ("<Response>\n<Dial></Say></Response>", "2:7"), ("<Response>\n  <Dial", "2:3"),
        ("<Response><Dial a=1/></Response>", "1:17"), ("<Response/><Response/>", "1:12"), ("x", "1:1"),
        ("<Response>\n\n&#0;</Response>", "3:1"), ("<Response a='1' a='2'/>", "1:17"),
        ("<Response>\u{1}</Response>", "1:11"), ("<Response>\u{FFFE}</Response>", "1:11"), ("<Other/>", "1:1"),
        ("\n <response/>", "2:2"), ("<Response a='<'/>", "1:14"), ("<Response>", "1:11"), ("<Response/>x", "1:12"),
        ("<Response>]]></Response>", "1:11"), ("<Response><!-- a -- b --></Response>", "1:11"),
        ("<Response><!-- a", "1:11"), ("<Response><![CDATA[a", "1:11"), ("<Response><?a", "1:11"),
        ("<Response a/>", "1:11"),
        ("<Response a='1'b='2'/>", "1:16"), ("<Response a='1/>", "1:11"), ("<Response></Response", "1:11"),
        ("</Response>", "1:1"),
        ("<Response>\n<1/></Response>", "2:2"), ("<Response><?xml version='1.0'?></Response>", "1:11"),
    ])
    func whatIsNotWellFormedIsAFaultWithItsPlace(_ text: String, _ place: String) {
        #expect(fault(text) == "document 12100 \(place)")
    }

    @Test(arguments: [
        ("<!DOCTYPE html><html></html>", "1:1"),
        ("<?xml version='1.0'?>\n<!DOCTYPE Response SYSTEM 'http://evil/x'><Response/>", "2:1"),
        ("<!doctype html>\n<html>", "1:1"), ("<Response>\n <!ENTITY a 'b'></Response>", "2:2"),
        (
            "<!DOCTYPE l [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><Response>&b;</Response>", "1:1"
        ),
    ])
    func declarationsAreRefused(_ text: String, _ place: String) {
        #expect(fault(text) == "document 12100 \(place)")
    }

    @Test func aDeclarationInACommentOrInTextIsNone() throws {
        let document = try parse("<Response><!-- <!DOCTYPE x> --><Sms><![CDATA[<!DOCTYPE x> & y]]></Sms></Response>")
        #expect(document.verbs == [.sms(Sms("<!DOCTYPE x> & y"))])
        #expect(document.remarks.isEmpty)
    }

    @Test func nothingIsNestedWithoutLimit() {
        let deep = String(repeating: "<Response>", count: 33) + String(repeating: "</Response>", count: 33)
        #expect(fault(deep) == "document 12100 1:321")
        let allowed = String(repeating: "<Response>", count: 32) + String(repeating: "</Response>", count: 32)
        #expect(fault(allowed).hasPrefix("parsed"))
        let wide = "<Response>" + String(repeating: "<a/>", count: 2_000) + "</Response>"
        #expect(fault(wide) == "document 12100 1:8007")
        let long = "<Response a='" + String(repeating: "x", count: 5_000) + "'/>"
        #expect(fault(long) == "document 12100 1:11")
        #expect(fault(String(repeating: "<Response>", count: 200_000)) == "tooLarge 11206 0:0")
    }

    @Test func aLoneAmpersandIsRepairedAndRemarkedOn() throws {
        let document = try parse(
            "<Response>\n<Redirect>http://a.example/b?c=1&d=2&amp;e=3&f;&nbsp;&#38;</Redirect></Response>")
        #expect(
            document.verbs == [.redirect(WebAddress("http://a.example/b?c=1&d=2&e=3&f;&nbsp;&"))])
        #expect(document.remarks.map(\.line) == [2, 2, 2])
        #expect(document.remarks.map(\.column) == [33, 45, 48])
        #expect(document.remarks.allSatisfy { $0.level == .warning })
        let attribute = try parse("<Response><Dial action='/x?a&b'>1</Dial></Response>")
        #expect(attribute.verbs.first.map { "\($0)" }?.contains("http://app.example/x?a&b") == true)
    }

    @Test func aRepairDoesNotMoveTheFaultsBehindIt() {
        #expect(fault("<Response>&&<a></b></Response>") == "document 12100 1:16")
        #expect(fault("<Response><a></b></Response>") == "document 12100 1:14")
    }

    @Test func theEncodingIsTheOneThatIsNamed() throws {
        let latin =
            Array("<?xml version='1.0' encoding='ISO-8859-1'?><Response><Sms>".utf8) + [0xE4]
            + Array("</Sms></Response>".utf8)
        let document = try RCMLDocument(parsing: latin, contentType: "text/xml", url: "http://a/")
        #expect(document.verbs == [.sms(Sms("ä"))])
        let utf8 = try parse("\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Sms>ä€𝄞</Sms></Response>")
        #expect(utf8.verbs == [.sms(Sms("ä€𝄞"))])
        #expect(fault("<?xml version='1.0' encoding='UTF-16'?><Response/>") == "document 12100 1:1")
        #expect(fault("<?xml version='1.0' encoding='UTF-7'?><Response/>") == "document 12100 1:1")
        #expect(fault([0xFF, 0xFE, 0x3C, 0, 0x52, 0]) == "document 12100 1:1")
        #expect(fault(Array("<Response>\n<Sms>a".utf8) + [0xC3, 0x28]) == "document 12100 2:7")
        #expect(fault(Array("<Response>".utf8) + [0xE4]) == "document 12100 1:11")
    }

    @Test func columnsCountCharacters() throws {
        let document = try parse("<Response>\n<!-- ääää --><Foo/></Response>")
        #expect(document.remarks.map(\.column) == [14])
    }

    @Test func aFloodOfRemarksEnds() throws {
        let document = try parse("<Response>" + String(repeating: "<Foo/>", count: 500) + "</Response>")
        #expect(document.remarks.count == 50)
    }

    @Test func noMoreVerbsThanTheLimitAreRead() throws {
        let document = try parse("<Response>" + String(repeating: "<Hangup/>", count: 500) + "</Response>")
        #expect(document.verbs.count == 200)
        #expect(document.remarks.count == 1)
    }

    @Test func anyCutOfADocumentIsAFaultOrADocument() {
        let whole = Array(
            "<?xml version='1.0'?><Response><!-- c --><Dial action='/a&b'><Client name=\"x\">ä</Client></Dial><![CDATA[x]]></Response>"
                .utf8)
        for length in 0..<whole.count { #expect(!fault(Array(whole[..<length])).hasPrefix("parsed")) }
        #expect(fault(whole).hasPrefix("parsed"))
    }
}
