/* The setters of the directives inside a hall. Each reports its fault at the directive's line. */
#ifndef NGX_HTTP_CAPORTAL_HALL_H
#define NGX_HTTP_CAPORTAL_HALL_H

#include "ngx_http_caportal.h"

extern ngx_module_t  ngx_http_caportal_hall_module;

typedef char *(*ngx_http_caportal_parse_pt)(ngx_conf_t *cf, ngx_uint_t type, void *object);

/* The hall, project, product or material that the directives of the present block fill. */
void *ngx_http_caportal_object(ngx_conf_t *cf);

/* Whether the present block had this directive before; it counts from now on. */
ngx_uint_t ngx_http_caportal_again(ngx_command_t *cmd);

/* Reports that a name was used twice. */
char *ngx_http_caportal_twice(ngx_conf_t *cf, const char *what);

/* Parses a project whose "require" lines name materials of that hall. */
char *ngx_http_caportal_parse_project(ngx_conf_t *cf, cp_hall_t *hall, cp_project_t *project,
    ngx_http_caportal_parse_pt parse);

/* Where the sample picture of a material is read, once the hall and the kind are known. */
char *ngx_http_caportal_sample_path(ngx_conf_t *cf, const cp_hall_t *hall, cp_material_rule_t *rule);

char *ngx_http_caportal_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_words(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_flow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_minutes(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_payee(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_agreement(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_max_pixels(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_max_pages(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_picture(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_wrong(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_need(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_profile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Every profile that a product names exists; else the fault is reported at the line that names it. */
ngx_int_t ngx_http_caportal_check_profiles(ngx_conf_t *cf, const cp_profiles_t *profiles);

#endif
