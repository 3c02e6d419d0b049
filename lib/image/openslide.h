/* Private to lib/image: the part of OpenSlide that is used, found when a slide is opened: it brings
 * forty libraries along, which would start with every program, and can be installed later. */
#ifndef IMAGE_OPENSLIDE_H
#define IMAGE_OPENSLIDE_H

#include <stdint.h>

struct openslide; /* OpenSlide's openslide_t */

/* As openslide.h says, of OpenSlide 3.4 and later. */
struct openslide_calls {
    const char *(*detect_vendor)(const char *path);
    struct openslide *(*open)(const char *path);
    void (*close)(struct openslide *slide);
    int32_t (*level_count)(struct openslide *slide);
    void (*level_size)(struct openslide *slide, int32_t level, int64_t *width, int64_t *height);
    double (*level_downsample)(struct openslide *slide, int32_t level);
    /* x, y: of level 0; pixels are premultiplied ARGB, 32 bits in the machine's order */
    void (*read_region)(struct openslide *slide, uint32_t *to, int64_t x, int64_t y, int32_t level,
                        int64_t width, int64_t height);
    const char *(*error)(struct openslide *slide);
    const char *(*property)(struct openslide *slide, const char *name);
};

/* NULL when it isn't installed. */
const struct openslide_calls *openslide_find(void);

#endif
