/* lib/image: stacks, channels, films, pyramids and several images in one file. */
#include "image/planes.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/mask.h"
#include "tests/files.h"
#include "tests/tap.h"
#include "tests/tiffs.h"

static char folder[] = "/tmp/planes-test-XXXXXX";
static char path[100];

enum { SIDE = 6, AREA = SIDE * SIDE, MOST = 30 };

static struct tiff_page pages[MOST];
static uint8_t pixels[MOST][AREA * 3];

static const char *next_name(void)
{
    static int count;
    snprintf(path, sizeof path, "%s/%d.tif", folder, ++count);
    return path;
}

/* `count` pages whose pixels have their number, from 0, times ten. */
static const char *put_pages(int count, const char *description)
{
    for (int i = 0; i < count; i++) {
        memset(pixels[i], i * 10, sizeof pixels[i]);
        pages[i] = (struct tiff_page){.width = SIDE,
                                      .height = SIDE,
                                      .photometric = PHOTOMETRIC_MINISBLACK,
                                      .description = i ? NULL : description,
                                      .pixels = pixels[i]};
    }
    tiff_put(next_name(), "w", pages, count);
    return path;
}

#define CHOSEN(...) ((struct image_planes){__VA_ARGS__})

/* Of what is chosen, the first pixel's channels are those, ended by -1. */
static void check(struct image_planes chosen, const char *name, const int *expected)
{
    struct image_info info = {.channels = 0};
    struct err err = {0};
    void *got = NULL;
    int n = 0;
    planes_chosen.image = chosen;
    bool pass = image_load(path, &info, &got, &err) == 0;
    for (; pass && expected[n] >= 0; n++)
        pass = n < info.channels &&
               (info.bits == 8 ? ((uint8_t *)got)[n] : ((float *)got)[n]) == (float)expected[n] &&
               ((uint8_t *)got)[0] == ((uint8_t *)got)[(AREA - 1) * info.channels];
    if (!ok(pass && n == info.channels, "%s", name))
        printf("# %d channels, first %d: %s\n", info.channels, got ? *(uint8_t *)got : -1,
               err.message);
    free(got);
    planes_chosen.image = (struct image_planes){0};
}

#define CHECK_OF(chosen, name, ...) check(chosen, name, (const int[]){__VA_ARGS__, -1})
#define CHECK(name, ...)            CHECK_OF(CHOSEN(0), name, __VA_ARGS__)

static void refuse_of(struct image_planes chosen, const char *name, const char *words)
{
    struct image_info info;
    struct err err = {0};
    void *got;
    planes_chosen.image = chosen;
    ok(image_load(path, &info, &got, &err) == -1 && err.status == STATUS_DATA &&
           strstr(err.message, words),
       "%s (%s)", name, err.message);
    planes_chosen.image = (struct image_planes){0};
}

static void refuse(const char *name, const char *words)
{
    refuse_of(CHOSEN(0), name, words);
}

/* ---- pages of which nobody says what they are ---- */

static void test_pages(void)
{
    put_pages(3, NULL);
    refuse("three pages are not one image", "--z 1 to 3");
    CHECK_OF(CHOSEN(.z = "2"), "one of them", 10);
    CHECK_OF(CHOSEN(.z = "max"), "their largest values", 20);
    CHECK_OF(CHOSEN(.z = "min"), "their least", 0);
    CHECK_OF(CHOSEN(.z = "mean"), "their means", 10);
    CHECK_OF(CHOSEN(.channel = "all"), "as channels", 0, 10, 20);
    CHECK_OF(CHOSEN(.channel = "3,1"), "some of them", 20, 0);
    refuse_of(CHOSEN(.z = "4"), "a fourth", "no slice 4, there is 1 to 3");
    refuse_of(CHOSEN(.channel = "DAPI"), "no names", "no channel DAPI");
    put_pages(1, NULL);
    CHECK_OF(CHOSEN(.channel = "1", .z = "1", .t = "1", .series = "1"),
             "the first of everything is there", 0);
    CHECK_OF(CHOSEN(.z = "max"), "a projection of one", 0);
}

