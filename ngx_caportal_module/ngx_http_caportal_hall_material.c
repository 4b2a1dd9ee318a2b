/* The setters of what a hall says of its materials beside texts, types and size: limits, a sample, what goes wrong. */
#include "ngx_http_caportal_hall.h"


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


/* What the gate says of a file whose name tells its type. */
static cp_code_t
ngx_http_caportal_picture_fault(cp_str_t path, cp_str_t bytes)
{
    cp_gate_t                     gate;
    cp_gate_head_t                head = { .length = -1 };
    static const cp_gate_limits_t limits = { .types = CP_TYPE_JPEG | CP_TYPE_PNG, .max_size = INT64_MAX };

    head.content_type = cp_str(cp_type_mime(cp_type_of_name(path)));

    CP_TRY(cp_gate_open(&gate, &limits, CP_GATE_RAW, &head, NULL, NULL));
    CP_TRY(cp_gate_write(&gate, bytes.data, bytes.len));

    return cp_gate_finish(&gate);
}


/* A whole picture of the type that its name tells, which browsers show. */
char *
ngx_http_caportal_picture(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char       *rv;
    cp_str_t    bytes;
    ngx_str_t  *value = ngx_http_caportal_word(cf);

    if ((cp_type_of_name(ngx_http_caportal_str(*value)) & (CP_TYPE_JPEG | CP_TYPE_PNG)) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" is named neither .jpg nor .png", &cmd->name, value);
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_caportal_file(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_http_caportal_read_file(cf, value, &bytes) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_caportal_picture_fault(ngx_http_caportal_str(*value), bytes) != CP_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" is not the whole picture that its name tells",
                           &cmd->name, value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
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
