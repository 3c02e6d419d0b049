#include "weights/pickle_globals.h"

#include <string.h>

static const struct pickle_global globals[] = {
    {"torch._utils", "_rebuild_tensor_v2", MAKES_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor", MAKES_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", MAKES_PARAMETER, 0},
    {"torch._utils", "_rebuild_parameter_with_state", MAKES_PARAMETER, 0},
    {"torch._tensor", "_rebuild_from_type_v2", MAKES_SUBCLASS, 0},
    {"torch._utils", "_rebuild_sparse_tensor", MAKES_OBJECT, 0},
    {"torch._utils", "_rebuild_qtensor", MAKES_OBJECT, 0},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", MAKES_OBJECT, 0},
    {"torch.serialization", "_get_layout", MAKES_OBJECT, 0},
    {"collections", "OrderedDict", MAKES_DICT, 0},
    {"collections", "defaultdict", MAKES_DICT, 0},
    {"__builtin__", "set", MAKES_SEQUENCE, 0},
    {"builtins", "set", MAKES_SEQUENCE, 0},
    {"torch", "Size", MAKES_SEQUENCE, 0},
    {"__builtin__", "frozenset", MAKES_SEQUENCE, 0},
    {"builtins", "frozenset", MAKES_SEQUENCE, 0},
    {"torch", "device", MAKES_OBJECT, 0},
    {"copy_reg", "_reconstructor", MAKES_OBJECT, 0},
    {"copyreg", "_reconstructor", MAKES_OBJECT, 0},
    {"functools", "partial", MAKES_OBJECT, 0},
    {"numpy.random", "__RandomState_ctor", MAKES_OBJECT, 0},
    {"numpy.random._pickle", "__randomstate_ctor", MAKES_OBJECT, 0},
    {"numpy.random._pickle", "__generator_ctor", MAKES_OBJECT, 0},
    {"numpy.random._pickle", "__bit_generator_ctor", MAKES_OBJECT, 0},
    {"_codecs", "encode", MAKES_BYTES, 0},
    {"numpy", "dtype", MAKES_DTYPE, 0},
    {"numpy", "ndarray", IS_NAME, 0},
    {"numpy.core.multiarray", "_reconstruct", MAKES_ARRAY, 0},
    {"numpy._core.multiarray", "_reconstruct", MAKES_ARRAY, 0},
    {"numpy.core.multiarray", "scalar", MAKES_SCALAR, 0},
    {"numpy._core.multiarray", "scalar", MAKES_SCALAR, 0},
    {"torch", "FloatStorage", MAKES_STORAGE, DTYPE_F32},
    {"torch", "DoubleStorage", MAKES_STORAGE, DTYPE_F64},
    {"torch", "HalfStorage", MAKES_STORAGE, DTYPE_F16},
    {"torch", "BFloat16Storage", MAKES_STORAGE, DTYPE_BF16},
    {"torch", "LongStorage", MAKES_STORAGE, DTYPE_I64},
    {"torch", "IntStorage", MAKES_STORAGE, DTYPE_I32},
    {"torch", "ShortStorage", MAKES_STORAGE, DTYPE_I16},
    {"torch", "CharStorage", MAKES_STORAGE, DTYPE_I8},
    {"torch", "ByteStorage", MAKES_STORAGE, DTYPE_U8},
    {"torch", "BoolStorage", MAKES_STORAGE, DTYPE_BOOL},
    {"torch.cuda", "FloatStorage", MAKES_STORAGE, DTYPE_F32},
    {"torch.cuda", "DoubleStorage", MAKES_STORAGE, DTYPE_F64},
    {"torch.cuda", "HalfStorage", MAKES_STORAGE, DTYPE_F16},
    {"torch.cuda", "BFloat16Storage", MAKES_STORAGE, DTYPE_BF16},
    {"torch.cuda", "LongStorage", MAKES_STORAGE, DTYPE_I64},
    {"torch.cuda", "IntStorage", MAKES_STORAGE, DTYPE_I32},
    {"torch.cuda", "ByteStorage", MAKES_STORAGE, DTYPE_U8},
    {"torch.cuda", "BoolStorage", MAKES_STORAGE, DTYPE_BOOL},
};

