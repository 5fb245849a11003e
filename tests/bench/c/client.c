/* Calls GetStatus on two buses in turn and prints, per pair of calls, the nanoseconds that each took.
 *   client COUNT FIRST_ADDRESS SECOND_ADDRESS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define NAME "org.gamesa.Gamesad1"
#define PATH "/org/gamesa/Gamesad1"
#define WARM_UP 100

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t call(sd_bus *bus)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    int64_t started = now_ns();
    if (sd_bus_call_method(bus, NAME, PATH, NAME, "GetStatus", &error, &reply, "") < 0) {
        fprintf(stderr, "GetStatus: %s\n", error.message);
        exit(1);
    }
    int64_t took = now_ns() - started;
    sd_bus_message_unref(reply);
    return took;
}

int main(int count, char **arguments)
{
    sd_bus *buses[2] = {NULL, NULL};
    if (count != 4)
        return 2;
    for (int i = 0; i < 2; i++)
        if (sd_bus_new(&buses[i]) < 0 || sd_bus_set_address(buses[i], arguments[2 + i]) < 0 ||
            sd_bus_set_bus_client(buses[i], 1) < 0 || sd_bus_start(buses[i]) < 0)
            return 1;
    for (int i = -WARM_UP; i < atoi(arguments[1]); i++) {
        int64_t first = call(buses[0]), second = call(buses[1]);
        if (i >= 0)
            printf("%lld %lld\n", (long long)first, (long long)second);
    }
    return 0;
}
