import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The keepalive: devices behind NAT are pinged over the flow that they registered by, and only over that, so that the NAT
/// goes on letting calls through.
extension SIPServer {
    /// How devices behind NAT are kept reachable.
    public var keepalive: KeepalivePolicy { settings.keepalive }

    /// Pings the devices that are due, and removes the bindings whose devices did not come back after their connection was
    /// closed. For one worker, at each tick.
    ///
    /// - Returns: The bindings that were dropped.
    public func keepAlive(now: Now, effects: inout Effects) -> [DroppedBinding] {
        let policy = settings.keepalive
        let lost = location.sweepPings(policy, now: now, limit: SIPServer.pingLimit) { client, login, binding in
            let flow = binding.flow
            guard isUsable(flow) else { return }
            let start = effects.outbox.bytes.count
            if policy.method == .options {
                let token = PingToken(client: client, flow: flow.mark, time: now.unix)
                writePing(token, login, binding, into: &effects.outbox.bytes)
            } else {
                // RFC 5626 section 4.4.1 on a stream, where a CRLF is the answer; a datagram of any content keeps a NAT open.
                effects.outbox.bytes.append("\r\n\r\n")
            }
            effects.outbox.send(from: start, to: flow)
        }
        log(lost, .registrationUnreachable, now, &effects)
        reachability.withLock { $0.tellSuppressed(now, &effects) }
        let dropped = location.removeAbandoned(now: now.instant)
        for connection in Set(dropped.map(\.connection)) { deviceLost(connection, now: now, effects: &effects) }
        return dropped
    }

    /// The most pings at a tick, so that they never hold up packets: 10,000 a second at the slowest ticks.
    private static let pingLimit = 1000

    /// Writes an OPTIONS without a transaction: it is not repeated, and any answer will do.
    private func writePing(
        _ token: PingToken, _ login: ByteSlice, _ binding: borrowing Binding, into writer: inout ByteWriter
    ) {
        var hash = SipHash(key: settings.runKey)
        hash.update("keepalive")
        hash.update(token.client.hash.first)
        hash.update(UInt64(token.flow) << 32 | UInt64(token.time))
        let value = hash.finalize()
        writer.append("OPTIONS ")
        binding.withText { writer.append($0.contact) }
        writer.append(" SIP/2.0\r\n")
        writer.append(settings.listeners[Int(binding.flow.listener)].viaStart)
        token.write(to: &writer, key: settings.runKey)
        writer.append("\r\nMax-Forwards: 70\r\nFrom: <sip:")
        domains.domain.withSlice { writer.append(host: $0) }
        writer.append(">;tag=")
        writer.append(hexadecimal: value.first, digits: 16)
        writer.append("\r\nTo: <sip:")
        writer.append(escaped: login)
        writer.append("@")
        domains.domain.withSlice { writer.append(host: $0) }
        writer.append(">\r\nCall-ID: ")
        writer.append(hexadecimal: value.second, digits: 16)
        writer.append("\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
    }

    /// Takes the answer to a ping: whatever it says, the device is there.
    func receivePingAnswer(_ response: borrowing SIPMessage, now: Now, effects: inout Effects) {
        guard let token = PingToken(branch: response.topVia.branch, key: settings.runKey),
            token.isFresh(at: now.unix, interval: settings.keepalive.interval)
        else { return }
        let found = location.heard(token.client, flow: token.flow, now: now.unix)
        log(found, .registrationReachable, now, &effects)
    }

    /// A peer was heard on a connection between messages: its keepalive, or its answer to ours (`isAnswer`).
    public func heard(on flow: Flow, isAnswer: Bool, now: Now, effects: inout Effects) {
        let found = location.heard(connection: flow.connection, isAnswer: isAnswer, now: now.unix)
        log(found, .registrationReachable, now, &effects)
    }

    /// Takes a ping that came back as unreachable; false when the branch is not one of a ping.
    func pingCameBack(_ branch: ByteSlice, now: Now, effects: inout Effects) -> Bool {
        guard let token = PingToken(branch: branch, key: settings.runKey) else { return false }
        guard token.isFresh(at: now.unix, interval: settings.keepalive.interval) else { return true }
        let lost = location.pingFailed(token.client, flow: token.flow, settings.keepalive)
        log(lost, .registrationUnreachable, now, &effects)
        return true
    }

    /// Tells that devices answer no more, or again; a power cut that silences thousands is told by some of them.
    func log(_ changes: [ReachabilityChange], _ event: LogEvent, _ now: Now, _ effects: inout Effects) {
        for change in changes where effects.log.accepts(event) {
            guard reachability.withLock({ $0.admits(now) }), effects.log.begin(event, at: now.unix) else { continue }
            effects.log.field("src", source: change.binding.flow)
            change.login.withSlice { effects.log.field("user", $0) }
            change.binding.withText { effects.log.contact($0.contact) }
            if event == .registrationUnreachable {
                let silence = now.unix.seconds &- change.binding.liveness.lastHeard.seconds
                effects.log.field("silent", number: max(0, silence))
                effects.log.field(
                    "why", "the device does not answer pings any more; calls go to the client's other devices")
                effects.log.field(
                    "do",
                    "nothing if it was switched off; else look at its network, or lower nat.interval if calls get lost")
            }
            effects.log.end()
        }
    }
}

/// How many lines about devices that come and go are written: 60 a minute, the rest is counted.
struct ReachabilityLog: Sendable {
    private static let limit = 60
    private static let period: UInt64 = 60_000
    private var begin = Instant(milliseconds: 0)
    private var lines = 0

    mutating func admits(_ now: Instant) -> Bool {
        lines += 1
        if lines == 1 { begin = now }
        return lines <= Self.limit
    }

    mutating func admits(_ now: Now) -> Bool { admits(now.instant) }

    /// Writes how many lines were left out, once the period is over.
    mutating func tellSuppressed(_ now: Now, _ effects: inout Effects) {
        guard lines > 0, now.instant.milliseconds(since: begin) >= Self.period else { return }
        let suppressed = lines - Self.limit
        lines = 0
        guard suppressed > 0, effects.log.begin(.logSuppressed, at: now.unix) else { return }
        effects.log.field("lines", number: Int64(suppressed))
        effects.log.field("what", "devices that answer pings no more, or again")
        effects.log.end()
    }
}

extension SIPServer {
    /// Answers a STUN Binding Request; false when the datagram is none.
    func answerSTUN(_ bytes: ByteSlice, _ flow: Flow, _ effects: inout Effects) -> Bool {
        guard let request = STUNMessage(bytes) else { return false }
        let start = effects.outbox.bytes.count
        request.writeAnswer(to: flow.remote, into: &effects.outbox.bytes)
        effects.outbox.send(from: start, to: flow)
        return true
    }
}
