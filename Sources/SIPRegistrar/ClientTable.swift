import Primitives

/// The clients of one shard, found by the hash of their login.
///
/// The entries are in pieces of fixed size, so that growing neither moves them nor leaves half the memory unused.
struct ClientTable: Sendable {
    private static let pieceSize = 64

    private var positions: [LoginKey: UInt32] = [:]
    private var pieces: [[ClientEntry]] = []
    private var free: [UInt32] = []
    /// Where the sweep for expired bindings goes on.
    var sweepPosition = 0
    /// The number of bindings of all clients, expired ones included until they are swept.
    private(set) var bindingCount = 0

    /// The number of clients.
    var clientCount: Int { positions.count }
    /// The number of places, free ones included; positions are below it.
    var placeCount: Int { (pieces.count - 1) * Self.pieceSize + (pieces.last?.count ?? Self.pieceSize) }

    /// Where the client with this login is.
    func position(of key: LoginKey) -> Int? { positions[key].map(Int.init) }

    /// Calls `body` with the entry at `position`, to be read and changed in place.
    mutating func update<Result>(_ position: Int, _ body: (inout ClientEntry) -> Result) -> Result {
        let piece = position / Self.pieceSize
        let place = position % Self.pieceSize
        let before = pieces[piece][place].bindings.count
        let result = body(&pieces[piece][place])
        bindingCount += pieces[piece][place].bindings.count - before
        return result
    }

    /// The same for a change that adds and removes no binding, without counting them.
    mutating func updateKept<Result>(_ position: Int, _ body: (inout ClientEntry) -> Result) -> Result {
        body(&pieces[position / Self.pieceSize][position % Self.pieceSize])
    }

    /// Adds a client whose login is not in the table.
    mutating func insert(_ entry: ClientEntry, _ key: LoginKey) {
        if let position = free.popLast() {
            positions[key] = position
            update(Int(position)) { $0 = entry }
            return
        }
        positions[key] = UInt32(placeCount)
        if pieces.last?.count ?? Self.pieceSize == Self.pieceSize {
            var piece: [ClientEntry] = []
            piece.reserveCapacity(Self.pieceSize)
            pieces.append(piece)
        }
        pieces[pieces.count - 1].append(entry)
        bindingCount += entry.bindings.count
    }

    /// Removes a client.
    mutating func remove(_ key: LoginKey) -> ClientEntry? {
        guard let position = positions.removeValue(forKey: key) else { return nil }
        free.append(position)
        return update(Int(position)) { entry in
            let removed = entry
            entry = .vacant
            return removed
        }
    }
}
