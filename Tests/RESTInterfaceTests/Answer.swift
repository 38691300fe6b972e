import Foundation
import FoundationXML
import HTTPMessage
import Primitives
import Testing

/// What a request was answered, with its whole body.
struct Answer {
    var status = 0
    var headers: [String: String] = [:]
    var bytes: [UInt8] = []
    /// The number of parts of a body that was made while it was sent; 0 for another.
    var parts = 0

    /// No answer, as the request could not be made.
    static let none = Answer()

    private init() {}

    init(_ response: HTTPResponse) {
        self.init(head: response)
        switch response.body {
        case .none: break
        case .bytes(let bytes): self.bytes = bytes
        case .stream(let stream):
            do {
                while let part = try stream.next() {
                    bytes += part
                    parts += 1
                }
            } catch {
                Issue.record(error)
            }
        }
    }

    private init(head response: HTTPResponse) {
        status = response.status
        for (name, value) in response.headers.fields {
            #expect(headers[name] == nil, "\(name) is there twice")
            headers[name] = value
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: Any? { try? JSONSerialization.jsonObject(with: Data(bytes)) }
    var object: [String: Any] { json as? [String: Any] ?? [:] }
    var list: [[String: Any]] { json as? [[String: Any]] ?? [] }
    // Foundation crashes at a document of no bytes.
    var xml: XMLElement? { bytes.isEmpty ? nil : (try? XMLDocument(data: Data(bytes)))?.rootElement() }

    /// The code of a failure, in either form.
    var code: String? {
        headers["Content-Type"] == "application/json"
            ? object["code"] as? String : xml?.elements(forName: "Code").first?.stringValue
    }

    /// A member of an object that is a text.
    subscript(name: String) -> String? { object[name] as? String }

    /// A member of each object of a list.
    func values(_ name: String) -> [String] { list.map { $0[name] as? String ?? "?" } }

    /// The same of a page.
    func values(_ name: String, in member: String) -> [String] {
        (object[member] as? [[String: Any]] ?? []).map { $0[name] as? String ?? "?" }
    }

    func number(_ name: String) -> Int? { object[name] as? Int }
}

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
