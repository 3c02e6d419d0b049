/* PyTorch checkpoints and .npz, made by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/files.h"
#include "tests/refused.h"
#include "tests/zip.h"

static char path[] = "/tmp/checkpoint-XXXXXX";
static struct zip_maker zip;
static struct err err;

/* Pieces of pickles; a key and a count are one byte, as "K\4". */
#define STORAGE(key, count)                                                                        \
    "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" key "X\3\0\0\0cpu" count "tQ"
#define TENSOR(key, count, offset, size, stride)                                                   \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE(key, count) offset size stride                  \
        "\x89"                                                                                     \
        "ccollections\nOrderedDict\n)RtR"
#define PLAIN    TENSOR("0", "K\6", "K\0", "K\2K\3\x86", "K\3K\1\x86")
#define NAME(c)  "X\1\0\0\0" c
#define DICT(in) "\x80\2}(" in "u."

static void start(void)
{
    zip.size = 0;
    zip.count = 0;
}

static void finish(void)
{
    zip_finish(&zip);
    put_file(path, zip.bytes, zip.size);
}

static const float six[] = {1, 2, 3, 4, 5, 6};

static void put_checkpoint(const char *pickle, size_t size)
{
    start();
    zip_add(&zip, "x/data.pkl", pickle, size);
    zip_add(&zip, "x/data/0", six, sizeof six);
    finish();
}

static void refused(const char *reason, const char *name)
{
    is_refused(path, reason, name);
}

#define REFUSED(pickle, reason, name)                                                              \
    do {                                                                                           \
        put_checkpoint(pickle, sizeof(pickle) - 1);                                                \
        refused(reason, name);                                                                     \
    } while (0)

static bool holds(const struct weights *weights, const char *name, size_t count,
                  const float *values)
{
    const struct array *array = weights_find(weights, name);
    return array && array->dtype == DTYPE_F32 && array_count(array) == count &&
           memcmp(array->data, values, count * sizeof *values) == 0;
}

static void check_read(const char *what, const char *name, size_t count, const float *values)
{
    struct weights weights;
    if (!ok(weights_read(&weights, path, &err) == 0, "%s is read", what)) {
        printf("# %s\n", err.message);
        return;
    }
    ok(holds(&weights, name, count, values), "%s has its values under '%s'", what, name);
    weights_free(&weights);
}

#define READ(pickle, what, name, ...)                                                              \
    do {                                                                                           \
        static const float values[] = {__VA_ARGS__};                                               \
        put_checkpoint(pickle, sizeof(pickle) - 1);                                                \
        check_read(what, name, sizeof values / sizeof *values, values);                            \
    } while (0)

static void test_good(void)
{
    READ(DICT(NAME("w") PLAIN), "a tensor", "w", 1, 2, 3, 4, 5, 6);
    READ(DICT(NAME("w") TENSOR("0", "K\6", "K\0", "K\3K\2\x86", "K\1K\3\x86")), "a transpose", "w",
         1, 4, 2, 5, 3, 6);
    READ(DICT(NAME("w") TENSOR("0", "K\6", "K\1", "K\2\x85", "K\3\x85")), "a column", "w", 2, 5);
    READ(DICT(NAME("w") TENSOR("0", "K\6", "K\5", ")", ")")), "a scalar", "w", 6);
    READ(DICT(NAME("e") "K\3X\12\0\0\0state_dict}(" NAME("w") PLAIN "u"), "a training checkpoint",
         "w", 1, 2, 3, 4, 5, 6);
    READ(DICT(NAME("a") "](" PLAIN "}(" NAME("b") PLAIN "ue"), "a nested one", "a.1.b", 1, 2, 3, 4,
         5, 6);
    READ(DICT("X\10\0\0\0module.w" PLAIN), "one of DataParallel", "w", 1, 2, 3, 4, 5, 6);
    READ(DICT(NAME("w") "ctorch._utils\n_rebuild_parameter\n(" PLAIN "\x88)tR"), "a parameter", "w",
         1, 2, 3, 4, 5, 6);
    READ("\x80\4\x95\0\0\0\0\0\0\0\0}\x94\x8c\1w\x8c\14torch._utils\x8c\22_rebuild_tensor_v2\x93("
         "(\x8c\7storage\x8c\5torch\x8c\14"
         "FloatStorage\x93\x8c\1"
         "0\x8c\3cpuK\6tQK\0K\6\x85K\1\x85\x89NtRs.",
         "protocol 4", "w", 1, 2, 3, 4, 5, 6);
}

