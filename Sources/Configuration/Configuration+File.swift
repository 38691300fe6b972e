import Glibc

extension Configuration {
    /// The largest configuration file that is read, in bytes.
    static let maximumFileSize = 1 << 20

    /// Reads a file; its directory becomes the one that relative paths start in.
    public static func load(path: String) throws(ConfigurationFailure) -> Configuration {
        let text = try read(path)
        var configuration = try Configuration.read(text, file: path)
        configuration.directory = directory(of: path)
        return configuration
    }

    /// Reads a text that is already in memory; `file` names it in messages.
    public static func read(_ text: [UInt8], file: String) throws(ConfigurationFailure) -> Configuration {
        try ConfigurationReader.read(text, file: file)
    }

    /// The state directory as a path: the configured one, else the first of `$STATE_DIRECTORY`, else `./data`.
    public func stateDirectoryPath(environment: [String: String]) -> String {
        if !stateDirectory.isEmpty { return resolve(stateDirectory, against: directory) }
        // systemd separates several directories by colons.
        let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first
        return given.map(String.init) ?? "./data"
    }

    /// The database file as a path.
    public func databasePath(environment: [String: String]) -> String {
        resolve(database, against: stateDirectoryPath(environment: environment))
    }

    private func resolve(_ path: String, against base: String?) -> String {
        guard let base, !path.hasPrefix("/") else { return path }
        return base.hasSuffix("/") ? base + path : base + "/" + path
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func read(_ path: String) throws(ConfigurationFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw unreadable(path, String(cString: strerror(errno))) }
            if count == 0 { return text }
            text.append(contentsOf: chunk.prefix(count))
            if text.count > maximumFileSize { throw unreadable(path, "larger than a configuration can be (1 MB)") }
        }
    }

    private static func unreadable(_ path: String, _ cause: String) -> ConfigurationFailure {
        let message = "cannot read the configuration: " + cause
        return ConfigurationFailure(file: path, problems: [.init(position: nil, keyPath: "", message: message)])
    }
}
