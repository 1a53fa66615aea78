// A file system for SQLite, around the system's own, in which the n-th operation goes wrong.
//
// Operations are counted over all its files: every write, truncation, sync and removal. What was
// written since a file's last sync is remembered, so that a loss of power can take it back.
#ifndef APUS_CSQLITEFAULTS_H
#define APUS_CSQLITEFAULTS_H

enum fault_kind {
  fault_none = 0,
  /// The n-th operation reports an error and does nothing; those after it work.
  fault_fail = 1,
  /// As `fault_fail`, and the error is a full disk.
  fault_full = 2,
  /// The process dies at the n-th operation: nothing after it happens, all before it has.
  fault_crash = 3,
  /// As `fault_crash`, and half of the n-th write has happened.
  fault_tear = 4,
  /// The power goes at the n-th operation: all that was not synced is lost.
  fault_drop = 5,
  /// As `fault_drop`, but of what was not synced some writes are lost, some are torn, some are there.
  fault_scramble = 6
};

/// Registers the file system with SQLite under the name "faults"; 0 when it worked.
int fault_register(void);

/// Begins to count at 0; `position` counts from 1.
void fault_begin(enum fault_kind kind, long position, unsigned long seed);

/// Operations since `fault_begin`; ends the faults. Files must be closed before the next `fault_begin`.
long fault_end(void);

#endif
