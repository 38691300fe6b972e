import Primitives
import SIPMessage

/// Route information preprocessing (RFC 3261 16.4): which of the leading Route values are ours, and what they prove.
struct RouteProcessing {
    /// How many leading Route values are ours and go away.
    private(set) var ownRoutes = 0
    /// The token of our Record-Route, when one came back that belongs to this call.
    private(set) var token: RouteToken?
    /// True when the Request-URI is our Record-Route value: the previous hop is a strict router, and what should be the
    /// Request-URI is the last Route value.
    private(set) var isStrict = false
    /// True when a Route value behind ours names somebody else.
    private(set) var leadsElsewhere = false
    private var lastRoute: ByteSlice = .empty

    init(_ request: borrowing SIPMessage, server: SIPServer) {
        var isOwn = true
        if request.requestURI.starts(with: "sip:rc"), let uri = SIPURI(request.requestURI),
            server.isListener(uri.host, port: uri.port),
            let found = RouteToken(uri.user, callID: request.callID, key: server.settings.routeKey)
        {
            isStrict = true
            token = found
        }
        var values = request.values(of: .route)
        while let value = values.next(in: request) {
            guard let address = NameAddress(value), let uri = SIPURI(address.uri) else {
                leadsElsewhere = true
                return
            }
            lastRoute = address.uri
            if isOwn, server.isListener(uri.host, port: uri.port) {
                ownRoutes += 1
                if token == nil {
                    token = RouteToken(uri.user, callID: request.callID, key: server.settings.routeKey)
                }
            } else {
                isOwn = false
                leadsElsewhere = true
            }
        }
        if isStrict, lastRoute.isEmpty { isStrict = false }
    }

    /// The Request-URI to go on with: the last Route value behind a strict router.
    func requestURI(of request: borrowing SIPMessage) -> ByteSlice { isStrict ? lastRoute : request.requestURI }
}
