/* Reading JSON from memory piece by piece, without building a tree, so that files
 * of hundreds of megabytes pass in little memory.  Strict: RFC 8259, but for NaN,
 * Infinity and -Infinity, which Python and Java write; at most SCAN_DEPTH levels.
 * Errors name the byte. */
#ifndef ANNOT_SCAN_H
#define ANNOT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define SCAN_DEPTH 256

struct scan {
    const char *begin, *at, *end;
};

/* The first character of the next value: '{', '[', '"', a digit, '-', 't', 'f', 'n';
 * 0 at the end. */
char scan_peek(struct scan *scan);

/* for (bool first = scan_open(s, '{', err) ...): scan_open takes the bracket, then
 * each scan_key or scan_item is 1 when there is another one, 0 after the closing
 * bracket, which it takes, -1 on error.  Set *first to true before the first. */
int scan_open(struct scan *scan, char bracket, struct err *err) MUST_CHECK;
int scan_key(struct scan *scan, bool *first, char *key, size_t room, struct err *err) MUST_CHECK;
int scan_item(struct scan *scan, bool *first, struct err *err) MUST_CHECK;

int scan_number(struct scan *scan, double *number, struct err *err) MUST_CHECK;
int scan_integer(struct scan *scan, int64_t *number, struct err *err) MUST_CHECK;

/* A number, or a text that is one; -1 when there is something else, which is skipped. */
int scan_count(struct scan *scan, int64_t *number, struct err *err) MUST_CHECK;

/* A text, a number as its digits, "" for anything else: an id, a name. */
int scan_word(struct scan *scan, char *to, size_t room, struct err *err) MUST_CHECK;

/* A string, cut off at room - 1 bytes; to may be NULL. */
int scan_string(struct scan *scan, char *to, size_t room, struct err *err) MUST_CHECK;

/* Any value. */
int scan_skip(struct scan *scan, struct err *err) MUST_CHECK;

/* Nothing but space may follow. */
int scan_end(struct scan *scan, struct err *err) MUST_CHECK;

/* STATUS_DATA: "what at byte N". */
int scan_wrong(const struct scan *scan, const char *what, struct err *err);

#endif
