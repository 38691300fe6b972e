/// Turns the JSON5 text into a `Configuration`, key by key by the tables, and collects every problem.
struct ConfigurationReader {
    private let text: [UInt8]
    private var problems: [(offset: Int, keyPath: String, message: String)] = []
    var configuration = Configuration()
    private var offsets: [String: Int] = [:]

    /// Reads a text; `file` is only for the messages.
    static func read(_ text: [UInt8], file: String) throws(ConfigurationFailure) -> Configuration {
        var reader = ConfigurationReader(text: text)
        do {
            reader.readRoot(try JSON5Reader.read(text))
        } catch {
            reader.problems.append((error.offset, "", error.message))
        }
        if reader.problems.isEmpty { reader.checkRelations() }
        if reader.problems.isEmpty { return reader.configuration }
        throw ConfigurationFailure(
            file: file,
            problems: reader.problems.sorted { $0.offset < $1.offset }.map { problem in
                .init(
                    position: TextPosition(of: problem.offset, in: text), keyPath: problem.keyPath,
                    message: problem.message)
            })
    }

    private init(text: [UInt8]) { self.text = text }

    private mutating func readRoot(_ root: JSONNode) {
        guard case .object(let members) = root.value else {
            report(root.offset, "", "expected an object {...}, found \(root.value.kind)")
            return
        }
        let paths = KeyTable.configuration.map(\.path) + [KeyTable.listeners, KeyTable.gateways]
        read(members, under: "", known: paths)
    }

    private mutating func read(_ members: [JSONMember], under prefix: String, known paths: [String]) {
        for member in members {
            let path = prefix + member.key
            offsets[path] = member.offset
            if path == KeyTable.listeners {
                readListeners(member.node)
            } else if path == KeyTable.gateways {
                readGateways(member.node)
            } else if let key = KeyTable.configuration.first(where: { $0.path == path }) {
                report(member.node.offset, path, ConfigurationReader.store(member.node, by: key, &configuration))
            } else if paths.contains(where: { $0.hasPrefix(path + ".") }) {
                guard case .object(let inner) = member.node.value else {
                    report(member.node.offset, path, "expected an object {...}, found \(member.node.value.kind)")
                    continue
                }
                read(inner, under: path + ".", known: paths)
            } else {
                reportUnknown(member, path: path, under: prefix, known: paths)
            }
        }
    }

    private mutating func readListeners(_ list: JSONNode) {
        guard case .array(let nodes) = list.value, !nodes.isEmpty else {
            report(
                list.offset, KeyTable.listeners,
                "expected a list [...] of at least one listener {transport, address, port, advertised, optional}, "
                    + "found \(isEmptyList(list) ? "an empty list" : list.value.kind)")
            return
        }
        configuration.listeners = []
        for (index, node) in nodes.enumerated() {
            let path = "\(KeyTable.listeners)[\(index)]"
            guard case .object(let members) = node.value else {
                report(node.offset, path, "expected an object {...}, found \(node.value.kind)")
                continue
            }
            var listener = Configuration.Listener()
            for member in members {
                let keyPath = "\(path).\(member.key)"
                if let key = KeyTable.listener.first(where: { $0.path == member.key }) {
                    report(member.node.offset, keyPath, ConfigurationReader.store(member.node, by: key, &listener))
                } else {
                    reportUnknown(member, path: keyPath, under: "", known: KeyTable.listener.map(\.path))
                }
            }
            let isTwice = configuration.listeners.contains {
                $0.transport == listener.transport && $0.address == listener.address && $0.port == listener.port
            }
            if isTwice {
                let place = "\(listener.transport.rawValue) \(listener.address) port \(listener.port)"
                report(node.offset, path, "a listener for \(place) is already in the list")
            }
            configuration.listeners.append(listener)
        }
    }

    private func isEmptyList(_ node: JSONNode) -> Bool {
        if case .array(let nodes) = node.value { nodes.isEmpty } else { false }
    }

