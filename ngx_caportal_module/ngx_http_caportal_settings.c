/* The setters of the settings at the level of `http`: what may be said, checked where it is said. */
#include "ngx_http_caportal_session_cache.h"

#include "redis/sentinel.h"

#include <sys/stat.h>

#define REDIS_SENTINEL   "sentinel://"
#define HOST_CHARACTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"


char *
ngx_http_caportal_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char        *rv;
    unsigned     ms;
    ngx_str_t   *word = cf->args->elts;
    ngx_msec_t  *timeout = (ngx_msec_t *) ((char *) conf + cmd->offset);

    if (*timeout != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_milliseconds(cf, &word[1], &ms);
    if (rv == NGX_CONF_OK) {
        *timeout = ms;
    }

    return rv;
}


char *
ngx_http_caportal_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int                            port = 3306;
    char                          *rv;
    ngx_str_t                     *word = cf->args->elts, user, file, name, ca, password;
    cp_db_conf_t                  *db = &((ngx_http_caportal_main_conf_t *) conf)->app.db;
    ngx_http_caportal_param_t      params[] = {
        { "user", &user, 1 }, { "password_file", &file, 1 }, { "name", &name, 1 }, { "tls_ca", &ca, 0 },
    };

    if (db->user != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_address(cf, &word[1], port, &db->socket, &db->host, &port);
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_params(cf, 2, params, sizeof(params) / sizeof(params[0]));
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_secret(cf, &file, &password);
    }
    if (rv == NGX_CONF_OK && ca.data != NULL) {
        rv = ngx_http_caportal_readable(cf, &ca);
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    db->port = (unsigned) port;
    db->user = ngx_http_caportal_cstr(cf, &user);
    db->password = (char *) password.data;
    db->database = ngx_http_caportal_cstr(cf, &name);
    db->tls_ca = ngx_http_caportal_cstr(cf, &ca);

    return db->user == NULL || db->database == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}


char *
ngx_http_caportal_database_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char          *rv;
    ngx_str_t     *word = cf->args->elts;
    cp_db_conf_t  *db = &((ngx_http_caportal_main_conf_t *) conf)->app.db;

    if (db->connect_ms != 0) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_milliseconds(cf, &word[1], &db->connect_ms);
    if (rv != NGX_CONF_OK || cf->args->nelts == 2) {
        return rv;
    }

    return ngx_http_caportal_milliseconds(cf, &word[2], &db->io_ms);
}


static char *
ngx_http_caportal_redis_database(ngx_conf_t *cf, ngx_str_t *database, cp_redis_conf_t *redis)
{
    int64_t  n = 0;

    if (database->data != NULL && (!cp_str_number(ngx_http_caportal_str(*database), &n) || n > 1024)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid database \"%V\" of \"caportal_redis\"", database);
        return NGX_CONF_ERROR;
    }

    redis->database = (int) n;
    return NGX_CONF_OK;
}


