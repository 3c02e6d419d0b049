/* Whether a tile is worth keeping: how much of it is foreground, and whether it
 * shows anything at all. */
#ifndef PIXELS_CONTENT_H
#define PIXELS_CONTENT_H

#include <stdbool.h>

#include "core/array.h"

/* Share of the pixels of a mask (any unsigned type) that are not 0; 0 when it has none. */
double content_foreground(const struct array *mask);

/* A window of an image, in its pixels. */
struct content_window {
    size_t x, y, width, height;
};

/* What structure there is, of the channel that has most of it.  Each channel is
 * averaged over blocks of 8 x 8 pixels (fewer in small tiles) and freed of a
 * plane fitted by least squares, which is uneven light; the structure is the
 * standard deviation of what is left. */
struct content {
    double contrast; /* structure / mean intensity; 0 for a constant image */
    double excess;   /* structure / what white noise of this image's strength would leave,
                        the noise after Immerkaer, Comput. Vis. Image Underst. 64 (1996) 300 */
};

/* image: H x W x C, uint8, uint16 or float32; the window lies inside it. */
int content_measure(const struct array *image, const struct content_window *window,
                    struct content *content, struct err *err) MUST_CHECK;

/* A tile is blank when its contrast is below `contrast` or when it is no more
 * than twice the noise. */
#define CONTENT_CONTRAST 0.008
bool content_is_blank(const struct content *content, double contrast);

#endif
