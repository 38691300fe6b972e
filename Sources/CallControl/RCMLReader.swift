/// Makes verbs of elements, and remarks of what is wrong with them.
struct RCMLReader {
    let url: String
    let limits: RCMLLimits
    private(set) var verbs: [Verb] = []
    private(set) var remarks: [CallNotification] = []

    init(url: String, limits: RCMLLimits) {
        self.url = url
        self.limits = limits
    }

    mutating func remark(
        _ code: Int64, _ message: String, _ place: RCMLPlace, level: CallNotification.Level = .warning
    ) {
        if remarks.count < limits.remarks { remarks.append(notification(code, message, place, level: level)) }
    }

    func notification(
        _ code: Int64, _ message: String, _ place: RCMLPlace, level: CallNotification.Level
    ) -> CallNotification {
        CallNotification(
            code, level, message, url: WebAddress.withoutCredentials(url), line: place.line, column: place.column)
    }

    /// Reads the verbs of a `<Response>`; one within it is read in its place.
    mutating func read(_ response: RCMLElement) {
        // xmlns and the like are harmless on the root.
        let known = response.attributes.keys.filter { $0.hasPrefix("xml") || $0.hasPrefix("xsi:") }
        checkAttributes(of: response, known)
        checkNoText(in: response)
        for element in response.children {
            if element.name == "Response" {
                read(element)
                continue
            }
            if verbs.count >= limits.verbs {
                remark(
                    CallNotification.Code.unknownWord,
                    "The document has more than \(limits.verbs) verbs: from here on they are left out.", element.place)
                return
            }
            if let verb = verb(element) { verbs.append(verb) }
        }
    }

    private mutating func verb(_ element: RCMLElement) -> Verb? {
        switch element.name {
        case "Dial": return dial(element)
        case "Redirect": return redirect(element)
        case "Reject": return reject(element)
        case "Hangup":
            checkLeaf(element, [])
            return .hangUp
        case "Pause":
            checkLeaf(element, ["length"])
            return .pause(
                seconds: number("length", of: element, default: 1, 0...3600, CallNotification.Code.pauseLength))
        case "Sms", "Message": return sms(element)
        case "Say", "Play", "Gather", "Record":
            return unsupported(element, "it needs media, which this version does not have")
        case "Email": return unsupported(element, "this version sends no mail")
        case "Fax": return unsupported(element, "this version sends no fax")
        case "Enqueue", "Leave", "Queue": return unsupported(element, "this version has no queues")
        case "Language", "UssdMessage", "UssdCollect": return unsupported(element, "this version has no USSD")
        default:
            let names = [
                "Dial", "Redirect", "Reject", "Hangup", "Pause", "Sms", "Message", "Say", "Play", "Gather", "Record",
            ]
            let meant = names.first { $0.lowercased() == element.name.lowercased() }
            remark(
                CallNotification.Code.unknownWord,
                "\(RCMLContent.shown(element.name)) is no verb and was skipped."
                    + (meant.map { " Capitals matter: write '\($0)'." } ?? ""), element.place)
            return nil
        }
    }

    private func unsupported(_ element: RCMLElement, _ why: String) -> Verb {
        .unsupported(
            notification(
                CallNotification.Code.unsupportedVerb, "\(element.name) was skipped: \(why).", element.place,
                level: .error))
    }

    private mutating func redirect(_ element: RCMLElement) -> Verb? {
        checkLeaf(element, ["method"], allowsText: true)
        let text = RCMLContent.trim(element.text)
        if text.isEmpty {
            remark(
                CallNotification.Code.badURL, "Redirect has no URL and was skipped. Write it between the tags.",
                element.place, level: .error)
            return nil
        }
        let method = method("method", of: element, CallNotification.Code.redirectMethod)
        return address(text, method, "Redirect", element).map { .redirect($0) }
    }

    private mutating func reject(_ element: RCMLElement) -> Verb {
        checkLeaf(element, ["reason"])
        switch element.attributes["reason"].map(RCMLContent.trim) {
        case nil, "rejected"?: return .reject(isBusy: false)
        case "busy"?: return .reject(isBusy: true)
        case let other?:
            remark(
                CallNotification.Code.rejectReason,
                "reason \(RCMLContent.shown(other)) is neither 'rejected' nor 'busy': 'rejected' was taken.",
                element.place)
            return .reject(isBusy: false)
        }
    }

    private mutating func sms(_ element: RCMLElement) -> Verb? {
        checkLeaf(
            element, ["to", "from", "action", "method", "statusCallback", "statusCallbackMethod"], allowsText: true)
        let body = RCMLContent.trim(element.text)
        if body.isEmpty || body.utf8.count > limits.smsBody {
            return .unsupported(
                notification(
                    CallNotification.Code.smsBody,
                    body.isEmpty
                        ? "\(element.name) has no text and was skipped."
                        : "\(element.name) was skipped: its text has \(body.utf8.count) bytes, the limit is "
                            + "\(limits.smsBody).",
                    element.place, level: .error))
        }
        var result = Sms(body)
        result.to = person("to", of: element, CallNotification.Code.smsTo)
        result.from = person("from", of: element, CallNotification.Code.smsFrom)
        if element.attributes["to"] != nil, result.to == nil {
            // The default would be somebody else than was meant.
            return .unsupported(
                notification(
                    CallNotification.Code.smsTo, "\(element.name) was skipped, as its receiver cannot be read.",
                    element.place, level: .error))
        }
        let method = method("method", of: element, CallNotification.Code.smsMethod)
        result.action = address("action", of: element, method)
        let callbackMethod = self.method("statusCallbackMethod", of: element, CallNotification.Code.smsMethod)
        result.statusCallback = address("statusCallback", of: element, callbackMethod)
        return .sms(result)
    }
}
