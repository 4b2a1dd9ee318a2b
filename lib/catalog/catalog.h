/*
 * What a hall sells and asks for, as the operator configured it. Filled once from the configuration, then only read.
 * Everything in it lives as long as the configuration that it came from.
 */
#ifndef CP_CATALOG_H
#define CP_CATALOG_H

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"

#define CP_CATALOG_MAX  64    /* entries of one list */
#define CP_WRONG_MAX    8     /* texts on what goes wrong with one material */

/* Image and document formats a material may have; bits of cp_material_rule_t.types. */
#define CP_TYPE_JPEG  0x01u
#define CP_TYPE_PNG   0x02u
#define CP_TYPE_BMP   0x04u
#define CP_TYPE_GIF   0x08u
#define CP_TYPE_PDF   0x10u

#define CP_SIGN_IN_SMS          0x01u
#define CP_SIGN_IN_PASSWORD     0x02u
#define CP_SIGN_IN_CERTIFICATE  0x04u
#define CP_SIGN_IN_CHALLENGE    0x08u
#define CP_SIGN_IN_SCAN         0x10u
#define CP_SIGN_IN_COMPANY      0x20u    /* a company registers by its name and signs in by it and a password */

#define CP_APPLICANT_ENTERPRISE   0x01u
#define CP_APPLICANT_INSTITUTION  0x02u
#define CP_APPLICANT_PERSON       0x04u

#define CP_SERVICE_NEW       0x01u
#define CP_SERVICE_CHANGE    0x02u
#define CP_SERVICE_REISSUE   0x04u
#define CP_SERVICE_RENEW     0x08u
#define CP_SERVICE_EXCHANGE  0x10u
#define CP_SERVICE_UNLOCK    0x20u
#define CP_SERVICE_REVOKE    0x40u

#define CP_PAYMENT_TRANSFER  0x01u
#define CP_PAYMENT_WECHAT    0x02u
#define CP_PAYMENT_ALIPAY    0x04u

#define CP_INVOICE_NONE      0x01u
#define CP_INVOICE_ORDINARY  0x02u
#define CP_INVOICE_SPECIAL   0x04u

#define CP_DELIVERY_MAIL    0x01u
#define CP_DELIVERY_PICKUP  0x02u

/* Who makes the key: the holder sends a request, or the production station makes it on the token it ships. */
#define CP_KEY_HOLDER   0x01u
#define CP_KEY_STATION  0x02u

typedef enum {
    CP_REVIEW_THEN_PAY,
    CP_PAY_THEN_REVIEW
} cp_flow_t;

typedef struct {
    cp_str_t  kind;            /* "licence": its name in paths */
    cp_str_t  title;
    unsigned  types;
    size_t    max_size;        /* bytes */
    int64_t   max_pixels;      /* of one picture; 0: no limit of the kind's own, as with the next */
    int64_t   max_pages;       /* of a PDF; frames of a GIF */
    cp_str_t  template_file;   /* path of the form to download, or {0, NULL} */
    cp_str_t  sample_file;     /* path of a sample picture, or {0, NULL} */
    cp_str_t  example;         /* URL path of the sample, or {0, NULL} */
    cp_str_t  hint;            /* how to make a good scan, for people, or {0, NULL} */
    cp_str_t  wrong[CP_WRONG_MAX];    /* what often goes wrong, a text for each */
    size_t    wrong_count;
} cp_material_rule_t;

/* One material that a project asks for. */
typedef struct {
    const cp_material_rule_t *rule;
    bool                      required;
    unsigned                  applicants;    /* whom it is asked of */
    unsigned                  services;      /* for which services */
} cp_material_need_t;

typedef struct {
    cp_str_t  name;
    cp_str_t  title;
    unsigned  years;
    int64_t   price_fen;
    cp_str_t  profile;         /* certificate profile */
    bool      seal;
    unsigned  keys;            /* CP_KEY_* */
} cp_product_t;

typedef struct {
    cp_str_t            name;
    cp_str_t            title;
    bool                free;              /* no payment step */
    bool                one_per_unit;      /* one certificate per unit and project */
    unsigned            applicants;
    unsigned            services;
    unsigned            invoices;
    unsigned            deliveries;
    cp_material_need_t  needs[CP_CATALOG_MAX];
    size_t              need_count;
    cp_product_t        products[CP_CATALOG_MAX];
    size_t              product_count;
} cp_project_t;

