import CallControl
import Configuration
import Observability
import Primitives
import SIPMessage
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// Finds what would become of a call or text of a client, step by step, on the database of a server.
struct RouteFinder {
    private let site: Site
    private let store: Store
    private let query: RouteQuery
    private let caller: ClientRow
    private let directory = ApplicationDirectory()
    private var view = RouteView()

    init(_ site: Site, _ store: Store, _ query: RouteQuery, _ caller: ClientRow) throws {
        self.site = site
        self.store = store
        self.query = query
        self.caller = caller
        try ApplicationLoader.load(store, into: directory)
    }

    private var what: String { query.isText ? "text" : "call" }

    /// The decisions, in the order in which the server makes them.
    func find() throws -> RouteView {
        var finder = self
        try finder.decide()
        return finder.view
    }

    private mutating func decide() throws {
        guard let (user, host) = target() else { return }
        if caller.status == 0 { return refuse(.clientDisabled, "\(caller.login) is disabled") }
        guard let account = try store.account(id: caller.accountID), account.effectiveStatus == "active" else {
            return refuse(.accountInactive, "the account of \(caller.login) is not active")
        }
        if try store.bindings(ofClient: caller.id, liveAt: System.now().unix).isEmpty {
            return refuse(.callerNotRegistered, "\(caller.login) has no device registered, so it may not \(what)")
        }
        view.steps.append("\(caller.login) is registered and its account is active.")
        let own = ownApplication()
        if own == nil, ApplicationLoader.choice(of: caller) != nil,
            !query.isText || site.configuration.applications.messages == .application
        {
            return refuse(.clientHasApplication, "the application of \(caller.login) has no URL")
        }
        if own == nil, let host, !isOurs(host) {
            return refuse(.foreignDestination, "\(host) is not a domain of this server")
        }
        let callee = try store.client(login: user)
        let gateways = site.configuration.gateways.map { Gateway($0) }
        // The very decision that the server makes; one of a text differs only in which URLs count.
        var steps: [String] = []
        let decision = RoutingDecision.decide(
            own: own, dialled: Array(user.utf8), isClient: { callee != nil },
            directory: query.isText ? try textDirectory() : directory, gateways: gateways
        ) { steps.append($0.text) }
        view.steps += steps
        switch decision {
        case .ownApplication(let application): ask(application, account, user)
        case .client: if let callee { try reach(callee) }
        case .number(let application, let accountID):
            guard let payer = try store.account(id: accountID), payer.effectiveStatus == "active" else {
                return refuse(.accountInactive, "the account of the number is not active")
            }
            ask(application, payer, user)
        case .gateway(let number): goOut(number, gateways)
        case .refused(let reason): refuse(reason, nil)
        }
    }

    /// The application of the caller; for a text with the URL of texts as the one that decides.
    private mutating func ownApplication() -> Application? {
        guard var found = caller.login.withSlice({ directory.application(ofClient: $0) }) else { return nil }
        if query.isText {
            if site.configuration.applications.messages == .direct {
                view.steps.append("Texts go to whom they name, as applications.messages is \"direct\".")
                return nil
            }
            found.voice = found.sms ?? found.voice
        }
        return found
    }

    /// The numbers with what answers their texts in the place of what answers their calls.
    private func textDirectory() throws -> ApplicationDirectory {
        let texts = ApplicationDirectory()
        try store.forEachNumber { number in
            let name = Array(number.phoneNumber.utf8)
            guard let (account, found) = name.withSlice({ directory.number(dialled: $0) }) else { return }
            var own = found
            own.voice = found.sms
            texts.setNumber(name, ApplicationChoice(accountID: account, own: own))
        }
        return texts
    }

    /// What is dialled: its user part without escapes, and its host when it is a whole URI; nil for what is none.
    private mutating func target() -> (user: String, host: String?)? {
        let isURI = query.to.contains("@")
        let text = isURI && !query.to.lowercased().hasPrefix("sip") ? "sip:" + query.to : query.to
        if !isURI { return (text.hasPrefix("client:") ? String(text.dropFirst(7)) : text, nil) }
        let found = text.withSlice { slice -> (String, String?)? in
            guard let uri = SIPURI(slice), uri.hasUser, !uri.isSecure else { return nil }
            var user = ByteWriter(capacity: 64)
            user.append(unescaped: uri.user)
            return (user.slice.string, uri.host.string)
        }
        if found == nil { refuse(.messageMalformed, "\(query.to) is no SIP URI with a user") }
        return found
    }

    /// Whether a host is the domain, one of its aliases, or an address that the server listens on.
    private func isOurs(_ host: String) -> Bool {
        var names = site.configuration.aliases + [LocalAddresses.primary().description]
        for listener in site.configuration.listeners {
            names += [listener.address, listener.advertisedHost]
        }
        let table = site.domain.withSlice { DomainTable(domain: $0, aliases: names.map { Array($0.utf8) }) }
        return host.withSlice { table.isOurs(host: $0, port: nil) }
    }

    // MARK: What it comes to

    private mutating func refuse(_ reason: Reason, _ why: String?) {
        if let why { view.steps.append(why.prefix(1).uppercased() + why.dropFirst() + ".") }
        view.kind = "refused"
        view.status = Int(reason.status)
        view.code = reason.code.string
        view.outcome = "refused: \(reason.status) \(reason.code.string): \(reason.cause.string) \(reason.remedy.string)"
    }

    private mutating func reach(_ callee: ClientRow) throws {
        let bindings =
            callee.status == 0 ? [] : try store.bindings(ofClient: callee.id, liveAt: System.now().unix)
        if bindings.isEmpty {
            return refuse(
                .calleeNotRegistered,
                callee.status == 0 ? "\(callee.login) is disabled" : "\(callee.login) has no device registered")
        }
        view.kind = "client"
        view.outcome = "to \(bindings.count) device\(bindings.count == 1 ? "" : "s") of \(callee.login)"
        view.devices = bindings.sorted { $0.q > $1.q }.map { binding in
            RouteView.Device(
                contact: String(decoding: binding.contact, as: UTF8.self), transport: binding.transport.name.string,
                source: binding.remote.description, q: "\(Double(binding.q) / 1000)")
        }
    }

    private mutating func ask(_ application: Application, _ account: AccountRow, _ user: String) {
        let facts = ApplicationQuestion.facts(
            account, clientID: caller.id, from: caller.login, to: user, text: query.isText ? "the text" : nil)
        let question = ApplicationQuestion(application: application, facts: facts, isText: query.isText)
        guard let request = question.request(CallProgram.Settings(site.configuration)) else {
            return refuse(.applicationUnreachable, "the application has no URL that answers a \(what)")
        }
        view.kind = "application"
        view.outcome =
            application.sid.isEmpty ? "the application is asked" : "the application \(application.sid) is asked"
        view.request = RouteView.Request(
            method: request.address.method.rawValue, url: request.address.url,
            parameters: request.parameters.map { RouteView.Parameter(name: $0.name, value: $0.value) })
    }

    private mutating func goOut(_ number: [UInt8], _ gateways: [Gateway]) {
        guard let route = gateways.routes(of: number).first, gateways.indices.contains(route.gateway),
            let uri = gateways[route.gateway].requestURI(route.number)
        else { return refuse(.noGateway, nil) }
        view.kind = "gateway"
        view.outcome = "to the gateway \(String(decoding: gateways[route.gateway].name, as: UTF8.self))"
        view.uri = String(decoding: uri, as: UTF8.self)
    }
}
