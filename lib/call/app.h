/* What an installation is configured to be; filled once by the program, then only read by every thread. */
#ifndef CP_APP_H
#define CP_APP_H

#include "base/keyring.h"
#include "catalog/catalog.h"
#include "db/db.h"
#include "egress/egress.h"
#include "inspect/inspect.h"
#include "redis/redis.h"
#include "store/store.h"

typedef struct {
    cp_str_t  path;             /* egress path that the operator proxies to the provider: "/sms/" */
    cp_str_t  host;             /* the provider's host name, which is signed */
    cp_str_t  key_id;
    cp_str_t  key_secret;
    cp_str_t  sign_name;
    cp_str_t  template_code;    /* of the message with a sign-in code; its parameter is {"code": "…"} */
    cp_str_t  notice_code;      /* of the message with a notice, its parameter {"event": "…"}; {0, NULL}: none is sent */
} cp_sms_conf_t;

typedef struct {
    cp_str_t  path;             /* "/identity/verify" */
    cp_str_t  key_id;
    cp_str_t  key_secret;
} cp_identity_conf_t;

/* How many codes are sent; 0: no limit. */
typedef struct {
    unsigned  number_minute;     /* to one number */
    unsigned  number_hour;
    unsigned  number_day;
    unsigned  address_hour;      /* at the request of one client address */
    unsigned  address_day;
    unsigned  network_hour;      /* of its /24, of an IPv6 address its /64 */
    unsigned  budget_minute;     /* in all */
    unsigned  segment_codes;     /* from so many on a number segment is stopped when it returns too few */
    unsigned  segment_return;    /* less than so many of a hundred */
    unsigned  segment_time_s;    /* of the codes that are looked at */
} cp_sms_limits_t;

/* When a captcha is demanded. */
typedef enum {
    CP_CAPTCHA_OFF,
    CP_CAPTCHA_ADAPTIVE,        /* after a few codes to the number or from the address */
    CP_CAPTCHA_ALWAYS
} cp_captcha_when_t;

typedef struct {
    cp_captcha_when_t  sms;         /* before a code is sent */
    unsigned           password;    /* failures after which a password needs one; 0: never */
    unsigned           images;      /* given to one client address in ten minutes; 0: no limit */
    unsigned           questions;
} cp_captcha_conf_t;

typedef struct {
    unsigned  idle_s;
    unsigned  absolute_s;
} cp_session_conf_t;

/* Bytes of materials and their copies that may be stored for one of each; 0: no limit. */
typedef struct {
    int64_t  order;
    int64_t  account;
    int64_t  hall;
} cp_quota_t;

typedef struct cp_app_s {
    cp_db_conf_t        db;
    cp_redis_conf_t     redis;
    cp_egress_conf_t    egress;
    cp_keyring_t       *keys;
    cp_catalog_t        catalog;
    const struct cp_profiles_s *profiles;    /* of certificates; NULL: kinds of keys are left to the signer */
    cp_sms_conf_t       sms;
    cp_sms_limits_t     sms_limits;
    cp_captcha_conf_t   captcha;
    cp_identity_conf_t  identity;
    cp_session_conf_t   session;
    cp_session_conf_t   staff_session;    /* idle_s 0: staff need none, their certificate alone will do */
    const cp_str_t     *origins;     /* "https://host[:port]" of every server whose pages may change something */
    size_t              origin_count;
    cp_store_conf_t     store;       /* of the materials */
    cp_quota_t          quota;
    cp_inspect_conf_t   inspector;   /* who decodes what was uploaded */
    cp_inspect_request_t inspection; /* what is asked of each file, its type is still to be set */
    cp_str_t            mobile;      /* pattern of a mobile number (PCRE2) */
    cp_str_t            origin;      /* of the portal's own pages, the first of caportal_origin; {0, NULL}: none */
} cp_app_t;

#endif
