/* Lists that grow. */
#ifndef CORE_GROWING_H
#define CORE_GROWING_H

#include <stddef.h>

#include "core/err.h"

struct growing {
    void *items;
    size_t size; /* of an item, set by the owner */
    size_t count, room;
};

/* Appends copies of the items; STATUS_MEMORY leaves the list as it was. */
int growing_add(struct growing *list, const void *item, struct err *err) MUST_CHECK;
int growing_add_all(struct growing *list, const void *items, size_t count,
                    struct err *err) MUST_CHECK;

/* For an array that its owner counts: `array`, the address of its pointer, gets room for one more
 * than `count` items.  It is enlarged where the count is a power of two. */
int growing_room(void *array, size_t count, size_t size, struct err *err) MUST_CHECK;

void growing_free(struct growing *list);

#endif
