/// The form of a resource, for OpenAPI: its members in order.
struct Schema: Sendable {
    /// What a member holds.
    enum Kind: Sendable {
        case text
        case number
        case flag
        /// A time as in `date_created`.
        case date
        /// A time of ISO 8601.
        case timestamp
        /// One of these words.
        case word([String])
        /// A sid with this prefix.
        case sid(String)
        case object(Schema)
    }

    /// A member.
    struct Member: Sendable {
        let name: String
        let kind: Kind
        let meaning: String
        /// False for one that is left out when it has no value.
        let isAlwaysThere: Bool

        init(_ name: String, _ kind: Kind, _ meaning: String, optional: Bool = false) {
            self.name = name
            self.kind = kind
            self.meaning = meaning
            isAlwaysThere = !optional
        }
    }

    /// The name in OpenAPI, and the element in XML.
    let name: String
    let members: [Member]

    init(_ name: String, _ members: [Member]) {
        self.name = name
        self.members = members
    }

    /// Members that many resources have.
    static let created = Member("date_created", .date, "When it was made.")
    static let updated = Member("date_updated", .date, "When it was last changed.")
    static let owner = Member("account_sid", .sid("AC"), "The account that owns it.")
    static let version = Member("api_version", .text, "The version of the API.")
    static let uri = Member("uri", .text, "Its address, relative to the server.")
}
