/* TIFF: one page, or several that are planes of one image. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "image/fold.h"
#include "image/samples.h"
#include "image/tiff_page.h"
#include "image/units.h"

/* The image's channels are samples of pages; each page may be a projection of several. */
struct tiff_stack {
    struct image_reader *pages; /* width x depth of them: those of a channel one after another */
    size_t width, depth, count; /* count: of pages that are there */
    enum planes_projection projection;
    int channels; /* of the image, when they are gathered */
    struct {
        int page, sample;
    } from[PLANES_MAX_CHANNELS];
    bool is_direct;     /* all of the only page: rows need not be gathered */
    void *row, *folded; /* of a page; of its projection */
    double *sums;       /* for a mean */
};

/* What is chosen of a series. */
struct choice {
    const struct tiff_series *series;
    int64_t c, z, t; /* sizes, after it is decided what pages are */
    struct planes_pick pick_z, pick_t;
    int level;
    double scale_x, scale_y; /* of the level: how many of the largest's pixels are one */
};

/* ---- choosing a series ---- */

static void list_series(const struct tiff_catalog *catalog, char *to, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < catalog->count && i < 8 && n < size; i++) {
        const struct tiff_series *s = &catalog->series[i];
        n += (size_t)snprintf(to + n, size - n, "%s%zu (%s%s%u x %u)", i ? ", " : "", i + 1,
                              s->name ? s->name : "", s->name ? ", " : "", s->like.width,
                              s->like.height);
    }
    if (n < size && catalog->count > 8)
        snprintf(to + n, size - n, ", ...");
}

static int choose_series(const struct image_reader *reader, const struct tiff_catalog *catalog,
                         const struct tiff_series **chosen, struct err *err)
{
    const char *text = reader->planes.series;
    struct planes_pick pick;
    *chosen = &catalog->series[0];
    if (catalog->count == 1 && (!text || reader->use == IMAGE_FOR_LABELS))
        return 0;
    if (!text) {
        char list[300];
        list_series(catalog, list, sizeof list);
        return image_bad(reader, err,
                         "%zu images in one file are not supported at once: choose by --series of "
                         "%s",
                         catalog->count, list);
    }
    const char **all = calloc(catalog->count, sizeof *all);
    if (!all)
        return err_memory(err, "names of images");
    for (size_t i = 0; i < catalog->count; i++)
        all[i] = catalog->series[i].name;
    struct planes_axis axis = {"--series", "image", all, (int64_t)catalog->count};
    int rc = planes_pick(text, &axis, &pick, err);
    free(all);
    if (rc)
        return err_prefix(err, "read '%s'", reader->source.name);
    *chosen = &catalog->series[pick.index];
    return 0;
}

/* ---- choosing planes ---- */

/* A mask may be drawn once for all planes of its image, and is united where that is projected. */
static int pick_of(const struct image_reader *reader, const char *text, const char *option,
                   const char *word, int64_t count, struct planes_pick *pick, struct err *err)
{
    struct planes_axis axis = {option, word, NULL, count};
    bool labels = reader->use == IMAGE_FOR_LABELS;
    *pick = (struct planes_pick){PLANES_ONE, 0};
    if (labels && count == 1)
        return 0;
    if (!text && count > 1)
        return image_bad(reader, err,
                         "%" PRId64 " %ss at once are not supported: choose one by %s 1 to %" PRId64
                         ", or project them by %s max",
                         count, word, option, count, option);
    if (planes_pick(text, &axis, pick, err))
        return err_prefix(err, "read '%s'", reader->source.name);
    if (labels && pick->projection != PLANES_ONE)
        pick->projection = PLANES_MAX;
    return 0;
}

/* Pages of which the file doesn't say what they are. */
static int refuse_pages(const struct image_reader *reader, int64_t pages, struct err *err)
{
    return image_bad(reader, err,
                     "%" PRId64
                     " pages at once are not supported, and it doesn't say what they are: choose "
                     "one by --z 1 to %" PRId64
                     ", project them by --z max, or take them as channels by --channel all",
                     pages, pages);
}

