extension Store {
    /// Gives every application: for the start.
    public func forEachApplication(_ body: (ApplicationRow) -> Void) throws(StoreError) {
        var statement = try connection.prepare("SELECT * FROM application ORDER BY id")
        while try statement.step() { body(ApplicationRow(statement)) }
    }

    /// Gives every number: for the start.
    public func forEachNumber(_ body: (NumberRow) -> Void) throws(StoreError) {
        var statement = try connection.prepare("SELECT * FROM number ORDER BY id")
        while try statement.step() { body(NumberRow(statement)) }
    }
}
