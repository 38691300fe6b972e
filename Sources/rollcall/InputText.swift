import Glibc

/// Text that a command reads: a file, standard input, a password typed at a prompt.
enum InputText {
    /// The lines of a file without their ends; `-` is standard input.
    static func lines(of file: String) throws -> [String] {
        String(decoding: try bytes(of: file), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
    }

    /// The bytes of a file; `-` is standard input.
    static func bytes(of file: String) throws -> [UInt8] {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY)
        guard descriptor >= 0 else {
            throw CommandFailure("cannot read \(file): \(String(cString: strerror(errno)))")
        }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandFailure("cannot read \(file): \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += part[0..<count]
        }
        return bytes
    }

    /// A password: typed twice without being shown on a terminal, else the first line of standard input.
    static func password(prompt: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(), !line.isEmpty else {
                throw CommandFailure("no password on standard input; pipe one in, or use --generate-password")
            }
            return line
        }
        var shown = termios()
        tcgetattr(STDIN_FILENO, &shown)
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown) }
        Terminal.prompt(prompt)
        let first = readLine() ?? ""
        Terminal.prompt("\nOnce more: ")
        let second = readLine() ?? ""
        Terminal.prompt("\n")
        if first != second { throw CommandFailure("the two passwords differ; nothing was changed") }
        return first
    }
}