/* Cut anywhere, none of its pages is taken for all of them; libtiff's mode says which TIFF. */
static void test_cut(const char *mode, int count, const char *name)
{
    static char bytes[1 << 14];
    struct image_info info;
    struct err err;
    int taken = 0;
    put_pages(count, "a longer text");
    for (int i = 0; i < count; i++) {
        pages[i].software = "another text";
        pages[i].unit = RESUNIT_CENTIMETER;
        pages[i].resolution = 1e4f;
    }
    tiff_put(path, mode, pages, count);
    size_t size = get_file(path, bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        void *got = NULL;
        put_file(path, bytes, cut);
        planes_chosen.image = CHOSEN(.z = "1");
        taken += image_load(path, &info, &got, &err) == 0;
        free(got);
    }
    is_int(taken, 0, name);
    put_file(path, bytes, size);
    CHECK_OF(CHOSEN(.z = "1"), "whole, it is taken", 0);
}

/* ---- ImageJ ---- */

static void test_imagej(void)
{
    put_pages(3, "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n");
    CHECK("ImageJ's channels", 0, 10, 20);
    CHECK_OF(CHOSEN(.channel = "2"), "one of them", 10);
    put_pages(12, "ImageJ=1.54f\nimages=12\nchannels=2\nslices=3\nframes=2\nhyperstack=true\n");
    refuse("slices", "3 slices at once");
    refuse_of(CHOSEN(.z = "2"), "frames", "2 frames at once");
    CHECK_OF(CHOSEN(.z = "2", .t = "2"), "channels change first, then slices", 80, 90);
    CHECK_OF(CHOSEN(.channel = "2", .z = "max", .t = "1"), "a projection of one channel", 50);
    CHECK_OF(CHOSEN(.z = "max", .t = "max"), "a projection of all", 100, 110);
    put_pages(3, "ImageJ=1.54f\nimages=3\nslices=3\nloop=false\n");
    refuse("a stack", "3 slices at once");
    put_pages(4, "ImageJ=1.54f\nimages=4\nchannels=3\n");
    refuse("numbers that disagree", "4 pages at once");
}

/* The first page's strip goes on with the other planes. */
static void put_contiguous(int planes, const char *description, uint32_t stk)
{
    uint8_t *all = malloc((size_t)planes * AREA);
    for (int i = 0; i < planes * AREA; i++)
        all[i] = (uint8_t)(i / AREA * 10);
    struct tiff_page page = {.width = SIDE,
                             .height = SIDE,
                             .photometric = PHOTOMETRIC_MINISBLACK,
                             .description = description,
                             .stk_planes = stk,
                             .pixels = all};
    TIFF *tif = TIFFOpen(next_name(), "w");
    tiff_put_tags(tif, &page);
    TIFFWriteRawStrip(tif, 0, all, planes * AREA);
    TIFFWriteDirectory(tif);
    TIFFClose(tif);
    free(all);
}

static void test_contiguous(void)
{
    put_contiguous(4, "ImageJ=1.54f\nimages=4\nchannels=2\nslices=2\nhyperstack=true\n", 0);
    CHECK_OF(CHOSEN(.z = "2"), "planes behind ImageJ's only page", 20, 30);
    put_contiguous(2, "ImageJ=1.54f\nimages=400\nslices=400\n", 0);
    CHECK("that are not there are none", 0);
    put_contiguous(3, NULL, 3);
    CHECK_OF(CHOSEN(.z = "3"), "MetaMorph's", 20);
    put_contiguous(2, "{\"shape\": [2, 6, 6], \"truncated\": true}", 0);
    refuse("tifffile's", "2 pages at once");
    CHECK_OF(CHOSEN(.z = "2"), "one of them", 10);
}

