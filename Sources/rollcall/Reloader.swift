import Configuration
import Glibc
import Observability
import Primitives
import Store
import Transport

/// Reads the configuration again while the server runs: a good file takes effect at once, a bad one changes nothing.
struct Reloader {
    /// The most lines about mistakes of one file.
    private static let problemLimit = 20

    /// What runs now.
    private(set) var configuration: Configuration
    private let file: String?
    private let parts: DaemonParts
    private let api: HTTPServer?
    private let watchdog: Watchdog
    private let log: DaemonLog

    init(
        _ site: Site, _ parts: DaemonParts, _ api: HTTPServer?, _ watchdog: Watchdog, _ log: DaemonLog
    ) {
        configuration = site.configuration
        file = site.file
        self.parts = parts
        self.api = api
        self.watchdog = watchdog
        self.log = log
    }

    /// Reads the file and lets its live keys take effect, or tells why not.
    mutating func reload() {
        guard let file else {
            log.write(.configNote, level: .info) { buffer in
                buffer.field("what", "SIGHUP: the server was started without --config, so there is no file to read")
            }
            return
        }
        let read: Configuration
        do {
            read = try Configuration.load(path: file)
        } catch {
            tell(error)
            return
        }
        let reload = configuration.reloaded(from: read)
        let before = configuration.notes
        configuration = reload.configuration
        parts.apply(configuration, api, watchdog)
        DaemonParts.raiseDescriptorLimit(for: configuration, log)
        log.write(.configReload) { buffer in
            file.withSlice { buffer.field("file", $0) }
            let changed = reload.changed.isEmpty ? "nothing" : reload.changed.joined(separator: " ")
            changed.withSlice { buffer.field("changed", sentence: $0) }
        }
        for key in reload.waiting {
            log.write(.configNote) { buffer in
                key.withSlice { buffer.field("key", $0) }
                buffer.field("what", "this change takes effect with the next start; until then the old value holds")
            }
        }
        for note in configuration.notes where !before.contains(note) { log.write(note) }
    }

    private func tell(_ failure: ConfigurationFailure) {
        for (index, problem) in failure.problems.enumerated() {
            if index == Reloader.problemLimit { break }
            log.write(.configRefused) { buffer in
                var place = failure.file
                if let position = problem.position { place += ":\(position)" }
                place.withSlice { buffer.field("file", $0) }
                if !problem.keyPath.isEmpty { problem.keyPath.withSlice { buffer.field("key", $0) } }
                problem.message.withSlice { buffer.field("why", sentence: $0) }
                let rest = failure.problems.count - Reloader.problemLimit
                if index == Reloader.problemLimit - 1, rest > 0 { buffer.field("more", number: Int64(rest)) }
                buffer.field(
                    "do", sentence: "Nothing was changed: correct the file, try it with 'rollcall check', send SIGHUP.")
            }
        }
    }
}

extension DaemonParts {
    /// Lets the live keys of a configuration take effect in all parts.
    func apply(_ configuration: Configuration, _ api: HTTPServer?, _ watchdog: Watchdog) {
        server.replaceSettings { DaemonParts.apply(configuration, to: &$0) }
        applications.replaceSettings(ApplicationClient.settings(configuration))
        registrar.replacePolicy(DaemonParts.registrarPolicy(configuration.registrar, configuration.nat))
        admission.replacePolicy(DaemonParts.admissionPolicy(configuration))
        authenticator.replacePolicy(DaemonParts.authenticationPolicy(configuration.authentication))
        transport.replaceLimits { DaemonParts.apply(configuration.limits, to: &$0) }
        writer.replaceLimits(RecordLimits(configuration))
        api?.replaceSettings { APIServer.apply(configuration.api, to: &$0) }
        watchdog.setLimit(configuration.shutdown.watchdog.wholeMilliseconds)
        style.replace { $0 = LogStyle(configuration.log) }
    }
}

extension LogStyle {
    init(_ log: Configuration.Log) { self.init(level: LogLevel(log.level), format: LogFormat(log.format)) }
}

extension RecordLimits {
    /// The limits of a configuration. A call that was never answered has failed when it cannot ring any more; the hour more is
    /// for phones that ring again and again, which starts Timer C anew.
    init(_ configuration: Configuration) {
        self.init()
        callMilliseconds = Int64(clamping: configuration.calls.longestCall.wholeMilliseconds)
        setupMilliseconds = Int64(clamping: configuration.proxy.timerC.wholeMilliseconds) + 3_600_000
        let kept = Int64(clamping: configuration.calls.keepRecords.wholeMilliseconds)
        keptMilliseconds = kept == 0 ? nil : kept
    }
}
