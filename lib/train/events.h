/* TensorBoard's event files, scalars only: records of length and CRC-32C around
 * protocol buffer messages (tensorflow.Event).  TensorBoard reads a folder's files
 * whose names contain "tfevents" while they grow. */
#ifndef TRAIN_EVENTS_H
#define TRAIN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct events;

/* A new file FOLDER/events.out.tfevents.SECONDS.train; the folder is made where it is
 * not there.  The caller ends it with events_close. */
int events_open(struct events **events, const char *folder, struct err *err) MUST_CHECK;

/* One point of the curve `tag` (at most 100 characters). */
int events_scalar(struct events *events, const char *tag, int64_t step, double value,
                  struct err *err) MUST_CHECK;

/* NULL is fine. */
int events_close(struct events *events, struct err *err) MUST_CHECK;

#endif
