import Foundation

/// A client as the API shows it and commands print it; the password is left out.
struct ClientView: Codable {
    let sid: String
    let login: String
    let friendlyName: String
    let status: String
    let voiceURL: String?
    let voiceMethod: String?
    let voiceApplicationSID: String?
    let dateCreated: String
    let dateUpdated: String

    enum CodingKeys: String, CodingKey {
        case sid, login, status
        case voiceURL = "voice_url"
        case voiceMethod = "voice_method"
        case voiceApplicationSID = "voice_application_sid"
        case friendlyName = "friendly_name"
        case dateCreated = "date_created"
        case dateUpdated = "date_updated"
    }
}

/// What the API says of a client's registrations.
struct RegistrationState: Decodable {
    /// The last refused request.
    struct Failure: Decodable {
        let date: String
        let source: String
        let transport: String
        let method: String
        let code: String
        let message: String
    }

    let registrations: Int
    let lastFailure: Failure?

    enum CodingKeys: String, CodingKey {
        case registrations
        case lastFailure = "last_failure"
    }
}

/// A registration as the API shows it and commands print it.
struct RegistrationView: Codable {
    let sid: String
    let login: String
    let contact: String
    let source: String
    let transport: String
    let userAgent: String
    /// `waiting` for a device on TCP that has not come back since the server was restarted.
    let status: String
    let expiresIn: Int
    let dateCreated: String
    let dateLastSeen: String
    /// When the device was heard last.
    let lastAlive: String
    /// False when calls pass the device by.
    let reachable: Bool

    enum CodingKeys: String, CodingKey {
        case sid, login, contact, source, transport, status, reachable
        case lastAlive = "last_alive"
        case userAgent = "user_agent"
        case expiresIn = "expires_in"
        case dateCreated = "date_created"
        case dateLastSeen = "date_last_seen"
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
}
