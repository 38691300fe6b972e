/// The tables. Times are milliseconds since 1970; bytes that came from the wire are BLOBs.
enum Schema {
    /// `RCAL`: marks the file as ours for SQLite's tools and for us.
    static let applicationID: Int64 = 0x5243_414c

    /// Version 1. `binding` has no index by expiry: each refresh would have to move its entry, whereas the search for
    /// expired rows goes by the primary key in idle moments. `client` uses AUTOINCREMENT so that an id that a queued
    /// binding names can never come to mean another client.
    static let version1: StaticString = """
        CREATE TABLE account (
            id INTEGER PRIMARY KEY,
            sid TEXT NOT NULL UNIQUE,
            parent_sid TEXT,
            friendly_name TEXT NOT NULL,
            email TEXT NOT NULL,
            auth_token TEXT NOT NULL,
            status TEXT NOT NULL DEFAULT 'active',
            date_created INTEGER NOT NULL,
            date_updated INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE client (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sid TEXT NOT NULL UNIQUE,
            account_id INTEGER NOT NULL REFERENCES account (id),
            login TEXT NOT NULL UNIQUE,
            friendly_name TEXT NOT NULL,
            password TEXT,
            ha1_md5 BLOB NOT NULL CHECK (length(ha1_md5) = 16),
            ha1_sha256 BLOB NOT NULL CHECK (length(ha1_sha256) = 32),
            ha1_sha512_256 BLOB NOT NULL CHECK (length(ha1_sha512_256) = 32),
            realm TEXT NOT NULL,
            status INTEGER NOT NULL,
            voice_url TEXT,
            voice_method TEXT NOT NULL,
            voice_fallback_url TEXT,
            voice_fallback_method TEXT NOT NULL,
            voice_application_sid TEXT,
            api_version TEXT NOT NULL,
            date_created INTEGER NOT NULL,
            date_updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX client_account ON client (account_id);
        CREATE TABLE binding (
            client_id INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
            key BLOB NOT NULL,
            contact BLOB NOT NULL,
            call_id_hash1 INTEGER NOT NULL,
            call_id_hash2 INTEGER NOT NULL,
            cseq INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            q INTEGER NOT NULL,
            instance BLOB,
            reg_id INTEGER,
            path BLOB,
            user_agent BLOB NOT NULL,
            transport INTEGER NOT NULL,
            remote BLOB NOT NULL,
            listener TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (client_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE setting (
            name TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE change (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            client_id INTEGER NOT NULL,
            login TEXT NOT NULL,
            kind TEXT NOT NULL
        ) STRICT;
        CREATE TRIGGER client_inserted AFTER INSERT ON client BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.login, 'insert');
        END;
        CREATE TRIGGER client_updated AFTER UPDATE ON client BEGIN
            INSERT INTO change (client_id, login, kind)
                SELECT OLD.id, OLD.login, 'delete' WHERE OLD.login <> NEW.login;
            INSERT INTO change (client_id, login, kind) VALUES (NEW.id, NEW.login, 'update');
        END;
        CREATE TRIGGER client_deleted AFTER DELETE ON client BEGIN
            INSERT INTO change (client_id, login, kind) VALUES (OLD.id, OLD.login, 'delete');
        END;
        PRAGMA application_id = 0x5243414c;
        PRAGMA user_version = 1;
        """
}
