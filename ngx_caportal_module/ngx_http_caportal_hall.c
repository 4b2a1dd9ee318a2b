/* The setters of the directives inside a hall. */
#include "ngx_http_caportal_hall.h"

#define PRICE_MAX_YUAN      1000000
#define CLAIM_MAX           (30 * 24 * 3600)
#define AGREEMENT_MAX_SIZE  (256 * 1024)

/* The hall whose project is being read; configuration is read by one thread. */
static cp_hall_t  *ngx_http_caportal_current_hall;


void *
ngx_http_caportal_object(ngx_conf_t *cf)
{
    return ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_hall_module);
}


char *
ngx_http_caportal_twice(ngx_conf_t *cf, const char *what)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate %s \"%V\"", what, &((ngx_str_t *) cf->args->elts)[1]);
    return NGX_CONF_ERROR;
}


char *
ngx_http_caportal_parse_project(ngx_conf_t *cf, cp_hall_t *hall, cp_project_t *project,
    ngx_http_caportal_parse_pt parse)
{
    char  *rv;

    ngx_http_caportal_current_hall = hall;
    rv = parse(cf, NGX_HTTP_CAPORTAL_PROJECT_CONF, project);
    ngx_http_caportal_current_hall = NULL;

    return rv;
}


static ngx_str_t *
ngx_http_caportal_word(ngx_conf_t *cf)
{
    return &((ngx_str_t *) cf->args->elts)[1];
}


static char *
ngx_http_caportal_bad(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\" of \"%V\"", value, &cmd->name);
    return NGX_CONF_ERROR;
}


char *
ngx_http_caportal_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if (value->len == 0 || !cp_str_is_text(ngx_http_caportal_str(*value))) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    return ngx_conf_set_str_slot(cf, cmd, conf);
}


char *
ngx_http_caportal_words(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    unsigned   *set = (unsigned *) ((char *) conf + cmd->offset), bit;
    ngx_str_t  *value = cf->args->elts;
    ngx_uint_t  i;

    if (*set != 0) {
        return "is duplicate";
    }

    for (i = 1; i < cf->args->nelts; i++) {
        bit = cp_word_bit(cmd->post, ngx_http_caportal_str(value[i]));
        if (bit == 0) {
            return ngx_http_caportal_bad(cf, cmd, &value[i]);
        }
        *set |= bit;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_flow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    cp_flow_t        *flow = (cp_flow_t *) ((char *) conf + cmd->offset);
    ngx_str_t        *value = ngx_http_caportal_word(cf);
    ngx_conf_enum_t  *e;

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    for (e = cmd->post; e->name.len != 0; e++) {
        if (e->name.len == value->len && ngx_strncmp(e->name.data, value->data, value->len) == 0) {
            *flow = (cp_flow_t) e->value;
            return NGX_CONF_OK;
        }
    }

    return ngx_http_caportal_bad(cf, cmd, value);
}


char *
ngx_http_caportal_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    bool       *flag = (bool *) ((char *) conf + cmd->offset);
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    if (cp_str_is(ngx_http_caportal_str(*value), "on")) {
        *flag = true;
    } else if (cp_str_is(ngx_http_caportal_str(*value), "off")) {
        *flag = false;
    } else {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    unsigned   *number = (unsigned *) ((char *) conf + cmd->offset);
    int64_t     n;
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    if (!cp_str_number(ngx_http_caportal_str(*value), &n) || n < 1 || n > 100) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    *number = (unsigned) n;
    return NGX_CONF_OK;
}


char *
ngx_http_caportal_minutes(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    unsigned   *minutes = (unsigned *) ((char *) conf + cmd->offset);
    ngx_int_t   seconds;
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    seconds = ngx_parse_time(value, 1);
    if (seconds == NGX_ERROR || seconds < 60 || seconds > CLAIM_MAX) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    *minutes = (unsigned) (seconds / 60);
    return NGX_CONF_OK;
}


char *
ngx_http_caportal_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t     *size = (size_t *) ((char *) conf + cmd->offset);
    ssize_t     n;
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    n = ngx_parse_size(value);
    if (n == NGX_ERROR || n == 0) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    *size = (size_t) n;
    return NGX_CONF_OK;
}


/* Yuan with at most two decimals, into fen. */
char *
ngx_http_caportal_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int64_t    *fen = (int64_t *) ((char *) conf + cmd->offset), yuan, cents = 0;
    cp_str_t    whole, rest;
    ngx_str_t  *value = ngx_http_caportal_word(cf);
    u_char     *point = ngx_strlchr(value->data, value->data + value->len, '.');

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    whole = cp_str_n(value->data, point == NULL ? value->len : (size_t) (point - value->data));
    rest = point == NULL ? CP_STR_NULL : cp_str_n(point + 1, value->len - whole.len - 1);

    if (!cp_str_number(whole, &yuan) || yuan > PRICE_MAX_YUAN) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    if (rest.data != NULL && (rest.len == 0 || rest.len > 2 || !cp_str_number(rest, &cents))) {
        return ngx_http_caportal_bad(cf, cmd, value);
    }

    *fen = yuan * 100 + (rest.len == 1 ? cents * 10 : cents);
    return NGX_CONF_OK;
}


