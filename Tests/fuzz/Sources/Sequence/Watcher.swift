import Primitives
import SIPAuthentication
import SIPMessage
import SIPProxy
import SIPRegistrar

/// Looks at all that goes into a server and comes out of it, and ends the run when something is not as it must be.
final class Watcher {
    /// What has happened, for people.
    enum Note {
        case received([UInt8], Flow)
        case sent([UInt8], Flow)
        case event(String)
    }

    /// The message that the server is handling.
    struct Cause {
        var isRequest: Bool
        var isChanged: Bool
        var method: Method
        var callID: [UInt8]
        /// The answer to a challenge that was computed with the right password; empty for none.
        var credentials: [UInt8] = []
        /// It brings a route token that the server gave out for its Call-ID.
        var hasToken = false
        var flow: Flow
        var length: Int
        /// It is a Binding Request of STUN.
        var isBinding = false
        var contacts: [SocketAddress] = []
        /// Requests that were forwarded for it.
        var forwarded = 0
        var responses = 0
        var responseBytes = 0
    }

    /// The final responses of one server transaction.
    struct Finals {
        var bytes: Set<[UInt8]> = []
        var statuses: Set<UInt16> = []
        var at: Instant
    }

    private var notes: [Note] = []
    var cause: Cause?
    var isOwnMessage = false
    /// A text of the server's own waits for a name; its Call-ID is not known before it leaves.
    var ownMessagesWait = false
    /// Answers to challenges that the right password gave, and those that have brought something about.
    private var known: Set<[UInt8]> = []
    var spent: Set<[UInt8]> = []
    /// Route tokens that the server has given out, behind their Call-ID.
    var tokens: Set<[UInt8]> = []
    /// Call-IDs of requests that were let through.
    var admitted: Set<[UInt8]> = []
    /// Branches of requests that left, with where they went.
    var branches: Set<[UInt8]> = []
    /// Branches of requests that left, wherever they went.
    var branchTexts: Set<[UInt8]> = []
    /// Where requests may go: flows of accepted requests, contacts of accepted registrations, places of names.
    var destinations: Set<SocketAddress> = []
    /// Flows by which a REGISTER was accepted.
    var registeredFlows: Set<Flow> = []
    /// Where the responses to the requests of a Call-ID belong.
    var responseFlows: [[UInt8]: Set<Flow>] = [:]
    /// Call-IDs of which changed messages were delivered.
    var changed: Set<[UInt8]> = []
    /// Final responses by what their transaction goes by, and by where they went: without state, what came from two places
    /// is answered twice.
    var finals: [[UInt8]: [Flow: Finals]] = [:]
    var seen: Set<[UInt8]> = []
    /// The server refuses without state what begins something.
    var isLoaded = false
    /// Grows when the same request may now get another answer.
    var epoch: UInt64 = 0
    var records: [RecordChange] = []
    var ownRecords: Set<RecordNumber> = []

    // MARK: What is told

    func note(_ note: Note) { notes.append(note) }

    func clientsChanged() { epoch += 1 }

    func know(credentials: String) { known.insert(Array(credentials.utf8)) }

    func allow(_ place: SocketAddress) { destinations.insert(place) }

    func beginOwnMessage() { isOwnMessage = true }

    func isAllowed(_ remote: SocketAddress) -> Bool { destinations.contains(remote) }

    /// Begins to look at what comes of a message.
    func begin(_ message: borrowing SIPMessage, _ fault: Fault?, from flow: Flow, isChanged: Bool, now: Now) {
        var cause = Cause(
            isRequest: message.isRequest, isChanged: isChanged, method: message.method, callID: message.callID.bytes,
            flow: flow, length: message.bytes.count)
        cause.isBinding = STUNMessage.isLikely(message.bytes)
        if isChanged { changed.insert(cause.callID) }
        if message.isRequest {
            for index in 0..<message.fieldCount {
                let field = message.field(index)
                if field.name == .authorization || field.name == .proxyAuthorization,
                    let credentials = try? DigestCredentials(message.value(field)),
                    known.contains(credentials.response.bytes)
                {
                    cause.credentials = credentials.response.bytes
                }
            }
            cause.hasToken = bringsToken(message)
            cause.contacts = contacts(of: message)
            responseFlows[cause.callID, default: []].insert(responseFlow(message, flow))
            if !isChanged { renewFinals(of: message, flow, now) }
        }
        self.cause = cause
    }