/* A training checkpoint with `beside` as its entry "e". */
#define BESIDE(beside) DICT(NAME("e") beside "X\12\0\0\0state_dict}(" NAME("w") PLAIN "u")
#define SIX            1, 2, 3, 4, 5, 6

static void test_beside_weights(void)
{
    READ(BESIDE("ccollections\nCounter\n}(K\1K\2u\x85R"), "a scheduler's Counter", "w", SIX);
    READ(BESIDE("cdatetime\ndatetime\nC\2ab\x85R"), "a date", "w", SIX);
    READ(BESIDE("cpathlib\nPosixPath\n" NAME("/") NAME("x") "\x86R"), "a path", "w", SIX);
    READ(BESIDE("ccollections\ndeque\n)RK\1aK\2a"), "a queue", "w", SIX);
    READ(BESIDE("c__main__\nMode\nK\1\x85R"), "an enumeration of the user's", "w", SIX);
    READ(BESIDE("c__main__\nconfig\n)\x81}(" NAME("a") "K\1ub"), "an object of the user's", "w",
         SIX);
    READ(BESIDE("c__main__\nconfig\n)}\x92"), "one made with names", "w", SIX);
    READ(BESIDE("ctorch.nn.modules.activation\nReLU\n"), "a class that is mentioned", "w", SIX);
    READ(BESIDE("cfunctools\npartial\n(cnumpy\nfloat64\ntR"), "a function with arguments", "w",
         SIX);
    READ(BESIDE("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n" NAME("f") "\x85RC\4abcd\x86R"),
         "a number of NumPy", "w", SIX);
    READ(BESIDE("}(K\1K\2\x86" PLAIN "u"), "tensors under what is no name", "w", SIX);
}

static void test_rebuilt(void)
{
    READ(DICT(NAME("w") "ctorch._utils\n_rebuild_parameter_with_state\n(" PLAIN "\x88)}tR"),
         "a parameter with attributes", "w", SIX);
    READ(DICT(NAME("w") "ctorch._tensor\n_rebuild_from_type_v2\n("
                        "ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n(" STORAGE(
                            "0", "K\6") "K\0K\2K\3\x86K\3K\1\x86\x89NtNtR"),
         "a tensor with attributes", "w", SIX);
    READ("\x80\2c__main__\nWeights\n)\x81(" NAME("w") PLAIN "u.", "a dictionary of one's own", "w",
         SIX);
}

static void test_wrappers(void)
{
    READ(DICT("X\13\0\0\0_orig_mod.w" PLAIN), "one of torch.compile", "w", SIX);
    READ(DICT("X\7\0\0\0model.w" PLAIN), "one of Lightning", "w", SIX);
    READ(DICT("X\22\0\0\0module._orig_mod.w" PLAIN), "a wrapper in a wrapper", "w", SIX);
    READ(DICT("X\17\0\0\0network_weights}(" NAME("w") PLAIN "u"), "one of nnU-Net", "w", SIX);
    READ(DICT("X\5\0\0\0model}(" NAME("a") "K\1uX\12\0\0\0state_dict}(" NAME("w") PLAIN "u"),
         "a model that is settings", "w", SIX);
    READ(DICT("X\7\0\0\0model.w" PLAIN NAME("b") PLAIN), "a name that is no wrapper's", "model.w",
         SIX);
}

