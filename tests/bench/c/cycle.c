/* The floor of a tick: the same reading and regulating without an interpreter. Built as a shared library; each function
 * does one pass, times itself and gives nanoseconds. Descriptors are opened and kept by the caller, as the daemon does. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TUNABLES 8

struct sensor {
    double divisor, low, high; /* value = number / divisor, believed only within low..high */
    double target, envelope;   /* limits in degrees; 0 for a sensor that is not regulated */
    double value, slope;
    int descriptor;
    int valid;
};

struct regulator {
    double last_s, integral, cap;
    long wanted[TUNABLES], written[TUNABLES];
    int writes;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static void sample(struct sensor *sensors, int count, double seconds)
{
    char text[64];
    for (int i = 0; i < count; i++) {
        struct sensor *sensor = &sensors[i];
        ssize_t size = pread(sensor->descriptor, text, sizeof text - 1, 0);
        char *end = text;
        double value = 0;
        if (size > 0) {
            text[size] = 0;
            value = (double)strtoll(text, &end, 10) / sensor->divisor;
        }
        bool valid = end != text && value >= sensor->low && value <= sensor->high;
        if (valid && sensor->valid && sensor->target > 0 && seconds > 0)
            sensor->slope += 0.3 * ((value - sensor->value) / seconds - sensor->slope);
        sensor->valid = valid;
        sensor->value = value;
    }
}

int64_t floor_sample(struct sensor *sensors, int count)
{
    int64_t started = now_ns();
    sample(sensors, count, 0);
    return now_ns() - started;
}

/* Sample, slopes, the tightest sensor, a PI controller on the temperature expected in 3 s, the envelope's cap, which only
 * falls while a limit is exceeded, the tunables' values, and the comparison with what was written last. */
int64_t floor_cycle(struct sensor *sensors, int count, struct regulator *regulator)
{
    int64_t started = now_ns();
    double now_s = started / 1e9, seconds = now_s - regulator->last_s;
    sample(sensors, count, seconds);
    regulator->last_s = now_s;
    double least = 1e9, breach = 0;
    for (int i = 0; i < count; i++) {
        if (sensors[i].target <= 0 || !sensors[i].valid)
            continue;
        double expected = sensors[i].value + 3.0 * (sensors[i].slope > 0 ? sensors[i].slope : 0);
        double headroom = sensors[i].target - expected;
        least = headroom < least ? headroom : least;
        double over = sensors[i].value - sensors[i].envelope;
        breach = over > breach ? over : breach;
    }
    regulator->integral = clamp(regulator->integral + 0.02 * least * clamp(seconds, 0, 2), -1, 0);
    double wanted = clamp(1 + 0.05 * (least < 0 ? least : 0) + regulator->integral, 0, 1);
    double cap = clamp(1 - 0.1 * breach, 0, 1);
    regulator->cap = breach > 0 && cap > regulator->cap ? regulator->cap : cap;
    wanted = wanted < regulator->cap ? wanted : regulator->cap;
    for (int i = 0; i < TUNABLES; i++)
        regulator->wanted[i] = 800000 + (long)(wanted * 4000000) / 100000 * 100000;
    if (memcmp(regulator->wanted, regulator->written, sizeof regulator->wanted)) {
        memcpy(regulator->written, regulator->wanted, sizeof regulator->wanted);
        regulator->writes++;
    }
    return now_ns() - started;
}
