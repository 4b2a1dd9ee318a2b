#include <string.h>
#include <time.h>

#include "der.h"

#define CONSTRUCTED  0x20u


static unsigned
byte(cp_str_t s, size_t i)
{
    return (unsigned char) s.data[i];
}


static void
cut(cp_str_t *rest, size_t n)
{
    rest->data += n;
    rest->len -= n;
}


/* Length octets at rest[1..]; their count in *octets. Indefinite and longer than needed are refused. */
static bool
read_length(cp_str_t rest, size_t *octets, size_t *len)
{
    unsigned first = byte(rest, 1);
    size_t   n, i;

    if (first < 0x80) {
        *octets = 1;
        *len = first;
        return true;
    }

    n = first & 0x7f;
    if (n == 0 || n > 4 || rest.len < 2 + n || byte(rest, 2) == 0) {
        return false;
    }

    *len = 0;
    for (i = 0; i < n; i++) {
        *len = *len << 8 | byte(rest, 2 + i);
    }
    *octets = 1 + n;

    return *len >= 0x80;
}


bool
cp_der_next(cp_str_t *rest, cp_der_value_t *value)
{
    size_t octets, len;

    if (rest->len < 2 || (byte(*rest, 0) & 0x1f) == 0x1f || !read_length(*rest, &octets, &len)
        || len > rest->len - 1 - octets)
    {
        return false;
    }

    value->tag = byte(*rest, 0);
    value->content = cp_str_n(rest->data + 1 + octets, len);
    value->whole = cp_str_n(rest->data, 1 + octets + len);
    cut(rest, value->whole.len);

    return true;
}


bool
cp_der_take(cp_str_t *rest, unsigned tag, cp_str_t *content)
{
    cp_der_value_t value;

    if (!cp_der_next(rest, &value) || value.tag != tag) {
        return false;
    }

    *content = value.content;
    return true;
}


bool
cp_der_take_whole(cp_str_t *rest, unsigned tag, cp_str_t *whole)
{
    cp_der_value_t value;

    if (!cp_der_next(rest, &value) || value.tag != tag) {
        return false;
    }

    *whole = value.whole;
    return true;
}


bool
cp_der_is_next(cp_str_t rest, unsigned tag)
{
    return rest.len != 0 && byte(rest, 0) == tag;
}


bool
cp_der_take_bits(cp_str_t *rest, cp_str_t *bytes)
{
    if (!cp_der_take(rest, CP_DER_BITS, bytes) || bytes->len < 2 || byte(*bytes, 0) != 0) {
        return false;
    }

    cut(bytes, 1);
    return true;
}


static bool
two_digits(cp_str_t text, size_t at, int *value)
{
    if (text.data[at] < '0' || text.data[at] > '9' || text.data[at + 1] < '0' || text.data[at + 1] > '9') {
        return false;
    }

    *value = (text.data[at] - '0') * 10 + (text.data[at + 1] - '0');
    return true;
}


