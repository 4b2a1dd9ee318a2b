#include "mark.h"

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "resources.h"

#define FONT       "sans-serif:lang=zh-cn"
#define SHARE      28u         /* a letter is this part of the shorter edge */
#define PIXELS_MIN 12u         /* of a letter; fewer cannot be read */
#define PIXELS_MAX 72u
#define LINES      6u          /* lines lie this many letters apart */
#define COS        56756       /* of 30 degrees, 16.16 */
#define SIN        32768
#define STRENGTH   72u         /* of 255: what is below stays readable */

/* One period of the pattern: how much of each pixel is covered. */
struct cp_mark_s {
    uint32_t  picture;         /* width */
    uint32_t  width;
    uint32_t  height;
    uint8_t  *covered;
};

static struct {
    char  *path;
    int    index;              /* of the face in its file */
} font;


bool
cp_mark_prepare(void)
{
    FcPattern *wanted = FcNameParse((const FcChar8 *) FONT), *found;
    FcResult   result;
    FcChar8   *path;

    if (wanted == NULL) {
        return false;
    }
    FcConfigSubstitute(NULL, wanted, FcMatchPattern);
    FcDefaultSubstitute(wanted);
    found = FcFontMatch(NULL, wanted, &result);
    if (found != NULL && FcPatternGetString(found, FC_FILE, 0, &path) == FcResultMatch) {
        font.path = strdup((char *) path);
        if (FcPatternGetInteger(found, FC_INDEX, 0, &font.index) != FcResultMatch) {
            font.index = 0;
        }
    }

    if (found != NULL) {
        FcPatternDestroy(found);
    }
    FcPatternDestroy(wanted);

    return font.path != NULL;
}


/* The next character of UTF-8 (RFC 3629); what is none is a question mark. */
static FT_ULong
next_character(const char **text)
{
    const unsigned char *p = (const unsigned char *) *text;
    unsigned             more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0, i;
    FT_ULong             character = more == 0 ? p[0] : p[0] & (0x3fu >> more);

    for (i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *text += i;
            return '?';
        }
        character = character << 6 | (p[i] & 0x3f);
    }
    *text += more + 1;

    return more == 0 && character >= 0x80 ? '?' : character;
}


static void
must(FT_Error error)
{
    if (error == FT_Err_Out_Of_Memory) {
        cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
    }
    if (error != 0) {
        cp_job_refuse(CP_INSPECT_CRASHED);
    }
}


/* From one end of the line to the other, pixels. */
static uint32_t
length_of(FT_Face face, const char *text)
{
    FT_Pos length = 0;

    while (*text != '\0') {
        must(FT_Load_Char(face, next_character(&text), FT_LOAD_NO_BITMAP | FT_LOAD_NO_HINTING));
        length += face->glyph->advance.x;
    }

    return (uint32_t) (length >> 6) + 1;
}


/* A letter into the pattern, around its edges; y counts upwards from the line's beginning. */
static void
cover(cp_mark_t *mark, const FT_GlyphSlot glyph, int64_t base)
{
    const FT_Bitmap *bitmap = &glyph->bitmap;
    int64_t          width = mark->width, height = mark->height, at_x, at_y;
    unsigned         x, y;

    for (y = 0; y < bitmap->rows; y++) {
        const uint8_t *row = bitmap->buffer + (ptrdiff_t) y * bitmap->pitch;

        at_y = ((base - glyph->bitmap_top + (int64_t) y) % height + height) % height;
        for (x = 0; x < bitmap->width; x++) {
            at_x = ((glyph->bitmap_left + (int64_t) x) % width + width) % width;
            if (row[x] > mark->covered[at_y * width + at_x]) {
                mark->covered[at_y * width + at_x] = row[x];
            }
        }
    }
}


static void
draw(cp_mark_t *mark, FT_Face face, const char *text, uint32_t letter)
{
    FT_Matrix turned = { COS, -SIN, SIN, COS };
    FT_Vector pen = { (FT_Pos) letter << 6, 0 };

    while (*text != '\0') {
        FT_Set_Transform(face, &turned, &pen);
        must(FT_Load_Char(face, next_character(&text), FT_LOAD_NO_BITMAP | FT_LOAD_NO_HINTING | FT_LOAD_RENDER));
        cover(mark, face->glyph, mark->height - 1);
        pen.x += face->glyph->advance.x;
        pen.y += face->glyph->advance.y;
    }
}


cp_mark_t *
cp_mark_new(const char *text, uint32_t width, uint32_t height)
{
    uint32_t    shorter = width < height ? width : height, letter = shorter / SHARE;
    cp_mark_t  *mark = calloc(1, sizeof(*mark));
    FT_Library  library;
    FT_Face     face;
    const void *data;
    size_t      size;

    letter = letter < PIXELS_MIN ? PIXELS_MIN : letter > PIXELS_MAX ? PIXELS_MAX : letter;

    data = cp_resource_map(font.path, &size);
    if (data == NULL) {
        cp_job_refuse(CP_INSPECT_CRASHED);
    }
    must(FT_Init_FreeType(&library));
    must(FT_New_Memory_Face(library, data, (FT_Long) size, font.index, &face));
    must(FT_Set_Pixel_Sizes(face, 0, letter));

    /* As wide as the slanting line, so that it is whole in each period; lines beside it come from the next ones. */
    mark->picture = width;
    mark->width = (uint32_t) ((uint64_t) length_of(face, text) * COS >> 16) + 2 * letter;
    mark->height = LINES * letter;
    mark->covered = calloc(mark->width, mark->height);
    draw(mark, face, text, letter);

    FT_Done_Face(face);
    FT_Done_FreeType(library);

    return mark;
}


void
cp_mark_row(const cp_mark_t *mark, uint32_t y, const uint8_t *row, uint8_t *out, size_t channels)
{
    const uint8_t *covered = mark->covered + (size_t) (y % mark->height) * mark->width;
    uint32_t       x, at = 0;
    unsigned       light, share;
    size_t         c;

    for (x = 0; x < mark->picture; x++, row += channels, out += channels) {
        share = covered[at] * STRENGTH / 255;
        at = at + 1 == mark->width ? 0 : at + 1;

        /* Dark on what is light and light on what is dark. */
        light = channels == 1 ? row[0] : (row[0] + 2u * row[1] + row[2]) / 4;
        for (c = 0; c < channels; c++) {
            out[c] = (uint8_t) ((row[c] * (255 - share) + (light >= 128 ? 0 : 255) * share) / 255);
        }
    }
}


void
cp_mark_free(cp_mark_t *mark)
{
    if (mark != NULL) {
        free(mark->covered);
        free(mark);
    }
}
