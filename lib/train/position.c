/* What a run writes: weights, checkpoints to go on from, rows of the record. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "train/checkpoint.h"
#include "train/internal.h"
#include "train/peers.h"

enum { DESCRIPTION = 11, STATE = 16 };

static const char *precision_name(enum dtype precision)
{
    return precision == DTYPE_BF16 ? "bf16" : precision == DTYPE_F16 ? "fp16" : "fp32";
}

/* What is said of the weights. */
static void list_description(struct session *s, struct note *notes)
{
    bool ranges = s->options.ranges;
    const struct note all[DESCRIPTION] = {
        {"normalisation",
         ranges ? "1st to 99th percentile of the whole image as 0 to 1"
                : "uint8 / 255, uint16 / 65535, float32 as it is",
         NULL},
        {"sees", ranges ? "range" : NULL, NULL},
        {"command", s->command, NULL},
        {"data", s->options.data, NULL},
        {"data_sha256", s->digest, NULL},
        {"licence", s->options.license, NULL},
        {"version", MORPHOSEG_VERSION, NULL},
        {"seed", s->seed, NULL},
        {"precision", precision_name(s->options.trainer.precision), NULL},
        {"steps", NULL, &s->steps},
        {"validation_dsc", NULL, s->validation ? &s->now.dsc : NULL},
    };
    s->steps = (double)trainer_steps(s->trainer);
    memcpy(notes, all, sizeof all);
}

/* What a checkpoint keeps besides. */
static void list_state(struct session *s, struct note *notes)
{
    const struct note all[STATE] = {
        {"epoch", NULL, &s->epoch},
        {"batch", NULL, &s->batch},
        {"elapsed", NULL, &s->before},
        {"log_bytes", NULL, &s->log_bytes},
        {"rate", NULL, &s->rate},
        {"best", NULL, &s->best},
        {"val_dsc", NULL, &s->now.dsc},
        {"val_hd95", NULL, &s->now.hd95},
        {"loss", NULL, &s->sums.loss},
        {"ce", NULL, &s->sums.term[LOSS_CE]},
        {"dice", NULL, &s->sums.term[LOSS_DICE]},
        {"ce_out", NULL, &s->sums.term[LOSS_CE_OUT]},
        {"dice_out", NULL, &s->sums.term[LOSS_DICE_OUT]},
        {"flow", NULL, &s->sums.term[LOSS_FLOW]},
        {"batches", NULL, &s->sums.batches},
        {"epoch_seconds", NULL, &s->sums.seconds},
    };
    memcpy(notes, all, sizeof all);
}

int session_write_weights(struct session *s, const char *path, struct err *err)
{
    struct note notes[DESCRIPTION];
    if (!session_is_first(s))
        return 0;
    list_description(s, notes);
    return checkpoint_write_weights(path, s->model, s->trainer, s->options.half, notes, DESCRIPTION,
                                    err);
}

int session_write_checkpoint(struct session *s, struct err *err)
{
    struct note notes[DESCRIPTION + STATE];
    if (!session_is_first(s))
        return 0;
    int64_t bytes = record_bytes(s->record, err);
    if (bytes < 0)
        return -1;
    s->log_bytes = (double)bytes;
    s->before = session_elapsed(s);
    s->begun = session_seconds();
    list_description(s, notes);
    list_state(s, notes + DESCRIPTION);
    return checkpoint_write(s->checkpoint_name, s->model, s->trainer, notes, DESCRIPTION + STATE,
                            err);
}

static bool metadata_is(const struct weights *w, const char *key, const char *value)
{
    const char *text = weights_metadata(w, key);
    return text && strcmp(text, value) == 0;
}

/* Parameters are float32 whatever the products were, so a run may go on elsewhere. */
static void say_precision(const struct session *s, const struct weights *w)
{
    struct err note;
    const char *now = precision_name(s->options.trainer.precision);
    const char *before = weights_metadata(w, "precision");
    if (!before || strcmp(before, now) == 0 || !session_is_first(s))
        return;
    err_set(&note, STATUS_OK, "resume from '%s': it was trained in %s and goes on in %s",
            s->checkpoint_name, before, now);
    s->options.warn(&note);
}

static int restore(struct session *s, const struct weights *w, struct err *err)
{
    struct note notes[STATE];
    const char *command = weights_metadata(w, "command");
    list_state(s, notes);
    if (checkpoint_restore(w, s->model, s->trainer, err) ||
        notes_read_numbers(notes, STATE, w, err))
        return -1;
    if (!metadata_is(w, "data_sha256", s->digest))
        return err_set(err, STATUS_USAGE, "it was trained on other data");
    if (!metadata_is(w, "seed", s->seed))
        return err_set(err, STATUS_USAGE, "it was trained with another seed");
    say_precision(s, w);
    free(s->command);
    s->command = strdup(command ? command : "");
    return s->command ? 0 : err_memory(err, "a command line");
}

int session_resume(struct session *s, struct err *err)
{
    struct weights w;
    char path[IO_PATH_SIZE];
    int copy;
    s->log_bytes = -1;
    if (!s->options.resume)
        return 0;
    if (peers_share_file(s->options.trainer.group, s->options.ranks.rank, s->checkpoint_name, &copy,
                         err))
        return -1;
    if (session_is_first(s) ? access(s->checkpoint_name, F_OK) != 0 : copy < 0)
        return 0;
    io_path(copy, path);
    int result = weights_read(&w, session_is_first(s) ? s->checkpoint_name : path, err);
    if (copy >= 0)
        close(copy);
    if (result)
        return -1;
    result = restore(s, &w, err);
    weights_free(&w);
    return result ? err_prefix(err, "resume from '%s'", s->checkpoint_name) : 0;
}

int session_record_epoch(struct session *s, struct err *err)
{
    const struct sums *sums = &s->sums;
    double n = sums->batches > 0 ? sums->batches : 1;
    struct record_row row = {
        .epoch = (uint64_t)s->epoch,
        .step = trainer_steps(s->trainer),
        .rate = s->rate,
        .loss = sums->loss / n,
        .ce = sums->term[LOSS_CE] / n,
        .dice = sums->term[LOSS_DICE] / n,
        .ce_out = sums->term[LOSS_CE_OUT] / n,
        .dice_out = sums->term[LOSS_DICE_OUT] / n,
        .flow = sums->term[LOSS_FLOW] / n,
        .val_dsc = s->validation ? s->now.dsc : NAN,
        .val_hd95 = s->validation ? s->now.hd95 : NAN,
        .val_ap50 = s->validation ? s->now.ap50 : NAN,
        .images_per_s = n * (double)(s->loading.batch * s->loading.ranks) / (sums->seconds + 1e-9),
        .seconds = session_elapsed(s),
    };
    s->loss = row.loss;
    if (!session_is_first(s))
        return 0;
    if (record_add(s->record, &row, err))
        return -1;
    struct err drawing;
    if (s->options.plot && !s->plot_failed && record_plot(s->record, s->options.plot, &drawing)) {
        s->options.warn(&drawing);
        s->plot_failed = true;
    }
    return 0;
}
