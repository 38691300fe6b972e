#if ROLLCALL_TSAN
    import Primitives

    /// Here `Mutex` is one that the thread sanitizer can see.
    typealias Mutex = AnnotatedMutex
#endif
