/* A machine whose disk is slow and whose clock is wrong, for the processes that are started with this library preloaded.
 *
 * The file that SOAK_MACHINE names holds two integers of 64 bits, which may change at any time: by how many
 * milliseconds each sync is late, and by how many seconds the clock is off. Only the time of day is off; time that only
 * runs forwards (CLOCK_MONOTONIC) is as it is, as when an administrator sets a clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct machine {
    volatile int64_t sync_milliseconds;
    volatile int64_t clock_seconds;
};

static const struct machine *machine;

static const struct machine *now(void)
{
    if (!machine) {
        const char *path = getenv("SOAK_MACHINE");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *machine, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED) {
            fprintf(stderr, "error: SOAK_MACHINE names no file that can be read\n");
            abort();
        }
        close(file);
        machine = mapped;
    }
    return machine;
}

static void wait_for_the_disk(void)
{
    int64_t late = now()->sync_milliseconds;
    struct timespec rest = {.tv_sec = late / 1000, .tv_nsec = late % 1000 * 1000000};
    if (late)
        nanosleep(&rest, NULL);
}

int fsync(int file)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, file);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int done = (int)syscall(SYS_clock_gettime, clock, time);
    if (!done && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += now()->clock_seconds;
    return done;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    int done = (int)syscall(SYS_gettimeofday, time, zone);
    if (!done)
        time->tv_sec += now()->clock_seconds;
    return done;
}

time_t time(time_t *told)
{
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (told)
        *told = read.tv_sec;
    return read.tv_sec;
}
