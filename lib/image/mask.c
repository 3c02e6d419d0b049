#include "image/mask.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/notice.h"
#include "image/mask_look.h"
#include "image/mask_view.h"

#define CHUNK_SIZE (1 << 18) /* bytes of rows that are read at a time */

struct mask_reader {
    struct image_reader *file;
    const struct image_info *info;
    struct mask_view view;
    struct mask_look look;
    enum dtype dtype; /* of the view */
    uint32_t white;   /* the only value but 0; 0 when there are others */
    bool cut;         /* white where at least `limit` */
    double limit;
    bool swaps; /* palette indices 0 and `black` change places */
    uint8_t black;
    uint8_t *chunk; /* rows of the file */
    int64_t chunk_rows;
    void *row;    /* one of the view */
    void *labels; /* one of labels */
};

static const char *name_of(const struct mask_reader *r)
{
    return r->file->source.name;
}

static int bad(const struct mask_reader *r, struct err *err, const char *reason)
{
    return err_set(err, STATUS_DATA, "read '%s': %s", name_of(r), reason);
}

static void close_reader(struct mask_reader *r)
{
    if (!r)
        return;
    image_close(r->file);
    mask_look_end(&r->look);
    free(r->chunk);
    free(r->row);
    free(r->labels);
    free(r);
}

static int open_reader(struct mask_reader *r, const char *path, struct err *err)
{
    if (image_open_labels(&r->file, path, err))
        return -1;
    r->info = image_info(r->file);
    r->dtype = image_dtype(r->info);
    r->view = (struct mask_view){.info = r->info,
                                 .palette = &r->file->palette,
                                 .is_lossy = strcmp(r->info->format, "jpeg") == 0};
    size_t row_bytes = image_row_bytes(r->info);
    r->chunk_rows = 1 + (int64_t)(CHUNK_SIZE / (row_bytes + 1));
    r->chunk = malloc((size_t)r->chunk_rows * row_bytes);
    r->row = malloc((size_t)r->info->width * dtype_size(r->dtype));
    r->labels = malloc((size_t)r->info->width * sizeof(uint32_t));
    if (!r->chunk || !r->row || !r->labels)
        return err_memory(err, path);
    int colors = image_colors(r->info);
    if (colors != 1 && colors != 3)
        return err_set(
            err, STATUS_DATA,
            "read '%s': a mask has one channel, this image has %d: choose by --mask-channel",
            name_of(r), colors);
    return 0;
}

/* Calls `take` for each row from here on, until it returns more than 0 or fails. */
typedef int take_row(struct mask_reader *r, const uint8_t *row, void *user, struct err *err);

