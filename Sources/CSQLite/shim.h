#include <sqlite3.h>

// What Swift cannot call: functions of variable arguments and macros that are casts.

/// Binds bytes that SQLite copies before it returns.
static inline int apus_bind_text_copy(sqlite3_stmt *statement, int index, const char *bytes,
                                      sqlite3_uint64 count) {
  return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// Binds bytes that SQLite copies before it returns.
static inline int apus_bind_blob_copy(sqlite3_stmt *statement, int index, const void *bytes,
                                      sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// Binds bytes that stay where they are until the statement is reset.
static inline int apus_bind_blob_borrowed(sqlite3_stmt *statement, int index, const void *bytes,
                                          sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}

/// A file may come from anybody: its triggers and views never run, and its schema is no way in.
static inline int apus_distrust_schema(sqlite3 *connection) {
  int code = sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)0);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)0);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  return code;
}

/// Views of a stranger's file, whose schema stays untrusted.
static inline int apus_allow_views(sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 1, (int *)0);
}

/// Whether closing the last connection moves the log into the file.
static inline int apus_checkpoint_on_close(sqlite3 *connection, int isOn) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !isOn, (int *)0);
}

static const int apus_ioerr_nomem = SQLITE_IOERR_NOMEM;
static const int apus_readonly_directory = SQLITE_READONLY_DIRECTORY;
