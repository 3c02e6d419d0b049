#include "annot/results.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "annot/export.h"
#include "core/guard.h"
#include "core/names.h"
#include "image/labels.h"
#include "image/output.h"
#include "objects/cell_table.h"
#include "objects/cells.h"
#include "objects/morphology.h"
#include "tiles/intensities.h"

struct results {
    const struct results_options *options;
    struct destination labels;
    struct annot_export exports[RESULTS_EXPORTS];
    struct cell_table *table;
    struct intensities intensities;
    int channels;      /* of the intensities that cells are measured with; 0: not known yet */
    struct names used; /* stems */
};

bool results_measure(const struct results_options *options)
{
    return options->table || options->exports[RESULTS_GEOJSON];
}

/* ---- begin and end ---- */

static int begin_labels(struct results *r, struct err *err)
{
    if (!r->options->labels)
        return 0;
    if (image_destination_set(&r->labels, r->options->labels, r->options->suffix, err))
        return -1;
    return r->options->several && !r->labels.is_folder
               ? err_set(err, STATUS_USAGE, "several images need a folder for '%s'",
                         r->options->labels)
               : 0;
}

static int begin_exports(struct results *r, struct err *err)
{
    static const enum annot_format formats[RESULTS_EXPORTS] = {
        [RESULTS_ROIS] = ANNOT_ROI_ZIP, [RESULTS_GEOJSON] = ANNOT_GEOJSON,
        [RESULTS_COCO] = ANNOT_COCO,    [RESULTS_COCO_RLE] = ANNOT_COCO_RLE,
        [RESULTS_SVG] = ANNOT_SVG,      [RESULTS_LABELME] = ANNOT_LABELME};
    const struct results_options *options = r->options;
    for (size_t i = 0; i < RESULTS_EXPORTS; i++)
        if (options->exports[i] &&
            annot_export_begin(&r->exports[i], formats[i], options->exports[i], options->suffix,
                               options->several, err))
            return -1;
    return 0;
}

static void release(struct results *r)
{
    intensities_free(&r->intensities);
    names_free(&r->used);
    free(r);
}

static void abandon(struct results *results)
{
    cell_table_abort(results->table);
    for (size_t i = 0; i < RESULTS_EXPORTS; i++)
        annot_export_abort(&results->exports[i]);
    release(results);
}

int results_begin(struct results **results, const struct results_options *options, struct err *err)
{
    struct results *r = calloc(1, sizeof *r);
    if (!r)
        return err_memory(err, "results");
    r->options = options;
    if (begin_labels(r, err) || begin_exports(r, err) ||
        intensities_open(&r->intensities, options->intensities, err) ||
        (options->table && cell_table_open(&r->table, options->table, err))) {
        abandon(r);
        return -1;
    }
    *results = r;
    return 0;
}

bool results_have_one_image(const struct results *results)
{
    return results->options->labels && !results->labels.is_folder;
}

int results_commit(struct results *results, struct err *err)
{
    struct results *r = results;
    struct cell_table *table = r->table;
    r->table = NULL;
    int rc = table ? cell_table_commit(table, err) : 0;
    for (size_t i = 0; i < RESULTS_EXPORTS && rc == 0; i++)
        rc = annot_export_commit(&r->exports[i], err);
    if (rc)
        abandon(r);
    else
        release(r);
    return rc;
}

/* ---- measuring ---- */

/* A picture whose prediction has become cells, the classes that they had, and where what is
 * measured goes. */
struct measured {
    struct results *results;
    const struct picture *picture;
    const struct spill *classes;
    struct cell_values *values;
};

static int take_cell(void *user, const struct region *region, struct err *err)
{
    const struct measured *m = user;
    const struct picture *p = m->picture;
    struct quantity quantities[REGION_MAX_QUANTITIES];
    struct cell_line line = {p->name, region->box.label,
                             cells_class(m->classes, p->prediction, p->width, &region->box),
                             p->pixel_height, p->pixel_width};
    int count = region_quantities(region, m->results->channels, quantities);
    if (m->results->options->exports[RESULTS_GEOJSON] &&
        cell_values_add(m->values, line.id, quantities, count, err))
        return -1;
    return m->results->table ? cell_table_put(m->results->table, &line, quantities, count, err) : 0;
}

