/* Annotations of whatever kind, opened and painted. */
#ifndef TESTS_FUZZ_ANNOTATIONS_H
#define TESTS_FUZZ_ANNOTATIONS_H

#include "annot/annot.h"
#include "tests/fuzz/fuzz.h"

#define ANNOTATIONS_HEIGHT 61
#define ANNOTATIONS_WIDTH  67

/* `kept`, unless it is NULL: labels, which are zero where nothing was painted. */
static inline void annotations_paint(struct annot_file *file, size_t image, unsigned way,
                                     uint32_t *kept)
{
    static const char *const classes[] = {"cell", "a", "b"};
    struct annot_raster options = {.mode = way & 1 ? ANNOT_INSTANCES : ANNOT_CLASSES,
                                   .classes = classes,
                                   .class_count = 3,
                                   .keep_first = way & 2,
                                   .plane = {way & 1, 0, 0}};
    struct annot_counts counts;
    struct array pixels;
    struct err err;
    if (array_new(&pixels, DTYPE_U32, 2, (size_t[]){ANNOTATIONS_HEIGHT, ANNOTATIONS_WIDTH}, &err))
        abort();
    if (annot_rasterize(file, image, &options, &pixels, &counts, &err) == 0 &&
        counts.empty > counts.objects)
        abort();
    if (kept && way & 1)
        memcpy(kept, pixels.data, array_bytes(&pixels));
    array_free(&pixels);
}

static inline int annotations_read(const uint8_t *data, size_t size, uint32_t *kept)
{
    struct annot_file *file;
    struct err err;
    if (annot_open(&file, fuzz_file(data, size), &err))
        return 0;
    size_t count = annot_image_count(file);
    for (size_t i = 0; i < count && i < 4; i++)
        for (unsigned way = 0; way < 2; way++)
            annotations_paint(file, i, way + 2 * (unsigned)(i & 1), kept);
    annot_close(file);
    return 0;
}

#endif
