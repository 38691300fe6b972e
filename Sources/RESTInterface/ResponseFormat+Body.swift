/// The bodies of answers.
extension ResponseFormat {
    /// One resource: in XML within the root element.
    func body(of resource: Representation) -> [UInt8] {
        switch self {
        case .json:
            var writer = JSONWriter()
            writer.write(resource)
            return writer.bytes + [UInt8(ascii: "\n")]
        case .xml:
            var writer = XMLWriter()
            writer.append("<RestcommResponse>\n")
            writer.write(resource, indent: 1)
            writer.append("</RestcommResponse>\n")
            return writer.bytes
        }
    }

    /// An array of resources.
    func body(of resources: [Representation], element: String) -> [UInt8] {
        var bytes = Array(opening(element).utf8)
        append(resources, isFirst: true, to: &bytes)
        bytes += closing(element, isEmpty: resources.isEmpty).utf8
        return bytes
    }

    /// What comes before the resources of an array.
    func opening(_ element: String) -> String {
        self == .json ? "[" : "<RestcommResponse>\n  <\(element)>\n"
    }

    /// Adds resources to an array that was opened.
    func append(_ resources: [Representation], isFirst: Bool, to bytes: inout [UInt8]) {
        switch self {
        case .json:
            var writer = JSONWriter()
            for (index, resource) in resources.enumerated() {
                writer.writeNext(resource, isFirst: isFirst && index == 0)
            }
            bytes += writer.bytes
        case .xml:
            var writer = XMLWriter()
            for resource in resources { writer.write(resource, indent: 2) }
            bytes += writer.bytes
        }
    }

    /// What comes behind the resources of an array.
    func closing(_ element: String, isEmpty: Bool) -> String {
        self == .json ? (isEmpty ? "]\n" : "\n]\n") : "  </\(element)>\n</RestcommResponse>\n"
    }

    /// A page of resources.
    func body(of page: Page) -> [UInt8] {
        switch self {
        case .json: return body(of: page.representation)
        case .xml:
            var writer = XMLWriter()
            writer.append("<RestcommResponse>\n  <\(page.element)")
            for (name, value) in page.attributes { writer.append(" \(name)=\"\(XMLWriter.escaped(value))\"") }
            writer.append(">\n")
            for resource in page.resources { writer.write(resource, indent: 2) }
            writer.append("  </\(page.element)>\n</RestcommResponse>\n")
            return writer.bytes
        }
    }

    /// A failure: in XML its members stand directly in the root element, the message first, as Restcomm has it.
    func body(of failure: Failure) -> [UInt8] {
        switch self {
        case .json: return body(of: failure.representation)
        case .xml:
            var writer = XMLWriter()
            let members = failure.representation.members
            let sorted = members.filter { $0.name == "message" } + members.filter { $0.name != "message" }
            writer.write(failure.representation.element, .object(sorted), indent: 0)
            return writer.bytes
        }
    }
}
