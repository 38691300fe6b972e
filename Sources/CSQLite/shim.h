#pragma once
#include <sqlite3.h>
#include <sys/prctl.h>

/// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import: these bind a copy.
static inline int rollcall_bind_blob_copy(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// As above, for text in UTF-8.
static inline int rollcall_bind_text_copy(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// Names the calling thread; prctl is variadic, which Swift cannot call.
static inline void rollcall_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
