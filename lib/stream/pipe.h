/* Pipes hold 64 KiB by default; tensors pass faster in larger pieces. */
#ifndef STREAM_PIPE_H
#define STREAM_PIPE_H

#define STREAM_CHUNK (1 << 20) /* bytes read or written at once */

/* Makes the pipe at `fd`, if it is one, hold STREAM_CHUNK bytes where that can
 * be had. */
void pipe_widen(int fd);

#endif
