import Foundation
import HTTPMessage
import Primitives
import RESTInterface
import Store
import Transport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The way of a command to the API: to the running server by HTTP, or, when none runs, to a service of its own on the
/// database. So a command does the same in both cases.
final class APIConnection {
    private enum Way {
        case network(String)
        case service(RESTService)
    }

    private let way: Way
    private let site: Site
    /// The account that the command acts for.
    let account: AccountRow

    /// Finds the way; makes the database when `mayCreate`.
    init(_ site: Site, mayCreate: Bool = false) throws {
        self.site = site
        let store = try mayCreate ? site.openStore() : site.openExisting()
        account = try site.account(in: store).account
        if let address = DatabaseLock.announcedAddress(path: site.databasePath) {
            way = .network("http://\(address)")
        } else {
            let transactions = try DirectTransactions(
                path: site.databasePath, options: site.storeOptions, checked: false)
            let settings = APIServer.restSettings(site, transactions, nil, SilentObserver())
            way = .service(try RESTService(settings, clock: { System.now().unix }))
        }
    }

    /// Sends a request and gives the answer's body; the message of a failure becomes the command's.
    ///
    /// - Parameters:
    ///   - resource: The path behind `/Accounts/`, without a suffix.
    ///   - query: The query, encoded; empty for none.
    ///   - form: The parameters of a POST, nil for a request without a body.
    @discardableResult
    func send(
        _ method: HTTPMethod, _ resource: String, query: String = "", form: [(name: String, value: String)]? = nil
    ) throws -> Data {
        let body = (form ?? []).map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
        let (status, answer) = try exchange(method, resource, query, form == nil ? nil : body)
        return try Self.checked(status, answer, method, resource)
    }

    /// Deletes a resource; false when there is none, because it has ended meanwhile.
    func deleteIfThere(_ resource: String) throws -> Bool {
        let (status, answer) = try exchange(.delete, resource, "", nil)
        if status == 404 { return false }
        _ = try Self.checked(status, answer, .delete, resource)
        return true
    }

    private func exchange(
        _ method: HTTPMethod, _ resource: String, _ query: String, _ body: String?
    ) throws -> (Int, Data) {
        switch way {
        case .network(let server): try request(server, method, resource, query, body.map { Data($0.utf8) })
        case .service(let service): try ask(service, method, resource, query, Array((body ?? "").utf8))
        }
    }

    private static func checked(
        _ status: Int, _ answer: Data, _ method: HTTPMethod, _ resource: String
    ) throws -> Data {
        if (200..<300).contains(status) { return answer }
        let failure = try? JSONDecoder().decode(FailureAnswer.self, from: answer)
        throw CommandFailure(failure?.message ?? "the server answered \(status) to \(method.name) of \(resource)")
    }

    /// Text as a form and a query have it.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private struct FailureAnswer: Decodable {
        let message: String
    }

    private var authorization: String {
        "Basic " + Data("\(account.sid):\(account.authToken)".utf8).base64EncodedString()
    }

    // MARK: The running server

    private func request(
        _ server: String, _ method: HTTPMethod, _ resource: String, _ query: String, _ body: Data?
    ) throws -> (Int, Data) {
        guard
            let url = URL(
                string: "\(server)/api/2012-04-24/Accounts/\(resource).json\(query.isEmpty ? "" : "?" + query)")
        else { throw CommandFailure("\(resource) cannot be put into a URL") }
        var request = URLRequest(url: url, timeoutInterval: 30)
        request.httpMethod = method.name
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        if let body {
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            request.httpBody = body
        }
        // A proxy of the environment has no business between the command and its server.
        let configuration = URLSessionConfiguration.ephemeral
        configuration.connectionProxyDictionary = [:]
        let answer = Answer()
        URLSession(configuration: configuration).dataTask(with: request) { data, response, error in
            answer.set(data, response, error)
        }.resume()
        let (data, response, error) = answer.wait()
        guard let response = response as? HTTPURLResponse, let data else {
            throw CommandFailure(
                "the running server does not answer at \(server) (\(error?.localizedDescription ?? "no answer")); "
                    + "look into its log, or try again")
        }
        return (response.statusCode, data)
    }

    /// Where URLSession's thread leaves what came.
    private final class Answer: @unchecked Sendable {
        // Unchecked: written before `isThere` is signalled, read after it was waited for.
        private var content: (Data?, URLResponse?, (any Error)?) = (nil, nil, nil)
        private let isThere = DispatchSemaphore(value: 0)

        func set(_ data: Data?, _ response: URLResponse?, _ error: (any Error)?) {
            content = (data, response, error)
            isThere.signal()
        }

        func wait() -> (Data?, URLResponse?, (any Error)?) {
            isThere.wait()
            return content
        }
    }

    // MARK: The database

    private func ask(
        _ service: RESTService, _ method: HTTPMethod, _ resource: String, _ query: String, _ body: [UInt8]
    ) throws -> (Int, Data) {
        var headers = HTTPHeaders()
        headers.append("Authorization", authorization)
        headers.append("Content-Type", "application/x-www-form-urlencoded")
        let path = "/api/2012-04-24/Accounts/\(resource).json"
        let fields = try query.withSlice { try FormFields(parsing: $0) }
        let response = service.respond(
            to: HTTPRequest(
                method: method, path: path.split(separator: "/").map(String.init), rawPath: path, query: fields,
                headers: headers, body: body, source: IPAddress(ipv4: 0x7f00_0001)))
        var answer: [UInt8] = []
        switch response.body {
        case .none: break
        case .bytes(let bytes): answer = bytes
        case .stream(let stream): while let part = try stream.next() { answer += part }
        }
        return (response.status, Data(answer))
    }
}

/// Tells nobody: a command prints its own outcome.
private struct SilentObserver: RequestObserver {
    func answered(_ report: RequestReport) {}
}