static int write_head(struct results *r, int channels, struct err *err)
{
    struct quantity names[REGION_MAX_QUANTITIES];
    if (r->channels == 0)
        r->channels = channels > 1 ? channels : 1;
    int count = region_quantities(&(struct region){0}, r->channels, names);
    return r->table ? cell_table_head(r->table, names, count, err) : 0;
}

static int measure(struct results *r, struct picture *p, const struct spill *classes,
                   struct cell_values *values, struct err *err)
{
    struct measured measured = {r, p, classes, values};
    struct measure_image image;
    if (intensities_of(&r->intensities, p, &image, err) || write_head(r, image.channels, err))
        return -1;
    values->pixel_height = p->pixel_height;
    values->pixel_width = p->pixel_width;
    return measure_all(p->prediction, p->height, p->width, &image, p->foreground, p->uncertainty,
                       take_cell, &measured, err);
}

/* ---- files of an image ---- */

/* What they are called in folders, and what they come from. */
struct file_names {
    char stem[NAME_MAX + 1];
    const char *source;
};

/* A picture of a stream comes from its image, if that is there, else from the stream. */
static int choose_names(struct results *r, const struct picture *p, struct file_names *names,
                        struct err *err)
{
    bool is_there = access(p->name, F_OK) == 0;
    names->source = is_there || !r->options->stream ? p->name : r->options->stream;
    if (guard_input(p->name))
        return err_memory(err, "names of inputs");
    return names_new_stem(&r->used, p->name, names->stem, sizeof names->stem, err);
}

static int write_labels(const struct results *r, const struct picture *p,
                        const struct file_names *names, struct err *err)
{
    char path[4096];
    uint32_t max = labels_max(p->prediction, p->height * p->width);
    struct image_info info = image_label_info((int64_t)p->width, (int64_t)p->height, max, 16);
    static const char *const names_of_channels[] = {"cells"};
    bool png = r->options->format == IMAGE_PNG && max <= UINT16_MAX;
    bool ome = r->options->format == IMAGE_OME_TIFF;
    enum image_format format = image_output_format(&r->labels, png   ? IMAGE_PNG
                                                               : ome ? IMAGE_OME_TIFF
                                                                     : IMAGE_TIFF);
    info.channel_names = names_of_channels;
    info.pixel_height = p->pixel_height;
    info.pixel_width = p->pixel_width;
    if (destination_file(&r->labels, names->stem, names->source, image_format_ending(format), path,
                         sizeof path, err))
        return -1;
    if (format == IMAGE_PNG && info.bits == 32)
        return err_set(err, STATUS_USAGE, "write '%s': %u cells are too many for PNG, use TIFF",
                       path, max);
    return image_save_labels(path, format, &info, p->prediction, err);
}

static int write_outlines(struct results *r, const struct picture *p,
                          const struct file_names *names, struct cell_values *values,
                          struct err *err)
{
    struct annot_image image = {p->name, (int64_t)p->width, (int64_t)p->height, p->full_width,
                                p->full_height};
    struct array labels = array_view(DTYPE_U32, 2, (size_t[]){p->height, p->width}, p->prediction);
    for (size_t i = 0; i < RESULTS_EXPORTS; i++)
        if (r->options->exports[i] &&
            annot_export_put(&r->exports[i], &image, names->stem, names->source, &labels,
                             i == RESULTS_GEOJSON ? values : NULL, err))
            return -1;
    return 0;
}

int results_put(struct results *results, struct picture *picture, const struct spill *classes,
                struct err *err)
{
    struct cell_values values = {0};
    struct file_names names;
    int rc =
        results_measure(results->options) ? measure(results, picture, classes, &values, err) : 0;
    if (rc == 0)
        rc = choose_names(results, picture, &names, err);
    if (rc == 0 && results->options->labels)
        rc = write_labels(results, picture, &names, err);
    if (rc == 0)
        rc = write_outlines(results, picture, &names, &values, err);
    cell_values_free(&values);
    return rc;
}
