import Foundation
import Primitives
import Store

/// A client as commands print it; the password is never among it.
struct ClientView: Encodable {
    let sid: String
    let login: String
    let friendlyName: String
    let status: Int64
    let dateCreated: String
    let dateUpdated: String

    init(_ row: ClientRow) {
        sid = row.sid
        login = row.login
        friendlyName = row.friendlyName
        status = row.status
        dateCreated = TextTable.date(row.dateCreated)
        dateUpdated = TextTable.date(row.dateUpdated)
    }

    enum CodingKeys: String, CodingKey {
        case sid, login, status
        case friendlyName = "friendly_name"
        case dateCreated = "date_created"
        case dateUpdated = "date_updated"
    }
}

/// A binding as commands print it.
struct BindingView: Encodable {
    let login: String
    let contact: String
    let source: String
    let transport: String
    let userAgent: String
    let expires: Int64
    let registered: String
    /// True for a device on TCP that has not come back since the server was restarted.
    let isWaiting: Bool

    init(_ row: BindingRow, login: String, now: UnixTime) {
        self.login = login
        contact = String(decoding: row.contact, as: UTF8.self)
        source = row.remote.description
        transport = row.transport.name.string
        userAgent = String(decoding: row.userAgent, as: UTF8.self)
        expires = max(0, (row.expiresAt.milliseconds - now.milliseconds + 999) / 1000)
        registered = TextTable.date(row.createdAt)
        isWaiting = row.transport.isReliable && row.listener.isEmpty
    }

    enum CodingKeys: String, CodingKey {
        case login, contact, source, transport, expires, registered
        case userAgent = "user_agent"
        case isWaiting = "waiting"
    }
}

/// The account as a command prints it.
struct AccountView: Encodable {
    let sid: String
    let authToken: String
    let friendlyName: String
    let status: String

    enum CodingKeys: String, CodingKey {
        case sid, status
        case authToken = "auth_token"
        case friendlyName = "friendly_name"
    }
}

/// JSON on standard output.
enum JSONText {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Terminal.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

/// Columns of text on standard output.
enum TextTable {
    /// Prints a heading and rows, each column as wide as its widest text.
    static func print(_ heading: [String], _ rows: [[String]]) {
        let widths = heading.indices.map { column in ([heading] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [heading] + rows {
            let cells = row.enumerated().map { column, text in
                let text = plain(text)
                return column == row.count - 1
                    ? text : text + String(repeating: " ", count: max(0, widths[column] - text.count))
            }
            Terminal.print(cells.joined(separator: "  "))
        }
    }

    /// Text with `?` for each control character: what came from elsewhere must not steer the terminal.
    static func plain(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "?" : $0 })
    }

    /// A time in ISO 8601 form, UTC.
    static func date(_ time: UnixTime) -> String {
        Date(timeIntervalSince1970: Double(time.seconds)).formatted(.iso8601)
    }
}
