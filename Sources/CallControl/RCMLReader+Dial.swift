extension RCMLReader {
    mutating func dial(_ element: RCMLElement) -> Verb {
        var known = ["action", "method", "timeout", "timeLimit", "callerId"]
        if element.attributes["record"] != nil {
            known.append("record")
            if !["false", "do-not-record"].contains(element.attributes["record"] ?? "") {
                remark(
                    CallNotification.Code.unsupportedVerb,
                    "record was ignored: it needs media, which this version does not have.", element.place)
            }
        }
        checkAttributes(of: element, known)
        var result = Dial([])
        let method = method("method", of: element, CallNotification.Code.dialMethod)
        result.action = address("action", of: element, method)
        result.timeout = number("timeout", of: element, default: 30, 1...600, CallNotification.Code.dialTimeout)
        result.timeLimit = number(
            "timeLimit", of: element, default: 14_400, 1...86_400, CallNotification.Code.dialTimeLimit)
        result.callerID = person("callerId", of: element, CallNotification.Code.dialCallerID)
        if element.children.isEmpty {
            let text = RCMLContent.trim(element.text)
            if text.isEmpty {
                remark(
                    CallNotification.Code.nounName,
                    "Dial names nobody. Write a number, or Client, Number or Sip elements between its tags.",
                    element.place, level: .error)
            } else if let party = party(RCMLReader.kind(ofText: text), text, element) {
                result.parties = [party]
            }
        } else {
            checkNoText(in: element)
            result.parties = parties(of: element)
        }
        return .dial(result)
    }

    private mutating func parties(of element: RCMLElement) -> [Dial.Party] {
        var result: [Dial.Party] = []
        for noun in element.children {
            guard let party = party(noun) else { continue }
            if result.count >= limits.parties {
                remark(
                    CallNotification.Code.dialNoun,
                    "Dial names more than \(limits.parties) parties: from here on they are left out.", noun.place)
                break
            }
            result.append(party)
        }
        return result
    }

    /// What a text without elements means, as Restcomm has it.
    private static func kind(ofText text: String) -> Dial.Party.Kind {
        if text.contains("@") { return .sip }
        return text.hasPrefix("client") ? .client : .number
    }

    private mutating func party(_ noun: RCMLElement) -> Dial.Party? {
        let kind: Dial.Party.Kind
        var known = ["url", "method", "statusCallback", "statusCallbackMethod", "statusCallbackEvent"]
        switch noun.name {
        case "Client":
            kind = .client
            known.append("name")
        case "Number":
            kind = .number
            if noun.attributes["sendDigits"] != nil {
                known.append("sendDigits")
                remark(
                    CallNotification.Code.nounAttribute,
                    "sendDigits was ignored: it needs media, which this version does not have.", noun.place)
            }
        case "Sip", "Uri":
            kind = .sip
            known += ["name", "username", "password"]
        case "Conference", "Queue", "Video":
            remark(
                CallNotification.Code.dialNoun,
                "\(noun.name) was skipped: it needs media, which this version does not have.", noun.place,
                level: .error)
            return nil
        default:
            remark(
                CallNotification.Code.dialNoun,
                "\(RCMLContent.shown(noun.name)) cannot be dialled and was skipped; Client, Number, Sip and Uri can.",
                noun.place)
            return nil
        }
        checkLeaf(noun, known, allowsText: true)
        let named = known.contains("name") ? RCMLContent.trim(noun.attributes["name"] ?? "") : ""
        guard var party = party(kind, named.isEmpty ? RCMLContent.trim(noun.text) : named, noun) else { return nil }
        let method = method("method", of: noun, CallNotification.Code.nounAttribute)
        party.screening = address("url", of: noun, method)
        let callbackMethod = self.method("statusCallbackMethod", of: noun, CallNotification.Code.nounAttribute)
        party.statusCallback = address("statusCallback", of: noun, callbackMethod)
        party.statusEvents = statusEvents(of: noun)
        if kind == .sip {
            party.username = credential("username", of: noun)
            party.password = credential("password", of: noun)
        }
        return party
    }

    /// Commas and spaces separate; without a known word all four are told.
    private mutating func statusEvents(of noun: RCMLElement) -> Set<LegState> {
        guard let text = noun.attributes["statusCallbackEvent"] else { return Set(LegState.allCases) }
        var result: Set<LegState> = []
        for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).prefix(20) {
            if let state = LegState(rawValue: word.lowercased()) {
                result.insert(state)
            } else {
                remark(
                    CallNotification.Code.nounAttribute,
                    "statusCallbackEvent \(RCMLContent.shown(String(word))) was ignored: it is none of initiated, "
                        + "ringing, answered and completed.", noun.place)
            }
        }
        return result.isEmpty ? Set(LegState.allCases) : result
    }

    private mutating func credential(_ name: String, of noun: RCMLElement) -> String {
        let text = noun.attributes[name] ?? ""
        if text.utf8.count <= 256, !RCMLReader.hasControls(text) { return text }
        remark(
            CallNotification.Code.nounAttribute,
            "\(name) was ignored: it is longer than 256 bytes or has control "
                + "characters.", noun.place)
        return ""
    }

    /// A name with the headers behind its `?`.
    private mutating func party(_ kind: Dial.Party.Kind, _ text: String, _ element: RCMLElement) -> Dial.Party? {
        let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let name = RCMLReader.name(kind, RCMLContent.trim(halves.first.map(String.init) ?? ""))
        guard text.utf8.count <= limits.value, let name else {
            let what =
                switch kind {
                case .client: "no client"
                case .number: "no number"
                case .sip: "no SIP URI"
                }
            let shown = text.contains("@") ? WebAddress.withoutCredentials(text) : text
            remark(
                CallNotification.Code.nounName,
                text.isEmpty
                    ? "\(element.name) is empty and was skipped. Write the name between its tags."
                    : "\(RCMLContent.shown(shown)) is \(what) and was skipped.",
                element.place, level: .error)
            return nil
        }
        var party = Dial.Party(kind, name)
        if halves.count == 2 { party.headers = headers(String(halves[1]), element) }
        return party
    }

    /// The name as it is dialled; nil when it cannot be.
    private static func name(_ kind: Dial.Party.Kind, _ text: String) -> String? {
        switch kind {
        case .client:
            let name = withoutScheme(text)
            return isName(name) ? name : nil
        case .number:
            // Visual separators (RFC 3966 section 5.1.1) and spaces are for people only.
            let number = String(text.filter { !"-.() ".contains($0) })
            let isDialable = number.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || "+*#_".utf8.contains($0)
            }
            return isName(number) && number.utf8.count <= 64 && isDialable ? number : nil
        case .sip:
            let lower = text.lowercased()
            let uri = lower.hasPrefix("sip:") || lower.hasPrefix("sips:") ? text : "sip:" + text
            let rest = uri.drop { $0 != ":" }.dropFirst()
            let isClean = text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value < 0x7F && !"<>\"".unicodeScalars.contains($0)
            }
            return isClean && !rest.isEmpty && rest.first != "@" && rest.last != "@" && uri.utf8.count <= 1_024
                ? uri : nil
        }
    }

    /// `X-A=1&X-B=2`: a missing `X-` is added, so that nobody sets other headers; names are tokens, values one line.
    private mutating func headers(_ text: String, _ element: RCMLElement) -> [WebhookRequest.Parameter] {
        var result: [WebhookRequest.Parameter] = []
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            var name = WebAddress.percentDecoded(halves[0]).map(RCMLContent.trim) ?? ""
            let value = WebAddress.percentDecoded(halves.count > 1 ? halves[1] : "").map(RCMLContent.trim)
            if !name.isEmpty, !name.lowercased().hasPrefix("x-") { name = "X-" + name }
            guard let value, WebhookRequest.Parameter(name, value).canBeHeader else {
                remark(
                    CallNotification.Code.nounName,
                    "The header \(RCMLContent.shown(String(pair))) was left out: its name must be a token, and its value "
                        + "one line of at most 512 bytes.", element.place)
                continue
            }
            if result.count >= limits.headers {
                remark(
                    CallNotification.Code.nounName,
                    "More than \(limits.headers) headers: from \(RCMLContent.shown(name)) on they were left out.",
                    element.place)
                break
            }
            result.append(WebhookRequest.Parameter(name, value))
        }
        return result
    }
}
