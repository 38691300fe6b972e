/// The configuration of the daemon: plain values, each with its default, as `Config/rollcall.json5` shows them.
public struct Configuration: Equatable, Sendable {
    /// The domain that clients belong to, and the realm; empty for the machine's primary address.
    public var domain = ""
    /// Other names and addresses under which this server is addressed.
    public var aliases: [String] = []
    /// The directory of the database and other state; empty for `$STATE_DIRECTORY`, else `./data`.
    public var stateDirectory = ""
    /// The database file; a relative path starts in the state directory.
    public var database = "rollcall.sqlite"
    /// When a change counts as stored.
    public var durability = Durability.commit
    /// Threads that serve SIP; 0 for one a core.
    public var workers = 0
    /// The addresses to listen on.
    public var listeners = Listener.defaults
    /// What registrations may ask for.
    public var registrar = Registrar()
    /// How clients prove who they are.
    public var authentication = Authentication()
    /// How requests are forwarded.
    public var proxy = Proxy()
    /// How phones behind NAT are kept reachable.
    public var nat = NAT()
    /// How host names are resolved.
    public var dns = DNS()
    /// The timers of RFC 3261 table 4.
    public var timers = Timers()
    /// Bounds that keep a peer from exhausting the machine.
    public var limits = Limits()
    /// What strangers may send, and how often they may guess.
    public var protection = Protection()
    /// The HTTP API.
    public var api = API()
    /// How calls and their records are kept.
    public var calls = Calls()
    /// How applications are asked.
    public var applications = Applications()
    /// The SIP trunks to the outside.
    public var gateways: [Gateway] = []
    /// What the log holds.
    public var log = Log()
    /// How the server ends.
    public var shutdown = Shutdown()
    /// The directory of the file it was read from, where relative paths start; nil without a file.
    public var directory: String?

    /// Every key at its default.
    public init() {}
}

extension Configuration {
    /// When a change counts as stored, and a REGISTER or an API request is answered.
    public enum Durability: String, CaseIterable, Sendable {
        /// Written and committed: survives the end of the process, the last moments may be lost with the power.
        case commit
        /// Written, committed and synced to the disk: survives a loss of power.
        case synced
        /// Answered first, written soon after: the end of the process may lose the last moment.
        case memory
    }

    /// What `REGISTER` may ask for (RFC 3261 section 10.3).
    public struct Registrar: Equatable, Sendable {
        /// The time a binding lives when the request names none.
        public var defaultExpires = Duration.seconds(3600)
        /// The shortest time granted; shorter requests get 423.
        public var minExpires = Duration.seconds(60)
        /// The longest time granted; longer requests are lowered to it.
        public var maxExpires = Duration.seconds(3600)
        /// Bindings that one client may have.
        public var maxBindings = 10
        /// What happens to one binding more.
        public var whenFull = WhenFull.replaceOldest

        /// What happens when a client registers one device more than it may.
        public enum WhenFull: String, CaseIterable, Sendable {
            /// The binding that was refreshed longest ago goes.
            case replaceOldest
            /// The request is answered 403.
            case refuse
        }
    }

    /// How clients prove who they are (RFC 7616, RFC 8760).
    public struct Authentication: Equatable, Sendable {
        /// The digest algorithms that are offered, in the order of the challenges.
        public var algorithms = [Algorithm.md5]
        /// The qualities of protection that are offered; none for digests in the manner of RFC 2069.
        public var qop = [QualityOfProtection.auth]
        /// The time a nonce may be used.
        public var nonceLifetime = Duration.seconds(300)
        /// Failures of one client from one source after which the answer is 403; 0 for never.
        public var failuresBefore403 = 5
        /// The time for which failures are remembered.
        public var failureWindow = Duration.seconds(60)
        /// How passwords are stored.
        public var passwords = Passwords.recoverable
        /// The shortest password that the API and the command line accept.
        public var minPasswordLength = 0

        /// A digest algorithm.
        public enum Algorithm: String, CaseIterable, Sendable {
            case md5 = "MD5"
            case sha256 = "SHA-256"
            case sha512256 = "SHA-512-256"
        }

        /// What a digest covers.
        public enum QualityOfProtection: String, CaseIterable, Sendable {
            /// Method and URI.
            case auth
            /// Method, URI and body.
            case authInt = "auth-int"
        }

        /// How passwords are stored.
        public enum Passwords: String, CaseIterable, Sendable {
            /// Readable, so that the API can show them.
            case recoverable
            /// Only as the hashes that the digest needs.
            case digest
        }
    }

    /// How requests are forwarded (RFC 3261 section 16).
    public struct Proxy: Equatable, Sendable {
        /// The time that an INVITE may ring.
        public var timerC = Duration.seconds(180)
        /// Devices that one request is forwarded to.
        public var maxForks = 10
        /// Branches of one request at all proxies together (RFC 5393).
        public var maxBreadth = 60
    }

    /// How phones behind NAT are kept reachable (RFC 5626, RFC 6223).
    public struct NAT: Equatable, Sendable {
        /// What is sent to keep a NAT open.
        public var keepalive = Keepalive.options
        /// Which phones are pinged.
        public var targets = Targets.natted
        /// The longest time between two pings of a phone.
        public var interval = Duration.seconds(25)
        /// Pings in a row without an answer after which a phone is unreachable.
        public var unanswered = 3
        /// The time between the keepalives of a phone on a connection, as it is told.
        public var flowTimer = Duration.seconds(120)
        /// The time that a registration waits for its phone when the connection was closed.
        public var reconnectTime = Duration.seconds(5)