static int each_row(struct mask_reader *r, int64_t rows, take_row *take, void *user,
                    struct err *err)
{
    size_t row_bytes = image_row_bytes(r->info);
    for (int64_t y = 0; y < rows; y += r->chunk_rows) {
        int64_t n = rows - y < r->chunk_rows ? rows - y : r->chunk_rows;
        if (image_read_rows(r->file, n, r->chunk, err))
            return -1;
        for (int64_t i = 0; i < n; i++) {
            int rc = take(r, r->chunk + (size_t)i * row_bytes, user, err);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* ---- which number a pixel is ---- */

static int take_colors(struct mask_reader *r, const uint8_t *row, void *user, struct err *err)
{
    (void)err;
    mask_colors_row(user, r->info, row);
    return 0;
}

/* Of a mask with alpha, or in colors. */
static int choose_view(struct mask_reader *r, struct err *err)
{
    struct mask_colors colors = {.count = 0};
    if (image_rewind(r->file, err) || each_row(r, r->info->height, take_colors, &colors, err) < 0 ||
        image_rewind(r->file, err))
        return -1;
    if (r->info->has_alpha && colors.alpha_varies)
        r->view.kind = colors.colors_vary ? MASK_VIEW_VISIBLE : MASK_VIEW_ALPHA;
    if (r->view.kind != MASK_VIEW_ALPHA && mask_colors_are_two(&colors) &&
        image_colors(r->info) == 3)
        r->view.kind = MASK_VIEW_COLORED;
    if (r->view.kind == MASK_VIEW_ALPHA)
        notice("read '%s': one color throughout, the mask is taken from alpha", name_of(r));
    return 0;
}

/* ---- palettes ---- */

static int take_indices(struct mask_reader *r, const uint8_t *row, void *user, struct err *err)
{
    bool *used = user;
    (void)err;
    for (size_t x = 0; x < (size_t)r->info->width; x++)
        used[row[x]] = true;
    return 0;
}

static bool is_black(const struct palette *palette, size_t i)
{
    static const uint8_t black[3];
    return palette->transparent[i] || memcmp(palette->colors[i], black, sizeof black) == 0;
}

/* The palette's colors that are in the image. */
static struct palette palette_used(const struct palette *palette, const bool *used, int *black)
{
    struct palette found = {.count = 0};
    *black = -1;
    for (size_t i = 0; i < PALETTE_MAX; i++) {
        if (!used[i] || i >= palette->count)
            continue;
        if (is_black(palette, i) && *black < 0)
            *black = (int)i;
        if (!is_black(palette, i))
            memcpy(found.colors[found.count], palette->colors[i], 3);
        found.count++;
    }
    return found;
}

/* Black is where nothing is, whichever index the saving program gave it. */
static int read_palette(struct mask_reader *r, struct err *err)
{
    const struct palette *palette = r->view.palette;
    bool used[PALETTE_MAX] = {false};
    int black;
    if (palette->count == 0)
        return 0;
    if (palette_kind(palette) == PALETTE_GRAY)
        r->view.kind = MASK_VIEW_GRAYS;
    if (is_black(palette, 0))
        return 0;
    if (each_row(r, r->info->height, take_indices, used, err) < 0 || image_rewind(r->file, err))
        return -1;
    struct palette found = palette_used(palette, used, &black);
    if (palette_is_black_and_white(&found)) {
        r->view.kind = MASK_VIEW_GRAYS;
    } else if (black > 0) {
        r->black = (uint8_t)black;
    }
    return 0;
}

/* Grays are shown to the look, so that smoothed edges are found, but classes are indices. */
static void return_to_indices(struct mask_reader *r)
{
    if (r->view.kind != MASK_VIEW_GRAYS || r->cut || (r->white && !is_black(r->view.palette, 0)))
        return;
    r->view.kind = MASK_VIEW_FIRST;
    r->white = 0;
}

static void tell_black(struct mask_reader *r)
{
    r->swaps = r->black && !r->cut && r->view.kind == MASK_VIEW_FIRST;
    if (r->swaps)
        notice("read '%s': black, the palette's color %d, is taken as 0", name_of(r), r->black);
}

/* ---- what the numbers mean ---- */

/* A row as the view shows it, the file's own or in r->row; NULL when it is colored. */
static const void *view_row(struct mask_reader *r, const void *row, struct err *err)
{
    if (r->view.kind == MASK_VIEW_FIRST && r->info->channels == 1)
        return row;
    if (mask_view_row(&r->view, row, r->row))
        return r->row;
    bad(r, err, "a mask in colors; labels are one number a pixel");
    return NULL;
}

static int take_look(struct mask_reader *r, const uint8_t *row, void *user, struct err *err)
{
    const void *seen = view_row(r, row, err);
    (void)user;
    if (!seen)
        return -1;
    return mask_look_row(&r->look, seen) ? 0 : 1;
}

static int decide_floats(struct mask_reader *r, struct err *err)
{
    const struct mask_look *look = &r->look;
    if (mask_look_is_smoothed(look)) {
        r->cut = true;
        r->limit = 0.5;
        notice("read '%s': %" PRIu64 " values between 0 and 1 are cut at 0.5", name_of(r),
               look->fractions);
        return 0;
    }
    if (look->fractions)
        return err_set(err, STATUS_DATA,
                       "read '%s': a mask has whole numbers, this image has fractions (%g)",
                       name_of(r), look->fraction);
    if (look->least < -1 || look->most > UINT32_MAX)
        return err_set(err, STATUS_DATA, "read '%s': %g is no label", name_of(r),
                       look->least < -1 ? look->least : look->most);
    if (look->nans + look->voids)
        notice("read '%s': %" PRIu64 " pixels that are NaN or -1 are taken as 0", name_of(r),
               look->nans + look->voids);
    return 0;
}

static int decide_lossy(struct mask_reader *r, struct err *err)
{
    const struct mask_look *look = &r->look;
    if (look->between == 0)
        return 0;
    r->cut = true;
    r->limit = 128;
    if (look->maximum < r->limit)
        return err_set(err, STATUS_DATA,
                       "read '%s': a JPEG keeps no labels, and this one has no white: its values "
                       "end at %" PRIu32,
                       name_of(r), look->maximum);
    return 0;
}

static int decide_integers(struct mask_reader *r, struct err *err)
{
    const struct mask_look *look = &r->look;
    uint32_t white = mask_look_white(look);
    if (r->view.is_lossy && decide_lossy(r, err))
        return -1;
    if (!r->cut &&
        (mask_look_is_smoothed(look) || (r->view.kind == MASK_VIEW_ALPHA && look->between > 0))) {
        r->cut = true;
        r->limit = white / 2 + 1;
    }
    if (r->cut)
        notice("read '%s': %d values between black and white are cut at %g", name_of(r),
               mask_look_between(look), r->limit);
    else if (mask_look_is_picture(look))
        notice("read '%s': it looks like a picture, not like a mask: %d values that differ from "
               "pixel to pixel",
               name_of(r), mask_look_between(look));
    return 0;
}

static int begin_look(struct mask_reader *r, struct err *err)
{
    mask_look_end(&r->look);
    return mask_look_begin(&r->look, r->dtype, (size_t)r->info->width, err);
}

static int look_at_all(struct mask_reader *r, struct err *err)
{
    if (begin_look(r, err))
        return -1;
    return each_row(r, r->info->height, take_look, NULL, err) < 0 ? -1 : 0;
}

static int decide(struct mask_reader *r, struct err *err)
{
    int rc = r->dtype == DTYPE_F32   ? decide_floats(r, err)
             : r->dtype == DTYPE_U32 ? 0
                                     : decide_integers(r, err);
    bool is_wide = r->dtype == DTYPE_U32 || r->dtype == DTYPE_F32;
    if (is_wide && mask_look_is_black_and_white(&r->look)) {
        r->cut = true;
        r->limit = 1;
    }
    if (r->cut)
        r->white = 255;
    else if (mask_look_is_black_and_white(&r->look))
        r->white = mask_look_white(&r->look);
    return_to_indices(r);
    tell_black(r);
    return rc;
}

/* A mask in colors may still be one of two. */
static int look_at_colored(struct mask_reader *r, struct err *err)
{
    struct err second;
    if (image_colors(r->info) != 3 || r->view.is_lossy || r->view.kind == MASK_VIEW_COLORED)
        return -1;
    if (choose_view(r, &second) || r->view.kind != MASK_VIEW_COLORED)
        return -1;
    return look_at_all(r, err);
}

static int understand(struct mask_reader *r, struct err *err)
{
    if ((r->info->has_alpha && choose_view(r, err)) || read_palette(r, err))
        return -1;
    if (look_at_all(r, err) && (err->status != STATUS_DATA || look_at_colored(r, err)))
        return -1;
    return decide(r, err) || image_rewind(r->file, err) ? -1 : 0;
}

/* ---- labels ---- */

static enum dtype dtype_of_labels(const struct mask_reader *r)
{
    return r->cut ? DTYPE_U8 : r->dtype == DTYPE_F32 ? DTYPE_U32 : r->dtype;
}

static void cut_row(const struct mask_reader *r, const void *row, uint8_t *to)
{
    size_t width = (size_t)r->info->width;
    if (r->dtype == DTYPE_U8)
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint8_t *)row)[x] >= r->limit ? 255 : 0;
    else if (r->dtype == DTYPE_U16)
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint16_t *)row)[x] >= r->limit ? 255 : 0;
    else if (r->dtype == DTYPE_U32)
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint32_t *)row)[x] >= r->limit ? 255 : 0;
    else
        for (size_t x = 0; x < width; x++)
            to[x] = ((const float *)row)[x] >= (float)r->limit ? 255 : 0;
}

