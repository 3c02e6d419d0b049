/* lib/image: arrays of NumPy as images and masks, Cellpose's _seg.npy among them. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/destination.h"
#include "image/mask.h"
#include "image/pairs.h"
#include "tests/files.h"
#include "tests/tap.h"
#include "tests/zip.h"

static char folder[] = "/tmp/arrays-test-XXXXXX";
static char file[8192];
static size_t length;
static struct err err;

static const char *in(const char *name)
{
    static char path[2][300];
    static int next;
    next = !next;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static void put(const void *bytes, size_t size)
{
    memcpy(file + length, bytes, size);
    length += size;
}

static void begin(const char *descr, bool fortran, const char *shape)
{
    char text[118];
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                     descr, fortran ? "True" : "False", shape);
    memset(text + n, ' ', sizeof text - (size_t)n);
    text[sizeof text - 1] = '\n';
    length = 0;
    put("\x93NUMPY\1\0\x76\0", 10);
    put(text, sizeof text);
}

static void save(const char *name)
{
    put_file(in(name), file, length);
}

/* ---- Cellpose ---- */

/* numpy.save of the dictionary that Cellpose 2 writes, under NumPy 1, for a mask of 3 x 4
 * pixels. */
static const char cellpose_2[] =
    "\200\003cnumpy.core.multiarray\012_reconstruct\012q\000cnumpy\012ndarray\012q\001K\000\205"
    "q\002C\001bq\003\207q\004Rq\005(K\001)cnumpy\012dtype\012q\006X\002\000\000\000O8q\007\211"
    "\210\207q\010Rq\011(K\003X\001\000\000\000|q\012NNNJ\377\377\377\377J\377\377\377\377K\077"
    "tq\013b\211]q\014}q\015(X\010\000\000\000outlinesq\016h\000h\001K\000\205q\017h\003\207"
    "q\020Rq\021(K\001K\003K\004\206q\022h\006X\002\000\000\000u2q\023\211\210\207q\024Rq\025"
    "(K\003X\001\000\000\000<q\026NNNJ\377\377\377\377J\377\377\377\377K\000tq\027b\211C\030"
    "\000\000\001\000\001\000\000\000\000\000\001\000\000\000\002\000\000\000\000\000\002\000"
    "\002\000q\030tq\031bX\006\000\000\000colorsq\032h\000h\001K\000\205q\033h\003\207q\034R"
    "q\035(K\001K\002K\003\206q\036h\006X\002\000\000\000u1q\037\211\210\207q Rq!(K\003h\012"
    "NNNJ\377\377\377\377J\377\377\377\377K\000tq\042b\211C\006\000\000\000\000\000\000q#tq$"
    "bX\005\000\000\000masksq%h\021X\013\000\000\000chan_chooseq&]q'(K\000K\000eX\003\000\000"
    "\000imgq(h\000h\001K\000\205q)h\003\207q*Rq+(K\001K\001K\004\206q,h\006X\002\000\000\000"
    "f4q-\211\210\207q.Rq/(K\003h\026NNNJ\377\377\377\377J\377\377\377\377K\000tq0b\211C\020"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000q1tq2bX\010\000\000\000"
    "ismanualq3h\000h\001K\000\205q4h\003\207q5Rq6(K\001K\002\205q7h\006X\002\000\000\000b1q"
    "8\211\210\207q9Rq:(K\003h\012NNNJ\377\377\377\377J\377\377\377\377K\000tq;b\211C\002\000"
    "\000q<tq=bX\010\000\000\000filenameq>X\011\000\000\000cells.pngq\077X\005\000\000\000fl"
    "owsq@]qA(h\000h\001K\000\205qBh\003\207qCRqD(K\001K\001K\001K\003\207qEh!\211C\003\000\000"
    "\000qFtqGbh\000h\001K\000\205qHh\003\207qIRqJ(K\001K\001K\001\206qKh!\211C\001\000qLtqM"
    "b]qNNeX\010\000\000\000est_diamqOG@>\000\000\000\000\000\000uatqPb.";