    /// Stores a value; returns what is wrong with it, nil when nothing is.
    static func store<Root>(_ node: JSONNode, by key: Key<Root>, _ root: inout Root) -> String? {
        key.store(node, &root) ? nil : "expected \(key.expected), found \(found(node))"
    }

    // A list is wrong because of what is in it, so that is shown.
    private static func found(_ node: JSONNode) -> String {
        guard case .array(let nodes) = node.value else { return node.value.kind }
        return nodes.isEmpty ? "an empty list" : "a list of " + nodes.map(\.value.kind).joined(separator: ", ")
    }

    mutating func reportUnknown(
        _ member: JSONMember, path: String, under prefix: String, known paths: [String]
    ) {
        let siblings = paths.filter { $0.hasPrefix(prefix) }.map { path in
            String(path.dropFirst(prefix.count).prefix { $0 != "." })
        }
        var message = "unknown key"
        if let elsewhere = paths.first(where: { $0 == member.key || $0.hasSuffix("." + member.key) }) {
            message += "; \"\(member.key)\" belongs to \(place(of: elsewhere))"
        } else if let nearest = EditDistance.nearest(to: member.key, of: siblings) {
            message += "; did you mean \"\(nearest)\"?"
        } else if let nearest = EditDistance.nearest(to: path, of: paths) {
            message += "; did you mean \"\(nearest)\"?"
        } else {
            var seen: Set<String> = []
            message += "; known here: " + siblings.filter { seen.insert($0).inserted }.joined(separator: ", ")
        }
        report(member.offset, path, message)
    }

    private func place(of path: String) -> String {
        guard let dot = path.lastIndex(of: ".") else { return "the top level" }
        return "\"\(path[..<dot])\""
    }

    /// What single keys cannot tell: values that must agree with each other.
    private mutating func checkRelations() {
        let registrar = configuration.registrar
        if registrar.minExpires > registrar.maxExpires {
            reportRelation("registrar.minExpires", "not more than registrar.maxExpires", registrar.maxExpires)
        }
        // A default that nobody has written follows the bounds; one that was written must keep them.
        if offsets["registrar.defaultExpires"] == nil {
            configuration.registrar.defaultExpires = min(
                max(registrar.defaultExpires, registrar.minExpires), registrar.maxExpires)
        } else if registrar.defaultExpires < registrar.minExpires {
            reportRelation("registrar.defaultExpires", "at least registrar.minExpires", registrar.minExpires)
        } else if registrar.defaultExpires > registrar.maxExpires {
            reportRelation("registrar.defaultExpires", "not more than registrar.maxExpires", registrar.maxExpires)
        }
        checkWatchdog()
        // A phone that keeps to the timer must not find its connection closed for silence.
        let idleConnection = configuration.limits.idleConnection
        if offsets["nat.flowTimer"] == nil {
            configuration.nat.flowTimer = min(configuration.nat.flowTimer, idleConnection / 2)
        } else if configuration.nat.flowTimer >= idleConnection {
            reportRelation("nat.flowTimer", "less than limits.idleConnection", idleConnection)
        }
        if configuration.timers.t1 > configuration.timers.t2 {
            reportRelation("timers.t1", "not more than timers.t2", configuration.timers.t2)
        }
    }

    // A pause of the machine must not look like a thread that hangs.
    private mutating func checkWatchdog() {
        let watchdog = configuration.shutdown.watchdog
        if watchdog == .zero || watchdog >= .seconds(1) { return }
        report(
            offsets["shutdown.watchdog"] ?? 0, "shutdown.watchdog",
            "expected at least 1s, or 0s for none, found \"\(Quantity.text(of: watchdog))\"")
    }

    private mutating func reportRelation(_ path: String, _ expected: String, _ bound: Duration) {
        // Either side of the relation may be the one that was written.
        report(offsets[path] ?? 0, path, "expected \(expected) (\(Quantity.text(of: bound)))")
    }

    mutating func report(_ offset: Int, _ path: String, _ message: String?) {
        if let message { problems.append((offset, path, message)) }
    }
}