static void test_acting_names(void)
{
    REFUSED(BESIDE("csubprocess\nPopen\n" NAME("x") "\x85R"), "'subprocess.Popen', which",
            "a program that is started beside the weights");
    REFUSED(BESIDE("cimportlib\nimport_module\n" NAME("x") "\x85R"), "not allowed", "an import");
    REFUSED(BESIDE("cos.path\nexpanduser\n"), "not allowed", "a module of the system's");
    REFUSED(BESIDE("coperator\nattrgetter\n" NAME("x") "\x85R"), "not allowed", "a way to names");
    REFUSED(BESIDE("cbuiltins\neval\n" NAME("x") "\x85R"), "not allowed", "eval");
    REFUSED(BESIDE("cbuiltins\ndict.get\n" NAME("x") "\x85R"), "not allowed", "a dotted name");
    REFUSED(BESIDE("ctorch.jit\nload\n" NAME("x") "\x85R"), "no function", "a function of torch");
    REFUSED(BESIDE("cmine\nload\n" NAME("x") "\x85R"), "no function", "a function of the user's");
    REFUSED("\x80\2ctorch.nn.modules.linear\nLinear\n)\x81}(" NAME("w") PLAIN "ub.",
            "save model.state_dict()", "a whole network");
}

/* 20 dictionaries, each with the one before it twice. */
static void test_shared_dictionaries(void)
{
    char pickle[2000] = "\x80\2}q";
    size_t size = 5;
    memcpy(pickle + size, "(" NAME("w") PLAIN "u", sizeof("(" NAME("w") PLAIN "u") - 1);
    size += sizeof("(" NAME("w") PLAIN "u") - 1;
    for (char i = 0; i < 20; i++) {
        const char level[] = {'}', 'q', (char)(i + 1), '(', 'X', 1, 0, 0,
                              0,   'a', 'h',           i,   'X', 1, 0, 0,
                              0,   'b', 'h',           i,   'u'};
        memcpy(pickle + size, level, sizeof level);
        size += sizeof level;
    }
    /* only the last stays on the stack: the others are popped from below it */
    memcpy(pickle + size, "q\376", 2);
    size += 2;
    for (int i = 0; i < 21; i++)
        pickle[size++] = '0';
    memcpy(pickle + size, "h\376.", 3);
    put_checkpoint(pickle, size + 3);
    refused("repeats itself", "a million tensors by 20 dictionaries");
}

static void test_bad_pickles(void)
{
    REFUSED(DICT(NAME("w") "cos\nsystem\nX\4\0\0\0true\x85R"), "'os.system', which is not allowed",
            "a call of the system");
    REFUSED(DICT(NAME("w") "cbuiltins\ngetattr\nNN\x86R"), "'builtins.getattr'", "getattr");
    REFUSED("\x80\2ctorch\nfloat32\n)R.", "no function", "a name that is called");
    REFUSED("\x80\2]q\0h\0a.", "not a dictionary", "a list in itself");
    REFUSED(DICT(NAME("a") "]q\0h\0a"), "nested too deeply", "a list in itself, in a dictionary");
    REFUSED("\x80\2}X\1\0\0\0a(]q\0(h\0h\0lq\1(h\1h\1lq\2(h\2h\2lq\3(h\3h\3lq\4(h\4h\4lq\5(h\5h\5lq"
            "\6(h\6h\6lq\7(h\7h\7lq\10(h\10h\10lq\11(h\11h\11lq\12(h\12h\12lq\13(h\13h\13lq\14("
            "h\14h\14lq\15(h\15h\15lq\16(h\16h\16lq\17(h\17h\17lq\20(h\20h\20lq\21(h\21h\21lq\22("
            "h\22h\22lq\23(h\23h\23lq\24(h\24h\24lq\25(h\25h\25lq\26(h\26h\26lq\27ls.",
            "repeats itself", "millions of nodes by few words");
    REFUSED("\x80\2}h\7s.", "a reference to nothing", "an unset memo");
    REFUSED("\x80\2r\xff\xff\xff\xff.", "empty", "a memo without a value");
    REFUSED("\x80\2}r\xff\xff\xff\xff.", "too big", "a memo of 4 billion");
    REFUSED("\x80\2}(NNu", "ends too early", "no stop");
    REFUSED("\x80\2}X\xff\xff\xff\x7f", "ends too early", "a text of 2 GiB");
    REFUSED("\x80\2}K\1a.", "no list", "an append to a dictionary");
    REFUSED("\x80\2]NNs.", "no dictionary", "an item set in a list");
    REFUSED("\x80\2}(Nu.", "a key without a value", "an odd dictionary");
    REFUSED("\x80\2(0.", "the stack is empty", "a pop below the mark");
    REFUSED("\x80\2}}.", "left over", "two values");
    REFUSED("\x80\2}..", "bytes follow", "bytes after the stop");
    REFUSED("\x80\1}.", "protocol 1", "an old protocol");
    REFUSED("\x80\2\x82\1.", "opcode 0x82", "an extension");
    REFUSED("\x80\2}.", "no tensors", "nothing");
}