/* And what Cellpose 3 and 4 write, under NumPy 2. */
static const char cellpose_4[] =
    "\200\004\225\004\003\000\000\000\000\000\000\214\026numpy._core.multiarray\224\214\014_"
    "reconstruct\224\223\224\214\005numpy\224\214\007ndarray\224\223\224K\000\205\224C\001b\224"
    "\207\224R\224(K\001)h\003\214\005dtype\224\223\224\214\002O8\224\211\210\207\224R\224(K"
    "\003\214\001|\224NNNJ\377\377\377\377J\377\377\377\377K\077t\224b\211]\224}\224(\214\010"
    "outlines\224h\002h\005K\000\205\224h\007\207\224R\224(K\001K\003K\004\206\224h\013\214\002"
    "u2\224\211\210\207\224R\224(K\003\214\001<\224NNNJ\377\377\377\377J\377\377\377\377K\000"
    "t\224b\211C\030\000\000\001\000\001\000\000\000\000\000\001\000\000\000\002\000\000\000"
    "\000\000\002\000\002\000\224t\224b\214\006colors\224]\224h\002h\005K\000\205\224h\007\207"
    "\224R\224(K\001K\003\205\224h\013\214\002u1\224\211\210\207\224R\224(K\003h\017NNNJ\377"
    "\377\377\377J\377\377\377\377K\000t\224b\211C\003\000\000\000\224t\224ba\214\005masks\224"
    "h\026\214\010filename\224\214\014C:\134cells.png\224\214\005flows\224]\224(h\002h\005K\000"
    "\205\224h\007\207\224R\224(K\001K\001K\001K\003\207\224h'\211C\003\000\000\000\224t\224"
    "b]\224Ne\214\017current_channel\224K\000\214\010ismanual\224h\002h\005K\000\205\224h\007"
    "\207\224R\224(K\001K\002\205\224h\013\214\002b1\224\211\210\207\224R\224(K\003h\017NNNJ"
    "\377\377\377\377J\377\377\377\377K\000t\224b\211C\002\000\000\224t\224b\214\016manual_c"
    "hanges\224]\224\214\012model_path\224K\000\214\016flow_threshold\224G\077\331\231\231\231"
    "\231\231\232\214\022cellprob_threshold\224h\000\214\006scalar\224\223\224h\013\214\002f"
    "8\224\211\210\207\224R\224(K\003h\033NNNJ\377\377\377\377J\377\377\377\377K\000t\224bC\010"
    "\000\000\000\000\000\000\000\000\224\206\224R\224\214\020normalize_params\224}\224(\214"
    "\007lowhigh\224N\214\012percentile\224]\224(G\077\360\000\000\000\000\000\000G@X\300\000"
    "\000\000\000\000e\214\011normalize\224\210u\214\007restore\224N\214\005ratio\224G\077\360"
    "\000\000\000\000\000\000\214\010diameter\224Nuat\224b.";

static const uint32_t cells[12] = {0, 1, 1, 0, 0, 1, 0, 2, 0, 0, 2, 2};

static void begin_dict(const char *pickle, size_t size)
{
    begin("|O", false, "()");
    put(pickle, size - 1);
}

static bool has_labels(const char *name, const uint32_t *expected, int64_t width, int64_t height)
{
    struct image_info info;
    uint32_t *labels;
    if (mask_load_labels(in(name), &info, &labels, &err)) {
        printf("# %s\n", err.message);
        return false;
    }
    bool same = info.width == width && info.height == height &&
                memcmp(labels, expected, (size_t)(width * height) * sizeof *labels) == 0;
    free(labels);
    return same;
}

static bool refuses(const char *name, const char *reason)
{
    struct image_info info;
    uint32_t *labels;
    if (mask_load_labels(in(name), &info, &labels, &err) == 0) {
        free(labels);
        return false;
    }
    bool says = strstr(err.message, reason) != NULL && err.status == STATUS_DATA;
    if (!says)
        printf("# %s\n", err.message);
    return says;
}

static void test_cellpose(void)
{
    begin_dict(cellpose_2, sizeof cellpose_2);
    save("a_seg.npy");
    ok(has_labels("a_seg.npy", cells, 4, 3), "_seg.npy of Cellpose 2");
    begin_dict(cellpose_4, sizeof cellpose_4);
    save("a_seg.npy");
    ok(has_labels("a_seg.npy", cells, 4, 3), "_seg.npy of Cellpose 3 and 4");
    static const char attack[] = "\200\003}X\5\0\0\0masksc"
                                 "posix\nsystem\nX\4\0\0\0true\205Rs.";
    begin_dict(attack, sizeof attack);
    save("bad.npy");
    ok(refuses("bad.npy", "'posix.system', which is not allowed"), "what would run is refused");
    static const char none[] =
        "\200\003cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\205C\1b\207R"
        "(K\1)cnumpy\ndtype\nX\2\0\0\0O8K\0K\1\207R(K\3X\1\0\0\0|NNNJ\377\377\377\377"
        "J\377\377\377\377K\0tb\211](}(X\5\0\0\0flowsNX\6\0\0\0colorsNuetb.";
    begin_dict(none, sizeof none);
    save("none.npy");
    ok(refuses("none.npy", "it has: flows, colors"), "a dictionary without masks says what it has");
}

