/// The schemas of resources and parameters in the description of the API.
extension OpenAPI {
    static var components: Node {
        object { components in
            components.add(
                "securitySchemes",
                of: object { schemes in
                    schemes.add(
                        "basic",
                        of: object { scheme in
                            scheme.add("type", "http")
                            scheme.add("scheme", "basic")
                            scheme.add("description", "AccountSid (or the account's e-mail address) and AuthToken.")
                        })
                })
            components.add(
                "responses",
                of: object { responses in
                    for (status, problems) in failures([]) {
                        responses.add("Status\(status)", of: failure(status, problems))
                    }
                })
            components.add(
                "schemas",
                of: object { schemas in
                    let all: [Schema] = [
                        .client, .registration, .registrationStatus, .ban, .account, .application, .number, .call,
                        .message, .notification,
                    ]
                    for schema in all { schemas.add(schema.name, of: describe(schema)) }
                    schemas.add(
                        "Error",
                        of: object { error in
                            error.add("type", "object")
                            error.add(
                                "properties",
                                of: object { properties in
                                    for name in ["code", "message", "parameter", "more_info"] {
                                        properties.add(name, of: object { $0.add("type", "string") })
                                    }
                                })
                            error.add("required", texts: ["code", "message", "more_info"])
                        })
                })
        }
    }

    private static func describe(_ schema: Schema) -> Node {
        object { node in
            node.add("type", "object")
            node.add(
                "properties",
                of: object { properties in
                    for member in schema.members { properties.add(member.name, of: describe(member)) }
                })
            node.add("required", texts: schema.members.filter(\.isAlwaysThere).map(\.name))
            node.add("additionalProperties", .flag(false))
        }
    }

    private static func describe(_ member: Schema.Member) -> Node {
        if case .object(let schema) = member.kind { return describe(schema) }
        return object { node in
            switch member.kind {
            case .text, .object: node.add("type", "string")
            case .number: node.add("type", "integer")
            case .flag: node.add("type", "boolean")
            case .date:
                node.add("type", "string")
                node.add("pattern", "^[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [+]0000$")
            case .timestamp:
                node.add("type", "string")
                node.add("format", "date-time")
            case .word(let words):
                node.add("type", "string")
                node.add("enum", texts: words)
            case .sid(let prefix):
                node.add("type", "string")
                node.add("pattern", "^\(prefix)[0-9a-f]{32}$")
            }
            node.add("description", member.meaning)
        }
    }
}

extension Parameter {
    /// Logins without escapes.
    private static let loginPattern = "[A-Za-z0-9\\-_.!~*'();&=+$,]{1,\(ClientRules.loginLimit)}"

    /// A host without an IPv6 address, and perhaps a port.
    private static let hostPattern = "[A-Za-z0-9_\\-]{1,62}(\\.[A-Za-z0-9_\\-]{1,62}){0,3}(:[1-9][0-9]{0,3})?"

    /// URLs of applications.
    private static let urlPattern =
        "[Hh][Tt][Tt][Pp][Ss]?://\(hostPattern)([/?]([A-Za-z0-9\\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?"

    /// What a value must be, as OpenAPI says it: exactly what `fault(of:)` accepts.
    var schema: Representation {
        var schema = Representation("")
        func add(pattern: String) { schema.add("pattern", mayBeEmpty ? "^(\(pattern))?$" : "^\(pattern)$") }
        schema.add("description", meaning)
        switch kind {
        case .number(let range):
            schema.add("type", "integer")
            schema.add("minimum", number: Int64(range.lowerBound))
            schema.add("maximum", number: Int64(range.upperBound))
            return schema
        default: schema.add("type", "string")
        }
        switch kind {
        case .text(let limit):
            schema.add("maxLength", number: Int64(limit))
            add(pattern: "[^\\x00-\\x1f\\x7f-\\x9f]{1,\(limit)}")
        case .password: add(pattern: "[^\\x00-\\x1f\\x7f-\\x9f]{1,128}")
        case .body(let limit):
            schema.add("minLength", number: mayBeEmpty ? 0 : 1)
            schema.add("maxLength", number: Int64(limit))
            add(pattern: "[^\\x00]+")
        case .login, .phoneNumber:
            schema.add("maxLength", number: Int64(ClientRules.loginLimit))
            add(pattern: Parameter.loginPattern)
        case .party: add(pattern: "(client:)?\(Parameter.loginPattern)")
        case .word(let words): schema.add("enum", .texts(mayBeEmpty ? [""] + words : words))
        case .method: schema.add("enum", .texts(["", "GET", "POST", "get", "post"]))
        case .url:
            schema.add("maxLength", number: 2048)
            add(pattern: Parameter.urlPattern)
        case .target:
            schema.add("maxLength", number: Int64(CallTarget.limit))
            add(pattern: "((client:)?\(Parameter.loginPattern)|(sip:)?[A-Za-z0-9]{1,32}@\(Parameter.hostPattern))")
        case .words(let words):
            let word = "(\(words.joined(separator: "|")))"
            add(pattern: "\(word)(,\(word))*")
        case .sid(let prefix): add(pattern: "\(prefix)[0-9a-f]{32}")
        case .day:
            let day = Representation.object { $0.add("format", "date") }
            let none = Representation.object { $0.add("maxLength", number: 0) }
            if mayBeEmpty { schema.add("anyOf", .list([day, none])) } else { schema.add("format", "date") }
        case .email:
            schema.add("maxLength", number: 254)
            add(pattern: "[!\"$&'()*+,\\-.0-9;->A-~]+@[!\"$&'()*+,\\-.0-9;->A-~]+")
        case .order(let names): add(pattern: "(\(names.joined(separator: "|")))(:asc|:desc)?")
        case .number, .refused: break
        }
        return schema
    }
}
