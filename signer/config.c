#include <string.h>

#include "base/clock.h"
#include "redis/sentinel.h"
#include "signer.h"

#define DAY_MS  (24 * 3600 * 1000LL)

#define RULES(table)  table, sizeof(table) / sizeof((table)[0])

typedef struct {
    cp_db_conf_t  db;
    const char   *password_file;
    int64_t       port;
    int64_t       connect_ms;
    int64_t       io_ms;
} mysql_block_t;

typedef struct {
    cp_redis_conf_t redis;
    cp_str_t        sentinel;
    const char     *password_file;
    const char     *sentinel_password_file;
    int64_t         port;
    int64_t         database;
    int64_t         timeout_ms;
} redis_block_t;

static const cp_conf_rule_t mysql_rules[] = {
    { "host", 0, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, db.host), 0, 0 },
    { "socket", 0, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, db.socket), 0, 0 },
    { "port", 0, 1, 1, cp_conf_set_number, offsetof(mysql_block_t, port), 1, 65535 },
    { "user", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, db.user), 0, 0 },
    { "password_file", 0, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, password_file), 0, 0 },
    { "database", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, db.database), 0, 0 },
    { "tls_ca", 0, 1, 1, cp_conf_set_text, offsetof(mysql_block_t, db.tls_ca), 0, 0 },
    { "connect_timeout", 0, 1, 1, cp_conf_set_time, offsetof(mysql_block_t, connect_ms), 100, 60000 },
    { "timeout", 0, 1, 1, cp_conf_set_time, offsetof(mysql_block_t, io_ms), 100, 600000 },
};

static const cp_conf_rule_t redis_rules[] = {
    { "host", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, redis.host), 0, 0 },
    { "socket", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, redis.socket), 0, 0 },
    { "port", 0, 1, 1, cp_conf_set_number, offsetof(redis_block_t, port), 1, 65535 },
    { "user", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, redis.user), 0, 0 },
    { "password_file", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, password_file), 0, 0 },
    { "database", 0, 1, 1, cp_conf_set_number, offsetof(redis_block_t, database), 0, 1000 },
    { "prefix", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, redis.prefix), 0, 0 },
    { "timeout", 0, 1, 1, cp_conf_set_time, offsetof(redis_block_t, timeout_ms), 2000, 60000 },
    { "sentinel", 0, 1, 1, cp_conf_set_str, offsetof(redis_block_t, sentinel), 0, 0 },
    { "sentinel_user", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, redis.sentinel_user), 0, 0 },
    { "sentinel_password_file", 0, 1, 1, cp_conf_set_text, offsetof(redis_block_t, sentinel_password_file), 0, 0 },
};

static const cp_conf_rule_t token_rules[] = {
    { "module", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_key_conf_t, module), 0, 0 },
    { "token", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_key_conf_t, token), 0, 0 },
    { "object", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_key_conf_t, object), 0, 0 },
    { "pin_file", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_key_conf_t, pin_file), 0, 0 },
};


static bool
set_mysql(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    mysql_block_t block = { .port = 3306, .connect_ms = 5000, .io_ms = 30000 };
    signer_t     *signer = out;

    (void) rule;

    if (!cp_conf_apply(arena, directive->children, directive->line, RULES(mysql_rules), &block, fault)) {
        return false;
    }
    if ((block.db.host == NULL) == (block.db.socket == NULL)) {
        return cp_conf_fail(fault, directive->line, "\"mysql\" needs either \"host\" or \"socket\"");
    }

    signer->app.db = block.db;
    signer->app.db.port = (unsigned) block.port;
    signer->app.db.connect_ms = (unsigned) block.connect_ms;
    signer->app.db.io_ms = (unsigned) block.io_ms;
    signer->database_password_file = block.password_file;

    return true;
}


/* One place where Redis is, and what belongs to that way of saying it. */
static bool
check_redis(cp_arena_t *arena, const cp_conf_t *directive, redis_block_t *block, cp_conf_fault_t *fault)
{
    bool        sentinel = block->sentinel.data != NULL;
    const char *why;

    if ((block->redis.host != NULL) + (block->redis.socket != NULL) + sentinel != 1) {
        return cp_conf_fail(fault, directive->line,
                            "\"redis\" needs either \"host\" or \"socket\" or \"sentinel\"");
    }
    if (!sentinel && (block->redis.sentinel_user != NULL || block->sentinel_password_file != NULL)) {
        return cp_conf_fail(fault, directive->line,
                            "\"sentinel_user\" and \"sentinel_password_file\" are for \"sentinel\"");
    }
    if (sentinel && !cp_sentinels_read(arena, block->sentinel, &block->redis, &why)) {
        return cp_conf_fail(fault, directive->line, "\"sentinel\": %s", why);
    }

    return true;
}


