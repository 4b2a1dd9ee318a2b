/*
 * The structure of an uploaded file, checked while it arrives: what every decoder must find in it is there, in order
 * and whole. Nothing is decoded; what decoders agree to pass over (ancillary chunks, trailing bytes) passes.
 *
 * PNG: ISO/IEC 15948. JPEG: ITU-T T.81 Annex B. BMP: Windows and OS/2 headers. GIF: 89a. PDF: ISO 32000-1 section 7.5.
 */
#ifndef CP_WALK_H
#define CP_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, code word, zh-CN, en). The words are part of the API: they are never renamed. */
#define CP_WALK_VERDICTS(X)                                                                                            \
    X(OK,              "ok",              "结构完整", "whole")                                                          \
    X(TRUNCATED,       "truncated",       "文件不完整，结尾缺失", "the file ends early")                                 \
    X(SIGNATURE,       "signature",       "文件开头不是该格式的标识", "the file does not begin like one of its format") \
    X(CRC,             "checksum",        "校验值不符", "a checksum does not match")                                    \
    X(LENGTH,          "length",          "某部分的长度有误", "a part has an impossible length")                        \
    X(DIMENSIONS,      "dimensions",      "图像尺寸有误", "the picture's dimensions are impossible")                    \
    X(TOO_MANY_PIXELS, "too_many_pixels", "图像像素过多", "the picture has too many pixels")                            \
    X(TOO_MANY_PAGES,  "too_many_pages",  "页数或帧数过多", "the file has too many pages or frames")                    \
    X(ORDER,           "order",           "各部分的顺序有误", "a part stands in the wrong place")                       \
    X(MISSING,         "missing",         "缺少必要的部分", "a necessary part is missing")                              \
    X(UNSUPPORTED,     "unsupported",     "采用了不支持的编码方式", "the file uses an encoding that is not supported")

#define CP_WALK_NAME(name, code, zh, en)  CP_WALK_##name,

typedef enum {
    CP_WALK_VERDICTS(CP_WALK_NAME)
    CP_WALK_VERDICTS_END
} cp_walk_verdict_t;

#undef CP_WALK_NAME

typedef struct {
    const char *code;
    const char *zh;
    const char *en;
} cp_walk_text_t;

/* The row of a verdict. Static storage. */
const cp_walk_text_t *cp_walk_text(cp_walk_verdict_t verdict);

typedef enum {
    CP_WALK_PNG,
    CP_WALK_JPEG,
    CP_WALK_BMP,
    CP_WALK_GIF,
    CP_WALK_PDF,
    CP_WALK_KINDS_END
} cp_walk_kind_t;

/*
 * 0: no limit. Pixels are those of one picture; pages are the frames of a GIF, and the pages of a PDF whose page tree is
 * not compressed; of another nobody knows them without decoding it.
 */
typedef struct {
    int64_t  max_pixels;
    int64_t  max_pages;
} cp_walk_limits_t;

typedef struct cp_walk_s cp_walk_t;

typedef cp_walk_verdict_t (*cp_walk_step_fn)(cp_walk_t *walk);
typedef cp_walk_verdict_t (*cp_walk_scan_fn)(cp_walk_t *walk, const unsigned char **p, const unsigned char *end);

typedef struct {
    uint32_t  length;      /* of the chunk */
    uint32_t  type;
    int       depth;
    int       colour;
    bool      summing;     /* the chunk's CRC counts */
    bool      palette;
    bool      data;        /* an IDAT came */
    bool      data_over;   /* and another chunk after it */
    int64_t   data_bytes;
} cp_walk_png_t;

typedef struct {
    cp_walk_step_fn  body;          /* of the segment whose length is awaited */
    unsigned         left;          /* of the segment */
    unsigned         marker;
    unsigned         tables;        /* quantization tables that came, a bit each */
    unsigned         components;    /* 0: no frame yet */
    unsigned         scanned;       /* components that a scan brought, a bit each */
    unsigned char    ids[4];
    unsigned char    selectors[4];  /* of quantization tables */
    bool             progressive;
    bool             escape;        /* the last byte was 0xFF */
    bool             empty;         /* a scan began and nothing of it came yet */
} cp_walk_jpeg_t;

