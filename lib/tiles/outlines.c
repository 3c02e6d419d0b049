#include "tiles/outlines.h"

#include <stdlib.h>

#include "draw/draw.h"

static int write_line(void *user, const uint8_t *rgb, struct err *err)
{
    struct outlines *outlines = user;
    return image_write_rows(outlines->writer, 1, rgb, err);
}

static int make_rows(struct outlines *outlines, const struct image_info *mask,
                     const struct array *tile, struct err *err)
{
    struct mosaic_options mosaic = {.width = mask->width,
                                    .height = mask->height,
                                    .planes = tile->shape[2],
                                    .dtype = tile->dtype};
    struct overlay_options overlay = {.width = (size_t)mask->width,
                                      .height = (size_t)mask->height,
                                      .channels = tile->shape[2],
                                      .dtype = tile->dtype,
                                      .take = write_line,
                                      .user = outlines};
    outlines->width = overlay.width;
    outlines->labels = malloc(overlay.width * sizeof *outlines->labels);
    if (!outlines->labels)
        return err_memory(err, "a row");
    if (overlay_new(&outlines->overlay, &overlay, err))
        return -1;
    return mosaic_new(&outlines->image, &mosaic, err);
}

int outlines_begin(struct outlines *outlines, const struct image_output *to,
                   const struct image_info *mask, const struct array *tile, struct err *err)
{
    struct image_info picture = *mask;
    picture.channels = 3;
    picture.bits = 8;
    picture.is_label = picture.is_discrete = false;
    picture.channel_names = NULL;
    *outlines = (struct outlines){0};
    if (make_rows(outlines, mask, tile, err))
        return -1;
    return image_output_create(&outlines->writer, to, &picture, err);
}

void outlines_free(struct outlines *outlines)
{
    image_abort(outlines->writer);
    overlay_free(outlines->overlay);
    mosaic_free(&outlines->image);
    free(outlines->labels);
    *outlines = (struct outlines){0};
}

void outlines_take_mask(struct outlines *outlines, const void *row, int bits)
{
    draw_labels_of(row, outlines->width, bits, outlines->labels);
}

static int draw_row(void *user, void *row, int64_t count, struct err *err)
{
    struct outlines *outlines = user;
    (void)count; /* one, as outlines_draw asks for */
    return overlay_add(outlines->overlay, outlines->labels, row, err);
}

int outlines_draw(struct outlines *outlines, int64_t y, struct err *err)
{
    return mosaic_give(&outlines->image, y + 1, draw_row, outlines, err);
}

int outlines_finish(struct outlines *outlines, struct err *err)
{
    return overlay_finish(outlines->overlay, err);
}

int outlines_commit(struct outlines *outlines, struct err *err)
{
    struct image_writer *whole = outlines->writer;
    outlines->writer = NULL;
    return image_commit(whole, err);
}
