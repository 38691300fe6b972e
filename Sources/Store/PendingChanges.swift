/// Changes that wait for the writer, in units that are stored wholly or not at all.
struct PendingChanges<Receipt: Sendable>: Sendable {
    /// A unit: how many changes it has, whether it has a receipt, and whether it is work.
    struct Unit: Sendable {
        /// The number of its changes.
        var changes: Int
        /// Whether it has a receipt.
        var hasReceipt: Bool
        /// Whether it is work of the API, which is always a unit of its own.
        var isWork = false
    }

    /// The changes of all units, in order.
    private(set) var changes: [StoreChange] = []
    /// The units, in order.
    private(set) var units: [Unit] = []
    /// The receipts of the units that have one, in order.
    private(set) var receipts: [Receipt] = []

    /// True when nothing waits.
    var isEmpty: Bool { units.isEmpty }

    /// Adds a unit of one change.
    mutating func append(_ change: StoreChange, receipt: Receipt?) {
        changes.append(change)
        finishUnit(changes: 1, receipt: receipt)
        if case .work = change { units[units.count - 1].isWork = true }
    }

    /// Adds a unit of any number of changes.
    mutating func append(_ unit: [StoreChange], receipt: Receipt?) {
        changes.append(contentsOf: unit)
        finishUnit(changes: unit.count, receipt: receipt)
    }

    /// Adds all of another batch behind this one.
    mutating func append(contentsOf other: consuming PendingChanges) {
        changes.append(contentsOf: other.changes)
        units.append(contentsOf: other.units)
        receipts.append(contentsOf: other.receipts)
    }

    /// Forgets all; the memory stays for the next group unless a rare flood made it large.
    mutating func removeAll() {
        let keep = units.count <= 16_384
        changes.removeAll(keepingCapacity: keep)
        units.removeAll(keepingCapacity: keep)
        receipts.removeAll(keepingCapacity: keep)
    }

    private mutating func finishUnit(changes count: Int, receipt: Receipt?) {
        units.append(Unit(changes: count, hasReceipt: receipt != nil))
        if let receipt { receipts.append(receipt) }
    }
}
