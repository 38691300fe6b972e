import CallControl

extension WebhookFailure {
    /// A failure with its notification; `remedy` is what to do.
    static func make(_ kind: Kind, _ what: String, _ remedy: String, url: String) -> WebhookFailure {
        let code =
            switch kind {
            case .refused: CallNotification.Code.badURL
            case .status(404): CallNotification.Code.notFound
            case .status, .tooLarge, .redirects: CallNotification.Code.badAnswer
            case .contentType: CallNotification.Code.contentType
            case .document: CallNotification.Code.malformed
            case .name, .connection, .certificate, .timeout: CallNotification.Code.fetchFailed
            }
        return WebhookFailure(kind, CallNotification(code, .error, "\(what) \(remedy)", url: url))
    }
}
