/* TopoSeg on a made-up set: a small network that learns from few labeled images leaves
 * wrong components; consistency with its teacher on labeled and unlabeled ones removes
 * most of them.  The measure is the Betti error: how far the number of components of the
 * answer is from that of the truth. */
#include <stdlib.h>

#include "core/rng.h"
#include "objects/components.h"
#include "tests/tap.h"
#include "train/persistence.h"
#include "train/trainer.h"

enum {
    SIDE = 48,
    PIXELS = SIDE * SIDE,
    LABELED = 2,
    UNLABELED = 12,
    TEST = 16,
    BATCH = 4,
    STEPS = 80,
    SEEDS = 3,
    CELLS = 3
};

static struct err err;

struct picture {
    float image[PIXELS];
    uint8_t truth[PIXELS];
};

static void add_disc(struct picture *p, double cy, double cx, double radius, double rise, bool cell)
{
    for (int i = 0; i < PIXELS; i++) {
        double r = hypot(i / SIDE - cy, i % SIDE - cx) / radius;
        if (r >= 1)
            continue;
        p->image[i] = (float)(0.3 + rise * (1 - 0.4 * r * r));
        p->truth[i] |= cell;
    }
}

/* Bright cells, noise, and debris, dimmer than cells, which labeled images lack. */
static void draw(struct picture *p, const char *name, int number)
{
    char key[40];
    snprintf(key, sizeof key, "%s %d", name, number);
    struct rng rng = rng_new(7, key);
    int debris = strcmp(name, "labelled") == 0 ? 0 : 8;
    for (int i = 0; i < PIXELS; i++) {
        p->truth[i] = 0;
        p->image[i] = 0.3f;
    }
    for (int n = 0; n < debris; n++) {
        double y = rng_between(&rng, 3, SIDE - 3), x = rng_between(&rng, 3, SIDE - 3);
        add_disc(p, y, x, rng_between(&rng, 1.5, 2.5), rng_between(&rng, 0.2, 0.35), false);
    }
    for (int n = 0; n < CELLS; n++) {
        double y = rng_between(&rng, 8, SIDE - 8), x = 8 + n * 16 + rng_between(&rng, -2, 2);
        add_disc(p, y, x, rng_between(&rng, 4, 7), rng_between(&rng, 0.3, 0.5), true);
    }
    for (int i = 0; i < PIXELS; i++)
        p->image[i] += (float)(0.2 * (rng_uniform(&rng) + rng_uniform(&rng) - 1));
}

static int measure(const float *student, const float *teacher, size_t height, size_t width,
                   double *loss, float *gradient, void *data, struct err *e)
{
    (void)data;
    return topology_loss(student, teacher, height, width, &TOPOLOGY_DEFAULTS, loss, gradient, e);
}

static int components(const uint8_t *classes)
{
    static uint32_t labels[PIXELS];
    uint32_t count = 0;
    for (int i = 0; i < PIXELS; i++)
        labels[i] = classes[i] != 0;
    if (components_label(labels, SIDE, SIDE, 8, labels, &count, &err))
        return -1;
    return (int)count;
}

/* One step's images: half labeled, half not. */
static void fill(float *images, uint8_t *labels, int seed, int step)
{
    struct picture p;
    for (int i = 0; i < BATCH; i++) {
        bool labeled = i < BATCH / 2;
        int count = labeled ? LABELED : UNLABELED;
        /* The names seed the drawings. */
        draw(&p, labeled ? "labelled" : "unlabelled", 100 * seed + (step * BATCH / 2 + i) % count);
        memcpy(images + i * PIXELS, p.image, sizeof p.image);
        memcpy(labels + i * PIXELS, p.truth, sizeof p.truth);
    }
}

/* The mean Betti error on images that were never seen. */
static double betti_error(struct trainer *trainer, double *dice)
{
    static uint8_t found[PIXELS];
    struct picture p;
    double sum = 0, both = 0, all = 0;
    for (int i = 0; i < TEST; i++) {
        draw(&p, "test", i);
        struct trainer_batch one = {1, 1, SIDE, SIDE, p.image, p.truth, NULL, NULL, 0, NULL};
        if (trainer_predict(trainer, &one, found, NULL, &err))
            return NAN;
        sum += abs(components(found) - components(p.truth));
        for (int k = 0; k < PIXELS; k++) {
            both += found[k] && p.truth[k];
            all += found[k] + p.truth[k];
        }
    }
    *dice = 2 * both / all;
    return sum / TEST;
}

/* Weights of the consistency: none at all, of pixels alone, of topology too. */
enum { PLAIN, WITH_PIXELS, WITH_TOPOLOGY, WAYS };

static struct trainer_options options_of(int way, int seed)
{
    struct trainer_options options = {.optimizer = TRAINER_ADAMW,
                                      .device = NN_CPU,
                                      .precision = DTYPE_F32,
                                      .weight_decay = 1e-4,
                                      .average = 0.9,
                                      .ramp = STEPS / 2,
                                      .seed = (uint64_t)seed};
    if (way != PLAIN)
        options.consistency =
            (struct toposeg_options){.topology = way == WITH_TOPOLOGY ? TOPOSEG_WEIGHT : 0,
                                     .pixels = TOPOSEG_PIXELS,
                                     .measure = measure};
    return options;
}

static double train(int seed, int way, double *dice)
{
    static float images[BATCH * PIXELS];
    static uint8_t labels[BATCH * PIXELS];
    struct trainer_options options = options_of(way, seed);
    struct trainer_batch batch = {BATCH,  1,    SIDE, SIDE,      images,
                                  labels, NULL, NULL, BATCH / 2, NULL};
    struct trainer_report report = {0};
    struct trainer *trainer;
    struct model *model;
    if (model_new(&model, "unet-s:width=8,levels=2", 2, 1, &err) ||
        model_initialize(model, (uint64_t)seed, &err) ||
        trainer_new(&trainer, model, &options, &err))
        return NAN;
    for (int step = 0; step < STEPS; step++) {
        fill(images, labels, seed, step);
        if (trainer_accumulate(trainer, &batch, 1, &report, &err) ||
            trainer_step(trainer, 0.005, &report, &err))
            return NAN;
    }
    double error = betti_error(trainer, dice);
    trainer_free(trainer);
    model_free(model);
    return error;
}

int main(void)
{
    tap_plan(4);
    static const char *const names[WAYS] = {"labels", "pixels", "topology"};
    double error[WAYS] = {0}, overlap[WAYS] = {0};
    if (nn_set_threads(1))
        return 1;
    for (int seed = 1; seed <= SEEDS; seed++)
        for (int way = 0; way < WAYS; way++) {
            double dice, wrong = train(seed, way, &dice);
            printf("# seed %d, %s: Betti error %.2f, Dice %.3f\n", seed, names[way], wrong, dice);
            error[way] += wrong / SEEDS;
            overlap[way] += dice / SEEDS;
        }
    ok(error[PLAIN] >= 1, "labels alone leave wrong components: Betti error %.2f", error[PLAIN]);
    ok(error[WITH_TOPOLOGY] <= 0.4 * error[PLAIN], "topological consistency removes most: %.2f",
       error[WITH_TOPOLOGY]);
    ok(error[WITH_TOPOLOGY] < error[WITH_PIXELS], "more than consistency of pixels alone: %.2f",
       error[WITH_PIXELS]);
    ok(overlap[WITH_TOPOLOGY] > overlap[PLAIN] - 0.02,
       "and cells are found as well: Dice %.3f, %.3f", overlap[PLAIN], overlap[WITH_TOPOLOGY]);
    return tap_done();
}
