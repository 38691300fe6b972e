extension ConfigurationReader {
    /// Reads the list of gateways.
    mutating func readGateways(_ list: JSONNode) {
        guard case .array(let nodes) = list.value else {
            report(
                list.offset, KeyTable.gateways,
                "expected a list [...] of gateways {name, uri, user, password, inbound, rules}, found \(list.value.kind)"
            )
            return
        }
        var gateways: [Configuration.Gateway] = []
        for (index, node) in nodes.enumerated() {
            let path = "\(KeyTable.gateways)[\(index)]"
            guard case .object(let members) = node.value else {
                report(node.offset, path, "expected an object {...}, found \(node.value.kind)")
                continue
            }
            var gateway = Configuration.Gateway()
            for member in members {
                let keyPath = "\(path).\(member.key)"
                if member.key == "rules" {
                    gateway.rules = readRules(member.node, keyPath)
                } else if let key = KeyTable.gateway.first(where: { $0.path == member.key }) {
                    // What a secret should have been is said, not what it is.
                    let problem = ConfigurationReader.store(member.node, by: key, &gateway)
                    report(
                        member.node.offset, keyPath,
                        problem.map { member.key == "password" ? "expected \(key.expected)" : $0 })
                } else {
                    reportUnknown(
                        member, path: keyPath, under: "", known: KeyTable.gateway.map(\.path) + ["rules"])
                }
            }
            let given = Set(members.map(\.key))
            for key in ["name", "uri"] where !given.contains(key) {
                report(node.offset, path, "a gateway needs a \(key)")
            }
            if !gateway.password.isEmpty, gateway.user.isEmpty {
                report(node.offset, path, "a password needs a user")
            }
            if gateways.contains(where: { $0.name == gateway.name }), !gateway.name.isEmpty {
                report(node.offset, path, "a gateway named \"\(gateway.name)\" is already in the list")
            }
            gateways.append(gateway)
        }
        configuration.gateways = gateways
    }

    private mutating func readRules(_ list: JSONNode, _ path: String) -> [Configuration.Gateway.Rule] {
        guard case .array(let nodes) = list.value, !nodes.isEmpty else {
            report(list.offset, path, "expected a list [...] of at least one rule {prefix, strip, prepend}")
            return []
        }
        var rules: [Configuration.Gateway.Rule] = []
        for (index, node) in nodes.enumerated() {
            let place = "\(path)[\(index)]"
            guard case .object(let members) = node.value else {
                report(node.offset, place, "expected an object {...}, found \(node.value.kind)")
                continue
            }
            var rule = Configuration.Gateway.Rule()
            for member in members {
                let keyPath = "\(place).\(member.key)"
                if let key = KeyTable.gatewayRule.first(where: { $0.path == member.key }) {
                    report(member.node.offset, keyPath, ConfigurationReader.store(member.node, by: key, &rule))
                } else {
                    reportUnknown(member, path: keyPath, under: "", known: KeyTable.gatewayRule.map(\.path))
                }
            }
            if rules.contains(where: { $0.prefix == rule.prefix }) {
                report(node.offset, place, "a rule for the prefix \"\(rule.prefix)\" is already in the list")
            }
            rules.append(rule)
        }
        return rules
    }
}
