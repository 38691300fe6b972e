import CLinux
import Glibc

/// What a thread runs: a C function pointer cannot carry a closure's context.
class HTTPThreadBody {
    /// The name of the thread, at most 15 bytes.
    var threadName: String { "http" }

    /// Runs on the thread, once.
    func run() {}
}

/// A thread that is waited for.
struct HTTPThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body` and then lets go of it. All signals stay with the other threads of the process.
    init(running body: sending HTTPThreadBody) throws(SystemError) {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = Unmanaged.passRetained(body)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let body = Unmanaged<HTTPThreadBody>.fromOpaque(context).takeRetainedValue()
                clinux_name_thread(body.threadName)
                // On Linux this is the calling thread's alone. SIP comes first where both want the processor.
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, HTTPThread.niceness)
                body.run()
                return nil
            }, context.toOpaque())
        if code != 0 {
            context.release()
            throw SystemError(code, "pthread_create")
        }
        self.thread = thread
    }

    /// How much the threads of HTTP give way to those of SIP (setpriority(2), 0 to 19).
    private static let niceness: Int32 = 10

    /// Waits for the end of the thread; once only, and not on the thread itself.
    func join() { pthread_join(thread, nil) }
}