static void test_shaped(void)
{
    put_pages(6, "{\"shape\": [2, 3, 6, 6], \"axes\": \"CZYX\"}");
    CHECK_OF(CHOSEN(.z = "2"), "tifffile's axes", 10, 40);
    put_pages(2, "{\"shape\": [2, 6, 6], \"axes\": \"CYX\"}");
    CHECK("its channels", 0, 10);
    put_pages(2, "{\"shape\": [2, 6, 6], \"axes\": \"QYX\"}");
    refuse("an axis that says nothing", "2 pages at once");
}

/* ---- OME-XML ---- */

static char xml[4000];

static const char *ome(const char *pixels_of, const char *inside)
{
    snprintf(xml, sizeof xml,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
             "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" UUID=\"urn:a\">"
             "<Image ID=\"Image:0\" Name=\"one\"><Pixels SizeX=\"6\" SizeY=\"6\" %s>%s</Pixels>"
             "</Image></OME>",
             pixels_of, inside);
    return xml;
}

static void test_ome(void)
{
    put_pages(2, ome("DimensionOrder='XYCZT' SizeC='2' SizeZ='1' SizeT='1'",
                     "<Channel ID='Channel:0:0' Name='Cells'/>"
                     "<Channel ID='Channel:0:1' Name='DAPI'/><TiffData/>"));
    CHECK("OME's channels", 0, 10);
    CHECK_OF(CHOSEN(.channel = "dapi"), "one by its name", 10);
    refuse_of(CHOSEN(.channel = "GFP"), "one that is not there", "1 (Cells), 2 (DAPI)");
    put_pages(12, ome("DimensionOrder='XYZCT' SizeC='2' SizeZ='3' SizeT='2'", "<TiffData/>"));
    CHECK_OF(CHOSEN(.z = "3", .t = "2"), "slices first", 80, 110);
    put_pages(12, ome("DimensionOrder='XYTZC' SizeC='2' SizeZ='3' SizeT='2'", ""));
    CHECK_OF(CHOSEN(.z = "2", .t = "1"), "frames first, no TiffData", 20, 80);
    put_pages(4, ome("DimensionOrder='XYCZT' SizeC='2' SizeZ='2' SizeT='1'",
                     "<TiffData IFD='3' FirstC='0' FirstZ='0' PlaneCount='1'/>"
                     "<TiffData IFD='2' FirstC='1' FirstZ='0' PlaneCount='1'/>"
                     "<TiffData IFD='0' FirstC='0' FirstZ='1' PlaneCount='2'/>"));
    CHECK_OF(CHOSEN(.z = "1"), "pages in any order", 30, 20);
    CHECK_OF(CHOSEN(.z = "2"), "and in a row", 0, 10);
}

static void test_ome_files(void)
{
    put_pages(1, ome("DimensionOrder='XYCZT' SizeC='2' SizeZ='1' SizeT='1'",
                     "<TiffData IFD='0'><UUID FileName='a'>urn:a</UUID></TiffData>"
                     "<TiffData IFD='0' FirstC='1'><UUID FileName='b'>urn:b</UUID></TiffData>"));
    refuse("a channel in another file", "channel 2, slice 1, frame 1 is not in this file");
    CHECK_OF(CHOSEN(.channel = "1"), "the other is here", 0);
}

static void test_ome_forms(void)
{
    put_pages(2, "<ome:OME xmlns:ome=\"x\"><ome:Image><ome:Pixels\n SizeC='2'\tSizeX='6' SizeY='6' "
                 "DimensionOrder = 'XYCZT'><ome:TiffData/></ome:Pixels></ome:Image></ome:OME>");
    CHECK("with a prefix and other white space", 0, 10);
    put_pages(2, "<OME><Image><Pixels SizeC='2' SizeX='6' SizeY='6' PhysicalSizeXUnit='\xb5m'>"
                 "<TiffData/></Pixels></Image></OME>");
    CHECK("in Latin-1", 0, 10);
    put_pages(2, "<OME><Image><Pixels SizeC='2' SizeX='6' SizeY='6'><TiffData/></Pixels>");
    CHECK("cut after its pixels", 0, 10);
    put_pages(2, "<OME><Image><Pixels SizeC='2' SizeX='7' SizeY='6'/></Image></OME>");
    refuse("of other pages", "2 pages at once");
}

