// Stands between a server and its disk (LD_PRELOAD): fails calls on its database and log when told to, and writes down
// what was written and not yet synced, so that a power cut can take it back. See Disk.cs and PowerCut.cs.
//
//   FAULTY_DISK_FILE     the database; its log is the same with -wal
//   FAULTY_DISK_CONTROL  a file of 4,096 bytes that is shared with the harness: struct control
//   FAULTY_DISK_UNSYNCED where the unsynced writes are written down: this and .db or .wal; unset: they are not
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATABASE, LOG, FILES };
enum { STOP = -1 };
enum { NOTHING, WRITE, SYNC, TRUNCATE, READ, KINDS };

struct control {
    int32_t kind;     // what fails from now on; NOTHING: all goes well
    int32_t file;
    int32_t error;    // the errno; STOP: the process stops there instead
    int32_t skip;     // so many calls still go well
    int32_t left;     // so many fail then; -1: all
    int32_t torn;     // a write that fails has written its first half
    int32_t failed;   // counted here
    int32_t seen[FILES][KINDS];
    int32_t then;     // once it has failed, this fails instead; NOTHING: it goes on
};

// One write or truncation: this, what stood there, what was written.
struct record {
    int64_t size;     // of the whole record
    int64_t at;
    int64_t size_before;
    int64_t old_length;
    int64_t new_length; // -1: a truncation
};

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_pread)(int, void *, size_t, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct control *control;
static char paths[FILES][4096];
static int unsynced[FILES] = { -1, -1 };

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    const char *file = getenv("FAULTY_DISK_FILE"), *shared = getenv("FAULTY_DISK_CONTROL");
    const char *trace = getenv("FAULTY_DISK_UNSYNCED");
    int fd = shared ? open(shared, O_RDWR) : -1;
    if (!file || fd < 0) {
        return;
    }

    snprintf(paths[DATABASE], sizeof paths[0], "%s", file);
    snprintf(paths[LOG], sizeof paths[0], "%s-wal", file);
    struct control *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (trace) {
        char path[4096];
        snprintf(path, sizeof path, "%s.db", trace);
        unsynced[DATABASE] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        snprintf(path, sizeof path, "%s.wal", trace);
        unsynced[LOG] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }

    control = mapped == MAP_FAILED ? NULL : mapped;
}

static int file_of(int fd) {
    if (!control) {
        return FILES;
    }

    char link[64], path[4096];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) {
        return FILES;
    }

    path[length] = 0;
    return !strcmp(path, paths[LOG]) ? LOG : !strcmp(path, paths[DATABASE]) ? DATABASE : FILES;
}

// Under the gate.
static int fails(int file, int kind) {
    control->seen[file][kind]++;
    if (control->kind != kind || control->file != file || control->left == 0) {
        return 0;
    }

    if (control->skip > 0) {
        control->skip--;
        return 0;
    }

    control->left -= control->left > 0;
    control->failed++;
    if (control->error == STOP) {
        kill(getpid(), SIGSTOP);
        return 0;
    }

    control->kind = control->then ? control->then : control->kind;
    errno = control->error;
    return 1;
}

// Ahead of the write itself: a kill in between takes back what was never there, which changes nothing.
static void note(int file, int fd, const void *bytes, int64_t length, int64_t at) {
    struct stat now;
    if (unsynced[file] < 0 || fstat(fd, &now)) {
        return;
    }

    int64_t end = length < 0 ? now.st_size : at + length;
    int64_t old = (end < now.st_size ? end : now.st_size) - at;
    struct record head = { 0, at, now.st_size, old > 0 ? old : 0, length };
    int64_t fresh = length < 0 ? 0 : length;
    head.size = sizeof head + head.old_length + fresh;
    char *record = malloc(head.size);
    memcpy(record, &head, sizeof head);
    if (head.old_length && real_pread(fd, record + sizeof head, head.old_length, at) != head.old_length) {
        abort();
    }

    memcpy(record + sizeof head + head.old_length, bytes ? bytes : "", fresh);
    if (real_write(unsynced[file], record, head.size) != head.size) {
        abort();
    }

    free(record);
}

static ssize_t write_at(int file, int fd, const void *bytes, size_t length, off64_t at) {
    pthread_mutex_lock(&gate);
    int failing = fails(file, WRITE), error = errno;
    size_t written = !failing ? length : control->torn ? length / 2 : 0;
    ssize_t result = 0;
    if (written) {
        note(file, fd, bytes, written, at);
        result = real_pwrite(fd, bytes, written, at);
    }

    pthread_mutex_unlock(&gate);
    if (failing) {
        errno = error;
        return -1;
    }

    return result;
}

static int sync_it(int fd, int (*sync)(int)) {
    int file = file_of(fd);
    if (file == FILES) {
        return sync(fd);
    }

    pthread_mutex_lock(&gate);
    int result = fails(file, SYNC) ? -1 : sync(fd);
    if (result == 0 && unsynced[file] >= 0 && real_ftruncate(unsynced[file], 0)) {
        abort();
    }

    int error = errno;
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    int file = file_of(fd);
    return file == FILES ? real_pwrite(fd, bytes, length, at) : write_at(file, fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

ssize_t write(int fd, const void *bytes, size_t length) {
    int file = file_of(fd);
    if (file == FILES) {
        return real_write(fd, bytes, length);
    }

    off64_t at = lseek64(fd, 0, SEEK_CUR);
    ssize_t result = write_at(file, fd, bytes, length, at);
    if (result > 0) {
        lseek64(fd, at + result, SEEK_SET);
    }

    return result;
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) {
    int file = file_of(fd), failing = 0;
    if (file != FILES) {
        pthread_mutex_lock(&gate);
        failing = fails(file, READ);
        pthread_mutex_unlock(&gate);
    }

    return failing ? -1 : real_pread(fd, bytes, length, at);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at) { return pread64(fd, bytes, length, at); }

int fsync(int fd) { return sync_it(fd, real_fsync); }

int fdatasync(int fd) { return sync_it(fd, real_fdatasync); }

int ftruncate64(int fd, off64_t size) {
    int file = file_of(fd);
    if (file == FILES) {
        return real_ftruncate(fd, size);
    }

    pthread_mutex_lock(&gate);
    int result = -1;
    if (!fails(file, TRUNCATE)) {
        note(file, fd, NULL, -1, size);
        result = real_ftruncate(fd, size);
    }

    int error = errno;
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
