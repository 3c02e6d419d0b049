#define _GNU_SOURCE
#include "stream/pipe.h"

#include <fcntl.h>

void pipe_widen(int fd)
{
#ifdef F_SETPIPE_SZ
    (void)fcntl(fd, F_SETPIPE_SZ, STREAM_CHUNK);
#else
    (void)fd;
#endif
}