/* Packages by which a pickle acts, their modules included. */
static const char *const acting[] = {
    "_ctypes",    "_frozen_importlib",
    "_io",        "_operator",
    "_pickle",    "_posixsubprocess",
    "_socket",    "_thread",
    "aifc",       "antigravity",
    "asyncio",    "atexit",
    "bdb",        "builtins",
    "cPickle",    "cloudpickle",
    "cffi",       "code",
    "codecs",     "codeop",
    "commands",   "concurrent",
    "ctypes",     "dill",
    "distutils",  "doctest",
    "ftplib",     "functools",
    "http",       "httplib",
    "imaplib",    "imp",
    "importlib",  "inspect",
    "io",         "joblib",
    "linecache",  "marshal",
    "mmap",       "multiprocessing",
    "nt",         "ntpath",
    "operator",   "os",
    "pdb",        "pickle",
    "pip",        "pkg_resources",
    "pkgutil",    "popen2",
    "poplib",     "posix",
    "posixpath",  "pty",
    "pydoc",      "requests",
    "runpy",      "setuptools",
    "shelve",     "shutil",
    "signal",     "smtplib",
    "socket",     "socketserver",
    "sqlite3",    "ssl",
    "subprocess", "sys",
    "sysconfig",  "telnetlib",
    "tempfile",   "threading",
    "timeit",     "types",
    "urllib",     "urllib2",
    "uuid",       "venv",
    "webbrowser", "xmlrpc",
    "zipimport",  "__builtin__",
    "_codecs",
};

/* What these have that is data. */
static const struct {
    const char *module, *names; /* between spaces */
} harmless[] = {
    {"__builtin__", " bool bytearray bytes complex dict float int list long object range set slice "
                    "str tuple type unicode xrange "},
    {"builtins", " bool bytearray bytes complex dict float int list object range set slice str "
                 "tuple type Ellipsis NotImplemented "},
    {"types", " SimpleNamespace "},
    {"uuid", " UUID SafeUUID "},
};

bool pickle_text_is(const char *text, size_t length, const char *expected)
{
    return strlen(expected) == length && memcmp(text, expected, length) == 0;
}

static bool is_listed(const char *list, const char *name, size_t length)
{
    for (const char *at = list; (at = strchr(at, ' ')) && at[1]; at++)
        if (strncmp(at + 1, name, length) == 0 && at[1 + length] == ' ')
            return true;
    return false;
}

static bool is_harmless(const char *module, size_t module_length, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (pickle_text_is(module, module_length, harmless[i].module))
            return is_listed(harmless[i].names, name, length);
    return false;
}

static bool acts(const char *module, size_t length)
{
    const char *dot = memchr(module, '.', length);
    size_t top = dot ? (size_t)(dot - module) : length;
    for (size_t i = 0; i < sizeof acting / sizeof *acting; i++)
        if (pickle_text_is(module, top, acting[i]))
            return true;
    return false;
}

static bool begins(const char *module, size_t length, const char *package)
{
    size_t n = strlen(package);
    return length >= n && memcmp(module, package, n) == 0 && (length == n || module[n] == '.');
}

/* Classes are written with a capital, or are of packages that only hold data. */
static bool is_class(const char *module, size_t module_length, const char *name, size_t length)
{
    static const char *const data[] = {"collections", "datetime", "decimal",  "fractions",
                                       "pathlib",     "zoneinfo", "ipaddress"};
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        if (begins(module, module_length, data[i]) && !memchr(name, '.', length))
            return true;
    const char *last = name;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '.')
            last = name + i + 1;
    return last < name + length && *last >= 'A' && *last <= 'Z' &&
           !begins(module, module_length, "torch");
}

const struct pickle_global *pickle_global_find(const char *module, size_t module_length,
                                               const char *name, size_t name_length)
{
    static const struct pickle_global object = {.role = MAKES_OBJECT},
                                      instance = {.role = MAKES_INSTANCE};
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (pickle_text_is(module, module_length, globals[i].module) &&
            pickle_text_is(name, name_length, globals[i].name))
            return &globals[i];
    if (is_harmless(module, module_length, name, name_length))
        return &object;
    if (acts(module, module_length))
        return NULL;
    return is_class(module, module_length, name, name_length) ? &object : &instance;
}
