import Foundation
import Testing

@testable import Configuration

@Suite struct ConfigurationFileTests {
    @Test func `A file is read, and relative paths start in its directory`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "rollcall-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "r.json5")
        try Data("{ stateDirectory: 'state', domain: 'a.example' }".utf8).write(to: file)
        let configuration = try Configuration.load(path: file.path)
        #expect(configuration.domain == "a.example")
        #expect(configuration.stateDirectoryPath(environment: [:]) == directory.path + "/state")
        #expect(configuration.databasePath(environment: [:]) == directory.path + "/state/rollcall.sqlite")
    }

    @Test func `A file that cannot be read is told with the cause`() {
        let failure = #expect(throws: ConfigurationFailure.self) {
            try Configuration.load(path: "/nonexistent/r.json5")
        }
        #expect(
            failure?.description
                == "/nonexistent/r.json5: cannot read the configuration: No such file or directory")
        let directory = #expect(throws: ConfigurationFailure.self) { try Configuration.load(path: "/") }
        #expect(directory?.description == "/: cannot read the configuration: Is a directory")
        let endless = #expect(throws: ConfigurationFailure.self) { try Configuration.load(path: "/dev/zero") }
        #expect(endless?.description.contains("larger") == true)
    }

    @Test func `The state directory is the configured one, else that of the environment, else ./data`() {
        var configuration = Configuration()
        #expect(configuration.stateDirectoryPath(environment: [:]) == "./data")
        #expect(
            configuration.stateDirectoryPath(environment: ["STATE_DIRECTORY": "/var/lib/a:/var/lib/b"]) == "/var/lib/a")
        #expect(configuration.databasePath(environment: [:]) == "./data/rollcall.sqlite")
        configuration.stateDirectory = "/srv/r"
        #expect(configuration.stateDirectoryPath(environment: ["STATE_DIRECTORY": "/x"]) == "/srv/r")
        configuration.database = "/db/x.sqlite"
        #expect(configuration.databasePath(environment: [:]) == "/db/x.sqlite")
    }
}
