#include "core/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t capacity, first, count;
    bool closed;
    void *items[];
};

int queue_new(struct queue **queue, size_t capacity, struct err *err)
{
    struct queue *q = calloc(1, sizeof *q + capacity * sizeof *q->items);
    if (!q)
        return err_memory(err, "a queue");
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    *queue = q;
    return 0;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

bool queue_put(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity && !queue->closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    bool open = !queue->closed;
    if (open)
        queue->items[(queue->first + queue->count++) % queue->capacity] = item;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return open;
}

static void *take_locked(struct queue *queue)
{
    if (!queue->count)
        return NULL;
    void *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    pthread_cond_broadcast(&queue->changed);
    return item;
}

void *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->count && !queue->closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    void *item = take_locked(queue);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    void *item = take_locked(queue);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}
