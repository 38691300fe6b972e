/// The keys of the file, in the order of the documentation. `listeners` is not among them: it holds objects.
enum KeyTable {
    private typealias K = Key<Configuration>
    private typealias L = Key<Configuration.Listener>
    private static let day = Duration.seconds(86400)

    /// The key of the listeners' list.
    static let listeners = "listeners"

    /// The meaning of the listeners' list.
    static let listenersMeaning = "Addresses to listen on; the default is UDP and TCP on all IPv4 and IPv6 addresses."

    /// The keys of the whole file.
    static let configuration: [Key<Configuration>] =
        restart(general) + live(registrar) + live(authentication) + live(proxy) + live(nat) + restart(dns)
        + live(timers) + restart(limits) + live(protection) + restart(api) + live(calls)
        + live(applications) + live(log) + live(shutdown)

    private static let general: [K] = [
        .text(
            "domain", \.domain, "a host name or address, or \"\"",
            "The domain of the clients, and the realm; \"\" is the machine's primary address.",
            where: { $0.isEmpty || HostText.isHost($0) }),
        .texts(
            "aliases", \.aliases, "a list of host names or addresses",
            "Other names and addresses under which softphones reach this server.", where: HostText.isHost),
        .text(
            "stateDirectory", \.stateDirectory, "a path, or \"\"",
            "The directory of the database; \"\" is $STATE_DIRECTORY, else ./data."),
        .text(
            "database", \.database, "a path",
            "The database file; a relative path starts in the state directory.", where: { !$0.isEmpty }),
        .choice(
            "durability", \.durability,
            "When a change counts as stored: commit survives a crash of the process, synced also a loss of power, "
                + "memory answers first."),
        .number("workers", \.workers, 0...64, "Threads that serve SIP; 0 is one a core."),
    ]

    private static let registrar: [K] = [
        .duration(
            "registrar.defaultExpires", \.registrar.defaultExpires, .seconds(1)...(day * 30),
            "The time a registration lives when the softphone names none."),
        .duration(
            "registrar.minExpires", \.registrar.minExpires, .seconds(1)...day,
            "The shortest time granted; a shorter wish is answered 423 with this value."),
        .duration(
            "registrar.maxExpires", \.registrar.maxExpires, .seconds(1)...(day * 30),
            "The longest time granted; a longer wish is lowered to it."),
        .number("registrar.maxBindings", \.registrar.maxBindings, 1...1000, "Devices that one client may register."),
        .choice(
            "registrar.whenFull", \.registrar.whenFull,
            "What one device more does: the oldest registration goes, or the new one is answered 403."),
    ]

    private static let authentication: [K] = [
        .choices(
            "authentication.algorithms", \.authentication.algorithms, orNone: false,
            "Digest algorithms offered, in the order of the challenges. baresip 1.0 registers only where MD5 is offered alone."
        ),
        .choices(
            "authentication.qop", \.authentication.qop, orNone: true,
            "Qualities of protection offered; [] for digests in the manner of RFC 2069."),
        .duration(
            "authentication.nonceLifetime", \.authentication.nonceLifetime, .seconds(1)...day,
            "The time a nonce may be used; afterwards softphones get a new one without asking the user."),
        .number(
            "authentication.failuresBefore403", \.authentication.failuresBefore403, 0...1000,
            "Failures within the window after which the answer is 403, for 1s, 2s, 4s, up to 1m; 0 is never."),
        .duration(
            "authentication.failureWindow", \.authentication.failureWindow, .seconds(1)...day,
            "The time for which failures are remembered."),
        .choice(
            "authentication.passwords", \.authentication.passwords,
            "How passwords are stored: recoverable so that the API can show them, digest only as hashes."
        ).restart,
        .number(
            "authentication.minPasswordLength", \.authentication.minPasswordLength, 0...128,
            "The shortest password that the API and the command line accept."
        ).restart,
    ]

    private static let proxy: [K] = [
        .duration(
            "proxy.timerC", \.proxy.timerC, .seconds(1)...day,
            "The time that a call may ring; RFC 3261 asks for at least 3m, less is for tests."),
        .number("proxy.maxForks", \.proxy.maxForks, 1...1000, "Devices of one client that a request is forwarded to."),
        .number(
            "proxy.maxBreadth", \.proxy.maxBreadth, 1...1000,
            "Branches of one request at all proxies together (Max-Breadth, RFC 5393)."),
    ]

