#include "train/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lock.h"
#include "core/num.h"
#include "nn/plan.h"
#include "objects/flow_targets.h"
#include "predict/cellpose_eval.h"
#include "train/internal.h"
#include "train/peers.h"
#include "train/persistence.h"
#include "weights/weights.h"

/* Finds the other ranks, if there are any, and makes sure that they do the same. */
static int join(struct session *s, struct err *err)
{
    char text[1000];
    const struct session_options *o = &s->options;
    struct trainer_options *t = &s->options.trainer;
    if (peers_join(&t->group, &o->ranks, (int)o->timeout, err))
        return -1;
    t->rank = o->ranks.rank;
    t->ranks = o->ranks.size;
    snprintf(text, sizeof text, "%s %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
             s->digest, o->arch, o->seed, o->batch, o->accumulate, o->steps, o->epochs);
    return peers_same(t->group, text, err);
}

/* What the network of --init sees, and what it is where nobody said. */
static int follow_initial(struct session_options *o, bool ranges_given, struct err *err)
{
    struct weights w;
    struct err none;
    int64_t channels;
    if (weights_read(&w, o->init, err))
        return -1;
    const char *arch = weights_metadata(&w, "architecture"), *sees = weights_metadata(&w, "sees");
    const char *planes = weights_metadata(&w, "channels");
    bool follows = arch && !o->arch;
    char *own = follows ? strdup(arch) : NULL;
    if (arch) {
        o->arch = follows ? own : o->arch;
        o->ranges = ranges_given ? o->ranges : sees && strcmp(sees, "range") == 0;
        if (o->channels == 0 && planes && num_int(planes, 1, 3, &channels, &none) == 0)
            o->channels = channels;
    }
    weights_free(&w);
    return follows && !own ? err_memory(err, "the name of an architecture") : 0;
}

int session_settle_arch(struct session_options *o, int flows, bool ranges_given, struct err *err)
{
    static char arch[300];
    if (o->init && follow_initial(o, ranges_given, err))
        return -1;
    o->arch = o->arch ? o->arch : "unet-s";
    if (flows == 0)
        return 0;
    const char *own = strstr(o->arch, "flows=");
    int given = own ? atoi(own + strlen("flows=")) : 0;
    if (flows == given || (flows == FLOWS_ANY && given > 0))
        return 0;
    if (own)
        return err_set(err, STATUS_USAGE, "architecture '%s' has other flows", o->arch);
    int length = snprintf(arch, sizeof arch, "%s%cflows=%d", o->arch,
                          strchr(o->arch, ':') ? ',' : ':', flows == FLOWS_ANY ? 1 : flows);
    if (length < 0 || length >= (int)sizeof arch)
        return err_set(err, STATUS_USAGE, "architecture '%.40s...': too long", o->arch);
    o->arch = arch;
    return 0;
}

/* Sizes from the first sample; its channels unless told. */
static int plan_batches(struct session *s, struct err *err)
{
    const struct session_options *o = &s->options;
    struct loader_options *l = &s->loading;
    struct stored first = {0};
    struct model_traits traits;
    if (model_find_traits(o->arch, &traits, err) || store_read(s->data, 0, &first, err))
        return -1;
    *l = (struct loader_options){.batch = (size_t)o->batch,
                                 .rank = (size_t)o->ranks.rank,
                                 .ranks = (size_t)o->ranks.size,
                                 .repeat = (size_t)o->repeat,
                                 .classes = (int)o->classes,
                                 .threads = (int)o->loaders,
                                 .seed = (uint64_t)o->seed,
                                 .diameter = o->diameter,
                                 .policy = o->policy};
    l->height = o->crop ? (size_t)o->crop : first.image.shape[0];
    l->width = o->crop ? (size_t)o->crop : first.image.shape[1];
    l->channels = traits.shown_gray ? 1
                  : o->channels     ? (int)o->channels
                                    : (first.image.shape[2] >= 3 ? 3 : 1);
    stored_free(&first);
    size_t shown = store_labeled(s->data) * (size_t)o->repeat;
    size_t labeled = l->batch - loader_unlabeled(s->data, l->batch);
    size_t step = labeled * l->ranks * (size_t)o->accumulate;
    s->steps_in_epoch = (shown + step - 1) / step;
    s->total_steps = o->steps ? (uint64_t)o->steps : s->steps_in_epoch * (uint64_t)o->epochs;
    return 0;
}

static int load_initial(struct session *s, struct err *err)
{
    struct weights w;
    if (weights_read(&w, s->options.init, err))
        return -1;
    int result = model_load_initial(s->model, &w, err);
    weights_free(&w);
    if (result == 1 && session_is_first(s) && s->options.say)
        s->options.say("--init has other classes: its last layer is not taken");
    return result < 0 ? err_prefix(err, "'%s'", s->options.init) : 0;
}

static int measure_topology(const float *student, const float *teacher, size_t height, size_t width,
                            double *loss, float *gradient, void *data, struct err *err)
{
    (void)data;
    return topology_loss(student, teacher, height, width, &TOPOLOGY_DEFAULTS, loss, gradient, err);
}

bool session_learns_unlabeled(const struct session_options *options)
{
    struct model_traits traits;
    struct err none;
    return options->trainer.consistency.topology > 0 ||
           (model_find_traits(options->arch, &traits, &none) == 0 && traits.has_teacher);
}

