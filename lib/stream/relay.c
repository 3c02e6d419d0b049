#include "stream/relay.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/queue.h"

struct relay {
    struct stream_reader *reader;
    struct stream_writer *writer;
    struct queue *in, *out;
    pthread_t read_thread, write_thread;
    struct err read_err, write_err;
    bool ended; /* with the first sample */
    bool read_failed, write_failed;
};

static void drop(struct sample *sample)
{
    if (sample)
        sample_free(sample);
    free(sample);
}

static void *read_samples(void *user)
{
    struct relay *relay = user;
    int more = !relay->ended;
    while (more > 0) {
        struct sample *sample = malloc(sizeof *sample);
        more = sample ? stream_next(relay->reader, sample, &relay->read_err)
                      : err_memory(&relay->read_err, "a sample");
        if (more <= 0)
            free(sample);
        else if (!queue_put(relay->in, sample)) {
            drop(sample);
            more = 0;
        }
    }
    relay->read_failed = more < 0;
    queue_close(relay->in);
    return NULL;
}

static void *write_samples(void *user)
{
    struct relay *relay = user;
    for (struct sample *sample; (sample = queue_take(relay->out));) {
        if (!relay->write_failed && stream_put(relay->writer, sample, &relay->write_err)) {
            relay->write_failed = true;
            queue_close(relay->out);
            queue_close(relay->in);
        }
        drop(sample);
    }
    return NULL;
}

/* The provenance is known with the first sample, which is read here. */
static int open_streams(struct relay *relay, const char *from, const char *to,
                        const struct stream_author *author, size_t ahead, struct err *err)
{
    struct sample *first = malloc(sizeof *first);
    if (!first)
        return err_memory(err, "a sample");
    int more = stream_open(&relay->reader, from, err) ? -1 : stream_next(relay->reader, first, err);
    if (more < 0 || stream_create(&relay->writer, to, author, relay->reader, err) ||
        queue_new(&relay->in, ahead, err) || queue_new(&relay->out, ahead, err)) {
        if (more > 0)
            sample_free(first);
        free(first);
        return -1;
    }
    relay->ended = more == 0;
    if (relay->ended)
        free(first);
    else
        queue_put(relay->in, first);
    return 0;
}

int relay_open(struct relay **relay, const char *from, const char *to,
               const struct stream_author *author, size_t ahead, struct err *err)
{
    struct relay *r = *relay = calloc(1, sizeof *r);
    if (!r)
        return err_memory(err, "a stream");
    if (open_streams(r, from, to, author, ahead, err))
        return -1;
    if (pthread_create(&r->read_thread, NULL, read_samples, r) ||
        pthread_create(&r->write_thread, NULL, write_samples, r))
        return err_set(err, STATUS_MEMORY, "cannot start a thread");
    return 0;
}

struct sample *relay_take(struct relay *relay)
{
    return queue_take(relay->in);
}

bool relay_cut(const struct relay *relay)
{
    return relay->read_failed;
}

uint64_t relay_images(const struct relay *relay)
{
    return stream_images(relay->reader);
}

bool relay_put(struct relay *relay, struct sample *sample)
{
    return queue_put(relay->out, sample);
}

static void free_queue(struct queue *queue)
{
    for (struct sample *sample; (sample = queue_try(queue));)
        drop(sample);
    queue_free(queue);
}

int relay_finish(struct relay *relay, struct err *err)
{
    queue_close(relay->out);
    pthread_join(relay->write_thread, NULL);
    pthread_join(relay->read_thread, NULL);
    int result = -1;
    if (relay->write_failed || relay->read_failed)
        *err = relay->write_failed ? relay->write_err : relay->read_err;
    else
        result = stream_pass_failures(relay->writer, relay->reader, err);
    stream_close(relay->reader);
    if (result < 0)
        stream_abort(relay->writer);
    else if (stream_commit(relay->writer, err))
        result = -1;
    free_queue(relay->in);
    free_queue(relay->out);
    free(relay);
    return result;
}
