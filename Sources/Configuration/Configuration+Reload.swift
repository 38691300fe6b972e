extension Configuration {
    /// What becomes of a running server's configuration when its file was read again.
    public struct Reload: Sendable {
        /// The running configuration with the live keys of the file.
        public let configuration: Configuration
        /// The keys that take effect now, in the order of the tables.
        public let changed: [String]
        /// The keys that differ from what runs, and wait for the next start.
        public let waiting: [String]
    }

    /// Takes the live keys of a configuration that was read again over into this one, which runs. What needs a restart stays
    /// as it runs, so that the next reload tells of it again.
    public func reloaded(from file: Configuration) -> Reload {
        var running = self
        var changed: [String] = []
        var waiting: [String] = []
        for key in KeyTable.configuration {
            let text = key.text(file)
            if text == key.text(self) { continue }
            if key.effect == .live, let node = try? JSON5Reader.read(Array(text.utf8)), key.store(node, &running) {
                changed.append(key.path)
            } else {
                waiting.append(key.path)
            }
        }
        if file.gateways != gateways {
            running.gateways = file.gateways
            changed.append(KeyTable.gateways)
        }
        if file.listeners != listeners { waiting.append(KeyTable.listeners) }
        return Reload(configuration: running, changed: changed, waiting: waiting)
    }
}
