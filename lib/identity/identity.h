/* Real-name checks of people and organisations, and the numbers they go by. */
#ifndef CP_IDENTITY_H
#define CP_IDENTITY_H

#include "call/call.h"

/* GB 11643: form, calendar date not in the future, check character (FACTS: 810000/820000/830000 and leading 9 too). Upper-case X expected. Pure. */
cp_field_code_t cp_id_number_check(cp_str_t id_number, int64_t now_ms);

/* GB 32100: form, then check character. CP_F_CHECK_DIGIT alone may be overridden, see FACTS. Pure. */
cp_field_code_t cp_uscc_check(cp_str_t uscc);

/* Checks for tables of fields: mobile number by the configured pattern, ID number, USCC, e-mail. */
cp_field_code_t cp_field_mobile(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_id_number(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_uscc(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_email(const cp_call_t *call, cp_str_t value);

/* The person an account was verified as. */
typedef struct {
    int64_t   id;
    cp_str_t  name;
    cp_str_t  id_number;
    cp_str_t  index;           /* blind index of the ID number */
} cp_person_t;

/* CP_E_NOT_VERIFIED when the calling account has not been verified. */
cp_code_t cp_person_of_caller(cp_call_t *call, cp_person_t *person);

typedef struct {
    int64_t   id;
    cp_str_t  public_id;
    cp_str_t  kind;            /* "enterprise", "institution" */
    cp_str_t  name;
    cp_str_t  uscc;
    cp_str_t  legal_name;      /* in clear; shown only masked */
    cp_str_t  legal_id_number;
    bool      verified;        /* false: not found in the register, letters are asked for instead */
} cp_unit_t;

/* A unit of which the calling account is a member, by public id; CP_E_NOT_FOUND for others'. */
cp_code_t cp_unit_of_caller(cp_call_t *call, cp_str_t public_id, cp_unit_t *unit);

/* Any unit by row id, for staff and system. */
cp_code_t cp_unit_by_id(cp_call_t *call, int64_t id, cp_unit_t *unit);

#endif
