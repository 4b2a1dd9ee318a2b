/*
 * Every way in which an operation can end, as one table: code, HTTP status, log level, and the public text in both
 * languages. The codes are part of the API: they are never renamed.
 */
#ifndef CP_ERROR_H
#define CP_ERROR_H

#include "log.h"

/* X(name, code, status, log level, zh-CN, en) */
#define CP_ERRORS(X)                                                                                                   \
    X(MALFORMED,         "malformed_body",      400, CLIENT, "请求内容格式错误", "The body is not well-formed")          \
    X(BAD_QUERY,         "bad_query",           400, CLIENT, "查询参数有误", "A query parameter is wrong")               \
    X(BAD_KEY,           "bad_idempotency_key", 400, CLIENT, "Idempotency-Key 格式错误",                                \
      "The Idempotency-Key must be 8 to 64 visible ASCII characters")                                                  \
    X(UNAUTHENTICATED,   "unauthenticated",     401, CLIENT, "请先登录", "Sign in first")                                \
    X(BAD_CREDENTIALS,   "bad_credentials",     401, CLIENT, "账号或密码不正确", "The login or the password is wrong")   \
    X(BAD_CODE,          "bad_code",            401, CLIENT, "验证码不正确或已失效", "The code is wrong or has expired") \
    X(BAD_TICKET,        "bad_ticket",          401, CLIENT, "登录凭据无效或已过期，请重新使用证书登录",                  \
      "The ticket is wrong or has expired: sign in with the certificate again")                                        \
    X(BAD_CHALLENGE,     "bad_challenge",       401, CLIENT, "签名挑战无效、已使用或已过期，请重新获取",                  \
      "The challenge is wrong, used or has expired: ask for a new one")                                                \
    X(BAD_SIGNATURE,     "bad_signature",       401, CLIENT, "签名验证失败，请确认使用的是所选证书的密钥",                 \
      "The signature does not verify: sign the challenge's exact bytes with the certificate's key")                    \
    X(CERT_MISSING,      "certificate_missing", 401, CLIENT, "未检测到数字证书，请插入 USB-Key 后重试",                   \
      "No certificate was presented: insert the USB-Key and try again")                                                \
    X(CERT_UNTRUSTED,    "certificate_untrusted", 401, CLIENT, "该证书不是本机构签发，请更换证书",                        \
      "The certificate was not issued by this authority: choose another")                                              \
    X(CERT_EXPIRED,      "certificate_expired", 401, CLIENT, "证书已过期，请办理延期",                                    \
      "The certificate has expired: apply for a renewal")                                                              \
    X(CERT_NOT_YET,      "certificate_not_yet_valid", 401, CLIENT, "证书尚未生效，请检查电脑时间",                        \
      "The certificate is not valid yet: check the computer's clock")                                                  \
    X(CERT_SELF_SIGNED,  "certificate_self_signed", 401, CLIENT, "这是自签名证书，请选择本机构签发的证书",                 \
      "The certificate is signed by itself: choose the one that this authority issued")                                \
    X(CERT_FORGED,       "certificate_forged",  401, CLIENT, "证书自称由本机构签发，但签名无效，请停止使用并联系客服",     \
      "The certificate claims to come from this authority, but its signature is not ours: stop using it and report it") \
    X(CERT_IS_CA,        "certificate_is_ca",   401, CLIENT, "这是机构（CA）的证书，请选择您自己的证书",                   \
      "This is an authority's certificate: choose your own")                                                           \
    X(CERT_ENCRYPTION,   "certificate_encryption", 401, CLIENT, "这是加密证书，请选择同一 USB-Key 中的签名证书",           \
      "This is an encryption certificate: choose the signing certificate of the same USB-Key")                         \
    X(CERT_KEY_USAGE,    "certificate_key_usage", 401, CLIENT, "该证书的密钥不能用于签名，请选择其他证书",                  \
      "The certificate's key may not sign: choose another")                                                            \
    X(CERT_PURPOSE,      "certificate_purpose", 401, CLIENT, "该证书不能用于登录，请选择用于身份认证的证书",               \
      "The certificate is not meant for signing in: choose one for client authentication")                             \
    X(CERT_WEAK,         "certificate_weak",    401, CLIENT, "证书的密钥或签名算法不安全，请办理更换",                     \
      "The certificate's key or signature algorithm is not secure: apply for a new one")                               \
    X(CERT_UNSUPPORTED,  "certificate_unsupported", 401, CLIENT, "系统不支持该证书的格式或密钥类型，请更换证书",            \
      "The certificate has a form or a kind of key that is not supported: choose another")                             \
    X(CERT_REVOKED,      "certificate_revoked", 401, CLIENT, "证书已吊销，请办理新证书",                                  \
      "The certificate has been revoked: apply for a new one")                                                         \
    X(CERT_SUPERSEDED,   "certificate_superseded", 401, CLIENT, "证书已被新证书取代，请使用新证书",                       \
      "The certificate was replaced: use the new one")                                                                 \
    X(CERT_UNBOUND,      "certificate_unbound", 401, CLIENT, "该证书未绑定账号，请先用手机号登录",                        \
      "The certificate belongs to no account here: sign in by phone first")                                            \
    X(CERT_DISABLED,     "certificate_disabled", 401, CLIENT, "该证书所属的账号已停用，请联系客服",                        \
      "The account that the certificate belongs to has been disabled: contact the authority")                          \
    X(CERT_NOT_MEMBER,   "certificate_not_member", 401, CLIENT, "您已不是该证书所属单位的经办人，请联系单位管理员",         \
      "You do not act for the certificate's unit any more: contact its administrator")                                 \
    X(CERT_OTHER,        "certificate_other_account", 401, CLIENT, "该证书属于其他账号，请使用本账号的证书",               \
      "The certificate belongs to another account: use one of this account")                                           \
    X(PROOF_REQUIRED,    "proof_required",      403, CLIENT, "请再次验证身份后继续", "Prove once more who you are")       \
    X(FORBIDDEN,         "forbidden",           403, CLIENT, "无权进行该操作", "Not allowed")                            \
    X(BAD_ORIGIN,        "bad_origin",          403, CLIENT, "请求来源不受信任", "The request's origin is not trusted")  \
    X(SAME_PERSON,       "same_person",         403, CLIENT, "同一人员不得重复经办同一订单",                              \
      "Nobody acts twice on one order: another person must do this")                                                   \
    X(NOT_VERIFIED,      "not_verified",        403, CLIENT, "请先完成实名认证", "Verify the identity first")            \
    X(CAPTCHA_REQUIRED,  "captcha_required",    403, CLIENT, "请输入图形验证码", "Answer a captcha first")               \
    X(NOT_FOUND,         "not_found",           404, CLIENT, "内容不存在", "Not found")                                  \
    X(METHOD,            "method_not_allowed",  405, CLIENT, "不支持的请求方法", "Method not allowed")                   \
    X(UPLOAD_SLOW,       "upload_too_slow",     408, CLIENT, "上传超时，请检查网络后重试",                                \
      "The upload took too long: check the connection and try again")                                                  \
    X(CONFLICT,          "conflict",            409, CLIENT, "当前状态下不能进行该操作",                                  \
      "Not possible in the present state")                                                                             \
    X(WRONG_STATE,       "wrong_state",         409, CLIENT, "订单当前状态不能进行该操作",                                \
      "The order's state does not allow this")                                                                         \
    X(VERSION_CONFLICT,  "version_conflict",    409, CLIENT, "内容已被修改，请刷新后重试",                                \
      "Changed meanwhile: read it again")                                                                              \
    X(CLAIMED,           "claimed_by_other",    409, CLIENT, "该订单正由其他人员处理",                                    \
      "Another member of staff is working on this order")                                                              \
    X(NOT_CLAIMED,       "not_claimed",         409, CLIENT, "请先领取该订单", "Claim the order first")                  \
    X(ALREADY_HELD,      "already_held",        409, CLIENT, "该单位在此项目下已有证书或在办订单",                        \
      "The unit already holds a certificate or has an order for this project")                                         \
    X(ALREADY_EXISTS,    "already_exists",      409, CLIENT, "内容已存在", "Already exists")                             \
    X(PHONE_TAKEN,       "phone_taken",         409, CLIENT, "该手机号已用于其他账号；如不再需要该账号，请登录后将其注销", \
      "Another account has this number: sign in there and close that account if it is not needed")                     \
    X(KEY_REUSED,        "idempotency_key_reused", 409, CLIENT, "Idempotency-Key 已用于其他请求",                         \
      "The Idempotency-Key was used for another request")                                                              \
    X(AGREEMENT_CHANGED, "agreement_changed",   409, CLIENT, "协议版本已更新，请重新阅读",                                \
      "The agreement has changed: read it again")                                                                      \
    X(FROZEN,            "material_frozen",     409, CLIENT, "该材料已提交审核且未被退回，不能修改",                       \
      "This material was submitted and not rejected: it cannot be changed")                                            \
    X(QUOTA,             "quota_exceeded",      413, CLIENT, "上传空间已用完，请删除不需要的材料或联系客服",               \
      "The space for uploads is used up: remove what is not needed, or ask the hall")                                  \
    X(TOO_LARGE,         "too_large",           413, CLIENT, "内容超出大小限制", "Too large")                            \
    X(MEDIA_TYPE,        "unsupported_media_type", 415, CLIENT, "不支持的文件或内容类型",                                 \
      "This type of content is not accepted")                                                                          \
    X(INVALID,           "invalid_fields",      422, CLIENT, "部分内容填写有误", "Some fields are wrong")                \
    X(INCOMPLETE,        "incomplete",          422, CLIENT, "资料不完整，请补充", "Something is still missing")         \
    X(BAD_FILE,          "bad_file",            422, CLIENT, "文件已损坏或格式不完整，请重新扫描后上传",                   \
      "The file is damaged or incomplete: scan it again and upload it")                                                \
    X(BAD_CAPTCHA,       "bad_captcha",         422, CLIENT, "图形验证码不正确或已失效，请重新获取",                       \
      "The captcha's answer is wrong or has expired: get another")                                                     \
    X(BAD_CSR,           "bad_csr",             422, CLIENT, "证书请求无效", "The certificate request is not acceptable") \
    X(WEAK_KEY,          "weak_key",            422, CLIENT, "密钥强度不足或已知不安全", "The key is weak or known bad") \
    X(RATE_LIMITED,      "rate_limited",        429, CLIENT, "操作过于频繁，请稍后再试", "Too often: try again later")   \
    X(INTERNAL,          "internal",            500, ALERT,  "系统内部错误", "Internal error")                           \
    X(NO_MEMORY,         "no_memory",           503, ERROR,  "系统繁忙，请稍后再试", "Out of memory: try again later")   \
    X(BUSY,              "busy",                503, ERROR,  "系统繁忙，请稍后再试", "Busy: try again shortly")          \
    X(DATABASE,          "database_unavailable", 503, ERROR, "系统暂时不可用，请稍后再试",                                \
      "The database is unavailable: try again shortly")                                                                \
    X(REDIS,             "session_store_unavailable", 503, ERROR, "系统暂时不可用，请稍后再试",                           \
      "The session store is unavailable: try again shortly")                                                           \
    X(CERT_STATUS,       "certificate_status_unknown", 503, ERROR, "暂时无法确认证书是否已吊销，请稍后再试",              \
      "Whether the certificate was revoked cannot be found out now: try again shortly")                                \
    X(EGRESS,            "provider_unavailable", 503, ERROR, "外部服务暂时不可用，请稍后再试",                            \
      "An outside service is unavailable: try again shortly")                                                          \
    X(STORE,             "store_unavailable",   503, ERROR,  "文件存储暂时不可用，请稍后再试",                            \
      "The material store is unavailable: try again shortly")                                                          \
    X(STORE_FULL,        "store_full",          507, ALERT,  "文件存储空间不足，请稍后再试",                              \
      "The material store is full: try again later")

