import CallControl
import Testing

@Suite("RCML verbs and their attributes")
struct RCMLVerbsTests {
    private func verbs(_ text: String, _ remarks: Int = 0, _ location: SourceLocation = #_sourceLocation) -> [Verb] {
        do throws(WebhookFailure) {
            let document = try parse("<Response>\n\(text)</Response>")
            #expect(document.remarks.count == remarks, "\(document.remarks)", sourceLocation: location)
            #expect(document.remarks.allSatisfy { $0.line > 1 && $0.column > 0 }, sourceLocation: location)
            return document.verbs
        } catch {
            Issue.record("\(error)", sourceLocation: location)
            return []
        }
    }

    private func dial(_ text: String, _ remarks: Int = 0, _ location: SourceLocation = #_sourceLocation) -> Dial {
        guard case .dial(let dial)? = verbs(text, remarks, location).first else {
            Issue.record("no Dial", sourceLocation: location)
            return Dial([])
        }
        return dial
    }

    @Test func verbsAreInTheirOrderAlsoOfNestedResponses() {
        #expect(
            verbs("<Pause/><Response><Hangup/><Response><Reject/></Response></Response><Pause length='2'/>")
                == [.pause(seconds: 1), .hangUp, .reject(isBusy: false), .pause(seconds: 2)])
    }

    @Test(arguments: [
        ("", UInt32(1), 0), ("length='0'", 0, 0), ("length=' 30 '", 30, 0), ("length='3601'", 3600, 1),
        ("length='-1'", 1, 1),
        ("length='99999999999999999999'", 3600, 1), ("length='x'", 1, 1), ("length=''", 1, 1), ("Length='5'", 1, 1),
    ])
    func pause(_ attribute: String, _ seconds: UInt32, _ remarks: Int) {
        #expect(verbs("<Pause \(attribute)/>", remarks) == [.pause(seconds: seconds)])
    }

    @Test func reject() {
        #expect(
            verbs("<Reject reason='busy'/><Reject reason='rejected'/>") == [
                .reject(isBusy: true), .reject(isBusy: false),
            ])
        #expect(verbs("<Reject reason='Busy'/>", 1) == [.reject(isBusy: false)])
    }

    @Test func redirect() {
        #expect(
            verbs("<Redirect>\n  /a  \n</Redirect><Redirect method='get'>?b</Redirect>") == [
                .redirect(WebAddress("http://app.example/a")),
                .redirect(WebAddress("http://app.example/dir/voice?b", .get)),
            ])
        #expect(verbs("<Redirect/><Redirect>ftp://a/</Redirect>", 2).isEmpty)
        #expect(verbs("<Redirect method='PUT'>/a</Redirect>", 1) == [.redirect(WebAddress("http://app.example/a"))])
    }

    @Test(arguments: ["Say", "Play", "Gather", "Record", "Email", "Fax", "Enqueue", "Leave", "UssdMessage"])
    func verbsOfOtherVersionsAreNamed(_ name: String) {
        guard case .unsupported(let note)? = verbs("<\(name) x='y'>Hi<Say>a</Say></\(name)>").first else {
            Issue.record("not named")
            return
        }
        #expect(note.code == CallNotification.Code.unsupportedVerb)
        #expect(note.message.hasPrefix(name))
        #expect(note.line == 2)
        #expect(note.column == 1)
    }

    @Test func unknownVerbsAreRemarkedOn() throws {
        let document = try parse("<Response>\n  <dial>1</dial><Frob/></Response>")
        #expect(document.verbs.isEmpty)
        #expect(document.remarks.map(\.column) == [3, 17])
        #expect(document.remarks.first?.message.contains("'Dial'") == true)
        #expect(document.remarks.first?.url == "http://app.example/dir/voice")
    }

    @Test(arguments: [
        ("alice@example.net", Dial.Party(.sip, "sip:alice@example.net")),
        ("client:alice", Dial.Party(.client, "alice")),
        ("clientele", Dial.Party(.client, "clientele")), ("+1 (555) 01-00", Dial.Party(.number, "+15550100")),
        ("*100#", Dial.Party(.number, "*100#")),
    ])
    func dialOfAText(_ text: String, _ party: Dial.Party) {
        #expect(dial("<Dial>\n\(text)\n</Dial>").parties == [party])
    }

    @Test func dialHasDefaults() {
        let dial = dial("<Dial>1</Dial>")
        #expect(dial.action == nil)
        #expect(dial.timeout == 30)
        #expect(dial.timeLimit == 14_400)
        #expect(dial.callerID == nil)
        #expect(dial.parties.first?.statusEvents == Set(LegState.allCases))
    }

    @Test func dialHasAttributes() {
        let dial = dial(
            "<Dial action='../after' method='GET' timeout='10' timeLimit='60' callerId='client:carol' record='false'>1</Dial>"
        )
        #expect(dial.action == WebAddress("http://app.example/after", .get))
        #expect(dial.timeout == 10)
        #expect(dial.timeLimit == 60)
        #expect(dial.callerID == "carol")
        let bad = self.dial(
            "<Dial action='mailto:x' method='DO' timeout='0' timeLimit='1h' callerId='' record='true'>1</Dial>", 6)
        #expect(bad.action == nil)
        #expect(bad.timeout == 1)
        #expect(bad.timeLimit == 14_400)
        #expect(bad.callerID == nil)
    }

    @Test func nouns() {
        let dial = dial(
            """
            <Dial><Client>alice</Client><Client name='bob'/><Number>+1 555</Number><Sip username='u' password='p'>sips:c@d</Sip>
            <Uri>sip:e@f;transport=tcp</Uri></Dial>
            """)
        #expect(dial.parties.map(\.name) == ["alice", "bob", "+1555", "sips:c@d", "sip:e@f;transport=tcp"])
        #expect(dial.parties.map(\.kind) == [.client, .client, .number, .sip, .sip])
        #expect(dial.parties[3].username == "u")
        #expect(dial.parties[3].password == "p")
    }

    @Test func nounsHaveURLs() {
        let party = dial(
            "<Dial><Client url='s' method='GET' statusCallback='/c' statusCallbackMethod='GET' statusCallbackEvent='ringing,answered completed'>a</Client></Dial>"
        ).parties.first
        #expect(party?.screening == WebAddress("http://app.example/dir/s", .get))
        #expect(party?.statusCallback == WebAddress("http://app.example/c", .get))
        #expect(party?.statusEvents == [.ringing, .answered, .completed])
        let other = dial("<Dial><Client statusCallbackEvent='gone, '>a</Client></Dial>", 1).parties.first
        #expect(other?.statusEvents == Set(LegState.allCases))
    }

    @Test func whatCannotBeDialledIsSkipped() {
        #expect(dial("<Dial><Conference>r</Conference><Frob/><Client>a</Client></Dial>", 2).parties.count == 1)
        #expect(dial("<Dial/>", 1).parties.isEmpty)
        #expect(dial("<Dial><Client/><Number>1\u{7F}</Number><Sip>a b</Sip><Sip>sip:</Sip></Dial>", 4).parties.isEmpty)
        #expect(dial("<Dial>text<Client>a<Video/></Client></Dial>", 2).parties.count == 1)
        #expect(dial("<Dial><Number sendDigits='1'>2</Number></Dial>", 1).parties.count == 1)
        let many = String(repeating: "<Client>a</Client>", count: 25)
        #expect(dial("<Dial>\(many)</Dial>", 1).parties.count == 20)
    }

    @Test func headersBehindAName() {
        let party = dial("<Dial><Client>alice?X-A=1&amp;b=two%20words&amp;X-C</Client></Dial>").parties.first
        #expect(party?.name == "alice")
        #expect(party?.headers == [.init("X-A", "1"), .init("X-b", "two words"), .init("X-C", "")])
        let sip = dial("<Dial><Sip>sip:a@b?x-d=%C3%A4</Sip></Dial>").parties.first
        #expect(sip?.name == "sip:a@b")
        #expect(sip?.headers == [.init("x-d", "ä")])
    }

    @Test(arguments: [
        "X-A=1%0D%0AVia: x", "X-A=%00", "X-A%0D%0AVia=x", "X-A%3A=1", "X-A=%FF", "X-A=%4", "X A=1", "=1", "X-=1",
        "Via%3a%20x=1", "X-A=%C2%85", "X-\u{e4}=1",
    ])
    func headersCannotBeInjected(_ text: String) {
        let party = dial("<Dial><Client>alice?\(text)</Client></Dial>", 1).parties.first
        #expect(party?.headers.isEmpty == true)
    }

    @Test func noOtherHeadersCanBeSet() {
        let party = dial("<Dial><Client>alice?From=1&amp;Contact=2</Client></Dial>").parties.first
        #expect(party?.headers.map(\.name) == ["X-From", "X-Contact"])
    }

    @Test func sms() {
        var sms = Sms("Hello & you")
        #expect(verbs("<Sms>\n Hello &amp; you </Sms><Message>Hello &amp; you</Message>") == [.sms(sms), .sms(sms)])
        sms.to = "bob"
        sms.from = "+1"
        sms.action = WebAddress("http://app.example/a", .get)
        sms.statusCallback = WebAddress("http://app.example/b")
        #expect(
            verbs("<Sms to='client:bob' from='+1' action='/a' method='GET' statusCallback='/b'>Hello &amp; you</Sms>")
                == [.sms(sms)])
    }

    @Test func aTextThatCannotBeSentIsNamedAndNotSentToSomebodyElse() {
        for text in ["<Sms/>", "<Sms>\(String(repeating: "x", count: 4_097))</Sms>"] {
            guard case .unsupported(let note)? = verbs(text).first else {
                Issue.record("not named")
                continue
            }
            #expect(note.code == CallNotification.Code.smsBody)
        }
        guard case .unsupported? = verbs("<Sms to=''>Hi</Sms>", 1).first else {
            Issue.record("not named")
            return
        }
    }

    @Test func unknownAttributesAndTextAreRemarkedOn() {
        #expect(verbs("<Hangup now='1'>x</Hangup>", 2) == [.hangUp])
        #expect(verbs("hello<Hangup><Say/></Hangup>".replacing("hello", with: ""), 1) == [.hangUp])
    }

    @Test func noPasswordIsRepeated() throws {
        let document = try parse(
            "<Response><Dial><Sip password='\(String(repeating: "geheim", count: 60))'>sip:a@b</Sip></Dial></Response>")
        #expect(document.remarks.count == 1)
        #expect(!document.remarks.contains { $0.message.contains("geheim") })
    }
}