    private static let nat: [K] = [
        .choice(
            "nat.keepalive", \.nat.keepalive,
            "What is sent to phones so that their NAT stays open: an OPTIONS, which they answer, an empty line, or nothing."
        ),
        .choice(
            "nat.targets", \.nat.targets,
            "Which phones get it: those whose Contact is not the address that they come from, or all."),
        .duration(
            "nat.interval", \.nat.interval, .seconds(1)...(.seconds(3600)),
            "The longest time between two of them; a NAT forgets UDP after 30s or more."),
        .number(
            "nat.unanswered", \.nat.unanswered, 1...100,
            "OPTIONS in a row without an answer after which calls pass a phone by; only phones that answer them count."),
        .duration(
            "nat.flowTimer", \.nat.flowTimer, .seconds(10)...(.seconds(3600)),
            "How often a phone on TCP is asked to send keepalives of its own (Flow-Timer of RFC 5626, keep of RFC 6223)."
        ),
        .duration(
            "nat.reconnectTime", \.nat.reconnectTime, .seconds(0)...(.seconds(60)),
            "How long a registration waits for its phone when the connection was closed; 0s removes it at once."),
    ]

    private static let dns: [K] = [
        .texts(
            "dns.servers", \.dns.servers, "a list of addresses, or \"address:port\"",
            "DNS servers, the first three of them; [] is those of the system (/etc/resolv.conf).",
            where: { Configuration.DNS.server($0) != nil }),
        .duration(
            "dns.timeout", \.dns.timeout, .milliseconds(100)...(.seconds(5)),
            "How long a DNS server may take to answer, before the next one or the next attempt."),
        .number("dns.attempts", \.dns.attempts, 1...5, "How often each DNS server is asked."),
        .flag(
            "dns.naptr", \.dns.naptr,
            "True to ask for NAPTR records too (RFC 3263); false where a DNS server drops such questions."),
    ]

    private static let timers: [K] = [
        .duration(
            "timers.t1", \.timers.t1, .milliseconds(10)...(.seconds(10)),
            "The estimate of the round-trip time: the first retransmission follows after it."),
        .duration(
            "timers.t2", \.timers.t2, .milliseconds(10)...(.seconds(60)),
            "The longest interval between retransmissions."),
        .duration(
            "timers.t4", \.timers.t4, .milliseconds(10)...(.seconds(60)),
            "The longest time a message stays in the network."),
    ]

    private static let limits: [K] = [
        .size(
            "limits.messageSize", \.limits.messageSize, 1024...65536, ceiling: 65535,
            "The largest message; 64k means 65535 bytes."),
        .number("limits.headers", \.limits.headers, 16...128, "Header fields in a message.").live,
        .number("limits.connections", \.limits.connections, 1...1_000_000, "Connections open at a time.").live,
        .number(
            "limits.connectionsPerSource", \.limits.connectionsPerSource, 1...1_000_000,
            "Connections open at a time from one address."
        ).live,
        .duration(
            "limits.idleConnection", \.limits.idleConnection, .seconds(1)...day,
            "The time after which a connection without a message or keepalive is closed."
        ).live,
        .duration(
            "limits.unprovenConnection", \.limits.unprovenConnection, .seconds(1)...day,
            "The time after which a connection is closed on which no client has registered or called."
        ).live,
        .duration(
            "limits.sendTimeout", \.limits.sendTimeout, .milliseconds(100)...(.seconds(600)),
            "The time after which a connection is closed whose peer takes nothing of what waits for it."
        ).live,
        .size(
            "limits.streamMemory", \.limits.streamMemory, (1 << 20)...(65536 << 20), ceiling: 65536 << 20,
            "What all connections together may hold of incomplete and untaken messages; strangers get a quarter."),
        .number(
            "limits.transactions", \.limits.transactions, 100...100_000_000,
            "Transactions of all calls and texts together; then requests that begin something are answered 503."
        ).live,
        .number(
            "limits.transactionsPerClient", \.limits.transactionsPerClient, 1...1_000_000,
            "Requests of one client that are under way or were answered within the last 32 s."
        ).live,
    ]

