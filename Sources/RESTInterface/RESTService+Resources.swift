import Store

/// What the resources have in common.
extension RESTService {
    /// A resource of the account in the URL; fails when there is none, or when another account has it.
    func owned<Row>(
        _ call: Call, _ find: (Store) throws(StoreError) -> Row?, account: (Row) -> Int64
    ) throws(Failure) -> Row {
        guard let row = try stored(find) else { throw Failure(.notFound) }
        if account(row) != call.account.id { throw Failure(.resourceElsewhere) }
        return row
    }

    /// A list in the order of creation: a page when one is asked for, else whole.
    ///
    /// - Parameters:
    ///   - place: The place of a row, behind which the list goes on.
    ///   - rows: Gives at most so many rows, behind a place or from this offset on.
    func list<Row, Place>(
        _ call: Call, _ element: String, place: @escaping (Row) -> Place,
        _ representation: @escaping (Row) -> Representation,
        rows: @escaping (Store, _ after: Place?, _ offset: Int64, _ limit: Int64) throws(StoreError) -> [Row]
    ) throws(Failure) -> Reply {
        if PageRequest.isWanted(call) {
            let page = PageRequest(call)
            let found = try stored { store throws(StoreError) in try rows(store, nil, page.offset, page.size) }
            return .array(found.map(representation), element: element)
        }
        var last: Place?
        return try whole(call, element) { store throws(StoreError) in
            let found = try rows(store, last, 0, ResourceStream.pieceSize)
            last = found.last.map(place) ?? last
            return found.map(representation)
        }
    }

    /// A list that is given whole: at once when it is short, else piece by piece.
    ///
    /// - Parameter more: Gives the next resources, none at the end.
    private func whole(
        _ call: Call, _ element: String, _ more: @escaping (Store) throws(StoreError) -> [Representation]
    ) throws(Failure) -> Reply {
        let first: [Representation]
        do {
            first = try settings.stores.lend(more)
        } catch {
            throw Failure(error)
        }
        if Int64(first.count) < ResourceStream.pieceSize { return .array(first, element: element) }
        var isFirst = true
        return .stream(
            ResourceStream(settings.stores, call.format, element: element) { store throws(StoreError) in
                if isFirst {
                    isFirst = false
                    return first
                }
                return try more(store)
            })
    }

    /// Why a parameter that names an application cannot be taken: it must be one of the account. For the inside of a
    /// transaction, so that the application cannot vanish before it is referred to.
    static func missingApplication(
        _ parameter: String, _ call: Call, _ store: Store
    ) throws(StoreError) -> Failure? {
        guard let sid = call.filled(parameter), try store.application(sid: sid)?.accountID != call.account.id else {
            return nil
        }
        return .invalid(parameter, "the account has no application \(sid).")
    }

    /// Why nothing can be created in an account: it was closed since the request was let in.
    static func closedAccount(_ call: Call, _ store: Store) throws(StoreError) -> Failure? {
        let status = try store.account(sid: call.account.sid)?.effectiveStatus
        return status == nil || status == "closed" ? Failure(.accountClosed) : nil
    }
}

extension Call {
    /// Takes the parameters of an application's addresses over: `VoiceUrl`, `VoiceMethod` and so on for `Voice`.
    func apply(_ prefix: String, to urls: inout ApplicationURLs) {
        apply("\(prefix)Url") { urls.url = $0 }
        apply("\(prefix)Method") { urls.method = $0?.uppercased() ?? "POST" }
        apply("\(prefix)FallbackUrl") { urls.fallbackURL = $0 }
        apply("\(prefix)FallbackMethod") { urls.fallbackMethod = $0?.uppercased() ?? "POST" }
    }
}

extension Representation {
    /// Adds the members of an application's addresses: `voice_url`, `voice_method` and so on for `voice`.
    mutating func add(_ prefix: String, _ urls: ApplicationURLs) {
        add("\(prefix)_url", urls.url)
        add("\(prefix)_method", urls.method)
        add("\(prefix)_fallback_url", urls.fallbackURL)
        add("\(prefix)_fallback_method", urls.fallbackMethod)
    }
}

extension Parameter {
    /// The parameters of an application's addresses.
    static func urls(_ prefix: String, _ what: String) -> [Parameter] {
        [
            Parameter("\(prefix)Url", .url, "The address that answers \(what); empty for none."),
            Parameter("\(prefix)Method", .method, "How \(prefix)Url is fetched; empty for POST."),
            Parameter("\(prefix)FallbackUrl", .url, "The address tried when \(prefix)Url fails; empty for none."),
            Parameter("\(prefix)FallbackMethod", .method, "How \(prefix)FallbackUrl is fetched; empty for POST."),
        ]
    }

    /// The parameters of who is told of a call's states.
    static let statusCallback = [
        Parameter("StatusCallback", .url, "The address that is told of each state of a call; empty for none."),
        Parameter("StatusCallbackMethod", .method, "How StatusCallback is called; empty for POST."),
    ]
}

extension Schema {
    /// The members of an application's addresses.
    static func urls(_ prefix: String, _ what: String) -> [Member] {
        [
            Member("\(prefix)_url", .text, "The address that answers \(what).", optional: true),
            Member("\(prefix)_method", .word(["GET", "POST"]), "How \(prefix)_url is fetched."),
            Member("\(prefix)_fallback_url", .text, "The address tried when \(prefix)_url fails.", optional: true),
            Member("\(prefix)_fallback_method", .word(["GET", "POST"]), "How \(prefix)_fallback_url is fetched."),
        ]
    }

    /// The members of who is told of a call's states.
    static let statusCallback = [
        Member("status_callback", .text, "The address that is told of each state of a call.", optional: true),
        Member("status_callback_method", .word(["GET", "POST"]), "How status_callback is called."),
    ]
}
