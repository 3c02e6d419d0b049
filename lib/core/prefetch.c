#include "core/prefetch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/parallel.h"

enum state { FREE, MAKING, READY };

struct slot {
    enum state state;
    uint64_t number;
    bool failed;
    struct err err;
    void *data;
};

struct prefetch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot *slots;
    int slot_count, thread_count;
    uint64_t next_made, next_taken, end;
    bool stop;
    prefetch_make *make;
    void *context;
    struct worker {
        pthread_t thread;
        struct prefetch *prefetch;
        int number;
    } * workers;
};

/* The slot of a product: products go round the slots. */
static struct slot *slot_of(struct prefetch *p, uint64_t number)
{
    return &p->slots[number % (uint64_t)p->slot_count];
}

/* Waits for something to make; NULL when there is no more.  Locked. */
static struct slot *claim(struct prefetch *p)
{
    while (!p->stop && p->next_made < p->end) {
        struct slot *slot = slot_of(p, p->next_made);
        if (slot->state == FREE) {
            slot->state = MAKING;
            slot->number = p->next_made++;
            return slot;
        }
        pthread_cond_wait(&p->changed, &p->lock);
    }
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct prefetch *p = worker->prefetch;
    struct slot *slot;
    pthread_mutex_lock(&p->lock);
    while ((slot = claim(p))) {
        pthread_mutex_unlock(&p->lock);
        slot->failed =
            p->make(p->context, slot->number, worker->number, slot->data, &slot->err) != 0;
        pthread_mutex_lock(&p->lock);
        slot->state = READY;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_threads(struct prefetch *p, int threads, struct err *err)
{
    int failed = 0;
    for (int i = 0; i < threads && !failed; i++) {
        p->workers[i] = (struct worker){.prefetch = p, .number = i};
        failed = parallel_start(&p->workers[i].thread, work, &p->workers[i]);
        p->thread_count += !failed;
    }
    return failed ? err_set(err, STATUS_MEMORY, "cannot start a thread") : 0;
}

static int make_slots(struct prefetch *p, size_t size)
{
    for (int i = 0; i < p->slot_count; i++)
        if (!(p->slots[i].data = calloc(1, size)))
            return -1;
    return 0;
}

int prefetch_start(struct prefetch **prefetch, int threads, int slots, size_t slot_size,
                   uint64_t first, uint64_t end, prefetch_make *make, void *context,
                   struct err *err)
{
    struct prefetch *p = calloc(1, sizeof *p);
    if (!p)
        return err_memory(err, "batches");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->slot_count = slots;
    p->slots = calloc((size_t)slots, sizeof *p->slots);
    p->workers = calloc((size_t)threads, sizeof *p->workers);
    p->next_made = p->next_taken = first;
    p->end = end;
    p->make = make;
    p->context = context;
    if (!p->slots || !p->workers || make_slots(p, slot_size)) {
        prefetch_stop(p, NULL);
        return err_memory(err, "batches");
    }
    if (start_threads(p, threads, err)) {
        prefetch_stop(p, NULL);
        return -1;
    }
    *prefetch = p;
    return 0;
}

void *prefetch_take(struct prefetch *prefetch, struct err *err)
{
    struct prefetch *p = prefetch;
    err->status = STATUS_OK;
    pthread_mutex_lock(&p->lock);
    struct slot *slot = slot_of(p, p->next_taken);
    bool more = p->next_taken < p->end;
    while (more && !(slot->state == READY && slot->number == p->next_taken))
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (!more)
        return NULL;
    if (slot->failed) {
        *err = slot->err;
        return NULL;
    }
    return slot->data;
}

void prefetch_done(struct prefetch *prefetch)
{
    pthread_mutex_lock(&prefetch->lock);
    slot_of(prefetch, prefetch->next_taken++)->state = FREE;
    pthread_cond_broadcast(&prefetch->changed);
    pthread_mutex_unlock(&prefetch->lock);
}

void prefetch_stop(struct prefetch *prefetch, void (*drop)(void *slot))
{
    struct prefetch *p = prefetch;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->workers[i].thread, NULL);
    for (int i = 0; p->slots && i < p->slot_count; i++) {
        if (drop && p->slots[i].data)
            drop(p->slots[i].data);
        free(p->slots[i].data);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p->slots);
    free(p->workers);
    free(p);
}
