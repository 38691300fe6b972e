import Glibc

/// A system call that failed.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of errno.
    public var number: Int32
    /// The call, for example `bind`.
    public var operation: String

    /// The failure of `operation` with this errno.
    public init(_ number: Int32, _ operation: String) {
        self.number = number
        self.operation = operation
    }

    /// The call and the system's text, for example `bind: Address already in use`.
    public var description: String {
        // strerror is not safe between threads. This is the POSIX form of strerror_r, which fills the buffer.
        var text = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &text, text.count) == 0 else { return "\(operation): error \(number)" }
        return "\(operation): \(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))"
    }
}
