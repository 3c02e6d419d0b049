#include "image/ome.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "core/growing.h"
#include "core/num.h"
#include "image/units.h"

#define SEPARATOR '|' /* between a namespace and a name */

struct parser {
    XML_Parser xml;
    struct ome *ome;
    struct ome_image *image; /* the current one; NULL outside of Pixels */
    bool in_uuid, no_memory, is_ome;
    char uuid[80]; /* of the current TiffData */
    size_t uuid_length;
    char *image_name;
};

bool ome_is(const char *text)
{
    text += strspn(text, " \t\r\n\xef\xbb\xbf");
    return *text == '<' && (strstr(text, "<OME") || strstr(text, ":OME"));
}

/* ---- attributes ---- */

static const char *local(const char *name)
{
    const char *separator = strrchr(name, SEPARATOR);
    return separator ? separator + 1 : name;
}

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(local(attributes[0]), name) == 0)
            return attributes[1];
    return NULL;
}

static int64_t integer(const char **attributes, const char *name, int64_t otherwise)
{
    const char *text = attribute(attributes, name);
    struct err err;
    int64_t value;
    return text && num_int(text, 0, INT32_MAX, &value, &err) == 0 ? value : otherwise;
}

static double length(const char **attributes, const char *name, const char *unit_name)
{
    const char *text = attribute(attributes, name), *unit = attribute(attributes, unit_name);
    double value;
    struct err err;
    if (!text || num_real(text, 0, 1e12, &value, &err))
        return 0;
    return units_sane(value * (unit ? units_micrometers(unit, strlen(unit)) : 1));
}

/* ---- what grows ---- */

static void fail(struct parser *p)
{
    p->no_memory = true;
    XML_StopParser(p->xml, XML_FALSE);
}

/* The next element of an array, zeroed; NULL when there is no memory or the array is full. */
static void *append(struct parser *p, void *array, size_t *count, size_t most, size_t size)
{
    struct err none;
    if (*count >= most)
        return NULL;
    if (growing_room(array, *count, size, &none)) {
        fail(p);
        return NULL;
    }
    char *items = *(char **)array;
    return memset(items + (*count)++ * size, 0, size);
}

static char *copy(struct parser *p, const char *text)
{
    char *made = text ? strdup(text) : NULL;
    if (text && !made)
        fail(p);
    return made;
}

/* ---- elements ---- */

static void begin_pixels(struct parser *p, const char **a)
{
    struct ome *ome = p->ome;
    const char *order = attribute(a, "DimensionOrder");
    struct ome_image *image =
        append(p, &ome->images, &ome->count, OME_MAX_IMAGES, sizeof *ome->images);
    p->image = image;
    if (!image)
        return;
    image->name = p->image_name;
    p->image_name = NULL;
    memcpy(image->order, "XYCZT", 6);
    if (order && strlen(order) == 5 && strspn(order, "XYZCT") == 5)
        memcpy(image->order, order, 6);
    image->width = integer(a, "SizeX", 0);
    image->height = integer(a, "SizeY", 0);
    image->c = integer(a, "SizeC", 1);
    image->z = integer(a, "SizeZ", 1);
    image->t = integer(a, "SizeT", 1);
    image->pixel_width = length(a, "PhysicalSizeX", "PhysicalSizeXUnit");
    image->pixel_height = length(a, "PhysicalSizeY", "PhysicalSizeYUnit");
    if (!attribute(a, "PhysicalSizeY"))
        image->pixel_height = image->pixel_width;
}

static void begin_channel(struct parser *p, const char **a)
{
    struct ome_image *image = p->image;
    struct ome_channel *channel = append(p, &image->channels, &image->channel_count,
                                         OME_MAX_CHANNELS, sizeof *image->channels);
    if (!channel)
        return;
    channel->name = copy(p, attribute(a, "Name"));
    channel->samples = integer(a, "SamplesPerPixel", 1);
}

static void begin_data(struct parser *p, const char **a)
{
    struct ome_image *image = p->image;
    struct ome_data *data =
        append(p, &image->data, &image->data_count, OME_MAX_DATA, sizeof *image->data);
    p->uuid_length = 0;
    if (!data)
        return;
    bool says = attribute(a, "IFD") != NULL;
    data->ifd = integer(a, "IFD", says ? 0 : -1);
    data->c = integer(a, "FirstC", -1);
    data->z = integer(a, "FirstZ", -1);
    data->t = integer(a, "FirstT", -1);
    data->count = integer(a, "PlaneCount", says ? 1 : -1);
}

