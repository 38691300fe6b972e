import Foundation
import FoundationXML
import Testing

@testable import CallControl

/// The same elements by Foundation's parser, or nil where it finds a fault.
private final class Oracle: NSObject, XMLParserDelegate {
    private var open: [RCMLElement] = []
    private var root: RCMLElement?
    private var isFaulty = false

    static func root(_ text: String) -> RCMLElement? {
        let parser = XMLParser(data: Data(text.utf8))
        let oracle = Oracle()
        parser.delegate = oracle
        let isWhole = parser.parse()
        return isWhole && !oracle.isFaulty ? oracle.root : nil
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        open.append(RCMLElement(name: name, attributes: attributes, place: RCMLPlace(line: 0, column: 0)))
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard let last = open.popLast() else { return }
        if open.isEmpty { root = root ?? last } else { open[open.count - 1].children.append(last) }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if !open.isEmpty { open[open.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        // Section 2.11 holds here too, which libxml2 overlooks.
        let text = String(decoding: block, as: UTF8.self).replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        if !open.isEmpty { open[open.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) { isFaulty = true }
}

@Suite("XML of documents")
struct RCMLParserTests {
    // Without an instruction that has no data: Foundation's parser ends the process with `<?p?>`.
    private static let pieces = [
        "<", ">", "/", "&amp;", "&#65;", "&#x1F600;", "&lt;", "\"", "'", "=", " ", "\n", "\r\n", "\r", "\t", "<!--",
        "-->", "--", "-",
        "<![CDATA[", "]]>", "]]", "<?p q", "?>", "a", "b", "<a>", "</a>", "<b/>", "<b>", "</b >", " x='1'",
        " y = \"2\"",
        "é", "\u{1}", "\u{FFFE}", "&#13;", "&#9;", "text", "1", "<c x='&quot;\r\n\t'>", "</c>",
    ]

    /// The elements without their places.
    private func plain(_ element: RCMLElement) -> RCMLElement {
        var result = RCMLElement(
            name: element.name, attributes: element.attributes, place: RCMLPlace(line: 0, column: 0))
        result.text = element.text
        result.children = element.children.map(plain)
        return result
    }

    private func next(_ state: inout UInt64) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33)
    }

    private func document(_ state: inout UInt64) -> String {
        let pieces = RCMLParserTests.pieces
        var parts = ["<a>", "<b x='1'>", "text", "</b>", "<!-- c -->", "<c/>", "<![CDATA[<]]>", "</a>"]
        for _ in 0..<(1 + next(&state) % 4) {
            let place = next(&state) % (parts.count + 1)
            if next(&state) % 4 == 0, place < parts.count {
                parts.remove(at: place)
            } else {
                parts.insert(pieces[next(&state) % pieces.count], at: place)
            }
        }
        return parts.joined()
    }

    @Test func whatFoundationsParserRefusesIsRefusedAndWhatItReadsIsReadTheSame() {
        var state: UInt64 = 5
        var (read, refused) = (0, 0)
        for _ in 0..<6_000 {
            let text = document(&state)
            var parser = RCMLParser(Array(text.utf8), limits: RCMLLimits())
            let ours: RCMLElement?
            do throws(RCMLFault) { ours = plain(try parser.parse()) } catch { ours = nil }
            // A lone & is the one departure.
            if !parser.repairs.isEmpty { continue }
            let theirs = Oracle.root(text)
            #expect(ours == theirs, "\(text.debugDescription)")
            if ours == nil { refused += 1 } else { read += 1 }
        }
        #expect(read > 1_000)
        #expect(refused > 1_000)
    }

    @Test func instructionsAreSkipped() throws {
        for text in ["<a><?p?></a>", "<?p q?><a/><?p ?>", "<a><?p ??></a>"] {
            var parser = RCMLParser(Array(text.utf8), limits: RCMLLimits())
            #expect(try parser.parse().name == "a")
        }
        var parser = RCMLParser(Array("<a><?p\"x\"?></a>".utf8), limits: RCMLLimits())
        #expect(throws: RCMLFault.self) { try parser.parse() }
    }

    @Test func referencesAreRead() throws {
        var parser = RCMLParser(
            Array("<a x='&#x41;&#9;&apos;'>&gt;&#228;&#x1F600;&#13;\r\n\r&#xD800;&#+5;&#;&;</a>".utf8),
            limits: RCMLLimits())
        let root = try parser.parse()
        #expect(root.attributes == ["x": "A\t'"])
        #expect(root.text == ">ä😀\r\n\n&#xD800;&#+5;&#;&;")
        #expect(parser.repairs.count == 4)
    }
}
