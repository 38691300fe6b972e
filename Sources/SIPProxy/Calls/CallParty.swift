import CallControl
import Primitives

/// The first party of a call that the API has started, until it is its caller and as long as the call lasts.
struct CallParty {
    /// Its INVITE and the dialogs that come of that.
    var leg: CallLeg
    var didRing = false
    /// When it has answered; nil before.
    var answeredAt: UnixTime?
    /// The end of its ringing.
    var timer = TimerReference.none

    init(_ leg: CallLeg) { self.leg = leg }

    /// The session that it is offered until there is somebody to talk to: a media line that is on hold (RFC 3264 8.4),
    /// with the codecs that every phone has.
    static func heldSession(_ host: [UInt8], _ number: RecordNumber) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.append("v=0\r\no=- ")
        writer.append(decimal: UInt64(bitPattern: number.value) >> 20)
        writer.append(" 1 IN ")
        let isIPv6 = host.first == UInt8(ascii: "[")
        writer.append(isIPv6 ? "IP6 :: " : "IP4 0.0.0.0 ")
        writer.truncate(to: writer.count - 1)
        writer.append("\r\ns=-\r\nc=IN ")
        writer.append(isIPv6 ? "IP6 ::" : "IP4 0.0.0.0")
        writer.append("\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n")
        writer.append("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=inactive\r\n")
        return writer.slice.bytes
    }
}
