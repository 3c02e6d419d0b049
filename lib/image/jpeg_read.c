#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/codec.h"
#include "image/exif.h"
#include "image/samples.h"

#define MAX_SCANS  128  /* of a progressive file: programs write about ten */
#define MAX_RATIO  4096 /* samples that a byte can hold: two bits code a block of 64 */
#define INPUT_SIZE ((size_t)1 << 16)
#define EXIF_BYTES 0xffff /* of the marker that has the orientation */

struct jpeg_state {
    struct jpeg_decompress_struct decoder; /* first: libjpeg's client data is reached by it */
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_source_mgr input;
    jmp_buf failed;
    struct image_reader *reader;
    int64_t offset;
    int read_failed; /* errno, else 0 */
    char message[JMSG_LENGTH_MAX];
    uint8_t *inks; /* a row of CMYK */
    JOCTET buffer[INPUT_SIZE];
};

static struct jpeg_state *state_of(j_common_ptr common)
{
    return (struct jpeg_state *)common->client_data;
}

/* ---- messages: the first error or serious warning ends decoding ---- */

static void fail(j_common_ptr common)
{
    struct jpeg_state *s = state_of(common);
    if (!s->message[0])
        common->err->format_message(common, s->message);
    longjmp(s->failed, 1);
}

static bool is_harmless(int code)
{
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC;
}

/* libjpeg warns where it makes up pixels that a damaged file lacks. */
static void on_message(j_common_ptr common, int level)
{
    if (level < 0 && !is_harmless(common->err->msg_code))
        fail(common);
}

static void print_nothing(j_common_ptr common)
{
    (void)common;
}

static void limit_scans(j_common_ptr common)
{
    struct jpeg_state *s = state_of(common);
    if (s->decoder.input_scan_number <= MAX_SCANS)
        return;
    snprintf(s->message, sizeof s->message, "more than %d scans", MAX_SCANS);
    longjmp(s->failed, 1);
}

/* ---- input ---- */

static void input_nothing(j_decompress_ptr decoder)
{
    (void)decoder;
}

static boolean input_fill(j_decompress_ptr decoder)
{
    struct jpeg_state *s = state_of((j_common_ptr)decoder);
    int64_t left = s->reader->source.size - s->offset;
    size_t size = left < (int64_t)INPUT_SIZE ? (size_t)left : INPUT_SIZE;
    struct err err;
    if (size == 0)
        ERREXIT(decoder, JERR_INPUT_EOF);
    if (image_source_read(&s->reader->source, s->offset, s->buffer, size, &err)) {
        s->read_failed = 1;
        snprintf(s->message, sizeof s->message, "%.150s", err.message);
        longjmp(s->failed, 1);
    }
    s->offset += (int64_t)size;
    s->input.next_input_byte = s->buffer;
    s->input.bytes_in_buffer = size;
    return TRUE;
}

static void input_skip(j_decompress_ptr decoder, long count)
{
    struct jpeg_state *s = state_of((j_common_ptr)decoder);
    while (count > (long)s->input.bytes_in_buffer) {
        count -= (long)s->input.bytes_in_buffer;
        input_fill(decoder);
    }
    if (count > 0) {
        s->input.next_input_byte += count;
        s->input.bytes_in_buffer -= (size_t)count;
    }
}

/* ---- decoding; functions below may be left by longjmp ---- */

static int report(struct image_reader *reader, struct err *err)
{
    struct jpeg_state *s = reader->state;
    if (s->read_failed)
        return err_set(err, STATUS_IO, "%s", s->message);
    return image_bad(reader, err, "%s", s->message);
}

static void connect_all(struct jpeg_state *s)
{
    s->decoder.err = jpeg_std_error(&s->errors);
    s->decoder.client_data = s;
    s->errors.error_exit = fail;
    s->errors.emit_message = on_message;
    s->errors.output_message = print_nothing;
    s->input = (struct jpeg_source_mgr){
        .init_source = input_nothing,
        .fill_input_buffer = input_fill,
        .skip_input_data = input_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = input_nothing,
    };
    s->progress.progress_monitor = limit_scans;
}

