/* Exit statuses of every program, which are also the kinds of failure that the
 * library reports.  The numbers are those of BSD's sysexits, so that a job log
 * can be sorted into "mend the file" (65, 66) and "try again" (71, 73, 74, 75). */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_SOME_FAILED = 1, /* finished, but some inputs failed */
    STATUS_USAGE = 64,      /* wrong options or operands */
    STATUS_DATA = 65,       /* bad or cut data */
    STATUS_NO_INPUT = 66,   /* no such input */
    STATUS_BUG = 70,        /* ours */
    STATUS_MEMORY = 71,     /* out of memory or threads */
    STATUS_CREATE = 73,     /* cannot create the output */
    STATUS_IO = 74,         /* a read or a write failed */
    STATUS_AGAIN = 75,      /* interrupted, checkpoint saved: run again */
};

#endif
