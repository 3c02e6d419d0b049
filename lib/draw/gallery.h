/* A page that shows a folder of results: every image, its cells, and how the images differ.
 * It is one HTML file, with the pictures beside it, and needs no server. */
#ifndef DRAW_GALLERY_H
#define DRAW_GALLERY_H

#include <stdint.h>

#include "core/err.h"
#include "draw/preview.h"

#define GALLERY_BINS       32
#define GALLERY_CONDITIONS 64
#define GALLERY_MODELS     100

/* Quantities of cells whose distribution the page shows. */
enum gallery_quantity { GALLERY_AREA, GALLERY_INTENSITY, GALLERY_CIRCULARITY, GALLERY_QUANTITIES };

/* What is told of an image.  All text is owned. */
struct gallery_image {
    char *path, *stem, *condition;
    char *failure; /* why it could not be read, or NULL */
    int64_t width, height;
    double pixel_area; /* square micrometers, 0 when unknown */
    double mean, saturated, contrast, sharpness;
    uint64_t cells;
    double area, uncertainty; /* sums over its cells */
    int condition_index;
    char warnings[160]; /* words between ", " */
};

/* How good a model was, by the means of a table that score(1) wrote; NaN where it has none. */
struct gallery_model {
    char *name; /* the table's stem, owned */
    double dsc, ap50;
};

struct gallery {
    const char *title;
    struct gallery_image *images; /* in the order of their paths, once gallery_sort was called */
    size_t count;
    char *conditions[GALLERY_CONDITIONS]; /* borrowed of images */
    int condition_count;
    struct gallery_model models[GALLERY_MODELS];
    int model_count;
    struct gallery_histogram {
        double low, high; /* ends of the first and the last bin; of areas the logarithms, of
                             intensities those of 1 more */
        uint64_t counts[GALLERY_CONDITIONS][GALLERY_BINS];
    } histograms[GALLERY_QUANTITIES];
};

/* Adds an image of which nothing is known yet; `condition` is what it is grouped by, "" for
 * none.  gallery_free frees all. */
int gallery_add(struct gallery *gallery, const char *path, const char *condition,
                struct err *err) MUST_CHECK;
void gallery_free(struct gallery *gallery);

/* Once all are added: sorts, and numbers the conditions; STATUS_DATA for more than there is
 * room for, or for one image twice. */
int gallery_sort(struct gallery *gallery, struct err *err) MUST_CHECK;

/* Adds a model, the oldest first; at most GALLERY_MODELS. */
int gallery_add_model(struct gallery *gallery, const char *table, struct err *err) MUST_CHECK;

void gallery_describe(struct gallery_image *image, const struct preview *preview);

/* Counts the cells of a table that label(1) wrote, which is read twice, line by line; cells
 * of images that were not added are left out. */
int gallery_count_cells(struct gallery *gallery, const char *table, struct err *err) MUST_CHECK;

/* What looks wrong, into the images' warnings: empty, saturated, without contrast, blurred,
 * unusual count, uncertain.  The last three compare an image with the others of its
 * condition: further from their median than 5 times the median distance from it. */
int gallery_warn(struct gallery *gallery, struct err *err) MUST_CHECK;

/* The table of images, and the page; whole or not at all. */
int gallery_write_table(const struct gallery *gallery, const char *path,
                        struct err *err) MUST_CHECK;
int gallery_write_page(const struct gallery *gallery, const char *path, struct err *err) MUST_CHECK;

#endif
