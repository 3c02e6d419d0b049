/* The table of images and the page, as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/json.h"
#include "core/outfile.h"
#include "draw/gallery.h"

/* The lines of gallery.html; made by the Makefile. */
extern const char *const gallery_template[];

#define DATA_LINE "/*DATA*/"

static double per_image(const struct gallery_image *image, double sum)
{
    return image->cells ? sum / (double)image->cells : NAN;
}

static double covered(const struct gallery_image *image)
{
    double pixels = (double)image->width * (double)image->height;
    return pixels > 0 ? image->area / pixels : NAN;
}

/* Cells a square millimeter. */
static double density(const struct gallery_image *image)
{
    double area = (double)image->width * (double)image->height * image->pixel_area * 1e-6;
    return area > 0 ? (double)image->cells / area : NAN;
}

/* ---- the table ---- */

static int put_number(struct outfile *out, double value, const char *after, struct err *err)
{
    return isnan(value) ? outfile_print(out, err, "nan%s", after)
                        : outfile_print(out, err, "%.6g%s", value, after);
}

static int put_image(struct outfile *out, const struct gallery_image *image, struct err *err)
{
    double numbers[] = {covered(image),
                        density(image),
                        per_image(image, image->area),
                        per_image(image, image->uncertainty),
                        image->mean,
                        image->contrast,
                        image->sharpness,
                        image->saturated};
    if (outfile_put_name(out, image->path, err) || outfile_put(out, "\t", 1, err) ||
        outfile_put_name(out, image->condition, err) ||
        outfile_print(out, err, "\t%lld\t%lld\t%llu\t", (long long)image->width,
                      (long long)image->height, (unsigned long long)image->cells))
        return -1;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (put_number(out, image->failure ? NAN : numbers[i], "\t", err))
            return -1;
    return outfile_print(out, err, "%s\n", image->warnings);
}

static int write_table(const struct gallery *gallery, struct outfile *out, struct err *err)
{
    if (outfile_print(
            out, err,
            "image\tcondition\twidth\theight\tcells\tarea_covered\tcells_per_mm2\tmean_area\t"
            "mean_uncertainty\tmean_intensity\tcontrast\tsharpness\tsaturated\twarnings\n"))
        return -1;
    for (size_t i = 0; i < gallery->count; i++)
        if (put_image(out, &gallery->images[i], err))
            return -1;
    return 0;
}

/* ---- the page ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
    json_t *json = json_string(value);
    return json ? json : json_string("(a name that is not UTF-8)");
}

static json_t *image_json(const struct gallery_image *image)
{
    return json_pack("[o,o,i,I,I,I,o,o,o,o,o,o,o,o]", text(image->path), text(image->stem),
                     image->condition_index, (json_int_t)image->width, (json_int_t)image->height,
                     (json_int_t)image->cells, number(covered(image)), number(density(image)),
                     number(per_image(image, image->area)),
                     number(per_image(image, image->uncertainty)), number(image->sharpness),
                     number(image->saturated), text(image->warnings),
                     image->failure ? text(image->failure) : json_null());
}

static json_t *histogram_json(const struct gallery *gallery, const struct gallery_histogram *h)
{
    json_t *all = json_array();
    for (int c = 0; c < gallery->condition_count; c++) {
        json_t *counts = json_array();
        for (int i = 0; i < GALLERY_BINS; i++)
            json_array_append_new(counts, json_integer((json_int_t)h->counts[c][i]));
        json_array_append_new(all, counts);
    }
    return json_pack("{s:o, s:o, s:o}", "low", number(h->low), "high", number(h->high), "counts",
                     all);
}

static json_t *models_json(const struct gallery *gallery)
{
    json_t *all = json_array();
    for (int i = 0; i < gallery->model_count; i++) {
        const struct gallery_model *m = &gallery->models[i];
        json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "name", text(m->name), "dsc",
                                             number(m->dsc), "ap50", number(m->ap50)));
    }
    return all;
}

static json_t *page_json(const struct gallery *gallery)
{
    json_t *images = json_array(), *conditions = json_array(), *histograms = json_array();
    for (size_t i = 0; i < gallery->count; i++)
        json_array_append_new(images, image_json(&gallery->images[i]));
    for (int i = 0; i < gallery->condition_count; i++)
        json_array_append_new(conditions, text(gallery->conditions[i]));
    for (int q = 0; q < GALLERY_QUANTITIES; q++)
        json_array_append_new(histograms, histogram_json(gallery, &gallery->histograms[q]));
    json_t *models = models_json(gallery);
    json_t *page =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "title", text(gallery->title), "images", images,
                  "conditions", conditions, "histograms", histograms, "models", models);
    /* jansson drops what it has no memory for: count what must be there. */
    if (page && (json_array_size(images) != gallery->count ||
                 json_array_size(models) != (size_t)gallery->model_count ||
                 json_array_size(histograms) != GALLERY_QUANTITIES)) {
        json_decref(page);
        return NULL;
    }
    return page;
}

/* "</script>" in a name would end the script: '<' is written as JSON may have it. */
static int put_data(struct outfile *out, const char *json, struct err *err)
{
    for (const char *at = json; *at;) {
        size_t length = strcspn(at, "<");
        if (outfile_put(out, at, length, err) ||
            (at[length] && outfile_put(out, "\\u003c", 6, err)))
            return -1;
        at += length + (at[length] != 0);
    }
    return 0;
}

static int write_page(const struct gallery *gallery, struct outfile *out, struct err *err)
{
    json_t *page = page_json(gallery);
    char *json = page ? json_dump_whole(page, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    int rc = json ? 0 : err_memory(err, "a page");
    json_decref(page);
    for (size_t i = 0; gallery_template[i] && rc == 0; i++) {
        const char *line = gallery_template[i], *mark = strstr(line, DATA_LINE);
        rc = mark ? put_data(out, json, err) : outfile_put(out, line, strlen(line), err);
    }
    free(json);
    return rc;
}

static int write_file(const struct gallery *gallery, const char *path,
                      int (*write)(const struct gallery *gallery, struct outfile *out,
                                   struct err *err),
                      struct err *err)
{
    struct outfile *out;
    if (outfile_open(&out, path, err))
        return -1;
    if (write(gallery, out, err) == 0)
        return outfile_commit(out, err);
    outfile_abort(out);
    return -1;
}

int gallery_write_table(const struct gallery *gallery, const char *path, struct err *err)
{
    return write_file(gallery, path, write_table, err);
}

int gallery_write_page(const struct gallery *gallery, const char *path, struct err *err)
{
    return write_file(gallery, path, write_page, err);
}
