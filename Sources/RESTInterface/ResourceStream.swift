import HTTPMessage
import Store

/// An array of resources that is read from the store piece by piece while it is sent, so that its length costs no memory.
///
/// It has a connection to the database of its own, as it outlives the call of its handler. Each piece is a search of its
/// own from where the last one ended: a reader that takes hours does not keep the write-ahead log from being written
/// back, and what is created or deleted meanwhile is seen or not.
final class ResourceStream: HTTPBodyStream {
    private let store: Store
    private let format: ResponseFormat
    private let element: String
    private let more: (Store) throws(StoreError) -> [Representation]
    private var isBegun = false
    private var isEmpty = true
    private var isEnded = false

    /// How many resources are read at once.
    static let pieceSize: Int64 = 500

    /// A stream; `more` gives the next resources, none at the end.
    init(
        _ store: Store, _ format: ResponseFormat, element: String,
        more: @escaping (Store) throws(StoreError) -> [Representation]
    ) {
        self.store = store
        self.format = format
        self.element = element
        self.more = more
    }

    func next() throws -> [UInt8]? {
        if isEnded { return nil }
        var bytes: [UInt8] = []
        if !isBegun { bytes += format.opening(element).utf8 }
        isBegun = true
        let resources = try more(store)
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
