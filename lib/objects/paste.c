#include "objects/paste.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/num.h"
#include "objects/components.h"
#include "objects/regions.h"

#define LEAST_AREA   16
#define LEAST_GROUND 8 /* pixels */
#define TRIES        20
#define MAX_CHANNELS 4

/* How near a pixel is to the cell: 0 too far or another cell's, PASTE_RIM + 1 the cell itself. */
#define IN_CELL (PASTE_RIM + 1)

struct cutout {
    enum dtype dtype;
    size_t channels, height, width; /* with the rim */
    uint8_t *near;                  /* height x width; the allocation, with the pixels after it */
    void *pixels;                   /* height x width x channels */
    float ground[MAX_CHANNELS];
};

/* An image and its labels, all of which may be read. */
struct view {
    const struct array *image;
    const uint32_t *labels;
    size_t height, width, channels;
};

static struct view view_of(const struct array *image, const uint32_t *labels)
{
    return (struct view){image, labels, image->shape[0], image->shape[1], image->shape[2]};
}

static float value_at(const struct array *image, size_t i)
{
    switch (image->dtype) {
    case DTYPE_U8:
        return ((const uint8_t *)image->data)[i];
    case DTYPE_U16:
        return ((const uint16_t *)image->data)[i];
    default:
        return ((const float *)image->data)[i];
    }
}

static void put_value(struct array *image, size_t i, float value)
{
    if (image->dtype == DTYPE_U8)
        ((uint8_t *)image->data)[i] = (uint8_t)(fminf(fmaxf(value, 0), 255) + 0.5f);
    else if (image->dtype == DTYPE_U16)
        ((uint16_t *)image->data)[i] = (uint16_t)(fminf(fmaxf(value, 0), 65535) + 0.5f);
    else
        ((float *)image->data)[i] = value;
}

/* The mask's labels, a new array, when both are what cells can be cut out of. */
static int read_labels(const struct array *image, const struct array *mask, struct array *labels,
                       struct err *err)
{
    bool known = image->dtype == DTYPE_U8 || image->dtype == DTYPE_U16 || image->dtype == DTYPE_F32;
    if (image->ndim != 3 || !known || image->shape[2] == 0 || image->shape[2] > MAX_CHANNELS)
        return err_set(err, STATUS_DATA,
                       "image: cells are pasted in 1 to %d channels of uint8, uint16 or float32",
                       MAX_CHANNELS);
    if (mask->ndim != 2 || mask->shape[0] != image->shape[0] || mask->shape[1] != image->shape[1])
        return err_set(err, STATUS_DATA, "image and mask differ in size");
    if (array_new(labels, DTYPE_U32, 2, mask->shape, err))
        return -1;
    if (convert_labels(mask, labels->data, err) == 0)
        return 0;
    array_free(labels);
    return err_prefix(err, "mask");
}

/* ---- the ground ---- */

static struct paste_area widen(struct paste_area box, size_t by, const struct paste_area *within)
{
    return (struct paste_area){box.top > within->top + by ? box.top - by : within->top,
                               box.left > within->left + by ? box.left - by : within->left,
                               box.bottom + by < within->bottom ? box.bottom + by : within->bottom,
                               box.right + by < within->right ? box.right + by : within->right};
}

static float median(float *values, size_t n)
{
    qsort(values, n, sizeof *values, num_compare_floats);
    return values[n / 2];
}

/* 1 where hardly anything in the area is no cell. */
static int find_ground(const struct view *view, struct paste_area area, float *ground,
                       struct err *err)
{
    size_t n = 0;
    float *values = malloc((area.bottom - area.top) * (area.right - area.left) * sizeof *values);
    if (!values)
        return err_memory(err, "the ground of a cell");
    for (size_t c = 0; c < view->channels; c++) {
        n = 0;
        for (size_t y = area.top; y < area.bottom; y++)
            for (size_t x = area.left; x < area.right; x++)
                if (view->labels[y * view->width + x] == 0)
                    values[n++] = value_at(view->image, (y * view->width + x) * view->channels + c);
        if (n < LEAST_GROUND)
            break;
        ground[c] = median(values, n);
    }
    free(values);
    return n < LEAST_GROUND;
}

