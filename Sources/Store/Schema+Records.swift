extension Schema {
    /// Version 2: what the API and the records of calls and texts need.
    ///
    /// Records have no foreign key: they outlive their clients, accounts are never deleted, and each key would cost the
    /// way of a call a search. `by_limit` marks the end of a call that was only supposed, so that its true end may still
    /// correct it. Indexes by account hold the row's number by themselves, so their order is the order of creation.
    static let version2: StaticString = """
        ALTER TABLE account ADD COLUMN effective_status TEXT NOT NULL DEFAULT 'active';
        UPDATE account SET effective_status =
            CASE status WHEN 'active' THEN 'active' WHEN 'closed' THEN 'closed' ELSE 'suspended' END;
        WITH RECURSIVE tree (id, sid, rank) AS (
            SELECT id, sid, CASE status WHEN 'active' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END FROM account
            UNION
            SELECT child.id, child.sid,
                max(tree.rank, CASE child.status WHEN 'active' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END)
            FROM tree JOIN account AS child ON child.parent_sid = tree.sid
        )
        UPDATE account SET effective_status =
            CASE worst.rank WHEN 0 THEN 'active' WHEN 2 THEN 'closed' ELSE 'suspended' END
        FROM (SELECT id, max(rank) AS rank FROM tree GROUP BY id) AS worst WHERE worst.id = account.id;
        UPDATE account SET email = '' WHERE email <> '' AND EXISTS (
            SELECT 1 FROM account AS earlier
            WHERE earlier.id < account.id AND earlier.email = account.email COLLATE NOCASE);
        CREATE UNIQUE INDEX account_email ON account (email COLLATE NOCASE) WHERE email <> '';
        CREATE INDEX account_parent ON account (parent_sid);

        CREATE TABLE application (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sid TEXT NOT NULL UNIQUE,
            account_id INTEGER NOT NULL REFERENCES account (id),
            friendly_name TEXT NOT NULL,
            voice_url TEXT,
            voice_method TEXT NOT NULL,
            voice_fallback_url TEXT,
            voice_fallback_method TEXT NOT NULL,
            sms_url TEXT,
            sms_method TEXT NOT NULL,
            sms_fallback_url TEXT,
            sms_fallback_method TEXT NOT NULL,
            status_callback TEXT,
            status_callback_method TEXT NOT NULL,
            api_version TEXT NOT NULL,
            date_created INTEGER NOT NULL,
            date_updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX application_account ON application (account_id);

        CREATE TABLE number (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sid TEXT NOT NULL UNIQUE,
            account_id INTEGER NOT NULL REFERENCES account (id),
            phone_number TEXT NOT NULL UNIQUE,
            is_sip INTEGER NOT NULL,
            friendly_name TEXT NOT NULL,
            voice_url TEXT,
            voice_method TEXT NOT NULL,
            voice_fallback_url TEXT,
            voice_fallback_method TEXT NOT NULL,
            voice_application_sid TEXT,
            sms_url TEXT,
            sms_method TEXT NOT NULL,
            sms_fallback_url TEXT,
            sms_fallback_method TEXT NOT NULL,
            sms_application_sid TEXT,
            status_callback TEXT,
            status_callback_method TEXT NOT NULL,
            api_version TEXT NOT NULL,
            date_created INTEGER NOT NULL,
            date_updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX number_account ON number (account_id);
        CREATE INDEX number_voice_application ON number (voice_application_sid)
            WHERE voice_application_sid IS NOT NULL;
        CREATE INDEX number_sms_application ON number (sms_application_sid) WHERE sms_application_sid IS NOT NULL;
        CREATE INDEX client_voice_application ON client (voice_application_sid)
            WHERE voice_application_sid IS NOT NULL;

        CREATE TABLE call (
            id INTEGER PRIMARY KEY,
            account_id INTEGER NOT NULL,
            client_id INTEGER,
            parent INTEGER,
            from_user TEXT NOT NULL,
            to_user TEXT NOT NULL,
            caller_name TEXT NOT NULL,
            direction TEXT NOT NULL,
            status TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ringing_at INTEGER,
            answered_at INTEGER,
            ended_at INTEGER,
            sip_status INTEGER,
            reason INTEGER,
            call_id TEXT NOT NULL,
            tag INTEGER,
            by_limit INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX call_account ON call (account_id);
        CREATE INDEX call_open ON call (started_at) WHERE ended_at IS NULL;
        CREATE INDEX call_parent ON call (parent) WHERE parent IS NOT NULL;

        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            account_id INTEGER NOT NULL,
            client_id INTEGER,
            from_user TEXT NOT NULL,
            to_user TEXT NOT NULL,
            body TEXT NOT NULL,
            direction TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            ended_at INTEGER,
            sip_status INTEGER,
            reason INTEGER
        ) STRICT;
        CREATE INDEX message_account ON message (account_id);
        CREATE INDEX message_sending ON message (created_at) WHERE status = 'sending';
        PRAGMA user_version = 2;
        """
}
