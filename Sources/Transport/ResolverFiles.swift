import Glibc
import NameResolution
import Primitives

/// The files of the system's resolver, read anew when they have changed.
public struct ResolverFiles: Sendable {
    private struct Version: Equatable {
        var seconds: Int = -1
        var nanoseconds: Int = 0
        var size: Int64 = 0
        var node: UInt64 = 0
    }

    private let servers: String
    private let hosts: String
    private var serversVersion: Version?
    private var hostsVersion: Version?

    /// Bytes of a file that are read.
    private static let limit = 1 << 20

    /// The files of resolv.conf(5) and hosts(5).
    public init(servers: String = "/etc/resolv.conf", hosts: String = "/etc/hosts") {
        self.servers = servers
        self.hosts = hosts
    }

    /// The servers, when they are not known yet or their file has changed; a file that is missing is an empty one.
    mutating func changedServers() -> [SocketAddress]? {
        guard let bytes = Self.changed(servers, &serversVersion) else { return nil }
        return bytes.withSlice { ServerList.servers(file: $0) }
    }

    /// The names, likewise.
    mutating func changedHosts() -> HostTable? {
        guard let bytes = Self.changed(hosts, &hostsVersion) else { return nil }
        return bytes.withSlice { HostTable(file: $0) }
    }

    private static func changed(_ path: String, _ known: inout Version?) -> [UInt8]? {
        var status = stat()
        var version = Version()
        if stat(path, &status) == 0 {
            version = Version(
                seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int64(status.st_size),
                node: UInt64(status.st_ino))
        }
        if version == known { return nil }
        known = version
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16384)
        while bytes.count < limit {
            let length = read(descriptor, &part, part.count)
            if length < 0, errno == EINTR { continue }
            if length <= 0 { break }
            bytes += part[0..<length]
        }
        return bytes
    }
}
