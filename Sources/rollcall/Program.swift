import Configuration
import Glibc
import Store

/// The executable: reads the command line, does what it says, gives the exit code.
enum Program {
    /// The version of the product.
    static let version = "0.1.0"

    /// Carries out a command line, the name of the program included.
    static func run(_ arguments: [String]) -> ExitCode {
        do {
            let invocation = try ArgumentParser.parse(Array(arguments.dropFirst()))
            return try run(invocation)
        } catch let error as UsageError {
            Terminal.complain("\(error)")
            return .usage
        } catch let error as ConfigurationFailure {
            Terminal.complain("\(error)")
            return .configuration
        } catch let error as StoreError {
            Terminal.complain("rollcall: \(error.description)")
            return .store
        } catch let error as CommandFailure {
            Terminal.complain("rollcall: \(error.message)")
            return error.exitCode
        } catch {
            Terminal.complain("rollcall: unexpected failure: \(error)")
            return .internalError
        }
    }

    private static func run(_ invocation: Invocation) throws -> ExitCode {
        switch invocation.command {
        case .version:
            Terminal.print("rollcall \(version)")
            return .success
        case .help(let text):
            Terminal.print(text)
            return .success
        default: break
        }
        let configuration = try invocation.configurationFile.map { try Configuration.load(path: $0) } ?? Configuration()
        let site = Site(configuration, file: invocation.configurationFile)
        switch invocation.command {
        case .serve: return try Daemon.serve(site)
        case .check: return check(site, file: invocation.configurationFile)
        case .clientAdd(let login, let password, let values):
            try ClientCommands(site).add(login, password, values)
        case .clientList(let json): try ClientCommands(site).list(json: json)
        case .clientShow(let login, let json): try ClientCommands(site).show(login, json: json)
        case .clientSet(let login, let password, let values): try ClientCommands(site).set(login, password, values)
        case .clientRemove(let login): try ClientCommands(site).remove(login)
        case .clientImport(let file): try ClientCommands(site).load(file)
        case .accountShow(let json): try AccountCommand(site).show(json: json)
        case .registrations(let login, let json): try RegistrationsCommand(site).list(login, json: json)
        case .bans(let json): try BansCommand(site).list(json: json)
        case .bansLift(let subject): try BansCommand(site).lift(subject)
        case .route(let query): try RouteCommand(site, query).run()
        case .applicationTest(let query): return try ApplicationTestCommand(site, query).run()
        case .rcmlCheck(let file, let url): return try RCMLCommand.check(file, url: url)
        case .version, .help: break
        }
        return .success
    }

    private static func check(_ site: Site, file: String?) -> ExitCode {
        for note in site.configuration.notes { Terminal.print("note: \(note.keyPath): \(note.message)") }
        Terminal.print(
            "\(file ?? "The default configuration") is valid: domain \(site.domain), database \(site.databasePath)")
        return .success
    }
}

/// A command that could not be carried out, in one sentence of what and what to do.
struct CommandFailure: Error {
    let message: String
    var exitCode = ExitCode.failure

    init(_ message: String, exitCode: ExitCode = .failure) {
        self.message = message
        self.exitCode = exitCode
    }
}

/// Text for the person who typed the command.
enum Terminal {
    /// Writes a line to standard output.
    static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Writes a question to standard error, the answer on the same line.
    static func prompt(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written <= 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
