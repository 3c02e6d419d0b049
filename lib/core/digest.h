/* SHA-256 (FIPS 180-4) in hex, a fast sum, and short names of files by what they hold. */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include "core/err.h"

#define DIGEST_HEX 65 /* characters and a zero */

/* What was hashed so far; the context stays as it is. */
void digest_hex(const struct sha256_ctx *context, char hex[DIGEST_HEX]);
void digest_bytes(const void *data, size_t size, char hex[DIGEST_HEX]);

/* A sum of `size` bytes after what `hash` is the sum of: 8 bytes at a time, for telling
 * apart what nobody tries to confuse. */
uint64_t digest_fast(uint64_t hash, const void *data, size_t size);

/* 16 hex digits that tell a regular file from others, wherever it lies and whatever it is
 * called: a fast sum of its size and of 64 pieces of 4 KiB spread over it evenly, the
 * first and the last among them; all of it when it has no more.  "-" is standard input;
 * "" for what is not a regular file. */
#define DIGEST_IDENTITY 17
int digest_identity(const char *path, char identity[DIGEST_IDENTITY], struct err *err) MUST_CHECK;

#endif
