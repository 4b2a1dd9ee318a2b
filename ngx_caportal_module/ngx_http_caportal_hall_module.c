/*
 * caportal_hall NAME { … }: what a hall sells and asks for. The blocks inside have directive tables of their own, so
 * that every fault is reported at its file and line.
 */
#include "ngx_http_caportal.h"

#include "ngx_http_caportal_hall.h"

static char *ngx_http_caportal_hall_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_caportal_project_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_caportal_product_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_caportal_material_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


static ngx_conf_enum_t  ngx_http_caportal_flows[] = {
    { ngx_string("review_then_pay"), CP_REVIEW_THEN_PAY },
    { ngx_string("pay_then_review"), CP_PAY_THEN_REVIEW },
    { ngx_null_string, 0 }
};

#define NAME_CHARACTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define NAME_MAX_LENGTH  64

#define HALL      NGX_HTTP_CAPORTAL_HALL_CONF
#define PROJECT   NGX_HTTP_CAPORTAL_PROJECT_CONF
#define PRODUCT   NGX_HTTP_CAPORTAL_PRODUCT_CONF
#define MATERIAL  NGX_HTTP_CAPORTAL_MATERIAL_CONF

/* One directive of a block: where it stands, how many words, its setter, the member it fills, the setter's table. */
#define DIRECTIVE(name, context, arity, setter, member, table)                                                         \
    { ngx_string(name), (context)|(arity), setter, NGX_HTTP_MAIN_CONF_OFFSET, member, (void *) (uintptr_t) (table) }


static ngx_command_t  ngx_http_caportal_hall_commands[] = {

    { ngx_string("caportal_hall"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_caportal_hall_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    DIRECTIVE("title", HALL, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_hall_t, title), NULL),
    DIRECTIVE("phone", HALL, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_hall_t, phone), NULL),
    DIRECTIVE("sign_in", HALL, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_hall_t, sign_in),
              cp_sign_in_words),
    DIRECTIVE("payments", HALL, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_hall_t, payments),
              cp_payment_words),
    DIRECTIVE("flow", HALL, NGX_CONF_TAKE1, ngx_http_caportal_flow, offsetof(cp_hall_t, flow),
              ngx_http_caportal_flows),
    DIRECTIVE("review_days", HALL, NGX_CONF_TAKE1, ngx_http_caportal_number, offsetof(cp_hall_t, review_days), NULL),
    DIRECTIVE("claim", HALL, NGX_CONF_TAKE1, ngx_http_caportal_minutes, offsetof(cp_hall_t, claim_minutes), NULL),
    DIRECTIVE("payee", HALL, NGX_CONF_TAKE3, ngx_http_caportal_payee, offsetof(cp_hall_t, payee), NULL),
    DIRECTIVE("agreement", HALL, NGX_CONF_TAKE2, ngx_http_caportal_agreement, offsetof(cp_hall_t, agreement), NULL),
    DIRECTIVE("material", HALL, NGX_CONF_BLOCK|NGX_CONF_TAKE1, ngx_http_caportal_material_block, 0, NULL),
    DIRECTIVE("project", HALL, NGX_CONF_BLOCK|NGX_CONF_TAKE1, ngx_http_caportal_project_block, 0, NULL),

    DIRECTIVE("title", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_material_rule_t, title), NULL),
    DIRECTIVE("types", MATERIAL, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_material_rule_t, types),
              cp_type_words),
    DIRECTIVE("max_size", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_size, offsetof(cp_material_rule_t, max_size),
              NULL),
    DIRECTIVE("max_pixels", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_max_pixels,
              offsetof(cp_material_rule_t, max_pixels), NULL),
    DIRECTIVE("max_pages", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_max_pages,
              offsetof(cp_material_rule_t, max_pages), NULL),
    DIRECTIVE("template", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_file,
              offsetof(cp_material_rule_t, template_file), NULL),
    DIRECTIVE("example", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_material_rule_t, example),
              NULL),
    DIRECTIVE("sample", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_picture,
              offsetof(cp_material_rule_t, sample_file), NULL),
    DIRECTIVE("wrong", MATERIAL, NGX_CONF_1MORE, ngx_http_caportal_wrong, 0, NULL),
    DIRECTIVE("hint", MATERIAL, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_material_rule_t, hint), NULL),

    DIRECTIVE("title", PROJECT, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_project_t, title), NULL),
    DIRECTIVE("free", PROJECT, NGX_CONF_TAKE1, ngx_http_caportal_flag, offsetof(cp_project_t, free), NULL),
    DIRECTIVE("one_per_unit", PROJECT, NGX_CONF_TAKE1, ngx_http_caportal_flag, offsetof(cp_project_t, one_per_unit),
              NULL),
    DIRECTIVE("applicants", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_project_t, applicants),
              cp_applicant_words),
    DIRECTIVE("services", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_project_t, services),
              cp_service_words),
    DIRECTIVE("invoices", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_project_t, invoices),
              cp_invoice_words),
    DIRECTIVE("deliveries", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_project_t, deliveries),
              cp_delivery_words),
    DIRECTIVE("require", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_need, 1, NULL),
    DIRECTIVE("optional", PROJECT, NGX_CONF_1MORE, ngx_http_caportal_need, 0, NULL),
    DIRECTIVE("product", PROJECT, NGX_CONF_BLOCK|NGX_CONF_TAKE1, ngx_http_caportal_product_block, 0, NULL),

    DIRECTIVE("title", PRODUCT, NGX_CONF_TAKE1, ngx_http_caportal_text, offsetof(cp_product_t, title), NULL),
    DIRECTIVE("years", PRODUCT, NGX_CONF_TAKE1, ngx_http_caportal_number, offsetof(cp_product_t, years), NULL),
    DIRECTIVE("price", PRODUCT, NGX_CONF_TAKE1, ngx_http_caportal_price, offsetof(cp_product_t, price_fen), NULL),
    DIRECTIVE("profile", PRODUCT, NGX_CONF_TAKE1, ngx_http_caportal_profile, offsetof(cp_product_t, profile), NULL),
    DIRECTIVE("seal", PRODUCT, NGX_CONF_TAKE1, ngx_http_caportal_flag, offsetof(cp_product_t, seal), NULL),
    DIRECTIVE("keys", PRODUCT, NGX_CONF_1MORE, ngx_http_caportal_words, offsetof(cp_product_t, keys), cp_key_words),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_hall_module_ctx = {
    NULL,
    NULL,

    NULL,
    NULL,

    NULL,
    NULL,

    NULL,
    NULL
};


