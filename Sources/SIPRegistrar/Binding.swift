import Primitives

/// A binding of an address-of-record to a contact (RFC 3261 section 10), with the way back to the device.
///
/// Small, as there may be a million: the texts are in one array, and the fields take 128 bytes.
public struct Binding: Sendable {
    /// The texts of a binding as slices, for making one.
    public struct Text {
        /// The contact's URI, at most `contactLimit` bytes.
        public var contact: ByteSlice
        /// The instance-id of RFC 5626 as between the quotes, at most `instanceLimit` bytes; empty for none.
        public var instance: ByteSlice
        /// The values of Path (RFC 3327), joined by commas, at most `pathLimit` bytes; empty for none.
        public var path: ByteSlice
        /// The User-Agent, of which `userAgentLimit` bytes are kept.
        public var userAgent: ByteSlice

        /// The texts together.
        public init(
            contact: ByteSlice, instance: ByteSlice = .empty, path: ByteSlice = .empty, userAgent: ByteSlice = .empty
        ) {
            self.contact = contact
            self.instance = instance
            self.path = path
            self.userAgent = userAgent
        }
    }

    /// The longest contact URI in bytes.
    public static let contactLimit = 512
    /// The longest instance-id in bytes.
    public static let instanceLimit = 128
    /// The longest Path in bytes, all values together.
    public static let pathLimit = 2048
    /// How many bytes of the User-Agent are kept.
    public static let userAgentLimit = 64

    private var text: [UInt8]
    private var contactLength: UInt16
    private var pathLength: UInt16
    private var instanceLength: UInt8
    private var userAgentLength: UInt8
    /// The preference in thousandths, 0 to 1000.
    public var q: UInt16
    /// The reg-id of RFC 5626, 0 for none.
    public var registrationID: UInt32
    /// The CSeq number of the last REGISTER.
    public var sequenceNumber: UInt32
    /// The keyed hash of the Call-ID of the last REGISTER (10.3 step 7).
    public var callIDHash: HashValue
    /// When the binding ends.
    public var expiresAt: UnixTime
    /// When the binding was made.
    public var createdAt: UnixTime
    /// When it was last refreshed.
    public var updatedAt: UnixTime
    /// Where the REGISTER came from.
    public var flow: Flow
    /// True when requests go back over `flow`, whatever address the contact names, as NAT demands; false when the client
    /// has asked for another way: with Path (RFC 3327), or with TCP in a contact that was registered over UDP.
    public let isReachedByFlow: Bool
    /// What the keepalive knows of the device, and which flows it had before.
    public internal(set) var liveness: Liveness

    /// A binding of `text`, copied; a text beyond its limit is cut, so the caller checks before.
    public init(
        _ text: Text, registrationID: UInt32 = 0, q: UInt16 = 1000, callIDHash: HashValue, sequenceNumber: UInt32,
        expiresAt: UnixTime, createdAt: UnixTime, updatedAt: UnixTime, flow: Flow
    ) {
        let contact = text.contact.prefix(Binding.contactLimit)
        let instance = text.instance.prefix(Binding.instanceLimit)
        let path = text.path.prefix(Binding.pathLimit)
        let userAgent = text.userAgent.prefix(Binding.userAgentLimit)
        isReachedByFlow =
            path.isEmpty && (flow.transport != .udp || !contact.containsIgnoringCase(";transport=tcp"))
        contactLength = UInt16(contact.count)
        instanceLength = UInt8(instance.count)
        pathLength = UInt16(path.count)
        userAgentLength = UInt8(userAgent.count)
        self.text = [UInt8](
            unsafeUninitializedCapacity: contact.count + instance.count + path.count + userAgent.count
        ) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            func add(_ part: ByteSlice) {
                part.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: $0) }
                count += part.count
            }
            add(contact)
            add(instance)
            add(path)
            add(userAgent)
        }
        self.q = q
        self.registrationID = registrationID
        self.sequenceNumber = sequenceNumber
        self.callIDHash = callIDHash
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.flow = flow
        liveness = Liveness(since: updatedAt)
        liveness.isNatted = isReachedByFlow && flow.remote.address.isForeign(to: contact)
    }

    /// Calls `body` with the texts, valid for the call.
    @inline(__always)
    public func withText<Result>(_ body: (Text) throws -> Result) rethrows -> Result {
        try text.withSlice { all in
            let instanceStart = Int(contactLength)
            let pathStart = instanceStart + Int(instanceLength)
            let userAgentStart = pathStart + Int(pathLength)
            return try body(
                Text(
                    contact: all[0..<instanceStart], instance: all[instanceStart..<pathStart],
                    path: all[pathStart..<userAgentStart], userAgent: all.from(userAgentStart)))
        }
    }

    /// The contact's URI as the client sent it, copied.
    public var contact: [UInt8] { withText { $0.contact.bytes } }
    /// The instance-id, copied; nil for none.
    public var instance: [UInt8]? { instanceLength == 0 ? nil : withText { $0.instance.bytes } }
    /// The Path, copied; nil for none.
    public var path: [UInt8]? { pathLength == 0 ? nil : withText { $0.path.bytes } }
    /// The User-Agent, copied; may be empty.
    public var userAgent: [UInt8] { withText { $0.userAgent.bytes } }
    /// True when there is an instance-id.
    public var hasInstance: Bool { instanceLength > 0 }

    /// True until the binding expires.
    @inline(__always)
    public func isLive(at now: UnixTime) -> Bool { expiresAt > now }

    /// True when there is a way to send: a stream binding of before a restart, or one whose connection was closed just now,
    /// waits for its device to reconnect, unless that is reached by another way than its flow.
    @inline(__always)
    public var hasFlow: Bool { !flow.transport.isReliable || flow.connection != 0 || !isReachedByFlow }

    /// True when requests go to it: there is a flow, and its device has not stopped answering.
    @inline(__always)
    public var isReachable: Bool { hasFlow && !liveness.isUnreachable }

    /// Seconds that are left at `now`, rounded up; 0 when expired.
    public func secondsLeft(at now: UnixTime) -> UInt64 {
        let left = expiresAt.milliseconds.subtractingReportingOverflow(now.milliseconds)
        return left.overflow || left.partialValue <= 0 ? 0 : (UInt64(left.partialValue) &+ 999) / 1000
    }
}
