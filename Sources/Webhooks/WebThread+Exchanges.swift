import CallControl
import Glibc
import Primitives

extension WebThread {
    // MARK: The beginning

    /// Takes a request, which begins when it is its turn.
    func begin(
        _ id: UInt64, _ request: WebhookRequest, _ isCallback: Bool,
        _ completion: @escaping @Sendable (WebhookReport) -> Void
    ) {
        guard let url = WebURL(request.address.url) else {
            noteEnd()
            let address = WebAddress.withoutCredentials(String(request.address.url.prefix(200)))
            // One that is wrong can have its password anywhere before an @.
            let shown = address.contains("@") ? "" : address
            let failure = WebhookFailure.make(
                .refused, "The URL cannot be used: it is not an absolute http or https URL.",
                "Correct it where the client, the number, the application or the document has it.",
                url: shown)
            results.async {
                completion(WebhookReport(answer: .failed(failure), status: nil, milliseconds: 0, url: shown))
            }
            return
        }
        let exchange = WebExchange(
            id: id, request, url, isCallback: isCallback, redirects: settings.redirects, now: now,
            deadline: now &+ settings.deadline, completion: completion)
        if !turns.add(exchange, origin: url.origin) {
            return fail(
                exchange, .connection,
                "Too many requests to applications wait already (applications.concurrent), so this one was not made.",
                "Make the applications answer faster, or raise applications.concurrent.")
        }
        startWaiting()
    }

    /// Begins requests whose turn it is.
    func startWaiting() {
        while let (exchange, origin) = turns.next() {
            exchange.origin = origin
            exchanges[exchange.id] = exchange
            hop(exchange)
        }
    }

    /// Finds where the request of now goes.
    private func hop(_ exchange: WebExchange) {
        let url = exchange.url
        if let address = url.address { return resolved(exchange, [address]) }
        if url.isOddAddress {
            return fail(
                exchange, .refused, "The host '\(url.host)' is neither a name nor an address in its usual form.",
                "Write the address with four numbers.")
        }
        let id = exchange.id
        let generation = exchange.generation
        lookup(url.host) { [weak self] in self?.post(.resolved(id, generation, $0)) }
    }

    /// The addresses of the host are known: all must be allowed.
    func resolved(_ exchange: WebExchange, _ addresses: [IPAddress]) {
        let url = exchange.url
        guard !addresses.isEmpty else {
            return fail(
                exchange, .name, "The host name '\(url.host)' has no address.",
                "Correct the name in the URL, or its DNS.")
        }
        if let denied = addresses.first(where: { !settings.rules.permits($0) }) {
            let place = denied.description == url.host ? "'\(url.host)'" : "'\(url.host)' leads to \(denied), which"
            return fail(
                exchange, .refused, "\(place) is an address that requests to applications may not go to.",
                "The operator can allow it in applications.allow of the configuration.")
        }
        if url.isSecure { return askSecurely(exchange) }
        exchange.places = Array(addresses.prefix(8))
        connect(exchange, failure: nil)
    }

    // MARK: Plain HTTP

    /// Asks at the next place; `failure` is what became of the last one.
    private func connect(_ exchange: WebExchange, failure: String?) {
        var failure = failure
        while let address = exchange.places.first {
            let url = exchange.url
            let key = "\(address) \(url.port) \(url.host)"
            if !exchange.needsNewConnection, let connection = keptConnection(key) {
                return send(exchange, connection)
            }
            exchange.places.removeFirst()
            let (connection, error) = open(address, url.port, key)
            if let connection {
                exchange.placeAddress = address
                return send(exchange, connection)
            }
            failure = String(cString: strerror(error))
        }
        fail(
            exchange, .connection,
            "\(exchange.url.authority) could not be reached: \(failure ?? "no address is left").",
            "Start the application, or correct the URL.")
    }