#define CP_ERROR_NAME(name, code, status, level, zh, en)  CP_E_##name,

typedef enum {
    CP_OK = 0,
    CP_ERRORS(CP_ERROR_NAME)

    /* Never seen by a client: they steer the code above the database. */
    CP_E_RETRY,        /* deadlock or lock time-out: run the operation again from its start */
    CP_E_DUPLICATE,    /* a unique key refused the row */
    CP_E_REPLAY,       /* the idempotency key's first answer was found and is in the call */
    CP_E_END
} cp_code_t;

#undef CP_ERROR_NAME

typedef struct {
    const char     *code;
    int             status;
    cp_log_level_t  level;
    const char     *zh;
    const char     *en;
} cp_error_t;

/* The row of a code; the row of INTERNAL for CP_OK and for codes that no client may see. Static storage. */
const cp_error_t *cp_error(cp_code_t code);

/* Why a field is bad. X(name, code, zh-CN, en) */
#define CP_FIELD_ERRORS(X)                                                                                             \
    X(REQUIRED,    "required",    "必填", "is required")                                                               \
    X(UNKNOWN,     "unknown",     "未知字段", "is not a known field")                                                   \
    X(REPEATED,    "repeated",    "重复", "is there more than once")                                                    \
    X(TYPE,        "type",        "类型错误", "has the wrong type")                                                     \
    X(TOO_SHORT,   "too_short",   "过短", "is too short")                                                              \
    X(TOO_LONG,    "too_long",    "过长", "is too long")                                                               \
    X(RANGE,       "range",       "超出范围", "is out of range")                                                        \
    X(CHOICE,      "choice",      "不在可选范围内", "is not one of the choices")                                         \
    X(FORMAT,      "format",      "格式错误", "has the wrong format")                                                   \
    X(CHECK_DIGIT, "check_digit", "校验位错误", "has a wrong check digit")                                               \
    X(MISMATCH,    "mismatch",    "与认证信息不一致", "does not match what was verified")                                \
    X(COMMON,      "common",      "过于常见", "is too common")                                                          \
    X(WEAK,        "weak",        "强度不足", "is too easily guessed")                                                  \
    X(REJECTED,    "rejected",    "未通过审核，请修改", "was rejected by review: correct it")                            \
    X(NOT_SOLD,    "not_sold",    "当前不可选", "is not offered")

#define CP_FIELD_ERROR_NAME(name, code, zh, en)  CP_F_##name,
typedef enum { CP_FIELD_ERRORS(CP_FIELD_ERROR_NAME) CP_F_END } cp_field_code_t;
#undef CP_FIELD_ERROR_NAME

typedef struct {
    const char *code;
    const char *zh;
    const char *en;
} cp_field_error_t;

/* The row of a field's fault. Static storage. */
const cp_field_error_t *cp_field_error(cp_field_code_t code);

/* Returns the code from the enclosing function unless it is CP_OK. */
#define CP_TRY(expression)                                                                                             \
    do {                                                                                                               \
        cp_code_t cp_try_code = (expression);                                                                          \
        if (cp_try_code != CP_OK) {                                                                                    \
            return cp_try_code;                                                                                        \
        }                                                                                                              \
    } while (0)

#endif