static int choose_planes(const struct image_reader *reader, struct choice *choice, struct err *err)
{
    const struct image_planes *p = &reader->planes;
    const struct tiff_series *s = choice->series;
    choice->c = s->c;
    choice->z = s->z;
    choice->t = s->t;
    if (!s->is_known && p->channel && !p->z) {
        choice->c = s->z;
        choice->z = 1;
    } else if (!s->is_known && !p->z && s->z > 1) {
        return refuse_pages(reader, s->z, err);
    }
    return pick_of(reader, p->z, "--z", "slice", choice->z, &choice->pick_z, err) ||
                   pick_of(reader, p->t, "--t", "frame", choice->t, &choice->pick_t, err)
               ? -1
               : 0;
}

/* ---- choosing a level ---- */

struct level {
    uint64_t directory;
    double width, height;
};

/* The smaller copies of a plane: its sub-images, or, of a single image, pages as well. */
static int list_levels(const struct tiff_catalog *catalog, TIFF *tif,
                       const struct tiff_place *place, struct level *levels, int most)
{
    uint16_t count = 0;
    uint64_t *listed, offsets[32];
    int n = 0;
    for (size_t i = 0; i < catalog->reduced.count && n < most; i++) {
        const struct tiff_ifd *ifd = &catalog->reduced.ifds[i];
        levels[n++] = (struct level){ifd->directory, ifd->width, ifd->height};
    }
    if (n || !TIFFSetSubDirectory(tif, place->directory) ||
        !TIFFGetField(tif, TIFFTAG_SUBIFD, &count, &listed))
        return n;
    count = count < 32 ? count : 32;
    memcpy(offsets, listed, count * sizeof *offsets);
    for (int i = 0; i < count && n < most; i++)
        if (TIFFSetSubDirectory(tif, offsets[i])) {
            struct tiff_ifd ifd = tiff_ifd_read(tif);
            levels[n++] = (struct level){ifd.directory, ifd.width, ifd.height};
        }
    return n;
}

/* The pixel size of the series: its own, or what its first page says. */
static void size_of_series(const struct tiff_series *series, TIFF *tif, const struct tiff_io *io,
                           double *width, double *height)
{
    *width = series->pixel_width;
    *height = series->pixel_height;
    const struct tiff_place *first = &series->places[0];
    if ((*width > 0 && *height > 0) || !first->directory ||
        !TIFFSetSubDirectory(tif, first->directory))
        return;
    tiff_pixel_size(tif, io, width, height);
}

/* The smallest level whose pixels are not larger than asked for. */
static int level_for(double wanted, double pixel, double full_width, const struct level *levels,
                     int count)
{
    int best = 0;
    for (int i = 0; i < count; i++)
        if (pixel * full_width / levels[i].width <= wanted * 1.001)
            best = i + 1;
    return best;
}

/* Finds the level's place of a plane; 0 is the plane's own. */
static int find_level(struct image_reader *reader, const struct tiff_catalog *catalog, TIFF *tif,
                      struct choice *choice, struct tiff_place *place, struct err *err)
{
    struct level levels[40];
    int count = list_levels(catalog, tif, place, levels, 40);
    const struct tiff_ifd *full = &choice->series->like;
    double wanted = reader->planes.um_per_pixel, pixel = reader->info.pixel_width;
    choice->level = wanted > 0 && pixel > 0
                        ? level_for(wanted, pixel, full->width, levels, count)
                        : (int)(reader->planes.level < 1000 ? reader->planes.level : 1000);
    if (choice->level > count)
        return image_bad(reader, err, "there is no level %d, there is 0%s%.0d", choice->level,
                         count ? " to " : "", count);
    if (choice->level == 0)
        return 0;
    const struct level *level = &levels[choice->level - 1];
    *place = (struct tiff_place){level->directory, 0};
    choice->scale_x = full->width / level->width;
    choice->scale_y = full->height / level->height;
    return 0;
}

/* ---- opening pages ---- */

