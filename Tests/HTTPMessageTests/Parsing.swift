import HTTPMessage
import Primitives

/// A small seeded generator (SplitMix64): a failure comes again with the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// What a parser made of a text, in a form that can be compared.
enum Outcome: Equatable, CustomStringConvertible {
    case request(String, path: [String], body: String, isVersion10: Bool, keepsAlive: Bool)
    case continuation
    case failure(Int)

    var description: String {
        switch self {
        case .request(let method, let path, let body, let isVersion10, let keepsAlive):
            "\(method) \(path) [\(body)] \(isVersion10 ? "1.0" : "1.1")\(keepsAlive ? " keep" : "")"
        case .continuation: "continue"
        case .failure(let status): "\(status)"
        }
    }
}

/// Feeds a parser with parts, and gives all that it said until it wanted more, or failed.
func outcomes(_ parts: [[UInt8]], limits: HTTPLimits = HTTPLimits()) -> [Outcome] {
    var parser = HTTPRequestParser(limits: limits, source: IPAddress(ipv4: 0x7f00_0001))
    var result: [Outcome] = []
    for part in parts {
        part.withSlice { parser.append($0) }
        reading: while true {
            switch parser.next() {
            case .incomplete:
                break reading
            case .expectsContinue:
                result.append(.continuation)
            case .request(let request, let isVersion10, let keepsAlive):
                let body = String(decoding: request.body, as: UTF8.self)
                result.append(
                    .request(
                        request.method.name, path: request.path, body: body, isVersion10: isVersion10,
                        keepsAlive: keepsAlive))
            case .failure(let failure, _):
                return result + [.failure(failure.status)]
            }
        }
    }
    return result
}

/// The same of a text in one part.
func outcomes(_ text: String, limits: HTTPLimits = HTTPLimits()) -> [Outcome] {
    outcomes([Array(text.utf8)], limits: limits)
}

/// The first request of a text.
func parsedRequest(_ text: String) -> HTTPRequest? {
    var parser = HTTPRequestParser(source: IPAddress(ipv4: 0x7f00_0001))
    text.withSlice { parser.append($0) }
    if case .request(let request, _, _) = parser.next() { return request }
    return nil
}

/// A request in HTTP/1.1 with these lines after Host.
func post(_ lines: String..., body: String = "") -> String {
    "POST /a HTTP/1.1\r\nHost: h\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n" + body
}
