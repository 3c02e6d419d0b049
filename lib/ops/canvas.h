/* Tiles of one image put together again for scoring: probabilities and
 * uncertainties are averaged where tiles overlap, the truth is pasted.  Pixels
 * that no tile covers are background in both. */
#ifndef OPS_CANVAS_H
#define OPS_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/array.h"
#include "core/band.h"
#include "ops/blend.h"

struct canvas {
    size_t width, height, planes;
    struct blend probability, uncertainty;
    bool has_uncertainty;
    struct band truth;  /* a row: width labels, uint32 */
    uint64_t tile_area; /* pixels of the tiles added */
};

/* planes: classes of the probabilities, 1 (the foreground alone) to 255.  The
 * caller ends it with canvas_free. */
int canvas_new(struct canvas *canvas, size_t width, size_t height, size_t planes,
               bool has_uncertainty, struct err *err) MUST_CHECK;
void canvas_free(struct canvas *canvas);

/* Adds a tile with its corner at (x, y).  probability: K x h x w, float16 or
 * float32; truth: h x w, uint8 to uint32, or NULL; uncertainty: h x w or NULL. */
int canvas_add(struct canvas *canvas, const struct array *probability, const struct array *truth,
               const struct array *uncertainty, int64_t x, int64_t y, struct err *err) MUST_CHECK;

/* The same for a tile that was resized: it is brought back to `height` x `width`
 * pixels first. */
int canvas_add_resized(struct canvas *canvas, const struct array *probability,
                       const struct array *uncertainty, int64_t x, int64_t y, size_t height,
                       size_t width, struct err *err) MUST_CHECK;

/* The averages themselves, planes x height x width floats: *values is new. */
int canvas_values(const struct canvas *canvas, float **values, struct err *err) MUST_CHECK;

/* What came out: height x width each, to be freed by the caller.  foreground and
 * uncertainty: as they are for one or two classes, else foreground is NULL.
 * Without uncertainties of its own: 2 min(p, 1 - p). */
struct picture {
    uint32_t *prediction, *truth;
    float *foreground, *uncertainty; /* NULL when not known */
};

/* prediction: the most probable class, or for two classes the foreground where its
 * probability is at least `threshold` (0: the most probable). */
int canvas_finish(const struct canvas *canvas, float threshold, struct picture *picture,
                  struct err *err) MUST_CHECK;
void picture_free(struct picture *picture);

/* h x w labels of any unsigned type as uint32, or numbers of any floating type as
 * float32: *to is new. */
int canvas_labels(const struct array *from, uint32_t **to, struct err *err) MUST_CHECK;
int canvas_floats(const struct array *from, struct array *to, struct err *err) MUST_CHECK;

#endif
