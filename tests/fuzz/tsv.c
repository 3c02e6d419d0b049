/* Small tables. */
#include "core/tsv.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tsv table;
    struct err err;
    if (tsv_read(&table, fuzz_file(data, size), &err))
        return 0;
    (void)!tsv_write("/dev/null", (const char *const *)table.names, table.columns, NULL, 0, &err);
    size_t length = 0;
    for (size_t row = 0; row < table.rows; row++)
        for (size_t column = 0; column < table.columns; column++)
            length += strlen(tsv_cell(&table, row, column));
    const char *remark = tsv_remark(&table, "positive_class");
    if (length > size || (remark && strlen(remark) > size) ||
        tsv_column(&table, "no such column") != table.columns)
        abort();
    tsv_free(&table);
    return 0;
}
