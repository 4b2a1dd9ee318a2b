/* What is read out of a listing: only names that are ours and their times, so no parser of XML is needed. */
#include "store/s3.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


/* The text between `open` and `close` from *at on, which moves behind it; {0, NULL} when there is none. */
static cp_str_t
between(cp_str_t xml, size_t *at, const char *open, const char *close)
{
    const char *from, *to;
    size_t      open_len = strlen(open);

    from = *at >= xml.len ? NULL : memmem(xml.data + *at, xml.len - *at, open, open_len);
    if (from == NULL) {
        return CP_STR_NULL;
    }
    from += open_len;

    to = memmem(from, xml.len - (size_t) (from - xml.data), close, strlen(close));
    if (to == NULL) {
        return CP_STR_NULL;
    }
    *at = (size_t) (to - xml.data) + strlen(close);

    return cp_str_n(from, (size_t) (to - from));
}


/* "2009-10-12T17:50:30.000Z" */
static bool
read_time(cp_str_t text, int64_t *at_ms)
{
    struct tm tm = { 0 };
    char      copy[20];

    if (text.len < 19) {
        return false;
    }
    memcpy(copy, text.data, 19);
    copy[19] = '\0';

    if (strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm) != copy + 19) {
        return false;
    }
    *at_ms = (int64_t) timegm(&tm) * 1000;

    return true;
}


bool
cp_s3_listed(cp_str_t xml, size_t *at, const char *prefix, cp_str_t *name, int64_t *modified_ms)
{
    cp_str_t object, key, time;
    size_t   within, prefix_len = strlen(prefix);

    while ((object = between(xml, at, "<Contents>", "</Contents>")).data != NULL) {
        within = 0;
        key = between(object, &within, "<Key>", "</Key>");
        within = 0;
        time = between(object, &within, "<LastModified>", "</LastModified>");

        if (key.data == NULL || !cp_str_starts(key, prefix) || !read_time(time, modified_ms)) {
            continue;
        }

        *name = cp_str_n(key.data + prefix_len, key.len - prefix_len);
        if (cp_file_name_is_valid(*name)) {
            return true;
        }
    }

    return false;
}


cp_str_t
cp_s3_next_page(cp_str_t xml)
{
    size_t at = 0;

    return between(xml, &at, "<NextContinuationToken>", "</NextContinuationToken>");
}
