import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct BindingTests {
    let start = UnixTime(seconds: 1_700_000_000)

    func binding(_ text: Binding.Text, registrationID: UInt32 = 0) -> Binding {
        Binding(
            text, registrationID: registrationID, callIDHash: HashValue(0, 0), sequenceNumber: 1,
            expiresAt: UnixTime(milliseconds: start.milliseconds + 1500), createdAt: start, updatedAt: start,
            flow: Server.flow())
    }

    @Test func `The texts come out as they went in`() {
        let binding = binding(
            Binding.Text(contact: "sip:a@h", instance: "<urn:x>", path: "<sip:p;lr>", userAgent: "Agent/1"))
        #expect(binding.contact == [UInt8]("sip:a@h".utf8))
        #expect(binding.instance == [UInt8]("<urn:x>".utf8))
        #expect(binding.path == [UInt8]("<sip:p;lr>".utf8))
        #expect(binding.userAgent == [UInt8]("Agent/1".utf8))
        #expect(binding.hasInstance)
    }

    @Test func `Absent texts are nil or empty, and the User-Agent is cut at 64`() {
        let long = String(repeating: "u", count: 100)
        let binding = long.withSlice { self.binding(Binding.Text(contact: "sip:a@h", userAgent: $0)) }
        #expect(binding.instance == nil)
        #expect(binding.path == nil)
        #expect(binding.userAgent.count == 64)
    }

    @Test func `Texts beyond all limits are cut and do not trap`() {
        let long = String(repeating: "x", count: 100_000)
        let binding = long.withSlice { self.binding(Binding.Text(contact: $0, instance: $0, path: $0, userAgent: $0)) }
        #expect(binding.contact.count == Binding.contactLimit)
        #expect(binding.path?.count == Binding.pathLimit)
        #expect(binding.instance?.count == Binding.instanceLimit)
    }

    @Test func `The time left is rounded up and ends at 0`() {
        let binding = binding(Binding.Text(contact: "sip:a@h"))
        #expect(binding.secondsLeft(at: start) == 2)
        #expect(binding.secondsLeft(at: UnixTime(milliseconds: start.milliseconds + 1499)) == 1)
        #expect(binding.secondsLeft(at: UnixTime(milliseconds: start.milliseconds + 1500)) == 0)
        #expect(!binding.isLive(at: UnixTime(milliseconds: start.milliseconds + 1500)))
        #expect(binding.secondsLeft(at: UnixTime(milliseconds: .min)) == 0)
    }

    @Test func `A binding is small`() {
        #expect(MemoryLayout<Binding>.stride <= 128)
        #expect(MemoryLayout<ClientEntry>.stride <= 160)
    }

    // MARK: Keys

    @Test(arguments: [
        ("sip:Alice@Example.COM;Transport=UDP", "sip:Alice@example.com;transport=udp"),
        ("SIP:%61lice@h:5060", "sip:alice@h:5060"),
        ("sips:a%20b:p%41@[2001:DB8::1]", "sips:a%20b:pA@[2001:db8::1]"),
        ("sip:a;b@h?Subject=X", "sip:a%3bb@h?Subject=X"),
        ("sip:h", "sip:h"),
        ("tel:+1", "tel:+1"),
    ])
    func `The key without instance-id is the contact in a normal form`(contact: String, key: String) {
        #expect(contact.withSlice { binding(Binding.Text(contact: $0)).key } == [UInt8](key.utf8))
    }

    @Test func `The key with instance-id is that and the reg-id`() {
        let text = Binding.Text(contact: "sip:a@h", instance: "<urn:x>")
        #expect(binding(text, registrationID: 2).key == [UInt8]("<urn:x>;2".utf8))
    }

    @Test func `A Contact is matched by instance-id and reg-id, else by its URI`() {
        let plain = binding(Binding.Text(contact: "sip:a@10.0.0.1:5060;ob"))
        #expect(plain.matches(contact: "sip:a@10.0.0.1:5060", instance: .empty, registrationID: 0))
        #expect(plain.matches(contact: "sip:a@10.0.0.1:5060", instance: "<urn:x>", registrationID: 1))
        // 19.1.4: the port is compared as written, and transport must be in both.
        #expect(!plain.matches(contact: "sip:a@10.0.0.1", instance: .empty, registrationID: 0))
        #expect(!plain.matches(contact: "sip:a@10.0.0.1:5060;transport=tcp", instance: .empty, registrationID: 0))
        let device = binding(Binding.Text(contact: "sip:a@10.0.0.1:5060", instance: "<urn:x>"), registrationID: 1)
        #expect(device.matches(contact: "sip:a@10.9.9.9", instance: "<urn:x>", registrationID: 1))
        #expect(!device.matches(contact: "sip:a@10.0.0.1:5060", instance: "<urn:x>", registrationID: 2))
        #expect(!device.matches(contact: "sip:a@10.0.0.1:5060", instance: "<urn:y>", registrationID: 1))
        #expect(device.matches(contact: "sip:a@10.0.0.1:5060", instance: .empty, registrationID: 0))
    }
}
