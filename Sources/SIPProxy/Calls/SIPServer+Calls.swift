import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// How a leg is reached.
struct LegWay {
    var requestURI: [UInt8]
    var destinations: [Destination]
    var otherFlows: [Binding] = []
    /// What it is authenticated with where that is asked for.
    var user: [UInt8] = []
    var password: [UInt8] = []
}

/// The way of a leg, or why there is none.
enum LegWays {
    case found(LegWay)
    case refused(Reason)
}

extension SIPServer {
    /// Handles the answer of an application.
    public func webhookAnswered(
        _ reference: CallReference, _ id: UInt32, _ answer: WebhookAnswer, now: Now, effects: inout Effects
    ) {
        _ = withShard(reference.shard, now: now, effects: &effects) { shard, effects in
            shard.tell(.fetched(id, answer), reference.index, server: self, now: now, effects: &effects)
        }
    }

    /// Gives an order of the API to a live call.
    public func order(
        _ number: RecordNumber, _ order: CallOrder, now: Now, effects: inout Effects
    ) -> OrderResult {
        for shard in 0..<UInt8(SIPServer.shardCount) {
            let result = withShard(shard, now: now, effects: &effects) { shard, effects -> OrderResult? in
                guard let index = shard.calls.index(of: number), let call = shard.calls[index], !call.program.isOver
                else { return nil }
                if case .cancel = order, call.caller?.state != .waiting { return .alreadyAnswered }
                if order == .cancel || order == .complete, call.party != nil, call.caller?.state == .waiting {
                    // Its program begins with the answer of the first party, which there will not be.
                    shard.calls[index]?.endCause = (487, .endedByOrder)
                    _ = shard.cancelParty(index, server: self, now: now, effects: &effects)
                    return .done
                }
                shard.tell(.ordered(order), index, server: self, now: now, effects: &effects)
                return .done
            }
            if let result = result ?? nil { return result }
        }
        return .unknown
    }

    /// How a party of a Dial is reached now.
    func way(to party: Dial.Party, now: Now) -> LegWays {
        switch party.kind {
        case .client:
            var writer = ByteWriter(capacity: 128)
            writer.append("sip:")
            writer.append(escapingUser: party.name)
            writer.append(byte: UInt8(ascii: "@"))
            domains.domain.withSlice { writer.append(host: $0) }
            return way(toUser: Array(party.name.utf8), writer.slice.bytes, now: now)
        case .number: return way(toNumber: Array(party.name.utf8))
        case .sip:
            let lower = party.name.lowercased()
            // Without TLS nothing can be sent as a sips URI demands.
            if lower.hasPrefix("sips:") { return .refused(.unsupportedScheme) }
            let text = lower.hasPrefix("sip:") ? party.name : "sip:" + party.name
            return Array(text.utf8).withSlice { text in
                guard let uri = SIPURI(text), uri.hasUser, uri.headers.isEmpty,
                    text.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") })
                else { return .refused(.unsupportedScheme) }
                if domains.isOurs(uri) {
                    var writer = ByteWriter(capacity: 64)
                    writer.append(unescaped: uri.user)
                    return way(toUser: writer.slice.bytes, text.bytes, now: now)
                }
                return .found(
                    LegWay(
                        requestURI: text.bytes, destinations: [.uri(text.bytes)], user: Array(party.username.utf8),
                        password: Array(party.password.utf8)))
            }
        }
    }

    private func way(toUser user: [UInt8], _ uri: [UInt8], now: Now) -> LegWays {
        var targets: [Target] = []
        if let reason = user.withSlice({ appendTargets(ofUser: $0, now: now, to: &targets) }) {
            return .refused(reason)
        }
        let otherFlows = targets.takeOtherFlows()
        if targets.count > settings.maxForks { targets.removeLast(targets.count - settings.maxForks) }
        return .found(
            LegWay(requestURI: uri, destinations: targets.map { .binding($0.binding) }, otherFlows: otherFlows))
    }

    /// The way of a number to the outside: the gateway whose rule matches best.
    func way(toNumber number: [UInt8]) -> LegWays {
        guard let dialled = number.withSlice({ Gateway.number($0) }),
            let route = settings.gateways.routes(of: dialled).first
        else { return .refused(.noGateway) }
        let gateway = settings.gateways[route.gateway]
        guard let uri = gateway.requestURI(route.number) else { return .refused(.noGateway) }
        return .found(
            LegWay(requestURI: uri, destinations: [.uri(uri)], user: gateway.user, password: gateway.password))
    }
}

extension SIPMessage {
    /// This request, which has no Via, once more with a header line of credentials and another number.
    func withCredentials(_ line: [UInt8], sequence: UInt32) -> [UInt8] {
        var writer = ByteWriter(capacity: bytes.count + line.count + 16)
        writer.append(methodText)
        writer.append(byte: ASCII.space)
        writer.append(requestURI)
        writer.append(" SIP/2.0\r\n")
        for index in 0..<fieldCount {
            let field = field(index)
            switch field.name {
            case .cSeq:
                writer.append("CSeq: ")
                writer.append(decimal: UInt64(sequence))
                writer.append(byte: ASCII.space)
                writer.append(methodText)
                writer.append("\r\n")
            case .authorization, .proxyAuthorization, .contentLength: break
            default: writer.append(self.line(field))
            }
        }
        writer.append(line)
        writer.endRequest(body: body)
        return writer.slice.bytes
    }
}
