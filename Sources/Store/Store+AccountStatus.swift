import Primitives

extension Store {
    /// Sets an account's status and with it what counts for all accounts below.
    ///
    /// Clients of accounts that it makes active or inactive are reported to followers; the bindings of those that are not
    /// active any more end. `closed` is for ever and for all accounts below, and removes their clients, numbers and
    /// applications; records stay.
    ///
    /// - Returns: the number of accounts in question, this one and all below; 0 when there is no such account, or when it
    ///   is closed and should be something else.
    @discardableResult
    public func setAccountStatus(id: Int64, status: AccountStatus, at now: UnixTime) throws(StoreError) -> Int64 {
        try transaction { () throws(StoreError) in
            guard let account = try account(id: id) else { return 0 }
            let isClosed = account.status == AccountStatus.closed.rawValue
            if isClosed, status != .closed { return 0 }
            let covered = try connection.rows(
                Query(
                    """
                    WITH RECURSIVE tree (id, sid) AS (
                        SELECT id, sid FROM account WHERE id = ?
                        UNION
                        SELECT child.id, child.sid FROM tree JOIN account AS child ON child.parent_sid = tree.sid
                    )
                    SELECT id FROM tree
                    """, .integer(id))
            ) { $0.integer(0) }
            for account in status == .closed ? covered : [id] {
                try connection.run(
                    Query(
                        "UPDATE account SET status = ?1, date_updated = ?2 WHERE id = ?3 AND status <> ?1",
                        .text(status.rawValue), .integer(now.milliseconds), .integer(account)))
            }
            for change in try recomputeEffectiveStatus(below: id) { try follow(change) }
            return Int64(covered.count)
        }
    }

    private struct EffectiveChange {
        var accountID: Int64
        var status: String
    }

    /// Computes what counts for an account and all below anew; gives those for which it is another now.
    private func recomputeEffectiveStatus(below id: Int64) throws(StoreError) -> [EffectiveChange] {
        try connection.rows(
            Query(
                // UNION ends circles: ranks only grow, up to 2.
                """
                WITH RECURSIVE
                    ranked (id, sid, parent_sid, rank) AS (
                        SELECT id, sid, parent_sid, CASE status WHEN 'active' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END
                        FROM account
                    ),
                    tree (id, sid, rank) AS (
                        SELECT own.id, own.sid, max(own.rank, CASE coalesce(parent.effective_status, 'active')
                            WHEN 'active' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END)
                        FROM ranked AS own LEFT JOIN account AS parent ON parent.sid = own.parent_sid WHERE own.id = ?
                        UNION
                        SELECT child.id, child.sid, max(tree.rank, child.rank)
                        FROM tree JOIN ranked AS child ON child.parent_sid = tree.sid
                    )
                UPDATE account SET effective_status = worst.status
                FROM (
                    SELECT id, CASE max(rank) WHEN 0 THEN 'active' WHEN 2 THEN 'closed' ELSE 'suspended' END AS status
                    FROM tree GROUP BY id
                ) AS worst
                WHERE worst.id = account.id AND account.effective_status <> worst.status
                RETURNING id, effective_status
                """, .integer(id))
        ) { EffectiveChange(accountID: $0.integer(0), status: $0.text(1)) }
    }

    /// Brings what belongs to an account in line with what counts for it now.
    private func follow(_ change: EffectiveChange) throws(StoreError) {
        let account = Query.Value.integer(change.accountID)
        if change.status == AccountStatus.closed.rawValue {
            try connection.run(Query("DELETE FROM client WHERE account_id = ?", account))
            try connection.run(Query("DELETE FROM number WHERE account_id = ?", account))
            try connection.run(Query("DELETE FROM application WHERE account_id = ?", account))
            return
        }
        if change.status != AccountStatus.active.rawValue {
            try connection.run(
                Query("DELETE FROM binding WHERE client_id IN (SELECT id FROM client WHERE account_id = ?)", account))
        }
        // One row for all clients, however many: followers look them up. No client has an empty login.
        try connection.run(Query("INSERT INTO change (client_id, login, kind) VALUES (?, '', 'account')", account))
    }
}