static void test_bad_tensors(void)
{
    REFUSED(DICT(NAME("w") TENSOR("1", "K\6", "K\0", "K\6\x85", "K\1\x85")), "not there",
            "a missing storage");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\7", "K\0", "K\6\x85", "K\1\x85")), "has 24 bytes",
            "a storage of another size");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "K\1", "K\6\x85", "K\1\x85")), "reaches beyond",
            "an offset that is too large");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "K\0", "K\2\x85", "K\6\x85")), "reaches beyond",
            "a stride that is too large");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "K\0", "K\7\x85", "K\0\x85")), "repeats elements",
            "a stride of 0");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "K\0", "J\xff\xff\xff\xff\x85", "K\1\x85")),
            "not sizes", "a negative size");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "J\xff\xff\xff\xff", "K\1\x85", "K\1\x85")),
            "does not fit", "a negative offset");
    REFUSED(DICT(NAME("w") TENSOR("0", "K\6", "K\0", "K\2K\3\x86", "K\1\x85")), "does not fit",
            "too few strides");
    REFUSED(DICT(NAME("w")
                     TENSOR("0", "K\6", "K\0",
                            "(\x8a\10\0\0\0\0\0\0\0\x40\x8a\10\0\0\0\0\0\0\0\x40t", "K\0K\0\x86")),
            "too many bytes", "a size that overflows");
    REFUSED(DICT(NAME("w") PLAIN NAME("w") PLAIN), "two tensors named", "one name twice");
    REFUSED(DICT(NAME("\33") PLAIN), "control characters", "an escape in a name");
}

static const char good[] = DICT(NAME("w") PLAIN);

static void test_bad_archives(void)
{
    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip_add(&zip, "x/data/0", six, sizeof six);
    zip_add(&zip, "x/byteorder", "big", 3);
    finish();
    refused("little-endian", "a big-endian checkpoint");

    put_checkpoint(good, sizeof good - 1);
    put_file(path, zip.bytes, zip.size - 1);
    refused("no end record", "a cut archive");
    zip.bytes[zip.records[1].begin + 30 + strlen("x/data/0")] ^= 1;
    put_file(path, zip.bytes, zip.size);
    refused("wrong CRC-32", "a flipped bit");

    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    finish();
    refused("there twice", "a name twice");

    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip_add(&zip, "x/data/0", six, sizeof six);
    zip.records[1].begin = 0;
    finish();
    refused("differ", "a directory that points elsewhere");

    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip_add(&zip, "x/data/0", six, sizeof six);
    zip.records[0].size = zip.records[0].stored = sizeof good + 10;
    finish();
    refused("overlap", "records that overlap");

    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip.records[0].size = zip.records[0].stored = 100000;
    finish();
    refused("a record's header", "a record beyond the directory");

    start();
    zip_add(&zip, "x/data.pkl", good, sizeof good - 1);
    zip.records[0].method = 12;
    finish();
    refused("method 12", "bzip2");

    start();
    zip_add(&zip, "picture.png", good, sizeof good - 1);
    finish();
    refused("not a .npy", "another archive");
}

