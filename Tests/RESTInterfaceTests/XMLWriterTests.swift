import Foundation
import FoundationXML
import Testing

@testable import RESTInterface

@Suite struct XMLWriterTests {
    private func text(_ representation: Representation) -> String {
        var writer = XMLWriter()
        writer.write(representation, indent: 0)
        return writer.text
    }

    @Test func `Members are elements in order, indented by two spaces, with words capitalised`() {
        var inner = Representation("Inner")
        inner.add("b", "x")
        var resource = Representation("Outer")
        resource.add("date_created", "1")
        resource.add("count", number: 7)
        resource.add("flag", .flag(true))
        resource.add("nothing", .null)
        resource.add("inner_object", .object(inner.members))
        resource.add("list", .list([inner]))
        resource.add("texts", .texts(["p", "<q>"]))
        resource.add("empty", "")
        resource.add("none", .list([]))
        resource.add("bare", .object([]))
        #expect(
            text(resource) == """
                <Outer>
                  <DateCreated>1</DateCreated>
                  <Count>7</Count>
                  <Flag>true</Flag>
                  <Nothing/>
                  <InnerObject>
                    <B>x</B>
                  </InnerObject>
                  <List>
                    <Inner>
                      <B>x</B>
                    </Inner>
                  </List>
                  <Texts>p &lt;q&gt;</Texts>
                  <Empty/>
                  <None/>
                  <Bare/>
                </Outer>

                """)
    }

    /// What XML 1.0 section 2.2 allows.
    private func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xa, 0xd, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...: true
        default: false
        }
    }

    @Test func `Every character comes back, and what XML cannot hold as U+FFFD`() throws {
        let scalars = (UInt32(0)...0x2fff).compactMap(Unicode.Scalar.init) + ["\u{fffe}", "\u{ffff}", "\u{1f600}"]
        var value = ""
        value.unicodeScalars.append(contentsOf: scalars)
        var resource = Representation("A")
        resource.add("text", value)
        let root = try #require(try XMLDocument(data: Data(text(resource).utf8)).rootElement())
        let found = try #require(root.elements(forName: "Text").first?.stringValue)
        #expect(Array(found.unicodeScalars) == scalars.map { isAllowed($0) ? $0 : "\u{fffd}" })
    }

    @Test func `Markup and quotes are escaped`() {
        #expect(XMLWriter.escaped("a<b>&\"'\r\n\u{0}]]>") == "a&lt;b&gt;&amp;&quot;'&#13;\n\u{fffd}]]&gt;")
    }
}
