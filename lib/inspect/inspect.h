/*
 * Full decoding of an uploaded file, in the cage of caportal-inspector: whether it is whole and allowed, and re-encoded
 * copies that carry no byte of the original. The client side: blocking, for pool threads, one connection a file.
 */
#ifndef CP_INSPECT_H
#define CP_INSPECT_H

#include "base/error.h"
#include "base/str.h"

/*
 * Why a file is refused. The words are part of the API and never renamed; the texts are for the problem's detail.
 * X(name, word, zh-CN, en)
 */
#define CP_INSPECT_REASONS(X)                                                                                          \
    X(DAMAGED,         "damaged",         "文件已损坏或不完整，请重新扫描或导出后上传",                                    \
      "The file is damaged or incomplete: scan or export it again")                                                    \
    X(UNSUPPORTED,     "unsupported",     "文件的编码方式不受支持，请另存为常用格式后上传",                                \
      "The file's kind of encoding is not supported: save it in a common one")                                         \
    X(TOO_MANY_PIXELS, "too_many_pixels", "图片尺寸过大，请缩小后上传", "The picture has too many pixels: scale it down") \
    X(TOO_MANY_PAGES,  "too_many_pages",  "页数过多，请拆分后上传", "The document has too many pages: split it")          \
    X(PDF_ENCRYPTED,   "pdf_encrypted",   "PDF 已加密，请取消密码和权限限制后上传",                                       \
      "The PDF is encrypted: save it without password and restrictions")                                               \
    X(PDF_JAVASCRIPT,  "pdf_javascript",  "PDF 含有脚本，请打印为新的 PDF 后上传",                                        \
      "The PDF contains JavaScript: print it to a new PDF")                                                            \
    X(PDF_LAUNCH,      "pdf_launch",      "PDF 含有启动程序的动作，请打印为新的 PDF 后上传",                               \
      "The PDF contains an action that starts programs: print it to a new PDF")                                        \
    X(PDF_ATTACHMENT,  "pdf_attachment",  "PDF 含有附件，请去除附件后上传", "The PDF contains embedded files: remove them") \
    X(PDF_XFA,         "pdf_xfa",         "PDF 含有 XFA 动态表单，请打印为新的 PDF 后上传",                                \
      "The PDF contains an XFA form: print it to a new PDF")                                                           \
    X(UNRENDERABLE,    "unrenderable",    "PDF 页面无法显示，请重新导出后上传",                                            \
      "A page of the PDF cannot be shown: export it again")                                                            \
    X(TOO_SLOW,        "too_slow",        "文件过于复杂，请简化或重新扫描后上传",                                          \
      "The file takes too long to decode: simplify it or scan it again")                                               \
    X(TOO_MUCH_MEMORY, "too_much_memory", "文件过于复杂，请缩小尺寸或重新扫描后上传",                                      \
      "The file takes too much memory to decode: scale it down or scan it again")                                      \
    X(CRASHED,         "crashed",         "文件无法处理，请重新扫描或导出后上传",                                          \
      "The file cannot be processed: scan or export it again")

#define CP_INSPECT_REASON_NAME(name, word, zh, en)  CP_INSPECT_##name,
typedef enum { CP_INSPECT_OK = 0, CP_INSPECT_REASONS(CP_INSPECT_REASON_NAME) CP_INSPECT_END } cp_inspect_reason_t;
#undef CP_INSPECT_REASON_NAME

typedef struct {
    const char *word;
    const char *zh;
    const char *en;
} cp_inspect_text_t;

/* The row of a reason; that of CRASHED for CP_INSPECT_OK and for what is no reason. Static storage. */
const cp_inspect_text_t *cp_inspect_text(cp_inspect_reason_t reason);

/* What a scan's viewer should be told; none of them refuses the file. */
#define CP_HINT_DARK       0x01u    /* nothing on it is bright */
#define CP_HINT_BLURRED    0x02u    /* it has content and no edge in it is sharp */
#define CP_HINT_SMALL      0x04u    /* the shorter edge is below request.min_edge */
#define CP_HINT_STAMP      0x08u    /* the colour of a seal's red was found */
#define CP_HINT_LANDSCAPE  0x10u    /* wider than high, when upright */

