/// Changes that wait for the writer, in units that are stored wholly or not at all.
struct PendingChanges<Receipt: Sendable>: Sendable {
    /// A unit: how many changes it has, and whether a receipt follows it.
    struct Unit: Sendable {
        var changes: Int
        var hasReceipt: Bool
    }

    private(set) var changes: [StoreChange] = []
    private(set) var units: [Unit] = []
    private(set) var receipts: [Receipt] = []

    var isEmpty: Bool { units.isEmpty }

    mutating func append(_ change: StoreChange, receipt: Receipt?) {
        changes.append(change)
        finishUnit(changes: 1, receipt: receipt)
    }

    mutating func append(_ unit: [StoreChange], receipt: Receipt?) {
        changes.append(contentsOf: unit)
        finishUnit(changes: unit.count, receipt: receipt)
    }

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
