/// A reference to an entry of a `Slab`; a stale one is recognised, as its generation no longer matches.
@frozen
public struct SlabIndex: Hashable, Sendable {
    /// The position.
    public var position: UInt32
    /// How often the position had been reused when the reference was made.
    public var generation: UInt32

    /// A reference to `position` as of `generation`.
    @inlinable
    public init(position: UInt32, generation: UInt32) {
        self.position = position
        self.generation = generation
    }
}

/// Entries at stable positions with reuse: the memory of transactions, contexts and connections.
public struct Slab<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var free: [UInt32] = []
    /// The number of entries in use.
    public private(set) var count = 0

    /// An empty slab.
    public init() {}

    /// Stores `element` and gives its reference.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> SlabIndex {
        changeCount(by: 1)
        if let position = free.popLast() {
            elements[Int(position)] = element
            return SlabIndex(position: position, generation: generations[Int(position)])
        }
        let position = UInt32(elements.count)
        elements.append(element)
        generations.append(1)
        return SlabIndex(position: position, generation: 1)
    }

    /// True when the reference is still good.
    @inlinable
    public func contains(_ index: SlabIndex) -> Bool {
        Int(index.position) < generations.count && generations[Int(index.position)] == index.generation
            && elements[Int(index.position)] != nil
    }

    /// The entry behind a reference, or nil when it is gone. Setting through optional chaining changes it in place,
    /// setting nil removes it; through a stale reference nothing is set.
    @inlinable
    public subscript(index: SlabIndex) -> Element? {
        get { contains(index) ? elements[Int(index.position)] : nil }
        _modify {
            if contains(index) {
                // In a defer: the slot must be freed also when the change ends by an error.
                defer { if elements[Int(index.position)] == nil { release(index.position) } }
                yield &elements[Int(index.position)]
            } else {
                var none: Element?
                yield &none
            }
        }
    }

    /// Removes the entry and gives it, or nil when it is gone already.
    @inlinable
    @discardableResult
    public mutating func remove(_ index: SlabIndex) -> Element? {
        guard contains(index) else { return nil }
        let element = elements[Int(index.position)].take()
        release(index.position)
        return element
    }

    /// The references of all entries in use, in order of position.
    public var indices: [SlabIndex] {
        elements.indices.compactMap { position in
            elements[position] == nil
                ? nil : SlabIndex(position: UInt32(position), generation: generations[position])
        }
    }

    /// Takes an emptied position back: what referred to it is stale from now on.
    @inlinable
    mutating func release(_ position: UInt32) {
        generations[Int(position)] &+= 1
        free.append(position)
        changeCount(by: -1)
    }

    @usableFromInline
    mutating func changeCount(by difference: Int) { count += difference }
}

extension Slab: Sendable where Element: Sendable {}
