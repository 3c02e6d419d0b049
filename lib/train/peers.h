/* What the processes of one training run tell each other besides gradients.  With a
 * group of NULL there is one process, and each of these does nothing. */
#ifndef TRAIN_PEERS_H
#define TRAIN_PEERS_H

#include "model/model.h"
#include "train/ranks.h"

/* The caller frees it with nn_group_free; NULL when `ranks` says that it is alone. */
int peers_join(struct nn_group **group, const struct ranks *ranks, int timeout,
               struct err *err) MUST_CHECK;

/* Sums over all of them, in place. */
int peers_sum(struct nn_group *group, double *values, int64_t n, struct err *err) MUST_CHECK;

/* STATUS_USAGE unless `text` (at most 1000 bytes count) is that of rank 0. */
int peers_same(struct nn_group *group, const char *text, struct err *err) MUST_CHECK;

/* Gives all of them rank 0's parameters and buffers. */
int peers_share_model(struct nn_group *group, struct model *model, struct err *err) MUST_CHECK;

/* Gives all of them rank 0's file.  copy: to the others the descriptor of an unlinked
 * one with its bytes, which the caller closes; -1 to rank 0, and when there is no such file. */
int peers_share_file(struct nn_group *group, int rank, const char *path, int *copy,
                     struct err *err) MUST_CHECK;

#endif
