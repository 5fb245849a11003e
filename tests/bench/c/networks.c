/* The floor of the three networks' second. Built as a shared library; gives nanoseconds. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { ROWS = 32, WIDTH = 32, LAYERS = 4, MOST = 2048 };

struct network {
    int layers, size[LAYERS + 1], steps;
    double weight[MOST], gradient[MOST], mean[MOST], square[MOST];
    double value[LAYERS + 1][ROWS * WIDTH], error[LAYERS + 1][ROWS * WIDTH];
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Weights lie input by input, the bias last; leaky between layers. */
static void forward(struct network *net, const double *weight, const double *inputs, int rows)
{
    memcpy(net->value[0], inputs, sizeof(double) * rows * net->size[0]);
    for (int l = 0; l < net->layers; l++) {
        int n = net->size[l], m = net->size[l + 1];
        for (int r = 0; r < rows; r++) {
            double *out = net->value[l + 1] + r * m;
            const double *in = net->value[l] + r * n;
            memcpy(out, weight + n * m, sizeof(double) * m);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < m; j++)
                    out[j] += in[i] * weight[i * m + j];
            if (l < net->layers - 1)
                for (int j = 0; j < m; j++)
                    out[j] = out[j] > 0 ? out[j] : 0.1 * out[j];
        }
        weight += (n + 1) * m;
    }
}

/* From the error of the outputs; then Adam, the gradient shortened to 1. */
static void learn(struct network *net, int rows, int count)
{
    memset(net->gradient, 0, sizeof(double) * count);
    int end = count;
    for (int l = net->layers - 1; l >= 0; l--) {
        int n = net->size[l], m = net->size[l + 1];
        end -= (n + 1) * m;
        double *weight = net->weight + end, *slope = net->gradient + end;
        for (int r = 0; r < rows; r++) {
            const double *in = net->value[l] + r * n, *error = net->error[l + 1] + r * m;
            double *before = net->error[l] + r * n;
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int j = 0; j < m; j++) {
                    slope[i * m + j] += in[i] * error[j];
                    sum += weight[i * m + j] * error[j];
                }
                before[i] = in[i] > 0 ? sum : 0.1 * sum;
            }
            for (int j = 0; j < m; j++)
                slope[n * m + j] += error[j];
        }
    }
    double length = 0;
    for (int i = 0; i < count; i++)
        length += net->gradient[i] * net->gradient[i];
    double scale = length > 1 ? 1 / sqrt(length) : 1;
    net->steps++;
    double unbiased = sqrt(1 - pow(0.997, net->steps)), rate = 3e-3 * unbiased / (1 - pow(0.9, net->steps));
    for (int i = 0; i < count; i++) {
        double slope = net->gradient[i] * scale;
        net->mean[i] = 0.9 * net->mean[i] + 0.1 * slope;
        net->square[i] = 0.997 * net->square[i] + 0.003 * slope * slope;
        net->weight[i] -= rate * net->mean[i] / (sqrt(net->square[i]) + 1e-8 * unbiased);
    }
}

/* ``extra`` forward passes of the batch (double Q's two), one of a single row, and one step towards ``wanted``. */
int64_t floor_networks(struct network *net, const double *inputs, const double *wanted, int rows, int extra, int count)
{
    int64_t started = now_ns();
    forward(net, net->weight, inputs, 1);
    for (int i = 0; i < extra; i++)
        forward(net, net->weight, inputs, rows);
    forward(net, net->weight, inputs, rows);
    int outputs = rows * net->size[net->layers];
    for (int i = 0; i < outputs; i++) {
        double error = 10 * (net->value[net->layers][i] - wanted[i]);
        net->error[net->layers][i] = (error > 1 ? 1 : error < -1 ? -1 : error) / rows;
    }
    learn(net, rows, count);
    return now_ns() - started;
}
