/* A bounded queue of pointers between two threads, so that reading, computing and
 * writing overlap while memory stays bounded. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct queue;

/* New; holds at most `capacity` items. */
int queue_new(struct queue **queue, size_t capacity, struct err *err) MUST_CHECK;
/* Items still inside stay the caller's: take them out first. */
void queue_free(struct queue *queue);

/* Waits for room.  False when the queue was closed: the item stays the caller's. */
bool queue_put(struct queue *queue, void *item);

/* Waits for an item; NULL when the queue is closed and empty. */
void *queue_take(struct queue *queue);

/* An item if one is there, without waiting; else NULL. */
void *queue_try(struct queue *queue);

/* No more items will be put; wakes whoever waits.  Either side may close. */
void queue_close(struct queue *queue);

#endif
