import Primitives

/// One step of the schema, applied in a transaction of its own.
struct Migration: Sendable {
    /// The schema version after this step.
    let version: Int32
    /// The statements of the step.
    let sql: StaticString

    /// All steps in order; a step that was ever published is never changed.
    static let all = [
        Migration(version: 1, sql: Schema.version1), Migration(version: 2, sql: Schema.version2),
        Migration(version: 3, sql: Schema.version3),
    ]

    /// Applies what is missing. The version is read again under the lock, as another process may do the same now.
    static func apply(_ migrations: [Migration], to connection: SQLiteConnection) throws(StoreError) {
        for migration in migrations {
            try connection.transaction { () throws(StoreError) in
                guard try connection.number("PRAGMA user_version") ?? 0 < Int64(migration.version) else { return }
                try connection.execute(migration.sql)
            }
        }
    }
}