static bool
set_redis(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    redis_block_t block = { .port = 6379, .timeout_ms = 5000, .redis.prefix = "caportal:" };
    signer_t     *signer = out;

    (void) rule;

    if (!cp_conf_apply(arena, directive->children, directive->line, RULES(redis_rules), &block, fault)
        || !check_redis(arena, directive, &block, fault))
    {
        return false;
    }

    signer->app.redis = block.redis;
    signer->app.redis.port = (int) block.port;
    signer->app.redis.database = (int) block.database;
    signer->app.redis.timeout_ms = (unsigned) block.timeout_ms;
    signer->redis_password_file = block.password_file;
    signer->sentinel_password_file = block.sentinel_password_file;

    return true;
}


static bool
set_token(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    (void) rule;

    return cp_conf_apply(arena, directive->children, directive->line, RULES(token_rules),
                         &((signer_issuer_t *) out)->key_conf, fault);
}


static const cp_conf_rule_t issuer_rules[] = {
    { "certificate", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_issuer_t, certificate_file), 0, 0 },
    { "key", 0, 1, 1, cp_conf_set_text, offsetof(signer_issuer_t, key_conf.file), 0, 0 },
    { "pkcs11", CP_CONF_BLOCK, 0, 0, set_token, 0, 0, 0 },
};


/* The name stands in URLs and in the database's columns. */
static bool
is_issuer_name(cp_str_t name)
{
    size_t i;

    for (i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }

    return name.len >= 1 && name.len <= 64;
}


static bool
set_issuer(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
           cp_conf_fault_t *fault)
{
    signer_t        *signer = out;
    signer_issuer_t *issuer;

    (void) rule;

    if (!is_issuer_name(directive->words[1]) || signer_issuer_find(signer, directive->words[1]) != NULL
        || signer->issuer_count == SIGNER_ISSUERS)
    {
        return cp_conf_fail(fault, directive->line, "issuer \"%.64s\" is there twice, one too many, or has a name of "
                            "other characters than letters, digits, \"-\" and \"_\"", directive->words[1].data);
    }

    issuer = &signer->issuers[signer->issuer_count++];
    issuer->name = directive->words[1];
    issuer->line = directive->line;

    if (!cp_conf_apply(arena, directive->children, directive->line, RULES(issuer_rules), issuer, fault)) {
        return false;
    }
    if ((issuer->key_conf.file == NULL) == (issuer->key_conf.module == NULL)) {
        return cp_conf_fail(fault, directive->line, "issuer \"%s\" needs either \"key\" or \"pkcs11\"",
                            issuer->name.data);
    }

    return true;
}


static const cp_conf_rule_t file_rules[] = {
    { "mysql", CP_CONF_BLOCK | CP_CONF_REQUIRED, 0, 0, set_mysql, 0, 0, 0 },
    { "redis", CP_CONF_BLOCK | CP_CONF_REQUIRED, 0, 0, set_redis, 0, 0, 0 },
    { "issuer", CP_CONF_BLOCK | CP_CONF_REQUIRED | CP_CONF_MANY, 1, 1, set_issuer, 0, 0, 0 },
    { "profiles", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_t, profiles_file), 0, 0 },
    { "audit_key_file", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(signer_t, audit_key_file), 0, 0 },
    { "user", 0, 1, 1, cp_conf_set_text, offsetof(signer_t, user), 0, 0 },
    { "consumer", 0, 1, 1, cp_conf_set_str, offsetof(signer_t, consumer), 0, 0 },
    { "batch", 0, 1, 1, cp_conf_set_number, offsetof(signer_t, batch), 1, SIGNER_BATCH },
    { "crl_interval", 0, 1, 1, cp_conf_set_time, offsetof(signer_t, crl_interval_ms), 10000, 7 * DAY_MS },
    { "crl_next_update", 0, 1, 1, cp_conf_set_time, offsetof(signer_t, crl_life_ms), 60000, 30 * DAY_MS },
    { "sweep_interval", 0, 1, 1, cp_conf_set_time, offsetof(signer_t, sweep_interval_ms), 100, 600000 },
    { "sweep_after", 0, 1, 1, cp_conf_set_time, offsetof(signer_t, sweep_after_ms), 0, DAY_MS },
};


bool
signer_config_read(signer_t *signer, const char *path, cp_conf_fault_t *fault)
{
    cp_conf_t *list;

    signer->consumer = CP_STR("signer");
    signer->batch = 64;
    signer->crl_interval_ms = 3600 * 1000;
    signer->crl_life_ms = 3 * DAY_MS;
    signer->sweep_interval_ms = 5000;
    signer->sweep_after_ms = 15000;

    if (!cp_conf_read(signer->arena, path, &list, fault)
        || !cp_conf_apply(signer->arena, list, 1, RULES(file_rules), signer, fault))
    {
        return false;
    }

    if (signer->crl_life_ms <= signer->crl_interval_ms) {
        return cp_conf_fail(fault, 0, "\"crl_next_update\" must be longer than \"crl_interval\"");
    }

    return true;
}


