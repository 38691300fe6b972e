#if ROLLCALL_TSAN
    /// Here `Mutex` is one that the thread sanitizer can see.
    typealias Mutex = AnnotatedMutex
#endif