static void whole_row(const struct mask_reader *r, const float *row, uint32_t *to)
{
    for (int64_t x = 0; x < r->info->width; x++)
        to[x] = row[x] > 0 && row[x] < 4294967296.0f ? (uint32_t)row[x] : 0;
}

static void swap_row(const struct mask_reader *r, const uint8_t *row, uint8_t *to)
{
    for (int64_t x = 0; x < r->info->width; x++)
        to[x] = row[x] == r->black ? 0 : row[x] == 0 ? r->black : row[x];
}

/* A row of the view as labels of dtype_of_labels: the row itself, or r->labels. */
static const void *labels_of_row(const struct mask_reader *r, const void *row)
{
    if (r->cut)
        cut_row(r, row, r->labels);
    else if (r->dtype == DTYPE_F32)
        whole_row(r, row, r->labels);
    else if (r->swaps)
        swap_row(r, row, r->labels);
    else
        return row;
    return r->labels;
}

static void widen_row(const struct mask_reader *r, const void *row, uint32_t *to)
{
    size_t width = (size_t)r->info->width;
    switch (dtype_of_labels(r)) {
    case DTYPE_U8:
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint8_t *)row)[x];
        break;
    case DTYPE_U16:
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint16_t *)row)[x];
        break;
    default:
        memcpy(to, row, width * sizeof *to);
    }
}