static void test_series(void)
{
    snprintf(xml, sizeof xml,
             "<OME><Image Name='cells'><Pixels SizeX='6' SizeY='6' SizeC='1'>"
             "<TiffData IFD='0'/></Pixels></Image><Image Name='beads'>"
             "<Pixels SizeX='6' SizeY='6' SizeC='2'><TiffData IFD='1' PlaneCount='2'/></Pixels>"
             "</Image></OME>");
    put_pages(3, xml);
    refuse("two images", "--series of 1 (cells, 6 x 6), 2 (beads, 6 x 6)");
    CHECK_OF(CHOSEN(.series = "1"), "the first", 0);
    CHECK_OF(CHOSEN(.series = "Beads"), "the second, by its name", 10, 20);
    refuse_of(CHOSEN(.series = "3"), "a third", "there is no image 3");
}

/* ---- RGB ---- */

static void test_samples(void)
{
    put_pages(2, NULL);
    for (int i = 0; i < 2; i++) {
        pages[i].samples = 3;
        pages[i].photometric = PHOTOMETRIC_RGB;
        pages[i].description = i ? NULL : "ImageJ=1.54f\nimages=2\nslices=2\n";
        for (int x = 0; x < AREA * 3; x++)
            pixels[i][x] = (uint8_t)(i * 100 + x % 3);
    }
    tiff_put(next_name(), "w", pages, 2);
    CHECK_OF(CHOSEN(.z = "2"), "a slice in color", 100, 101, 102);
    CHECK_OF(CHOSEN(.channel = "2", .z = "1"), "its green", 1);
    CHECK_OF(CHOSEN(.channel = "3,1", .z = "max"), "a projection of some colors", 102, 100);
}

/* ---- Zeiss LSM and Micro-Manager ---- */

