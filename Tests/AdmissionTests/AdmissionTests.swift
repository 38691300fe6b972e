import Observability
import Primitives
import Testing

@testable import Admission

@Suite struct AdmissionTests {
    let world = World()
    let scanner = "203.0.113.8"

    // MARK: Packets

    @Test func `A stranger sends a burst, then the base rate`() {
        #expect(world.admitted(1000, from: scanner) == 200)
        world.wait(milliseconds: 500)
        #expect(world.admitted(1000, from: scanner) == 50)
        world.wait(milliseconds: 3_600_000)
        #expect(world.admitted(1000, from: scanner) == 200)
        #expect(world.admission.statistics.dropped == 2550)
    }

    @Test func `Sources do not share, but an IPv6 network of 64 bits is one`() {
        #expect(world.admitted(1000, from: scanner) == 200)
        #expect(world.admitted(1000, from: "203.0.113.9") == 200)
        #expect(world.admitted(1000, from: "2001:db8:0:1::1") == 200)
        #expect(world.admitted(1000, from: "2001:db8:0:1:ffff::2") == 0)
        #expect(world.admitted(1000, from: "2001:db8:0:2::1") == 200)
        #expect(world.admitted(1000, from: "::1") == 200)
    }

    @Test func `Each client adds to the rate of its source, and takes it along`() {
        world.add(clients: 50, to: scanner)
        world.wait(milliseconds: 10_000)
        #expect(world.admitted(10_000, from: scanner) == 200 + 50 * 40)
        world.wait(milliseconds: 1000)
        #expect(world.admitted(10_000, from: scanner) == 100 + 50 * 20)
        let source = Source(World.address(scanner))
        for _ in 0..<50 { world.admission.move(from: source, to: Source(World.address("203.0.113.9"))) }
        #expect(world.admission.clients(of: World.address(scanner)) == 0)
        #expect(world.admission.clients(of: World.address("203.0.113.9")) == 50)
        world.wait(milliseconds: 1000)
        #expect(world.admitted(10_000, from: scanner) == 100)
        #expect(world.admission.statistics.sources == 1)
    }

    @Test func `Who moves between two addresses gets no full bucket for it`() {
        let (here, there) = (Source(World.address(scanner)), Source(World.address("203.0.113.9")))
        world.admission.move(from: .none, to: here)
        var admitted = 0
        for _ in 0..<100 {
            admitted += world.admitted(1000, from: scanner)
            world.admission.move(from: here, to: there)
            world.admission.move(from: there, to: here)
        }
        #expect(admitted <= 240)
    }

    @Test func `Trusted networks are not limited, and nobody is when protection is off`() {
        let world = World { $0.trusted = ["10.0.0.0/8".withSlice { IPNetwork($0) }].compactMap { $0 } }
        #expect(world.admitted(10_000, from: "10.1.2.3") == 10_000)
        #expect(world.admitted(10_000, from: "11.1.2.3") == 200)
        let open = World { $0.isEnabled = false }
        #expect(open.admitted(10_000, from: scanner) == 10_000)
    }