/* ---- cutting out ---- */

/* What is near the cell is near by its Euclidean distance, rounded up. */
static void spread(struct cutout *cutout, size_t y, size_t x)
{
    for (int dy = -PASTE_RIM; dy <= PASTE_RIM; dy++)
        for (int dx = -PASTE_RIM; dx <= PASTE_RIM; dx++) {
            int far = (int)ceil(sqrt(dy * dy + dx * dx));
            size_t ny = y + (size_t)dy, nx = x + (size_t)dx;
            if (far > PASTE_RIM || ny >= cutout->height || nx >= cutout->width)
                continue;
            uint8_t *near = &cutout->near[ny * cutout->width + nx];
            if (IN_CELL - far > *near)
                *near = (uint8_t)(IN_CELL - far);
        }
}

static void mark_near(struct cutout *cutout, const struct view *view, struct paste_area at,
                      uint32_t label)
{
    for (size_t y = 0; y < cutout->height; y++)
        for (size_t x = 0; x < cutout->width; x++)
            if (view->labels[(at.top + y) * view->width + at.left + x] == label)
                spread(cutout, y, x);
    for (size_t y = 0; y < cutout->height; y++)
        for (size_t x = 0; x < cutout->width; x++) {
            uint32_t there = view->labels[(at.top + y) * view->width + at.left + x];
            if (there != 0 && there != label)
                cutout->near[y * cutout->width + x] = 0;
        }
}

static int cut_out(struct cutout *cutout, const struct view *view, struct paste_area at,
                   uint32_t label, struct err *err)
{
    size_t bytes = view->channels * dtype_size(view->image->dtype);
    cutout->dtype = view->image->dtype;
    cutout->channels = view->channels;
    cutout->height = at.bottom - at.top;
    cutout->width = at.right - at.left;
    size_t pixels = cutout->height * cutout->width, aligned = (pixels + 7) / 8 * 8;
    if (!(cutout->near = calloc(aligned + pixels * bytes, 1)))
        return err_memory(err, "a cell");
    cutout->pixels = cutout->near + aligned;
    for (size_t y = 0; y < cutout->height; y++)
        memcpy((char *)cutout->pixels + y * cutout->width * bytes,
               (const char *)view->image->data + ((at.top + y) * view->width + at.left) * bytes,
               cutout->width * bytes);
    mark_near(cutout, view, at, label);
    return 0;
}

static size_t bytes_of(const struct cutout *cutout)
{
    return sizeof *cutout +
           cutout->height * cutout->width * (1 + cutout->channels * dtype_size(cutout->dtype));
}

/* Every other one is forgotten. */
static void thin_out(struct cutouts *cutouts)
{
    struct cutout *all = cutouts->list.items;
    size_t kept = 0;
    for (size_t i = 0; i < cutouts->list.count; i++)
        if (i % 2) {
            cutouts->bytes -= bytes_of(&all[i]);
            free(all[i].near);
        } else {
            all[kept++] = all[i];
        }
    cutouts->list.count = kept;
    cutouts->every *= 2;
}

static int take_cell(struct cutouts *cutouts, const struct view *view, const struct box *box,
                     uint32_t label, const struct paste_area *area, struct err *err)
{
    struct cutout cutout;
    struct paste_area tight = {box->top, box->left, box->bottom, box->right};
    int found = find_ground(view, widen(tight, PASTE_AROUND, area), cutout.ground, err);
    if (found || cutouts->seen++ % cutouts->every)
        return found < 0 ? -1 : 0;
    if (cut_out(&cutout, view, widen(tight, PASTE_RIM, area), label, err))
        return -1;
    if (growing_add(&cutouts->list, &cutout, err)) {
        free(cutout.near);
        return -1;
    }
    cutouts->bytes += bytes_of(&cutout);
    while (cutouts->bytes > cutouts->room && cutouts->list.count > 1)
        thin_out(cutouts);
    return 0;
}

