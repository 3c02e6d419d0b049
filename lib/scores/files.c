#include "scores/files.h"

#include <stdlib.h>

#include "image/labels.h"
#include "image/mask.h"

void files_free(struct files_pair *files)
{
    for (int i = 0; i < 2; i++) {
        free(files->labels[i]);
        free(files->masks[i]);
    }
    free(files->foreground);
    free(files->uncertainty);
}

static int load_probability(struct files_pair *files, const char *path, float threshold,
                            struct image_info *info, struct err *err)
{
    float limit = threshold > 0 ? threshold : 0.5f;
    if (image_load_floats(path, info, &files->foreground, err))
        return -1;
    size_t count = (size_t)info->width * (size_t)info->height;
    uint32_t *labels = files->labels[0] = malloc(count * sizeof *labels + 1);
    float *uncertainty = files->uncertainty = malloc(count * sizeof *uncertainty + 1);
    if (!labels || !uncertainty)
        return err_memory(err, "a prediction");
    for (size_t i = 0; i < count; i++) {
        float p = files->foreground[i];
        labels[i] = p >= limit;
        uncertainty[i] = 2 * (p < 0.5f ? p : 1 - p);
    }
    return 0;
}

/* which: 0 the prediction, 1 the truth. */
static int load(struct files_pair *files, int which, const char *path,
                const struct files_options *options, struct image_info *info, struct err *err)
{
    if (options->probability && which == 0)
        return load_probability(files, path, options->threshold, info, err);
    return options->labels || options->probability
               ? mask_load_labels(path, info, &files->labels[which], err)
               : mask_load(path, info, &files->masks[which], err);
}

int files_load(struct files_pair *files, const char *prediction, const char *truth,
               const struct files_options *options, struct err *err)
{
    struct image_info p, t;
    *files = (struct files_pair){.foreground = NULL};
    if (load(files, 0, prediction, options, &p, err) || load(files, 1, truth, options, &t, err))
        return -1;
    if (p.width != t.width || p.height != t.height)
        return err_set(err, STATUS_DATA,
                       "compare '%s': %lld x %lld pixels, its truth '%s' has %lld x %lld",
                       prediction, (long long)p.width, (long long)p.height, truth,
                       (long long)t.width, (long long)t.height);
    files->pixel_height = t.pixel_height > 0 ? t.pixel_height : p.pixel_height;
    files->pixel_width = t.pixel_width > 0 ? t.pixel_width : p.pixel_width;
    files->pair = (struct compare_pair){.height = (size_t)t.height,
                                        .width = (size_t)t.width,
                                        .prediction = files->labels[0],
                                        .truth = files->labels[1],
                                        .prediction_mask = files->masks[0],
                                        .truth_mask = files->masks[1],
                                        .foreground = files->foreground,
                                        .uncertainty = files->uncertainty};
    return 0;
}
