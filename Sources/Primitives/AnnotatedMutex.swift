#if ROLLCALL_TSAN
    import Synchronization

    /// `Mutex` as the thread sanitizer can see it: `Tests/run --sanitize thread` builds with it, nothing else does.
    ///
    /// The lock of libswiftSynchronization is a futex in code that is not instrumented: for the sanitizer two threads that
    /// take turns by it do so unordered, and each value behind it is a race. Telling it of each lock and unlock keeps it
    /// able to find the real ones, where suppressing would hide them all. Each module that has a `Mutex` takes this one by
    /// a `typealias` in its `ThreadSanitizer.swift`.
    public struct AnnotatedMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let lock = Synchronization.Mutex<Void>(())
        private let place: UnsafeMutablePointer<Value>
        /// What the sanitizer knows the lock by. Not the value's address, whose accesses it would mix up with its own.
        private let name: UnsafeMutableRawPointer

        /// A lock around a value.
        public init(_ initialValue: consuming sending Value) {
            place = .allocate(capacity: 1)
            place.initialize(to: initialValue)
            name = .allocate(byteCount: 8, alignment: 8)
            tsanCreate(name, 0x100)
        }

        deinit {
            tsanDestroy(name, 0)
            name.deallocate()
            place.deinitialize(count: 1)
            place.deallocate()
        }

        /// Calls `body` with the value while no other thread has it.
        public borrowing func withLock<Result: ~Copyable, E: Error>(
            _ body: (inout sending Value) throws(E) -> sending Result
        ) throws(E) -> sending Result {
            // Else the pointer itself would count as changed.
            let place = place
            let name = name
            tsanWillLock(name, 0)
            lock._unsafeLock()
            tsanDidLock(name, 0, 0)
            defer {
                _ = tsanWillUnlock(name, 0)
                lock._unsafeUnlock()
                tsanDidUnlock(name, 0)
            }
            return try body(&place.pointee)
        }
    }

    // sanitizer/tsan_interface.h; the functions are in the sanitizer's runtime. 0x100: not a static object.
    @_silgen_name("__tsan_mutex_create")
    private func tsanCreate(_ name: UnsafeMutableRawPointer, _ flags: UInt32)
    @_silgen_name("__tsan_mutex_destroy")
    private func tsanDestroy(_ name: UnsafeMutableRawPointer, _ flags: UInt32)
    @_silgen_name("__tsan_mutex_pre_lock")
    private func tsanWillLock(_ name: UnsafeMutableRawPointer, _ flags: UInt32)
    @_silgen_name("__tsan_mutex_post_lock")
    private func tsanDidLock(_ name: UnsafeMutableRawPointer, _ flags: UInt32, _ recursion: Int32)
    @_silgen_name("__tsan_mutex_pre_unlock")
    private func tsanWillUnlock(_ name: UnsafeMutableRawPointer, _ flags: UInt32) -> Int32
    @_silgen_name("__tsan_mutex_post_unlock")
    private func tsanDidUnlock(_ name: UnsafeMutableRawPointer, _ flags: UInt32)
#endif