static const struct tiff_place *place_at(const struct choice *choice, int64_t c, int64_t z,
                                         int64_t t)
{
    return &choice->series->places[(t * choice->z + z) * choice->c + c];
}

static int open_page(struct image_reader *reader, struct image_reader *page,
                     const struct tiff_place *place, struct err *err)
{
    *page = (struct image_reader){.source = reader->source,
                                  .use = reader->use,
                                  .is_imagej = reader->is_imagej,
                                  .is_tifffile = reader->is_tifffile,
                                  .is_stack = reader->is_stack};
    return tiff_page_open(page, place, err);
}

/* Everything that opening takes. */
struct opening {
    struct image_reader *reader;
    struct tiff_catalog catalog;
    struct tiff_io io;
    TIFF *tif;
    struct choice choice;
};

/* Opens the page of a channel at one depth, counted through z and then t. */
static int open_plane(struct opening *o, struct image_reader *page, int64_t c, int64_t depth,
                      struct err *err)
{
    const struct choice *choice = &o->choice;
    int64_t depth_z = choice->pick_z.projection ? choice->z : 1;
    int64_t z = choice->pick_z.index + depth % depth_z, t = choice->pick_t.index + depth / depth_z;
    struct tiff_place place = *place_at(choice, c, z, t);
    if (!place.directory)
        return image_bad(o->reader, err,
                         "channel %" PRId64 ", slice %" PRId64 ", frame %" PRId64
                         " is not in this file",
                         c + 1, z + 1, t + 1);
    if (find_level(o->reader, &o->catalog, o->tif, &o->choice, &place, err))
        return -1;
    return open_page(o->reader, page, &place, err);
}

/* The first channel of which there is a plane: the others may be in other files. */
static int64_t first_channel(const struct choice *choice)
{
    for (int64_t c = 0; c < choice->c; c++)
        if (place_at(choice, c, choice->pick_z.index, choice->pick_t.index)->directory)
            return c;
    return 0;
}

static size_t depth_of(const struct choice *choice)
{
    return (size_t)((choice->pick_z.projection ? choice->z : 1) *
                    (choice->pick_t.projection ? choice->t : 1));
}

/* ---- choosing channels ---- */

/* Names of the channels when every page has `samples` of them; NULL without. */
static const char *const *names_of(const struct tiff_series *series, int64_t c, int samples)
{
    if (!series->channels || c != series->c || samples != series->like.samples)
        return NULL;
    return (const char *const *)series->channels;
}

/* Which pages and samples are the image's channels; `pages` are the channels of those. */
static int choose_channels(struct opening *o, struct tiff_stack *stack, int64_t *pages,
                           struct err *err)
{
    const struct choice *choice = &o->choice;
    const struct image_info *info = &stack->pages[0].info;
    int samples = image_colors(info), chosen[PLANES_MAX_CHANNELS];
    struct planes_axis axis = {"--channel", "channel", names_of(choice->series, choice->c, samples),
                               choice->c * samples};
    const char *text = o->reader->planes.channel;
    if (o->reader->use == IMAGE_FOR_LABELS && axis.count == 1)
        text = NULL;
    int count = planes_channels(text, &axis, chosen, err);
    if (count < 0)
        return err_prefix(err, "read '%s'", o->reader->source.name);
    bool in_order = choice->c == 1 && count == samples;
    for (int i = 0; i < count; i++) {
        int64_t page = chosen[i] / samples;
        size_t at = 0;
        while (at < stack->width && pages[at] != page)
            at++;
        if (at == stack->width)
            pages[stack->width++] = page;
        stack->from[i].page = (int)at;
        stack->from[i].sample = chosen[i] % samples;
        in_order &= chosen[i] == i;
    }
    stack->channels = count;
    stack->is_direct = in_order && stack->depth == 1;
    return 0;
}

/* ---- opening ---- */

static int same_kind(const struct image_reader *reader, const struct image_info *a,
                     const struct image_info *b, struct err *err)
{
    if (a->width == b->width && a->height == b->height && a->channels == b->channels &&
        a->bits == b->bits && a->is_label == b->is_label)
        return 0;
    return image_bad(reader, err, "its planes have several sizes or types");
}

