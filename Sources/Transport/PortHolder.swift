import Glibc
import Primitives

/// Finds the process that has a port, in /proc: the socket's inode in the tables of sockets, then the process with a descriptor
/// of that inode. Processes of other users do not show their descriptors.
enum PortHolder {
    /// Name and number of the process that has the listener's port, if it can be seen.
    static func find(_ listener: ListenerConfiguration) -> String? {
        let name = listener.transport.name.string
        let inodes = Set(
            ["/proc/net/\(name)", "/proc/net/\(name)6"].flatMap { path in
                Self.inodes(in: text(of: path), port: listener.address.port, onlyListening: listener.transport == .tcp)
            })
        if inodes.isEmpty { return nil }
        for process in entries(of: "/proc") where process.utf8.allSatisfy(ASCII.isDigit) {
            for descriptor in entries(of: "/proc/\(process)/fd") {
                guard let target = link("/proc/\(process)/fd/\(descriptor)"), inodes.contains(target) else { continue }
                let command = text(of: "/proc/\(process)/comm").prefix { $0 != "\n" }
                return "\(command) (process \(process))"
            }
        }
        return nil
    }

    /// The link texts (`socket:[4711]`) of the sockets with this local port in a table of /proc/net.
    static func inodes(in table: String, port: UInt16, onlyListening: Bool) -> [String] {
        var suffix = String(port, radix: 16, uppercase: true)
        suffix = ":" + String(repeating: "0", count: 4 - suffix.count) + suffix
        return table.split(separator: "\n").dropFirst().compactMap { line in
            // Columns: number, local address, remote address, state, queues, timer, retransmissions, user, timeout, inode.
            let columns = line.split(separator: " ")
            guard columns.count > 9, columns[1].hasSuffix(suffix), !onlyListening || columns[3] == "0A" else {
                return nil
            }
            return "socket:[\(columns[9])]"
        }
    }

    private static func text(of path: String) -> String {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        if number < 0 { return "" }
        let descriptor = FileDescriptor(number)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let length = read(descriptor.number, &buffer, buffer.count)
            if length <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(length)
        }
    }

    private static func entries(of path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let length = readlink(path, &buffer, buffer.count)
        return length > 0 ? String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
