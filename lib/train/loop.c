#include <inttypes.h>
#include <time.h>

#include "train/internal.h"
#include "train/peers.h"

double session_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double session_elapsed(const struct session *s)
{
    return s->before + session_seconds() - s->begun;
}

bool session_is_first(const struct session *s)
{
    return s->options.ranks.rank == 0;
}

/* Whether to stop, and how late it is: the same for all ranks. */
static int agree(struct session *s, struct err *err)
{
    double values[] = {*s->options.interrupted, session_is_first(s) ? session_elapsed(s) : 0};
    if (peers_sum(s->options.trainer.group, values, 2, err))
        return -1;
    s->stop = values[0] > 0;
    s->clock = values[1];
    return 0;
}

/* Share of the run that is done. */
static double progress_of(const struct session *s)
{
    if (s->options.minutes > 0)
        return s->clock / (s->options.minutes * 60);
    return (double)trainer_steps(s->trainer) / (double)s->total_steps;
}

static int add_batch(struct session *s, struct err *err)
{
    const struct loader_options *o = &s->loading;
    struct trainer_report report = {0};
    struct loader_batch loaded;
    float *outliers;
    if (session_outliers(s, &outliers, err) || loader_take(s->loader, &loaded, err))
        return -1;
    struct trainer_batch batch = {.size = (int64_t)o->batch,
                                  .channels = o->channels,
                                  .height = (int64_t)o->height,
                                  .width = (int64_t)o->width,
                                  .images = loaded.images,
                                  .labels = loaded.labels,
                                  .flows = loaded.flows,
                                  .taught = loaded.taught,
                                  .unlabeled = (int64_t)loader_unlabeled(s->data, o->batch),
                                  .outliers = outliers};
    int result = trainer_accumulate(s->trainer, &batch, (int)s->options.accumulate, &report, err);
    if (result == 0 && outliers)
        result = session_write_outliers(s, &loaded, err);
    loader_done(s->loader);
    s->sums.loss += report.loss;
    s->sums.batches++;
    s->batch++;
    for (int i = 0; i < LOSS_TERMS; i++)
        s->sums.term[i] += report.terms.value[i];
    return result;
}

static int step(struct session *s, struct err *err)
{
    struct trainer_report report = {0};
    double begun = session_seconds();
    nn_mind_others();
    for (int64_t i = 0; i < s->options.accumulate; i++)
        if (add_batch(s, err))
            return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer) + 1);
    if (trainer_step(s->trainer, s->rate, &report, err))
        return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer) + 1);
    s->sums.seconds += session_seconds() - begun;
    if (agree(s, err))
        return err_prefix(err, "step %" PRId64, trainer_steps(s->trainer));
    session_tell_step(s);
    return 0;
}

static int finish_epoch(struct session *s, struct err *err)
{
    s->epoch++;
    s->batch = 0;
    if (s->validation && session_validate(s, err))
        return -1;
    if (session_record_epoch(s, err))
        return -1;
    s->sums = (struct sums){0};
    if (s->validation && s->now.dsc > s->best) {
        s->best = s->now.dsc;
        s->chosen = s->now;
        if (session_write_weights(s, s->options.output, err))
            return -1;
    }
    session_tell_epoch(s);
    return session_write_checkpoint(s, err);
}

/* The rest of an epoch, from s->batch on. */
static int run_epoch(struct session *s, struct err *err)
{
    uint64_t end = s->steps_in_epoch * (uint64_t)s->options.accumulate;
    if (loader_enter(s->loader, (uint64_t)s->epoch, (uint64_t)s->batch, end, err))
        return -1;
    int result = 0;
    while (s->batch < (double)end && result == 0 && !s->stop && progress_of(s) < 1) {
        s->rate = schedule_rate(&s->options.schedule, progress_of(s));
        s->with_outliers =
            s->epoch >= s->options.vos_start && progress_of(s) >= s->options.vos_share;
        trainer_use_outliers(s->trainer, s->with_outliers);
        result = step(s, err);
    }
    loader_leave(s->loader);
    if (result || s->stop)
        return result;
    return finish_epoch(s, err) || agree(s, err) ? -1 : 0;
}

int session_run(struct session *s, struct err *err)
{
    int result = agree(s, err);
    if (result == 0 && s->epoch == 0 && s->batch == 0)
        result = session_write_checkpoint(s, err);
    /* An epoch that was interrupted after its last step is still to be finished. */
    while (result == 0 && !s->stop && (progress_of(s) < 1 || s->batch > 0))
        result = run_epoch(s, err);
    if (result)
        return -1;
    if (s->stop)
        return session_write_checkpoint(s, err)
                   ? -1
                   : err_set(err, STATUS_AGAIN,
                             "interrupted at step %" PRId64 ", go on with --resume",
                             trainer_steps(s->trainer));
    if (session_write_weights(s, s->validation ? s->last_name : s->options.output, err))
        return -1;
    if (s->options.size_model && session_fit_size(s, s->options.output, err))
        return -1;
    session_tell_end(s);
    double all = 0; /* nobody leaves before the weights are written */
    return peers_sum(s->options.trainer.group, &all, 1, err);
}
