#include "tiles/picture_file.h"

#include "core/limits.h"
#include "image/mask.h"
#include "image/values.h"

static int begin(struct picture *picture, const char *path, const struct image_info *info,
                 struct err *err)
{
    *picture = (struct picture){.name = path,
                                .height = (size_t)info->height,
                                .width = (size_t)info->width,
                                .pixel_height = info->pixel_height,
                                .pixel_width = info->pixel_width};
    return limits_check_file(path, info->width, info->height, 0, err);
}

int picture_read_mask(struct picture *picture, const char *path, struct err *err)
{
    struct mask mask;
    *picture = (struct picture){.name = path};
    int rc = mask_open(&mask, path, err);
    if (rc == 0)
        rc = begin(picture, path, mask.info, err) ||
                     picture_add(picture, PICTURE_PREDICTION, 1, err) ||
                     mask_read_all(&mask, picture->prediction, err)
                 ? -1
                 : 0;
    mask_close(&mask);
    return rc;
}

/* What is read of an open image. */
typedef int take_values(struct picture *picture, struct image_values *values, const char *path,
                        struct err *err);

static int read_values(struct picture *picture, const char *path, take_values *take,
                       struct err *err)
{
    struct image_values values;
    *picture = (struct picture){.name = path};
    int rc = image_values_open(&values, path, 3, IMAGE_AS_SHARE, err);
    if (rc == 0)
        rc = begin(picture, path, values.info, err) || take(picture, &values, path, err) ? -1 : 0;
    image_values_close(&values);
    return rc;
}

static int take_probability(struct picture *picture, struct image_values *values, const char *path,
                            struct err *err)
{
    if (image_values_check_shares(values, path, err) ||
        picture_add(picture, PICTURE_FOREGROUND, 1, err))
        return -1;
    return image_values_planes(values, picture->foreground, err);
}

int picture_read_probability(struct picture *picture, const char *path, float threshold,
                             struct err *err)
{
    float limit = threshold > 0 ? threshold : 0.5f;
    if (read_values(picture, path, take_probability, err) ||
        picture_add(picture, PICTURE_PREDICTION, 1, err))
        return -1;
    size_t count = picture->height * picture->width;
    for (size_t i = 0; i < count; i++)
        picture->prediction[i] = picture->foreground[i] >= limit;
    return 0;
}

static int take_flows(struct picture *picture, struct image_values *values, const char *path,
                      struct err *err)
{
    const struct image_info *info = values->info;
    if (info->channels != 3 || info->bits != 32 || info->is_label)
        return err_set(err, STATUS_DATA, "read '%s': flows are three channels of floating point",
                       path);
    if (picture_add(picture, PICTURE_VALUES, 3, err))
        return -1;
    return image_values_planes(values, picture->values, err);
}

int picture_read_flows(struct picture *picture, const char *path, struct err *err)
{
    return read_values(picture, path, take_flows, err);
}
