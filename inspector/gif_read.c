#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "decoders.h"
#include "gif_codes.h"
#include "image.h"

#define SIGNATURE    6u
#define CONTROL      0xf9      /* GIF89a section 23: Graphic Control Extension */
#define TRANSPARENT  0x01

typedef struct {
    cp_job_t     *job;
    size_t        at;
    GifFileType  *gif;
    int           transparent;    /* index, of the frame that comes next; -1: none */
    unsigned      frames;
    uint8_t      *canvas;         /* with the first frame on it */
    cp_image_t    image;
} reader_t;


static int
read_in(GifFileType *gif, GifByteType *bytes, int size)
{
    reader_t *reader = gif->UserData;
    size_t    left = reader->job->size - reader->at, n = (size_t) size < left ? (size_t) size : left;

    memcpy(bytes, reader->job->data + reader->at, n);
    reader->at += n;

    return (int) n;
}


static void
must(int result)
{
    if (result == GIF_ERROR) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}


static void
read_extension(reader_t *reader)
{
    GifByteType *block;
    int          code;

    must(DGifGetExtension(reader->gif, &code, &block));
    while (block != NULL) {
        if (code == CONTROL && block[0] >= 4) {
            reader->transparent = (block[1] & TRANSPARENT) != 0 ? block[4] : -1;
        }
        must(DGifGetExtensionNext(reader->gif, &block));
    }
}


/* The frame's colours, else the file's, else greys: GIF89a section 18 leaves that to the decoder. */
static void
take_colours(reader_t *reader)
{
    const ColorMapObject *map = reader->gif->Image.ColorMap;
    cp_image_t           *image = &reader->image;
    unsigned              i;

    map = map != NULL ? map : reader->gif->SColorMap;
    image->pixels = CP_PIXELS_INDEX;
    image->colours = map != NULL ? (unsigned) map->ColorCount : 256;

    for (i = 0; i < image->colours; i++) {
        uint8_t grey = (uint8_t) i;

        image->palette[i] = map == NULL ? (cp_colour_t) { grey, grey, grey, 255 }
                            : (cp_colour_t) { map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue, 255 };
    }
    if (reader->transparent >= 0) {
        image->palette[reader->transparent].a = 0;
    }
}


/* What shows where the first frame does not reach: nothing, if an index is left for that. */
static uint8_t
index_of_nothing(reader_t *reader)
{
    cp_image_t *image = &reader->image;

    if (reader->transparent >= 0) {
        return (uint8_t) reader->transparent;
    }
    if (image->colours < 256) {
        image->palette[image->colours] = (cp_colour_t) { 255, 255, 255, 0 };
        return (uint8_t) image->colours++;
    }

    return (uint8_t) reader->gif->SBackGroundColor;
}


/* The screen as the file says it, wider where the first frame reaches beyond; some writers say 0. */
static void
make_canvas(reader_t *reader)
{
    const GifImageDesc *frame = &reader->gif->Image;
    uint32_t            width = (uint32_t) (frame->Left + frame->Width);
    uint32_t            height = (uint32_t) (frame->Top + frame->Height);
    cp_image_t         *image = &reader->image;

    image->width = (uint32_t) reader->gif->SWidth > width ? (uint32_t) reader->gif->SWidth : width;
    image->height = (uint32_t) reader->gif->SHeight > height ? (uint32_t) reader->gif->SHeight : height;
    cp_job_check_size(reader->job, image->width, image->height);

    take_colours(reader);
    reader->canvas = malloc((size_t) image->width * image->height);
    memset(reader->canvas, index_of_nothing(reader), (size_t) image->width * image->height);
}


/* GIF89a appendix E: the passes of an interlaced frame. */
static const struct {
    int  first;
    int  step;
} passes[] = { { 0, 8 }, { 4, 8 }, { 2, 4 }, { 1, 2 } };


static void
read_frame(reader_t *reader)
{
    const GifImageDesc *frame = &reader->gif->Image;
    uint8_t            *into = NULL, *line;
    int                 y, pass;

    must(DGifGetImageDesc(reader->gif));
    cp_job_check_size(reader->job, (uint64_t) frame->Width, (uint64_t) frame->Height);

    /* giflib has read on to the code size. */
    if (!cp_gif_codes_are_sound(reader->job->data + reader->at - 1, reader->job->size - reader->at + 1,
                                (uint64_t) frame->Width * (uint64_t) frame->Height))
    {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    line = malloc((size_t) frame->Width);
    if (reader->frames++ == 0) {
        make_canvas(reader);
        into = reader->canvas + (size_t) frame->Top * reader->image.width + (size_t) frame->Left;
    }

    for (pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        for (y = passes[pass].first; y < frame->Height; y += frame->Interlace ? passes[pass].step : 1) {
            must(DGifGetLine(reader->gif, line, frame->Width));
            if (into != NULL) {
                memcpy(into + (size_t) y * reader->image.width, line, (size_t) frame->Width);
            }
        }
    }

    free(line);
    reader->transparent = -1;
}


/* Every frame must decode. Between frames the end may come without its mark: no pixel is lost by that. */
static void
read_all(reader_t *reader)
{
    GifRecordType type;

    for (;;) {
        if (DGifGetRecordType(reader->gif, &type) == GIF_ERROR || type == TERMINATE_RECORD_TYPE) {
            return;
        }
        if (type == IMAGE_DESC_RECORD_TYPE) {
            read_frame(reader);
        } else if (type == EXTENSION_RECORD_TYPE) {
            read_extension(reader);
        }
    }
}


void
cp_gif_decode(cp_job_t *job)
{
    static reader_t reader;

    uint32_t y;
    int      error;

    reader.job = job;
    reader.transparent = -1;
    cp_image_clear(&reader.image);

    /* giflib looks at the first three letters only. */
    if (job->size < SIGNATURE || (memcmp(job->data, "GIF87a", SIGNATURE) != 0
                                  && memcmp(job->data, "GIF89a", SIGNATURE) != 0))
    {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    reader.gif = DGifOpen(&reader, read_in, &error);
    if (reader.gif == NULL) {
        cp_job_refuse(error == D_GIF_ERR_NOT_ENOUGH_MEM ? CP_INSPECT_TOO_MUCH_MEMORY : CP_INSPECT_DAMAGED);
    }
    read_all(&reader);
    if (reader.frames == 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    cp_image_begin(&reader.image, job, &job->reply.copy);
    for (y = 0; y < reader.image.height; y++) {
        cp_image_row(&reader.image, reader.canvas + (size_t) y * reader.image.width);
    }
    cp_image_end(&reader.image, &job->reply.thumbnail);
    free(reader.canvas);
    DGifCloseFile(reader.gif, &error);
}