static bool is_inside(const struct box *box, const struct paste_area *area)
{
    return box->top > area->top && box->left > area->left && box->bottom < area->bottom &&
           box->right < area->right && 2 * (box->bottom - box->top) <= area->bottom - area->top &&
           2 * (box->right - box->left) <= area->right - area->left;
}

static uint32_t label_of_piece(const struct view *view, const uint32_t *pieces,
                               const struct box *piece)
{
    size_t i = piece->top * view->width + piece->left;
    while (pieces[i] != piece->label)
        i++;
    return view->labels[i];
}

/* pieces: numbers of what is connected; a cell in several of them is none. */
static int take_pieces(struct cutouts *cutouts, const struct view *view, const uint32_t *pieces,
                       const struct paste_area *area, struct err *err)
{
    struct boxes cells, boxes;
    int result = 0;
    if (boxes_of(&cells, view->labels, view->height, view->width, err))
        return -1;
    if (boxes_of(&boxes, pieces, view->height, view->width, err)) {
        boxes_free(&cells);
        return -1;
    }
    for (size_t i = 0; i < boxes.count && !result; i++) {
        const struct box *piece = &boxes.items[i];
        uint32_t label = label_of_piece(view, pieces, piece);
        const uint64_t *number = intmap_at(&cells.numbers, label, err);
        const struct box *cell = number ? &cells.items[*number - 1] : NULL;
        if (!cell)
            result = -1;
        else if (cell->area == piece->area && cell->area >= LEAST_AREA && is_inside(cell, area))
            result = take_cell(cutouts, view, cell, label, area, err);
    }
    boxes_free(&cells);
    boxes_free(&boxes);
    return result;
}

static int take_cells(struct cutouts *cutouts, const struct view *view,
                      const struct paste_area *area, struct err *err)
{
    uint32_t count, *pieces = malloc((view->height * view->width + 1) * sizeof *pieces);
    if (!pieces)
        return err_memory(err, "the pieces of a mask");
    int result = components_label(view->labels, view->height, view->width, 8, pieces, &count, err);
    if (!result)
        result = take_pieces(cutouts, view, pieces, area, err);
    free(pieces);
    return result;
}

int cutouts_take(struct cutouts *cutouts, const struct array *image, const struct array *mask,
                 const struct paste_area *area, struct err *err)
{
    struct array labels;
    if (read_labels(image, mask, &labels, err))
        return -1;
    struct view view = view_of(image, labels.data);
    cutouts->list.size = sizeof(struct cutout);
    cutouts->every = cutouts->every ? cutouts->every : 1;
    int result = take_cells(cutouts, &view, area, err);
    array_free(&labels);
    return result;
}

void cutouts_free(struct cutouts *cutouts)
{
    struct cutout *all = cutouts->list.items;
    for (size_t i = 0; i < cutouts->list.count; i++)
        free(all[i].near);
    growing_free(&cutouts->list);
    *cutouts = (struct cutouts){0};
}

/* ---- pasting ---- */

/* A cell as it is turned, at its place. */
struct pasted {
    const struct cutout *cutout;
    unsigned turn; /* bits: columns mirrored, rows mirrored, both changed */
    size_t top, left, height, width;
};

static size_t source_of(const struct pasted *p, size_t y, size_t x)
{
    const struct cutout *cutout = p->cutout;
    if (p->turn & 4) {
        size_t swap = y;
        y = x;
        x = swap;
    }
    if (p->turn & 1)
        x = cutout->width - 1 - x;
    if (p->turn & 2)
        y = cutout->height - 1 - y;
    return y * cutout->width + x;
}

static bool has_room(const struct pasted *p, const struct view *view)
{
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++)
            if (p->cutout->near[source_of(p, y, x)] == IN_CELL &&
                view->labels[(p->top + y) * view->width + p->left + x])
                return false;
    return true;
}

static bool find_place(struct pasted *p, const struct view *view, struct rng *rng)
{
    p->turn = (unsigned)rng_below(rng, 8);
    p->height = p->turn & 4 ? p->cutout->width : p->cutout->height;
    p->width = p->turn & 4 ? p->cutout->height : p->cutout->width;
    if (p->height > view->height || p->width > view->width)
        return false;
    for (int i = 0; i < TRIES; i++) {
        p->top = (size_t)rng_below(rng, view->height - p->height + 1);
        p->left = (size_t)rng_below(rng, view->width - p->width + 1);
        if (has_room(p, view))
            return true;
    }
    return false;
}

