#include "train/ranks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define MAX_RANKS 65536

static const struct starter {
    const char *rank, *size, *local;
} starters[] = {
    {"RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
    {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
};

static bool is_slurm(const struct starter *s)
{
    return strncmp(s->rank, "SLURM", 5) == 0;
}

static const struct starter *find_starter(void)
{
    for (size_t i = 0; i < sizeof starters / sizeof *starters; i++) {
        const struct starter *s = &starters[i];
        bool batch_script = is_slurm(s) && getenv("SLURM_JOB_ID") && !getenv("SLURM_STEP_ID");
        if (getenv(s->rank) && getenv(s->size) && !batch_script)
            return s;
    }
    return NULL;
}

/* The variable's number, left alone when it is not there. */
static int read_number(const char *name, int min, int max, int *number, struct err *err)
{
    int64_t value;
    const char *text = getenv(name);
    if (!text || !*text)
        return 0;
    if (num_int(text, min, max, &value, err))
        return err_prefix(err, "%s", name);
    *number = (int)value;
    return 0;
}

int ranks_from_environment(struct ranks *ranks, struct err *err)
{
    const struct starter *s = find_starter();
    const char *address = getenv("MASTER_ADDR"), *restart = getenv("TORCHELASTIC_RESTART_COUNT");
    const char *hosted = getenv("TORCHELASTIC_USE_AGENT_STORE");
    *ranks = (struct ranks){.size = 1, .local = -1, .port = 29500, .run = restart ? restart : ""};
    ranks->hosted = hosted && strcmp(hosted, "True") == 0;
    if (!s)
        return 0;
    if (!address && is_slurm(s))
        address = getenv("SLURM_LAUNCH_NODE_IPADDR");
    ranks->address = address ? address : "127.0.0.1";
    if (read_number(s->size, 1, MAX_RANKS, &ranks->size, err) ||
        read_number(s->rank, 0, ranks->size - 1, &ranks->rank, err) ||
        read_number(s->local, 0, MAX_RANKS, &ranks->local, err) ||
        read_number("MASTER_PORT", 1, 65535, &ranks->port, err)) {
        err->status = STATUS_USAGE;
        return -1;
    }
    return 0;
}