static void narrow_row(const struct mask_reader *r, const void *row, uint8_t *to)
{
    size_t width = (size_t)r->info->width;
    switch (dtype_of_labels(r)) {
    case DTYPE_U8:
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint8_t *)row)[x] != 0;
        break;
    case DTYPE_U16:
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint16_t *)row)[x] != 0;
        break;
    default:
        for (size_t x = 0; x < width; x++)
            to[x] = ((const uint32_t *)row)[x] != 0;
    }
}

/* Where rows of labels go. */
struct mask_target {
    uint8_t *next;
    enum { MASK_NATIVE, MASK_WIDE, MASK_BINARY } kind;
    bool looks, decided; /* each row is looked at, too, until it is decided what they are */
};

static int take_labels(struct mask_reader *r, const uint8_t *row, void *user, struct err *err)
{
    struct mask_target *target = user;
    const void *seen = view_row(r, row, err);
    size_t width = (size_t)r->info->width;
    if (!seen)
        return -1;
    if (target->looks && !target->decided)
        target->decided = !mask_look_row(&r->look, seen);
    const void *labels = labels_of_row(r, seen);
    size_t size = target->kind == MASK_NATIVE ? dtype_size(dtype_of_labels(r))
                  : target->kind == MASK_WIDE ? sizeof(uint32_t)
                                              : 1;
    if (target->kind == MASK_NATIVE)
        memcpy(target->next, labels, width * size);
    else if (target->kind == MASK_WIDE)
        widen_row(r, labels, (uint32_t *)(void *)target->next);
    else
        narrow_row(r, labels, target->next);
    target->next += width * size;
    return 0;
}

/* ---- row by row ---- */

