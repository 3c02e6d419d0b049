#include "tiles/cutting.h"

#include <math.h>

#include "stream/stream.h"

static struct paste_area area_of(const struct tile_meta *meta, size_t height, size_t width)
{
    double left = ceil((double)meta->pad_left * meta->scale_x);
    double top = ceil((double)meta->pad_top * meta->scale_y);
    double right = (double)width - ceil((double)meta->pad_right * meta->scale_x);
    double bottom = (double)height - ceil((double)meta->pad_bottom * meta->scale_y);
    if (!(left >= 0 && top >= 0 && left < right && top < bottom))
        return (struct paste_area){0};
    return (struct paste_area){(size_t)top, (size_t)left, (size_t)fmin(bottom, (double)height),
                               (size_t)fmin(right, (double)width)};
}

static int cut_sample(struct cutouts *cutouts, const struct sample *sample, struct err *err)
{
    struct tile_meta meta;
    const struct array *image = sample_require(sample, "image", err);
    const struct array *mask = image ? sample_require(sample, "mask", err) : NULL;
    if (!mask || sample_get_meta(sample, &meta, err) < 0)
        return -1;
    if (meta.mask_unit)
        return err_set(err, STATUS_DATA, "its mask is drawn in black and white, not cell by cell");
    struct paste_area area = area_of(&meta, image->shape[0], image->shape[1]);
    return cutouts_take(cutouts, image, mask, &area, err);
}

int cutouts_of_stream(struct cutouts *cutouts, const char *path, struct err *err)
{
    struct stream_reader *reader;
    struct sample sample;
    int got = 1, result = 0;
    if (stream_open(&reader, path, err))
        return -1;
    while (result == 0 && (got = stream_next(reader, &sample, err)) > 0) {
        result = cut_sample(cutouts, &sample, err);
        if (result)
            err_prefix(err, "%s: '%s'", stream_name(reader), sample.key);
        sample_free(&sample);
    }
    if (result == 0 && got == 0 && cutouts->list.count == 0)
        result = err_set(err, STATUS_DATA, "%s: no whole cell in it", stream_name(reader));
    stream_close(reader);
    return got < 0 ? -1 : result;
}
