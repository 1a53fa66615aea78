#include "CSQLiteFaults.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

// One write or truncation that was not synced yet: what was there before.
typedef struct undo {
  struct undo *older;
  struct fault_file *file;
  sqlite3_int64 offset, size_before;
  int count;  // bytes that were there before, at most those written
  int written;
  unsigned char bytes[];
} undo;

typedef struct fault_file {
  sqlite3_file base;
  sqlite3_file *real;
  const char *name;  // SQLite's, for as long as the file is open; NULL for a temporary file
} fault_file;

static sqlite3_vfs *system_vfs;
static sqlite3_vfs vfs;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static enum fault_kind kind;
static long position, counted;
static int is_dead;
static unsigned long random_state;
static undo *log_head;

static unsigned long next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static sqlite3_file *real(sqlite3_file *file) { return ((fault_file *)file)->real; }

// A sync of one connection is a sync of what all connections have written to that file.
static int is_same(const fault_file *a, const fault_file *b) {
  return a == b || (a->name && b->name && strcmp(a->name, b->name) == 0);
}

static void forget(fault_file *file) {
  for (undo **place = &log_head; *place;) {
    undo *entry = *place;
    if (!file || is_same(entry->file, file)) {
      *place = entry->older;
      free(entry);
    } else {
      place = &entry->older;
    }
  }
}

// SQLite's own file system moves less than 128 KiB a call and passes over the rest in silence, and the
// truncation of a log is longer than that.
enum { piece = 1 << 16 };

static void read_all(sqlite3_file *file, unsigned char *bytes, int count, sqlite3_int64 offset) {
  for (int at = 0; at < count; at += piece) {
    int wanted = count - at < piece ? count - at : piece;
    if (file->pMethods->xRead(file, bytes + at, wanted, offset + at) != SQLITE_OK) abort();
  }
}

static void write_all(
    sqlite3_file *file, const unsigned char *bytes, int count, sqlite3_int64 offset) {
  for (int at = 0; at < count; at += piece) {
    int wanted = count - at < piece ? count - at : piece;
    if (file->pMethods->xWrite(file, bytes + at, wanted, offset + at) != SQLITE_OK) abort();
  }
}

// Remembers what a change is about to overwrite.
static void remember(fault_file *file, sqlite3_int64 offset, int count) {
  undo *entry = calloc(1, sizeof(undo) + (size_t)count);
  if (!entry) abort();
  entry->file = file;
  entry->offset = offset;
  entry->written = count;
  file->real->pMethods->xFileSize(file->real, &entry->size_before);
  sqlite3_int64 there = entry->size_before - offset;
  entry->count = there < 0 ? 0 : there < count ? (int)there : count;
  read_all(file->real, entry->bytes, entry->count, offset);
  entry->older = log_head;
  log_head = entry;
}

// The newest change first: what lies below is uncovered layer by layer.
static void lose_unsynced(int is_scrambled) {
  for (undo *entry = log_head; entry; entry = entry->older) {
    sqlite3_file *file = entry->file->real;
    int from = 0;
    if (is_scrambled) {
      unsigned long draw = next_random() >> 7;
      if (draw % 3 == 0) continue;
      if (draw % 3 == 1 && entry->count) from = (int)((draw >> 8) % (unsigned long)entry->count);
    }
    write_all(file, entry->bytes + from, entry->count - from, entry->offset + from);
    if (!is_scrambled) file->pMethods->xTruncate(file, entry->size_before);
  }
  forget(NULL);
}

// What the operation that is about to happen is to do: 0 go on, otherwise an error code. `torn` is set
// when half of it is to happen first.
static int count_operation(int *torn) {
  if (is_dead) return SQLITE_IOERR;
  counted++;
  if (kind == fault_none || counted != position) return SQLITE_OK;
  switch (kind) {
    case fault_fail: return SQLITE_IOERR_WRITE;
    case fault_full: return SQLITE_FULL;
    case fault_tear: *torn = 1; break;
    case fault_drop: lose_unsynced(0); break;
    case fault_scramble: lose_unsynced(1); break;
    default: break;
  }
  is_dead = 1;
  return SQLITE_IOERR;
}

