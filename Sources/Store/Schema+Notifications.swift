extension Schema {
    /// Version 3: what went wrong while applications ran.
    ///
    /// `record` is the number of the call or text that it is about; both are numbered by one counter, so no column says
    /// which. Changes of accounts, applications and numbers are followed as those of clients are: `client_id` is then their
    /// row, `login` the sid or number. The number of a notification is one of `RecordNumber`, so that the old ones can be found by time.
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
        CREATE TRIGGER account_inserted AFTER INSERT ON account BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, '', 'entry');
        END;
        CREATE TRIGGER account_updated AFTER UPDATE OF auth_token, effective_status ON account
        WHEN OLD.auth_token <> NEW.auth_token OR OLD.effective_status <> NEW.effective_status BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, '', 'entry');
        END;
        CREATE TRIGGER application_inserted AFTER INSERT ON application BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.sid, 'application');
        END;
        CREATE TRIGGER application_updated AFTER UPDATE ON application BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.sid, 'application');
        END;
        CREATE TRIGGER application_deleted AFTER DELETE ON application BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (OLD.id, OLD.sid, 'application');
        END;
        CREATE TRIGGER number_inserted AFTER INSERT ON number BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.phone_number, 'number');
        END;
        CREATE TRIGGER number_updated AFTER UPDATE ON number BEGIN
            INSERT INTO change (client_id, login, kind)
                SELECT OLD.id, OLD.phone_number, 'number' WHERE OLD.phone_number <> NEW.phone_number;
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.phone_number, 'number');
        END;
        CREATE TRIGGER number_deleted AFTER DELETE ON number BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (OLD.id, OLD.phone_number, 'number');
        END;
        PRAGMA user_version = 3;
        """
}