/* 1 where there is no ground to put it on. */
static int put_cell(const struct pasted *p, struct array *image, uint32_t *labels, uint32_t label,
                    struct err *err)
{
    struct view view = view_of(image, labels);
    struct paste_area whole = {0, 0, view.height, view.width};
    struct paste_area at = {p->top, p->left, p->top + p->height, p->left + p->width};
    struct array from = {.dtype = image->dtype, .data = p->cutout->pixels};
    float ground[MAX_CHANNELS];
    size_t colors = view.channels % 2 ? view.channels : view.channels - 1; /* alpha is last */
    int found = find_ground(&view, widen(at, PASTE_AROUND - PASTE_RIM, &whole), ground, err);
    if (found)
        return found;
    for (size_t y = 0; y < p->height; y++)
        for (size_t x = 0; x < p->width; x++) {
            size_t i = source_of(p, y, x), to = (p->top + y) * view.width + p->left + x;
            float weight = (float)p->cutout->near[i] / IN_CELL;
            if (weight == 0 || labels[to])
                continue;
            for (size_t c = 0; c < colors; c++) {
                float was = value_at(image, to * view.channels + c);
                float is =
                    value_at(&from, i * view.channels + c) - p->cutout->ground[c] + ground[c];
                put_value(image, to * view.channels + c, was + weight * (is - was));
            }
            if (p->cutout->near[i] == IN_CELL)
                labels[to] = label;
        }
    return 0;
}

static bool fits(const struct cutout *cutout, const struct array *image)
{
    return cutout->dtype == image->dtype && cutout->channels == image->shape[2];
}

bool cutouts_fit(const struct cutouts *cutouts, const struct array *image)
{
    const struct cutout *all = cutouts->list.items;
    for (size_t i = 0; i < cutouts->list.count; i++)
        if (fits(&all[i], image))
            return true;
    return false;
}

/* There is one that fits. */
static const struct cutout *draw_cutout(const struct cutouts *cutouts, const struct array *image,
                                        struct rng *rng)
{
    const struct cutout *all = cutouts->list.items, *drawn;
    do
        drawn = &all[rng_below(rng, cutouts->list.count)];
    while (!fits(drawn, image));
    return drawn;
}

static uint32_t largest(const uint32_t *labels, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = labels[i] > most ? labels[i] : most;
    return most;
}

static int put_cells(const struct cutouts *cutouts, struct rng *rng, size_t most,
                     struct array *image, uint32_t *labels, size_t *pasted, struct err *err)
{
    struct view view = view_of(image, labels);
    uint32_t last = largest(labels, view.height * view.width);
    size_t wanted = cutouts_fit(cutouts, image) ? (size_t)rng_below(rng, most + 1) : 0;
    if (last > UINT32_MAX - most)
        return err_set(err, STATUS_DATA, "mask: labels too large");
    for (size_t i = 0; i < wanted; i++) {
        struct pasted p = {.cutout = draw_cutout(cutouts, image, rng)};
        if (!find_place(&p, &view, rng))
            continue;
        int found = put_cell(&p, image, labels, last + 1, err);
        if (found < 0)
            return -1;
        last += !found;
        *pasted += !found;
    }
    return 0;
}

int cutouts_paste(const struct cutouts *cutouts, struct rng *rng, size_t most,
                  const struct array *image, const struct array *mask, struct array *new_image,
                  struct array *new_mask, size_t *pasted, struct err *err)
{
    *pasted = 0;
    if (read_labels(image, mask, new_mask, err))
        return -1;
    if (array_copy(new_image, image, err)) {
        array_free(new_mask);
        return -1;
    }
    if (!put_cells(cutouts, rng, most, new_image, new_mask->data, pasted, err))
        return 0;
    array_free(new_image);
    array_free(new_mask);
    return -1;
}