    private static let protection: [K] = [
        .flag(
            "protection.enabled", \.protection.isEnabled,
            "False to limit and ban nobody. A source below is an IPv4 address or an IPv6 network of 64 bits."),
        .texts(
            "protection.trusted", \.protection.trusted, "a list of addresses or networks (\"10.0.0.0/8\")",
            "Networks that are never limited or banned, such as those of a gateway or of another SIP server.",
            where: HostText.isNetwork),
        .number(
            "protection.packetsPerSource", \.protection.packetsPerSource, 1...1_000_000,
            "Packets a second that a source may send from which no client has registered; more are dropped."),
        .number("protection.burst", \.protection.burst, 1...1_000_000, "Packets that such a source may send at once."),
        .number(
            "protection.packetsPerClient", \.protection.packetsPerClient, 0...1_000_000,
            "Packets a second more for each client that has authenticated from the source."),
        .number(
            "protection.bannedAfter", \.protection.bannedAfter, 1...100_000,
            "Wrong logins or passwords within authentication.failureWindow after which a source without clients is banned."
        ),
        .duration(
            "protection.banTime", \.protection.banTime, .seconds(1)...day,
            "How long the first ban lasts; each further one lasts twice as long."),
        .duration(
            "protection.longestBan", \.protection.longestBan, .seconds(1)...(day * 30),
            "How long a ban lasts at the most."),
    ]

    private static let api: [K] = [
        .texts(
            "api.listen", \.api.listen, "a list of \"address:port\"",
            "Addresses of the HTTP API; [] turns it off. Beyond this machine put a proxy with TLS before it.",
            where: { Configuration.API.endpoint($0) != nil }),
        .texts(
            "api.trustedProxies", \.api.trustedProxies, "a list of addresses or networks (\"10.0.0.0/8\")",
            "Proxies before the API whose X-Forwarded-For is believed.", where: HostText.isNetwork
        ).live,
        .number("api.connections", \.api.connections, 1...100_000, "Connections to the API open at a time.").live,
        .number(
            "api.connectionsPerSource", \.api.connectionsPerSource, 1...100_000,
            "Connections to the API open at a time from one address that is not a trusted proxy's."
        ).live,
        .duration(
            "api.headTimeout", \.api.headTimeout, .milliseconds(100)...(.seconds(600)),
            "The time that the head of a request to the API may take."
        ).live,
    ]

    private static let calls: [K] = [
        .duration(
            "calls.longestCall", \.calls.longestCall, .seconds(1)...(day * 30),
            "The time after which the record of a call whose BYE never came is closed. The call itself goes on."),
        .duration(
            "calls.keepRecords", \.calls.keepRecords, .zero...(day * 36500),
            "How long records of calls and texts are kept; 0s is for ever."),
    ]

    private static let log: [K] = [
        .choice("log.level", \.log.level, "Lines above this level are not written."),
        .choice("log.format", \.log.format, "Lines for people (logfmt) or for collectors (json)."),
    ]

    private static let shutdown: [K] = [
        .duration(
            "shutdown.drain", \.shutdown.drain, .zero...(.seconds(3600)),
            "The time for which calls may go on after SIGTERM while new ones are refused; 0s ends at once."),
        .duration(
            "shutdown.watchdog", \.shutdown.watchdog, .zero...(.seconds(3600)),
            "The time after which a thread that hangs ends the process, so that it is started again; 0s is never."),
    ]

    /// The keys of one listener.
    static let listener: [Key<Configuration.Listener>] = restart([
        .choice("transport", \.transport, "The transport."),
        .text(
            "address", \.address, "an IPv4 or IPv6 address",
            "The local address; 0.0.0.0 or :: for all.", where: HostText.isAddress),
        .number("port", \.port, 1...65535, "The local port."),
        .text(
            "advertised", \.advertised, "\"host\", \"host:port\" or \"\"",
            "What peers reach it by, written into Via and Record-Route; \"\" is the local address.",
            where: { $0.isEmpty || HostText.split($0) != nil }),
        .flag(
            "optional", \.isOptional,
            "True when the server may start without this listener on a machine that cannot have it (no IPv6)."),
    ])
}
