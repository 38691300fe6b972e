/// The description of the API for programs (OpenAPI 3.0), made of the table of operations. `Docs/openapi.json` is the same
/// text; a test compares them.
public enum OpenAPI {
    /// The document in UTF-8, made once for all answers.
    static let bytes = Array(document.utf8)

    /// The document as JSON.
    public static let document: String = {
        var writer = JSONWriter()
        writer.write(OpenAPI.root)
        return writer.text + "\n"
    }()

    typealias Node = Representation

    static func object(_ build: (inout Node) -> Void) -> Node { Representation.object(build) }

    private static var root: Node {
        object { root in
            root.add("openapi", "3.0.3")
            root.add(
                "info",
                of: object { info in
                    info.add("title", "Rollcall")
                    info.add("version", "2012-04-24")
                    info.add(
                        "description",
                        "The HTTP API of Rollcall, compatible with Restcomm's. The prefixes /restcomm/2012-04-24 and /2012-04-24 mean the same, and a path that ends with .json or .xml gets its answer in that form."
                    )
                })
            root.add("servers", .list([object { $0.add("url", "/api/2012-04-24") }]))
            root.add("security", .list([object { $0.add("basic", .list([])) }]))
            root.add("paths", of: paths)
            root.add("components", of: components)
        }
    }

    // MARK: Paths

    private static var paths: Node {
        var order: [PathTemplate] = []
        for operation in Operation.all where !order.contains(operation.path) { order.append(operation.path) }
        return object { paths in
            for path in order {
                paths.add(
                    path.text,
                    of: object { item in
                        if !path.names.isEmpty {
                            item.add("parameters", .list(path.names.map(pathParameter)))
                        }
                        for operation in Operation.all where operation.path == path {
                            item.add(operation.method.name.lowercased(), of: describe(operation))
                        }
                    })
            }
        }
    }

    private static func pathParameter(_ name: String) -> Node {
        object { parameter in
            parameter.add("name", name)
            parameter.add("in", "path")
            parameter.add("required", .flag(true))
            parameter.add(
                "schema",
                of: object { schema in
                    schema.add("type", "string")
                    let sid = "[A-Z]{2}[0-9a-f]{32}(\\.json|\\.xml)?"
                    schema.add(
                        "pattern", name == "AccountSid" ? "^(\(sid)|[!-.0-9;-~]+@[!-.0-9;-~]+)$" : "^\(sid)$")
                })
        }
    }

    private static func describe(_ operation: Operation) -> Node {
        object { node in
            node.add("operationId", operation.name)
            node.add("summary", operation.summary)
            if operation.takesForm {
                node.add(
                    "requestBody",
                    of: object { body in
                        body.add("required", .flag(operation.parameters.contains(where: \.isRequired)))
                        body.add(
                            "content",
                            of: object { content in
                                content.add(
                                    "application/x-www-form-urlencoded",
                                    of: object { form in
                                        form.add("schema", of: formSchema(operation))
                                    })
                            })
                    })
            } else if !operation.parameters.isEmpty {
                node.add("parameters", .list(operation.parameters.map(queryParameter)))
            }
            node.add("responses", of: responses(operation))
        }
    }

    private static func queryParameter(_ parameter: Parameter) -> Node {
        object { node in
            node.add("name", parameter.name)
            node.add("in", "query")
            node.add("description", parameter.meaning)
            node.add("required", .flag(parameter.isRequired))
            node.add("allowEmptyValue", .flag(parameter.mayBeEmpty))
            node.add("schema", of: parameter.schema)
        }
    }

    private static func formSchema(_ operation: Operation) -> Node {
        object { schema in
            schema.add("type", "object")
            schema.add(
                "properties",
                of: object { properties in
                    for parameter in operation.parameters {
                        if case .refused = parameter.kind { continue }
                        properties.add(parameter.name, of: parameter.schema)
                    }
                })
            let required = operation.parameters.filter(\.isRequired).map(\.name)
            if !required.isEmpty { schema.add("required", texts: required) }
        }
    }

    // MARK: Responses

    /// What every operation can end with. 417, 501 and 505 come only of requests that no HTTP library sends.
    private static let common: [Problem] = [
        .requestMalformed, .notAuthenticated, .accountInactive, .accountOutOfReach, .resourceElsewhere, .notFound,
        .methodNotAllowed, .requestTimedOut, .targetTooLong, .tooManyFailures, .headersTooLarge, .unexpected,
        .storeUnavailable, .searchTooLong, .changeNotInEffect, .overloaded,
    ]

