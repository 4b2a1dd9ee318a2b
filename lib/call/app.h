/* What an installation is configured to be; filled once by the program, then only read by every thread. */
#ifndef CP_APP_H
#define CP_APP_H

#include "base/keyring.h"
#include "catalog/catalog.h"
#include "db/db.h"
#include "egress/egress.h"
#include "redis/redis.h"
#include "store/store.h"

typedef struct {
    cp_str_t  path;             /* egress path that the operator proxies to the provider: "/sms/" */
    cp_str_t  host;             /* the provider's host name, which is signed */
    cp_str_t  key_id;
    cp_str_t  key_secret;
    cp_str_t  sign_name;
    cp_str_t  template_code;    /* of the message with a sign-in code; its parameter is {"code": "…"} */
} cp_sms_conf_t;

typedef struct {
    cp_str_t  path;             /* "/identity/verify" */
    cp_str_t  key_id;
    cp_str_t  key_secret;
} cp_identity_conf_t;

typedef struct {
    unsigned  idle_s;
    unsigned  absolute_s;
} cp_session_conf_t;

typedef struct cp_app_s {
    cp_db_conf_t        db;
    cp_redis_conf_t     redis;
    cp_egress_conf_t    egress;
    cp_keyring_t       *keys;
    cp_catalog_t        catalog;
    const struct cp_profiles_s *profiles;    /* of certificates; NULL: kinds of keys are left to the signer */
    cp_sms_conf_t       sms;
    unsigned            sms_per_ip_hour;    /* codes sent at the request of one client address; 0: no limit */
    unsigned            sms_per_ip_day;
    cp_identity_conf_t  identity;
    cp_session_conf_t   session;
    cp_session_conf_t   staff_session;    /* idle_s 0: staff need none, their certificate alone will do */
    const cp_str_t     *origins;     /* "https://host[:port]" of every server whose pages may change something */
    size_t              origin_count;
    cp_store_conf_t     store;       /* of the materials */
    cp_str_t            mobile;      /* pattern of a mobile number (PCRE2) */
} cp_app_t;

#endif
