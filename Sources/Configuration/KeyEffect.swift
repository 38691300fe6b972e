/// When a change of a key in the file takes effect.
enum KeyEffect: String {
    /// With SIGHUP.
    case live
    /// With the next start.
    case restart
}

extension Key {
    /// This key, which takes effect with SIGHUP.
    var live: Key { marked(.live) }

    /// This key, which takes effect with the next start.
    var restart: Key { marked(.restart) }

    private func marked(_ effect: KeyEffect) -> Key {
        var key = self
        key.effect = effect
        return key
    }
}

extension KeyTable {
    /// Marks the keys of a group of which most take effect with SIGHUP; one that has a mark of its own keeps it.
    static func live<Root>(_ keys: [Key<Root>]) -> [Key<Root>] { keys.map { $0.effect == nil ? $0.live : $0 } }

    /// Marks the keys of a group of which most take effect with the next start; one that has a mark of its own keeps it.
    static func restart<Root>(_ keys: [Key<Root>]) -> [Key<Root>] { keys.map { $0.effect == nil ? $0.restart : $0 } }
}