    /// The failures of an operation by status.
    static func failures(_ problems: [Problem]) -> [(status: Int, problems: [Problem])] {
        Dictionary(grouping: Set(problems + common), by: \.status)
            .map { ($0.key, $0.value.sorted { $0.rawValue < $1.rawValue }) }.sorted { $0.0 < $1.0 }
    }

    private static func responses(_ operation: Operation) -> Node {
        let shared = Dictionary(uniqueKeysWithValues: failures([]).map { ($0.status, $0.problems) })
        let problems = operation.problems + (operation.takesForm ? [.bodyTooLarge, .bodyNotForm] : [])
        return object { responses in
            responses.add(String(operation.success), of: success(operation))
            for (status, problems) in failures(problems) {
                responses.add(
                    String(status),
                    of: shared[status] == problems
                        ? object { $0.add("$ref", "#/components/responses/Status\(status)") }
                        : failure(status, problems))
            }
        }
    }

    static func failure(_ status: Int, _ problems: [Problem]) -> Node {
        object { response in
            response.add("description", problems.map { "\($0.code): \($0.cause)" }.joined(separator: " "))
            if let (name, meaning) = header(of: status) {
                response.add(
                    "headers",
                    of: object { headers in
                        headers.add(
                            name,
                            of: object { header in
                                header.add("description", meaning)
                                header.add("schema", of: object { $0.add("type", "string") })
                            })
                    })
            }
            response.add("content", of: content(reference("Error"), xml: "RestcommResponse"))
        }
    }

    /// The header field that tells what to do about a status.
    private static func header(of status: Int) -> (name: String, meaning: String)? {
        switch status {
        case 401: ("WWW-Authenticate", "Basic, with the realm.")
        case 405: ("Allow", "The methods that the resource has.")
        case 429, 503: ("Retry-After", "Seconds to wait.")
        default: nil
        }
    }

    private static func success(_ operation: Operation) -> Node {
        object { response in
            switch operation.content {
            case .empty: response.add("description", "Done.")
            case .resource(let schema):
                response.add("description", "The \(schema.name).")
                response.add("content", of: content(reference(schema.name), xml: schema.name))
            case .array(let schema):
                response.add("description", "The list.")
                response.add("content", of: content(array(of: schema), xml: "list"))
            case .page(let schema, let name):
                response.add("description", "The page.")
                response.add("content", of: content(pageSchema(schema, name), xml: "page"))
            }
        }
    }

    /// The content of an answer in both forms; OpenAPI cannot describe the root element of the XML usefully.
    private static func content(_ schema: Node, xml: String) -> Node {
        object { content in
            content.add("application/json", of: object { $0.add("schema", of: schema) })
            content.add("application/xml", of: object { $0.add("schema", of: object { $0.add("type", "string") }) })
        }
    }

    static func reference(_ name: String) -> Node {
        object { $0.add("$ref", "#/components/schemas/\(name)") }
    }

    private static func array(of schema: Schema) -> Node {
        object { array in
            array.add("type", "array")
            array.add("items", of: reference(schema.name))
        }
    }

    private static func pageSchema(_ schema: Schema, _ name: String) -> Node {
        object { page in
            page.add("type", "object")
            let numbers = ["page", "num_pages", "page_size", "total"]
            let texts = ["start", "end", "uri", "first_page_uri", "last_page_uri"]
            let links = ["previous_page_uri", "next_page_uri"]
            page.add(
                "properties",
                of: object { properties in
                    for member in numbers { properties.add(member, of: object { $0.add("type", "integer") }) }
                    for member in texts { properties.add(member, of: object { $0.add("type", "string") }) }
                    for member in links {
                        properties.add(
                            member,
                            of: object { link in
                                link.add("type", "string")
                                link.add("nullable", .flag(true))
                            })
                    }
                    properties.add(name, of: array(of: schema))
                })
            page.add("required", texts: numbers + texts + links + [name])
        }
    }
}

extension Representation {
    /// A JSON object.
    static func object(_ build: (inout Representation) -> Void) -> Representation {
        var node = Representation("")
        build(&node)
        return node
    }

    /// Adds an object.
    mutating func add(_ name: String, of object: Representation) { add(name, .object(object.members)) }

    /// Adds an array of texts.
    mutating func add(_ name: String, texts: [String]) { add(name, .texts(texts)) }
}
