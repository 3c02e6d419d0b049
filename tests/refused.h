/* Files of weights that must be refused. */
#ifndef TESTS_REFUSED_H
#define TESTS_REFUSED_H

#include "tests/tap.h"
#include "weights/weights.h"

/* As wrong data, for a reason that the message has. */
static inline void is_refused(const char *path, const char *reason, const char *name)
{
    struct weights weights;
    struct err err;
    int result = weights_read(&weights, path, &err);
    if (!ok(result == -1 && err.status == STATUS_DATA && strstr(err.message, reason), "refused: %s",
            name))
        printf("# %d '%s'\n", result, result ? err.message : "");
    if (result == 0)
        weights_free(&weights);
}

#endif
