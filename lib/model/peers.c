#include "model/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int read_file(const char *path, char **bytes, double *size, struct err *err)
{
    FILE *file = fopen(path, "rb");
    long end;
    if (!file)
        return err_errno(err, STATUS_NO_INPUT, "open '%s'", path);
    if (fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 || fseek(file, 0, SEEK_SET)) {
        err_errno(err, STATUS_IO, "read '%s'", path);
        fclose(file);
        return -1;
    }
    *size = (double)end;
    *bytes = malloc((size_t)end + 1);
    int failed = !*bytes || fread(*bytes, 1, (size_t)end, file) != (size_t)end;
    fclose(file);
    return failed ? err_set(err, STATUS_IO, "read '%s': failed", path) : 0;
}

static int write_copy(const char *bytes, size_t n, char *copy, size_t size, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(copy, size, "%s/train-XXXXXX", folder ? folder : "/tmp");
    int fd = length < (int)size ? mkstemp(copy) : -1;
    if (fd < 0) {
        copy[0] = '\0';
        return err_errno(err, STATUS_CREATE, "create a copy of the checkpoint");
    }
    FILE *file = fdopen(fd, "wb");
    bool failed = !file || fwrite(bytes, 1, n, file) != n;
    if (file ? fclose(file) : close(fd))
        failed = true;
    if (!failed)
        return 0;
    err_errno(err, STATUS_IO, "write '%s'", copy);
    unlink(copy);
    copy[0] = '\0';
    return -1;
}

int peers_share_file(struct nn_group *group, int rank, const char *path, char *copy, size_t size,
                     struct err *err)
{
    char *bytes = NULL;
    double count = 0;
    copy[0] = '\0';
    if (!group)
        return 0;
    int failed = rank == 0 && access(path, F_OK) == 0 && read_file(path, &bytes, &count, err);
    failed = failed || peers_sum(group, &count, 1, err);
    if (!failed && count > 0 && !bytes && !(bytes = calloc((size_t)count, 1)))
        failed = err_memory(err, "the checkpoint");
    failed = failed || (count > 0 && broadcast(group, bytes, (int64_t)count, err));
    if (!failed && rank > 0 && count > 0)
        failed = write_copy(bytes, (size_t)count, copy, size, err);
    free(bytes);
    return failed ? -1 : 0;
}