ngx_module_t  ngx_http_caportal_hall_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_hall_module_ctx,
    ngx_http_caportal_hall_commands,
    NGX_HTTP_MODULE,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NGX_MODULE_V1_PADDING
};


/* The directives that the block being read had so far, a bit each; configuration is read by one thread. */
static uint64_t  ngx_http_caportal_seen;

_Static_assert(sizeof(ngx_http_caportal_hall_commands) / sizeof(ngx_command_t) <= 64,
               "too many directives for a bit each");


ngx_uint_t
ngx_http_caportal_again(ngx_command_t *cmd)
{
    uint64_t  bit = UINT64_C(1) << (cmd - ngx_http_caportal_hall_commands);

    if (ngx_http_caportal_seen & bit) {
        return 1;
    }

    ngx_http_caportal_seen |= bit;

    return 0;
}


/* Names go into paths and columns. */
static char *
ngx_http_caportal_check_name(ngx_conf_t *cf)
{
    size_t      i;
    ngx_str_t  *name = &((ngx_str_t *) cf->args->elts)[1];

    for (i = 0; i < name->len; i++) {
        if (name->data[i] == '\0' || ngx_strchr(NAME_CHARACTERS, name->data[i]) == NULL) {
            break;
        }
    }

    if (name->len == 0 || name->len > NAME_MAX_LENGTH || i < name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of \"%V\": expected at most %d letters, digits, \"-\" and \"_\"", name,
                           cf->args->elts, NAME_MAX_LENGTH);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Parses a block whose directives fill `object`: they find it where they look for their main configuration. */
static char *
ngx_http_caportal_parse(ngx_conf_t *cf, ngx_uint_t type, void *object)
{
    char                 *rv;
    void                **main_conf;
    ngx_conf_t            save = *cf;
    uint64_t              seen = ngx_http_caportal_seen;
    ngx_http_conf_ctx_t   ctx, *outer = cf->ctx;

    if (ngx_http_caportal_check_name(cf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    main_conf = ngx_palloc(cf->pool, sizeof(void *) * ngx_http_max_module);
    if (main_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(main_conf, outer->main_conf, sizeof(void *) * ngx_http_max_module);
    main_conf[ngx_http_caportal_hall_module.ctx_index] = object;

    ctx = *outer;
    ctx.main_conf = main_conf;

    cf->ctx = &ctx;
    cf->module_type = NGX_HTTP_MODULE;
    cf->cmd_type = type;

    ngx_http_caportal_seen = 0;

    rv = ngx_conf_parse(cf, NULL);

    ngx_http_caportal_seen = seen;
    *cf = save;

    return rv;
}


static char *
ngx_http_caportal_hall_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    cp_str_t                        name = ngx_http_caportal_str(((ngx_str_t *) cf->args->elts)[1]);
    cp_hall_t                      *hall;
    const char                     *fault;
    cp_catalog_t                   *catalog;
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
    catalog = &cmcf->app.catalog;

    if (cp_catalog_hall(catalog, name) != NULL && catalog->hall_count > 0
        && cp_str_eq(cp_catalog_hall(catalog, name)->name, name))
    {
        return ngx_http_caportal_twice(cf, "hall");
    }

    if (catalog->hall_count == CP_CATALOG_MAX) {
        return "is one too many";
    }

    hall = ngx_pcalloc(cf->pool, sizeof(cp_hall_t));
    if (hall == NULL) {
        return NGX_CONF_ERROR;
    }

    hall->name = name;
    hall->review_days = 1;
    hall->claim_minutes = 30;

    rv = ngx_http_caportal_parse(cf, HALL, hall);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    fault = cp_hall_check(hall, cmcf->arena);
    if (fault != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "hall \"%s\": %s", hall->name.data, fault);
        return NGX_CONF_ERROR;
    }

    if (hall->sign_in & CP_SIGN_IN_SCAN) {
        ngx_http_caportal_note(cf, &cmcf->scan);
    }
    if (hall->sign_in & CP_SIGN_IN_CHALLENGE) {
        ngx_http_caportal_note(cf, &cmcf->challenge);
    }

    catalog->halls[catalog->hall_count++] = hall;

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_project_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char          *rv;
    cp_str_t       name = ngx_http_caportal_str(((ngx_str_t *) cf->args->elts)[1]);
    cp_hall_t     *hall = ngx_http_caportal_object(cf);
    const char    *fault;
    cp_project_t  *project;

    ngx_http_caportal_main_conf_t  *cmcf;

    if (cp_hall_project(hall, name) != NULL) {
        return ngx_http_caportal_twice(cf, "project");
    }

    if (hall->project_count == CP_CATALOG_MAX) {
        return "is one too many";
    }

    project = ngx_pcalloc(cf->pool, sizeof(cp_project_t));
    if (project == NULL) {
        return NGX_CONF_ERROR;
    }

    project->name = name;

    /* The directives of a project name materials of the hall. */
    rv = ngx_http_caportal_parse_project(cf, hall, project, ngx_http_caportal_parse);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (project->title.data == NULL || project->applicants == 0 || project->services == 0
        || project->deliveries == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "project \"%s\" needs \"title\", \"applicants\", \"services\" and \"deliveries\"",
                           project->name.data);
        return NGX_CONF_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);

    fault = cp_project_check(project, cmcf->arena);
    if (fault != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "project \"%s\": %s", project->name.data, fault);
        return NGX_CONF_ERROR;
    }

    project->invoices = project->invoices == 0 ? CP_INVOICE_NONE : project->invoices;
    hall->projects[hall->project_count++] = project;

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_product_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char          *rv;
    cp_str_t       name = ngx_http_caportal_str(((ngx_str_t *) cf->args->elts)[1]);
    cp_product_t  *product;
    cp_project_t  *project = ngx_http_caportal_object(cf);

    if (cp_project_product(project, name) != NULL) {
        return ngx_http_caportal_twice(cf, "product");
    }

    if (project->product_count == CP_CATALOG_MAX) {
        return "is one too many";
    }

    product = &project->products[project->product_count];
    product->name = name;
    product->keys = 0;

    rv = ngx_http_caportal_parse(cf, PRODUCT, product);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (product->title.data == NULL || product->years == 0 || product->profile.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "product \"%s\" needs \"title\", \"years\" and \"profile\"",
                           product->name.data);
        return NGX_CONF_ERROR;
    }

    product->keys = product->keys == 0 ? CP_KEY_HOLDER|CP_KEY_STATION : product->keys;
    project->product_count++;

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_material_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                *rv;
    cp_str_t             kind = ngx_http_caportal_str(((ngx_str_t *) cf->args->elts)[1]);
    cp_hall_t           *hall = ngx_http_caportal_object(cf);
    cp_material_rule_t  *rule;

    if (cp_hall_material(hall, kind) != NULL) {
        return ngx_http_caportal_twice(cf, "material");
    }

    if (hall->material_count == CP_CATALOG_MAX) {
        return "is one too many";
    }

    rule = &hall->materials[hall->material_count];
    rule->kind = kind;

    rv = ngx_http_caportal_parse(cf, MATERIAL, rule);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (rule->title.data == NULL || rule->types == 0 || rule->max_size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "material \"%s\" needs \"title\", \"types\" and \"max_size\"",
                           rule->kind.data);
        return NGX_CONF_ERROR;
    }

    if (rule->sample_file.data != NULL) {
        rv = ngx_http_caportal_sample_path(cf, hall, rule);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    hall->material_count++;

    return NGX_CONF_OK;
}
