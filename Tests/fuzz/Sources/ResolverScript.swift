import DNSMessage
import NameResolution
import Primitives

/// A resolver in virtual time between what wants names and servers that answer anything. Each resolution must end once and
/// in time, with places that can be called; at the end nothing may be left.
final class ResolverScript {
    private var resolver: NameResolver
    private var now = Instant(milliseconds: 1_000_000)
    /// Queries that wait for an answer.
    private var open: [(number: UInt64, query: DNSQuery)] = []
    /// Resolutions that wait, with when they must have ended.
    private var waiting: [UInt64: Instant] = [:]
    private var last: UInt64 = 0
    private var sent = 0

    private static let hosts = [
        "a", "b.example", "_sip._udp.a", "localhost", "203.0.113.5", "h", "1.2.3",
        "very-long."
            + String(
                repeating: "label.", count: 40),
    ]

    init() {
        let ways: [Reachability.Way] = [
            .init(.udp, isIPv4: true), .init(.tcp, isIPv4: true), .init(.udp, isIPv4: false),
        ]
        var settings = NameResolver.Settings(
            servers: [Device.socket("192.0.2.53", 53), Device.socket("192.0.2.54", 53)],
            reachability: Reachability(ways))
        (settings.resolutionLimit, settings.questionLimit, settings.cacheCapacity) = (16, 40, 8)
        resolver = NameResolver(settings, key: HashKey(1, 2), now: now)
        "203.0.113.9 h\n".withSlice { resolver.hosts = HostTable(file: $0) }
    }

    /// Plays a script; then lets all timers run out.
    func play(_ input: ByteSlice) {
        var reader = ByteReader(input)
        var events = 0
        while !reader.isAtEnd, events < 200 {
            event(&reader)
            events += 1
        }
        var steps = 0
        while let wake = resolver.nextWake, steps < 2000 {
            now = max(wake, now.advanced(byMilliseconds: 1))
            resolver.tick(now: now)
            take()
            steps += 1
        }
        let sizes = resolver.sizes
        require(sizes.resolutions == 0 && sizes.questions == 0, "there are still \(sizes)")
        require(open.isEmpty, "\(open.count) queries are never closed")
        require(sizes.answers <= 8, "\(sizes.answers) answers are kept")
        require(resolver.nextWake == nil, "a timer runs for nothing")
        require(sent <= Int(last) * 48 * 16, "\(sent) queries for \(last) names")
    }

    private func event(_ reader: inout ByteReader) {
        switch reader.byte() % 8 {
        case 0: resolve(&reader)
        case 1...4: answer(&reader)
        case 5:
            let numbers = open.map(\.number)
            _ = resolver.received(reader.bytes(reader.below(256)), among: numbers, now: now)
        case 6: if let query = pick(&reader) { resolver.failed(query.number, now: now) }
        default: wait(milliseconds: UInt64(reader.byte()) * 50)
        }
        take()
    }

    private func resolve(_ reader: inout ByteReader) {
        let host = Self.hosts[reader.below(Self.hosts.count)]
        let choices = reader.byte()
        let query = TargetQuery(
            host: Array(host.utf8), port: choices & 1 == 0 ? nil : 5070,
            transport: choices & 2 == 0 ? nil : choices & 4 == 0 ? .udp : .tcp, isSecure: choices & 56 == 56)
        last += 1
        let requester = Device.socket("198.51.100.\(choices >> 6)", 0).address
        switch resolver.resolve(query, for: last, requester: requester, now: now) {
        case .answered(let answer): check(answer)
        case .waits: waiting[last] = now.advanced(byMilliseconds: NameResolver.timeout + 100)
        }
    }

    /// Answers a query: with its identifier and question, and what the script has for the rest.
    private func answer(_ reader: inout ByteReader) {
        guard let (number, query) = pick(&reader) else { return }
        let identifier = [UInt8(query.identifier >> 8), UInt8(query.identifier & 255)]
        let flags = [0x80 | reader.byte() & 3, reader.byte()]
        let counts = [0, 1, 0, reader.byte(), 0, reader.byte(), 0, 0]
        let isCaseKept = counts[3] < 128
        let question = isCaseKept ? Array(query.question) : query.question.map(ASCII.lowercase)
        let bytes = identifier + flags + counts + question + reader.bytes(reader.below(256)).bytes
        bytes.withSlice { _ = resolver.received($0, among: [number], now: now) }
    }

    private func wait(milliseconds: UInt64) {
        let end = now.advanced(byMilliseconds: milliseconds)
        while now < end {
            now = min(end, now.advanced(byMilliseconds: 100))
            resolver.tick(now: now)
            take()
        }
    }

    /// Carries out what the resolver wants done.
    private func take() {
        let effects = resolver.effects
        resolver.effects = []
        for effect in effects {
            switch effect {
            case .send(let number, let query, _, _):
                require(!open.contains { $0.number == number }, "two queries have one number")
                open.append((number, query))
                sent += 1
            case .close(let number): open.removeAll { $0.number == number }
            case .complete(let number, let answer):
                require(waiting.removeValue(forKey: number) != nil, "a resolution ends twice")
                check(answer)
            }
        }
        require(waiting.values.allSatisfy { $0 >= now }, "a resolution has not ended in time")
    }

    private func check(_ answer: TargetAnswer) {
        guard case .candidates(let places) = answer else { return }
        require((1...Candidate.limit).contains(places.count), "\(places.count) places")
        require(Set(places).count == places.count, "a place twice")
        for place in places {
            require(place.remote.port != 0, "a port of 0")
            require(place.transport == .udp || place.remote.address.isIPv4, "a place that no listener reaches")
        }
    }

    private func pick(_ reader: inout ByteReader) -> (number: UInt64, query: DNSQuery)? {
        let place = reader.below(max(1, open.count))
        return place < open.count ? open[place] : nil
    }
}
