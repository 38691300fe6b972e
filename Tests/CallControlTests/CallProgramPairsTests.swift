import CallControl
import Observability
import Primitives
import Testing

@Suite("Every event in every state")
struct CallProgramPairsTests {
    static let document = WebhookAnswer.document(RCMLDocument(url: "http://a/", verbs: [.hangUp]), headers: [])
    static let failure = WebhookAnswer.failed(WebhookFailure(.timeout, CallNotification(1, .error, "")))

    static let events: [CallEvent] = [
        .began, .fetched(0, document), .fetched(1, document), .fetched(2, document), .fetched(1, failure),
        .fetched(2, failure), .legRings(0), .legRings(-1), .legRings(Int.max), .legAnswered(0), .legAnswered(Int.min),
        .legFailed(0, status: 486, nil), .legFailed(7, status: 486, nil), .legHungUp(0), .legHungUp(9), .callerGone,
        .timer(.ringing), .timer(.talk), .timer(.pause), .timer(.deadline), .textEnded(1, status: 200, nil),
        .textEnded(9, status: 0, nil), .ordered(.cancel), .ordered(.complete),
        .ordered(.redirect(WebAddress("http://app.example/other"))),
    ]

    /// A call in each state, by what leads there.
    static let states: [(name: String, make: @Sendable () -> VirtualCall)] = [
        ("new", { VirtualCall() }),
        (
            "fetching",
            {
                var call = VirtualCall(); call.take(.began); return call
            }
        ),
        (
            "pausing",
            {
                var call = VirtualCall(); call.begin("<Pause/>"); return call
            }
        ),
        (
            "ringing",
            {
                var call = VirtualCall(); call.begin("<Dial>1</Dial>"); return call
            }
        ),
        (
            "screening, fetching",
            {
                var call = VirtualCall()
                call.begin("<Dial><Number url='/s'>1</Number></Dial>")
                call.take(.legAnswered(0))
                return call
            }
        ),
        (
            "screening, pausing",
            {
                var call = VirtualCall()
                call.begin("<Dial><Number url='/s'>1</Number></Dial>")
                call.take(.legAnswered(0))
                call.answer("<Pause/>")
                return call
            }
        ),
        (
            "talking",
            {
                var call = VirtualCall(); call.begin("<Dial>1</Dial>"); call.take(.legAnswered(0)); return call
            }
        ),
        (
            "settling",
            {
                var call = VirtualCall(); call.begin("<Sms statusCallback='/t'>a</Sms><Hangup/>"); return call
            }
        ),
        (
            "over",
            {
                var call = VirtualCall(); call.begin("<Reject/>"); return call
            }
        ),
    ]

    /// What is not listed gives nothing and changes nothing.
    static let effective: [String: Set<Int>] = [
        "new": indices { $0 == .began || $0 == .callerGone || isOrder($0) },
        "fetching": indices {
            $0 == .fetched(1, document) || $0 == .fetched(1, failure) || $0 == .callerGone || $0 == .timer(.deadline)
                || isOrder($0)
        },
        "pausing": indices { $0 == .callerGone || $0 == .timer(.pause) || isOrder($0) },
        "ringing": indices {
            $0 == .legRings(0) || $0 == .legAnswered(0) || $0 == .legFailed(0, status: 486, nil) || $0 == .legHungUp(0)
                || $0 == .callerGone || $0 == .timer(.ringing) || isOrder($0)
        },
        "screening, fetching": indices {
            $0 == .fetched(2, document) || $0 == .fetched(2, failure) || $0 == .legFailed(0, status: 486, nil)
                || $0 == .legHungUp(0) || $0 == .callerGone || $0 == .timer(.deadline) || isOrder($0)
        },
        "screening, pausing": indices {
            $0 == .legFailed(0, status: 486, nil) || $0 == .legHungUp(0) || $0 == .callerGone || $0 == .timer(.pause)
                || isOrder($0)
        },
        "talking": indices {
            $0 == .legFailed(0, status: 486, nil) || $0 == .legHungUp(0) || $0 == .callerGone || $0 == .timer(.talk)
                || $0 == .ordered(.complete) || $0 == .ordered(.redirect(WebAddress("http://app.example/other")))
        },
        "settling": indices { $0 == .textEnded(1, status: 200, nil) || $0 == .timer(.deadline) },
        "over": [],
    ]

    private static func indices(_ holds: (CallEvent) -> Bool) -> Set<Int> {
        Set(events.indices.filter { holds(events[$0]) })
    }

    private static func isOrder(_ event: CallEvent) -> Bool { if case .ordered = event { true } else { false } }

    @Test func hasADefinedResult() {
        for state in CallProgramPairsTests.states {
            for (index, event) in CallProgramPairsTests.events.enumerated() {
                let before = state.make()
                var call = before
                call.take(event)
                let isEffective = CallProgramPairsTests.effective[state.name]?.contains(index) ?? false
                let changed = !call.actions.isEmpty || call.program.isOver != before.program.isOver
                // The first ring tells nobody here; a redirect before the beginning changes what is asked then.
                let isSilent =
                    event == .legRings(0)
                    || state.name == "new" && event == .ordered(.redirect(WebAddress("http://app.example/other")))
                #expect(changed == (isEffective && !isSilent), "\(state.name): \(event) gave \(call.actions)")
                if before.program.isOver { #expect(call.program.isOver) }
            }
        }
    }

    @Test func aRedirectBeforeTheBeginningCounts() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.ordered(.redirect(WebAddress("http://app.example/other"))))
        call.take(.began)
        #expect(call.asked?.address.url == "http://app.example/other")
    }
}