/* "sentinel://master@host:port,…", or where it is itself. */
static char *
ngx_http_caportal_redis_address(ngx_conf_t *cf, ngx_http_caportal_main_conf_t *cmcf)
{
    ngx_str_t        *word = cf->args->elts;
    cp_str_t          address = ngx_http_caportal_str(word[1]);
    const char       *why;
    cp_redis_conf_t  *redis = &cmcf->app.redis;

    if (!cp_str_starts(address, REDIS_SENTINEL)) {
        return ngx_http_caportal_address(cf, &word[1], 6379, &redis->socket, &redis->host, &redis->port);
    }

    address = cp_str_n(address.data + sizeof(REDIS_SENTINEL) - 1, address.len - (sizeof(REDIS_SENTINEL) - 1));
    if (!cp_sentinels_read(cmcf->arena, address, redis, &why)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid address \"%V\" of \"%V\": %s", &word[1], word, why);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_redis_secrets(ngx_conf_t *cf, cp_redis_conf_t *redis, ngx_str_t *file, ngx_str_t *sentinel_file)
{
    ngx_str_t  password = ngx_null_string, sentinel_password = ngx_null_string;

    if ((file->data != NULL && ngx_http_caportal_secret(cf, file, &password) != NGX_CONF_OK)
        || (sentinel_file->data != NULL
            && ngx_http_caportal_secret(cf, sentinel_file, &sentinel_password) != NGX_CONF_OK))
    {
        return NGX_CONF_ERROR;
    }

    redis->password = (char *) password.data;
    redis->sentinel_password = (char *) sentinel_password.data;

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                          *rv;
    ngx_str_t                     *word = cf->args->elts, user, file, database, prefix, sentinel_user, sentinel_file;
    cp_redis_conf_t               *redis = &((ngx_http_caportal_main_conf_t *) conf)->app.redis;
    ngx_http_caportal_param_t      params[] = {
        { "user", &user, 0 }, { "password_file", &file, 0 }, { "database", &database, 0 }, { "prefix", &prefix, 0 },
        { "sentinel_user", &sentinel_user, 0 }, { "sentinel_password_file", &sentinel_file, 0 },
    };

    if (redis->prefix != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_redis_address(cf, conf);
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_params(cf, 2, params, sizeof(params) / sizeof(params[0]));
    }
    if (rv == NGX_CONF_OK && redis->sentinels == NULL && (sentinel_user.data != NULL || sentinel_file.data != NULL)) {
        return "has parameters of sentinels, but its address is none of \"" REDIS_SENTINEL "\"";
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_redis_secrets(cf, redis, &file, &sentinel_file);
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_redis_database(cf, &database, redis);
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    redis->user = ngx_http_caportal_cstr(cf, &user);
    redis->sentinel_user = ngx_http_caportal_cstr(cf, &sentinel_user);
    redis->prefix = prefix.data == NULL ? "caportal:" : ngx_http_caportal_cstr(cf, &prefix);

    if (prefix.len > 64) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the prefix \"%V\" of \"%V\" is longer than 64 characters", &prefix,
                           word);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_egress(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int                port = 0;
    char              *rv;
    const char        *host = NULL;
    ngx_str_t         *word = cf->args->elts;
    cp_egress_conf_t  *egress = &((ngx_http_caportal_main_conf_t *) conf)->app.egress;

    if (egress->socket != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_address(cf, &word[1], 80, &egress->socket, &host, &port);
    if (rv == NGX_CONF_OK && host != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"caportal_egress\" takes \"unix:/path\" only");
        return NGX_CONF_ERROR;
    }

    return rv;
}


char *
ngx_http_caportal_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    size_t                          i;
    ngx_str_t                       names[NGX_HTTP_CAPORTAL_POOLS];
    ngx_http_caportal_main_conf_t  *cmcf = conf;
    ngx_http_caportal_param_t       params[] = {
        { "database", &names[CP_POOL_DATABASE], 1 },
        { "egress", &names[CP_POOL_EGRESS], 1 },
        { "password", &names[CP_POOL_PASSWORD], 0 },
        { "inspector", &names[CP_POOL_INSPECTOR], 0 },
    };

    if (cmcf->pools[0] != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, NGX_HTTP_CAPORTAL_POOLS);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (names[CP_POOL_PASSWORD].data == NULL) {
        names[CP_POOL_PASSWORD] = names[CP_POOL_DATABASE];
    }
    if (names[CP_POOL_INSPECTOR].data == NULL) {
        names[CP_POOL_INSPECTOR] = names[CP_POOL_EGRESS];
    }

    for (i = 0; i < NGX_HTTP_CAPORTAL_POOLS; i++) {
        cmcf->pools[i] = ngx_thread_pool_add(cf, &names[i]);
        if (cmcf->pools[i] == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_http_caportal_key_ring_free(void *data)
{
    cp_keyring_free(data);
}


char *
ngx_http_caportal_key_ring(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    unsigned                        line;
    const char                     *why;
    ngx_str_t                      *word = cf->args->elts;
    ngx_pool_cleanup_t             *cln;
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    if (cmcf->app.keys != NULL) {
        return "is duplicate";
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL || ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cmcf->app.keys = cp_keyring_read((char *) word[1].data, &why, &line);
    if (cmcf->app.keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %V:%ui: %s", word, &word[1], (ngx_uint_t) line, why);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_caportal_key_ring_free;
    cln->data = cmcf->app.keys;

    return NGX_CONF_OK;
}


static void
ngx_http_caportal_profiles_free(void *data)
{
    cp_profiles_free(data);
}


char *
ngx_http_caportal_profiles(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    const char                     *why;
    unsigned                        line;
    ngx_str_t                      *word = cf->args->elts;
    ngx_pool_cleanup_t             *cln;
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    if (cmcf->profiles != NULL) {
        return "is duplicate";
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL || ngx_conf_full_name(cf->cycle, &word[1], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cmcf->profiles = cp_profiles_read((char *) word[1].data, &why, &line);
    if (cmcf->profiles == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %V:%ui: %s", word, &word[1], (ngx_uint_t) line, why);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_caportal_profiles_free;
    cln->data = cmcf->profiles;
    cmcf->app.profiles = cmcf->profiles;

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_sms(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                          *rv;
    ngx_str_t                      path, host, key_id, file, sign_name, template, notice, secret;
    cp_sms_conf_t                 *sms = &((ngx_http_caportal_main_conf_t *) conf)->app.sms;
    ngx_http_caportal_param_t      params[] = {
        { "path", &path, 1 },        { "host", &host, 1 },           { "key_id", &key_id, 1 },
        { "secret_file", &file, 1 }, { "sign_name", &sign_name, 1 }, { "template", &template, 1 },
        { "notice", &notice, 0 },
    };

    if (sms->path.data != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, sizeof(params) / sizeof(params[0]));
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_path(cf, &path);
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_secret(cf, &file, &secret);
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    sms->path = ngx_http_caportal_str(path);
    sms->host = ngx_http_caportal_str(host);
    sms->key_id = ngx_http_caportal_str(key_id);
    sms->key_secret = ngx_http_caportal_str(secret);
    sms->sign_name = ngx_http_caportal_str(sign_name);
    sms->template_code = ngx_http_caportal_str(template);
    sms->notice_code = ngx_http_caportal_str(notice);

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_identity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                          *rv;
    ngx_str_t                      path, key_id, file, secret;
    cp_identity_conf_t            *identity = &((ngx_http_caportal_main_conf_t *) conf)->app.identity;
    ngx_http_caportal_param_t      params[] = {
        { "path", &path, 1 }, { "key_id", &key_id, 1 }, { "secret_file", &file, 1 },
    };

    if (identity->path.data != NULL) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, sizeof(params) / sizeof(params[0]));
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_path(cf, &path);
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_secret(cf, &file, &secret);
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    identity->path = ngx_http_caportal_str(path);
    identity->key_id = ngx_http_caportal_str(key_id);
    identity->key_secret = ngx_http_caportal_str(secret);

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_mobile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                            why[160];
    ngx_str_t                      *word = cf->args->elts;
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    if (cmcf->app.mobile.data != NULL) {
        return "is duplicate";
    }

    if (cp_mobile_pattern_fault(ngx_http_caportal_str(word[1]), why, sizeof(why))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"caportal_mobile\": %s", why);
        return NGX_CONF_ERROR;
    }

    cmcf->app.mobile = ngx_http_caportal_str(word[1]);

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_limits(ngx_conf_t *cf, cp_session_conf_t *session, ngx_int_t most, char *fault)
{
    char                          *rv;
    ngx_str_t                      idle, absolute;
    ngx_int_t                      idle_s, absolute_s;
    ngx_http_caportal_param_t      params[] = { { "idle", &idle, 1 }, { "absolute", &absolute, 1 } };

    if (session->idle_s != 0) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, 2);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    idle_s = ngx_parse_time(&idle, 1);
    absolute_s = ngx_parse_time(&absolute, 1);

    if (idle_s == NGX_ERROR || absolute_s == NGX_ERROR || idle_s < 60 || absolute_s < idle_s || absolute_s > most) {
        return fault;
    }

    session->idle_s = (unsigned) idle_s;
    session->absolute_s = (unsigned) absolute_s;

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_session_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_caportal_limits(cf, &((ngx_http_caportal_main_conf_t *) conf)->app.session, 30 * 86400,
                                    "needs idle and absolute times, 1m <= idle <= absolute <= 30d");
}


char *
ngx_http_caportal_staff_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_caportal_limits(cf, &((ngx_http_caportal_main_conf_t *) conf)->app.staff_session, 86400,
                                    "needs idle and absolute times, 1m <= idle <= absolute <= 24h");
}


char *
ngx_http_caportal_session_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int64_t                         n = 0;
    ngx_str_t                      *word = cf->args->elts;
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    if (cmcf->cached != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (!cp_str_is(ngx_http_caportal_str(word[1]), "off")
        && (!cp_str_number(ngx_http_caportal_str(word[1]), &n) || n == 0 || n > NGX_HTTP_CAPORTAL_CACHE_MOST))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid number of sessions \"%V\" of \"%V\": expected 1 to %d or "
                           "\"off\"", &word[1], word, NGX_HTTP_CAPORTAL_CACHE_MOST);
        return NGX_CONF_ERROR;
    }

    cmcf->cached = (ngx_uint_t) n;

    return NGX_CONF_OK;
}


/* A host and perhaps a port, as browsers write them in Origin. */
static ngx_uint_t
ngx_http_caportal_is_authority(u_char *host, u_char *end)
{
    int64_t  port;
    u_char  *colon;

    for (colon = host; colon < end && ngx_strchr(HOST_CHARACTERS, *colon) != NULL; colon++) {
        /* look on */
    }

    return colon > host && (colon == end || (*colon == ':'
           && cp_str_number(cp_str_n(colon + 1, (size_t) (end - colon - 1)), &port) && port > 0 && port < 65536));
}


char *
ngx_http_caportal_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *word = cf->args->elts, *origin;
    ngx_uint_t                      i;
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    for (i = 1; i < cf->args->nelts; i++) {
        if (!cp_str_starts(ngx_http_caportal_str(word[i]), "https://")
            || !ngx_http_caportal_is_authority(word[i].data + 8, word[i].data + word[i].len))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid origin \"%V\" of \"%V\": expected \"https://host[:port]\"", &word[i], word);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(&cmcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }
        *origin = word[i];

        if (cmcf->app.origin.data == NULL) {
            cmcf->app.origin = ngx_http_caportal_str(word[i]);
        }
    }

    return NGX_CONF_OK;
}
