#include "tiles/intensities.h"

#include <stdio.h>

#include "core/convert.h"
#include "core/destination.h"
#include "image/pairs.h"

int intensities_open(struct intensities *intensities, const char *path, struct err *err)
{
    *intensities = (struct intensities){.path = path, .is_folder = path && path_is_folder(path)};
    return intensities->is_folder ? folder_list(&intensities->folder, path, "", err) : 0;
}

void intensities_free(struct intensities *intensities)
{
    image_values_close(&intensities->file);
    folder_free(&intensities->folder);
}

/* ---- a file ---- */

static int row_of_file(void *source, float *to, struct err *err)
{
    struct intensities *intensities = source;
    return image_values_row(&intensities->file, to, err);
}

/* The file given, or that of the same stem; NULL when there is none. */
static const char *find_file(const struct intensities *intensities, const struct picture *picture,
                             struct err *err)
{
    if (!intensities->is_folder)
        return intensities->path;
    const char *path = pairs_find_image(&intensities->folder, picture->name);
    if (!path)
        err_set(err, STATUS_NO_INPUT, "match '%s': '%s' has no image of that stem", picture->name,
                intensities->path);
    return path;
}

static int open_file(struct intensities *intensities, struct picture *picture, struct err *err)
{
    struct image_values *file = &intensities->file;
    const char *path = find_file(intensities, picture, err);
    image_values_close(file);
    if (!path || image_values_open(file, path, REGION_MAX_CHANNELS, IMAGE_AS_STORED, err))
        return -1;
    const struct image_info *info = file->info;
    if ((size_t)info->height != picture->height || (size_t)info->width != picture->width)
        return err_set(err, STATUS_DATA, "read '%s': %lld x %lld pixels, but '%s' has %zu x %zu",
                       path, (long long)info->width, (long long)info->height, picture->name,
                       picture->width, picture->height);
    if (!(picture->pixel_height > 0)) {
        picture->pixel_height = info->pixel_height;
        picture->pixel_width = info->pixel_width;
    }
    return 0;
}

/* ---- a picture's own image ---- */

static int channels_of(const struct array *image)
{
    int channels = (int)image->shape[2];
    return channels < REGION_MAX_CHANNELS ? channels : REGION_MAX_CHANNELS;
}

static int row_of_picture(void *source, float *to, struct err *err)
{
    struct intensities *intensities = source;
    const struct array *image = &intensities->picture->image;
    size_t width = image->shape[1], channels = image->shape[2];
    size_t at = intensities->row++ * width * channels;
    (void)err;
    convert_pixels((const char *)image->data + at * dtype_size(image->dtype), image->dtype,
                   channels, (size_t)channels_of(image), width, to);
    return 0;
}

int intensities_of(struct intensities *intensities, struct picture *picture,
                   struct measure_image *image, struct err *err)
{
    *image = (struct measure_image){.source = intensities};
    if (intensities->path) {
        if (open_file(intensities, picture, err))
            return -1;
        image->row = row_of_file;
        image->channels = intensities->file.channels;
    } else if (picture->image.ndim) {
        intensities->picture = picture;
        intensities->row = 0;
        image->row = row_of_picture;
        image->channels = channels_of(&picture->image);
    }
    return 0;
}
