/* The table of cells, counted by image and as histograms. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/gallery.h"

#define MAX_COLUMNS 128

enum column { COLUMN_IMAGE, COLUMN_UNCERTAINTY, COLUMN_QUANTITY };

static const char *const names[] = {"image", "mean_uncertainty", "area", "mean_intensity",
                                    "circularity"};
#define NAMES (sizeof names / sizeof *names)

struct reading {
    struct gallery *gallery;
    const char *path;
    int columns[NAMES]; /* where each stands, -1 where it does not */
};

typedef void take_cell(struct gallery *gallery, struct gallery_image *image, const double *values);

/* Splits a line in place; how many cells it has. */
static int split(char *line, char *cells[MAX_COLUMNS])
{
    int count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && count < MAX_COLUMNS; count++) {
        cells[count] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = 0;
    }
    return count;
}

static int find_columns(struct reading *r, char *line, struct err *err)
{
    char *cells[MAX_COLUMNS];
    int count = split(line, cells);
    for (size_t i = 0; i < NAMES; i++) {
        r->columns[i] = -1;
        for (int j = 0; j < count; j++)
            if (strcmp(cells[j], names[i]) == 0)
                r->columns[i] = j;
    }
    if (r->columns[COLUMN_IMAGE] < 0 || r->columns[COLUMN_QUANTITY] < 0)
        return err_set(err, STATUS_DATA, "read '%s': no columns 'image' and 'area'", r->path);
    return 0;
}

static int compare_path(const void *key, const void *image)
{
    return strcmp(key, ((const struct gallery_image *)image)->path);
}

static void take_line(const struct reading *r, char *line, take_cell *take)
{
    char *cells[MAX_COLUMNS];
    double values[NAMES];
    int count = split(line, cells);
    if (r->columns[COLUMN_IMAGE] >= count)
        return;
    struct gallery_image *image =
        bsearch(cells[r->columns[COLUMN_IMAGE]], r->gallery->images, r->gallery->count,
                sizeof *r->gallery->images, compare_path);
    for (size_t i = 0; i < NAMES; i++) {
        int column = r->columns[i];
        values[i] = column >= 0 && column < count ? strtod(cells[column], NULL) : NAN;
    }
    if (image)
        take(r->gallery, image, values);
}

static int read_lines(struct reading *r, take_cell *take, struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(r->path, "r");
    if (!file)
        return err_set(err, STATUS_NO_INPUT, "open '%s': %s", r->path, strerror(errno));
    int rc = getline(&line, &room, file) > 0
                 ? find_columns(r, line, err)
                 : err_set(err, STATUS_DATA, "read '%s': the table is empty", r->path);
    while (rc == 0 && getline(&line, &room, file) > 0)
        take_line(r, line, take);
    if (rc == 0 && ferror(file))
        rc = err_set(err, STATUS_IO, "read '%s': %s", r->path, strerror(errno));
    free(line);
    fclose(file);
    return rc;
}

/* Areas differ by their ratio; so do intensities where images of 8 and of 16 bits are beside each
 * other; of a few pixels the circularity is anything. */
static double scaled(enum gallery_quantity quantity, double value)
{
    if (quantity == GALLERY_AREA)
        return log10(value);
    if (quantity == GALLERY_INTENSITY)
        return value >= 0 ? log10(1 + value) : NAN;
    return quantity == GALLERY_CIRCULARITY ? fmin(value, 1) : value;
}

static void add_cell(struct gallery *gallery, struct gallery_image *image, const double *values)
{
    image->cells++;
    image->area += values[COLUMN_QUANTITY];
    if (isfinite(values[COLUMN_UNCERTAINTY]))
        image->uncertainty += values[COLUMN_UNCERTAINTY];
    for (int q = 0; q < GALLERY_QUANTITIES; q++) {
        struct gallery_histogram *h = &gallery->histograms[q];
        double value = scaled((enum gallery_quantity)q, values[COLUMN_QUANTITY + q]);
        if (!isfinite(value))
            continue;
        h->low = fmin(h->low, value);
        h->high = fmax(h->high, value);
    }
}

static void bin_cell(struct gallery *gallery, struct gallery_image *image, const double *values)
{
    for (int q = 0; q < GALLERY_QUANTITIES; q++) {
        struct gallery_histogram *h = &gallery->histograms[q];
        double value = scaled((enum gallery_quantity)q, values[COLUMN_QUANTITY + q]);
        if (!isfinite(value) || h->high <= h->low)
            continue;
        int bin = (int)((value - h->low) / (h->high - h->low) * GALLERY_BINS);
        h->counts[image->condition_index][bin < GALLERY_BINS ? bin : GALLERY_BINS - 1]++;
    }
}

int gallery_count_cells(struct gallery *gallery, const char *table, struct err *err)
{
    struct reading r = {.gallery = gallery, .path = table};
    for (int q = 0; q < GALLERY_QUANTITIES; q++) {
        gallery->histograms[q].low = INFINITY;
        gallery->histograms[q].high = -INFINITY;
    }
    return read_lines(&r, add_cell, err) || read_lines(&r, bin_cell, err) ? -1 : 0;
}
