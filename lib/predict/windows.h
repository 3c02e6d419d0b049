/* The windows through which a network sees an image that is whole: always the same ones, whatever
 * the tiles were that it came in, and at another size where the network is surer there; and the way
 * of its answer back to the image's pixels. */
#ifndef PREDICT_WINDOWS_H
#define PREDICT_WINDOWS_H

#include "core/band.h"
#include "predict/inference.h"
#include "tiles/grid.h"

/* An image of which some rows are there: height x width x channels. */
struct windows_image {
    struct band rows; /* owned */
    int64_t width, height;
    size_t channels;
    enum dtype dtype;
};

/* A part of an image, in its pixels. */
struct windows_part {
    int64_t x, y, width, height;
};

/* What the network is shown of a part. */
struct window {
    struct array image;   /* owned; height x width x C; its pixels = the part's * scale */
    double scale;         /* 1/4 to 2 */
    size_t top, left;     /* of the part in it */
    size_t height, width; /* of the part, as it is */
};

/* The windows of an image that is shown at that scale, as tile(1) cuts by default, in pixels of the
 * image; one as large as the image where that is smaller. */
struct grid windows_over(int64_t width, int64_t height, double scale);
struct windows_part windows_place(const struct grid *windows, int64_t i);

/* The part of the image at that scale; with what is around it in the image where it has less than
 * height x width pixels then (0: without).  What lies outside of the image, or below the rows that
 * are there, repeats the border.  Freed by array_free(&window->image). */
int window_cut(const struct windows_image *image, struct windows_part part, double scale,
               int64_t height, int64_t width, struct window *window, struct err *err) MUST_CHECK;

/* What the network said of the window becomes that of the part; on failure it is freed. */
int window_back(struct inference_result *result, const struct window *window,
                struct err *err) MUST_CHECK;

/* `planes` from top, left on of a map, K x H x W or H x W of float16 or float32, as float32. */
int window_planes(const struct array *map, size_t top, size_t left, size_t height, size_t width,
                  struct array *planes, struct err *err) MUST_CHECK;

#endif
