import Glibc
import Primitives

/// The work of the store thread: groups of changes first, then what other connections changed, then housekeeping.
struct StoreThread<Receipt: Sendable>: ~Copyable {
    private let connection: SQLiteConnection
    private let queue: WriterQueue<Receipt>
    private let options: StoreOptions
    private let committed: @Sendable ([Receipt], StoreError?) -> Void
    private let changed: @Sendable ([ClientChange]) -> Void
    private var group: GroupCommit
    private var follower: ChangeFollower
    private var housekeeping: Housekeeping
    private var records: RecordHousekeeping
    /// True while clients that work of the API changed may not have been reported.
    private var isPollDue = false
    /// False while more changes of clients are known to wait than one step reports.
    private var isCaughtUp = true
    /// Work that is durable, and not yet known to be followed by SIP.
    private var followed: [StoreWork] = []
    private var nextPoll: UInt64 = 0
    private var lastFailure: StoreError?
    private var nextFailureReport: UInt64 = 0
    private var busySince: UInt64 = 0
    private var lastBusy: UInt64?
    /// Until when a lock is waited for after the end was asked for.
    private var lastPatience: UInt64?

    /// Prepares everything, so that what can fail at the start fails before the thread runs.
    init(
        connection: SQLiteConnection, queue: WriterQueue<Receipt>, options: StoreOptions,
        limits: Replaceable<RecordLimits>, after change: Int64,
        committed: @escaping @Sendable ([Receipt], StoreError?) -> Void,
        changed: @escaping @Sendable ([ClientChange]) -> Void
    ) throws(StoreError) {
        let group = try GroupCommit(connection: connection)
        let follower = try ChangeFollower(connection: connection, after: change)
        let housekeeping = try Housekeeping(connection: connection, options: options)
        let records = try RecordHousekeeping(connection: connection, options: options, limits: limits)
        self.connection = connection
        self.queue = queue
        // SQLite waits blindly; the patience beyond is ours, which the end of the server cuts short.
        connection.setBusyTimeout(milliseconds: min(options.busyMilliseconds, 100))
        self.options = options
        self.committed = committed
        self.changed = changed
        self.group = group
        self.follower = follower
        self.housekeeping = housekeeping
        self.records = records
    }

    /// Works until the queue is stopped and empty.
    mutating func run() {
        var batch = PendingChanges<Receipt>()
        while true {
            let now = StoreOptions.monotonicMilliseconds()
            let isPending = housekeeping.isPending || records.isPending
            let wait = isPending || !isCaughtUp || nextPoll <= now ? 0 : nextPoll - now
            var work = queue.take(into: &batch, waitingMilliseconds: wait)
            if work.hasSlept, !batch.isEmpty, options.gatherMicroseconds > 0, !work.isStopping {
                usleep(options.gatherMicroseconds)
                var more = PendingChanges<Receipt>()
                work = queue.take(into: &more, waitingMilliseconds: 0)
                batch.append(contentsOf: more)
            }
            let isIdle = batch.isEmpty
            if isIdle, work.isStopping {
                while !followed.isEmpty { followChanges() }
                return
            }
            store(batch)
            batch.removeAll()
            if !isCaughtUp { followChanges() }
            attend(isIdle: isIdle, pollWanted: work.isPollWanted)
        }
    }

    /// Commits a batch in groups of limited size.
    private mutating func store(_ batch: borrowing PendingChanges<Receipt>) {
        var unit = 0
        var change = 0
        var receipt = 0
        while unit < batch.units.count {
            let first = (unit: unit, change: change, receipt: receipt)
            // A unit is never divided, so the last may go over the limit.
            while unit < batch.units.count, change - first.change < options.groupLimit {
                change += batch.units[unit].changes
                if batch.units[unit].hasReceipt { receipt += 1 }
                unit += 1
            }
            // A long queue must not make a long log: its size is looked at after every group.
            if first.unit > 0 { writeBack(isIdle: false) }
            store(
                changes: batch.changes[first.change..<change], units: batch.units[first.unit..<unit],
                receipts: batch.receipts[first.receipt..<receipt])
        }
    }

