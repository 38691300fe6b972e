import HTTPMessage
import Primitives
import Store

/// A request that may be acted upon: who asks, for which account, with which checked parameters.
struct Call {
    /// The account whose credentials the request has.
    let caller: AccountRow
    /// The account in the URL; the caller's own where it names none.
    let account: AccountRow
    /// The values of the path.
    let path: [String: String]
    /// The parameters: of the query of a GET or DELETE, of the form of a POST or PUT.
    let parameters: FormFields
    let format: ResponseFormat
    let now: UnixTime

    /// A parameter, nil when it is not there.
    subscript(name: String) -> String? { parameters[name] }

    /// A parameter, nil when it is not there or empty.
    func filled(_ name: String) -> String? { parameters[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A parameter that is a number; its kind has been checked.
    func number(_ name: String) -> Int? { filled(name).flatMap { Int($0) } }

    /// A value of the path, empty when the path has none of this name.
    func value(_ name: String) -> String { path[name] ?? "" }

    /// The address of a resource of the account in the URL, as `uri` shows it.
    func uri(_ resource: String) -> String { Call.uri(of: account.sid, resource, format) }

    /// The address of a resource of an account.
    static func uri(of account: String, _ resource: String, _ format: ResponseFormat) -> String {
        "/api/2012-04-24/Accounts/\(account)\(resource.isEmpty ? "" : "/" + resource)\(format.suffix)"
    }

    /// Takes the parameters that are there over: `apply("VoiceUrl") { row.voiceURL = $0 }`, nil for an empty one.
    func apply(_ name: String, _ body: (String?) -> Void) {
        if let value = parameters[name] { body(value.isEmpty ? nil : value) }
    }
}
