import Glibc

/// The right to serve a database, which one process at a time has: a lock on the file beside it with the suffix `.lock`.
///
/// SQLite would let two servers write in turn, but each would answer from its own memory. The system lets go of the lock
/// when the process ends, however it ends; the file stays, for to remove it would let a third process lock another one.
/// The command line does not need it, but finds in it where the server's API is.
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
        // A second lock of the other kind: who asks for its holder need not try to take it.
        var record = Self.record(F_WRLCK)
        _ = fcntl(descriptor, F_SETLK, &record)
        // For the message of whoever comes second; without it the lock is as good.
        write("\(getpid())\n")
    }

    /// Leaves word where the API of the process is, for the command line.
    public func announce(_ address: String) { write("\(getpid())\n\(address)\n") }

    /// Where the API of the process is that serves the database at `path`; nil when none does, or it has no API.
    ///
    /// What the file says counts only while its lock is held: another program could have the address since.
    public static func announcedAddress(path: String) -> String? {
        let descriptor = open(resolved(path) + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 { return nil }
        defer { close(descriptor) }
        var holder = record(F_RDLCK)
        guard fcntl(descriptor, F_GETLK, &holder) == 0, holder.l_type != Int16(F_UNLCK) else { return nil }
        let lines = content(descriptor).split(separator: "\n")
        return lines.count == 2 && lines[0] == String(holder.l_pid) ? String(lines[1]) : nil
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// The description of a lock on the whole file.
    private static func record(_ kind: Int32) -> flock {
        var record = flock()
        record.l_type = Int16(kind)
        record.l_whence = Int16(SEEK_SET)
        return record
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
        content(descriptor).split(separator: "\n").first.flatMap { Int32($0) }
    }

    private static func content(_ descriptor: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 128)
        let count = pread(descriptor, &text, text.count, 0)
        return String(decoding: text.prefix(max(0, count)), as: UTF8.self)
    }
}
