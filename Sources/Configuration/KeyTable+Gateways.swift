extension KeyTable {
    /// The key of the gateways' list.
    static let gateways = "gateways"

    /// The meaning of the gateways' list.
    static let gatewaysMeaning =
        "SIP trunks to the outside, in the order in which they are tried; the default is none."

    /// The keys of one gateway.
    static let gateway: [Key<Configuration.Gateway>] = live([
        .text(
            "name", \.name, "a name of letters, digits, \"-\", \"_\" and \".\"",
            "Names it in the log; no two have the same.",
            where: Configuration.Gateway.isName),
        .text(
            "uri", \.uri, "a URI such as \"sip:gw.example.com\" or \"sip:192.0.2.1:5080;transport=tcp\"",
            "Where its calls and texts go, found by RFC 3263.", where: Configuration.Gateway.isURI),
        .text(
            "user", \.user, "a text on one line, or \"\"",
            "What we authenticate with when it asks for that; \"\" for none.",
            where: Configuration.Gateway.isCredential),
        .text(
            "password", \.password, "a text on one line, or \"\"", "The password of this user.",
            where: Configuration.Gateway.isCredential),
        .texts(
            "inbound", \.inbound, "a list of addresses or networks (\"192.0.2.0/24\")",
            "Networks that its calls and texts to numbers come from, without authentication; [] for none.",
            where: HostText.isNetwork),
    ])

    /// The keys of one rule of a gateway.
    static let gatewayRule: [Key<Configuration.Gateway.Rule>] = live([
        .text(
            "prefix", \.prefix, "the beginning of a number, or \"\"",
            "Numbers that begin so go there; of several rules the longest counts, \"\" matches every number.",
            where: Configuration.Gateway.isDigits),
        .number("strip", \.strip, 0...32, "Characters that are taken away from the front of the number."),
        .text(
            "prepend", \.prepend, "digits, or \"\"", "What is then put in front of it.",
            where: Configuration.Gateway.isDigits),
    ])

    /// The keys of how applications are asked.
    static let applications: [Key<Configuration>] = [
        .choice(
            "applications.messages", \.applications.messages,
            "Where texts of a client with an application go: to the application, or to whom they are addressed."),
        .duration(
            "applications.deadline", \.applications.deadline, .milliseconds(100)...(.seconds(60)),
            "How long the application of a call may take, redirects and fallback included, before the caller is refused."
        ),
        .duration(
            "applications.longestCall", \.applications.longestCall, .seconds(1)...(.seconds(86400 * 7)),
            "The time after which an answered call of an application is ended."),
        .number(
            "applications.documents", \.applications.documents, 1...10_000,
            "Documents that one call may fetch; a loop of Redirects ends there."),
        .number(
            "applications.redirects", \.applications.redirects, 0...20,
            "HTTP redirects (301, 302, 303, 307, 308) that one request follows."),
        .size(
            "applications.bodySize", \.applications.bodySize, 1024...(16 << 20), ceiling: 16 << 20,
            "The largest document that is read."),
        .number(
            "applications.concurrent", \.applications.concurrent, 1...20_000,
            "Requests to applications under way at a time; as many more wait for their turn."),
        .texts(
            "applications.allow", \.applications.allow, "a list of addresses or networks (\"127.0.0.1\")",
            "Networks where applications may be though they are in applications.deny; \"127.0.0.0/8\" for those of this machine.",
            where: HostText.isNetwork),
        .texts(
            "applications.deny", \.applications.deny, "a list of addresses or networks (\"10.0.0.0/8\")",
            "Networks that no request goes to, whatever name leads there: loopback, link-local and metadata addresses.",
            where: HostText.isNetwork),
    ]
}