        /// What is sent to keep a NAT open.
        public enum Keepalive: String, CaseIterable, Sendable {
            /// An OPTIONS, which the phone answers.
            case options
            /// An empty line, which over UDP nobody answers.
            case crlf
            /// Nothing.
            case off
        }

        /// Which phones are pinged.
        public enum Targets: String, CaseIterable, Sendable {
            /// Those whose Contact is not the address that they come from.
            case natted
            /// All that are reached where they come from.
            case all
        }
    }

    /// How host names are resolved (RFC 3263).
    public struct DNS: Equatable, Sendable {
        /// The servers, as `192.0.2.1`, `192.0.2.1:5353` or `[2001:db8::1]:53`; none for those of the system.
        public var servers: [String] = []
        /// How long a server may take to answer.
        public var timeout = Duration.seconds(2)
        /// How often each server is asked.
        public var attempts = 2
        /// NAPTR records are asked for.
        public var naptr = true

        /// The address and port of a server; the address has no brackets, the port is 53 when there is none.
        public static func server(_ text: String) -> (address: String, port: UInt16)? {
            guard let (host, port) = HostText.split(text) else { return nil }
            let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            return HostText.isAddress(address) ? (address, port ?? 53) : nil
        }
    }

    /// The timers of RFC 3261 table 4.
    public struct Timers: Equatable, Sendable {
        /// The estimate of the round-trip time.
        public var t1 = Duration.milliseconds(500)
        /// The longest interval between retransmissions.
        public var t2 = Duration.seconds(4)
        /// The longest time a message stays in the network.
        public var t4 = Duration.seconds(5)
    }

    /// Bounds that keep a peer from exhausting the machine.
    public struct Limits: Equatable, Sendable {
        /// The largest message in bytes, at most 65535.
        public var messageSize = 65535
        /// Header fields in a message.
        public var headers = 128
        /// Connections open at a time.
        public var connections = 20000
        /// Connections open at a time from one address.
        public var connectionsPerSource = 100
        /// The time after which a connection without a message or keepalive is closed.
        public var idleConnection = Duration.seconds(600)
        /// The time after which a connection is closed on which no client has registered or called.
        public var unprovenConnection = Duration.seconds(30)
        /// The time after which a connection is closed whose peer takes nothing of what waits for it.
        public var sendTimeout = Duration.seconds(10)
        /// What all connections together may hold of incomplete and untaken messages, in bytes.
        public var streamMemory = 268_435_456
        /// Transactions of all calls and texts together.
        public var transactions = 1_000_000
        /// Requests of one client that may be under way or lately answered.
        public var transactionsPerClient = 2000
    }

    /// What strangers may send, and how often they may guess. A source is an IPv4 address or an IPv6 network of 64 bits.
    public struct Protection: Equatable, Sendable {
        /// False to limit and ban nobody.
        public var isEnabled = true
        /// Addresses and networks that are never limited or banned.
        public var trusted = ["127.0.0.0/8", "::1"]
        /// Packets a second that a source of no known client may send.
        public var packetsPerSource = 100
        /// Packets that it may send at once.
        public var burst = 200
        /// Packets a second more for each client that has authenticated from the source.
        public var packetsPerClient = 20
        /// Failures within the window after which a source without clients is banned.
        public var bannedAfter = 20
        /// How long the first ban lasts.
        public var banTime = Duration.seconds(60)
        /// How long a ban lasts at the most.
        public var longestBan = Duration.seconds(3600)
    }

    /// The HTTP API.
    public struct API: Equatable, Sendable {
        /// The addresses and ports to listen on, as `127.0.0.1:8080` or `[::1]:8080`; none for no API.
        public var listen = ["127.0.0.1:8080"]
        /// Addresses and networks of proxies whose X-Forwarded-For is believed.
        public var trustedProxies: [String] = []
        /// Connections open at a time.
        public var connections = 1000
        /// Connections open at a time from one address, unless it is a trusted proxy's.
        public var connectionsPerSource = 100
        /// How long the head of a request may take.
        public var headTimeout = Duration.seconds(10)

        /// The host and port of an address to listen on; the host has no brackets.
        public static func endpoint(_ text: String) -> (address: String, port: UInt16)? {
            guard let (host, port) = HostText.split(text), let port else { return nil }
            let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            return HostText.isAddress(address) ? (address, port) : nil
        }
    }

    /// How calls and their records are kept.
    public struct Calls: Equatable, Sendable {
        /// The time after which the record of a call without a BYE is closed.
        public var longestCall = Duration.seconds(12 * 3600)
        /// How long records of calls and texts are kept; 0 for ever.
        public var keepRecords = Duration.zero
    }

    /// How the server ends: by itself, or because something hangs.
    public struct Shutdown: Equatable, Sendable {
        /// How long calls may go on after SIGTERM; 0 ends at once.
        public var drain = Duration.seconds(30)
        /// How long a thread that serves SIP may hang before the process is ended; 0 for ever.
        public var watchdog = Duration.seconds(30)
    }

    /// What the log holds.
    public struct Log: Equatable, Sendable {
        /// Lines above this level are not written.
        public var level = Level.info
        /// How lines are written.
        public var format = Format.logfmt

        /// How much a line matters.
        public enum Level: String, CaseIterable, Sendable {
            case error, warn, info, debug
        }

        /// How lines are written.
        public enum Format: String, CaseIterable, Sendable {
            case logfmt, json
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded down; 0 when negative.
    public var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) &* 1000 &+ UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }

    /// Whole seconds, rounded down; 0 when negative.
    public var wholeSeconds: UInt64 { wholeMilliseconds / 1000 }
}