/* Without a file there is no password. */
static bool
load_password(signer_t *signer, const char *path, const char **password, cp_conf_fault_t *fault)
{
    const char *why;
    cp_str_t    text;

    if (path == NULL) {
        return true;
    }

    why = signer_secret(signer->arena, path, &text);
    if (why != NULL) {
        return cp_conf_fail(fault, 0, "\"%.100s\" cannot be read: %s", path, why);
    }

    *password = text.data;
    return true;
}


static bool
load_secrets(signer_t *signer, cp_conf_fault_t *fault)
{
    cp_redis_conf_t *redis = &signer->app.redis;
    const char      *why;
    cp_str_t         text;

    if (!load_password(signer, signer->database_password_file, &signer->app.db.password, fault)
        || !load_password(signer, signer->redis_password_file, &redis->password, fault)
        || !load_password(signer, signer->sentinel_password_file, &redis->sentinel_password, fault))
    {
        return false;
    }

    why = signer_secret(signer->arena, signer->audit_key_file, &text);
    if (why == NULL && (text.len != 2 * CP_KEY_SIZE || !cp_str_unhex(signer->arena, text, &signer->audit_key))) {
        why = "expected 64 hexadecimal digits";
    }
    if (why != NULL) {
        return cp_conf_fail(fault, 0, "\"%.100s\" cannot be read: %s", signer->audit_key_file, why);
    }

    return true;
}


/* A subject that has all that the profile may put in. */
static void
sample_subject(const cp_profile_t *profile, cp_subject_t *subject)
{
    size_t i;

    subject->count = 0;
    for (i = 0; i < profile->part_count; i++) {
        subject->names[subject->count] = cp_str(profile->parts[i].attribute->name);
        subject->values[subject->count++] = CP_STR("CN");
    }
    for (i = 0; i < profile->identifier_count; i++) {
        subject->names[subject->count] = profile->identifiers[i].field;
        subject->values[subject->count++] = CP_STR("CN");
    }
}


/* Builds a certificate of the profile and lints it: what cannot pass now would fail for each order. */
static const char *
try_profile(signer_t *signer, const cp_profile_t *profile, const cp_issuer_t *issuer)
{
    cp_profile_t any_key = *profile;
    cp_subject_t subject;
    cp_tbs_t     tbs = { &any_key, issuer, &subject, &issuer->key, cp_serial_new(signer->arena), cp_now_ms(),
                         profile->years_min };
    cp_lint_t    lint = { &tbs, tbs.not_before_ms, tbs.not_before_ms };
    cp_str_t     bytes;

    any_key.keys = issuer->key.kind;
    sample_subject(profile, &subject);

    if (tbs.serial.data == NULL || cp_tbs_write(&tbs, signer->arena, &bytes) != CP_OK) {
        return "a certificate cannot be built";
    }

    return cp_lint(bytes, &lint, signer->arena);
}


static bool
check_profiles(signer_t *signer, cp_conf_fault_t *fault)
{
    const cp_profile_t *profile;
    const char         *why;
    size_t              i;

    for (profile = signer->profiles->first; profile != NULL; profile = profile->next) {
        for (i = 0; i < profile->issuer_count; i++) {
            if (signer_issuer_find(signer, profile->issuers[i]) == NULL) {
                return cp_conf_fail(fault, 0, "profile \"%.64s\" names the unknown issuer \"%.64s\"",
                                    profile->name.data, profile->issuers[i].data);
            }
        }
        for (i = 0; i < signer->issuer_count; i++) {
            why = try_profile(signer, profile, &signer->issuers[i].issuer);
            if (why != NULL) {
                return cp_conf_fail(fault, 0, "profile \"%.64s\" with issuer \"%.64s\": %s", profile->name.data,
                                    signer->issuers[i].name.data, why);
            }
        }
    }

    return true;
}


bool
signer_config_load(signer_t *signer, cp_conf_fault_t *fault)
{
    const char *why;
    unsigned    line;
    size_t      i;

    if (!load_secrets(signer, fault)) {
        return false;
    }

    signer->profiles = cp_profiles_read(signer->profiles_file, &why, &line);
    if (signer->profiles == NULL) {
        return cp_conf_fail(fault, 0, "%s in %.80s:%u", why, signer->profiles_file, line);
    }

    for (i = 0; i < signer->issuer_count; i++) {
        why = signer_issuer_load(signer->arena, &signer->issuers[i]);
        if (why != NULL) {
            return cp_conf_fail(fault, signer->issuers[i].line, "issuer \"%.64s\": %s", signer->issuers[i].name.data,
                                why);
        }
    }

    return check_profiles(signer, fault);
}
