/* A prediction and its truth out of two image files. */
#ifndef SCORES_FILES_H
#define SCORES_FILES_H

#include "scores/compare.h"

struct files_options {
    bool labels;      /* values count, not only whether they are 0 */
    bool probability; /* the prediction is an image of foreground probabilities, */
    float threshold;  /* foreground where they reach this; 0: 1/2 */
};

struct files_pair {
    struct compare_pair pair;         /* of what is below */
    double pixel_height, pixel_width; /* the truth's, else the prediction's; 0: unknown */
    uint32_t *labels[2];
    uint8_t *masks[2];
    float *foreground, *uncertainty;
};

/* STATUS_DATA when they differ in size.  The caller frees the pair, also after a failure. */
int files_load(struct files_pair *files, const char *prediction, const char *truth,
               const struct files_options *options, struct err *err) MUST_CHECK;
void files_free(struct files_pair *files);

#endif
