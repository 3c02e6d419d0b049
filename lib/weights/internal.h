/* Private to lib/weights: what its readers share.  A reader gets weights whose
 * mapping holds the whole file, adds items, and reports errors without the
 * file's name. */
#ifndef WEIGHTS_INTERNAL_H
#define WEIGHTS_INTERNAL_H

#include <stdbool.h>

#include "weights/weights.h"

/* Adds an array, which becomes the weights' own even when this fails; the name is
 * copied.  Names with control characters are refused. */
int weights_take(struct weights *weights, const char *name, size_t length, struct array *array,
                 struct err *err) MUST_CHECK;

/* weights_set_metadata for a key that is known to be new. */
int weights_append_metadata(struct weights *weights, const char *key, const char *value,
                            struct err *err) MUST_CHECK;

/* The array at `data` inside the mapping, as a view where the
 * alignment allows it, else as a copy. */
int weights_place(struct array *array, enum dtype dtype, int ndim, const size_t *shape,
                  const void *data, struct err *err) MUST_CHECK;

struct zip;

int safetensors_read(struct weights *weights, struct err *err) MUST_CHECK;
int pth_read_legacy(struct weights *weights, struct err *err) MUST_CHECK;
int pth_read_zip(struct weights *weights, struct zip *zip, struct err *err) MUST_CHECK;
int npz_read(struct weights *weights, struct zip *zip, struct err *err) MUST_CHECK;
int npy_object_read(struct weights *weights, struct err *err) MUST_CHECK;

/* Whether the archive is of torch.save: it has a record FOLDER/data.pkl. */
bool pth_is_zip(const struct zip *zip);

/* Whether the file begins as torch.save before version 1.6 began it. */
bool pth_is_legacy(const void *data, size_t size);

#endif