    private mutating func store(
        changes: ArraySlice<StoreChange>, units: ArraySlice<PendingChanges<Receipt>.Unit>,
        receipts: ArraySlice<Receipt>
    ) {
        var failures: [(unit: Int, error: StoreError)] = []
        var groupError: StoreError?
        do throws(StoreError) {
            try startPatiently()
            var next = changes.startIndex
            for unit in units.indices {
                let end = next + units[unit].changes
                let isWork = units[unit].isWork
                do throws(StoreError) {
                    if isWork {
                        try group.apply(work: changes[next..<end])
                    } else {
                        try group.apply(changes[next..<end])
                    }
                } catch {
                    // Disk full and I/O errors undo the whole transaction; any other failure is this unit's alone.
                    if !group.isOpen { throw error }
                    failures.append((unit, error))
                }
                next = end
            }
            try group.finish()
        } catch {
            groupError = error
        }
        report(units: units, receipts: receipts, failures: failures, groupError: groupError)
        // After the answers of others, which wait for nobody.
        if units.contains(where: \.isWork) {
            finishWork(changes: changes, units: units, failures: failures, groupError: groupError)
        }
    }

    /// Lets those go on whose work failed; the others wait until the clients that it changed are reported.
    private mutating func finishWork(
        changes: ArraySlice<StoreChange>, units: ArraySlice<PendingChanges<Receipt>.Unit>,
        failures: [(unit: Int, error: StoreError)], groupError: StoreError?
    ) {
        var next = changes.startIndex
        for unit in units.indices {
            if units[unit].isWork, case .work(let work) = changes[next] {
                if let error = groupError ?? failures.first(where: { $0.unit == unit })?.error {
                    work.fail(error)
                    work.release()
                } else {
                    followed.append(work)
                }
            }
            next += units[unit].changes
        }
        if followed.isEmpty { return }
        isPollDue = true
        isCaughtUp = false
    }

    /// Reports changes of clients that were not reported yet: a slice of them, so that registrations are stored in between.
    /// Work that waited goes on when there are no more.
    private mutating func followChanges() {
        var failure: StoreError?
        for _ in 0..<3 {
            do throws(StoreError) {
                var count = 0
                while count < 512 {
                    let changes = try follower.poll(isForced: isPollDue)
                    if changes.isEmpty {
                        isPollDue = false
                        isCaughtUp = true
                        releaseFollowed(nil)
                        return
                    }
                    count += changes.count
                    changed(changes)
                }
                isCaughtUp = false
                return
            } catch {
                failure = error
            }
        }
        guard let failure else { return }
        // The work is durable; what it changed is reported at the next time, and those who wait are told.
        isCaughtUp = true
        noteFailure(failure, at: StoreOptions.monotonicMilliseconds())
        releaseFollowed(.notInEffect(path: connection.path, cause: failure.description))
    }

    private mutating func releaseFollowed(_ failure: StoreError?) {
        for work in followed {
            if let failure { work.fail(failure) }
            work.release()
        }
        followed.removeAll()
    }

    /// Starts a transaction; a lock of another process is waited for longer than SQLite does by itself, but not for long
    /// once the server is to end.
    private mutating func startPatiently() throws(StoreError) {
        let begun = StoreOptions.monotonicMilliseconds()
        defer { queue.noteLock(since: nil) }
        while true {
            do throws(StoreError) {
                return try group.start()
            } catch {
                queue.noteLock(since: begun)
                let now = StoreOptions.monotonicMilliseconds()
                guard case .busy = error, now - begun < options.lockPatienceMilliseconds else { throw error }
                guard queue.isEnding else { continue }
                // One patience for all groups that are left.
                let limit = lastPatience ?? now &+ options.endPatienceMilliseconds
                lastPatience = limit
                if now < limit { continue }
                connection.setBusyTimeout(milliseconds: 0)
                throw error
            }
        }
    }

