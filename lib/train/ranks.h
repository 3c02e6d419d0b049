/* Which of several processes that work together this one is, as those who start such
 * processes say in the environment. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include <stdbool.h>

#include "core/err.h"

struct ranks {
    int rank, size;      /* 0 and 1 when alone */
    int local;           /* number on this machine, -1 when not told */
    const char *address; /* where rank 0 listens; borrowed from the environment */
    int port;
    bool hosted;     /* torchrun itself listens there */
    const char *run; /* number of torchrun's restart, or "" */
};

/* The first that is there of RANK and WORLD_SIZE (torchrun), OMPI_COMM_WORLD_RANK and
 * _SIZE (Open MPI), PMI_RANK and PMI_SIZE (MPICH), SLURM_PROCID and SLURM_NTASKS (srun;
 * a batch script that is no step of its job is alone).  MASTER_ADDR is 127.0.0.1 by
 * default, under Slurm the launching node; MASTER_PORT 29500.  Nonsense: STATUS_USAGE. */
int ranks_from_environment(struct ranks *ranks, struct err *err) MUST_CHECK;

#endif
