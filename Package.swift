// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: language mode 6, and a warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    // The packet path crosses four targets; without this every slice access across them is a call.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + more, swiftSettings: strict)
}

let package = Package(
    name: "rollcall",
    products: [.executable(name: "rollcall", targets: ["rollcall"])],
    targets: [
        // The edge: C shims for what the Glibc and SQLite headers hide from Swift.
        .target(name: "CLinux"),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),

        // The pure targets: no socket, no clock, no random number, no file.
        library("Primitives", []),
        library("SIPMessage", ["Primitives"]),
        library("SIPTransaction", ["Primitives", "SIPMessage"]),
        library("SIPAuthentication", ["Primitives", "SIPMessage"]),
        library("DNSMessage", ["Primitives"]),
        library("NameResolution", ["Primitives", "DNSMessage"]),
        library("Observability", ["Primitives"]),
        library("Admission", ["Primitives", "Observability"]),
        library(
            "SIPRegistrar", ["Primitives", "SIPMessage", "SIPAuthentication", "Observability", "Admission"]),
        library("CallControl", ["Primitives", "Observability"]),
        library(
            "SIPProxy",
            [
                "Primitives", "SIPMessage", "SIPTransaction", "SIPAuthentication", "SIPRegistrar", "Observability",
                "Admission", "NameResolution", "CallControl",
            ]),

        library("HTTPMessage", ["Primitives"]),

        // The world.
        library("Configuration", []),
        library("Store", ["Primitives", "CSQLite"]),
        library(
            "RESTInterface", ["Primitives", "HTTPMessage", "SIPAuthentication", "Observability", "Store"]),
        library("Webhooks", ["Primitives", "CLinux", "SIPAuthentication", "CallControl"]),
        library("Transport", ["Primitives", "CLinux", "SIPMessage", "HTTPMessage", "DNSMessage", "NameResolution"]),
        .executableTarget(
            name: "rollcall",
            dependencies: [
                "Primitives", "SIPMessage", "SIPTransaction", "SIPAuthentication", "SIPRegistrar", "SIPProxy",
                "Observability", "Admission", "HTTPMessage", "RESTInterface", "Configuration", "Store", "Transport",
                "CLinux", "NameResolution", "CallControl", "Webhooks",
            ],
            swiftSettings: strict),

        tests(of: "Primitives"),
        tests(of: "SIPMessage", ["Primitives"]),
        tests(of: "SIPTransaction", ["Primitives", "SIPMessage"]),
        tests(of: "SIPAuthentication", ["Primitives", "SIPMessage"]),
        tests(of: "DNSMessage", ["Primitives"]),
        tests(of: "NameResolution", ["Primitives", "DNSMessage"]),
        tests(of: "Admission", ["Primitives", "Observability"]),
        tests(of: "SIPRegistrar", ["Primitives", "SIPMessage", "SIPAuthentication", "Observability", "Admission"]),
        tests(of: "CallControl", ["Primitives", "Observability"]),
        tests(
            of: "SIPProxy",
            [
                "Primitives", "SIPMessage", "SIPTransaction", "SIPAuthentication", "SIPRegistrar", "Observability",
                "Admission", "NameResolution", "CallControl",
            ]),
        tests(of: "Observability", ["Primitives"]),
        tests(of: "HTTPMessage", ["Primitives"]),
        tests(of: "Configuration"),
        tests(of: "Store", ["Primitives"]),
        tests(
            of: "RESTInterface", ["Primitives", "HTTPMessage", "SIPAuthentication", "Observability", "Store"]),
        tests(of: "Webhooks", ["Primitives", "CallControl", "SIPAuthentication"]),
        tests(of: "Transport", ["Primitives", "SIPMessage", "HTTPMessage", "NameResolution"]),
    ]
)

// Fuzzing has an executable of its own, built by Tests/fuzz/run alone.
if Context.environment["ROLLCALL_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Primitives", "SIPMessage", "SIPTransaction", "SIPAuthentication", "SIPRegistrar", "SIPProxy",
                "Observability", "HTTPMessage", "Configuration", "Admission", "DNSMessage", "NameResolution",
                "CallControl",
            ],
            path: "Tests/fuzz/Sources", swiftSettings: strict))
}
