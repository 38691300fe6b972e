extension CallNotification {
    /// The codes of notifications: those of Restcomm and of the system that it follows, where they have one for the case.
    public enum Code {
        /// A URL that cannot be used.
        public static let badURL: Int64 = 11_100
        /// The request of a document failed: no connection, no answer in time, no certificate that can be trusted.
        public static let fetchFailed: Int64 = 11_205
        /// The answer cannot be used: too long, too many redirects.
        public static let badAnswer: Int64 = 11_206
        /// The document is not well-formed.
        public static let malformed: Int64 = 12_100
        /// An element or attribute that RCML does not have.
        public static let unknownWord: Int64 = 12_200
        /// A verb that this version cannot run.
        public static let unsupportedVerb: Int64 = 12_201
        /// A verb that has no meaning where it is.
        public static let misplacedVerb: Int64 = 12_202
        /// A type of content that cannot be run.
        public static let contentType: Int64 = 12_300
        /// `Dial` in a document that runs on the callee.
        public static let dialWithinDial: Int64 = 13_201
        /// A bad method of `Dial`.
        public static let dialMethod: Int64 = 13_210
        /// A bad timeout of `Dial`.
        public static let dialTimeout: Int64 = 13_212
        /// A bad callerId of `Dial`.
        public static let dialCallerID: Int64 = 13_214
        /// An element in `Dial` that cannot be dialled.
        public static let dialNoun: Int64 = 13_215
        /// A bad timeLimit of `Dial`.
        public static let dialTimeLimit: Int64 = 13_216
        /// A bad attribute of a noun.
        public static let nounAttribute: Int64 = 13_221
        /// A name, number or URI that cannot be dialled.
        public static let nounName: Int64 = 13_223
        /// A bad method of `Redirect`.
        public static let redirectMethod: Int64 = 13_710
        /// A bad reason of `Reject`.
        public static let rejectReason: Int64 = 13_810
        /// A bad length of `Pause`.
        public static let pauseLength: Int64 = 13_910
        /// A bad receiver of a text.
        public static let smsTo: Int64 = 14_101
        /// A bad sender of a text.
        public static let smsFrom: Int64 = 14_102
        /// A text that is empty or too long.
        public static let smsBody: Int64 = 14_103
        /// A bad method of `Sms`.
        public static let smsMethod: Int64 = 14_104
        /// More documents than one call may fetch.
        public static let tooManyDocuments: Int64 = 14_106
        /// More texts than one call may send.
        public static let tooManyTexts: Int64 = 14_107
        /// The URL gave 404.
        public static let notFound: Int64 = 21_402
    }
}