    @Test func `A flood from invented addresses fills nothing, and does not give a scanner a new bucket`() {
        var admitted = world.admitted(1000, from: scanner)
        world.add(clients: 1, to: "198.51.100.1")
        for number in UInt32(0)..<300_000 {
            _ = world.admission.admits(IPAddress(ipv4: 0x0100_0000 &+ number &* 7919), at: world.now.instant)
            if number % 300 == 0 { admitted += world.admitted(1, from: scanner) }
        }
        // It may find itself in the place of one that was silent, never again and again with a full bucket.
        #expect(admitted < 200 + 1000)
        #expect(
            world.admission.clients(of: World.address("198.51.100.1")) == 1, "a source of clients is never forgotten")
        #expect(world.admission.statistics.sources == 1)
    }

    @Test func `No configuration and no number of clients overflows`() {
        let world = World {
            $0.packetsPerSource = 1_000_000
            $0.burst = 1_000_000
            $0.packetsPerClient = 1_000_000
        }
        for _ in 0..<5000 { world.add(clients: 1, to: scanner) }
        world.wait(milliseconds: Int64(1) << 50)
        #expect(world.admitted(10, from: scanner) == 10)
        world.wait(milliseconds: 1)
        #expect(world.admitted(10, from: scanner) == 10)
        let least = World {
            $0.packetsPerSource = 0
            $0.burst = 0
            $0.packetsPerClient = -1
        }
        #expect(least.admitted(10, from: scanner) == 1)
    }

    // MARK: Bans

    @Test func `A source without clients is banned after twenty failures, and each ban lasts twice as long`() {
        let home = "198.51.100.1"
        for (round, seconds) in [60, 120, 240, 480, 960, 1920, 3600, 3600].enumerated() {
            for number in 0..<20 {
                #expect(!world.admission.isBanned(World.address(scanner)))
                world.fail("\(round)-\(number)", from: scanner)
            }
            #expect(world.admission.isBanned(World.address(scanner)))
            #expect(world.admitted(10, from: scanner) == 0)
            #expect(world.admitted(10, from: home) == 10)
            let beginning = world.wait(seconds: 1)
            #expect(beginning.map(\.isBeginning) == [true])
            #expect(beginning.first?.report.failures == 20)
            #expect(beginning.first?.report.login == Array("\(round)-19".utf8))
            #expect(beginning.first?.report.source.description == scanner)
            #expect(world.wait(seconds: seconds - 1).isEmpty)
            let end = world.wait(seconds: 1)
            #expect(end.map(\.isBeginning) == [false], "round \(round)")
            #expect(world.admitted(10, from: scanner) == 10)
            #expect(world.admission.statistics.banned == 0)
        }
        world.wait(seconds: 3602)
        for number in 0..<20 { world.fail("again-\(number)", from: scanner) }
        world.wait(seconds: 60)
        #expect(world.admitted(1, from: scanner) == 0)
        world.wait(seconds: 1)
        #expect(world.admitted(1, from: scanner) == 1, "a ban of long ago is forgotten")
    }

    @Test func `Failures that are too old do not add up to a ban`() {
        for number in 0..<40 {
            world.fail("\(number)", from: scanner)
            world.wait(milliseconds: 61_000)
        }
        #expect(!world.admission.isBanned(World.address(scanner)))
    }

    @Test func `A source of clients is never banned, but its failures are checked at a rate`() {
        world.add(clients: 10, to: scanner)
        var checked = 0
        for number in 0..<1000 where world.fail("guess\(number)", from: scanner).judgement == .check { checked += 1 }
        #expect((20...25).contains(checked), "\(checked)")
        #expect(world.fail("another", from: scanner).judgement == .wait(seconds: 1, .client))
        #expect(!world.admission.isBanned(World.address(scanner)))
        world.wait(seconds: 10)
        #expect(world.fail("another", from: scanner).judgement == .check)
    }

    @Test func `A client that authenticates from a source clears it of its failures`() {
        for number in 0..<19 { world.fail("\(number)", from: scanner) }
        world.add(clients: 1, to: scanner)
        let source = Source(World.address(scanner))
        world.admission.move(from: source, to: .none)
        for number in 0..<19 { world.fail("again\(number)", from: scanner) }
        #expect(!world.admission.isBanned(World.address(scanner)))
    }

    @Test func `Failures with nonces of another source ban nobody, and such nonces are refused after ten`() {
        for number in 0..<10 { #expect(world.fail("\(number)", from: scanner, isOwnNonce: false).judgement == .check) }
        for number in 0..<100 {
            #expect(world.fail("x\(number)", from: scanner, isOwnNonce: false).judgement == .challenge)
        }
        #expect(!world.admission.isBanned(World.address(scanner)))
        #expect(world.admission.reports(at: world.now, attempts: world.now.unix).isEmpty)
    }

    @Test func `Trusted sources are not banned, and their logins wait nevertheless`() {
        let world = World { $0.trusted = ["10.0.0.0/8".withSlice { IPNetwork($0) }].compactMap { $0 } }
        for number in 0..<100 { world.fail("\(number)", from: "10.0.0.1", isOwnNonce: false) }
        #expect(!world.admission.isBanned(World.address("10.0.0.1")))
        for _ in 0..<5 { #expect(world.fail("alice", from: "10.0.0.1").seconds == nil) }
        #expect(world.fail("alice", from: "10.0.0.1").seconds == 1)
    }

    @Test func `Nobody keeps a login out by inventing an address of a trusted network`() {
        for isEnabled in [true, false] {
            let world = World {
                $0.isEnabled = isEnabled
                $0.trusted = ["10.0.0.0/8".withSlice { IPNetwork($0) }].compactMap { $0 }
            }
            var checked = 0
            for _ in 0..<100 where world.fail("alice", from: "10.0.0.1", isOwnNonce: false).judgement == .check {
                checked += 1
            }
            #expect(checked == 10, "whoever has two addresses guesses no faster than with one")
            #expect(world.admission.judge(world.attempt("alice", from: "10.0.0.1"), at: world.now.unix) == .check)
            #expect(world.admission.reports(at: world.now, attempts: world.now.unix).isEmpty)
        }
    }

    @Test func `Bans are of bounded number, and those that end first go`() {
        for number in UInt32(0)..<20_000 {
            let address = IPAddress(ipv4: 0x0b00_0000 + number)
            for _ in 0..<20 { world.admission.countFailure(Source(address), "x", .wrongPassword, at: world.now.unix) }
        }
        #expect(world.admission.statistics.banned <= 64 * SourceTable.banCount)
        #expect(world.admission.statistics.banned > 60 * SourceTable.banCount)
    }

    @Test func `A new ban is not the first to make room`() {
        var table = SourceTable()
        func ban(_ number: UInt32) -> Source {
            let source = Source(IPAddress(ipv4: 0x0b00_0000 + number))
            table.ban(
                source, Ban(since: world.now.unix, failures: 20, login: [], reason: .wrongPassword), AdmissionPolicy())
            return source
        }
        var told: [Source] = []
        for number in 0..<UInt32(SourceTable.banCount) { told.append(ban(number)) }
        table.sweep(AdmissionPolicy(), at: world.now.instant) { _ in }
        let new = (1000..<UInt32(1010)).map(ban)
        #expect(new.allSatisfy { table.bans[$0]?.isActive == true })
        #expect(told.count { table.bans[$0] == nil } == 10)
        var ended: [Source] = []
        table.sweep(AdmissionPolicy(), at: world.now.instant) { change in
            if case .ended(let source, _, .forgotten) = change { ended.append(source) }
        }
        #expect(Set(ended) == Set(told.filter { table.bans[$0] == nil }), "their ends are told")
        #expect(table.banned == SourceTable.banCount)
    }

    private func ban(_ source: String) {
        for number in 0..<20 { world.fail("\(number)", from: source) }
        #expect(world.admission.isBanned(World.address(source)))
    }

    @Test func `The end of a ban is told when its beginning was, whatever ends it`() throws {
        let source = Source(World.address(scanner))
        ban(scanner)
        #expect(world.admission.lift(world.admission.hash(of: source), at: world.now.unix)?.isTold == false)
        #expect(world.wait(seconds: 2).isEmpty)
        ban(scanner)
        #expect(world.wait(seconds: 1).map(\.end) == [nil])
        #expect(world.admission.lift(world.admission.hash(of: source), at: world.now.unix)?.isTold == true)
        #expect(world.wait(seconds: 2).isEmpty, "who lifts it tells it")

        ban(scanner)
        world.admission.move(from: .none, to: source)
        world.admission.move(from: source, to: .none)
        #expect(world.wait(seconds: 2).isEmpty)
        ban(scanner)
        #expect(world.wait(seconds: 1).map(\.end) == [nil])
        world.admission.move(from: .none, to: source)
        #expect(!world.admission.isBanned(World.address(scanner)))
        let end = world.wait(seconds: 2)
        #expect(end.map(\.end) == [.known])
        #expect(end.first?.report.source == source)
    }

    // MARK: Logins

    @Test
    func `Guesses at one login from many addresses are thinned out to one in 30 s, from where its client is unknown`() {
        var times: [Int] = []
        for number in 0..<3000 {
            let source = "203.0.\(number / 250).\(number % 250)"
            if world.fail("alice", from: source).judgement == .check { times.append(number / 10) }
            world.wait(milliseconds: 100)
        }
        #expect(times.filter { $0 < 20 }.count < 36)
        let late = times.filter { $0 >= 200 }
        #expect((2...5).contains(late.count), "\(late)")
        if case .wait(_, .client) = world.fail("alice", from: "192.0.2.1").judgement {
        } else {
            Issue.record("its client is let in where it is known")
        }
        #expect(world.fail("bob", from: "192.0.2.1").judgement == .check)
    }

    @Test func `Failures where the client is known do not thin it out elsewhere`() {
        for _ in 0..<40 {
            world.fail("alice", from: scanner, isKnown: true)
            world.wait(seconds: 61)
        }
        #expect(world.fail("alice", from: "192.0.2.1").judgement == .check)
    }

    // MARK: Operators

    @Test func `What is listed can be lifted by its sid, and its failures are forgotten`() {
        for number in 0..<20 { world.fail("\(number)", from: scanner) }
        for _ in 0..<6 { world.fail("alice", from: "2001:db8:0:1::5") }
        for number in 0..<30 { world.fail("bob", from: "198.51.100.\(number)") }
        let reports = world.admission.reports(at: world.now, attempts: world.now.unix)
        #expect(reports.map(\.kind) == [.source, .login, .attempt])
        #expect(reports.map(\.source.description) == [scanner, Source.none.description, "2001:db8:0:1::/64"])
        #expect(reports.map { String(decoding: $0.login, as: UTF8.self) } == ["19", "bob", "alice"])
        #expect(reports.map(\.failures) == [20, 21, 6])
        for report in reports {
            #expect(BanReport.key(of: report.sid) == report.key)
            #expect(world.admission.lift(report.key, at: world.now.unix)?.kind == report.kind)
            #expect(world.admission.lift(report.key, at: world.now.unix) == nil)
        }
        #expect(world.admission.reports(at: world.now, attempts: world.now.unix).isEmpty)
        #expect(world.admitted(10, from: scanner) == 10)
        #expect(world.fail("alice", from: "2001:db8:0:1::5").seconds == nil)
        for text in ["", "BN", "BN+0000000000000010000000000000000", "BN" + String(repeating: "A", count: 32)] {
            #expect(BanReport.key(of: text) == nil)
        }
    }

    @Test func `Times are listed by the calendar, though attempts have a clock of their own`() {
        for number in 0..<20 { world.fail("\(number)", from: scanner) }
        for _ in 0..<6 { world.fail("alice", from: "192.0.2.1") }
        world.wait(seconds: 1)
        // The calendar was set back by an hour; a second has gone by since the attempts.
        let now = Now(
            instant: world.now.instant, unix: UnixTime(milliseconds: world.now.unix.milliseconds - 3_600_500))
        let reports = world.admission.reports(
            at: now, attempts: UnixTime(milliseconds: world.now.unix.milliseconds - 500))
        #expect(reports.map(\.kind) == [.source, .attempt])
        #expect(reports.map { $0.until.milliseconds - now.unix.milliseconds } == [60_000, 500])
        #expect(reports.map { now.unix.milliseconds - $0.since.milliseconds } == [500, 500])
    }

    @Test func `Invented logins do not make a guessed one forgotten`() {
        for number in 0..<21 { world.fail("alice", from: "203.0.113.\(number)") }
        for number in 0..<20_000 {
            _ = world.admission.logins.add(
                World.login("invented\(number)"), .init(source: .none, login: "x", reason: .unknownLogin),
                at: world.now.unix)
        }
        #expect(world.fail("alice", from: "192.0.2.77").judgement == .wait(seconds: 1, .client))
    }
}