    private func report(
        units: ArraySlice<PendingChanges<Receipt>.Unit>, receipts: ArraySlice<Receipt>,
        failures: [(unit: Int, error: StoreError)], groupError: StoreError?
    ) {
        if groupError != nil || failures.isEmpty {
            committed(Array(receipts), groupError)
        } else {
            var good: [Receipt] = []
            good.reserveCapacity(receipts.count)
            var bad: [(receipt: Receipt?, error: StoreError)] = []
            var nextFailure = 0
            var nextReceipt = receipts.startIndex
            for unit in units.indices {
                var receipt: Receipt?
                if units[unit].hasReceipt {
                    receipt = receipts[nextReceipt]
                    nextReceipt += 1
                }
                if nextFailure < failures.count, failures[nextFailure].unit == unit {
                    // Who waits for work is told by it.
                    if !units[unit].isWork { bad.append((receipt, failures[nextFailure].error)) }
                    nextFailure += 1
                } else if let receipt {
                    good.append(receipt)
                }
            }
            committed(good, nil)
            for failure in bad { committed(failure.receipt.map { [$0] } ?? [], failure.error) }
        }
        let failed = groupError == nil ? failures.count : units.count
        let pages = housekeeping.pagesInLog
        let cacheBytes = connection.cacheBytes
        queue.finish(units: units.count) { counts in
            counts.groups &+= 1
            counts.committed &+= UInt64(units.count - failed)
            counts.failed &+= UInt64(failed)
            counts.logPages = pages
            counts.cacheBytes = cacheBytes
        }
    }

    /// Follows other connections when it is time, and does one step of housekeeping.
    private mutating func attend(isIdle: Bool, pollWanted: Bool) {
        let now = StoreOptions.monotonicMilliseconds()
        let isTime = pollWanted || now >= nextPoll
        do throws(StoreError) {
            if isTime {
                nextPoll = now &+ options.pollMilliseconds
                followChanges()
            }
            // Under load one step a poll period, so that a busy server is swept too.
            if isIdle || isTime {
                let expired = try housekeeping.sweep(at: now)
                if expired > 0 { queue.finish(units: 0) { $0.expired &+= UInt64(expired) } }
                if try housekeeping.pruneChanges(seen: follower.lastChange) { nextPoll = 0 }
                try tidyRecords(at: now)
            }
        } catch {
            noteFailure(error, at: now)
        }
        writeBack(isIdle: isIdle)
    }

    private mutating func tidyRecords(at now: UInt64) throws(StoreError) {
        let step = try records.tidy(at: now)
        if step.ended == 0, step.deleted == 0 { return }
        queue.finish(units: 0) { counts in
            counts.callsEndedByLimit &+= UInt64(step.ended)
            counts.recordsDeleted &+= UInt64(step.deleted)
        }
    }

    private mutating func writeBack(isIdle: Bool) {
        let now = StoreOptions.monotonicMilliseconds()
        do throws(StoreError) {
            guard try housekeeping.checkpoint(isIdle: isIdle, at: now) else { return }
            let pages = housekeeping.pagesInLog
            queue.finish(units: 0) { counts in
                counts.checkpoints &+= 1
                counts.logPages = pages
            }
        } catch {
            noteFailure(error, at: now)
        }
    }

    /// Counts a failure between the groups. Nothing is lost by it, as each part is tried again at its next time; so it is
    /// reported when it is new, and then each half minute.
    private mutating func noteFailure(_ error: StoreError, at now: UInt64) {
        queue.finish(units: 0) { $0.housekeepingFailures &+= 1 }
        if case .busy = error {
            // Another process writes, and is given the time that SQLite would have waited.
            let isSameLock = lastBusy.map { now - $0 <= 2 * options.sweepMilliseconds } ?? false
            if !isSameLock { busySince = now }
            lastBusy = now
            if now - busySince < UInt64(max(0, options.busyMilliseconds)) { return }
        }
        if error == lastFailure, now < nextFailureReport { return }
        lastFailure = error
        nextFailureReport = now &+ 30_000
        committed([], error)
    }
}
