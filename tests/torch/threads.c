/* Threads of the C boundary: how many, and how they wait for each other. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <time.h>

#include "nn/nn.h"
#include "tests/tap.h"

static int count_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        count += task->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return count;
}

/* Of what all threads compute; NAN when it fails. */
static double sum_of_products(void)
{
    double sum = NAN;
    if (nn_scope_begin())
        return NAN;
    nn_tensor *ones = nn_full(2, (int64_t[]){700, 700}, 1, DTYPE_F32, NN_CPU);
    for (int i = 0; i < 4; i++)
        if (nn_item(nn_sum(nn_softmax(nn_matmul(ones, ones), 1)), &sum))
            sum = NAN;
    nn_scope_end();
    return sum;
}

/* A convolution so small that libtorch takes it to BLAS. */
static void convolve(void)
{
    if (nn_scope_begin())
        return;
    nn_tensor *x = nn_full(4, (int64_t[]){1, 64, 16, 16}, 1, DTYPE_F32, NN_CPU);
    nn_tensor *kernel = nn_full(4, (int64_t[]){128, 64, 3, 3}, 1, DTYPE_F32, NN_CPU);
    for (int i = 0; i < 20; i++)
        nn_sum(nn_conv2d(x, kernel, NULL, (struct nn_conv){.pad_h = 1, .pad_w = 1}));
    nn_scope_end();
}

static double seconds(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Processor time of other threads than this one while it computes, as a share of its own. */
static double share_of_others(void)
{
    double all = seconds(CLOCK_PROCESS_CPUTIME_ID), own = seconds(CLOCK_THREAD_CPUTIME_ID);
    (void)sum_of_products();
    for (int i = 0; i < 20; i++)
        convolve();
    all = seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
    own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
    return (all - own) / own;
}

static void use_one_processor(void)
{
    cpu_set_t all, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all))
        return;
    for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    ok(!sched_setaffinity(0, sizeof one, &one), "on one processor");
}

int main(void)
{
    tap_plan(8);
    ok(!nn_set_threads(1), "one thread");
    double others = share_of_others();
    ok(others < 0.1, "is all that computes, in every library (others: %.2f)", others);
    use_one_processor();
    ok(!nn_set_threads(0), "as many threads as processors");
    is_int(nn_threads(), 1, "are one");
    double sum = sum_of_products();
    ok(!nn_set_threads(2), "two threads there");
    (void)sum_of_products();
    int before = count_threads(), most = before;
    for (int i = 0; i < 50 && most < before + 2; i++) {
        (void)sum_of_products();
        nn_mind_others();
        most = count_threads();
    }
    ok(most >= before + 2, "are found to be in each other's way: a team of two sleeps");
    is_near(sum_of_products(), sum, 1e-3, "and compute the same");
    return tap_done();
}
