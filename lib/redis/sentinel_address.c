/* The address of a Redis that is watched by Sentinel, as configurations write it. */
#include <string.h>

#include "redis/sentinel.h"

#define NAME_CHARACTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define HOST_MAX         255    /* RFC 1035 section 2.3.4 */


static bool
consists_of(cp_str_t text, const char *characters)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || strchr(characters, text.data[i]) == NULL) {
            return false;
        }
    }

    return text.len != 0;
}


/* What stands before the first `separator`, which goes too; all of it where there is none. */
static cp_str_t
take_until(cp_str_t *rest, char separator)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, separator, rest->len);
    cp_str_t    part = cp_str_n(rest->data, end == NULL ? rest->len : (size_t) (end - rest->data));
    size_t      gone = end == NULL ? rest->len : part.len + 1;

    rest->data += gone;
    rest->len -= gone;

    return part;
}


/* "host", "host:port", "[address]" or "[address]:port". */
static bool
read_address(cp_arena_t *arena, cp_str_t text, cp_redis_address_t *address)
{
    bool     bracket = text.len != 0 && text.data[0] == '[', more;
    int64_t  port = CP_SENTINEL_PORT;
    cp_str_t host;

    if (bracket) {
        text = cp_str_n(text.data + 1, text.len - 1);
    }

    more = memchr(text.data, bracket ? ']' : ':', text.len) != NULL;
    host = take_until(&text, bracket ? ']' : ':');
    if (bracket && text.len != 0 && text.data[0] == ':') {
        text = cp_str_n(text.data + 1, text.len - 1);
    } else if (bracket && (!more || text.len != 0)) {
        return false;
    } else if (bracket) {
        more = false;
    }

    if (!consists_of(host, bracket ? "0123456789abcdefABCDEF:." : NAME_CHARACTERS) || host.len > HOST_MAX
        || (more && (!cp_str_number(text, &port) || port < 1 || port > 65535)))
    {
        return false;
    }

    address->host = cp_str_dup(arena, host).data;
    address->port = (int) port;

    return address->host != NULL;
}


static bool
is_known(const cp_redis_conf_t *conf, const cp_redis_address_t *address)
{
    size_t i;

    for (i = 0; i < conf->sentinel_count; i++) {
        if (conf->sentinels[i].port == address->port && strcmp(conf->sentinels[i].host, address->host) == 0) {
            return true;
        }
    }

    return false;
}


bool
cp_sentinels_read(cp_arena_t *arena, cp_str_t text, cp_redis_conf_t *conf, const char **why)
{
    cp_str_t master = take_until(&text, '@');

    if (!consists_of(master, NAME_CHARACTERS)) {
        *why = "a master's name consists of letters, digits, \".\", \"-\" and \"_\" and stands before an \"@\"";
        return false;
    }

    conf->sentinel_master = cp_str_dup(arena, master).data;
    conf->sentinels = cp_calloc(arena, CP_SENTINELS_MAX, sizeof(cp_redis_address_t));
    conf->sentinel_count = 0;

    if (conf->sentinel_master == NULL || conf->sentinels == NULL) {
        *why = "out of memory";
        return false;
    }

    do {
        cp_redis_address_t *address = &conf->sentinels[conf->sentinel_count];
        bool                ends_in_comma = text.len != 0 && text.data[text.len - 1] == ',';

        if (conf->sentinel_count == CP_SENTINELS_MAX) {
            *why = "more than 16 sentinels";
            return false;
        }

        if (ends_in_comma || !read_address(arena, take_until(&text, ','), address)) {
            *why = "a sentinel is not of the form \"host:port\"";
            return false;
        }

        if (is_known(conf, address)) {
            *why = "a sentinel stands there twice";
            return false;
        }

        conf->sentinel_count++;

    } while (text.len != 0);

    return true;
}