/* A path that must be readable now; relative ones stand beside the configuration. */
char *
ngx_http_caportal_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *rv = ngx_http_caportal_readable(cf, ngx_http_caportal_word(cf));

    return rv == NGX_CONF_OK ? ngx_conf_set_str_slot(cf, cmd, conf) : rv;
}


char *
ngx_http_caportal_max_pixels(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    return ngx_http_caportal_pixels(ngx_http_caportal_word(cf), (int64_t *) ((char *) conf + cmd->offset));
}


char *
ngx_http_caportal_max_pages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    return ngx_http_caportal_pages(ngx_http_caportal_word(cf), (int64_t *) ((char *) conf + cmd->offset));
}


/* A file that browsers show as a picture by the type that its name tells. */
char *
ngx_http_caportal_picture(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if ((cp_type_of_name(ngx_http_caportal_str(*value)) & (CP_TYPE_JPEG | CP_TYPE_PNG)) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" is named neither .jpg nor .png", &cmd->name, value);
        return NGX_CONF_ERROR;
    }

    return ngx_http_caportal_file(cf, cmd, conf);
}


char *
ngx_http_caportal_sample_path(ngx_conf_t *cf, const cp_hall_t *hall, cp_material_rule_t *rule)
{
    cp_str_t                        path;
    ngx_http_caportal_main_conf_t  *cmcf;

    if (rule->example.data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "material \"%s\" has both \"sample\" and \"example\"",
                           rule->kind.data);
        return NGX_CONF_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);

    path = cp_str_printf(cmcf->arena, "/api/samples/%s/%s", hall->name.data, rule->kind.data);
    rule->example = path;

    return path.data == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}


/* What goes wrong with a material, a text for each. */
char *
ngx_http_caportal_wrong(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    cp_str_t             text;
    ngx_uint_t           i;
    cp_material_rule_t  *rule = conf;

    for (i = 1; i < cf->args->nelts; i++) {
        text = ngx_http_caportal_str(((ngx_str_t *) cf->args->elts)[i]);

        if (text.len == 0 || !cp_str_is_text(text)) {
            return ngx_http_caportal_bad(cf, cmd, &((ngx_str_t *) cf->args->elts)[i]);
        }
        if (rule->wrong_count == CP_WRONG_MAX) {
            return "has one text too many";
        }
        rule->wrong[rule->wrong_count++] = text;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_payee(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    cp_payee_t  *payee = (cp_payee_t *) ((char *) conf + cmd->offset);
    ngx_str_t    name, bank, account;
    char        *rv;

    ngx_http_caportal_param_t  params[] = {
        { "name", &name, 1 }, { "bank", &bank, 1 }, { "account", &account, 1 },
    };

    if (ngx_http_caportal_again(cmd)) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, 3);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    payee->name = ngx_http_caportal_str(name);
    payee->bank = ngx_http_caportal_str(bank);
    payee->account = ngx_http_caportal_str(account);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_caportal_read_file(ngx_conf_t *cf, ngx_str_t *path, cp_str_t *text)
{
    u_char           *p;
    off_t             size;
    ngx_file_t        file;
    ngx_int_t         rc = NGX_ERROR;
    ngx_file_info_t   fi;

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = *path;
    file.log = cf->log;

    file.fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "\"%V\": cannot open \"%V\"", cf->args->elts, path);
        return NGX_ERROR;
    }

    if (ngx_fd_info(file.fd, &fi) != NGX_FILE_ERROR) {
        size = ngx_file_size(&fi);
        p = size > AGREEMENT_MAX_SIZE ? NULL : ngx_pnalloc(cf->pool, (size_t) size + 1);
        if (p != NULL && ngx_read_file(&file, p, (size_t) size, 0) == (ssize_t) size) {
            *text = cp_str_n(p, (size_t) size);
            rc = NGX_OK;
        }
    }

    (void) ngx_close_file(file.fd);

    if (rc != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" cannot be read or is larger than %d bytes",
                           cf->args->elts, path, AGREEMENT_MAX_SIZE);
    }

    return rc;
}


