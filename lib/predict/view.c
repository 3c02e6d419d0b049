#include "predict/view.h"

#include <stdlib.h>

#include "nn/nn.h"

/* On failure, too, the windows that were cut are the caller's. */
static int see(const struct view *view, const struct windows_part *parts, size_t n, double scale,
               int64_t height, int64_t width, struct window *windows,
               struct inference_input *inputs, struct inference_result *results, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (window_cut(view->image, parts[i], scale, height, width, &windows[i], err))
            return -1;
        inputs[i] = (struct inference_input){&windows[i].image, view->offset, view->gain};
    }
    nn_mind_others();
    return inference_run(view->model, view->device, view->what, inputs, n, results, err);
}

/* A result that failed is freed. */
static int bring_back(const struct window *windows, size_t n, struct inference_result *results,
                      struct err *err)
{
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++)
        failed = window_back(&results[i], &windows[i], err);
    for (size_t i = 0; i < n && failed; i++)
        inference_free(&results[i]);
    return failed;
}

int view_parts(const struct view *view, const struct windows_part *parts, size_t n, double scale,
               int64_t height, int64_t width, struct inference_result *results, struct err *err)
{
    struct window *windows = calloc(n, sizeof *windows);
    struct inference_input *inputs = calloc(n, sizeof *inputs);
    int result = windows && inputs
                     ? see(view, parts, n, scale, height, width, windows, inputs, results, err)
                     : err_memory(err, "an image's windows");
    if (!result)
        result = bring_back(windows, n, results, err);
    for (size_t i = 0; windows && i < n; i++)
        array_free(&windows[i].image);
    free(windows);
    free(inputs);
    return result;
}
