import Observability
import Primitives

/// An attempt to authenticate.
public struct Attempt: Sendable {
    /// Where it comes from.
    public let source: Source
    /// True when the network is trusted: nothing is counted against it but the failures of this login from there, and
    /// those with nonces of other sources, which are challenged anew and keep nobody out.
    let isTrusted: Bool
    /// The keyed hash of the login.
    let login: HashValue
    /// What tells this login from this source from all others.
    let pair: HashValue
    /// True when the nonce was issued to this source, which thus has got the challenge: the address is not invented.
    let isOwnNonce: Bool

    /// True when it is sure that the sender is where it seems to be.
    public var isProved: Bool { isOwnNonce }
}

/// What becomes of an attempt before its password is looked at. Whether the login exists has no part in it.
public enum Judgement: Equatable, Sendable {
    /// It is to be checked.
    case check
    /// It is to be challenged anew: too many with nonces of other sources have failed.
    case challenge
    /// It is to be refused for so many seconds, without a look at its password, unless it is exempt.
    case wait(seconds: UInt32, Exemption)
}

/// Whose attempt is checked though others of the kind have to wait.
public enum Exemption: Sendable {
    /// Nobody's.
    case nobody
    /// That of a device which is registered from the very address and port.
    case device
    /// That of a client which is known by the source.
    case client
}

extension Admission {
    /// An attempt from an address.
    ///
    /// - Parameter isOwnNonce: True when the nonce was issued to the source of the address.
    public func attempt(from address: IPAddress, login: HashValue, isOwnNonce: Bool) -> Attempt {
        let isTrusted = isTrusted(address)
        let source = Source(address)
        return Attempt(
            source: source, isTrusted: isTrusted, login: login, pair: hash(of: source, login),
            isOwnNonce: isOwnNonce)
    }

    /// Decides whether an attempt is checked.
    public func judge(_ attempt: Attempt, at now: UnixTime) -> Judgement {
        if !isUsed { return .check }
        if !attempt.isOwnNonce,
            foreign.count(of: hash(of: attempt.source), now: now) >= AdmissionPolicy.foreignFailures
        {
            return .challenge
        }
        if attempt.isOwnNonce {
            let turn = attempts.turn(attempt.pair, at: now)
            if case .waits(let milliseconds, let sinceCheck) = turn {
                // One that shares the port of the device, behind a proxy for example, guesses no faster than this.
                return .wait(seconds: Self.seconds(milliseconds), sinceCheck >= 1000 ? .device : .nobody)
            }
        }
        if attempt.isTrusted { return .check }
        if case .waits(let milliseconds, _) = logins.turn(attempt.login, at: now) {
            return .wait(seconds: Self.seconds(milliseconds), .client)
        }
        return hasTooManyFailures(attempt.source) ? .wait(seconds: 1, .client) : .check
    }

    private static func seconds(_ milliseconds: Int64) -> UInt32 { UInt32(clamping: (milliseconds + 999) / 1000) }

    /// Notes that an attempt which had to wait is checked as an exemption.
    public func exempt(_ attempt: Attempt, at now: UnixTime) {
        attempts.noteCheck(attempt.pair, at: now)
    }

    /// Counts an attempt whose password was wrong, or whose login does not exist or is disabled.
    ///
    /// - Parameters:
    ///   - text: The login as sent.
    ///   - isKnown: True when the client of the login is known by the source.
    /// - Returns: The seconds that the next attempt has to wait, for a 403; nil when it may come at once.
    public func failed(
        _ attempt: Attempt, _ text: ByteSlice, _ reason: Reason, isKnown: Bool, at now: UnixTime
    ) -> UInt32? {
        noteFailure()
        let failure = FailureRecords.Failure(source: attempt.source, login: text, reason: reason)
        if !attempt.isTrusted, !isKnown { _ = logins.add(attempt.login, failure, at: now) }
        guard attempt.isOwnNonce else {
            // The address may be invented: nothing that could keep its owner out is counted.
            _ = foreign.add(hash(of: attempt.source), now: now)
            return nil
        }
        let (_, pause) = attempts.add(attempt.pair, failure, at: now)
        if !attempt.isTrusted { countFailure(attempt.source, text, reason, at: now) }
        return pause > 0 ? Self.seconds(pause) : nil
    }

    /// Forgets the failures of a login from a source: its password was right.
    public func succeeded(_ attempt: Attempt) {
        if isUsed { attempts.remove(attempt.pair) }
    }
}
