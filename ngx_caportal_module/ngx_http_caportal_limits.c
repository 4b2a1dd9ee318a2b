/* Directives against abuse: how many messages, when a captcha. Their words are rows of a table, with the defaults. */
#include "ngx_http_caportal.h"

#define LIMIT_MAX  1000000

typedef struct {
    const char  *name;
    size_t       offset;     /* of an unsigned in cp_app_t */
    unsigned     normal;     /* where it is not given */
    unsigned     most;
    ngx_uint_t   time;       /* unsigned: a time in seconds, of at least one minute */
} ngx_http_caportal_number_t;

#define LIMIT(member)    offsetof(cp_app_t, sms_limits.member)
#define CAPTCHA(member)  offsetof(cp_app_t, captcha.member)

static const ngx_http_caportal_number_t  ngx_http_caportal_sms_numbers[] = {
    { "number_minute", LIMIT(number_minute), 1, LIMIT_MAX, 0 },
    { "number_hour", LIMIT(number_hour), 5, LIMIT_MAX, 0 },
    { "number_day", LIMIT(number_day), 10, LIMIT_MAX, 0 },
    { "address_hour", LIMIT(address_hour), 10, LIMIT_MAX, 0 },
    { "address_day", LIMIT(address_day), 30, LIMIT_MAX, 0 },
    { "network_hour", LIMIT(network_hour), 100, LIMIT_MAX, 0 },
    { "budget_minute", LIMIT(budget_minute), 600, LIMIT_MAX, 0 },
    { "segment_codes", LIMIT(segment_codes), 20, LIMIT_MAX, 0 },
    { "segment_return", LIMIT(segment_return), 20, 100, 0 },
    { "segment_time", LIMIT(segment_time_s), 3600, 86400, 1 },
};

static const ngx_http_caportal_number_t  ngx_http_caportal_captcha_numbers[] = {
    { "password", CAPTCHA(password), 3, LIMIT_MAX, 0 },
    { "images", CAPTCHA(images), 120, LIMIT_MAX, 0 },
    { "questions", CAPTCHA(questions), 12, LIMIT_MAX, 0 },
};

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define NUMBERS_MAX   10


/* A number, or a time, of a row; where nothing was written it is as usual. */
static char *
ngx_http_caportal_number(ngx_conf_t *cf, const ngx_http_caportal_number_t *row, ngx_str_t *word, cp_app_t *app)
{
    int64_t    n = 0;
    unsigned  *member = (unsigned *) ((char *) app + row->offset);
    ngx_int_t  s;

    if (word->data == NULL) {
        *member = row->normal;
        return NGX_CONF_OK;
    }

    if (row->time) {
        s = ngx_parse_time(word, 1);
        n = s == NGX_ERROR || s < 60 ? -1 : s;
    } else if (!cp_str_number(ngx_http_caportal_str(*word), &n)) {
        n = -1;
    }

    if (n < 0 || n > row->most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %s \"%V\" of \"%V\"", row->time ? "time" : "number", word,
                           cf->args->elts);
        return NGX_CONF_ERROR;
    }

    *member = (unsigned) n;
    return NGX_CONF_OK;
}


/* A directive's numbers, and what it has besides. */
static char *
ngx_http_caportal_numbers(ngx_conf_t *cf, const ngx_http_caportal_number_t *rows, size_t count,
    ngx_http_caportal_param_t *more, cp_app_t *app)
{
    char                       *rv;
    size_t                      i;
    ngx_str_t                   words[NUMBERS_MAX];
    ngx_http_caportal_param_t   params[NUMBERS_MAX + 1];

    for (i = 0; i < count; i++) {
        params[i].name = rows[i].name;
        params[i].value = &words[i];
        params[i].required = 0;
    }
    if (more != NULL) {
        params[i] = *more;
    }

    rv = ngx_http_caportal_params(cf, 1, params, more == NULL ? count : count + 1);

    for (i = 0; i < count && rv == NGX_CONF_OK; i++) {
        rv = ngx_http_caportal_number(cf, &rows[i], &words[i], app);
    }

    return rv;
}


char *
ngx_http_caportal_sms_limits(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_caportal_main_conf_t  *cmcf = conf;

    _Static_assert(COUNT(ngx_http_caportal_sms_numbers) <= NUMBERS_MAX, "more numbers than a directive takes");

    if (cmcf->sms_limited) {
        return "is duplicate";
    }
    cmcf->sms_limited = 1;

    return ngx_http_caportal_numbers(cf, ngx_http_caportal_sms_numbers, COUNT(ngx_http_caportal_sms_numbers), NULL,
                                     &cmcf->app);
}


static char *
ngx_http_caportal_captcha_when(ngx_conf_t *cf, ngx_str_t *word, cp_captcha_when_t *when)
{
    static const char *const  words[] = {
        [CP_CAPTCHA_OFF] = "off", [CP_CAPTCHA_ADAPTIVE] = "adaptive", [CP_CAPTCHA_ALWAYS] = "always",
    };

    size_t  i;

    *when = CP_CAPTCHA_ALWAYS;
    if (word->data == NULL) {
        return NGX_CONF_OK;
    }

    for (i = 0; i < COUNT(words); i++) {
        if (cp_str_is(ngx_http_caportal_str(*word), words[i])) {
            *when = (cp_captcha_when_t) i;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\" of \"%V\": expected \"always\", \"adaptive\" or "
                       "\"off\"", word, cf->args->elts);
    return NGX_CONF_ERROR;
}


char *
ngx_http_caportal_captcha(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    ngx_str_t                       sms;
    ngx_http_caportal_main_conf_t  *cmcf = conf;
    ngx_http_caportal_param_t       param = { "sms", &sms, 0 };

    if (cmcf->captcha_set) {
        return "is duplicate";
    }
    cmcf->captcha_set = 1;

    rv = ngx_http_caportal_numbers(cf, ngx_http_caportal_captcha_numbers, COUNT(ngx_http_caportal_captcha_numbers),
                                   &param, &cmcf->app);

    return rv != NGX_CONF_OK ? rv : ngx_http_caportal_captcha_when(cf, &sms, &cmcf->app.captcha.sms);
}


void
ngx_http_caportal_limits_init(ngx_http_caportal_main_conf_t *cmcf)
{
    size_t     i;
    ngx_str_t  none = ngx_null_string;

    for (i = 0; i < COUNT(ngx_http_caportal_sms_numbers) && !cmcf->sms_limited; i++) {
        (void) ngx_http_caportal_number(NULL, &ngx_http_caportal_sms_numbers[i], &none, &cmcf->app);
    }

    if (cmcf->captcha_set) {
        return;
    }

    cmcf->app.captcha.sms = CP_CAPTCHA_ALWAYS;
    for (i = 0; i < COUNT(ngx_http_caportal_captcha_numbers); i++) {
        (void) ngx_http_caportal_number(NULL, &ngx_http_caportal_captcha_numbers[i], &none, &cmcf->app);
    }
}