    private func send(_ exchange: WebExchange, _ connection: WebConnection) {
        exchange.connection = connection
        connection.exchange = exchange
        connection.begin(head(of: exchange) + exchange.body, bodyLimit: settings.bodySize)
        connection.since = now
        // A connection that was kept takes it at once; a new one tells when it is made.
        if connection.isUsed, !connection.write() {
            return broken(exchange, connection, String(cString: strerror(errno)))
        }
        rewatch(connection)
    }

    private func head(of exchange: WebExchange) -> [UInt8] {
        var text = "\(exchange.method.rawValue) \(exchange.url.target) HTTP/1.1\r\nHost: \(exchange.url.authority)\r\n"
        for field in exchange.fields(userAgent: settings.userAgent, unixSeconds: Int64(time(nil))) {
            text += "\(field.name): \(field.value)\r\n"
        }
        if exchange.method == .post { text += "Content-Length: \(exchange.form.utf8.count)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// A connection broke before the answer was complete.
    func broken(_ exchange: WebExchange, _ connection: WebConnection, _ why: String) {
        exchange.connection = nil
        let wasUsed = connection.isUsed
        let hasBegun = connection.parser.hasBegun
        let wasConnected = connection.isConnected
        drop(connection)
        exchange.generation += 1
        if wasUsed, !hasBegun {
            // The application has closed the connection that was kept just before: it has not seen the request.
            exchange.needsNewConnection = true
            return connect(exchange, failure: why)
        }
        if !wasConnected { return connect(exchange, failure: why) }
        fail(
            exchange, .connection, "\(exchange.url.authority) ended the connection without a complete answer: \(why).",
            "Look at the log of the application.")
    }

    /// What came is no answer that can be read.
    func faulty(_ exchange: WebExchange, _ connection: WebConnection, _ fault: HTTPAnswerParser.Fault) {
        if fault == .incomplete { return broken(exchange, connection, "it was closed") }
        let status = connection.parser.answer.status
        exchange.connection = nil
        drop(connection)
        exchange.status = status == 0 ? nil : status
        if fault == .tooLarge { return tooLarge(exchange) }
        fail(
            exchange, .connection, "What \(exchange.url.authority) sent is no answer of HTTP/1.1.",
            "Check that the URL names a web server, and its port.")
    }

    private func tooLarge(_ exchange: WebExchange) {
        fail(
            exchange, .tooLarge, "The answer is longer than \(settings.bodySize) bytes.",
            "Make the document shorter, or raise applications.bodySize.")
    }

    // MARK: https

    private func askSecurely(_ exchange: WebExchange) {
        let id = exchange.id
        let generation = exchange.generation
        exchange.secure = secure().begin(
            exchange.method.rawValue, exchange.url.text,
            fields: exchange.fields(userAgent: settings.userAgent, unixSeconds: Int64(time(nil))),
            body: exchange.method == .post ? exchange.body : nil, limit: settings.bodySize,
            origin: exchange.url.origin
        ) { [weak self] in self?.post(.secure(id, generation, $0)) }
        if exchange.secure == nil {
            fail(exchange, .refused, "The URL cannot be used.", "Write it with ASCII characters.")
        }
    }

    /// A request by https has ended.
    func secureEnded(_ exchange: WebExchange, _ result: SecureResult) {
        switch result {
        case .answer(let answer): answered(exchange, answer)
        case .tooLarge: tooLarge(exchange)
        case .failed(true, let why):
            fail(
                exchange, .certificate,
                "The certificate of \(exchange.url.authority) cannot be trusted, or TLS failed: \(why).",
                "Install a certificate of a known authority for this name, or add its authority to those of this system."
            )
        case .failed(false, let why):
            fail(
                exchange, .connection, "\(exchange.url.authority) could not be asked: \(why).",
                "Start the application, or correct the URL.")
        }
    }

    // MARK: The end

    /// A complete answer has come: it is followed, or is the end.
    func answered(_ exchange: WebExchange, _ answer: HTTPAnswer) {
        exchange.status = answer.status
        guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.value(of: "location") else {
            return finish(exchange, .answered(answer))
        }
        guard exchange.redirectsLeft > 0 else {
            return fail(
                exchange, .redirects, "The application has redirected more often than \(settings.redirects) times.",
                "Look for a circle of redirects, or raise applications.redirects.")
        }
        guard let next = exchange.url.following(location) else {
            return fail(
                exchange, .refused, "The application has redirected to an address that cannot be used.",
                "Let Location name an http or https URL.")
        }
        if exchange.url.isSecure, !next.isSecure {
            return fail(
                exchange, .refused, "The application has redirected from https to http, which anybody could read.",
                "Let Location name an https URL.")
        }
        exchange.redirect(to: next, status: answer.status)
        hop(exchange)
    }

    /// The deadline has come.
    func timedOut(_ exchange: WebExchange) {
        fail(
            exchange, .timeout, "There was no complete answer within \(settings.deadline) ms.",
            "Make the application answer faster, or raise applications.deadline.")
    }

    /// Ends an exchange with a failure.
    func fail(_ exchange: WebExchange, _ kind: WebhookFailure.Kind, _ what: String, _ remedy: String) {
        finish(exchange, .failed(.make(kind, what, remedy, url: exchange.url.shown)))
    }

    private func finish(_ exchange: WebExchange, _ end: WebExchange.End) {
        if let connection = exchange.connection { drop(connection) }
        exchange.connection = nil
        exchange.secure?.cancel()
        exchange.secure = nil
        if exchanges.removeValue(forKey: exchange.id) != nil { turns.ended(origin: exchange.origin) }
        let milliseconds = now &- exchange.begunAt
        let url = exchange.url
        let status = exchange.status
        let isCallback = exchange.isCallback
        let completion = exchange.completion
        noteEnd()
        // Parsing may take a while, and what is done with the answer too.
        switch end {
        case .failed(let failure):
            results.async {
                completion(
                    WebhookReport(
                        answer: .failed(failure), status: status, milliseconds: milliseconds, url: url.shown))
            }
        case .answered(let answer):
            var limits = RCMLLimits()
            limits.bytes = settings.bodySize
            results.async { [limits] in
                var report = WebhookReport(
                    answer: answer.outcome(from: url, isCallback: isCallback, limits), status: status,
                    milliseconds: milliseconds, url: url.shown)
                report.body = answer.body
                report.contentType = answer.value(of: "content-type")
                completion(report)
            }
        }
    }
}

extension HTTPAnswer {
    /// The `X-` fields that an answer may bring.
    private static let fieldLimit = 32

    /// What can be made of the answer.
    func outcome(from url: WebURL, isCallback: Bool, _ limits: RCMLLimits) -> WebhookAnswer {
        if isCallback, (200..<300).contains(status) {
            return .document(RCMLDocument(url: url.text, verbs: []), headers: [])
        }
        guard status == 200 else {
            let remedy =
                switch status {
                case 401, 403: "Let it accept requests of this server; user and password can stand in the URL."
                case 404: "Correct the URL, or the paths that the application knows."
                case 405: "Ask with the method that the application wants (VoiceMethod, SmsMethod, method)."
                case 500...: "Look at the log of the application."
                default: "Let the application answer with 200."
                }
            return .failed(.make(.status(status), "The application answered \(status).", remedy, url: url.shown))
        }
        do throws(WebhookFailure) {
            let document = try RCMLDocument(
                parsing: body, contentType: value(of: "content-type"), url: url.text, limits: limits)
            let headers = fields.lazy.filter { $0.name.hasPrefix("x-") && HTTPAnswer.isPlain($0.value) }
                .prefix(HTTPAnswer.fieldLimit).map { WebhookRequest.Parameter($0.name, $0.value) }
            return .document(document, headers: Array(headers))
        } catch {
            return .failed(error)
        }
    }

    private static func isPlain(_ value: String) -> Bool {
        value.utf8.count <= 1024 && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }
}
