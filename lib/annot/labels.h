/* Label images, as the rest of the room reads them. */
#ifndef ANNOT_LABELS_H
#define ANNOT_LABELS_H

#include "core/array.h"

uint32_t annot_label_at(const struct array *labels, size_t x, size_t y);

#endif
