import Observability
import Primitives
import SIPAuthentication
import SIPMessage

/// The registrar: REGISTER processed in the steps of RFC 3261 section 10.3, one function each.
///
/// No transaction is needed: the same request gets the same answer, and makes no change a second time (8.2.7).
public final class Registrar: Sendable {
    private let currentPolicy: Replaceable<RegistrarPolicy>
    private let domains: DomainTable
    private let locations: LocationService
    private let authenticator: Authenticator
    private let key: HashKey

    /// A registrar of one domain; `key` must be unpredictable.
    public init(
        policy: RegistrarPolicy, domains: DomainTable, locations: LocationService, authenticator: Authenticator,
        key: HashKey
    ) {
        currentPolicy = Replaceable(policy)
        self.domains = domains
        self.locations = locations
        self.authenticator = authenticator
        self.key = key
    }

    /// Takes other rules for all requests from now on.
    public func replacePolicy(_ policy: RegistrarPolicy) { currentPolicy.replace { $0 = policy } }

    /// Processes a REGISTER that came over `flow` and is free of faults; appends its response to `writer`.
    ///
    /// The location service is changed when this returns; the response must wait until `changes` are stored.
    public func register(
        _ request: borrowing SIPMessage, from flow: Flow, now: UnixTime, into writer: inout ByteWriter
    ) -> Registration {
        var clientID: Int64 = 0
        do throws(Refusal) {
            try checkRequestURI(request)
            try checkExtensions(request)
            let client: Authenticator.Client
            switch authenticator.authenticate(request, .registrar, source: flow.remote, now: now) {
            case .authenticated(let found): client = found
            case .refused(let reason): throw Refusal(reason)
            case .delayed(let seconds): throw Refusal(.tooManyFailures, .retryAfter(seconds))
            case .challenge(let stale, let reason):
                return challenge(request, stale: stale, reason, flow, now, &writer)
            }
            clientID = client.id
            try checkIdentity(request, client)
            // One policy for the whole request.
            let policy = currentPolicy.value
            let contacts = try RegisterContacts(request, policy)
            let path = try joinedPath(request)
            if contacts.isOutbound { try checkFirstHop(request, path) }
            guard let update = try apply(contacts, path, request, client, policy, flow, now) else {
                // Removed or disabled since it was authenticated: as any unknown login.
                return challenge(request, stale: false, .unknownLogin, flow, now, &writer)
            }
            writeBindings(
                update.bindings, path, isOutbound: contacts.isOutbound, request, policy, flow, now, &writer)
            return Registration(
                outcome: contacts.isQuery ? .queried : update.outcome, status: 200, clientID: client.id,
                // The request before may still wait to be stored, and its answer was not sent before that.
                changes: update.isRepetition && !contacts.isQuery ? [.settled] : update.changes,
                undo: update.changes.isEmpty ? nil : update.undo(of: client.key), recovered: update.recovered)
        } catch {
            writeRefusal(error, of: request, from: flow, into: &writer)
            return Registration(
                outcome: .refused(error.reason), status: error.reason.status, clientID: clientID, changes: [])
        }
    }

    // MARK: The steps

    /// Step 1: the Request-URI names a domain that we are the registrar of. We proxy no REGISTER elsewhere.
    private func checkRequestURI(_ request: borrowing SIPMessage) throws(Refusal) {
        guard let uri = SIPURI(request.requestURI) else {
            throw Refusal(request.requestURI.starts(withIgnoringCase: "sip:") ? .messageMalformed : .unsupportedScheme)
        }
        if uri.isSecure { throw Refusal(.unsupportedScheme) }
        if !domains.isOursAtAnyPort(uri) { throw Refusal(.registerForeignDomain) }
    }

    /// Step 2: extensions in Require that we do not have.
    private func checkExtensions(_ request: borrowing SIPMessage) throws(Refusal) {
        if OptionTag.areUnsupported(.require, in: request) {
            throw Refusal(.unsupportedExtension, .unsupported(.require))
        }
    }

    /// Step 3: who it is, when it has not proved that yet.
    private func challenge(
        _ request: borrowing SIPMessage, stale: Bool, _ reason: Reason?, _ flow: Flow, _ now: UnixTime,
        _ writer: inout ByteWriter
    ) -> Registration {
        ResponseTag(for: request, key: key).withSlice { tag in
            authenticator.writeChallenge(
                to: request, .registrar, stale: stale, source: flow.remote, toTag: tag, now: now, into: &writer)
        }
        return Registration(
            outcome: .challenged(stale: stale, reason), status: 401, clientID: 0, changes: [])
    }

    /// Steps 4 and 5: a client registers itself only, under its address-of-record, which is in To.
    private func checkIdentity(_ request: borrowing SIPMessage, _ client: Authenticator.Client) throws(Refusal) {
        guard let addressOfRecord = SIPURI(request.to.uri), domains.isOursAtAnyPort(addressOfRecord) else {
            throw Refusal(.registerForeignDomain)
        }
        if !addressOfRecord.user.equalsUnescaped(client.login) { throw Refusal(.toIsNotLogin) }
        if request.from.uri == request.to.uri { return }
        if !authenticator.identityMatches(request.from, login: client.login) { throw Refusal(.fromIsNotLogin) }
    }