char *
ngx_http_caportal_agreement(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    cp_str_t                        sha256;
    ngx_str_t                      *value = cf->args->elts;
    cp_agreement_t                 *agreement = (cp_agreement_t *) ((char *) conf + cmd->offset);
    ngx_http_caportal_main_conf_t  *cmcf;

    if (agreement->version.data != NULL) {
        return "is duplicate";
    }

    if (value[1].len == 0 || value[1].len > 32) {
        return ngx_http_caportal_bad(cf, cmd, &value[1]);
    }

    if (ngx_conf_full_name(cf->cycle, &value[2], 1) != NGX_OK
        || ngx_http_caportal_read_file(cf, &value[2], &agreement->text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
    sha256 = cp_sha256_hex(cmcf->arena, agreement->text);
    if (sha256.data == NULL) {
        return NGX_CONF_ERROR;
    }

    agreement->version = ngx_http_caportal_str(value[1]);
    agreement->file = ngx_http_caportal_str(value[2]);
    agreement->sha256 = sha256;

    return NGX_CONF_OK;
}


/* "for=enterprise" and "service=new" narrow the materials of their line. */
static char *
ngx_http_caportal_need_scope(ngx_conf_t *cf, ngx_str_t *word, cp_material_need_t *scope)
{
    cp_str_t    s = ngx_http_caportal_str(*word);
    unsigned    bit;

    if (cp_str_starts(s, "for=")) {
        bit = cp_word_bit(cp_applicant_words, cp_str_n(s.data + 4, s.len - 4));
        scope->applicants |= bit;
    } else {
        bit = cp_word_bit(cp_service_words, cp_str_n(s.data + 8, s.len - 8));
        scope->services |= bit;
    }

    if (bit == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\" of \"%V\"", word, cf->args->elts);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_add_need(ngx_conf_t *cf, cp_project_t *project, ngx_str_t *kind, const cp_material_need_t *scope)
{
    size_t               i;
    cp_material_need_t  *need;

    for (i = 0; i < project->need_count; i++) {
        if (cp_str_eq(project->needs[i].rule->kind, ngx_http_caportal_str(*kind))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": material \"%V\" is asked for twice", cf->args->elts,
                               kind);
            return NGX_CONF_ERROR;
        }
    }

    if (project->need_count == CP_CATALOG_MAX) {
        return "names one material too many";
    }

    need = &project->needs[project->need_count];
    *need = *scope;

    need->rule = cp_hall_material(ngx_http_caportal_current_hall, ngx_http_caportal_str(*kind));
    if (need->rule == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": unknown material \"%V\": define it above the project",
                           cf->args->elts, kind);
        return NGX_CONF_ERROR;
    }

    project->need_count++;

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_need(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                *rv;
    ngx_str_t           *value = cf->args->elts;
    ngx_uint_t           i, named = 0;
    cp_material_need_t   scope;

    ngx_memzero(&scope, sizeof(scope));
    scope.required = cmd->offset != 0;

    for (i = 1; i < cf->args->nelts; i++) {
        if (cp_str_starts(ngx_http_caportal_str(value[i]), "for=")
            || cp_str_starts(ngx_http_caportal_str(value[i]), "service="))
        {
            rv = ngx_http_caportal_need_scope(cf, &value[i], &scope);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    scope.applicants = scope.applicants == 0 ? ~0u : scope.applicants;
    scope.services = scope.services == 0 ? ~0u : scope.services;

    for (i = 1; i < cf->args->nelts; i++) {
        if (cp_str_starts(ngx_http_caportal_str(value[i]), "for=")
            || cp_str_starts(ngx_http_caportal_str(value[i]), "service="))
        {
            continue;
        }

        rv = ngx_http_caportal_add_need(cf, conf, &value[i], &scope);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
        named = 1;
    }

    return named ? NGX_CONF_OK : "names no material";
}


char *
ngx_http_caportal_profile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_caportal_main_conf_t    *cmcf;
    ngx_http_caportal_profile_use_t  *use;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);

    use = ngx_array_push(&cmcf->profile_uses);
    if (use == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(use, sizeof(ngx_http_caportal_profile_use_t));
    use->product = conf;
    use->profile = ngx_http_caportal_str(*ngx_http_caportal_word(cf));
    ngx_http_caportal_note(cf, &use->place);

    return ngx_conf_set_str_slot(cf, cmd, conf);
}


ngx_int_t
ngx_http_caportal_check_profiles(ngx_conf_t *cf, const cp_profiles_t *profiles)
{
    ngx_uint_t                         i;
    const cp_profile_t                *profile;
    ngx_http_caportal_main_conf_t     *cmcf;
    ngx_http_caportal_profile_use_t   *use;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
    use = cmcf->profile_uses.elts;

    for (i = 0; i < cmcf->profile_uses.nelts; i++) {
        profile = profiles == NULL ? NULL : cp_profile_find(profiles, use[i].profile);

        if (profile == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"profile\": unknown certificate profile \"%s\" in %V:%ui",
                          use[i].profile.data, &use[i].place.file, use[i].place.line);
            return NGX_ERROR;
        }

        if (use[i].product->years < profile->years_min || use[i].product->years > profile->years_max) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"profile\": \"%s\" is not for %ui years, as product \"%s\" is, in %V:%ui",
                          use[i].profile.data, (ngx_uint_t) use[i].product->years, use[i].product->name.data,
                          &use[i].place.file, use[i].place.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
