// Makes a disk fail: preloaded into a server, its calls on files below one folder fail, tear or stall
// while a page of shared memory says so. The page is a file: TAPAL_FAULT_CONTROL; the folder is
// TAPAL_FAULT_FOLDER. faults.py writes the page and reads its counters.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALL_NEXT(name) ((__typeof__(&name))next_of(#name))

enum { op_write = 1, op_sync = 2, op_open = 4, op_rename = 8, op_cut = 16, op_allocate = 32 };
enum { mode_off = 0, mode_fail = 1, mode_stall = 2 };

// As faults.py packs it: numbers of eight bytes.
struct Control {
  _Atomic uint64_t mode, error, per_million, nth, operations, stall_ms;
  _Atomic uint64_t calls, faults;
};

static struct Control* control;
static const char* folder;
static size_t folder_length;
enum { descriptors_max = 65536 };
static _Atomic unsigned char inside[descriptors_max];  // whether a descriptor's file is in the folder

static void* next_of(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("TAPAL_FAULT_CONTROL");
  folder = getenv("TAPAL_FAULT_FOLDER");
  if (path == NULL || folder == NULL) return;
  folder_length = strlen(folder);
  const int file = CALL_NEXT(open)(path, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) abort();
  CALL_NEXT(close)(file);
  control = page;
}

static int path_inside(const char* path) {
  return control != NULL && path != NULL && strncmp(path, folder, folder_length) == 0;
}
static int descriptor_inside(int file) {
  return control != NULL && file >= 0 && file < descriptors_max && inside[file];
}
static void note_descriptor(int file, const char* path) {
  if (file >= 0 && file < descriptors_max) inside[file] = (unsigned char)path_inside(path);
}

static uint64_t dice(void) {  // splitmix64, a state a thread
  static _Thread_local uint64_t state;
  if (state == 0) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    state = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&state;
  }
  uint64_t z = (state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

// Whether this call is to fail, with errno set. A stall ends with the call being made.
static int fails(uint64_t operation) {
  const uint64_t mode = control->mode;
  if (mode == mode_off || (control->operations & operation) == 0) return 0;
  control->calls++;
  uint64_t left = control->nth;
  if (left > 0) {
    while (left > 0 && !atomic_compare_exchange_weak(&control->nth, &left, left - 1)) {}
    if (left != 1) return 0;
    control->mode = mode_off;  // the one call there was to fail
  } else if (dice() % 1000000 >= control->per_million) {
    return 0;
  }
  control->faults++;
  if (mode == mode_stall) {
    const uint64_t ms = control->stall_ms;
    const struct timespec wait = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
    return 0;
  }
  errno = (int)control->error;
  return 1;
}
static int descriptor_fails(int file, uint64_t operation) {
  return descriptor_inside(file) && fails(operation);
}

// A failing write may have written a part.
static size_t torn(size_t size) { return dice() % 2 ? (size_t)(dice() % (size + 1)) : 0; }

ssize_t write(int file, const void* bytes, size_t size) {
  if (!descriptor_fails(file, op_write)) return CALL_NEXT(write)(file, bytes, size);
  const int error = errno;
  const size_t part = torn(size);
  if (part > 0 && CALL_NEXT(write)(file, bytes, part) < 0) return -1;
  errno = error;
  return -1;
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  if (!descriptor_fails(file, op_write)) return CALL_NEXT(pwrite)(file, bytes, size, at);
  const int error = errno;
  const size_t part = torn(size);
  if (part > 0 && CALL_NEXT(pwrite)(file, bytes, part, at) < 0) return -1;
  errno = error;
  return -1;
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off_t at) {
  return pwrite(file, bytes, size, at);
}
ssize_t writev(int file, const struct iovec* pieces, int count) {
  return descriptor_fails(file, op_write) ? -1 : CALL_NEXT(writev)(file, pieces, count);
}
ssize_t pwritev(int file, const struct iovec* pieces, int count, off_t at) {
  return descriptor_fails(file, op_write) ? -1 : CALL_NEXT(pwritev)(file, pieces, count, at);
}

int fsync(int file) { return descriptor_fails(file, op_sync) ? -1 : CALL_NEXT(fsync)(file); }
int fdatasync(int file) { return descriptor_fails(file, op_sync) ? -1 : CALL_NEXT(fdatasync)(file); }

static mode_t rights_of(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}
// Only what is opened to write fails: the disk can be read.
static int open_fails(const char* path, int flags) {
  return (flags & O_ACCMODE) != O_RDONLY && path_inside(path) && fails(op_open);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t rights = rights_of(flags, more);
  va_end(more);
  if (open_fails(path, flags)) return -1;
  const int file = CALL_NEXT(open)(path, flags, rights);
  note_descriptor(file, path);
  return file;
}
int openat(int at, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t rights = rights_of(flags, more);
  va_end(more);
  if (open_fails(path, flags)) return -1;
  const int file = CALL_NEXT(openat)(at, path, flags, rights);
  note_descriptor(file, path);
  return file;
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t rights = rights_of(flags, more);
  va_end(more);
  return open(path, flags, rights);
}
int openat64(int at, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t rights = rights_of(flags, more);
  va_end(more);
  return openat(at, path, flags, rights);
}
// What _FORTIFY_SOURCE makes of open() without rights.
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open(path, flags); }

int close(int file) {
  if (file >= 0 && file < descriptors_max) inside[file] = 0;
  return CALL_NEXT(close)(file);
}

int rename(const char* from, const char* to) {
  if (path_inside(to) && fails(op_rename)) return -1;
  return CALL_NEXT(rename)(from, to);
}
int link(const char* from, const char* to) {
  if (path_inside(to) && fails(op_rename)) return -1;
  return CALL_NEXT(link)(from, to);
}
int ftruncate(int file, off_t size) {
  return descriptor_fails(file, op_cut) ? -1 : CALL_NEXT(ftruncate)(file, size);
}
int ftruncate64(int file, off_t size) { return ftruncate(file, size); }
int truncate(const char* path, off_t size) {
  return path_inside(path) && fails(op_cut) ? -1 : CALL_NEXT(truncate)(path, size);
}
int truncate64(const char* path, off_t size) { return truncate(path, size); }
int fallocate(int file, int mode, off_t at, off_t size) {
  return descriptor_fails(file, op_allocate) ? -1 : CALL_NEXT(fallocate)(file, mode, at, size);
}
int fallocate64(int file, int mode, off_t at, off_t size) { return fallocate(file, mode, at, size); }
