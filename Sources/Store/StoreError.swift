import CSQLite

/// Why the store refused or could not do something; `description` is one sentence of what, why and what to do.
public enum StoreError: Error, Equatable, Sendable {
    /// The file or its directory cannot be created or opened.
    case cannotOpen(path: String, reason: String)
    /// The file holds something else than an SQLite database.
    case notADatabase(path: String)
    /// The file is an SQLite database, but of another program.
    case foreignDatabase(path: String)
    /// The database contradicts itself.
    case damaged(path: String, detail: String)
    /// A later version of Rollcall has changed the tables.
    case newerSchema(path: String, found: Int32, known: Int32)
    /// The file or its directory cannot be written.
    case readOnly(path: String)
    /// No room on the disk.
    case full(path: String)
    /// Another process held the write lock for longer than we wait.
    case busy(path: String)
    /// Another process serves the database.
    case inUse(path: String, process: Int32?)
    /// The writer took nothing, as too many changes wait for it or it is about to end.
    case overloaded(path: String)
    /// The work took its changes back by itself, for this cause.
    case withdrawn(path: String, cause: String)
    /// A rule of the tables refused a row.
    case constraint(path: String, rule: ConstraintRule, detail: String)
    /// A search took longer than searches may.
    case tooSlow(path: String)
    /// The change is stored, but what it changes was not read back, so that nobody goes by it yet.
    case notInEffect(path: String, cause: String)
    /// Any other refusal of SQLite, with its extended result code.
    case other(path: String, code: Int32, message: String)

    /// The error for an extended result code of SQLite and its message.
    init(code: Int32, message: String, path: String) {
        switch code & 0xff {
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: self = .cannotOpen(path: path, reason: message)
        case SQLITE_NOTADB: self = .notADatabase(path: path)
        case SQLITE_CORRUPT: self = .damaged(path: path, detail: message)
        case SQLITE_READONLY: self = .readOnly(path: path)
        case SQLITE_FULL: self = .full(path: path)
        case SQLITE_BUSY, SQLITE_LOCKED: self = .busy(path: path)
        case SQLITE_INTERRUPT: self = .tooSlow(path: path)
        case SQLITE_CONSTRAINT:
            self = .constraint(path: path, rule: ConstraintRule(code: code), detail: message)
        default: self = .other(path: path, code: code, message: message)
        }
    }
}

/// The kind of rule that refused a row.
public enum ConstraintRule: Equatable, Sendable {
    /// A value that must be unique exists already.
    case unique
    /// The row refers to another that does not exist, or is still referred to.
    case reference
    /// Any other rule.
    case other

    /// The rule of an extended result code.
    init(code: Int32) {
        // The names of extended codes are compound macros, which are not imported.
        switch code >> 8 {
        case 6, 8, 10: self = .unique  // PRIMARYKEY, UNIQUE, ROWID
        case 3: self = .reference  // FOREIGNKEY
        default: self = .other
        }
    }
}

extension StoreError: CustomStringConvertible {
    /// One sentence: what happened, why, and what to do.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            return "Cannot open the database \(path) (\(reason)): check that the path is right and that this user "
                + "may create files there."
        case .notADatabase(let path):
            return "The file \(path) is not a database: name another file in the configuration, or move this one "
                + "away and restore a backup."
        case .foreignDatabase(let path):
            return "The file \(path) is a database of another program and was left untouched: name another file in "
                + "the configuration."
        case .damaged(let path, let detail):
            return "The database \(path) is damaged (\(detail)): stop the server, keep a copy of the file, and restore "
                + "a backup or run \"sqlite3 \(path) .recover\"."
        case .newerSchema(let path, let found, let known):
            return "The database \(path) has schema version \(found) and this program knows up to \(known): start the "
                + "newer program that wrote it, or restore the backup made before its upgrade."
        case .readOnly(let path):
            return "The database \(path) cannot be written, as the file or its directory is read-only for this user: "
                + "give this user write permission on both."
        case .full(let path):
            return "The disk that holds the database \(path) is full: free some space; nothing that was stored before "
                + "is lost."
        case .busy(let path):
            return "The database \(path) stayed locked by another process: end the program that holds it open in a "
                + "transaction, then try again."
        case .inUse(let path, let process):
            let holder = process.map { " (process \($0))" } ?? ""
            return "The database \(path) is served by another rollcall\(holder) already: stop that one, or name "
                + "another database in the configuration of this one."
        case .overloaded(let path):
            return "The database \(path) takes no more changes at the moment, as too many wait for it or the server is "
                + "about to end: try again a little later."
        case .withdrawn(let path, let cause):
            return "Nothing was changed in the database \(path) (\(cause)): correct the request and try again."
        case .constraint(let path, let rule, let detail):
            switch rule {
            case .unique:
                return "The database \(path) has such a row already (\(detail)): choose another value or change the "
                    + "existing row."
            case .reference:
                return "The database \(path) refused a row because another that it depends on is missing or still in "
                    + "use (\(detail)): create or remove that one first."
            case .other:
                return "The database \(path) refused a row (\(detail)): correct the value."
            }
        case .tooSlow(let path):
            return "The search in the database \(path) took too long and was ended: name a shorter time, or narrow "
                + "the search by other filters."
        case .notInEffect(let path, let cause):
            return "The change is stored in the database \(path), but calls and registrations do not go by it yet "
                + "(\(cause)): there is nothing to send again, it takes effect as soon as the database can be read."
        case .other(let path, let code, let message):
            return "The database \(path) failed (\(message), SQLite code \(code)): check the disk and the system log, "
                + "then try again."
        }
    }
}
