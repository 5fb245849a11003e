/* The floor of GetStatus: a service on sd-bus that answers the same dictionary. It asks the daemon once on the first bus
 * and from then on marshals what it was told, entry by entry, for every call on the second bus.
 *   service DAEMON_ADDRESS OWN_ADDRESS     prints "ready" when it serves */
#include <stdio.h>
#include <systemd/sd-bus.h>

#define NAME "org.gamesa.Gamesad1"
#define PATH "/org/gamesa/Gamesad1"

static sd_bus_message *status;

static int get_status(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    sd_bus_message *reply = NULL;
    int result = sd_bus_message_rewind(status, 1);
    if (result >= 0)
        result = sd_bus_message_new_method_return(call, &reply);
    if (result >= 0)
        result = sd_bus_message_copy(reply, status, 1);
    if (result >= 0)
        result = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return result < 0 ? result : 1;
}

static const sd_bus_vtable members[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("GetStatus", "", "a{sv}", get_status, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int connect_to(const char *address, sd_bus **bus)
{
    int result = sd_bus_new(bus);
    if (result >= 0)
        result = sd_bus_set_address(*bus, address);
    if (result >= 0)
        result = sd_bus_set_bus_client(*bus, 1);
    return result < 0 ? result : sd_bus_start(*bus);
}

int main(int count, char **arguments)
{
    sd_bus *daemon = NULL, *bus = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (count != 3 || connect_to(arguments[1], &daemon) < 0 || connect_to(arguments[2], &bus) < 0)
        return 1;
    if (sd_bus_call_method(daemon, NAME, PATH, NAME, "GetStatus", &error, &status, "") < 0) {
        fprintf(stderr, "GetStatus: %s\n", error.message);
        return 1;
    }
    if (sd_bus_add_object_vtable(bus, NULL, PATH, NAME, members, NULL) < 0 || sd_bus_request_name(bus, NAME, 0) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        int result = sd_bus_process(bus, NULL);
        if (result < 0 || (result == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
            return 1;
    }
}
