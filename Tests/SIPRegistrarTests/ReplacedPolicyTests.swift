import Admission
import SIPAuthentication
import Testing

@testable import SIPRegistrar

@Suite("Rules that are replaced while the server runs") struct ReplacedPolicyTests {
    let server = Server()
    let phone = Phone()

    @Test func `The registrar goes by the new rules from the next request on`() {
        #expect(server.register(phone.with { $0.expires = "60" }).status == 200)
        var policy = RegistrarPolicy()
        policy.minExpires = 120
        policy.maxExpires = 300
        server.registrar.replacePolicy(policy)
        let brief = server.register(phone.next.with { $0.expires = "60" })
        #expect(brief.status == 423)
        #expect(brief.values("Min-Expires") == ["120"])
        #expect(server.register(phone.next.next).contacts.first?.hasSuffix("expires=300") == true)
    }

    @Test func `Challenges offer the new algorithms, and the old ones are no longer taken`() {
        var policy = AuthenticationPolicy()
        policy.algorithms = [.sha256]
        server.authenticator.replacePolicy(policy)
        let offered = server.send(phone.request).values("WWW-Authenticate")
        #expect(offered.count == 1)
        #expect(offered.first?.contains("algorithm=SHA-256") == true)
        #expect(server.register(phone).status == 401)
        #expect(server.register(phone.with { $0.algorithm = "SHA-256" }).status == 200)
    }

    @Test func `Nonces that are out stay good, for as long as the new rules say`() {
        let nonce = server.nonce()
        var policy = AuthenticationPolicy()
        policy.nonceLifetime = 10_000
        server.authenticator.replacePolicy(policy)
        #expect(server.send(phone.signed(nonce: nonce)).status == 200)
        server.wait(seconds: 11)
        #expect(server.send(phone.next.with { $0.nonceCount = 2 }.signed(nonce: nonce)).status == 401)
    }

    @Test func `The limit and the window of failures are the new ones`() {
        var policy = AdmissionPolicy()
        policy.failuresBeforeDelay = 1
        policy.failureWindow = 5_000
        server.admission.replacePolicy(policy)
        let wrong = phone.with { $0.password = "wrong" }
        #expect(server.register(wrong).status == 401)
        #expect(server.register(wrong.next).status == 403)
        server.wait(seconds: 6)
        #expect(server.register(wrong.next.next).status == 401)
    }
}