static void on_start(void *user, const char *name, const char **a)
{
    struct parser *p = user;
    name = local(name);
    if (strcmp(name, "OME") == 0) {
        const char *uuid = attribute(a, "UUID");
        p->is_ome = true;
        if (uuid && strlen(uuid) < sizeof p->ome->uuid)
            strcpy(p->ome->uuid, uuid);
    } else if (strcmp(name, "Image") == 0) {
        free(p->image_name);
        p->image_name = copy(p, attribute(a, "Name"));
    } else if (p->is_ome && strcmp(name, "Pixels") == 0) {
        begin_pixels(p, a);
    } else if (p->image && strcmp(name, "Channel") == 0) {
        begin_channel(p, a);
    } else if (p->image && strcmp(name, "TiffData") == 0) {
        begin_data(p, a);
    } else if (p->image && strcmp(name, "UUID") == 0) {
        p->in_uuid = true;
    }
}

static void on_text(void *user, const char *text, int size)
{
    struct parser *p = user;
    size_t n = (size_t)size;
    if (!p->in_uuid || p->uuid_length + n >= sizeof p->uuid)
        return;
    memcpy(p->uuid + p->uuid_length, text, n);
    p->uuid_length += n;
}

/* A plane that names another file's UUID lies there. */
static void end_data(struct parser *p)
{
    struct ome_image *image = p->image;
    p->uuid[p->uuid_length] = '\0';
    if (p->uuid_length && p->ome->uuid[0] && image->data_count)
        image->data[image->data_count - 1].elsewhere = strcmp(p->uuid, p->ome->uuid) != 0;
}

static void on_end(void *user, const char *name)
{
    struct parser *p = user;
    name = local(name);
    if (strcmp(name, "UUID") == 0)
        p->in_uuid = false;
    else if (p->image && strcmp(name, "TiffData") == 0)
        end_data(p);
    else if (strcmp(name, "Pixels") == 0)
        p->image = NULL;
}

/* Encodings that expat does not know are read as Latin-1. */
static int on_encoding(void *user, const char *name, XML_Encoding *encoding)
{
    (void)user;
    (void)name;
    for (int i = 0; i < 256; i++)
        encoding->map[i] = i;
    encoding->data = NULL;
    encoding->convert = NULL;
    encoding->release = NULL;
    return XML_STATUS_OK;
}

/* Whether the text is well-formed, at least as far as its images go. */
static bool parse(struct parser *p, const char *text, const char *encoding)
{
    p->xml = XML_ParserCreateNS(encoding, SEPARATOR);
    if (!p->xml) {
        p->no_memory = true;
        return false;
    }
    XML_SetUserData(p->xml, p);
    XML_SetElementHandler(p->xml, on_start, on_end);
    XML_SetCharacterDataHandler(p->xml, on_text);
    XML_SetUnknownEncodingHandler(p->xml, on_encoding, NULL);
    size_t size = strlen(text);
    int limit = size > INT32_MAX ? INT32_MAX : (int)size;
    bool whole = XML_Parse(p->xml, text, limit, XML_TRUE) == XML_STATUS_OK;
    p->no_memory |= XML_GetErrorCode(p->xml) == XML_ERROR_NO_MEMORY;
    XML_ParserFree(p->xml);
    free(p->image_name);
    p->image_name = NULL;
    return whole;
}

int ome_read(struct ome *ome, const char *text, struct err *err)
{
    /* Some programs say UTF-8 and write their micro sign in Latin-1. */
    static const char *const encodings[] = {NULL, "ISO-8859-1"};
    text += strspn(text, " \t\r\n");
    for (int i = 0; i < 2; i++) {
        struct parser parser = {.ome = ome};
        *ome = (struct ome){0};
        if (parse(&parser, text, encodings[i]))
            return 0;
        if (parser.no_memory) {
            ome_free(ome);
            return err_memory(err, "OME-XML");
        }
        if (i == 0)
            ome_free(ome);
    }
    return 0;
}

void ome_free(struct ome *ome)
{
    for (size_t i = 0; i < ome->count; i++) {
        struct ome_image *image = &ome->images[i];
        for (size_t c = 0; c < image->channel_count; c++)
            free(image->channels[c].name);
        free(image->channels);
        free(image->data);
        free(image->name);
    }
    free(ome->images);
    *ome = (struct ome){0};
}
