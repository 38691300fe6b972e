import Primitives

@testable import DNSMessage
@testable import NameResolution

/// Reads a response of a DNS server, a file of hosts or of servers, or plays a script against the resolver; the first byte
/// says which.
func fuzzDNS(_ input: ByteSlice) {
    guard let kind = input.first else { return }
    switch kind % 3 {
    case 0: readResponse(input.from(1))
    case 1: ResolverScript().play(input.from(1))
    default: readFiles(input.from(1))
    }
}

private func readResponse(_ text: ByteSlice) {
    let header = DNSHeader(text)
    guard let response = DNSResponse(text) else { return }
    require(header != nil, "a response without a header")
    require(response.answers.count <= DNSResponse.recordLimit, "more records than are kept")
    require(!response.isTruncated || response.answers.isEmpty, "records of a truncated answer")
    for record in response.answers {
        check(record.name)
        for type in [record.type, .a, .cname] { check(response, Question(record.name, type)) }
        checkQuery(Question(record.name, record.type))
    }
}

/// What a response says about a question is in it.
private func check(_ response: DNSResponse, _ question: Question) {
    let (result, time) = response.result(of: question)
    switch result {
    case .records(let values):
        require(!values.isEmpty, "an answer without records")
        for value in values {
            let record = response.answers.first { $0.type == question.type && $0.value == value }
            require(record != nil, "a record that is not in the response")
        }
        let times = response.answers.map(\.timeToLive)
        require(times.contains(time), "a time that is not in the response")
    case .alias(let name):
        check(name)
        require(response.answers.contains { $0.value == .alias(name) }, "an alias that is not in the response")
    case .absent, .failed: break
    }
}

/// The wire form of a name is one, and its text has nothing that could end a log line.
private func check(_ name: DNSName) {
    require(name.labels.count <= DNSName.limit, "a name of \(name.labels.count) bytes")
    var position = 0
    while position < name.labels.count {
        require((1...63).contains(name.labels[position]), "a label of \(name.labels[position]) bytes")
        position += 1 + Int(name.labels[position])
    }
    require(position == name.labels.count, "a label ends beyond its name")
    require(name.text.allSatisfy { $0 > 32 && $0 < 127 }, "a name with bytes that are no text")
    _ = name.lastLabel.count
    if let rest = name.withoutService {
        require(name.labels.suffix(rest.labels.count).elementsEqual(rest.labels), "a name without its end")
    }
}

/// A query is answered by what repeats its question, in whatever case it is.
private func checkQuery(_ question: Question) {
    let query = DNSQuery(question, identifier: 0x1234, letters: 0x5555_5555_5555_5555, isExtended: true)
    let plain = DNSQuery(question, identifier: 0x1234, letters: 0, isExtended: false)
    var answer = query.bytes
    answer[2] |= 0x80
    answer.withSlice { text in
        let header = DNSHeader(text)
        require(header?.match(query) == .exact, "a query is not answered by its own question")
        let isSame = query.question == plain.question
        require(header?.match(plain) == (isSame ? .exact : .exceptCase), "the case of letters counts wrongly")
    }
}

private func readFiles(_ text: ByteSlice) {
    let servers = ServerList.servers(file: text)
    require((1...ServerList.limit).contains(servers.count), "\(servers.count) servers")
    require(servers.allSatisfy { $0.port == ServerList.port }, "a server with another port")
    let table = HostTable(file: text)
    for word in text.prefix(512).words(commentAt: []) {
        guard let name = DNSName(host: word) else { continue }
        check(name)
        require(name.text.withSlice { DNSName(host: $0) } != nil, "a name whose text is none: \(word.string)")
        for type: RecordType in [.a, .aaaa, .srv] {
            guard case .records(let values) = table.result(of: Question(name, type)) else { continue }
            require((1...DNSResponse.recordLimit).contains(values.count), "\(values.count) addresses of a host")
            for value in values {
                guard case .address(let address) = value else { fail("a host has what is no address") }
                require(address.isIPv4 == (type == .a), "an address of the other version")
            }
        }
    }
}
