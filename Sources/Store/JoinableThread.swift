import CSQLite
import Glibc
import Synchronization

/// What a thread runs: a C function pointer cannot carry a generic type or a closure's context.
class ThreadBody {
    /// Runs on the thread, once.
    func run() {}
}

/// A thread with a name that can be waited for.
final class JoinableThread: Sendable {
    private let thread: pthread_t
    private let isJoined = Mutex(false)

    private init(_ thread: pthread_t) { self.thread = thread }

    deinit {
        // Not joined only when the last reference went away on the thread itself.
        if isJoined.withLock({ !$0 }) { pthread_detach(thread) }
    }

    /// Starts a thread that runs `body` and then lets go of it; nil when the system has no room for one.
    static func start(named name: StaticString, running body: sending ThreadBody) -> JoinableThread? {
        let start = ThreadStart(name: name, body: body)
        let context = Unmanaged.passRetained(start)
        // Signals are for the main thread; a new thread inherits the mask of its maker.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
                start.name.withUTF8Buffer { name in
                    name.withMemoryRebound(to: CChar.self) { rollcall_name_thread($0.baseAddress) }
                }
                start.body.run()
                return nil
            }, context.toOpaque())
        if code == 0 { return JoinableThread(thread) }
        context.release()
        return nil
    }

    /// Waits for the end of the thread; nothing on the thread itself, or when it was joined before.
    func join() {
        if pthread_equal(thread, pthread_self()) != 0 { return }
        isJoined.withLock { isJoined in
            if !isJoined { pthread_join(thread, nil) }
            isJoined = true
        }
    }
}

private final class ThreadStart {
    let name: StaticString
    let body: ThreadBody

    init(name: StaticString, body: ThreadBody) {
        self.name = name
        self.body = body
    }
}
