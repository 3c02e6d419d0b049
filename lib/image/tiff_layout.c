#include "image/tiff_layout.h"

#include <string.h>

static const char *compression_name(uint16_t compression)
{
    switch (compression) {
    case 33003:
    case 33005:
    case 34712:
        return "JPEG 2000";
    case 50002:
        return "JPEG XL";
    default: {
        const TIFFCodec *codec = TIFFFindCODEC(compression);
        return codec ? codec->name : "unknown";
    }
    }
}

static int check_compression(const struct image_reader *reader, const struct tiff_layout *layout,
                             struct err *err)
{
    uint16_t c = layout->compression;
    bool refused = c == COMPRESSION_OJPEG || c == COMPRESSION_SGILOG || c == COMPRESSION_SGILOG24;
    if (refused || !TIFFIsCODECConfigured(c))
        return image_bad(reader, err, "%s compression (%d) is not supported", compression_name(c),
                         c);
    return 0;
}

static int check_photometric(const struct image_reader *reader, const struct tiff_layout *layout,
                             struct err *err)
{
    const char *name = NULL;
    switch (layout->photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_PALETTE:
    case PHOTOMETRIC_MASK:
        return 0;
    case PHOTOMETRIC_YCBCR:
        if (layout->compression == COMPRESSION_JPEG && layout->planes == 1)
            return 0;
        name = "YCbCr";
        break;
    case PHOTOMETRIC_SEPARATED:
        if (layout->is_cmyk)
            return 0;
        name = "these separated";
        break;
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
        name = "CIE Lab";
        break;
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
        name = "LogLuv";
        break;
    default:
        return image_bad(reader, err, "photometric interpretation %d is not supported",
                         layout->photometric);
    }
    return image_bad(reader, err, "%s colors are not supported in this TIFF", name);
}

static const char *kind_name(enum sample_kind kind)
{
    return kind == SAMPLE_FLOAT ? "floating-point" : kind == SAMPLE_SIGNED ? "signed" : "unsigned";
}

static int check_format(const struct image_reader *reader, const struct tiff_layout *layout,
                        struct err *err)
{
    const struct sample_format *f = &layout->format;
    bool floats = f->kind == SAMPLE_FLOAT && (f->bits == 16 || f->bits == 32 || f->bits == 64);
    bool integers = f->kind != SAMPLE_FLOAT &&
                    ((f->bits >= 1 && f->bits <= 16) || f->bits == 32 || f->bits == 64);
    if (!floats && !integers)
        return image_bad(reader, err, "%d channels of %d-bit %s samples are not supported",
                         layout->samples, f->bits, kind_name(f->kind));
    if (layout->photometric == PHOTOMETRIC_PALETTE && (layout->samples != 1 || f->bits > 8))
        return image_bad(reader, err, "a palette for %d channels of %d bits is not supported",
                         layout->samples, f->bits);
    return 0;
}

static int sample_kind(const struct image_reader *reader, TIFF *tif, enum sample_kind *kind,
                       struct err *err)
{
    uint16_t format;
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &format);
    switch (format) {
    case SAMPLEFORMAT_UINT:
    case SAMPLEFORMAT_VOID:
        *kind = SAMPLE_UNSIGNED;
        return 0;
    case SAMPLEFORMAT_INT:
        *kind = SAMPLE_SIGNED;
        return 0;
    case SAMPLEFORMAT_IEEEFP:
        *kind = SAMPLE_FLOAT;
        return 0;
    default:
        return image_bad(reader, err, "complex samples are not supported");
    }
}

static void get_blocks(TIFF *tif, struct tiff_layout *layout)
{
    layout->is_tiled = TIFFIsTiled(tif);
    layout->tile_width = layout->width;
    if (layout->is_tiled) {
        TIFFGetField(tif, TIFFTAG_TILEWIDTH, &layout->tile_width);
        TIFFGetField(tif, TIFFTAG_TILELENGTH, &layout->tile_height);
        return;
    }
    TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &layout->tile_height);
    if (layout->tile_height > layout->height)
        layout->tile_height = layout->height;
}

static int check_blocks(const struct image_reader *reader, const struct tiff_layout *layout,
                        struct err *err)
{
    const uint32_t most = 1u << 20;
    if (!layout->tile_width || !layout->tile_height || layout->tile_width > most ||
        layout->tile_height > most)
        return image_bad(reader, err, "tiles or strips of %u x %u pixels", layout->tile_width,
                         layout->tile_height);
    return 0;
}

static void get_samples(TIFF *tif, struct tiff_layout *layout)
{
    uint16_t bits, samples, planar;
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &planar);
    layout->samples = samples;
    layout->planes = planar == PLANARCONFIG_SEPARATE ? samples : 1;
    layout->format.bits = bits;
    if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &layout->photometric))
        layout->photometric = samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &layout->compression);
}

