extension Configuration {
    /// A value that is allowed and still deserves a look; for `config.note` lines and for `rollcall check`.
    public struct Note: Equatable, Sendable {
        /// The key it is about.
        public let keyPath: String
        /// One sentence.
        public let message: String
    }

    /// What an operator should know about these values.
    public var notes: [Note] {
        var notes: [Note] = []
        func note(_ keyPath: String, _ message: String) { notes.append(Note(keyPath: keyPath, message: message)) }
        if durability == .memory {
            note(
                "durability",
                "A REGISTER is answered before it is stored: kill -9 loses the last moment's registrations.")
        }
        if proxy.timerC < .seconds(180) {
            note("proxy.timerC", "Calls that ring longer are ended; RFC 3261 section 16.6 asks for at least 3m.")
        }
        if timers.t1 < .milliseconds(500) {
            note("timers.t1", "Peers count with 500ms; less is right only in a network of one's own.")
        }
        if nat.keepalive != .off, nat.interval > .seconds(29) {
            note("nat.interval", "Many NATs forget UDP after 30s: calls to phones behind them may not arrive.")
        }
        if authentication.qop.isEmpty {
            note("authentication.qop", "Without a qop, recorded credentials can be sent again until the nonce expires.")
        }
        if !protection.isEnabled {
            note("protection.enabled", "Anybody may send as much and guess as often as the network carries.")
        }
        for (index, network) in protection.trusted.enumerated() where network.hasSuffix("/0") {
            note("protection.trusted[\(index)]", "This is everybody: nobody is limited or banned.")
        }
        for (index, gateway) in gateways.enumerated() {
            for (place, network) in gateway.inbound.enumerated() where network.hasSuffix("/0") {
                note(
                    "gateways[\(index)].inbound[\(place)]",
                    "This is everybody: anybody may call numbers without authentication, as this gateway.")
            }
        }
        for (index, network) in applications.allow.enumerated() where network.hasSuffix("/0") {
            note(
                "applications.allow[\(index)]",
                "This is every address: URLs of applications reach this machine and the metadata of its cloud.")
        }
        let open = Applications().deny.filter { !applications.deny.contains($0) && !applications.allow.contains($0) }
        if !open.isEmpty {
            note(
                "applications.deny",
                "It replaces the default list and lacks \(open.joined(separator: ", ")): unless another of its networks has "
                    + "them, URLs of applications reach these.")
        }
        if proxy.maxForks < registrar.maxBindings {
            note("proxy.maxForks", "A client can register more devices than a call reaches.")
        }
        for (index, text) in api.listen.enumerated() {
            guard let address = API.endpoint(text)?.address, address != "::1", !address.hasPrefix("127.") else {
                continue
            }
            note(
                "api.listen[\(index)]",
                "The API has no TLS: others on the network can read passwords. Put a proxy with TLS before it.")
        }
        for (index, listener) in listeners.enumerated() {
            let path = "listeners[\(index)].advertised"
            if ["0.0.0.0", "[::]"].contains(listener.advertisedHost) {
                note(path, "Peers cannot send to an unspecified address.")
            } else if listener.advertisedHost.hasPrefix("127.") || listener.advertisedHost == "localhost" {
                note(path, "Only programs on this machine can send to a loopback address.")
            }
        }
        return notes
    }
}
