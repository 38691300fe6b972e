import Glibc

/// What waits to be written to a connection, in pieces as they were made.
struct HTTPOutput {
    private var pieces: [[UInt8]] = []
    /// The first piece that is not written, and how much of it is.
    private var first = 0
    private var offset = 0
    /// The bytes that wait.
    private(set) var count = 0

    /// Adds a piece at the end.
    mutating func append(_ piece: [UInt8]) {
        if piece.isEmpty { return }
        count += piece.count
        pieces.append(piece)
    }

    /// Writes what the socket takes now, and gives the number of bytes.
    mutating func write(to socket: Int32) throws(SystemError) -> Int {
        var written = 0
        while first < pieces.count {
            let length = try Self.write(pieces[first], from: offset, to: socket)
            written += length
            count -= length
            offset += length
            if offset < pieces[first].count { break }
            pieces[first] = []
            first += 1
            offset = 0
        }
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            first = 0
        }
        return written
    }

    /// Forgets what waits.
    mutating func removeAll() { self = HTTPOutput() }

    private static func write(_ piece: [UInt8], from offset: Int, to socket: Int32) throws(SystemError) -> Int {
        let result = piece.withUnsafeBytes { bytes -> Result<Int, SystemError> in
            do throws(SystemError) {
                return .success(try System.write(socket, UnsafeRawBufferPointer(rebasing: bytes[offset...])))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
