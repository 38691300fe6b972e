import Glibc

/// The one owner of a file descriptor, which is closed with it.
///
/// A descriptor that several threads use belongs to a class instance that each of them holds: its number can then not be
/// given to another file while one of them is about to use it.
struct FileDescriptor: ~Copyable, Sendable {
    /// The number for system calls.
    let number: Int32

    /// Takes over an open descriptor.
    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}
