import Foundation
import FoundationXML

/// An element of a document.
struct RCMLElement {
    let name: String
    let attributes: [String: String]
    let place: RCMLPlace
    var children: [RCMLElement] = []
    /// The text in it, without that of its children.
    var text = ""
}

/// Builds the elements of a document: all that Foundation's parser is asked for.
final class RCMLTree: NSObject, XMLParserDelegate {
    private let places: [RCMLPlace]
    private var seen = 0
    private var open: [RCMLElement] = []
    private var root: RCMLElement?
    private var fault: (code: Int, place: RCMLPlace)?

    private init(places: [RCMLPlace]) { self.places = places }

    /// The root element of what the scanner has passed.
    static func root(of scanner: RCMLScanner) throws(RCMLFault) -> RCMLElement {
        let parser = XMLParser(data: Data(scanner.output))
        parser.shouldProcessNamespaces = false
        parser.shouldResolveExternalEntities = false
        parser.externalEntityResolvingPolicy = .never
        let tree = RCMLTree(places: scanner.places)
        parser.delegate = tree
        let isWhole = parser.parse()
        if let fault = tree.fault {
            throw RCMLFault(message: message(fault.code), place: scanner.original(fault.place))
        }
        guard isWhole, let root = tree.root else {
            throw RCMLFault(
                message: "The document is not XML: it has no element. Send <Response> with verbs in it.",
                place: RCMLPlace(line: 1, column: 1))
        }
        return root
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        let place =
            seen < places.count
            ? places[seen] : RCMLPlace(line: Int64(parser.lineNumber), column: Int64(parser.columnNumber))
        seen += 1
        open.append(RCMLElement(name: name, attributes: attributes, place: place))
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard let element = open.popLast() else { return }
        if open.isEmpty { root = root ?? element } else { open[open.count - 1].children.append(element) }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if !open.isEmpty { open[open.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        if !open.isEmpty { open[open.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) {
        let code = (error as NSError).code
        // 2xx: namespaces, which RCML does not use; a colon in a name is then just unknown.
        if fault != nil || (200...205).contains(code) { return }
        fault = (code, RCMLPlace(line: Int64(parser.lineNumber), column: Int64(parser.columnNumber)))
        parser.abortParsing()
    }

    /// The errors of libxml2 that people meet, in words.
    private static func message(_ code: Int) -> String {
        let what =
            switch code {
            case 4: "it has no element"
            case 5: "it ends before all elements are closed, or something follows the end of <Response>"
            case 8, 9: "here is a character that XML does not allow"
            case 26: "here is an entity that XML does not have; only &amp;, &lt;, &gt;, &quot; and &apos; are known"
            case 38: "an attribute has a '<' in it; write &lt;"
            case 39: "the value of an attribute is not in quotes"
            case 40: "the closing quote of an attribute is missing"
            case 41: "an attribute has no value"
            case 42: "an element has the same attribute twice"
            case 45: "a comment is not closed, or has '--' in it"
            case 62: "']]>' must not be in text; write ]]&gt;"
            case 63: "a CDATA section is not closed"
            case 65: "a space is missing between attributes"
            case 68: "here a name was expected; a '<' in text is written &lt;"
            case 73: "a tag is not closed with '>'"
            case 76: "this closing tag does not match the element that is open; capitals matter"
            case 77: "it ends before all elements are closed"
            default: "the XML parser has stopped here (error \(code))"
            }
        return "The document is not well-formed XML: \(what)."
    }
}