static int file_close(sqlite3_file *file) {
  pthread_mutex_lock(&guard);
  forget((fault_file *)file);
  int code = real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
  free(((fault_file *)file)->real);
  pthread_mutex_unlock(&guard);
  return code;
}
static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}
static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  pthread_mutex_lock(&guard);
  int torn = 0;
  int code = count_operation(&torn);
  if (torn) real(file)->pMethods->xWrite(real(file), bytes, count / 2, offset);
  if (code == SQLITE_OK) {
    remember((fault_file *)file, offset, count);
    code = real(file)->pMethods->xWrite(real(file), bytes, count, offset);
  }
  pthread_mutex_unlock(&guard);
  return code;
}
static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
  pthread_mutex_lock(&guard);
  int torn = 0;
  int code = count_operation(&torn);
  if (code == SQLITE_OK) {
    sqlite3_int64 before = 0;
    real(file)->pMethods->xFileSize(real(file), &before);
    if (before > size) remember((fault_file *)file, size, (int)(before - size));
    code = real(file)->pMethods->xTruncate(real(file), size);
  }
  pthread_mutex_unlock(&guard);
  return code;
}
static int file_sync(sqlite3_file *file, int flags) {
  pthread_mutex_lock(&guard);
  int torn = 0;
  int code = count_operation(&torn);
  if (code == SQLITE_OK) {
    // The file is not synced in truth: only the shim takes anything back.
    (void)flags;
    forget((fault_file *)file);
  }
  pthread_mutex_unlock(&guard);
  return code == SQLITE_IOERR_WRITE ? SQLITE_IOERR_FSYNC : code;
}
static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
static int file_lock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
static int file_unlock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
static int file_reserved(sqlite3_file *file, int *result) {
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
  // The size hint would change the file without being counted.
  if (operation == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int file_traits(sqlite3_file *file) {
  // Nothing is promised: neither atomic pages nor writes that leave their neighbours alone.
  (void)file;
  return 0;
}
static int file_map(sqlite3_file *file, int page, int size, int extend, void volatile **result) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, result);
}
static int file_shared_lock(sqlite3_file *file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
static void file_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int file_unmap(sqlite3_file *file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
    2,           file_close,    file_read,   file_write,   file_truncate, file_sync,
    file_size,   file_lock,     file_unlock, file_reserved, file_control, file_sector,
    file_traits, file_map,      file_shared_lock, file_barrier, file_unmap, 0, 0};

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *given) {
  (void)self;
  fault_file *opened = (fault_file *)file;
  opened->base.pMethods = NULL;
  opened->real = calloc(1, (size_t)system_vfs->szOsFile);
  if (!opened->real) return SQLITE_NOMEM;
  int code = system_vfs->xOpen(system_vfs, name, opened->real, flags, given);
  if (code != SQLITE_OK) {
    free(opened->real);
    return code;
  }
  opened->name = name;
  opened->base.pMethods = &methods;
  return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int sync) {
  (void)self;
  pthread_mutex_lock(&guard);
  int torn = 0;
  int code = count_operation(&torn);
  if (code == SQLITE_OK) code = system_vfs->xDelete(system_vfs, name, sync);
  pthread_mutex_unlock(&guard);
  return code == SQLITE_IOERR_WRITE ? SQLITE_IOERR_DELETE : code;
}

int fault_register(void) {
  pthread_mutex_lock(&guard);
  int code = SQLITE_OK;
  if (!system_vfs) {
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = "faults";
    vfs.szOsFile = sizeof(fault_file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    code = sqlite3_vfs_register(&vfs, 0);
  }
  pthread_mutex_unlock(&guard);
  return code;
}

void fault_begin(enum fault_kind wanted, long at, unsigned long seed) {
  pthread_mutex_lock(&guard);
  kind = wanted;
  position = at;
  counted = 0;
  is_dead = 0;
  random_state = seed * 2654435769UL + 88172645463325252UL;
  forget(NULL);
  pthread_mutex_unlock(&guard);
}

long fault_end(void) {
  pthread_mutex_lock(&guard);
  long result = counted;
  kind = fault_none;
  is_dead = 0;
  forget(NULL);
  pthread_mutex_unlock(&guard);
  return result;
}
