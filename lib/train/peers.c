#include "train/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/filemap.h"
#include "core/io.h"

int peers_join(struct nn_group **group, const struct ranks *ranks, int timeout, struct err *err)
{
    struct nn_group_options options = {
        .rank = ranks->rank,
        .size = ranks->size,
        .address = ranks->address,
        .port = ranks->port,
        .hosted = ranks->hosted,
        .run = ranks->run,
        .timeout = timeout,
    };
    char what[64];
    *group = NULL;
    if (ranks->size == 1)
        return 0;
    snprintf(what, sizeof what, "rank %d of %d", ranks->rank, ranks->size);
    *group = nn_group_new(&options);
    return *group ? 0 : nn_to_err(err, what);
}

int peers_sum(struct nn_group *group, double *values, int64_t n, struct err *err)
{
    if (!group)
        return 0;
    if (nn_scope_begin())
        return nn_to_err(err, "ranks");
    nn_tensor *x = nn_from_host(values, DTYPE_F64, 1, &n);
    int failed = !x || nn_group_all_reduce(group, &x, 1, NN_SUM) ||
                 nn_to_host(x, values, DTYPE_F64, (size_t)n * sizeof *values);
    nn_scope_end();
    return failed ? nn_to_err(err, "ranks") : 0;
}

/* Rank 0's bytes for all. */
static int broadcast(struct nn_group *group, void *bytes, int64_t n, struct err *err)
{
    if (nn_scope_begin())
        return nn_to_err(err, "ranks");
    nn_tensor *x = nn_from_host(bytes, DTYPE_U8, 1, &n);
    int failed =
        !x || nn_group_broadcast(group, &x, 1) || nn_to_host(x, bytes, DTYPE_U8, (size_t)n);
    nn_scope_end();
    return failed ? nn_to_err(err, "ranks") : 0;
}

int peers_same(struct nn_group *group, const char *text, struct err *err)
{
    char theirs[1001] = "";
    if (!group)
        return 0;
    snprintf(theirs, sizeof theirs, "%s", text);
    if (broadcast(group, theirs, sizeof theirs, err))
        return -1;
    double others = strncmp(theirs, text, sizeof theirs - 1) != 0;
    bool own = others > 0;
    if (peers_sum(group, &others, 1, err))
        return -1;
    return others == 0 ? 0
                       : err_set(err, STATUS_USAGE, "%s other data or options than rank 0",
                                 own ? "this rank has" : "a rank has");
}

int peers_share_model(struct nn_group *group, struct model *model, struct err *err)
{
    size_t count;
    struct model_parameter *all = model_parameters(model, &count);
    if (!group)
        return 0;
    nn_tensor **tensors = calloc(count + 1, sizeof *tensors);
    if (!tensors)
        return err_memory(err, "a list of parameters");
    for (size_t i = 0; i < count; i++)
        tensors[i] = all[i].tensor;
    int failed = nn_group_broadcast(group, tensors, count);
    free(tensors);
    return failed ? nn_to_err(err, "share the first weights") : 0;
}

/* ---- files ---- */

static int write_copy(const void *bytes, size_t size, int *copy, struct err *err)
{
    *copy = io_temporary(err);
    if (*copy < 0)
        return -1;
    if (io_write(*copy, bytes, size) == 0)
        return 0;
    err_errno(err, STATUS_IO, "write a copy of the checkpoint");
    close(*copy);
    *copy = -1;
    return -1;
}

/* `own`: rank 0's file, empty for the others. */
static int share_bytes(struct nn_group *group, const struct filemap *own, int *copy,
                       struct err *err)
{
    double size = (double)own->size;
    if (peers_sum(group, &size, 1, err))
        return -1;
    if (size == 0)
        return 0;
    char *room = own->data ? NULL : malloc((size_t)size);
    if (!own->data && !room)
        return err_memory(err, "the checkpoint");
    int failed = broadcast(group, room ? room : own->data, (int64_t)size, err);
    if (!failed && room)
        failed = write_copy(room, (size_t)size, copy, err);
    free(room);
    return failed;
}

int peers_share_file(struct nn_group *group, int rank, const char *path, int *copy, struct err *err)
{
    struct filemap own = {0};
    *copy = -1;
    if (!group)
        return 0;
    if (rank == 0 && access(path, F_OK) == 0 && filemap_open(&own, path, err))
        return -1;
    int failed = share_bytes(group, &own, copy, err);
    filemap_close(&own);
    return failed;
}
