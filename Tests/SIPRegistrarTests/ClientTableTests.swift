import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct ClientTableTests {
    func key(_ number: Int) -> LoginKey { LoginKey(hash: HashValue(UInt64(number), 0)) }

    func entry(_ number: Int) -> ClientEntry {
        ClientEntry(id: Int64(number), sid: .empty, login: .empty, password: .none, isEnabled: true)
    }

    @Test func `Each client is found where it was put, over many pieces`() {
        var table = ClientTable()
        #expect(table.placeCount == 0)
        for number in 0..<1000 { table.insert(entry(number), key(number)) }
        #expect(table.placeCount == 1000)
        for number in 0..<1000 {
            let position = table.position(of: key(number))
            #expect(position.map { table.update($0) { $0.id } } == Int64(number))
        }
        #expect(table.position(of: key(1000)) == nil)
    }

    @Test func `A place that was freed is used again, and nothing is left in it`() {
        var table = ClientTable()
        for number in 0..<100 { table.insert(entry(number), key(number)) }
        for number in 0..<50 { #expect(table.remove(key(number))?.id == Int64(number)) }
        #expect(table.remove(key(0)) == nil)
        #expect(table.clientCount == 50)
        for number in 100..<150 { table.insert(entry(number), key(number)) }
        #expect(table.placeCount == 100)
        #expect(table.clientCount == 100)
        for number in 50..<150 {
            #expect(table.position(of: key(number)).map { table.update($0) { $0.id } } == Int64(number))
        }
    }

    @Test func `Bindings are counted as they come and go`() {
        var table = ClientTable()
        let binding = Binding(
            Binding.Text(contact: "sip:a@h"), callIDHash: HashValue(0, 0), sequenceNumber: 1,
            expiresAt: UnixTime(seconds: 1), createdAt: UnixTime(seconds: 0), updatedAt: UnixTime(seconds: 0),
            flow: Server.flow())
        table.insert(entry(1), key(1))
        table.update(0) { $0.bindings = [binding, binding] }
        #expect(table.bindingCount == 2)
        table.update(0) { _ = $0.bindings.removeLast() }
        #expect(table.bindingCount == 1)
        #expect(table.remove(key(1))?.bindings.count == 1)
        #expect(table.bindingCount == 0)
    }
}
