import HTTPMessage
import Store
import Testing

@testable import RESTInterface

@Suite struct FailureTests {
    private func names(_ failure: Failure) -> [String] { failure.representation.members.map(\.name) }

    @Test func `A failure is told in the words of its problem or in its own`() {
        let failure = Failure(.ownStatus)
        #expect(failure.message == "\(Problem.ownStatus.cause) \(Problem.ownStatus.remedy)")
        #expect(names(failure) == ["code", "message", "more_info"])
        let other = Failure.invalid("Login", "it is empty.")
        #expect(other.problem == .parameterInvalid && other.message == "Login is invalid: it is empty.")
        #expect(names(other) == ["code", "message", "parameter", "more_info"])
        guard case .text(let address)? = other.representation.members.last?.value else {
            Issue.record("no address")
            return
        }
        #expect(address == "Docs/Reasons.md#r-3302")
    }

    @Test(arguments: [
        StoreError.busy(path: "p"), .full(path: "p"), .readOnly(path: "p"), .overloaded(path: "p"),
    ])
    func `What a store cannot do now may be tried again`(error: StoreError) {
        let failure = Failure(error)
        #expect(failure.problem == .storeUnavailable && failure.retryAfter == 5)
        #expect(failure.detail == error.description)
        #expect(!failure.message.contains("database p"))
    }

    @Test(arguments: [
        StoreError.damaged(path: "p", detail: "d"), .other(path: "p", code: 1, message: "m"),
        .constraint(path: "p", rule: .unique, detail: "d"),
    ])
    func `Other errors of a store are not expected, and only the log tells them`(error: StoreError) {
        let failure = Failure(error)
        #expect(failure.problem == .unexpected && failure.retryAfter == nil)
        #expect(failure.detail == error.description)
    }

    @Test func `A form that cannot be read is of another type or malformed`() {
        #expect(Failure(FormError.unsupportedType).problem == .bodyNotForm)
        #expect(Failure(FormError.unsupportedCharacterSet).problem == .bodyNotForm)
        for error in [FormError.invalidEscape, .invalidText, .tooManyFields] {
            #expect(Failure(error).problem == .requestMalformed)
            #expect(Failure(error).message == error.message)
        }
    }
}