/* Extra samples are alpha only when the file says so (TIFF 6.0, section 18). */
static void get_extra_samples(TIFF *tif, struct tiff_layout *layout)
{
    uint16_t count = 0, ink_set = INKSET_CMYK, *kinds = NULL;
    TIFFGetFieldDefaulted(tif, TIFFTAG_EXTRASAMPLES, &count, &kinds);
    uint16_t last = count > 0 && kinds ? kinds[count - 1] : EXTRASAMPLE_UNSPECIFIED;
    layout->has_alpha = count < layout->samples &&
                        (last == EXTRASAMPLE_ASSOCALPHA || last == EXTRASAMPLE_UNASSALPHA);
    TIFFGetFieldDefaulted(tif, TIFFTAG_INKSET, &ink_set);
    layout->is_cmyk = layout->photometric == PHOTOMETRIC_SEPARATED && ink_set == INKSET_CMYK &&
                      layout->samples == 4 && layout->format.kind == SAMPLE_UNSIGNED &&
                      (layout->format.bits == 8 || layout->format.bits == 16);
}

/* ImageJ calls a mask or an image shown through an inverting table "min is white", tifffile every
 * one of one bit; their values, and those of every such mask of more than a bit, mean what they
 * are. */
static bool is_inverted(const struct image_reader *reader, const struct tiff_layout *layout)
{
    if (layout->photometric != PHOTOMETRIC_MINISWHITE || layout->format.kind != SAMPLE_UNSIGNED)
        return false;
    if (layout->format.bits == 1)
        return !reader->is_tifffile;
    return reader->use == IMAGE_FOR_COLORS && !reader->is_imagej;
}

/* Labels are whole numbers without a sign, up to 32 bits.  Images keep the sign, and what
 * has more bits than 16 in several channels, as floats. */
static bool is_as_float(const struct image_reader *reader, const struct tiff_layout *layout)
{
    const struct sample_format *f = &layout->format;
    if (f->kind == SAMPLE_FLOAT || reader->use == IMAGE_FOR_LABELS)
        return false;
    return f->kind == SAMPLE_SIGNED || f->bits == 64 || (f->bits > 16 && layout->samples > 1);
}

static void choose_use(const struct image_reader *reader, TIFF *tif, struct tiff_layout *layout)
{
    uint16_t order;
    bool colors = reader->use == IMAGE_FOR_COLORS;
    bool palette = layout->photometric == PHOTOMETRIC_PALETTE;
    layout->format.scaled = colors && !palette;
    layout->format.inverted = is_inverted(reader, layout);
    layout->format.as_float = is_as_float(reader, layout);
    TIFFGetFieldDefaulted(tif, TIFFTAG_FILLORDER, &order);
    layout->is_raw =
        layout->compression == COMPRESSION_NONE && !layout->is_tiled && order == FILLORDER_MSB2LSB;
    int samples = layout->planes == 1 ? layout->samples : 1;
    layout->row_bytes =
        ((size_t)layout->width * (size_t)samples * (size_t)layout->format.bits + 7) / 8;
}

/* A palette's colors are 16 bits; some programs write 8. */
static int read_palette(struct image_reader *reader, TIFF *tif, const struct tiff_layout *layout,
                        struct err *err)
{
    uint16_t *channels[3];
    if (!TIFFGetField(tif, TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2]))
        return image_bad(reader, err, "its palette is missing");
    struct palette *palette = &reader->palette;
    bool wide = false;
    palette->count = (size_t)1 << layout->format.bits;
    for (size_t i = 0; i < palette->count; i++)
        for (int c = 0; c < 3; c++)
            wide |= channels[c][i] > 255;
    for (size_t i = 0; i < palette->count; i++)
        for (int c = 0; c < 3; c++)
            palette->colors[i][c] = (uint8_t)(channels[c][i] >> (wide ? 8 : 0));
    return 0;
}

static int choose_palette(struct image_reader *reader, TIFF *tif, struct tiff_layout *layout,
                          struct err *err)
{
    if (layout->photometric != PHOTOMETRIC_PALETTE)
        return 0;
    if (read_palette(reader, tif, layout, err))
        return -1;
    enum palette_kind kind = palette_kind(&reader->palette);
    layout->expand_palette =
        reader->use == IMAGE_FOR_COLORS && kind != PALETTE_DISPLAY && !reader->is_stack;
    layout->is_gray_palette = kind == PALETTE_GRAY;
    return 0;
}

int tiff_describe(struct image_reader *reader, TIFF *tif, struct tiff_layout *layout,
                  struct err *err)
{
    *layout = (struct tiff_layout){0};
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &layout->width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &layout->height);
    get_samples(tif, layout);
    get_blocks(tif, layout);
    if (layout->samples < 1 || layout->samples > IMAGE_MAX_CHANNELS)
        return image_bad(reader, err, "%d channels, at most %d are read", layout->samples,
                         IMAGE_MAX_CHANNELS);
    if (sample_kind(reader, tif, &layout->format.kind, err))
        return -1;
    get_extra_samples(tif, layout);
    if (check_compression(reader, layout, err) || check_photometric(reader, layout, err) ||
        check_format(reader, layout, err) || check_blocks(reader, layout, err))
        return -1;
    choose_use(reader, tif, layout);
    return choose_palette(reader, tif, layout, err);
}
