#include "image/openslide.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static struct openslide_calls calls;
static const struct openslide_calls *found;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"openslide_detect_vendor", offsetof(struct openslide_calls, detect_vendor)},
    {"openslide_open", offsetof(struct openslide_calls, open)},
    {"openslide_close", offsetof(struct openslide_calls, close)},
    {"openslide_get_level_count", offsetof(struct openslide_calls, level_count)},
    {"openslide_get_level_dimensions", offsetof(struct openslide_calls, level_size)},
    {"openslide_get_level_downsample", offsetof(struct openslide_calls, level_downsample)},
    {"openslide_read_region", offsetof(struct openslide_calls, read_region)},
    {"openslide_get_error", offsetof(struct openslide_calls, error)},
    {"openslide_get_property_value", offsetof(struct openslide_calls, property)},
};

static void find(void)
{
    void *library = dlopen("libopenslide.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libopenslide.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol) {
            dlclose(library);
            return;
        }
        memcpy((char *)&calls + symbols[i].offset, &symbol, sizeof symbol);
    }
    found = &calls;
}

const struct openslide_calls *openslide_find(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    return found;
}
