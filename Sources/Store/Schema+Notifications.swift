extension Schema {
    /// Version 3: what went wrong while applications ran.
    ///
    /// `record` is the number of the call or text that it is about; both are numbered by one counter, so no column says
    /// which. The number of a notification is one of `RecordNumber`, so that the old ones can be found by time.
    static let version3: StaticString = """
        CREATE TABLE notification (
            id INTEGER PRIMARY KEY,
            account_id INTEGER NOT NULL,
            record INTEGER NOT NULL,
            level INTEGER NOT NULL,
            code INTEGER NOT NULL,
            message TEXT NOT NULL,
            url TEXT NOT NULL,
            line INTEGER NOT NULL,
            column_number INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX notification_account ON notification (account_id);
        CREATE INDEX notification_record ON notification (record);
        PRAGMA user_version = 3;
        """
}