/* Magic number, version and machine, as torch.save wrote them before 1.6. */
#define PREAMBLE                                                                                   \
    "\x80\2\x8a\12\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3."                         \
    "\x80\2}(X\15\0\0\0little_endian\x88u."
#define LEGACY                                                                                     \
    PREAMBLE DICT(NAME("w") PLAIN) "\x80\2](X\1\0\0\0"                                             \
                                   "0e."

static void put_legacy(const char *head, size_t size, uint64_t count, size_t bytes)
{
    char file[1000];
    memcpy(file, head, size);
    memcpy(file + size, &count, 8);
    memcpy(file + size + 8, six, sizeof six);
    put_file(path, file, size + 8 + bytes);
}

static void test_legacy(void)
{
    static const char keyless[] = PREAMBLE DICT(NAME("w") PLAIN) "\x80\2].";
    put_legacy(LEGACY, sizeof LEGACY - 1, 6, 24);
    check_read("the format before 1.6", "w", 6, six);
    put_legacy(LEGACY, sizeof LEGACY - 1, 6, 23);
    refused("the file is cut", "a cut one");
    put_legacy(LEGACY, sizeof LEGACY - 1, 5, 24);
    refused("differs", "one with another count");
    put_legacy(keyless, sizeof keyless - 1, 6, 24);
    refused("bytes follow", "one without keys");
    put_file(path, keyless, sizeof keyless - 1);
    refused("not there", "one without data");
}

static void put_npz(const char *header, bool deflated)
{
    uint8_t data[300];
    size_t size = 10 + strlen(header) + sizeof six;
    memcpy(data, "\x93NUMPY\1\0", 8);
    data[8] = (uint8_t)strlen(header);
    data[9] = 0;
    memcpy(data + 10, header, strlen(header));
    memcpy(data + size - sizeof six, six, sizeof six);
    start();
    if (deflated) {
        struct zip_record *record = &zip.records[zip.count++];
        uint8_t packed[400];
        z_stream z = {
            .next_in = data, .avail_in = (uInt)size, .next_out = packed, .avail_out = 400};
        if (deflateInit2(&z, 9, Z_DEFLATED, -15, 8, 0) != Z_OK || deflate(&z, Z_FINISH) != 1)
            exit(1);
        *record = (struct zip_record){"w.npy", 0, size, z.total_out, 0, 8};
        record->crc = (uint32_t)crc32(0, data, (uInt)size);
        zip_put_local(&zip, record);
        zip_put_bytes(&zip, packed, z.total_out);
        deflateEnd(&z);
    } else {
        zip_add(&zip, "w.npy", data, size);
    }
    finish();
}

static void test_npz(void)
{
    static const char c[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} ";
    static const float turned[] = {1, 3, 5, 2, 4, 6};
    put_npz(c, false);
    check_read(".npz", "w", 6, six);
    put_npz(c, true);
    check_read("deflated .npz", "w", 6, six);
    put_npz("{'shape': (2, 3,), 'fortran_order': True, 'descr': '<f4', }\n", false);
    check_read("Fortran order", "w", 6, turned);
    put_npz("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}", false);
    refused("its elements are objects", "objects");
    put_npz("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", true);
    refused("needs 32 bytes", "a shape that does not fit");
    put_npz("{'descr': '<f4', 'fortran_order': False, 'fortran_order': False}", false);
    refused("'fortran_order' twice", "a key twice");
    put_npz(c, true);
    zip.records[0].size += 1;
    zip.size = zip.records[0].stored + 35;
    finish();
    refused("compressed data", "a size that deflate does not reach");
}

int main(void)
{
    tap_plan(124);
    int fd = mkstemp(path);
    if (fd < 0 || close(fd))
        return 1;
    test_good();
    test_beside_weights();
    test_rebuilt();
    test_wrappers();
    test_acting_names();
    test_shared_dictionaries();
    test_bad_pickles();
    test_bad_tensors();
    test_bad_archives();
    test_legacy();
    test_npz();
    unlink(path);
    return tap_done();
}
