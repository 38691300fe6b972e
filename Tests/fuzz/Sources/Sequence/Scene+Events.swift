import DNSMessage
import NameResolution
import Primitives
import SIPMessage
import SIPProxy

/// What happens around the server.
extension Scene {
    /// Lets the next event of the script happen.
    func play(_ reader: inout ByteReader) {
        switch reader.byte() % 32 {
        case 0...3: begin(&reader)
        case 4, 5:
            let device = devices[reader.below(devices.count)]
            let credentials = reader.below(8)
            register(
                device, credentials: credentials > 4 ? 1 : credentials, contact: Int(reader.byte()),
                expires: Int(reader.byte()))
        case 6...10: answer(&reader)
        case 11: if let old = pick(answers, &reader) { deliver(old.bytes, from: source(old.flow, &reader)) }
        case 12: cancel(&reader)
        case 13, 14: acknowledge(&reader)
        case 15, 16: continueDialog(&reader)
        case 17: repeatRequest(&reader)
        case 18, 19: change(&reader)
        case 20:
            var bytes = reader.bytes(reader.below(256)).bytes
            if bytes.first == 0 { bytes = bindingRequest(bytes) }
            deliver(bytes, from: devices[reader.below(devices.count)].flow, isChanged: true)
        case 21: closeConnection(&reader)
        case 22:
            guard let sent = pick(forwarded, &reader) else { return }
            happen("sending failed") { server.sendFailed(origin: sent.origin, now: now, effects: &effects) }
        case 23:
            guard let sent = pick(forwarded, &reader) else { return }
            let length = Int(reader.byte()) * 4
            happen("a datagram came back") {
                sent.bytes.withSlice {
                    server.unreachable($0.prefix(length), into: &message, now: now, effects: &effects)
                }
            }
        case 24: resolve(&reader)
        case 25...27:
            let times: [UInt64] = [1, 10, 100, 500, 600, 4_000, 6_000, 33_000, 61_000, 190_000]
            wait(milliseconds: times[reader.below(times.count)], step: 100 + UInt64(reader.byte()) * 40)
        case 28:
            let steps: [Int64] = [-3_600_000, -5_000, -1, 1, 5_000, 3_600_000, 86_400_000, -86_400_000]
            now.unix.milliseconds += steps[reader.below(steps.count)]
            watcher.note(.event("the clock is set to \(now.unix.milliseconds)"))
            watcher.clientsChanged()
        case 29: administer(&reader)
        case 30: sendMessage(&reader)
        default:
            let choices = reader.byte()
            if choices & 128 == 0 {
                _ = location.removeExpired(
                    now: now.unix, limit: Int(choices), oldestNonce: authenticator.oldestNonce(now: now.unix))
                happen("a sweep") { effects.logSuppressions(now: now) }
            } else if choices & 64 == 0 {
                happen("a connection is heard") {
                    let flow = devices[[3, 6, 7, 9][Int(choices & 3)]].flow
                    server.heard(on: flow, isAnswer: choices & 4 != 0, now: now, effects: &effects)
                }
            } else {
                effects.load = [.normal, .busy, .overloaded, .normal][Int(choices & 3)]
                watcher.note(.event("the load is \(effects.load)"))
                watcher.isLoaded = effects.load != .normal
            }
        }
    }

