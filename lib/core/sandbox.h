/* What a program that decodes files of others gives up at its start, so that a fault in a
 * decoder is no way out: to start programs, to open sockets, to look into other processes
 * or to load code into the kernel, by a seccomp filter (Linux's seccomp(2)) on x86-64 and arm64;
 * and to write outside of the folders that its command line names (core/landlock.h). */
#ifndef CORE_SANDBOX_H
#define CORE_SANDBOX_H

/* words: of the command line, NULL-terminated.  The calls fail with EPERM and EACCES from then on,
 * in all threads started later.  Nothing happens where the kernel has no such filters, in builds
 * with sanitizers (whose reports need them), and when the environment says
 * MORPHOSEG_SANDBOX=off. */
void sandbox_enter(char *const *words);

#endif
