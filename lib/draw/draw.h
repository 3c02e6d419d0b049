/* lib/draw: pictures for people: outlines, fillings, panels, insets. It gives rows of RGB; files
 * belong to image. */

/* Labels drawn over pictures, a row at a time.  A picture's row is RGB, 8 bits a
 * channel; a row of labels is uint32_t, 0 the background. */
#ifndef DRAW_DRAW_H
#define DRAW_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct color {
    uint8_t red, green, blue;
};

#define DRAW_MAX_LINE 64

struct draw_style {
    int line;       /* width of outlines in pixels, inside the objects; 0 none */
    double opacity; /* of the filling, 0 (none) to 1 */
    bool single;    /* one color for all objects */
    struct color color;
};

/* The width of outlines that shows in a picture of that size: 1, and 1 more for each 600
 * pixels of its longer side, at most DRAW_MAX_LINE. */
int draw_line_width(size_t width, size_t height);

/* Of a comparison: found, not there but found, there but missed. */
extern const struct color draw_true_positive, draw_false_positive, draw_false_negative;

/* on[x] = 1 where the object at x in the middle row has another label, or the
 * background, within `radius` pixels.  rows: 2 radius + 1 rows of labels, NULL
 * beyond the image, whose border is not an outline; on: room for 2 width. */
void draw_outline(const uint32_t *const *rows, int radius, size_t width, uint8_t *on);

/* Fills and outlines the objects of the middle row.  rows: 2 style->line + 1 of
 * them; `on`: 2 width bytes of scratch. */
void draw_labels(uint8_t *rgb, const uint32_t *const *rows, size_t width,
                 const struct draw_style *style, uint8_t *on);

/* Fills by comparison with the truth. */
void draw_errors(uint8_t *rgb, const uint32_t *prediction, const uint32_t *truth, size_t width,
                 double opacity);

/* A row of an image as image.h delivers it (8 or 16 bits, or 32: floats, or
 * integers when is_label), its first channel or its first three, as floats. */
void draw_values(const void *row, size_t width, int channels, int bits, bool is_label, int taken,
                 float *values);

/* A row of labels of 8, 16 or 32 bits. */
void draw_labels_of(const void *row, size_t width, int bits, uint32_t *labels);

/* Values of one (gray) or three channels, interleaved, to RGB: low becomes
 * black, high white. */
void draw_display(const float *values, size_t width, int channels, double low, double high,
                  uint8_t *rgb);

/* Means of factor x factor blocks of `factor` rows laid one after another; the
 * last block of a row may be narrower, and `rows` fewer. */
void draw_shrink_rgb(const uint8_t *from, size_t width, size_t rows, size_t factor, uint8_t *to);

/* The first label of each block that is not the background, so that thin objects stay. */
void draw_shrink_labels(const uint32_t *from, size_t width, size_t rows, size_t factor,
                        uint32_t *to);

#endif
