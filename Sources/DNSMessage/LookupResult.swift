import Primitives

/// What is known about a question.
public enum LookupResult: Hashable, Sendable {
    /// There are such records.
    case records([RecordValue])
    /// The name is another one's alias, and the answer did not bring that one's records.
    case alias(DNSName)
    /// There is no such name, or it has no such record.
    case absent
    /// No server could say.
    case failed
}

extension DNSResponse {
    /// Aliases that are followed within an answer, and from one answer to another.
    public static let aliasLimit = 8

    /// What the response says about a question, and for how many seconds that holds; `.failed` when it says nothing.
    ///
    /// Only records of the name that was asked for, and of the names that it is an alias of, count; of NAPTR only those
    /// that are used.
    public func result(of question: Question) -> (result: LookupResult, timeToLive: UInt32) {
        guard code == .noError || code == .nameError, !isTruncated else { return (.failed, 0) }
        var name = question.name
        var time = UInt32.max
        for step in 0...DNSResponse.aliasLimit {
            var values: [RecordValue] = []
            var hasRecords = false
            for record in answers where record.name == name && record.type == question.type {
                hasRecords = true
                time = min(time, record.timeToLive)
                if case .namingAuthority(let value) = record.value, !value.isUsed { continue }
                values.append(record.value)
            }
            if hasRecords { return (values.isEmpty ? .absent : .records(values), time) }
            guard
                let alias = answers.first(where: { $0.name == name && $0.type == .cname }),
                case .alias(let next) = alias.value
            else {
                if let negative = negativeTimeToLive { return (.absent, min(time, negative)) }
                // A chain that ends without the answer of its last name: that is asked for by itself.
                if step > 0, code == .noError { return (.alias(name), time) }
                return (.absent, step > 0 ? time : 0)
            }
            time = min(time, alias.timeToLive)
            name = next
        }
        return (.failed, 0)
    }
}
