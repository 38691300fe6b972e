import Glibc
import Primitives
import Transport

/// Tells the service manager how the server is, by the datagrams of sd_notify(3); does nothing when there is none.
final class ServiceNotifier: Sendable {
    private let socket: Int32
    /// How often the manager wants a sign of life at the latest, in milliseconds; nil when it wants none.
    let watchdogPeriod: UInt64?

    /// Connects to the socket that `NOTIFY_SOCKET` names.
    init() {
        socket = getenv("NOTIFY_SOCKET").map { ServiceNotifier.connect(String(cString: $0)) } ?? -1
        let isForUs = getenv("WATCHDOG_PID").map { String(cString: $0) == "\(getpid())" } ?? true
        let period = getenv("WATCHDOG_USEC").flatMap { UInt64(String(cString: $0)) }
        watchdogPeriod = socket >= 0 && isForUs ? period.map { $0 / 1000 } : nil
    }

    /// Sends assignments, one a line; without waiting, as the manager may be busy.
    func tell(_ state: String) {
        if socket < 0 { return }
        let bytes = Array(state.utf8)
        _ = bytes.withUnsafeBytes {
            send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Tells that the configuration is read again; `READY=1` must follow (Type=notify-reload wants the time).
    func tellReloading() {
        tell("RELOADING=1\nMONOTONIC_USEC=\(System.now().instant.milliseconds &* 1000)")
    }

    private static func connect(_ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // An abstract name is written with @ for its first byte, which is 0.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        guard let first = bytes.first, first == 0 || first == UInt8(ascii: "/"),
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { return -1 }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(number, $0, length) }
        }
        if result == 0 { return number }
        close(number)
        return -1
    }
}