/* TopoSeg's, or when it is asked for; the running average is the teacher. */
static int settle_consistency(struct session *s, struct err *err)
{
    struct trainer_options *t = &s->options.trainer;
    if (!session_learns_unlabeled(&s->options))
        return 0;
    if (!model_has_softmax(s->model))
        return err_set(err, STATUS_USAGE, "'%s' has no classes to be consistent in",
                       s->options.arch);
    if (t->consistency.topology == 0)
        t->consistency.topology = TOPOSEG_WEIGHT;
    t->consistency.pixels = TOPOSEG_PIXELS;
    t->consistency.measure = measure_topology;
    t->average = t->average > 0 ? t->average : TOPOSEG_DECAY;
    t->ramp = (int64_t)(s->total_steps / 2);
    return 0;
}

static int check_size(const struct session *s, struct err *err)
{
    size_t multiple = (size_t)model_multiple(s->model);
    const struct loader_options *l = &s->loading;
    if (l->height % multiple || l->width % multiple)
        return err_set(err, STATUS_USAGE,
                       "'%s' needs sizes that are multiples of %zu, not %zu x %zu: use --crop",
                       s->options.arch, multiple, l->width, l->height);
    return 0;
}

/* Cellpose's diameters: of the cells that it sees, and of those of its data, in the mean. */
static int note_diameters(struct session *s, struct err *err)
{
    double sum = 0, found = 0, diameter, seen = s->options.diameter;
    struct stored sample = {0};
    int result = 0;
    for (size_t i = 0; i < store_labeled(s->data) && result == 0; i++) {
        result =
            store_read(s->data, i, &sample, err) || mask_diameter(&sample.mask, &diameter, err);
        sum += result ? 0 : diameter;
        found += result == 0 && diameter > 0;
    }
    stored_free(&sample);
    if (result || found == 0)
        return result ? -1 : 0;
    return cellpose_set_diameters(s->model, seen > 0 ? seen : sum / found, sum / found, err);
}

/* Flows are learned from masks that number cells: there must be one. */
static int check_cells(const struct session *s, struct err *err)
{
    struct stored sample = {0};
    bool found = false;
    int result = 0;
    for (size_t i = 0; i < store_labeled(s->data) && result == 0 && !found; i++) {
        result = store_read(s->data, i, &sample, err);
        found = result == 0 && sample.mask_unit == 0;
    }
    stored_free(&sample);
    if (result || found)
        return result;
    return err_set(err, STATUS_DATA,
                   "no mask numbers cells, all are black and white: "
                   "there are no flows to learn from (-a ARCH without flows=1 learns the classes "
                   "alone, from the same --init)");
}

static int make_model(struct session *s, struct err *err)
{
    const struct session_options *o = &s->options;
    nn_reuse_memory();
    if (nn_set_threads((int)o->threads))
        return nn_to_err(err, "threads");
    if (model_new(&s->model, o->arch, (int)o->classes, s->loading.channels, err))
        return -1;
    bool classes = model_has_softmax(s->model);
    s->loading.flows = !classes || model_has_flows(s->model);
    s->loading.target = model_has_ridges(s->model) ? FLOW_DISTANCE : FLOW_DIFFUSION;
    if (classes)
        s->loading.diameter = 0; /* cells as they are */
    if (!classes && o->trainer.outliers)
        return err_set(err, STATUS_USAGE, "'%s' has no classes to draw outliers of", o->arch);
    if (classes && o->size_model)
        return err_set(err, STATUS_USAGE, "'%s' has no style to estimate sizes from", o->arch);
    if (model_initialize(s->model, (uint64_t)o->seed, err) || (o->init && load_initial(s, err)) ||
        (!classes && note_diameters(s, err)) || (s->loading.flows && check_cells(s, err)) ||
        check_size(s, err) || settle_consistency(s, err))
        return -1;
    return trainer_new(&s->trainer, s->model, &o->trainer, err);
}

static int set_up(struct session *s, struct err *err)
{
    const struct session_options *o = &s->options;
    store_digest(s->data, s->digest);
    if (join(s, err) || session_name_files(s, err) || plan_batches(s, err) || make_model(s, err) ||
        loader_new(&s->loader, s->data, &s->loading, err))
        return -1;
    s->command = strdup(o->command);
    if (!s->command)
        return err_memory(err, "a command line");
    snprintf(s->seed, sizeof s->seed, "%" PRId64, o->seed);
    s->best = -1;
    s->begun = session_seconds();
    s->told = s->begun;
    s->now.ap50 = s->chosen.ap50 = NAN;
    if (peers_share_model(o->trainer.group, s->model, err) || session_resume(s, err))
        return -1;
    return session_is_first(s)
               ? record_open(&s->record, s->log_name, (int64_t)s->log_bytes, o->events, err)
               : 0;
}

static void release(struct session *s)
{
    loader_free(s->loader);
    trainer_free(s->trainer);
    model_free(s->model);
    nn_group_free(s->options.trainer.group);
    free(s->command);
    free(s->outliers);
    lock_free(s->lock);
    free(s);
}

int session_new(struct session **session, const struct session_options *options,
                const struct store *data, const struct store *validation, struct err *err)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a session");
    s->options = *options;
    s->options.trainer.seed = (uint64_t)options->seed;
    s->data = data;
    s->validation = validation;
    if (set_up(s, err)) {
        release(s);
        return -1;
    }
    *session = s;
    return 0;
}

int session_close(struct session *session, struct err *err)
{
    if (!session)
        return 0;
    int result = session->record ? record_close(session->record, err) : 0;
    release(session);
    return result;
}
