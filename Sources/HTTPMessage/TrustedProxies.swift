import Primitives

/// The proxies in front of us whose word on where a request comes from is believed.
public struct TrustedProxies: Hashable, Sendable {
    /// Their networks.
    public var networks: [IPNetwork]

    /// These networks are trusted; by default none.
    public init(_ networks: [IPNetwork] = []) { self.networks = networks }

    /// True when one of the networks has this address.
    public func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    /// Where a request of `peer` comes from: the right-most address of X-Forwarded-For that is not trusted itself.
    ///
    /// What stands left of it may be made up by the sender, so that it is not read. When all are trusted it is the left-most
    /// one. It is the peer when that is not trusted, and when an address that is read is none.
    public func source(peer: IPAddress, headers: HTTPHeaders) -> IPAddress {
        guard contains(peer) else { return peer }
        var source = peer
        for value in headers.values(of: "X-Forwarded-For").reversed() {
            let isFinal = value.withSlice { list -> Bool in
                var end = list.count
                while true {
                    let comma = list.prefix(end).lastIndex(of: UInt8(ascii: ","))
                    let entry = list[(comma.map { $0 + 1 } ?? 0)..<end].trimmed()
                    guard let address = IPAddress(entry) else {
                        source = peer
                        return true
                    }
                    source = address
                    if !contains(address) { return true }
                    guard let comma else { return false }
                    end = comma
                }
            }
            if isFinal { break }
        }
        return source
    }
}