static void read_header(struct jpeg_state *s)
{
    jpeg_create_decompress(&s->decoder);
    s->decoder.src = &s->input;
    s->decoder.progress = &s->progress;
    jpeg_save_markers(&s->decoder, JPEG_APP0 + 1, EXIF_BYTES);
    jpeg_read_header(&s->decoder, TRUE);
}

static int orientation_of(const struct jpeg_decompress_struct *decoder)
{
    for (const struct jpeg_marker_struct *m = decoder->marker_list; m; m = m->next)
        if (m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return exif_orientation(m->data, m->data_length);
    return 1;
}

static double density(const struct jpeg_decompress_struct *decoder, unsigned value)
{
    double unit = decoder->density_unit == 1 ? 1 / 0.0254 : decoder->density_unit == 2 ? 100 : 0;
    return decoder->saw_JFIF_marker ? image_pixel_size(value * unit, false) : 0;
}

static int fill_info(struct image_reader *reader, struct err *err)
{
    struct jpeg_state *s = reader->state;
    struct jpeg_decompress_struct *d = &s->decoder;
    struct image_info *info = &reader->info;
    bool cmyk = d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK;
    if (d->num_components != 1 && d->num_components != 3 && !cmyk)
        return image_bad(reader, err, "a JPEG of %d channels is not supported", d->num_components);
    d->out_color_space = cmyk ? JCS_CMYK : d->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info->width = d->image_width;
    info->height = d->image_height;
    info->channels = d->num_components == 1 ? 1 : 3;
    info->bits = info->significant_bits = 8;
    info->pixel_width = density(d, d->X_density);
    info->pixel_height = density(d, d->Y_density);
    return image_check_size(reader, MAX_RATIO, err);
}

/* Several scans are put together in memory: two bytes a coefficient. */
static int check_scans(struct image_reader *reader, struct err *err)
{
    struct jpeg_state *s = reader->state;
    uint64_t bytes = 0;
    for (int c = 0; c < s->decoder.num_components; c++)
        bytes += (uint64_t)s->decoder.comp_info[c].width_in_blocks *
                 s->decoder.comp_info[c].height_in_blocks * sizeof(JBLOCK);
    return jpeg_has_multiple_scans(&s->decoder) ? image_check_whole(reader, bytes, err) : 0;
}

static int open_jpeg(struct image_reader *reader, struct err *err)
{
    struct jpeg_state *s = reader->state = calloc(1, sizeof *s);
    if (!s)
        return err_memory(err, "a JPEG reader");
    s->reader = reader;
    connect_all(s);
    if (setjmp(s->failed))
        return report(reader, err);
    read_header(s);
    if (fill_info(reader, err) || check_scans(reader, err))
        return -1;
    reader->orientation = orientation_of(&s->decoder);
    s->inks = malloc(s->decoder.out_color_space == JCS_CMYK ? 4 * (size_t)reader->info.width : 1);
    if (!s->inks)
        return err_memory(err, "a JPEG's row");
    jpeg_start_decompress(&s->decoder);
    return 0;
}

static int read_jpeg(struct image_reader *reader, int64_t rows, void *to, struct err *err)
{
    struct jpeg_state *s = reader->state;
    size_t row_bytes = image_row_bytes(&reader->info);
    if (setjmp(s->failed))
        return report(reader, err);
    bool cmyk = s->decoder.out_color_space == JCS_CMYK;
    for (int64_t i = 0; i < rows; i++) {
        JSAMPROW to_row = (JSAMPROW)to + (size_t)i * row_bytes, row = cmyk ? s->inks : to_row;
        jpeg_read_scanlines(&s->decoder, &row, 1);
        if (cmyk) /* Adobe's programs, and only they write it, store light rather than ink */
            samples_cmyk(s->inks, (size_t)reader->info.width, 8, s->decoder.saw_Adobe_marker,
                         to_row);
    }
    if (s->decoder.output_scanline == s->decoder.output_height)
        jpeg_finish_decompress(&s->decoder);
    return 0;
}

static void close_jpeg(struct image_reader *reader)
{
    struct jpeg_state *s = reader->state;
    if (!s)
        return;
    jpeg_destroy_decompress(&s->decoder);
    free(s->inks);
    free(s);
}

const struct image_decoder image_jpeg_decoder = {"jpeg", open_jpeg, read_jpeg, close_jpeg};
