// Makes each flush to disk take SLOW_FLUSH_MICROS longer (LD_PRELOAD), as it does on other disks than this machine's.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int flush(int);

static int slowly(const char *name, int file) {
    flush *real = (flush *)dlsym(RTLD_NEXT, name);
    const char *micros = getenv("SLOW_FLUSH_MICROS");
    struct timespec longer = { 0, micros ? atol(micros) * 1000 : 0 };
    int result = real(file);
    nanosleep(&longer, NULL);
    return result;
}

int fsync(int file) { return slowly("fsync", file); }

int fdatasync(int file) { return slowly("fdatasync", file); }
