import Foundation
import FoundationXML
import Observability
import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct SchemaTests {
    let api: API

    init() throws { api = try API() }

    /// Holds a representation against its schema.
    private func check(
        _ members: [Representation.Member], _ schema: Schema, isFull: Bool,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let names = members.map(\.name)
        let expected = schema.members.filter { isFull || $0.isAlwaysThere || names.contains($0.name) }.map(\.name)
        #expect(names == expected, "\(schema.name)", sourceLocation: location)
        for member in members {
            guard let kind = schema.members.first(where: { $0.name == member.name })?.kind else { continue }
            #expect(fits(member.value, kind), "\(schema.name).\(member.name)", sourceLocation: location)
            if case .object(let inner) = kind, case .object(let members) = member.value {
                check(members, inner, isFull: isFull, location)
            }
        }
    }

    private func fits(_ value: Representation.Value, _ kind: Schema.Kind) -> Bool {
        switch (kind, value) {
        case (.text, .text), (.number, .number), (.flag, .flag), (.object, .object): true
        case (.date, .text(let text)):
            text.contains(/^[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} \+0000$/)
        case (.timestamp, .text(let text)):
            text.contains(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$/)
        case (.word(let words), .text(let text)): words.contains(text)
        case (.sid(let prefix), .text(let text)): Parameter.isSID(text, prefix)
        default: false
        }
    }

    private func call(_ account: AccountRow) -> Call {
        Call(
            caller: api.top, account: account, path: [:], parameters: .init(), format: .json, now: api.clock.now)
    }

    @Test func `Every member of a representation is in its schema in the same order, every required one is there`()
        throws
    {
        let child = try api.account("Child", below: api.top, email: "a@b")
        let nameless = try api.account("Nameless")
        check(RESTService.representation(of: child, call(child)).members, .account, isFull: true)
        check(RESTService.representation(of: nameless, call(nameless)).members, .account, isFull: false)

        let call = call(api.top)
        var client = try api.client("alice")
        check(api.service.representation(of: client, call).members, .client, isFull: false)
        let sid = "AP" + String(repeating: "0", count: 32)
        (client.voiceURL, client.voiceFallbackURL, client.voiceApplicationSID) = ("/a", "/b", sid)
        check(api.service.representation(of: client, call).members, .client, isFull: true)
        client.password = nil
        check(api.service.representation(of: client, call).members, .client, isFull: false)

        var urls = ApplicationURLs()
        (urls.url, urls.fallbackURL) = ("/a", "/b")
        var application = try api.application("App")
        check(RESTService.representation(of: application, call).members, .application, isFull: false)
        (application.voice, application.sms, application.statusCallback) = (urls, urls, "/c")
        check(RESTService.representation(of: application, call).members, .application, isFull: true)

        var number = try api.number("123")
        check(RESTService.representation(of: number, call).members, .number, isFull: false)
        (number.voice, number.sms, number.statusCallback) = (urls, urls, "/c")
        (number.voiceApplicationSID, number.smsApplicationSID) = (sid, sid)
        check(RESTService.representation(of: number, call).members, .number, isFull: true)

        var binding = api.binding(client)
        for isFull in [false, true] {
            if isFull { (binding.instance, binding.transport) = ([1], .tcp) }
            try api.bind([binding])
            let (id, key) = (client.id, binding.key)
            let row = try api.stored { store throws(StoreError) in try store.binding(ofClient: id, key: key) }
            check(
                RESTService.representation(of: try #require(row), call).members, .registration, isFull: isFull)
        }
    }

    @Test func `Every member of a record is in its schema in the same order, every required one is there`() throws {
        let call = call(api.top)
        for status in CallStatus.allCases {
            var row = try api.call("a", "b") { $0.status = status }
            check(RESTService.representation(of: row, call).members, .call, isFull: false)
            (row.parent, row.ringingAt, row.answeredAt, row.endedAt) = (
                row.number, row.startedAt, row.startedAt, row.startedAt
            )
            (row.sipStatus, row.reason) = (480, Int64(Reason.calleeNotRegistered.rawValue))
            check(RESTService.representation(of: row, call).members, .call, isFull: true)
        }
        for status in MessageStatus.allCases {
            var row = try api.message("a", "b") { $0.status = status }
            check(RESTService.representation(of: row, call).members, .message, isFull: false)
            (row.endedAt, row.sipStatus, row.reason) = (row.createdAt, 480, Int64(Reason.calleeNotRegistered.rawValue))
            check(RESTService.representation(of: row, call).members, .message, isFull: true)
        }
    }

    @Test func `Every member of a registration's state is in its schema in the same order`() throws {
        let client = try api.client("alice")
        let call = Call(
            caller: api.top, account: api.top, path: ["ClientSid": client.sid], parameters: .init(), format: .json,
            now: api.clock.now)
        for isFull in [false, true] {
            if isFull {
                try api.bind([api.binding(client)])
                let now = api.clock.now
                api.phones.content.withLock {
                    $0.failures["alice"] = AttemptReport(
                        date: now, source: "192.0.2.9:5060", transport: "tcp", userAgent: "", method: "REGISTER",
                        refusal: Phones.refusal)
                }
            }
            guard case .resource(let resource) = try api.service.registrationStatus(call) else {
                Issue.record("no resource")
                return
            }
            check(resource.members, .registrationStatus, isFull: isFull)
        }
    }

    @Test func `The names are unique, and XML has them all with words capitalised`() throws {
        for schema in [
            Schema.client, .account, .application, .number, .call, .message, .registration, .registrationStatus,
        ] {
            #expect(Set(schema.members.map(\.name)).count == schema.members.count)
            #expect(schema.members.allSatisfy { $0.meaning.hasSuffix(".") })
        }
        let client = try api.client("alice")
        let json = api.send("GET", "Clients/\(client.sid)").object.keys
        let xml = api.send("GET", "Clients/\(client.sid).xml").xml?.elements(forName: "Client").first
        let elements = xml?.children?.filter { $0.kind == .element }.compactMap(\.name) ?? []
        #expect(Set(elements) == Set(json.map { $0.split(separator: "_").map(\.capitalized).joined() }))
    }
}
