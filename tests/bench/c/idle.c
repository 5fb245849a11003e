/* The floor of idling: reads every file named on the command line once a second, at absolute deadlines, for ever. */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **paths)
{
    int *descriptors = calloc(count, sizeof *descriptors);
    for (int i = 1; i < count; i++)
        if ((descriptors[i] = open(paths[i], O_RDONLY | O_CLOEXEC)) < 0)
            return 1;
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    volatile double sum = 0;
    char text[64];
    for (;;) {
        for (int i = 1; i < count; i++) {
            ssize_t size = pread(descriptors[i], text, sizeof text - 1, 0);
            if (size > 0) {
                text[size] = 0;
                sum += strtod(text, NULL) / 1000;
            }
        }
        deadline.tv_sec++;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
    }
}
