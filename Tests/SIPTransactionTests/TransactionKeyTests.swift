import Primitives
import SIPTransaction
import Testing

@Suite struct TransactionKeyTests {
    private static let secret = HashKey(1, 2)

    private func key(
        _ method: ByteSlice = "INVITE", branch: ByteSlice = "z9hG4bK776asdhds", host: ByteSlice = "pc33.atlanta.com",
        port: UInt16 = 5060, secret: HashKey = secret
    ) -> TransactionKey {
        TransactionKey(method: method, branch: branch, host: host, port: port, secret: secret)
    }

    private func oldKey(
        _ method: ByteSlice = "INVITE", requestURI: ByteSlice = "sip:bob@biloxi.com", fromTag: ByteSlice = "9fxced76sl",
        callID: ByteSlice = "3848276298220188511@atlanta.com", sequence: UInt32 = 2,
        via: ByteSlice = "SIP/2.0/UDP client.atlanta.com:5060;branch=1"
    ) -> TransactionKey {
        TransactionKey(
            method: method, requestURI: requestURI, fromTag: fromTag, callID: callID, sequence: sequence, via: via,
            secret: Self.secret)
    }

    @Test func rfc3261Section8117OnlyABranchWithTheMagicCookieIsUnique() {
        #expect(TransactionKey.isUnique(branch: "z9hG4bK776asdhds"))
        #expect(TransactionKey.isUnique(branch: "Z9HG4BK7"))
        #expect(!TransactionKey.isUnique(branch: "z9hG4bK"))
        #expect(!TransactionKey.isUnique(branch: "1") && !TransactionKey.isUnique(branch: ""))
        #expect(!TransactionKey.isUnique(branch: "xz9hG4bK776asdhds"))
    }

    @Test func rfc3261Section1723ARetransmissionHasTheSameKey() {
        #expect(key() == key())
        #expect(Set([key(), key()]).count == 1)
    }

    @Test func rfc3261Section1723BranchSentByAndMethodAllCount() {
        let keys = [
            key(), key(branch: "z9hG4bK776asdhdt"), key(host: "pc34.atlanta.com"), key(port: 5061), key(port: 0),
            key("BYE"), key("CANCEL"), key("OPTIONS"), key(secret: HashKey(1, 3)),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func rfc3261Section731HostAndBranchAreComparedWithoutCase() {
        #expect(key(host: "PC33.Atlanta.COM") == key())
        #expect(key(branch: "z9hg4bk776ASDHDS") == key())
        #expect(key("invite") != key("INVITE"), "methods are compared with case")
    }

    @Test func rfc3261Section1723AnACKHasTheKeyOfItsINVITE() {
        #expect(key("ACK") == key("INVITE"))
        #expect(oldKey("ACK") == oldKey("INVITE"))
    }

    @Test func rfc3261Section92ACANCELIsATransactionOfItsOwnAndFindsItsINVITE() {
        let invite = TransactionKey(
            cancelledByBranch: "z9hG4bK776asdhds", host: "pc33.ATLANTA.com", port: 5060, secret: Self.secret)
        #expect(invite == key("INVITE") && invite != key("CANCEL"))
        #expect(oldKey("CANCEL") != oldKey("INVITE"))
    }

    @Test func partsThatRunTogetherDifferentlyAreDifferentKeys() {
        #expect(key(branch: "z9hG4bKa", host: "bc") != key(branch: "z9hG4bKab", host: "c"))
        #expect(oldKey(requestURI: "sip:a", fromTag: "bc") != oldKey(requestURI: "sip:ab", fromTag: "c"))
        #expect(oldKey(fromTag: "a", callID: "bc") != oldKey(fromTag: "ab", callID: "c"))
        #expect(oldKey(callID: "a", via: "bc") != oldKey(callID: "ab", via: "c"))
    }

    @Test func rfc3261Section1723ARequestOfRFC2543IsKnownByItsURITagCallIDSequenceAndVia() {
        let keys = [
            oldKey(), oldKey("BYE"), oldKey(requestURI: "sip:carol@biloxi.com"), oldKey(fromTag: ""),
            oldKey(callID: "other"), oldKey(sequence: 3), oldKey(via: "SIP/2.0/UDP client.atlanta.com:5060;branch=2"),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(oldKey() == oldKey())
    }

    @Test func rfc3261Section1713AResponseIsKnownByBranchAndMethod() {
        func response(_ branch: ByteSlice, _ method: ByteSlice) -> TransactionKey {
            TransactionKey(responseBranch: branch, method: method, secret: Self.secret)
        }
        #expect(response("z9hG4bK1", "INVITE") == response("z9hG4bK1", "INVITE"))
        #expect(response("z9hG4bK1", "INVITE") != response("z9hG4bK1", "CANCEL"))
        #expect(response("z9hG4bK1", "INVITE") != response("z9hG4bK2", "INVITE"))
        #expect(response("z9hG4bK776asdhds", "INVITE") != key(host: "", port: 0))
    }
}
