/* Learning rates over a run. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#define SCHEDULE_WORDS "poly|exp|cosine|constant"

enum schedule_kind { SCHEDULE_POLY, SCHEDULE_EXP, SCHEDULE_COSINE, SCHEDULE_CONSTANT };

struct schedule {
    enum schedule_kind kind;
    double start;  /* the rate at the beginning */
    double power;  /* poly: start (1 - p)^power, p being the part of the run that is done */
    double ratio;  /* exp: start ratio^p, so that the run ends with start ratio */
    double warmup; /* first part of the run in which the rate rises from 0, in [0, 1) */
};

/* The rate when `progress`, in [0, 1], of the run is done. */
double schedule_rate(const struct schedule *schedule, double progress);

#endif
