import HTTPMessage
import Store

/// An array of resources that is read from the store piece by piece while it is sent, so that its length costs no memory.
///
/// Each piece is a search of its own from where the last one ended, with a store that is borrowed for it: a thousand slow
/// readers have no more connections to the database than there are threads, and do not keep the write-ahead log from being
/// written back. What is created or deleted meanwhile is seen or not.
final class ResourceStream: HTTPBodyStream {
    private let stores: StorePool
    private let format: ResponseFormat
    private let element: String
    private let more: (Store) throws(StoreError) -> [Representation]
    private var isBegun = false
    private var isEmpty = true
    private var isEnded = false

    /// How many resources are read at once.
    static let pieceSize: Int64 = 100

    /// A stream; `more` gives the next resources, none at the end.
    init(
        _ stores: StorePool, _ format: ResponseFormat, element: String,
        more: @escaping (Store) throws(StoreError) -> [Representation]
    ) {
        self.stores = stores
        self.format = format
        self.element = element
        self.more = more
    }

    func next() throws -> [UInt8]? {
        if isEnded { return nil }
        var bytes: [UInt8] = []
        if !isBegun { bytes += format.opening(element).utf8 }
        isBegun = true
        let resources = try stores.lend(more)
        format.append(resources, isFirst: isEmpty, to: &bytes)
        if resources.isEmpty {
            isEnded = true
            bytes += format.closing(element, isEmpty: isEmpty).utf8
        } else {
            isEmpty = false
        }
        return bytes
    }
}