    /// A name is asked for: what the server handles goes on when it is resolved.
    func waits() {
        if isOwnMessage { ownMessagesWait = true }
        guard let cause, cause.isRequest else { return }
        require(!cause.credentials.isEmpty || cause.hasToken, "a name is asked for by a stranger")
        self.cause?.forwarded += 1
        admitted.insert(cause.callID)
    }

    /// Ends what `begin` began.
    func end() {
        if let cause, cause.forwarded > 0, !cause.credentials.isEmpty { spend(cause) }
        cause = nil
        isOwnMessage = false
    }

    /// Notes that credentials have brought something about: their sender is a client's device from now on.
    func spend(_ cause: Cause) {
        guard spent.insert(cause.credentials).inserted else { return }
        destinations.insert(cause.flow.remote)
    }

    private func bringsToken(_ message: borrowing SIPMessage) -> Bool {
        if isToken(message.requestURI, message.callID) { return true }
        var values = message.values(of: .route)
        while let value = values.next(in: message) {
            if let address = NameAddress(value), isToken(address.uri, message.callID) { return true }
        }
        return false
    }

    private func isToken(_ text: ByteSlice, _ callID: ByteSlice) -> Bool {
        guard let uri = SIPURI(text), uri.hasUser else { return false }
        return tokens.contains(callID.bytes + [0] + uri.user.bytes)
    }

    private func contacts(of message: borrowing SIPMessage) -> [SocketAddress] {
        if message.method != .register { return [] }
        var result: [SocketAddress] = []
        for name: HeaderName in [.contact, .path] {
            var values = message.values(of: name)
            while let value = values.next(in: message) {
                guard let address = NameAddress(value), let uri = SIPURI(address.uri),
                    case .address(let host) = Host(uri.host)
                else { continue }
                result.append(SocketAddress(address: host, port: uri.port ?? 5060))
            }
        }
        return result
    }

    /// Where the response to a request belongs (RFC 3261 18.2.2, RFC 3581 section 4).
    private func responseFlow(_ request: borrowing SIPMessage, _ source: Flow) -> Flow {
        var flow = source
        if source.transport == .udp, !request.topVia.hasResponsePort { flow.remote.port = request.topVia.port ?? 5060 }
        return flow
    }

    private func renewFinals(of request: borrowing SIPMessage, _ flow: Flow, _ now: Now) {
        let key = finalsKey(of: request)
        guard let latest = finals[key]?.values.map(\.at).max() else { return }
        // Then its transaction may have ended, and what comes again is a request anew.
        let lifetime: UInt64 = request.method == .invite ? 4_000 : 30_000
        if flow.transport == .tcp || now.instant.milliseconds(since: latest) > lifetime { finals[key] = nil }
    }

    /// What a server transaction goes by.
    func finalsKey(of message: borrowing SIPMessage) -> [UInt8] {
        var key = ByteWriter(capacity: 256)
        for part in [
            message.callID, message.methodText, message.topVia.branch, message.topVia.host, message.fromTag,
        ] {
            key.append(part)
            key.append(byte: 0)
        }
        key.append(decimal: UInt64(message.sequenceNumber))
        key.append(byte: 0)
        key.append(decimal: UInt64(message.topVia.port ?? 0))
        key.append(byte: 0)
        key.append(decimal: epoch)
        return key.slice.bytes
    }

    // MARK: The end of a run

    /// Ends the run with the whole script when something that must hold does not.
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
        if condition { return }
        var text = ""
        for note in notes {
            switch note {
            case .received(let bytes, let flow): text += "---- from \(flow.text)\n\(bytes.text)\n"
            case .sent(let bytes, let flow): text += "---- the server sends to \(flow.text)\n\(bytes.text)\n"
            case .event(let event): text += "---- \(event)\n"
            }
        }
        fail(message() + "\nThis is what has happened:\n" + text)
    }
}

extension Flow {
    fileprivate var text: String {
        var writer = ByteWriter(capacity: 64)
        writer.append(remote.address, bracketed: true)
        return "\(transport) \(writer.slice.string):\(remote.port) listener \(listener) connection \(connection)"
    }
}

extension [UInt8] {
    fileprivate var text: String {
        withSlice { String($0.string.map { $0 == "\r\n" ? "\n" : $0 }) }
    }
}
