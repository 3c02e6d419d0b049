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

/* The next key of an object or item of a list: 1 when there is one, at its value then; 0 after the
 * closing bracket, which it takes, as the first call takes the opening one; -1 on error.
 *
 *     bool first = true;
 *     while ((more = scan_item(scan, &first, err)) > 0) ...    take the value */
int scan_key(struct scan *scan, bool *first, char *key, size_t room, struct err *err) MUST_CHECK;
int scan_item(struct scan *scan, bool *first, struct err *err) MUST_CHECK;

/* The values of a list or of an object, whichever is there. */
struct scan_walk {
    struct scan scan; /* at the value after scan_next was 1 */
    bool first, is_list;
};
struct scan_walk scan_walk(struct scan scan);
int scan_next(struct scan_walk *walk, struct err *err) MUST_CHECK;

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
