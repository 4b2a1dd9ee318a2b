/*
 * One call of one operation: what came in, who is calling, what goes out. It lives on one pool thread at a time.
 * An operation is a function of a call that reads from top to bottom: it fills the answer and returns CP_OK, or returns
 * the code of what went wrong after naming every bad field.
 */
#ifndef CP_CALL_H
#define CP_CALL_H

#include <jansson.h>

#include "call/app.h"

#define CP_PARAMS_MAX   4
#define CP_FIELDS_MAX   40
#define CP_HEADERS_MAX  8
#define CP_ACCOUNT_ID   20    /* characters of an account's public id */

/* Staff roles; bits of staff.roles and of an operation's callers. */
#define CP_ROLE_REVIEWER       0x0001u
#define CP_ROLE_FINANCE        0x0002u
#define CP_ROLE_PRODUCER       0x0004u
#define CP_ROLE_SHIPPER        0x0008u
#define CP_ROLE_AUDITOR        0x0010u
#define CP_ROLE_ADMINISTRATOR  0x0020u
#define CP_ROLES_ALL           0x003fu

/* Who else may call. */
#define CP_BY_PUBLIC    0x0100u    /* anybody */
#define CP_BY_ACCOUNT   0x0200u    /* a signed-in account */
#define CP_BY_CALLBACK  0x0400u    /* an outside party; the operation checks its signature */

typedef enum {
    CP_LANG_ZH,
    CP_LANG_EN
} cp_lang_t;

/*
 * What the TLS layer says of the client's certificate. Of several faults the first of these is told: of a certificate
 * that is not ours nothing else matters to its holder.
 */
typedef enum {
    CP_TLS_NO_CERTIFICATE,
    CP_TLS_VERIFIED,
    CP_TLS_SELF_SIGNED,
    CP_TLS_FORGED,           /* names an issuer of ours, but is not signed by its key */
    CP_TLS_UNTRUSTED,
    CP_TLS_REVOKED,          /* by the operator's ssl_crl */
    CP_TLS_WEAK,
    CP_TLS_UNSUPPORTED,      /* a critical extension that nobody here knows */
    CP_TLS_PURPOSE,
    CP_TLS_STATUS_UNKNOWN,   /* ssl_crl has no current list of the issuer */
    CP_TLS_NOT_YET_VALID,
    CP_TLS_EXPIRED,
    CP_TLS_VERDICTS
} cp_tls_verdict_t;

typedef struct {
    int64_t     account;         /* 0: no session */
    cp_str_t    account_id;      /* its public id */
    cp_str_t    unit_id;         /* public id of the unit that the session acts for, or {0, NULL} */
    cp_str_t    session_key;     /* the session's field in Redis: SHA-256 of its secret, 32 bytes */
    cp_str_t    method;          /* how it was begun: "sms", "password", "certificate" … */
    cp_str_t    device;          /* of the session: "Chrome, Windows" */
    cp_str_t    place;           /* where it was begun, as the operator's caportal_place names it */
    int64_t     since_ms;
    int64_t     proved_ms;       /* when the holder last proved again who they are; 0: never */
    int64_t     certificate;     /* row of the certificate that began the session; 0: none did */
    int64_t     staff;           /* 0: not staff */
    cp_str_t    staff_id;
    unsigned    roles;           /* of the staff member */
    int64_t     staff_version;   /* when roles or state of the member were last changed */
    cp_str_t    staff_certificate;    /* SHA-256 of the certificate that the member showed */
} cp_principal_t;

typedef struct {
    cp_str_t         name;       /* "phone", "address.city" */
    cp_field_code_t  why;
    cp_str_t         text;       /* a text in place of the table's, or {0, NULL} */
} cp_bad_field_t;

typedef struct {
    const char *name;
    cp_str_t    value;
} cp_header_t;

struct cp_operation_s;

