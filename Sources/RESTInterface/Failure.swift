import HTTPMessage
import Store

/// Why a request gets no resource, with what its answer says beside the problem.
struct Failure: Error {
    let problem: Problem
    /// One sentence, or two, for the person who reads the answer.
    let message: String
    /// The parameter that is wrong.
    var parameter: String?
    /// Seconds for Retry-After.
    var retryAfter: Int?
    /// The methods for Allow.
    var allow: [HTTPMethod] = []
    /// What only the log tells.
    var detail: String?

    /// A failure that is told in the words of its problem.
    init(_ problem: Problem, parameter: String? = nil) {
        self.problem = problem
        message = "\(problem.cause) \(problem.remedy)"
        self.parameter = parameter
    }

    /// A failure that is told in its own words.
    init(_ problem: Problem, _ message: String, parameter: String? = nil) {
        self.problem = problem
        self.message = message
        self.parameter = parameter
    }

    /// A parameter whose value has a fault; one that sorts is told in the words of Restcomm.
    static func invalid(_ parameter: Parameter, fault: String) -> Failure {
        guard case .order = parameter.kind else { return .invalid(parameter.name, fault) }
        return Failure(
            .parameterInvalid, "Error parsing the \(parameter.name) parameter: \(fault)", parameter: parameter.name)
    }

    /// A parameter with an invalid value.
    static func invalid(_ parameter: String, _ why: String) -> Failure {
        Failure(.parameterInvalid, "\(parameter) is invalid: \(why)", parameter: parameter)
    }

    /// What became of a failure of the store.
    init(_ error: StoreError) {
        switch error {
        case .busy, .full, .readOnly, .overloaded, .cannotOpen:
            self.init(.storeUnavailable)
            retryAfter = 5
        case .tooSlow: self.init(.searchTooLong)
        case .notInEffect: self.init(.changeNotInEffect)
        default: self.init(.unexpected)
        }
        detail = error.description
    }

    /// A form that cannot be read.
    init(_ error: FormError) {
        self.init(error.status == 415 ? .bodyNotForm : .requestMalformed, error.message)
    }

    /// The failure as a resource.
    var representation: Representation {
        var result = Representation("RestcommResponse")
        result.add("code", problem.code)
        result.add("message", message)
        result.add("parameter", parameter)
        result.add("more_info", "Docs/Reasons.md#\(problem.code.lowercased())")
        return result
    }
}