#define CP_INSPECT_PAGES       50u              /* the most that request.max_pages may ask for */
#define CP_INSPECT_INPUT_MAX   (64u << 20)      /* bytes of a file */
#define CP_INSPECT_OUTPUT_MAX  (64u << 20)      /* bytes of all its copies together */
#define CP_INSPECT_MARK        256u             /* bytes of request.mark, with its NUL */

typedef struct {
    const char *socket;        /* path that caportal-inspector listens on */
    unsigned    timeout_ms;    /* of one file: connecting, waiting in its queue, decoding */
} cp_inspect_conf_t;

typedef struct {
    unsigned  type;            /* one CP_TYPE_* bit: what the first bytes showed */
    uint64_t  max_pixels;      /* of a picture, width × height as its header says */
    unsigned  max_pages;       /* of a PDF, 1 to CP_INSPECT_PAGES */
    unsigned  thumbnail;       /* its longer edge, pixels, 16 to 1024 */
    unsigned  quality;         /* of the JPEGs written, 50 to 100 */
    unsigned  min_edge;        /* for CP_HINT_SMALL; 0: whatever the size */
    const char *mark;          /* of a JPEG or PNG: UTF-8 drawn all over its copy, a JPEG that comes alone; or NULL */
} cp_inspect_request_t;

/* 40 megapixels, 20 pages, a thumbnail of 256, quality 90, no lower limit; the type is still to be set. */
extern const cp_inspect_request_t cp_inspect_defaults;

/* One of the copies: its bytes, "image/jpeg" or "image/png", pixels. {0, NULL} where there is none. */
typedef struct {
    cp_str_t     bytes;
    const char  *type;
    unsigned     width;
    unsigned     height;
} cp_inspect_copy_t;

typedef struct {
    cp_inspect_reason_t  reason;         /* CP_INSPECT_OK, or why the file is refused: then the rest is empty */
    unsigned             width;          /* upright pixels of the original; of a PDF's first page as rendered */
    unsigned             height;
    unsigned             orientation;    /* EXIF 2.32 section 4.6.4, tag 0x0112, as found and undone; 1 without */
    unsigned             hints;          /* CP_HINT_*; of a PDF those of any page, but LANDSCAPE of its first */
    cp_inspect_copy_t    copy;           /* of a picture: upright, the same size */
    cp_inspect_copy_t    thumbnail;
    unsigned             page_count;     /* of a PDF, else 0 */
    cp_inspect_copy_t    pages[CP_INSPECT_PAGES];
    void                *map;            /* holds all bytes above; cp_inspection_free() gives it back */
    size_t               map_size;
} cp_inspection_t;

/*
 * Has a file of 1 to CP_INSPECT_INPUT_MAX plain bytes inspected. CP_OK: the result holds the verdict, also when that
 * is a refusal, and cp_inspection_free() releases it. CP_E_BUSY: no verdict, for the inspector is away, full, or did
 * not answer in time; try again later. CP_E_NO_MEMORY; CP_E_INTERNAL: the request is none. Takes no memory but two
 * memfds. The bytes stay the caller's.
 */
cp_code_t cp_inspect(const cp_inspect_conf_t *conf, const cp_inspect_request_t *request, cp_str_t bytes,
                     cp_inspection_t *result);

/*
 * The same for a file that is written piece by piece, so that it never lies in memory as one: cp_inspect_open() gives a
 * descriptor (-1 with errno), cp_inspect_write() appends to it (false with errno: there is no memory), cp_inspect_fd()
 * seals it against changes and inspects. The caller closes it.
 */
int       cp_inspect_open(void);
bool      cp_inspect_write(int fd, cp_str_t bytes);
cp_code_t cp_inspect_fd(const cp_inspect_conf_t *conf, const cp_inspect_request_t *request, int fd,
                        cp_inspection_t *result);

/* Releases the copies. A result that was cleared or already released is fine. */
void cp_inspection_free(cp_inspection_t *result);

#endif
