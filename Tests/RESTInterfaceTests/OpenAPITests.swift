import Foundation
import Testing

@testable import RESTInterface

@Suite struct OpenAPITests {
    private let document: [String: Any]
    private let paths: [String: [String: Any]]

    init() throws {
        let data = Data(OpenAPI.document.utf8)
        document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        paths = try #require(document["paths"] as? [String: [String: Any]])
    }

    @Test func `Every operation is described with the status of its success and of each problem`() throws {
        #expect(Set(paths.keys) == Set(Operation.all.map(\.path.text)))
        for operation in Operation.all {
            let method = operation.method.name.lowercased()
            let described = try #require(paths[operation.path.text]?[method] as? [String: Any])
            #expect(described["operationId"] as? String == operation.name)
            let responses = try #require(described["responses"] as? [String: Any])
            for problem in operation.problems { #expect(responses[String(problem.status)] != nil) }
            #expect(responses[String(operation.success)] != nil && responses["401"] != nil && responses["503"] != nil)
            if operation.takesForm { #expect(responses["415"] != nil) }
            #expect((described["requestBody"] != nil) == operation.takesForm)
        }
    }

    @Test func `Every reference leads somewhere`() throws {
        for match in OpenAPI.document.matches(of: /"\$ref": "#\/([^"]+)"/) {
            var node: Any? = document
            for part in match.1.split(separator: "/") { node = (node as? [String: Any])?[String(part)] }
            #expect(node is [String: Any], "\(match.1)")
        }
    }

    /// What a schema says of a text: no is certain, yes is not.
    private func allows(_ schema: [String: Any], _ value: String) throws -> Bool {
        if let most = schema["maxLength"] as? Int, value.unicodeScalars.count > most { return false }
        if let least = schema["minLength"] as? Int, value.unicodeScalars.count < least { return false }
        if let words = schema["enum"] as? [String], !words.contains(value) { return false }
        if schema["type"] as? String == "integer" {
            guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(value),
                let least = schema["minimum"] as? Int, let most = schema["maximum"] as? Int
            else { return false }
            return (least...most).contains(number)
        }
        guard let pattern = schema["pattern"] as? String else { return true }
        // In the expressions of JSON Schema $ is the end; here it is also before a line end.
        let expression = try NSRegularExpression(pattern: pattern.replacing(/\$$/, with: "\\z"))
        return expression.firstMatch(in: value, range: NSRange(value.startIndex..., in: value)) != nil
    }

    @Test func `What the description allows is taken`() throws {
        let values =
            [
                "", "a", "GET", "get", "Get", "0", "1", "-1", "1000", "1001", "true", "active", "http://a", "http://",
                "http://?a", "http://:80/", "http://@a", "http://#", "HTTP://a", "/", "/a b", "//a", "a?b@c", "a#b@c",
                "a%b@c", "a@b", "a:b@c", "a/b@c", "a@b@c", "+123", "alice", "a b", "a:b", "client:alice", "client:",
                "é",
                "\u{7f}", "\u{85}", "\n", "DateCreated:asc", "From", "From:up", "a'b", "~", "^", "`", "{", "[", "]",
                "\\",
                "AP0123456789abcdef0123456789abcdef", "CA0123456789abcdef0123456789abcdef", "%41", "%40", "\u{1f600}",
            ]
            + [16, 64, 65, 71, 72, 128, 129, 254, 255, 2048, 2049, 16_000, 16_001].flatMap {
                [String(repeating: "x", count: $0), String(repeating: "é", count: $0)]
            }
        for operation in Operation.all {
            let method = operation.method.name.lowercased()
            let described = try #require(paths[operation.path.text]?[method] as? [String: Any])
            for parameter in operation.parameters {
                var schema: [String: Any]?
                if operation.takesForm {
                    let content = (described["requestBody"] as? [String: Any])?["content"] as? [String: [String: Any]]
                    let form = content?["application/x-www-form-urlencoded"]?["schema"] as? [String: Any]
                    schema = (form?["properties"] as? [String: [String: Any]])?[parameter.name]
                    if case .refused = parameter.kind {
                        #expect(schema == nil)
                        continue
                    }
                } else {
                    let list = described["parameters"] as? [[String: Any]]
                    schema = list?.first { $0["name"] as? String == parameter.name }?["schema"] as? [String: Any]
                }
                if case .day = parameter.kind { continue }
                let found = try #require(schema, "\(operation.name) \(parameter.name)")
                for value in values where try allows(found, value) {
                    #expect(
                        parameter.fault(of: value) == nil,
                        "\(operation.name) \(parameter.name) \(value.prefix(80).debugDescription)")
                }
            }
        }
    }

    @Test func `Docs/openapi.json is the same`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Docs/openapi.json"), encoding: .utf8)
        #expect(page == OpenAPI.document)
    }
}