/* No cut is read as a mask, no changed byte does harm. */
static void test_hostile(void)
{
    struct image_info info;
    uint32_t *labels;
    bool refused = true;
    int read = 0;
    begin_dict(cellpose_4, sizeof cellpose_4);
    size_t whole = length;
    for (length = 0; length < whole; length++) {
        save("cut.npy");
        if (mask_load_labels(in("cut.npy"), &info, &labels, &err) == 0) {
            free(labels);
            refused = false;
        }
    }
    ok(refused, "every cut is refused");
    for (size_t i = 0; i < whole; i++) {
        file[i] = (char)(file[i] ^ 1 << i % 8);
        save("cut.npy");
        if (mask_load_labels(in("cut.npy"), &info, &labels, &err) == 0) {
            free(labels);
            read++;
        }
        file[i] = (char)(file[i] ^ 1 << i % 8);
    }
    ok(read > 0, "changed bits are refused or read: %d were", read);
}

/* ---- types and orders ---- */

static void test_labels(void)
{
    static const uint8_t bytes[] = {0, 1, 1, 0, 0, 1, 0, 2, 0, 0, 2, 2};
    static const uint8_t bools[] = {0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1};
    static const uint32_t truths[] = {0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1};
    begin("|b1", false, "(3, 4)");
    put(bools, sizeof bools);
    save("m.npy");
    ok(has_labels("m.npy", truths, 4, 3), "truth values");
    begin("|u1", true, "(4, 3)");
    put(bytes, sizeof bytes);
    save("m.npy");
    uint32_t turned[12];
    for (int i = 0; i < 12; i++)
        turned[i % 4 * 3 + i / 4] = cells[i];
    ok(has_labels("m.npy", turned, 3, 4), "Fortran's order");
    begin(">i2", false, "(1, 3, 4, 1)");
    for (int i = 0; i < 12; i++)
        put(i == 0 ? "\377\377" : (char[]){0, (char)bytes[i]}, 2);
    save("m.npy");
    ok(has_labels("m.npy", cells, 4, 3), "big-endian, -1 for nothing, lengths of 1");
    begin("<i8", false, "(3, 4)");
    for (int i = 0; i < 12; i++)
        put(&(int64_t){bytes[i]}, 8);
    save("m.npy");
    ok(has_labels("m.npy", cells, 4, 3), "64 bits");
    begin("<f8", false, "(3, 4)");
    for (int i = 0; i < 12; i++)
        put(&(double){bytes[i]}, 8);
    save("m.npy");
    ok(has_labels("m.npy", cells, 4, 3), "doubles");
    begin("<i4", false, "(3, 4)");
    for (int i = 0; i < 12; i++)
        put(&(int32_t){i == 5 ? -7 : 3}, 4);
    save("m.npy");
    ok(refuses("m.npy", "a label below -1"), "negative labels are refused");
    begin("|u1", false, "(12,)");
    put(bytes, sizeof bytes);
    save("m.npy");
    ok(refuses("m.npy", "1 dimensions is no image"), "a list is no mask");
    begin("<c8", false, "(3, 4)");
    put(cellpose_4, 96);
    save("m.npy");
    ok(refuses("m.npy", "type '<c8'"), "complex numbers are refused");
}

/* Planes of 6 x 5 pixels whose values are 40 p + the pixel's number. */
static void put_planes(int planes, bool last)
{
    for (int i = 0; i < 30 * planes; i++) {
        int plane = last ? i % planes : i / 30, pixel = last ? i / planes : i % 30;
        put(&(uint8_t){(uint8_t)(40 * plane + pixel)}, 1);
    }
}

static int value_at(const char *name, int channels, int i)
{
    struct image_info info;
    void *pixels;
    if (image_load(in(name), &info, &pixels, &err)) {
        printf("# %s\n", err.message);
        return -1;
    }
    int value = info.channels == channels && info.width == 6 && info.height == 5
                    ? ((uint8_t *)pixels)[i]
                    : -2;
    free(pixels);
    return value;
}

