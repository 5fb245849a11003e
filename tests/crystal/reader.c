/* Prints the newest tick of gamesad and its temperatures: cc -O2 -o reader reader.c && ./reader [/dev/shm/gamesad]
   Little-endian machines. Every number here stands in docs/crystal-core.md. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base;
static uint64_t size;

static uint64_t u64(uint64_t at) { return __atomic_load_n((const uint64_t *)(base + at), __ATOMIC_ACQUIRE); }
static uint32_t u32(const char *at) { uint32_t value; memcpy(&value, at, 4); return value; }

static uint32_t crc32(const char *data, uint32_t length)
{
    uint32_t crc = ~0u;
    while (length--)
        for (int bit = (crc ^= (uint8_t)*data++, 0); bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    return ~crc;
}

/* The contents of the record that is section number n, whole; their length. */
static char *record(int n, uint32_t *length)
{
    uint64_t at = u64(128 + 16 * n), room = u64(136 + 16 * n), slot = 0;
    int checked = u32(base + 36) & 1;
    if (at % 8 || at > size || room > size - at || room < 64 || (slot = u64(at + 8)) < 16 || slot > (room - 64) / 2)
        errx(1, "section %d does not lie in the segment; restart gamesad", n);
    char *data = malloc(slot);
    for (int tries = 0; data && tries < 1000; tries++) {
        uint64_t sequence = u64(at);
        memcpy(data, base + at + 64 + (sequence & 1) * slot, slot);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        *length = u32(data + 4);
        if (u64(at) == sequence && sequence && *length <= slot - 16 && (!checked || crc32(data + 16, *length) == u32(data)))
            return data + 16;
    }
    errx(1, "no whole record in section %d; try again", n);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/dev/shm/gamesad";
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat is;
    if (file < 0 || fstat(file, &is))
        err(1, "%s", path);
    if (!S_ISREG(is.st_mode) || (is.st_uid && is.st_uid != geteuid()) || is.st_mode & 022 || is.st_size < 4096)
        errx(1, "%s: not a segment of root's or of this user's", path);
    size = is.st_size;
    base = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
    if (base == MAP_FAILED)
        err(1, "%s", path);
    if (memcmp(base, "CRYSTAL", 8) || u32(base + 8) != 1 || u32(base + 12) != 0x01020304 || u64(16) > size)
        errx(1, "%s: not a segment of ABI 1, or damaged", path);
    size = u64(16); /* the published length */

    uint32_t columns = u32(base + 256), latest_size, directory_size, used;
    char *latest = record(0, &latest_size), *directory = record(1, &directory_size);
    used = latest_size < 72 ? ~0u : u32(latest + 52);
    if (used > columns || latest_size < 72 + 8ull * used || directory_size < 16 + 296ull * used)
        errx(1, "%s: damaged", path);
    printf("tick %llu at %.3f\n", (unsigned long long)*(uint64_t *)latest, *(uint64_t *)(latest + 16) / 1e9);
    for (uint32_t n = 0; n < used; n++) {
        const char *row = directory + 16 + 296 * n; /* name, label, unit, quantity ... */
        double value;
        memcpy(&value, latest + 72 + 8 * n, 8);
        if (!strncmp(row + 200, "temperature", 16) && value == value)
            printf("%.128s %.3f\n", row, value);
    }
    uint64_t at = 72 + 16ull * columns + (4ull * columns + 7) / 8 * 8 + (columns + 7ull) / 8 * 8;
    uint32_t horizons = u32(latest + 64), forecasts = u32(latest + 68), column;
    if (horizons > 8 || forecasts > 32 || latest_size < at + 40 + 32 * 72)
        errx(1, "%s: damaged", path);
    for (const char *row = latest + at + 40; horizons && forecasts--; row += 72) {
        float crossing, seconds, expected, upper;
        memcpy(&crossing, row + 4, 4); /* NaN: the sensor has no limit */
        memcpy(&seconds, latest + at + 8 + 4 * (horizons - 1), 4);
        memcpy(&expected, row + 8 + 4 * (horizons - 1), 4);
        memcpy(&upper, row + 40 + 4 * (horizons - 1), 4);
        if ((column = u32(row)) < used)
            printf("%.128s in %g s %.2f, at most %.2f, limit %.3f\n", directory + 16 + 296 * column, seconds, expected, upper, crossing);
    }
    return u32(base + 32) == 1 ? 0 : 2; /* not live any more */
}
