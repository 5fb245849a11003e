/* The floor of a copy into the segment. Built as a shared library; gives nanoseconds. */
#include <stdint.h>
#include <string.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Pieces of this size from one place, one after the other, to another, so far apart. */
int64_t floor_copy(char *to, const char *from, uint64_t size, int64_t times, uint64_t apart)
{
    int64_t started = now_ns();
    for (int64_t i = 0; i < times; i++) {
        memcpy(to + i * apart, from + i * size, size);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return now_ns() - started;
}
