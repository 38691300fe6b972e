extension RCMLReader {
    /// Remarks on attributes that an element does not have.
    mutating func checkAttributes(of element: RCMLElement, _ known: [String]) {
        for name in element.attributes.keys.sorted() where !known.contains(name) {
            let meant = known.first { $0.lowercased() == name.lowercased() }
            remark(
                CallNotification.Code.unknownWord,
                "\(element.name) has no attribute \(RCMLContent.shown(name)); it was ignored."
                    + (meant.map { " Capitals matter: write '\($0)'." } ?? ""), element.place)
        }
    }

    mutating func checkNoText(in element: RCMLElement) {
        let text = RCMLContent.trim(element.text)
        if !text.isEmpty {
            remark(
                CallNotification.Code.unknownWord,
                "\(element.name) has text in it (\(RCMLContent.shown(text))), which was ignored.", element.place)
        }
    }

    /// Remarks on what an element without children has.
    mutating func checkLeaf(_ element: RCMLElement, _ known: [String], allowsText: Bool = false) {
        checkAttributes(of: element, known)
        if !allowsText { checkNoText(in: element) }
        for child in element.children {
            remark(
                CallNotification.Code.unknownWord,
                "\(RCMLContent.shown(child.name)) cannot be in \(element.name) and was skipped.", child.place)
        }
    }

    /// A number of seconds: what is none becomes the default, what is out of range the nearest bound.
    mutating func number(
        _ name: String, of element: RCMLElement, default standard: UInt32, _ range: ClosedRange<UInt32>, _ code: Int64
    ) -> UInt32 {
        guard let text = element.attributes[name].map(RCMLContent.trim) else { return standard }
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? text : ""
        guard !digits.isEmpty else {
            remark(
                code, "\(name) \(RCMLContent.shown(text)) is no number of seconds: \(standard) was taken.",
                element.place)
            return standard
        }
        let value = UInt32(digits) ?? UInt32.max
        if range.contains(value) { return value }
        let nearest = min(max(value, range.lowerBound), range.upperBound)
        remark(
            code,
            "\(name) \(RCMLContent.shown(text)) is not between \(range.lowerBound) and \(range.upperBound): "
                + "\(nearest) was taken.", element.place)
        return nearest
    }

    /// The method of a URL.
    mutating func method(_ name: String, of element: RCMLElement, _ code: Int64) -> WebAddress.Method {
        guard let text = element.attributes[name].map(RCMLContent.trim) else { return .post }
        if let method = WebAddress.Method(rawValue: text.uppercased()) { return method }
        remark(code, "\(name) \(RCMLContent.shown(text)) is neither GET nor POST: POST was taken.", element.place)
        return .post
    }

    /// The URL of an attribute, resolved; nil when there is none, or none that can be used.
    mutating func address(_ name: String, of element: RCMLElement, _ method: WebAddress.Method) -> WebAddress? {
        guard let text = element.attributes[name].map(RCMLContent.trim), !text.isEmpty else { return nil }
        return address(text, method, name, element)
    }

    mutating func address(
        _ text: String, _ method: WebAddress.Method, _ name: String, _ element: RCMLElement
    ) -> WebAddress? {
        switch WebAddress.resolve(text, against: url, limit: limits.value) {
        case .success(let resolved): return WebAddress(resolved, method)
        case .failure(let fault):
            remark(
                CallNotification.Code.badURL,
                "The URL of \(name), \(RCMLContent.shown(WebAddress.withoutCredentials(text))), was ignored: \(fault.why).",
                element.place, level: .error)
            return nil
        }
    }

    /// A client (`client:` in front is taken away) or number; nil, with a remark, when it cannot be one.
    mutating func person(_ name: String, of element: RCMLElement, _ code: Int64) -> String? {
        guard let text = element.attributes[name].map(RCMLContent.trim) else { return nil }
        let person = RCMLReader.withoutScheme(text)
        if RCMLReader.isName(person) { return person }
        remark(
            code, "\(name) \(RCMLContent.shown(text)) is no client and no number and was ignored.", element.place,
            level: .error)
        return nil
    }

    static func withoutScheme(_ text: String) -> String {
        text.lowercased().hasPrefix("client:") ? RCMLContent.trim(String(text.dropFirst(7))) : text
    }

    /// True for what can be a login or a number: short, in one line.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256 && !hasControls(text)
    }

    static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