bool
cp_der_take_time(cp_str_t *rest, int64_t *at_ms)
{
    cp_der_value_t value;
    cp_str_t       text;
    struct tm      tm, again;
    time_t         at;
    int            century = 0, year;
    size_t         i = 0;

    if (!cp_der_next(rest, &value) || (value.tag != CP_DER_UTC_TIME && value.tag != CP_DER_TIME)) {
        return false;
    }
    text = value.content;

    if (text.len != (value.tag == CP_DER_TIME ? 15u : 13u) || text.data[text.len - 1] != 'Z') {
        return false;
    }
    if (value.tag == CP_DER_TIME) {
        if (!two_digits(text, 0, &century)) {
            return false;
        }
        i = 2;
    }

    memset(&tm, 0, sizeof(tm));
    if (!two_digits(text, i, &year) || !two_digits(text, i + 2, &tm.tm_mon) || !two_digits(text, i + 4, &tm.tm_mday)
        || !two_digits(text, i + 6, &tm.tm_hour) || !two_digits(text, i + 8, &tm.tm_min)
        || !two_digits(text, i + 10, &tm.tm_sec))
    {
        return false;
    }

    year += value.tag == CP_DER_TIME ? century * 100 : year < 50 ? 2000 : 1900;
    if (value.tag == CP_DER_TIME && year < 2050) {
        return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon--;

    /* timegm() makes 1 March of 31 February: what comes back must be what went in. */
    again = tm;
    at = timegm(&again);
    *at_ms = (int64_t) at * 1000;

    return again.tm_mon == tm.tm_mon && again.tm_mday == tm.tm_mday && again.tm_hour == tm.tm_hour
           && again.tm_min == tm.tm_min && again.tm_sec == tm.tm_sec;
}


/* BIT STRING: unused bits only where there are any, and then zero. */
static bool
check_bits(cp_str_t content)
{
    unsigned unused;

    if (content.len == 0) {
        return false;
    }

    unused = byte(content, 0);
    if (content.len == 1) {
        return unused == 0;
    }

    return unused < 8 && (byte(content, content.len - 1) & ((1u << unused) - 1)) == 0;
}


/* Content of a primitive value of a universal type that has a canonical form. */
static bool
check_primitive(unsigned tag, cp_str_t content)
{
    size_t i;

    switch (tag) {

    case CP_DER_BOOLEAN:
        return content.len == 1 && (byte(content, 0) == 0 || byte(content, 0) == 0xff);

    case CP_DER_INTEGER:
    case CP_DER_ENUMERATED:
        return content.len != 0
               && !(content.len > 1 && ((byte(content, 0) == 0 && byte(content, 1) < 0x80)
                                        || (byte(content, 0) == 0xff && byte(content, 1) >= 0x80)));

    case CP_DER_BITS:
        return check_bits(content);

    case CP_DER_NULL:
        return content.len == 0;

    case CP_DER_OID:
        if (content.len == 0 || (byte(content, content.len - 1) & 0x80) != 0) {
            return false;
        }
        for (i = 0; i < content.len; i++) {
            if (byte(content, i) == 0x80 && (i == 0 || (byte(content, i - 1) & 0x80) == 0)) {
                return false;
            }
        }
        return true;

    case CP_DER_UTF8:
        return cp_str_is_text(content);

    default:
        /* A sequence or set is constructed in DER, every other universal type is not. */
        return tag != (CP_DER_SEQUENCE & ~CONSTRUCTED) && tag != (CP_DER_SET & ~CONSTRUCTED);
    }
}


/* X.690 section 11.6: as if the shorter were filled with zero octets; for whole values that is memcmp order. */
static bool
in_order(cp_str_t a, cp_str_t b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int    difference = memcmp(a.data, b.data, n);

    return difference < 0 || (difference == 0 && a.len <= b.len);
}


static bool
check_values(cp_str_t bytes, bool sets, bool in_set, unsigned depth)
{
    cp_der_value_t value;
    cp_str_t       previous = CP_STR_NULL;

    if (depth == CP_DER_DEPTH) {
        return false;
    }

    while (bytes.len != 0) {
        if (!cp_der_next(&bytes, &value)) {
            return false;
        }

        if ((value.tag & CONSTRUCTED) == 0) {
            if (!check_primitive(value.tag, value.content)) {
                return false;
            }
        } else if ((value.tag < 0x80 && value.tag != CP_DER_SEQUENCE && value.tag != CP_DER_SET)
                   || !check_values(value.content, sets, value.tag == CP_DER_SET, depth + 1))
        {
            return false;
        }

        if (sets && in_set && previous.data != NULL && !in_order(previous, value.whole)) {
            return false;
        }
        previous = value.whole;
    }

    return true;
}


bool
cp_der_check(cp_str_t bytes, bool sets)
{
    return bytes.len != 0 && check_values(bytes, sets, false, 0);
}
