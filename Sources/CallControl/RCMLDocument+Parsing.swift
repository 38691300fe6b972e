extension RCMLDocument {
    /// The document in the body of an HTTP answer.
    ///
    /// - Parameters:
    ///   - contentType: The field of the answer; nil for none.
    ///   - url: Where it came from; relative URLs in it are resolved against that.
    public init(
        parsing bytes: [UInt8], contentType: String?, url: String, limits: RCMLLimits = RCMLLimits()
    ) throws(WebhookFailure) {
        do throws(RCMLFault) {
            let content = try RCMLContent(bytes, contentType: contentType, limits: limits)
            var parser = RCMLParser(content.bytes, limits: limits)
            let root = try parser.parse()
            guard root.name == "Response" else {
                throw RCMLFault(
                    message: "The root element is \(RCMLContent.shown(root.name)), not 'Response': this is not RCML.",
                    place: root.place)
            }
            var reader = RCMLReader(url: url, limits: limits)
            for repair in parser.repairs.prefix(10) {
                reader.remark(
                    CallNotification.Code.malformed,
                    "A '&' that stands for itself was read as '&amp;', which it should be.",
                    repair)
            }
            reader.read(root)
            self.init(url: url, verbs: reader.verbs, remarks: reader.remarks)
        } catch {
            throw WebhookFailure(
                error.kind,
                CallNotification(
                    error.code, .error, error.message, url: WebAddress.withoutCredentials(url), line: error.place.line,
                    column: error.place.column))
        }
    }
}
