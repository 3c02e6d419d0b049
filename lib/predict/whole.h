/* What a network says of an image that is whole: it is seen through windows of its own
 * (predict/windows.h), whose answers are blended where they overlap (BLEND_GAUSS), so that the
 * tiles that the image came in show nowhere.  It is computed from above as it is asked for; only
 * rows that are wanted yet are in memory. */
#ifndef PREDICT_WHOLE_H
#define PREDICT_WHOLE_H

#include "predict/view.h"
#include "tiles/blend.h"

/* A window's answer that was there before; taken over where it is done. */
struct whole_answer {
    bool is_done;
    struct inference_result result;
};

/* All borrowed. */
struct whole_options {
    const struct view *view;
    size_t batch;                 /* windows computed at a time */
    double scale;                 /* at which the image is shown */
    struct whole_answer *answers; /* of all its windows; or NULL */
};

struct whole {
    struct whole_options options;
    struct grid windows;
    int64_t next; /* the first that was not computed */
    struct whole_map {
        struct blend blend;
        enum dtype dtype;
        int ndim; /* 0: it was not asked for */
    } maps[INFERENCE_MAPS];
};

/* The caller ends it with whole_free, also after a failure. */
void whole_new(struct whole *whole, const struct whole_options *options);
void whole_free(struct whole *whole);

/* The first row of the image that is not needed for the answer above row `bottom`. */
int64_t whole_reach(const struct whole *whole, int64_t bottom);

/* The answer for a part of the image, of which nothing was above the rows that were dropped; beyond
 * the image its border is repeated.  Of the image the rows above `known` are there, as far as
 * whole_reach at least. */
int whole_part(struct whole *whole, struct windows_part part, int64_t known,
               struct inference_result *result, struct err *err) MUST_CHECK;

/* Forgets what is above row `top` of the answer; the first row of the image that is needed yet. */
int64_t whole_drop(struct whole *whole, int64_t top);

#endif