    /// The values of Path joined by commas (RFC 3327 5.3): accepted also from a client that does not say it supports it,
    /// which 5.3 leaves to the registrar.
    private func joinedPath(_ request: borrowing SIPMessage) throws(Refusal) -> [UInt8] {
        guard request.firstIndex(of: .path) != nil else { return [] }
        var path: [UInt8] = []
        var values = request.values(of: .path)
        while let value = values.next(in: request) {
            guard let address = NameAddress(value), SIPURI(address.uri) != nil else { throw Refusal(.messageMalformed) }
            guard path.count + value.count + 2 <= Binding.pathLimit else { throw Refusal(.messageTooLarge) }
            if !path.isEmpty { path += [UInt8(ascii: ","), ASCII.space] }
            path += value.bytes
        }
        return path
    }

    /// RFC 5626 section 6: a flow is of use only where the first hop keeps it, which is us, or an edge proxy that says so
    /// in the Path value that it has put there first.
    private func checkFirstHop(_ request: borrowing SIPMessage, _ path: [UInt8]) throws(Refusal) {
        if path.isEmpty, !request.hasLowerVia { return }
        let hasEdge = path.withSlice { path in
            var offset = 0
            var last = ByteSlice.empty
            while offset < path.count {
                let end = path.endOfValue(from: offset)
                last = path[offset..<end].trimmed()
                offset = end + 1
            }
            guard let edge = NameAddress(last).flatMap({ SIPURI($0.uri) }) else { return false }
            return edge.parameters["ob"] != nil
        }
        if !hasEdge { throw Refusal(.firstHopLacksOutbound) }
    }

    /// Steps 6 and 7: the bindings are changed, all as asked for or none. Nil when the client is gone.
    private func apply(
        _ contacts: RegisterContacts, _ path: [UInt8], _ request: borrowing SIPMessage,
        _ client: Authenticator.Client, _ policy: RegistrarPolicy, _ flow: Flow, _ now: UnixTime
    ) throws(Refusal) -> BindingUpdate? {
        let callIDHash = callIDHash(of: request)
        let sequenceNumber = request.sequenceNumber
        let userAgent = (request.value(of: .userAgent) ?? .empty).prefix(Binding.userAgentLimit)
        let result = path.withSlice { path in
            let origin = BindingUpdate.Origin(
                callIDHash: callIDHash, sequenceNumber: sequenceNumber, path: path, userAgent: userAgent,
                flow: flow, now: now)
            return locations.withClient(client.key) { entry -> Result<BindingUpdate, Refusal>? in
                guard entry.isEnabled, entry.id == client.id else { return nil }
                do throws(Refusal) {
                    var update = try BindingUpdate(of: entry, by: contacts, origin, policy)
                    if client.isRetransmission {
                        update.withdraw(to: entry.bindings)
                    } else if !update.changes.isEmpty {
                        entry.bindings = update.bindings
                    }
                    return .success(update)
                } catch {
                    return .failure(error)
                }
            }
        }
        guard let update = try (result ?? nil)?.get() else { return nil }
        if update.needsTracking { locations.track(flow, of: client.key) }
        if policy.keepalive.pings(anyOf: update.bindings) { locations.expectPings(of: client.key) }
        return update
    }

    /// Step 8: all bindings with the time that they have left, Contacts as their client sent them.
    private func writeBindings(
        _ bindings: [Binding], _ path: [UInt8], isOutbound: Bool, _ request: borrowing SIPMessage,
        _ policy: RegistrarPolicy, _ flow: Flow, _ now: UnixTime, _ writer: inout ByteWriter
    ) {
        ResponseTag(for: request, key: key).withSlice { tag in
            writer.beginResponse(
                to: request, status: 200, source: flow.remote, toTag: tag,
                keepalive: policy.keepalive.seconds(flow.transport))
        }
        for binding in bindings where binding.isLive(at: now) { writer.appendContact(binding, now: now) }
        if !path.isEmpty { path.withSlice { writer.appendHeader("Path", $0) } }
        writer.appendHeader("Supported", OptionTag.supported)
        if isOutbound {
            // RFC 5626 section 6.
            writer.append("Require: outbound\r\n")
            writer.appendHeader("Flow-Timer", number: UInt64(policy.keepalive.seconds(flow.transport)))
        }
        writer.endResponse()
    }

    /// Writes the response of a refusal: also for a REGISTER whose changes could not be stored (`.storeUnavailable`).
    public func writeRefusal(
        _ refusal: Refusal, of request: borrowing SIPMessage, from flow: Flow, into writer: inout ByteWriter
    ) {
        ResponseTag(for: request, key: key).withSlice { tag in
            domains.domain.withSlice { domain in
                writer.writeRefusal(refusal, of: request, source: flow.remote, toTag: tag, domain: domain)
            }
        }
    }

    private func callIDHash(of request: borrowing SIPMessage) -> HashValue {
        var hash = SipHash(key: key)
        hash.update(request.callID)
        return hash.finalize()
    }
}

extension ByteWriter {
    /// Appends the Contact line of a binding.
    fileprivate mutating func appendContact(_ binding: Binding, now: UnixTime) {
        binding.withText { text in
            append("Contact: <")
            append(text.contact)
            append(">;expires=")
            append(decimal: binding.secondsLeft(at: now))
            if binding.q < 1000 {
                append(";q=0.")
                var rest = binding.q
                repeat {
                    append(decimal: UInt64(rest / 100))
                    rest = rest % 100 * 10
                } while rest > 0
            }
            if !text.instance.isEmpty {
                append(";+sip.instance=\"")
                append(text.instance)
                append("\"")
            }
            if binding.registrationID > 0 {
                append(";reg-id=")
                append(decimal: UInt64(binding.registrationID))
            }
            append("\r\n")
        }
    }
}