/* The first page, which has been opened, tells how the others look. */
static int open_others(struct opening *o, struct tiff_stack *stack, const int64_t *pages,
                       struct err *err)
{
    size_t count = stack->width * stack->depth;
    struct image_reader first = stack->pages[0];
    if (limits_check_memory(tiff_page_bytes(&first) * (uint64_t)count, "rows of all planes", err))
        return err_prefix(err, "read '%s'", o->reader->source.name);
    struct image_reader *all = calloc(count, sizeof *all);
    if (!all)
        return err_memory(err, "a TIFF's planes");
    tiff_page_close(&first);
    free(stack->pages);
    stack->pages = all;
    stack->count = count;
    for (size_t i = 0; i < count; i++) {
        struct image_reader *page = &stack->pages[i];
        if (open_plane(o, page, pages[i / stack->depth], (int64_t)(i % stack->depth), err) ||
            same_kind(o->reader, &stack->pages[0].info, &page->info, err))
            return -1;
    }
    return 0;
}

static int allocate(struct tiff_stack *stack, struct err *err)
{
    const struct image_info *info = &stack->pages[0].info;
    size_t row = image_row_bytes(info), samples = (size_t)info->channels * (size_t)info->width;
    if (stack->is_direct)
        return 0;
    stack->row = malloc(row);
    stack->folded = malloc(row);
    stack->sums = malloc(samples * sizeof *stack->sums);
    return stack->row && stack->folded && stack->sums ? 0 : err_memory(err, "a TIFF's rows");
}

static int fill_info(struct opening *o, struct tiff_stack *stack, struct err *err)
{
    struct image_reader *reader = o->reader, *page = &stack->pages[0];
    double width = reader->info.pixel_width, height = reader->info.pixel_height;
    char format[sizeof reader->info.format];
    memcpy(format, reader->info.format, sizeof format);
    reader->info = page->info;
    memcpy(reader->info.format, format, sizeof format);
    reader->info.pixel_width = units_sane(width * o->choice.scale_x);
    reader->info.pixel_height = units_sane(height * o->choice.scale_y);
    if (o->choice.level > 0) {
        reader->info.full_width = o->choice.series->like.width;
        reader->info.full_height = o->choice.series->like.height;
    }
    reader->orientation = page->orientation;
    reader->palette = page->palette;
    if (!stack->is_direct) {
        reader->info.channels = stack->channels;
        reader->info.has_alpha = false;
    }
    reader->chose_channels = true;
    return image_check_size(reader, UINT64_MAX, err);
}

static int open_stack(struct opening *o, struct err *err)
{
    struct image_reader *reader = o->reader;
    struct tiff_stack *stack = reader->state = calloc(1, sizeof *stack);
    int64_t pages[PLANES_MAX_CHANNELS];
    if (!stack || !(stack->pages = calloc(1, sizeof *stack->pages)))
        return err_memory(err, "a TIFF reader");
    const struct choice *choice = &o->choice;
    stack->depth = depth_of(choice);
    stack->projection =
        choice->pick_z.projection ? choice->pick_z.projection : choice->pick_t.projection;
    stack->count = 1;
    int64_t first = first_channel(choice);
    if (open_plane(o, &stack->pages[0], first, 0, err) || choose_channels(o, stack, pages, err))
        return -1;
    bool more = stack->width * stack->depth > 1 || pages[0] != first;
    if ((more && open_others(o, stack, pages, err)) || allocate(stack, err))
        return -1;
    return fill_info(o, stack, err);
}

static int read_catalog(struct opening *o, struct err *err)
{
    struct image_reader *reader = o->reader;
    const struct tiff_series *series;
    if (tiff_catalog_read(reader, o->tif, &o->io, &o->catalog, err) ||
        choose_series(reader, &o->catalog, &series, err))
        return -1;
    o->choice = (struct choice){.series = series, .scale_x = 1, .scale_y = 1};
    reader->is_imagej = o->catalog.is_imagej;
    reader->is_tifffile = o->catalog.is_tifffile;
    reader->is_stack = series->c * series->z * series->t > 1;
    size_of_series(series, o->tif, &o->io, &reader->info.pixel_width, &reader->info.pixel_height);
    return choose_planes(reader, &o->choice, err);
}

