import Primitives

/// The catalogue of log events: every line of the log is one of these.
///
/// The names are fixed: operators match on them. `Docs/Logs.md` lists the same table.
public enum LogEvent: UInt8, CaseIterable, Sendable {
    case serverStart
    case serverReady
    case serverState
    case serverDrain
    case serverStop
    case serverWedged
    case listenOK
    case configNote
    case configReload
    case configRefused
    case clockStep
    case storeError
    case storeSlow
    case storeOK
    case accountChanged
    case clientChanged
    case clientRemoved
    case registrationOK
    case registrationRefresh
    case registrationRemoved
    case registrationExpired
    case registrationRefused
    case registrationUnreachable
    case registrationReachable
    case authenticationChallenge
    case authenticationFail
    case callStart
    case callEnd
    case callRefused
    case messageEnd
    case messageRefused
    case requestRefused
    case dialogRefused
    case parseBad
    case flowClosed
    case flowLimited
    case serverOverload
    case transportError
    case dnsError
    case applicationAsked
    case applicationAnswer
    case applicationFail
    case applicationNote
    case recordLost
    case apiChange
    case apiRequest
    case apiRefused
    case apiError
    case sourceBanned
    case sourceUnbanned
    case logDropped
    case logSuppressed

    /// The dotted name, the third word of a line.
    @inlinable public var name: ByteSlice { entry.name }
    /// The level at which the event is written unless the writer says otherwise.
    @inlinable public var level: LogLevel { entry.level }
    /// One sentence that says what happened.
    public var description: ByteSlice { entry.description }

    /// A row of the catalogue.
    @usableFromInline
    struct Entry {
        @usableFromInline let name: ByteSlice
        @usableFromInline let level: LogLevel
        @usableFromInline let description: ByteSlice

        @usableFromInline
        init(_ name: ByteSlice, _ level: LogLevel, _ description: ByteSlice) {
            self.name = name
            self.level = level
            self.description = description
        }
    }

    @usableFromInline var entry: Entry {
        switch self {
        case .serverStart: Entry("server.start", .info, "The process has started and read its configuration.")
        case .serverReady: Entry("server.ready", .info, "All listeners and the store are open; requests are served.")
        case .serverState: Entry("server.state", .info, "The sizes of all tables, as asked for by SIGUSR1.")
        case .serverDrain:
            Entry("server.drain", .info, "SIGTERM came: new calls are refused, and those that run may end.")
        case .serverStop: Entry("server.stop", .info, "The process is stopping, with the cause.")
        case .serverWedged:
            Entry(
                "server.wedged", .error, "A thread that serves SIP did not come round; the watchdog ends the process.")
        case .listenOK: Entry("listen.ok", .info, "A listener is bound to its address.")
        case .configNote:
            Entry("config.note", .warn, "The configuration is valid, but something in it deserves a look.")
        case .configReload: Entry("config.reload", .info, "SIGHUP: the configuration was read again and is in effect.")
        case .configRefused:
            Entry("config.refused", .error, "SIGHUP: the configuration has a mistake, and nothing was changed.")
        case .clockStep: Entry("clock.step", .warn, "The clock of this machine was set.")
        case .storeError:
            Entry("store.error", .error, "The database refused to read or write; what waited for it was answered 503.")
        case .storeSlow:
            Entry(
                "store.slow", .warn, "The database has not finished a change for some time; registrations wait for it.")
        case .storeOK: Entry("store.ok", .info, "The database works again after an error.")
        case .accountChanged:
            Entry("account.changed", .info, "What counts for an account, and so for its clients, has changed.")
        case .clientChanged: Entry("client.changed", .info, "A client was added, or its values were changed.")
        case .clientRemoved: Entry("client.removed", .info, "A client was removed, its bindings with it.")
        case .registrationOK:
            Entry("reg.ok", .info, "A binding was added, or an existing one came from another address.")
        case .registrationRefresh: Entry("reg.refresh", .debug, "A binding was refreshed without any other change.")
        case .registrationRemoved:
            Entry("reg.removed", .info, "A binding was removed by its client, by an operator or with its connection.")
        case .registrationExpired: Entry("reg.expired", .info, "A binding was not refreshed in time and is gone.")
        case .registrationRefused: Entry("reg.refused", .warn, "A REGISTER was answered with an error.")
        case .registrationUnreachable:
            Entry("reg.unreachable", .warn, "A device that has answered pings before answers no more.")
        case .registrationReachable:
            Entry("reg.reachable", .info, "A device that was unreachable was heard again.")
        case .authenticationChallenge:
            Entry("auth.challenge", .debug, "A request without usable credentials was challenged, as usual.")
        case .authenticationFail: Entry("auth.fail", .warn, "Credentials were presented and not accepted.")
        case .callStart: Entry("call.start", .info, "A call was forwarded to its callee.")
        case .callEnd: Entry("call.end", .info, "A call has ended, answered or not.")
        case .callRefused: Entry("call.refused", .warn, "An INVITE was answered with an error by this server.")
        case .messageEnd: Entry("message.end", .info, "A text message got its final answer from the recipient's side.")
        case .messageRefused: Entry("message.refused", .warn, "A MESSAGE was answered with an error by this server.")
        case .requestRefused:
            Entry("request.refused", .warn, "A request of another method was answered with an error by this server.")
        case .dialogRefused:
            Entry("dialog.refused", .warn, "A request in a dialog that this server did not route was refused.")
        case .parseBad: Entry("parse.bad", .debug, "Bytes that are no SIP message were received.")
        case .flowClosed: Entry("flow.closed", .debug, "A connection was closed, with the cause.")
        case .flowLimited:
            Entry("flow.limited", .warn, "A connection was refused or closed because of a limit, which is named.")
        case .serverOverload:
            Entry("server.overload", .warn, "A worker has too much to do and refuses requests, or has not any more.")
        case .transportError: Entry("transport.error", .warn, "Sending to a peer failed.")
        case .dnsError: Entry("dns.error", .warn, "A host name could not be resolved.")
        case .applicationAsked: Entry("app.ask", .debug, "An application was asked for a document, or told something.")
        case .applicationAnswer: Entry("app.answer", .info, "An application has answered.")
        case .applicationFail:
            Entry("app.fail", .warn, "An application gave nothing that can be used, or could not be told something.")
        case .applicationNote:
            Entry("app.note", .warn, "A document of an application has something that was skipped or corrected.")
        case .recordLost:
            Entry("record.lost", .error, "Records of calls or texts were not stored: the database does not keep up.")
        case .apiChange: Entry("api.change", .info, "A request of the API changed something.")
        case .apiRequest: Entry("api.request", .debug, "A request of the API was answered.")
        case .apiRefused:
            Entry("api.refused", .warn, "The API refused a request, for its credentials or rights, or as HTTP.")
        case .apiError: Entry("api.error", .error, "A request of the API failed in the server.")
        case .sourceBanned:
            Entry("source.banned", .warn, "All packets of an address are dropped for a while: too many failures.")
        case .sourceUnbanned: Entry("source.unbanned", .info, "A ban has ended, or was lifted by an operator.")
        case .logDropped: Entry("log.dropped", .warn, "Lines were lost because nobody read the log fast enough.")
        case .logSuppressed:
            Entry("log.suppressed", .warn, "Repeated lines of one source, or of strangers, were counted, not written.")
        }
    }
}
