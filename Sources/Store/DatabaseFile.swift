import Glibc

/// The file of the database on the disk: made, and kept, for its owner alone, as passwords are in it.
struct DatabaseFile {
    /// Where it is.
    let path: String

    /// Makes the file (0600) and its directory (0700) when missing; takes the rights of others from what exists.
    func prepare() throws(StoreError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw .cannotOpen(path: path, reason: "not a regular file")
            }
            tighten()
            return
        }
        guard errno == ENOENT else { throw failure(errno) }
        try makeDirectory(parent(of: path))
        // Only a file that does not exist is opened here: to close one that SQLite has open in this process would drop
        // the locks that SQLite holds on it (POSIX locks belong to the process, not to the descriptor).
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            fchmod(descriptor, 0o600)
            close(descriptor)
        } else if errno != EEXIST {
            throw failure(errno)
        }
    }

    /// The length in bytes, 0 when it cannot be read.
    var size: Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Takes all rights but the owner's; SQLite gives new -wal and -shm files the rights of the database.
    private func tighten() {
        for name in [path, path + "-wal", path + "-shm"] {
            var status = stat()
            if stat(name, &status) == 0, status.st_mode & 0o077 != 0 {
                // Failure is accepted: a file of another owner that we may use is not ours to change.
                _ = chmod(name, status.st_mode & 0o700)
            }
        }
    }

    private func makeDirectory(_ directory: String) throws(StoreError) {
        if directory.isEmpty { return }
        var status = stat()
        if stat(directory, &status) == 0 { return }
        try makeDirectory(parent(of: directory))
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw failure(errno) }
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }

    /// The error behind an errno of a call on the file.
    func failure(_ cause: Int32) -> StoreError {
        cause == EACCES || cause == EROFS || cause == EPERM
            ? .readOnly(path: path) : .cannotOpen(path: path, reason: String(cString: strerror(cause)))
    }
}
