import Primitives
import SIPAuthentication

/// Reads credentials and challenges of digest, and checks answers in both of the ways there are.
func fuzzDigest(_ input: ByteSlice) {
    if let challenge = DigestChallengeHeader(input) {
        _ = (challenge.isAnswerable, challenge.offers(.auth), challenge.isStale)
    }
    let verdict = nonces.check(input, now: now)
    require(verdict == .forged || input.count == Nonce.textLength, "a nonce of another length is good")
    guard let credentials = try? DigestCredentials(input) else { return }
    _ = credentials.admitsAnything
    for method: ByteSlice in ["REGISTER", "INVITE"] {
        let isRight = DigestVerification.matches(credentials, password: password, method: method, body: "body")
        let expected = DigestVerification.expectedResponse(
            to: credentials, password: password, method: method, body: "body")
        require(
            isRight == (expected?.hexadecimal.matches(credentials.response) ?? false),
            "two ways to check an answer disagree")
        // Nobody knows this password.
        require(!isRight, "an answer is right without the password")
    }
}

extension DigestCredentials {
    /// Whether any challenge of ours would take them.
    var admitsAnything: Bool {
        let challenge = DigestChallenge(
            realm: "example.com", algorithms: DigestAlgorithm.allCases, qualities: [.auth, .authInt, .none])
        return challenge.admits(self) && nonces.check(nonce, now: now) != .forged
    }
}

private let password = PasswordDigest(login: "alice", realm: "example.com", password: "not to be guessed")
private let now = UnixTime(seconds: 1_700_000_000)
private let nonces = NonceAuthority(secret: HashKey(1, 2), realm: "example.com", lifetime: 300_000)