static void put_little(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static void test_lsm(void)
{
    uint8_t info[200] = {0};
    put_little(info, 0x00400494c);
    put_little(info + 8, SIDE);
    put_little(info + 12, SIDE);
    put_little(info + 16, 3);
    put_little(info + 20, 1);
    put_little(info + 24, 1);
    double voxel = 0.2e-6;
    memcpy(info + 40, &voxel, 8);
    memcpy(info + 48, &voxel, 8);
    put_pages(6, NULL);
    for (int i = 0; i < 6; i++)
        pages[i].reduced = i % 2; /* a small picture after each */
    pages[0].lsm = info;
    pages[0].lsm_size = sizeof info;
    tiff_put(next_name(), "w", pages, 6);
    refuse("an LSM's slices", "3 slices");
    CHECK_OF(CHOSEN(.z = "2"), "every other page", 20);
    planes_chosen.image = CHOSEN(.z = "3");
    struct image_info got;
    struct err err;
    ok(image_measure(path, &got, &err) == 0, "is measured");
    is_near(got.pixel_width, 0.2, 1e-9, "with its voxels' size");
    planes_chosen.image = CHOSEN(0);
}

static void test_micromanager(void)
{
    static const char *const words[4] = {
        "{\"ChannelIndex\":1,\"SliceIndex\":0,\"FrameIndex\":0,\"Channel\":\"GFP\","
        "\"PixelSizeUm\":0.65}",
        "{\"ChannelIndex\":0,\"SliceIndex\":0,\"FrameIndex\":0,\"Channel\":\"DAPI\"}",
        "{\"ChannelIndex\":1,\"SliceIndex\":1,\"FrameIndex\":0,\"Channel\":\"GFP\"}",
        "{\"ChannelIndex\":0,\"SliceIndex\":1,\"FrameIndex\":0,\"Channel\":\"DAPI\"}"};
    put_pages(4, NULL);
    for (int i = 0; i < 4; i++)
        pages[i].micromanager = words[i];
    tiff_put(next_name(), "w", pages, 4);
    CHECK_OF(CHOSEN(.z = "2"), "Micro-Manager's channels", 30, 20);
    CHECK_OF(CHOSEN(.channel = "gfp", .z = "1"), "by name", 0);
    planes_chosen.image = CHOSEN(.z = "1");
    struct image_info got;
    struct err err;
    ok(image_measure(path, &got, &err) == 0, "is measured");
    is_near(got.pixel_width, 0.65, 1e-9, "with its pixel size");
    planes_chosen.image = CHOSEN(0);
}

/* ---- smaller copies ---- */

static uint8_t large[64 * 48];

static struct tiff_page level_page(uint32_t width, uint32_t height, int reduced)
{
    return (struct tiff_page){.width = width,
                              .height = height,
                              .photometric = PHOTOMETRIC_MINISBLACK,
                              .unit = RESUNIT_CENTIMETER,
                              .resolution = 20000,
                              .reduced = reduced,
                              .pixels = large};
}

static void check_level(int64_t level, double um, int width, double pixel)
{
    struct image_info info = {.width = 0};
    struct image_reader *reader;
    struct err err = {0};
    uint8_t *row = NULL;
    planes_chosen.image = CHOSEN(.level = level, .um_per_pixel = um);
    bool pass = image_open(&reader, path, &err) == 0;
    if (pass) {
        info = *image_info(reader);
        row = malloc(image_row_bytes(&info) * (size_t)info.height);
        pass = image_read_rows(reader, info.height, row, &err) == 0;
        image_close(reader);
    }
    free(row);
    planes_chosen.image = CHOSEN(0);
    ok(pass && info.width == width, "level %d, %g micrometers: %d pixels across (%lld %s)",
       (int)level, um, width, (long long)info.width, err.message);
    is_near(info.pixel_width, pixel, 1e-6, "of that size");
}

static void check_levels(void)
{
    check_level(0, 0, 64, 0.5);
    check_level(1, 0, 32, 1);
    check_level(2, 0, 16, 2);
    check_level(0, 0.5, 64, 0.5);
    check_level(0, 1, 32, 1);
    check_level(0, 1.6, 20, 1.6);
    check_level(0, 4, 8, 4);
    check_level(0, 0.4, 80, 0.4);
    refuse_of(CHOSEN(.level = 3), "a fourth level", "there is no level 3, there is 0 to 2");
}

static void test_levels(void)
{
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)i;
    struct tiff_page pyramid[3] = {level_page(64, 48, 0), level_page(32, 24, 1),
                                   level_page(16, 12, 1)};
    tiff_put(next_name(), "w", pyramid, 3);
    check_levels();
    pyramid[1].reduced = pyramid[2].reduced = 0; /* as in Aperio's */
    tiff_put(next_name(), "w", pyramid, 3);
    check_levels();
    pyramid[0].subimages = 2;
    tiff_put(next_name(), "w", pyramid, 3);
    check_levels();
}

static void test_preview(void)
{
    struct tiff_page files[2] = {level_page(16, 12, 0), level_page(64, 48, 0)};
    files[0].subimages = 1;
    tiff_put(next_name(), "w", files, 2);
    check_level(0, 0, 64, 0.5);
}

static void test_unlike(void)
{
    struct tiff_page files[2] = {level_page(64, 48, 0), level_page(20, 30, 0)};
    tiff_put(next_name(), "w", files, 2);
    refuse("pictures of other shapes are images", "2 images in one file");
    planes_chosen.image = CHOSEN(.series = "2");
    struct image_info info;
    struct err err;
    ok(image_measure(path, &info, &err) == 0 && info.width == 64, "the first is measured");
    planes_chosen.image = CHOSEN(0);
}

/* ---- scaling ---- */

