import HTTPMessage
import Primitives
import Store

/// The REST API: answers one request after the other. Each thread of the HTTP server has one of its own, with a
/// connection to the database; what they share is `RESTSettings`.
public final class RESTService: HTTPHandler {
    let settings: RESTSettings
    /// What is stored, for this thread.
    let store: Store
    private let clock: @Sendable () -> UnixTime

    /// A service with a reading connection of its own; `clock` gives the calendar time.
    public init(_ settings: RESTSettings, clock: @escaping @Sendable () -> UnixTime) throws(StoreError) {
        self.settings = settings
        self.clock = clock
        store = try settings.openStore()
    }

    /// The calendar time.
    func now() -> UnixTime { clock() }

    /// Reads from the store.
    func stored<Result>(_ body: (Store) throws(StoreError) -> Result) throws(Failure) -> Result {
        do {
            return try store.searching(body)
        } catch {
            throw Failure(error)
        }
    }

    /// Changes the store: all that `body` does or, when it throws, nothing. When it returns, the change is stored and in
    /// effect. A failure that `body` returns is thrown; it must be found before anything is changed.
    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result<Value, Failure>
    ) throws(Failure) -> Value {
        let result: Result<Value, Failure>
        do {
            result = try settings.transactions.perform(body)
        } catch {
            throw Failure(error)
        }
        return try result.get()
    }

    /// Answers a request (RFC 9110).
    public func respond(to request: HTTPRequest) -> HTTPResponse {
        var path = request.path
        // A path may end with a slash.
        if path.count > 1, path.last == "" { path.removeLast() }
        path = ResponseFormat.withoutSuffixes(path)
        let format = ResponseFormat(of: request)
        var report = RequestReport(request)
        let response: HTTPResponse
        do throws(Failure) {
            response = try answer(request, path, format, &report)
        } catch {
            report.failure = (error.problem, error.detail)
            response = RESTService.response(to: error, format)
        }
        report.status = response.status
        settings.observer.answered(report)
        return response
    }

    /// The answer of the HTTP server itself to a request that it cannot hand on.
    public static func serverError(
        status: Int, message: String, wantsJSON: Bool
    ) -> (contentType: String, body: [UInt8]) {
        let problem = Problem(ofServerStatus: status)
        let format: ResponseFormat = wantsJSON ? .json : .xml
        return (format.contentType, format.body(of: Failure(problem, message.isEmpty ? problem.cause : message)))
    }

    // MARK: Routing

    private func answer(
        _ request: HTTPRequest, _ path: [String], _ format: ResponseFormat, _ report: inout RequestReport
    ) throws(Failure) -> HTTPResponse {
        // RFC 9110 9.3.7: of the server as a whole.
        if request.method == .options, request.rawPath == "*" {
            return RESTService.options([.options, .get, .head, .post, .put, .delete])
        }
        if request.path == ["openapi.json"] { return try openAPI(request) }
        let unknownPath = Failure(
            .notFound, "There is no such path; upper and lower case matter. /openapi.json has all paths.")
        guard let resource = RESTService.withoutPrefix(path) else { throw unknownPath }
        let candidates = Operation.all.filter { $0.path.matches(resource) }
        guard let values = candidates.first?.path.values(of: resource) else { throw unknownPath }
        let allowed = RESTService.methods(of: candidates)
        if request.method == .options { return RESTService.options(allowed) }
        let method = request.method == .head ? HTTPMethod.get : request.method
        // Who it is comes first: a stranger learns nothing of what there is.
        let caller = try authenticate(request, &report)
        guard let operation = candidates.first(where: { $0.method == method }) else {
            var failure = Failure(.methodNotAllowed)
            failure.allow = allowed
            throw failure
        }
        let account = try account(named: values["AccountSid"], caller: caller)
        let call = Call(
            caller: caller, account: account, path: values, parameters: try parameters(of: request, operation),
            format: format, now: now())
        return RESTService.response(to: try operation.run(self, call), operation, format)
    }

    /// The path behind any of the prefixes that mean the same.
    private static func withoutPrefix(_ path: [String]) -> [String]? {
        for prefix in [["restcomm", "2012-04-24"], ["api", "2012-04-24"], ["2012-04-24"]]
        where path.starts(with: prefix) { return Array(path.dropFirst(prefix.count)) }
        return nil
    }

    private static func methods(of operations: [Operation]) -> [HTTPMethod] {
        var methods: [HTTPMethod] = [.options]
        for operation in operations {
            if !methods.contains(operation.method) { methods.append(operation.method) }
            if operation.method == .get { methods.append(.head) }
        }
        return methods
    }

    private func openAPI(_ request: HTTPRequest) throws(Failure) -> HTTPResponse {
        let allowed: [HTTPMethod] = [.options, .get, .head]
        guard allowed.contains(request.method) else {
            var failure = Failure(.methodNotAllowed)
            failure.allow = allowed
            throw failure
        }
        if request.method == .options { return RESTService.options(allowed) }
        var response = HTTPResponse(status: 200, body: .bytes(OpenAPI.bytes))
        response.headers.append("Content-Type", "application/json")
        return response
    }

    private static func options(_ allowed: [HTTPMethod]) -> HTTPResponse {
        var response = HTTPResponse(status: 204)
        response.headers.append("Allow", allowed.map(\.name).joined(separator: ", "))
        return response
    }

    // MARK: Parameters

    /// The parameters of a request, those checked that the operation knows; others are ignored.
    private func parameters(of request: HTTPRequest, _ operation: Operation) throws(Failure) -> FormFields {
        let fields: FormFields
        if operation.takesForm {
            do {
                fields = try request.form
            } catch {
                throw Failure(error)
            }
        } else {
            fields = request.query
        }
        for parameter in operation.parameters where parameter.isRequired && fields[parameter.name] == nil {
            let name = parameter.name == "FriendlyName" ? "Friendly name" : parameter.name
            throw Failure(.parameterMissing, "\(name) can not be null.", parameter: parameter.name)
        }
        for parameter in operation.parameters {
            guard let value = fields[parameter.name], let fault = parameter.fault(of: value) else { continue }
            throw Failure.invalid(parameter, fault: fault)
        }
        return fields
    }

    // MARK: Answers

    private static func response(to reply: Reply, _ operation: Operation, _ format: ResponseFormat) -> HTTPResponse {
        var response = HTTPResponse(status: operation.success)
        switch reply {
        case .empty: return response
        case .resource(let resource): response.body = .bytes(format.body(of: resource))
        case .array(let resources, let element): response.body = .bytes(format.body(of: resources, element: element))
        case .page(let page): response.body = .bytes(format.body(of: page))
        case .stream(let stream): response.body = .stream(stream)
        }
        response.headers.append("Content-Type", format.contentType)
        return response
    }

    private static func response(to failure: Failure, _ format: ResponseFormat) -> HTTPResponse {
        var response = HTTPResponse(status: failure.problem.status, body: .bytes(format.body(of: failure)))
        response.headers.append("Content-Type", format.contentType)
        if failure.problem == .notAuthenticated {
            response.headers.append("WWW-Authenticate", "Basic realm=\"Restcomm realm\"")
        }
        if let seconds = failure.retryAfter { response.headers.append("Retry-After", String(seconds)) }
        if !failure.allow.isEmpty {
            response.headers.append("Allow", failure.allow.map(\.name).joined(separator: ", "))
        }
        return response
    }
}