    /// Answers a forwarded request.
    private func answer(_ reader: inout ByteReader) {
        let statuses = [
            100, 180, 183, 199, 200, 430, 200, 202, 299, 300, 302, 401, 404, 407, 408, 480, 481, 486, 487, 491, 500,
            501, 503, 504, 600, 603, 699, 101,
        ]
        guard let sent = pick(forwarded, &reader) else { return }
        let status = statuses[reader.below(statuses.count)]
        let choices = reader.byte()
        let bytes = sent.bytes.withSlice { text in
            var request = SIPMessage()
            _ = request.parse(text)
            var lines = "SIP/2.0 \(status) Whatever\r\n"
            var isTop = true
            for index in 0..<request.fieldCount {
                let field = request.field(index)
                switch field.name {
                case .via:
                    // Some agents forget the lower ones.
                    if isTop || choices & 64 == 0 { lines += request.line(field).string }
                    isTop = false
                case .recordRoute, .from, .callID: lines += request.line(field).string
                case .cSeq: if choices & 128 == 0 { lines += request.line(field).string }
                case .to:
                    lines += "To: " + request.value(field).string
                    lines += request.toTag.isEmpty && status > 100 ? ";tag=t\(choices & 3)\r\n" : "\r\n"
                default: break
                }
            }
            if choices & 128 != 0 { lines += "CSeq: \(request.sequenceNumber) CANCEL\r\n" }
            if choices & 4 == 0 { lines += "Contact: <sip:phone@198.51.100.2>\r\n" }
            if status == 401 || status == 407 {
                lines += "WWW-Authenticate: Digest realm=\"phone\", nonce=\"\(number)\"\r\n"
            }
            let body = choices & 8 == 0 ? "" : "body"
            return Array((lines + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
        }
        let flow = choices & 48 == 48 ? devices[Int(choices) % devices.count].flow : sent.flow
        answers.append((bytes, flow))
        if answers.count > 40 { answers.removeFirst(10) }
        deliver(bytes, from: flow)
    }

    /// Sends an earlier message again with some bytes changed.
    private func change(_ reader: inout ByteReader) {
        guard let old = pick(deliveries, &reader), !old.bytes.isEmpty else { return }
        var bytes = old.bytes
        for _ in 0...reader.below(4) where !bytes.isEmpty {
            let place = (Int(reader.byte()) << 8 | Int(reader.byte())) % bytes.count
            let value = reader.byte()
            switch reader.below(4) {
            case 0: bytes.insert(value, at: place)
            case 1: bytes.remove(at: place)
            case 2: bytes.removeLast(min(bytes.count, Int(value)))
            default: bytes[place] = value
            }
        }
        deliver(bytes, from: source(old.flow, &reader), isChanged: true)
    }

    private func closeConnection(_ reader: inout ByteReader) {
        let place = [3, 6, 7, 9][reader.below(4)]
        let connection = devices[place].flow.connection
        happen("connection \(connection) is closed") {
            server.connectionClosed(connection, now: now, effects: &effects)
            let dropped = location.connectionClosed(
                connection, reconnectTime: server.keepalive.reconnectTime, now: now)
            if !dropped.isEmpty { server.deviceLost(connection, now: now, effects: &effects) }
        }
        watcher.clientsChanged()
        devices[place].flow.connection += 100
        devices[place].flow.remote.port &+= 1
    }

    private func resolve(_ reader: inout ByteReader) {
        guard !effects.resolutions.isEmpty else { return }
        let resolution = effects.resolutions.remove(at: reader.below(effects.resolutions.count))
        waitingNames = effects.resolutions.count
        var places: [Candidate] = []
        let choices = reader.byte()
        let transport: TransportProtocol = choices & 8 == 0 ? .udp : .tcp
        if choices & 1 != 0 { places.append(Candidate(remote: Device.socket("203.0.113.5", 5060), transport: .udp)) }
        if choices & 2 != 0 {
            places.append(Candidate(remote: Device.socket("2001:db8::5", 5062), transport: transport))
        }
        if choices & 16 != 0 {
            places.append(Candidate(remote: Device.socket("203.0.113.6", 5064), transport: transport))
        }
        if choices & 32 != 0 { places.append(Candidate(remote: Device.socket("203.0.113.7", 5066), transport: .udp)) }
        for place in places { watcher.allow(place.remote) }
        let answer: TargetAnswer =
            choices & 192 == 192 ? .failure(failures[Int(choices & 63) % failures.count]) : .candidates(places)
        happen("a name is resolved: \(answer)") {
            server.resolved(resolution, answer, now: now, effects: &effects)
            if choices & 4 != 0 { server.resolved(resolution, answer, now: now, effects: &effects) }
        }
    }

    private var failures: [ResolutionFailure] {
        [
            .badName, .noAddress, .notReachable, .noService, .needsTLS, .busy,
            .servers(LookupFailure(server: Device.socket("192.0.2.53", 53), cause: .timeout)),
        ]
    }

    /// A STUN Binding Request with these bytes as its transaction and attributes.
    private func bindingRequest(_ content: [UInt8]) -> [UInt8] {
        let length = max(12, content.count) & ~3
        let content = content + [UInt8](repeating: 0, count: 16)
        return [0, 1, 0, UInt8(length - 12), 0x21, 0x12, 0xa4, 0x42] + content.prefix(length)
    }

    private func administer(_ reader: inout ByteReader) {
        let login = Scene.logins[reader.below(Scene.logins.count)]
        let what = reader.below(6)
        watcher.note(.event("\(login) is changed (\(what))"))
        switch what {
        case 0: login.withSlice { _ = location.setEnabled(false, $0) }
        case 1: login.withSlice { _ = location.setEnabled(true, $0) }
        case 2: login.withSlice { _ = location.removeClient($0) }
        case 3: setClient(login, password: 0)
        case 4: setClient(login, password: 1)
        default: setClient(login, password: 0, hasApplication: true)
        }
        watcher.clientsChanged()
    }

    private func sendMessage(_ reader: inout ByteReader) {
        let record = server.nextRecordNumber(now: now)
        let to = ["alice", "bob", "carol", "nobody"][reader.below(4)]
        let text = OutgoingMessage(from: Array("alice".utf8), to: Array(to.utf8), body: [104, 105], number: record)
        watcher.beginOwnMessage()
        happen("a text of the server's own to \(to)") {
            if server.sendMessage(text, now: now, effects: &effects) == nil { watcher.ownRecords.insert(record) }
        }
    }
}
