import Foundation
import Glibc
import Synchronization

/// A web server of a test: answers by path, and keeps what was asked. A thread for each connection.
final class WebServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        var head: String
        var body: String
        var connection: Int

        var target: String { String(head.split(separator: " ")[1]) }
        var method: String { String(head.split(separator: " ")[0]) }

        func field(_ name: String) -> String? {
            for line in head.components(separatedBy: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return parts[1].trimmingCharacters(in: .whitespaces)
                }
            }
            return nil
        }
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])
    private let connections = Mutex(0)
    private let answer: @Sendable (Request, Int32) -> Bool

    var requests: [Request] { seen.withLock { $0 } }
    var connectionCount: Int { connections.withLock { $0 } }
    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Listens on the loopback; `answer` writes the answer and says whether the connection goes on.
    init(_ answer: @escaping @Sendable (Request, Int32) -> Bool) {
        self.answer = answer
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, size)
                _ = getsockname(listener, $0, &size)
            }
        }
        port = UInt16(bigEndian: place.sin_port)
        listen(listener, 2048)
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0, let server = self else { return }
                let number = server.connections.withLock { count in
                    count += 1
                    return count
                }
                Thread.detachNewThread { server.serve(descriptor, number) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Writes a whole answer.
    static func write(
        _ descriptor: Int32, _ status: String = "200 OK", _ body: String = "<Response><Hangup/></Response>",
        type: String = "text/xml", fields: String = ""
    ) -> Bool {
        send(
            descriptor,
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)")
    }

    static func send(_ descriptor: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    private func serve(_ descriptor: Int32, _ number: Int) {
        defer { close(descriptor) }
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65536)
        let end = Data("\r\n\r\n".utf8)
        while true {
            while data.range(of: end) == nil {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count <= 0 { return }
                data.append(contentsOf: buffer[..<count])
            }
            guard let range = data.range(of: end) else { return }
            var request = Request(
                head: String(decoding: data[..<range.lowerBound], as: UTF8.self), body: "", connection: number)
            let length = Int(request.field("Content-Length") ?? "0") ?? 0
            while data.endIndex - range.upperBound < length {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count <= 0 { return }
                data.append(contentsOf: buffer[..<count])
            }
            request.body = String(decoding: data[range.upperBound..<range.upperBound + length], as: UTF8.self)
            data = Data(data[(range.upperBound + length)...])
            seen.withLock { $0.append(request) }
            if !answer(request, descriptor) { return }
        }
    }
}
