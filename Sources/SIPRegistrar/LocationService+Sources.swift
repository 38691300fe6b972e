import Admission
import Primitives

/// Which client is counted for which sources: that of its last authentication, and those of its bindings, each once.
///
/// What changes a client goes through here, so that the counts are exact however a binding comes, moves or goes.
extension LocationService {
    /// Changes a client in place, and counts it for the sources that it has then; under the lock of the shard.
    @inline(__always)
    func update<Result>(
        _ table: inout ClientTable, _ position: Int, _ body: (inout ClientEntry) -> Result
    ) -> Result {
        table.update(position) { count(&$0, body) }
    }

    /// Changes an entry, and counts it for the sources that it has then.
    @inline(__always)
    func count<Result>(_ entry: inout ClientEntry, _ body: (inout ClientEntry) -> Result) -> Result {
        let before = entry.source
        let result = body(&entry)
        if !entry.isCounted { recount(&entry, from: before) }
        return result
    }

    private func recount(_ entry: inout ClientEntry, from before: Source) {
        entry.isCounted = true
        let source = entry.source
        // Nearly always: all its devices are where it was.
        if source == before, entry.otherSources.isEmpty, entry.bindings.allSatisfy({ $0.source == source }) { return }
        var sources = Set(entry.bindings.map(\.source))
        if source != .none { sources.insert(source) }
        var counted = entry.otherSources
        if before != .none { counted.insert(before) }
        for added in sources.subtracting(counted) { admission.move(from: .none, to: added) }
        for lost in counted.subtracting(sources) { admission.move(from: lost, to: .none) }
        sources.remove(source)
        entry.otherSources = sources
    }
}

extension Binding {
    /// Where its device registered from.
    fileprivate var source: Source { Source(flow.remote.address) }
}
