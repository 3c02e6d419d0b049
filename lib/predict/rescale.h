/* The size at which a network sees an image best.
 *
 * A network knows cells of the sizes that it learned from.  It tells itself when cells are much
 * larger or smaller: its flows are short (a network that is not sure of a flow gives a short one)
 * and its probabilities near 1/2.  So a few tiles of an image are shown at other sizes, too, and
 * where it is surer by far of one of these, all tiles are shown so; what it answers is brought back
 * to the tile's own pixels.  How sure it is: the sum of flow length * (2 p - 1) over pixels whose
 * probability p of a cell is above 1/2, as a share of the pixels whose p is above 0.2. */
#ifndef PREDICT_RESCALE_H
#define PREDICT_RESCALE_H

#include "predict/inference.h"

/* A tile of an image; array, input and result are borrowed. */
struct rescale_tile {
    struct inference_input input;
    int64_t x, y; /* its place in the image */
    bool is_done; /* `result` is there: the tile's, as it is */
    struct inference_result result;
};

/* All tiles of one image, each pixel in one of them at least, and the image itself. */
struct rescale_image {
    struct rescale_tile *tiles;
    size_t count;
    int64_t width, height;
    struct array pixels; /* owned; height x width x C; made by rescale_choose */
};

/* What the network is shown of a tile at another size. */
struct rescale_window {
    struct array image;   /* owned */
    double scale;         /* its pixels = the tile's * scale */
    size_t top, left;     /* of the tile in it */
    size_t height, width; /* of the tile, as it is */
};

/* By what the image is scaled before the network sees it, 1/4 to 2; 1 when it is as sure as it is.
 * The network must give probabilities and flows, what->prob and what->flows be set.  Tiles that
 * were computed as they are have their result afterwards; it and the pixels are the caller's to
 * free, also on failure. */
int rescale_choose(struct model *model, int device, const struct inference_options *what,
                   struct rescale_image *image, double *scale, struct err *err) MUST_CHECK;

/* The window of a tile, with what is around it in the image, as large as the tile where that is
 * less.  Freed by array_free(&window->image). */
int rescale_window(const struct rescale_image *image, size_t tile, double scale,
                   struct rescale_window *window, struct err *err) MUST_CHECK;

/* The result of the window becomes that of the tile; on failure it is freed. */
int rescale_back(struct inference_result *result, const struct rescale_window *window,
                 struct err *err) MUST_CHECK;

#endif
