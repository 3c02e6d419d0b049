#include <string.h>

#include "core/digest.h"
#include "weights/weights.h"

int weights_hash(struct weights *weights, const char *path, struct err *err)
{
    struct filemap file = {0};
    bool standard = strcmp(path, "-") == 0;
    if (!standard && filemap_open(&file, path, err))
        return -1;
    const struct filemap *source = standard ? &weights->file : &file;
    digest_bytes(source->size ? source->data : "", source->size, weights->sha256);
    filemap_close(&file);
    return 0;
}
