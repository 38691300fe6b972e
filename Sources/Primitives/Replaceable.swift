import Synchronization

/// A value that all threads read and that is replaced as a whole now and then: settings that a reload changes.
///
/// Reading is one load of a pointer: no lock, no reference count. What was replaced is kept until the end, as a reader may
/// still be in it; so it is for what people change, not for what packets change.
public final class Replaceable<Value: Sendable>: @unchecked Sendable {
    // Unchecked: what a pointer leads to never changes once the pointer is published.
    @usableFromInline let current: Atomic<UnsafeMutablePointer<Value>>
    private let all: Mutex<[Address]>

    /// An address that may go into a Mutex.
    private struct Address: @unchecked Sendable {
        // Unchecked: freed only when nobody has the whole object any more.
        let pointer: UnsafeMutablePointer<Value>
    }

    /// A place with its first value.
    public init(_ value: Value) {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        pointer.initialize(to: value)
        current = Atomic(pointer)
        all = Mutex([Address(pointer: pointer)])
    }

    deinit {
        all.withLock { all in
            for address in all {
                address.pointer.deinitialize(count: 1)
                address.pointer.deallocate()
            }
            all = []
        }
    }

    /// The value of now. Two readings may give two values: who needs several things of one moment takes them from one.
    @inlinable public var value: Value {
        @inline(__always) _read { yield current.load(ordering: .acquiring).pointee }
    }

    /// Changes the value for all readers at once.
    public func replace(_ change: (inout Value) -> Void) {
        all.withLock { all in
            var value = current.load(ordering: .relaxed).pointee
            change(&value)
            let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
            pointer.initialize(to: value)
            all.append(Address(pointer: pointer))
            current.store(pointer, ordering: .releasing)
        }
    }
}
