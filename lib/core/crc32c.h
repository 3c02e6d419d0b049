/* CRC-32C (Castagnoli), which finds every change of up to 32 bits in a row: the sum of
 * iSCSI (RFC 3720, section 12.1), ext4 and SSE 4.2's instruction. */
#ifndef CORE_CRC32C_H
#define CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The sum of what `crc` is the sum of (0: nothing) and `size` bytes after it. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the processor's instruction.  For tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
