import Primitives

/// Checking of a digest response (RFC 7616 section 3.4.1, RFC 8760, and without `qop` RFC 2069).
public enum DigestVerification {
    /// True when the response proves knowledge of the password.
    ///
    /// The time does not depend on the password, nor on whether `password` is `PasswordDigest.none`. Credentials of an
    /// unknown algorithm or quality never match. Realm, nonce and URI are the caller's to judge.
    public static func matches(
        _ credentials: DigestCredentials, password: PasswordDigest, method: ByteSlice, body: ByteSlice
    ) -> Bool {
        guard let algorithm = credentials.algorithm, credentials.qop != .unknown else { return false }
        let first = password[algorithm]
        let expected = response(credentials, algorithm, first: first, method: method, body: body)
        let matches = expected.hexadecimal.matches(credentials.response)
        return matches && !first.isZero
    }

    /// The response that proves knowledge of the password; nil for an unknown algorithm or quality.
    public static func expectedResponse(
        to credentials: DigestCredentials, password: PasswordDigest, method: ByteSlice, body: ByteSlice
    ) -> HashDigest? {
        guard let algorithm = credentials.algorithm, credentials.qop != .unknown else { return nil }
        return response(credentials, algorithm, first: password[algorithm], method: method, body: body)
    }

    private static func response(
        _ credentials: DigestCredentials, _ algorithm: DigestAlgorithm, first: HashDigest, method: ByteSlice,
        body: ByteSlice
    ) -> HashDigest {
        switch algorithm {
        case .md5: response(credentials, MD5.self, first: first, method: method, body: body)
        case .sha256: response(credentials, SHA256.self, first: first, method: method, body: body)
        case .sha512_256: response(credentials, SHA512_256.self, first: first, method: method, body: body)
        }
    }

    private static func response<Function: HashFunction>(
        _ credentials: DigestCredentials, _: Function.Type, first: HashDigest, method: ByteSlice, body: ByteSlice
    ) -> HashDigest {
        let colon = UInt8(ascii: ":")
        var second = Function()
        second.update(method)
        second.update(byte: colon)
        second.update(credentials.uri)
        if credentials.qop == .authInt {
            var content = Function()
            content.update(body)
            second.update(byte: colon)
            second.update(hexadecimal: content.finalize())
        }

        var function = Function()
        function.update(hexadecimal: first)
        function.update(byte: colon)
        function.update(credentials.nonce)
        function.update(byte: colon)
        if credentials.qop != .none {
            function.update(credentials.nonceCountText)
            function.update(byte: colon)
            function.update(credentials.clientNonce)
            function.update(byte: colon)
            function.update(credentials.qopText)
            function.update(byte: colon)
        }
        function.update(hexadecimal: second.finalize())
        return function.finalize()
    }
}
