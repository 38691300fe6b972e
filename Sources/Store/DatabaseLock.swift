import Glibc

/// The right to serve a database, which one process at a time has: a lock on the file beside it with the suffix `.lock`.
///
/// SQLite would let two servers write in turn, but each would answer from its own memory. The system lets go of the lock
/// when the process ends, however it ends; the file stays, for to remove it would let a third process lock another one.
/// The command line does not need it.
public final class DatabaseLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of the database at `path`; makes the file and its directory when missing. `inUse` when another
    /// process has it.
    public init(path: String) throws(StoreError) {
        try DatabaseFile(path: path).prepare()
        let lockPath = Self.resolved(path) + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DatabaseFile(path: lockPath).failure(errno) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let cause = errno
            if cause == EINTR { continue }
            let holder = cause == EWOULDBLOCK ? Self.holder(descriptor) : nil
            close(descriptor)
            if cause == EWOULDBLOCK { throw .inUse(path: path, process: holder) }
            throw DatabaseFile(path: lockPath).failure(cause)
        }
        self.descriptor = descriptor
        // For the message of whoever comes second; without it the lock is as good.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }

    /// The path without symbolic links: one database has one lock, whatever name it is opened by.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// The number of the process that has the lock, as it wrote it.
    private static func holder(_ descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        return Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self))
    }
}