typedef struct {
    uint32_t  offset;        /* of the pixels */
    uint32_t  header;        /* its size */
    uint32_t  compression;
    uint32_t  colours;       /* of the palette as declared */
    unsigned  bits;          /* a pixel */
    int64_t   x, y;          /* reached in run-length data */
    unsigned  first;         /* of a pair of bytes */
    unsigned  pending;       /* bytes of a pair or a move that are here */
    bool      moving;
} cp_walk_bmp_t;

typedef struct {
    bool  data;              /* the image's code bytes began */
    bool  image;             /* the sub-blocks are an image's */
} cp_walk_gif_t;

#define CP_WALK_PDF_DEPTH  8    /* of dictionaries within each other that are looked at */

typedef struct {
    int64_t  count;
    bool     pages;
    bool     parent;
} cp_walk_dictionary_t;

typedef struct {
    int                   state;
    int                   key;
    unsigned              depth;
    int                   nesting;     /* of parentheses */
    size_t                matched;     /* of the end of a stream */
    size_t                token_len;
    char                  token[12];
    cp_walk_dictionary_t  dictionaries[CP_WALK_PDF_DEPTH];
    int64_t               total;
} cp_walk_pages_t;

typedef struct {
    int64_t          header;   /* where it was found, -1: not yet */
    int64_t          xref;     /* end of the last "startxref", -1: none */
    int64_t          eof;      /* end of the last "%%EOF", -1: none */
    unsigned char    tail[8];  /* the bytes before, for words that are split */
    size_t           tail_len;
    cp_walk_pages_t  pages;
} cp_walk_pdf_t;

/* By value, without resources: no end is needed. Only the facts are for reading, and only by what came so far. */
struct cp_walk_s {
    /* Facts. */
    int64_t            width, height;    /* in pixels; 0: not known */
    int64_t            pages;            /* frames of a GIF, 1 for another picture; of a whole PDF, 0: unknown */
    int64_t            size;             /* bytes taken, up to the one that brought the verdict */
    int64_t            trailing;         /* bytes after the end of what the format defines */
    cp_walk_verdict_t  verdict;

    /* Inner. */
    cp_walk_kind_t     kind;
    cp_walk_limits_t   limits;
    bool               done;             /* the format's end was seen */
    cp_walk_scan_fn    scan;             /* takes bytes as they come, or NULL: by skip, want and step */
    uint64_t           skip;             /* bytes to pass over */
    size_t             want;             /* then to gather */
    size_t             held;
    cp_walk_step_fn    step;             /* then to run */
    bool               summing;          /* what is passed over is summed up */
    uint32_t           sum;
    unsigned char      buffer[128];
    union {
        cp_walk_png_t   png;
        cp_walk_jpeg_t  jpeg;
        cp_walk_bmp_t   bmp;
        cp_walk_gif_t   gif;
        cp_walk_pdf_t   pdf;
    } of;
};

_Static_assert(sizeof(cp_walk_t) <= 1024, "a walk is a small part of an upload's memory");

/* Begins a walk; `limits` is copied and may be NULL. */
void cp_walk_begin(cp_walk_t *walk, cp_walk_kind_t kind, const cp_walk_limits_t *limits);

/*
 * Takes the next bytes; however they are split, the verdict comes at the same byte (walk->size). One that is not
 * CP_WALK_OK stays. The limits are checked as soon as the header that tells is here, a PDF's pages at its end.
 */
cp_walk_verdict_t cp_walk_feed(cp_walk_t *walk, const void *data, size_t len);

/* Says that nothing follows: CP_WALK_TRUNCATED (or why not) unless the file is whole. */
cp_walk_verdict_t cp_walk_end(cp_walk_t *walk);

#endif
