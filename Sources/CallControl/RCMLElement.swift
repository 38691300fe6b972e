/// An element of a document.
struct RCMLElement: Equatable {
    let name: String
    let attributes: [String: String]
    /// Where its start tag begins.
    let place: RCMLPlace
    var children: [RCMLElement] = []
    /// The text in it, without that of its children.
    var text = ""
}