typedef struct cp_call_s {
    /* In: set by the edge, unchanged by the operation. */
    const cp_app_t               *app;
    cp_arena_t                   *arena;
    const struct cp_operation_s  *operation;
    cp_str_t                      params[CP_PARAMS_MAX];    /* of the path, decoded, in its order */
    cp_str_t                      query;                    /* raw, without "?" */
    cp_str_t                      body;
    cp_str_t                      content_type;
    cp_str_t                      idempotency_key;          /* {0, NULL}: none sent */
    cp_str_t                      request_id;
    cp_str_t                      client_ip;                /* of the connection, text */
    cp_str_t                      user_agent;
    cp_str_t                      host;                     /* and port, as the client names this server */
    cp_str_t                      certificate;              /* DER of the client's certificate, or {0, NULL} */
    cp_tls_verdict_t              tls;
    bool                          client_tls;               /* this server asks for certificates */
    bool                          page;                     /* a browser navigates: it is told of problems in HTML */
    cp_lang_t                     lang;
    struct cp_upload_s           *upload;                   /* a body that was stored while it arrived, or NULL */
    cp_str_t                      place;                    /* of the client, as the operator names it, or {0, NULL} */
    cp_principal_t                came_as;                  /* by the session's cookie */
    cp_str_t                      staff_token;              /* of a staff session's cookie, or {0, NULL} */

    /* Worked out while it runs. */
    cp_principal_t                who;                      /* as it came, until it signs in */
    cp_db_t                      *db;
    json_t                       *input;                    /* the body as JSON, owned by the call */
    bool                          ran;                      /* the request was bound to its idempotency key */
    bool                          sessions_changed;         /* of an account that it came as, or is: forget them */
    struct cp_later_s            *later;                    /* what follows the answer, see call/later.h */
    cp_str_t                      push;                     /* ledger id to push to the stream after the commit */

    /* Out. */
    int                           status;
    json_t                       *answer;                   /* owned by the call */
    cp_str_t                      raw;                      /* a body that is not JSON; wins over `answer` */
    const char                   *raw_type;
    bool                          in_parts;                 /* `raw` may be asked for in ranges (RFC 9110 section 14) */
    cp_header_t                   headers[CP_HEADERS_MAX];
    size_t                        header_count;
    cp_code_t                     code;
    cp_bad_field_t                bad[CP_FIELDS_MAX];
    size_t                        bad_count;
    unsigned                      retry_after_s;            /* 0: none */
    json_t                       *members;                  /* what a problem document says besides, owned by the call */
} cp_call_t;

typedef cp_code_t (*cp_operation_fn)(cp_call_t *call);

/* Marks a field as bad; the name's bytes must live as long as the call. Beyond CP_FIELDS_MAX they are not added. */
void cp_bad_field(cp_call_t *call, cp_str_t name, cp_field_code_t why);

/* CP_E_INVALID when a field was marked, else CP_OK. */
cp_code_t cp_fields_verdict(const cp_call_t *call);

/*
 * Adds a member to the problem document that the call ends in, should it end in one (RFC 9457 section 3.2); takes the
 * reference to `value`. The last of a name stands; a "detail" stands in place of the code's text. Described in
 * html/openapi.yaml like the standing members.
 */
void cp_problem(cp_call_t *call, const char *name, json_t *value);

/* Sets status and JSON answer; takes the reference to `answer` (NULL: memory is out → CP_E_NO_MEMORY). */
cp_code_t cp_answer(cp_call_t *call, int status, json_t *answer);

/* Sets an answer that is not JSON. `type` is a literal; `body` lives in the arena. */
cp_code_t cp_answer_raw(cp_call_t *call, int status, const char *type, cp_str_t body);

/* Adds a response header; the name is a literal, the value lives in the arena and holds no CR or LF. */
void cp_answer_header(cp_call_t *call, const char *name, cp_str_t value);

/* The configured origin that this is, as it was written; {0, NULL}: none of them. Pure. */
cp_str_t cp_known_origin(const cp_app_t *app, cp_str_t origin);

/* The configured origin under which the client addressed this server; CP_E_BAD_ORIGIN when it is none of them. */
cp_code_t cp_own_origin(const cp_call_t *call, cp_str_t *origin);

/* This thread's database connection in call->db; CP_E_DATABASE when the server is away. */
cp_code_t cp_call_db(cp_call_t *call);

/*
 * Begins the operation's transaction. Where the operation takes an idempotency key and one was sent, the key is bound
 * to the body here: CP_E_REPLAY (the first answer is in the call) or CP_E_KEY_REUSED when it was seen before.
 */
cp_code_t cp_call_begin(cp_call_t *call);

/*
 * For operations that ask, and pay, an outside party before their transaction begins: the same refusals as
 * cp_call_begin() for a key that is malformed or was seen before; CP_OK when there is something to be done.
 */
cp_code_t cp_call_replay(cp_call_t *call);

/* Stores the answer under the idempotency key and commits. The answer must be set before. */
cp_code_t cp_call_commit(cp_call_t *call);

/* A query parameter, percent-decoded, in *value ({0, NULL} when absent). CP_E_BAD_QUERY when it is there twice or malformed. */
cp_code_t cp_query_param(cp_call_t *call, const char *name, cp_str_t *value);

/* CP_E_BAD_QUERY, with the names, when the query holds a parameter that is not in the NULL-terminated list. */
cp_code_t cp_query_only(cp_call_t *call, const char *const *names);

/* A JSON string of a counted string (null for {0, NULL}): a new reference, NULL when memory is out. */
json_t *cp_json(cp_str_t text);

/* An RFC 3339 time as JSON, null for 0. */
json_t *cp_json_time(cp_call_t *call, int64_t at_ms);

/*
 * The body of the answer: `answer` or `raw`, or the problem document (RFC 9457) of call->code, which is a small page for
 * people where call->page says so; from the arena.
 */
cp_str_t cp_call_render(cp_call_t *call, const char **content_type);

/* Prepares a call for its first or next try: drops answer, marks and headers, keeps what came in. */
void cp_call_reset(cp_call_t *call);

/* Releases what the call owns outside its arena. */
void cp_call_end(cp_call_t *call);

#endif
