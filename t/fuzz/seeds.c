/* seeds FOLDER: small files of each format, from which the fuzzers of the walkers begin, into FOLDER/png and so on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/pictures.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

typedef struct {
    const char *format;
    void      (*build)(picture_t *picture, const char *parts);
    const char *parts[12];
} row_t;

static const row_t rows[] = {
    { "png", picture_png, { PICTURE_PNG, "HDdDE", "IPDE", "HPDEPK", "HtDtE", "HXDE", "HDTDE", "fDE", "bDE" } },
    { "jpeg", picture_jpeg, { PICTURE_JPEG, "SQFhHs.Z", "SCQEhHs.Z", "SQPho.v.Z", "SQF~hHDs.Z", "SQFs.hQCs.~Z",
                              "SQ3s.Z", "SQbs.Z", "Sls.Z" } },
    { "gif", picture_gif, { PICTURE_GIF, "7I;", "9GL;", "9GIXII;", "0GI;", "9GIIIII;" } },
};

static const picture_bmp_t bmps[] = {
    { 40, 5, 3, 1, 24, 0, 0, 54, 48 },   { 40, 5, -3, 1, 24, 0, 0, 54, 48 },       { 12, 5, 3, 1, 24, 0, 0, 26, 48 },
    { 12, 9, 2, 1, 1, 0, 0, 32, 8 },     { 16, 5, 3, 1, 8, 0, 0, 30 + 1024, 24 },  { 52, 5, 3, 1, 16, 3, 0, 66, 36 },
    { 64, 5, 3, 1, 4, 0, 16, 142, 12 },  { 124, 5, 3, 1, 32, 3, 0, 138, 60 },      { 40, 5, 3, 1, 32, 6, 0, 70, 60 },
    { 40, 5, 3, 1, 8, 1, 2, 62, 10 },    { 40, 5, 3, 1, 4, 2, 2, 62, 10 },
};

static const char runs[] = "\0\3abc\0\0\0\2\1\1\5\7\0\1";


static void
save(const char *folder, const char *format, size_t number, const picture_t *picture)
{
    char  path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s/seed-%zu", folder, format, number);
    file = fopen(path, "wb");

    if (file == NULL || fwrite(picture->bytes, 1, picture->len, file) != picture->len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}


/* Bodies with a text field and a file, with and without what a request says of them. */
static void
save_forms(const char *folder)
{
    static const char *const texts[] = {
        "--b0\r\nContent-Disposition: form-data; name=next\r\n\r\n/a\r\n--b0\r\nContent-Disposition: form-data; name="
        "\"file\"; filename=\"a\\\"b.png\"; filename*=UTF-8''%E5%9B%BE.png\r\nContent-Type: image/png\r\n\r\n",
        "--b0 \r\nContent-Disposition: form-data; name=file; filename=a.png\r\nX: y\r\n\r\n",
        "image/png; q=1", "application/octet-stream",
    };
    static const char name[] = "attachment; filename=\"C:\\a.png\"; filename*=utf-8'zh'a.png";

    picture_t form, picture;
    size_t    i;

    for (i = 0; i < COUNT(texts); i++) {
        picture_png(&picture, PICTURE_PNG);
        form.len = 0;
        picture_put(&form, texts[i], strlen(texts[i]) + (i > 1));
        if (i > 1) {
            picture_put(&form, name, sizeof(name));
        }
        picture_put(&form, picture.bytes, picture.len);
        if (i < 2) {
            picture_put(&form, "\r\n--b0--\r\n", 10);
        }
        save(folder, "form", i, &form);
    }
}


int
main(int argc, char **argv)
{
    picture_t picture;
    size_t    i, j;

    if (argc != 2) {
        fputs("usage: seeds FOLDER\n", stderr);
        return 2;
    }

    for (i = 0; i < COUNT(rows); i++) {
        for (j = 0; j < COUNT(rows[i].parts) && rows[i].parts[j] != NULL; j++) {
            rows[i].build(&picture, rows[i].parts[j]);
            save(argv[1], rows[i].format, j, &picture);
        }
    }

    for (i = 0; i < COUNT(bmps); i++) {
        picture_bmp(&picture, &bmps[i], bmps[i].compression == 1 || bmps[i].compression == 2 ? runs : NULL);
        save(argv[1], "bmp", i, &picture);
    }

    for (i = 0; i <= 1000; i += 250) {
        picture.len = 0;
        picture_zeros(&picture, i);
        picture_put(&picture, PICTURE_PDF, strlen(PICTURE_PDF));
        picture_put(&picture, "\r\n", 2);
        save(argv[1], "pdf", i, &picture);
    }

    save_forms(argv[1]);

    return 0;
}