typedef struct {
    cp_str_t  version;
    cp_str_t  file;
    cp_str_t  text;            /* the file's bytes */
    cp_str_t  sha256;          /* of the text, hexadecimal */
} cp_agreement_t;

typedef struct {
    cp_str_t  name;
    cp_str_t  bank;
    cp_str_t  account;
} cp_payee_t;

typedef struct {
    cp_str_t            name;
    cp_str_t            title;
    cp_str_t            phone;             /* the hall's help line */
    unsigned            sign_in;
    unsigned            payments;
    cp_flow_t           flow;
    unsigned            review_days;       /* promised working days */
    unsigned            claim_minutes;     /* how long a claim locks an order */
    cp_agreement_t      agreement;
    cp_payee_t          payee;
    cp_material_rule_t  materials[CP_CATALOG_MAX];
    size_t              material_count;
    cp_project_t       *projects[CP_CATALOG_MAX];
    size_t              project_count;
} cp_hall_t;

typedef struct {
    cp_hall_t *halls[CP_CATALOG_MAX];
    size_t     hall_count;
} cp_catalog_t;

/* A word of the configuration or of a body and the bit it stands for; the last row's name is NULL. */
typedef struct {
    const char *name;
    unsigned    bit;
} cp_word_t;

extern const cp_word_t cp_type_words[];           /* jpeg png bmp gif pdf */
extern const cp_word_t cp_sign_in_words[];        /* sms password certificate challenge scan */
extern const cp_word_t cp_applicant_words[];      /* enterprise institution person */
extern const cp_word_t cp_service_words[];        /* new change reissue renew exchange unlock revoke */
extern const cp_word_t cp_payment_words[];        /* transfer wechat alipay */
extern const cp_word_t cp_invoice_words[];        /* none ordinary special */
extern const cp_word_t cp_delivery_words[];       /* mail pickup */
extern const cp_word_t cp_key_words[];            /* holder station */

/* The bit of a word, 0 when the table has no such word; and the first word of a bit, NULL likewise. */
unsigned    cp_word_bit(const cp_word_t *words, cp_str_t name);
const char *cp_word_name(const cp_word_t *words, unsigned bit);

/* The words of all bits in `set`, as a new JSON array (the caller's reference); NULL when memory is out. */
json_t *cp_words_json(const cp_word_t *words, unsigned set);

/* Look-ups by name; NULL when there is none. A hall of {0, NULL} means the only hall. */
const cp_hall_t          *cp_catalog_hall(const cp_catalog_t *catalog, cp_str_t name);
const cp_project_t       *cp_hall_project(const cp_hall_t *hall, cp_str_t name);
const cp_product_t       *cp_project_product(const cp_project_t *project, cp_str_t name);
const cp_material_rule_t *cp_hall_material(const cp_hall_t *hall, cp_str_t kind);

/*
 * What any hall lets in of that kind, as a rule with the widest limits of all and none of the texts: for the edge,
 * which does not know the order yet. False where no hall has the kind.
 */
bool cp_catalog_material(const cp_catalog_t *catalog, cp_str_t kind, cp_material_rule_t *widest);

/* MIME types: "image/jpeg" of a CP_TYPE_* bit, and the bit of a Content-Type (parameters ignored), 0 when unknown. */
const char *cp_type_mime(unsigned type);
unsigned    cp_type_of_mime(cp_str_t content_type);

/* Whether a file's name, perhaps with a path of any system, has an ending; and the bit of that, 0 when unknown. */
bool     cp_has_ending(cp_str_t file_name);
unsigned cp_type_of_name(cp_str_t file_name);

/* The format that the first bytes (at least 12, where there are as many) announce; 0 when none that we know. */
unsigned cp_type_of_bytes(cp_str_t head);

/* Checks a project as a whole after it was read: it has products, whose prices agree with `free`; as below. */
const char *cp_project_check(const cp_project_t *project, cp_arena_t *arena);

/*
 * Checks a hall as a whole after it was read: a title, ways to sign in, the agreement and a project are there, and how
 * to pay where something costs money. NULL when it is in order, else what is wrong (from the arena).
 */
const char *cp_hall_check(const cp_hall_t *hall, cp_arena_t *arena);

/* The hall as `GET /api/catalog` shows it: a new reference; NULL when memory is out. */
json_t *cp_hall_json(const cp_hall_t *hall);

/* What was sold, for the order's snapshot: project, product, price, needs, profile, flow, agreement version. */
json_t *cp_sale_json(const cp_hall_t *hall, const cp_project_t *project, const cp_product_t *product);

#endif