static int open_tiff(struct image_reader *reader, struct err *err)
{
    struct opening o = {.reader = reader, .io.fd = reader->source.fd};
    o.tif = tiff_io_open(&o.io, reader->source.name, "r");
    if (!o.tif)
        return image_bad(reader, err, "%s", tiff_io_message(&o.io, "not a TIFF"));
    int rc = read_catalog(&o, err) || open_stack(&o, err) ? -1 : 0;
    tiff_catalog_free(&o.catalog);
    TIFFClose(o.tif);
    return rc;
}

/* ---- rows ---- */

/* The next row of a channel's pages, projected. */
static int next_row(struct tiff_stack *stack, size_t channel, struct err *err)
{
    struct image_reader *pages = &stack->pages[channel * stack->depth];
    struct fold fold = fold_new(stack->projection, stack->depth, &pages[0].info, stack->sums);
    for (size_t d = 0; d < stack->depth; d++) {
        void *to = fold_target(&fold, stack->folded, stack->row);
        if (tiff_page_read(&pages[d], 1, to, err))
            return -1;
        pages[d].decoded_row++;
        fold_add(&fold, to, stack->folded);
    }
    return 0;
}

static void gather(const struct tiff_stack *stack, size_t page, uint8_t *to)
{
    const struct image_info *info = &stack->pages[0].info;
    size_t bytes = (size_t)info->bits / 8, step = (size_t)info->channels * bytes;
    const uint8_t *folded = stack->folded;
    for (int c = 0; c < stack->channels; c++) {
        if ((size_t)stack->from[c].page != page)
            continue;
        const uint8_t *from = folded + (size_t)stack->from[c].sample * bytes;
        uint8_t *next = to + (size_t)c * bytes;
        for (int64_t x = 0; x < info->width; x++) {
            memcpy(next, from, bytes);
            next += (size_t)stack->channels * bytes;
            from += step;
        }
    }
}

static void count_voids(struct image_reader *reader, const struct tiff_stack *stack)
{
    reader->voids = 0;
    for (size_t i = 0; i < stack->count; i++)
        reader->voids += stack->pages[i].voids;
}

static int read_gathered(struct image_reader *reader, int64_t rows, uint8_t *to, struct err *err)
{
    struct tiff_stack *stack = reader->state;
    size_t row_bytes = image_row_bytes(&reader->info);
    for (int64_t y = 0; y < rows; y++, to += row_bytes)
        for (size_t page = 0; page < stack->width; page++) {
            if (next_row(stack, page, err))
                return -1;
            gather(stack, page, to);
        }
    return 0;
}

static int read_tiff(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct tiff_stack *stack = reader->state;
    struct image_reader *page = &stack->pages[0];
    int rc = stack->is_direct ? tiff_page_read(page, rows, to, err)
                              : read_gathered(reader, rows, to, err);
    if (stack->is_direct)
        page->decoded_row += rows;
    count_voids(reader, stack);
    return rc;
}

static void close_tiff(struct image_reader *reader)
{
    struct tiff_stack *stack = reader->state;
    if (!stack)
        return;
    for (size_t i = 0; i < stack->count; i++)
        tiff_page_close(&stack->pages[i]);
    free(stack->pages);
    free(stack->row);
    free(stack->folded);
    free(stack->sums);
    free(stack);
    reader->state = NULL;
}

static void rewind_tiff(struct image_reader *reader)
{
    struct tiff_stack *stack = reader->state;
    for (size_t i = 0; i < stack->count; i++)
        tiff_page_rewind(&stack->pages[i]);
}

const struct image_decoder image_tiff_decoder = {"tiff", open_tiff, read_tiff, close_tiff,
                                                 rewind_tiff};
