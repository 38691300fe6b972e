import Glibc
import Testing

@testable import Store

@Suite struct DatabaseFileTests {
    let scratch = Scratch()

    static func makeEmpty(_ path: String) { Scratch.write([], to: path) }

    @Test("Preparing a file that is open elsewhere does not drop the locks on it")
    func keepsLocks() throws {
        let holder = try Store(path: scratch.path)
        try holder.connection.execute("BEGIN IMMEDIATE")
        try DatabaseFile(path: scratch.path).prepare()
        var options = StoreOptions()
        options.busyMilliseconds = 1
        let other = try Store(path: scratch.path, options: options)
        #expect(throws: StoreError.busy(path: scratch.path)) { try other.setSetting("a", to: []) }
        try holder.connection.execute("COMMIT")
        try other.setSetting("a", to: [])
    }

    @Test("A directory that cannot be made is named as the reason")
    func underAFile() {
        Scratch.write([1], to: scratch.directory + "/file")
        let path = scratch.directory + "/file/rollcall.sqlite"
        #expect(throws: StoreError.cannotOpen(path: path, reason: "Not a directory")) {
            try DatabaseFile(path: path).prepare()
        }
    }
}