static void test_means(void)
{
    struct tiff_page page = level_page(4, 4, 0);
    uint8_t row[16] = {0, 10, 20, 30, 0, 10, 20, 30, 100, 110, 120, 130, 100, 110, 120, 130};
    page.pixels = row;
    tiff_put(next_name(), "w", &page, 1);
    planes_chosen.image.um_per_pixel = 1;
    struct image_info info;
    struct err err;
    void *got = NULL;
    ok(image_load(path, &info, &got, &err) == 0 &&
           memcmp(got, (uint8_t[]){5, 25, 105, 125}, 4) == 0,
       "new pixels are means");
    free(got);
    uint32_t *labels = NULL;
    ok(mask_load_labels(path, &info, &labels, &err) == 0 && info.width == 2 && labels[0] == 10 &&
           labels[1] == 30 && labels[2] == 110,
       "of labels the one in the middle");
    free(labels);
    planes_chosen.image = CHOSEN(0);
    put_pages(1, NULL);
    refuse_of(CHOSEN(.um_per_pixel = 1), "what has no size is not scaled", "--mpp needs to know");
}

/* ---- masks ---- */

static void check_mask(const char *name, uint32_t expected)
{
    struct image_info info;
    struct err err = {0};
    uint32_t *labels = NULL;
    if (!ok(mask_load_labels(path, &info, &labels, &err) == 0 && labels[7] == expected, "%s", name))
        printf("# %s\n", labels ? "another label" : err.message);
    free(labels);
    planes_chosen.mask_channel = NULL;
    planes_chosen.image = CHOSEN(0);
}

static void test_masks(void)
{
    put_pages(1, NULL);
    memset(pixels[0], 7, AREA);
    tiff_put(next_name(), "w", pages, 1);
    planes_chosen.image = CHOSEN(.channel = "2", .z = "3", .t = "max", .series = "beads");
    check_mask("a mask drawn once is for all planes", 7);
    put_pages(3, NULL);
    planes_chosen.image = CHOSEN(.z = "3");
    check_mask("of several that of the slice", 20);
    planes_chosen.image = CHOSEN(.z = "mean");
    check_mask("a projection is their union", 20);
    struct image_info info;
    struct err err;
    uint32_t *labels = NULL;
    ok(mask_load_labels(path, &info, &labels, &err) == -1 && strstr(err.message, "3 pages"),
       "several masks are not one");
    put_pages(2, "ImageJ=1.54f\nimages=2\nchannels=2\n");
    ok(mask_load_labels(path, &info, &labels, &err) == -1 && strstr(err.message, "--mask-channel"),
       "a mask has one channel");
    planes_chosen.image = CHOSEN(.channel = "1");
    planes_chosen.mask_channel = "2";
    check_mask("which is chosen apart from the image's", 10);
}

/* ---- what is typed ---- */

static void test_options(void)
{
    struct err err;
    ok(planes_read_z("0", &err) == -1 && planes_read_z("all", &err) == -1 &&
           planes_read_z("1-3", &err) == -1 && planes_read_t("", &err) == -1 &&
           err.status == STATUS_USAGE,
       "what is no slice");
    ok(planes_read_z("MAX", &err) == 0 && planes_read_t("12", &err) == 0, "what is one");
    ok(planes_read_channel("1,,2", &err) == -1 && planes_read_channel("0", &err) == -1 &&
           planes_read_mask_channel("", &err) == -1,
       "what is no channel");
    ok(planes_read_channel("DAPI,2", &err) == 0, "what are some");
    planes_chosen.mask_channel = NULL;
    planes_chosen.image = CHOSEN(0);
}

int main(void)
{
    tap_plan(133);
    if (!ok(mkdtemp(folder) != NULL, "a folder"))
        return tap_done();
    test_pages();
    test_cut("w", 1, "a page");
    test_cut("w", 3, "three");
    test_cut("wb", 3, "the other order of bytes");
    test_cut("w8", 3, "a BigTIFF");
    test_imagej();
    test_contiguous();
    test_shaped();
    test_ome();
    test_ome_files();
    test_ome_forms();
    test_series();
    test_samples();
    test_lsm();
    test_micromanager();
    test_levels();
    test_preview();
    test_unlike();
    test_means();
    test_masks();
    test_options();
    char command[200];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) ? 1 : tap_done();
}