static void test_images(void)
{
    struct image_info info;
    void *pixels;
    begin("|u1", false, "(5, 6)");
    put_planes(1, false);
    save("i.npy");
    is_int(value_at("i.npy", 1, 7), 7, "gray");
    begin("|u1", false, "(5, 6, 3)");
    put_planes(3, true);
    save("i.npy");
    is_int(value_at("i.npy", 3, 3 * 7 + 2), 87, "colors");
    begin("|u1", false, "(2, 5, 6)");
    put_planes(2, false);
    save("i.npy");
    is_int(value_at("i.npy", 2, 2 * 7 + 1), 47, "channels first");
    planes_chosen.image.channel = "2";
    is_int(value_at("i.npy", 1, 7), 47, "one of them");
    planes_chosen.image.channel = NULL;
    begin("|u1", false, "(5, 5, 6)");
    put_planes(5, false);
    save("i.npy");
    ok(image_load(in("i.npy"), &info, &pixels, &err) == -1 &&
           strstr(err.message, "choose one by --z"),
       "slices need a choice");
    planes_chosen.image.z = "3";
    is_int(value_at("i.npy", 1, 7), 87, "one of them");
    planes_chosen.image.z = "max";
    is_int(value_at("i.npy", 1, 7), 167, "or the largest");
    planes_chosen.image.z = "mean";
    is_int(value_at("i.npy", 1, 7), 87, "or the mean");
    planes_chosen.image.z = NULL;
    begin("<f2", false, "(1, 2)");
    put("\0\x38\0\xc0", 4);
    save("i.npy");
    bool read = image_load(in("i.npy"), &info, &pixels, &err) == 0;
    ok(read && info.bits == 32 && ((float *)pixels)[0] == 0.5F && ((float *)pixels)[1] == -2,
       "half floats");
    if (read)
        free(pixels);
}

static void test_npz(void)
{
    static const uint8_t bytes[] = {0, 1, 1, 0, 0, 1, 0, 2, 0, 0, 2, 2};
    static struct zip_maker zip;
    begin("|u1", false, "(3, 4)");
    put(bytes, sizeof bytes);
    zip_add(&zip, "masks.npy", file, length);
    file[length - 1] = 9;
    zip_add(&zip, "others.npy", file, length);
    zip_finish(&zip);
    put_file(in("m.npz"), zip.bytes, zip.size);
    ok(has_labels("m.npz", cells, 4, 3), ".npz: the array that is called masks");
    zip = (struct zip_maker){0};
    zip_add(&zip, "x.npy", file, length);
    zip_add(&zip, "y.npy", file, length);
    zip_finish(&zip);
    put_file(in("m.npz"), zip.bytes, zip.size);
    ok(refuses("m.npz", "it has: x, y"), "else it is told which there are");
}

/* ---- names ---- */

static bool finds(const char *image, const char *mask)
{
    char path[300], where[150];
    snprintf(where, sizeof where, "%s", in("n"));
    if (pairs_find_mask(where, in(image), NULL, path, sizeof path, &err))
        return mask == NULL;
    return mask && strcmp(path + strlen(where) + 1, mask) == 0;
}

static void test_names(void)
{
    static const char *const files[] = {
        "n/a.png", "n/a_seg.npy", "n/b.png",      "n/b_seg.npy", "n/b_seg.png",   "n/c.tif",
        "n/c.jpg", "n/d.tif",     "n/d_mask.jpg", "n/e.jpg",     "n/features.npy"};
    struct destination made;
    struct pairs pairs;
    char where[200], beside[300];
    snprintf(where, sizeof where, "%s/", in("n"));
    if (!ok(destination_set(&made, where, "", &err) == 0, "a folder"))
        return;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put_file(in(files[i]), "x", 1);
    ok(finds("n/a.png", "a_seg.npy"), "Cellpose's file is the mask of its image");
    ok(finds("n/b.png", "b_seg.png"), "a picture of it is preferred");
    ok(finds("n/c.tif", NULL), "a photograph beside an image is not its mask");
    ok(finds("n/d.tif", "d_mask.jpg"), "unless it is called so");
    ok(finds("e.tif", "e.jpg"), "or lies in a folder of masks");
    ok(pairs_is_result(in("n/a_seg.npy"), beside, sizeof beside), "no image to segment");
    remove(in("n/c.jpg"));
    if (!ok(pairs_match(&pairs, where, NULL, where, NULL, &err) == 0 && pairs.matched_count == 5,
            "folders"))
        return;
    is_str(strrchr(pairs.matched[0].a, '/'), "/a_seg.npy", "by Cellpose's files");
    is_str(strrchr(pairs.matched[1].a, '/'), "/b_seg.png", "and pictures of them");
    pairs_free(&pairs);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(in(files[i]));
    remove(in("n"));
}

int main(void)
{
    static const char *const files[] = {"a_seg.npy", "bad.npy", "none.npy", "cut.npy",
                                        "m.npy",     "i.npy",   "m.npz"};
    tap_plan(36);
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return tap_done();
    test_cellpose();
    test_hostile();
    test_labels();
    test_images();
    test_npz();
    test_names();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(in(files[i]));
    rmdir(folder);
    return tap_done();
}