int mask_open(struct mask *mask, const char *path, struct err *err)
{
    *mask = (struct mask){0};
    struct mask_reader *r = mask->reader = calloc(1, sizeof *r);
    if (!r)
        return err_memory(err, "a mask");
    if (open_reader(r, path, err))
        return -1;
    mask->info = r->info;
    return 0;
}

void mask_close(struct mask *mask)
{
    close_reader(mask->reader);
    *mask = (struct mask){0};
}

int mask_examine(struct mask *mask, struct err *err)
{
    struct mask_reader *r = mask->reader;
    if (understand(r, err))
        return -1;
    mask->dtype = dtype_of_labels(r);
    mask->white = r->white;
    return 0;
}

int mask_read(struct mask *mask, int64_t rows, void *to, struct err *err)
{
    struct mask_target target = {.next = to, .kind = MASK_NATIVE};
    return each_row(mask->reader, rows, take_labels, &target, err);
}

int mask_read32(struct mask *mask, int64_t rows, uint32_t *to, struct err *err)
{
    struct mask_target target = {.next = (uint8_t *)to, .kind = MASK_WIDE};
    return each_row(mask->reader, rows, take_labels, &target, err);
}

/* ---- at once ---- */

static int read_all(struct mask_reader *r, struct mask_target target, struct err *err)
{
    return each_row(r, r->info->height, take_labels, &target, err);
}

/* Looks while it reads: 1 when that was all, 0 when the mask must be read again. */
static int read_and_look(struct mask_reader *r, struct mask_target target, struct err *err)
{
    if (r->info->has_alpha || r->view.palette->count > 0)
        return 0;
    if (begin_look(r, err))
        return -1;
    target.looks = true;
    if (read_all(r, target, err))
        return err->status == STATUS_DATA && image_colors(r->info) == 3 ? image_rewind(r->file, err)
                                                                        : -1;
    if (decide(r, err))
        return -1;
    return r->cut ? image_rewind(r->file, err) : 1;
}

/* Most masks are what they seem, and need to be read but once. */
static int read_at_once(struct mask_reader *r, struct mask_target target, struct err *err)
{
    int rc = read_and_look(r, target, err);
    if (rc)
        return rc < 0 ? -1 : 0;
    if (!r->cut && understand(r, err))
        return -1;
    return read_all(r, target, err);
}

int mask_read_all(struct mask *mask, uint32_t *labels, struct err *err)
{
    struct mask_target target = {.next = (uint8_t *)labels, .kind = MASK_WIDE};
    return read_at_once(mask->reader, target, err);
}

static int load(const char *path, struct image_info *info, void **to, enum dtype dtype,
                struct err *err)
{
    struct mask mask;
    size_t bytes;
    *to = NULL;
    int rc = mask_open(&mask, path, err);
    if (rc == 0) {
        *info = *mask.info;
        size_t shape[] = {(size_t)info->height, (size_t)info->width};
        rc = limits_check_file(path, info->width, info->height, dtype_size(dtype), err) ||
                     array_check_bytes(dtype, 2, shape, &bytes, err)
                 ? -1
                 : 0;
    }
    if (rc == 0 && !(*to = malloc(bytes + 1)))
        rc = err_memory(err, "a mask");
    struct mask_target target = {.next = *to, .kind = dtype == DTYPE_U8 ? MASK_BINARY : MASK_WIDE};
    if (rc == 0)
        rc = read_at_once(mask.reader, target, err);
    if (rc) {
        free(*to);
        *to = NULL;
    }
    mask_close(&mask);
    return rc;
}

int mask_load_labels(const char *path, struct image_info *info, uint32_t **labels, struct err *err)
{
    void *to;
    int rc = load(path, info, &to, DTYPE_U32, err);
    *labels = to;
    return rc;
}

int mask_load(const char *path, struct image_info *info, uint8_t **mask, struct err *err)
{
    void *to;
    int rc = load(path, info, &to, DTYPE_U8, err);
    *mask = to;
    return rc;
}
