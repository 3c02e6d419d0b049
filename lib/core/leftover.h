/* Temporary files that killed programs left beside an output, told from those that are being
 * written: who writes one holds a lock on it, which a kill releases. */
#ifndef CORE_LEFTOVER_H
#define CORE_LEFTOVER_H

/* The lock; until the descriptor and its copies are closed. */
void leftover_hold(int fd);

/* Removes what killed runs left of this output: regular files OUTPUT.tmp-XXXXXX of the same
 * user that nobody holds and nobody changed for a minute.  Only on file systems of this machine,
 * where locks can be believed; nothing is said when nothing can be done. */
void leftover_sweep(const char *output);

#endif
