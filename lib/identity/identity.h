/* Real-name checks of people and organisations, and the numbers they go by. */
#ifndef CP_IDENTITY_H
#define CP_IDENTITY_H

#include "call/call.h"

/*
 * GB 11643: form, region, calendar date not in the future, check character; upper-case X expected. The same for the
 * residence permits of Hong Kong, Macao and Taiwan residents (81, 82, 83) and the permanent-residence card of 2023
 * (leading 9). CP_F_END, CP_F_FORMAT, CP_F_RANGE (the date), CP_F_CHECK_DIGIT. Pure.
 */
cp_field_code_t cp_id_number_check(cp_str_t id_number, int64_t now_ms);

/*
 * GB 32100: form, then check character: CP_F_END, CP_F_FORMAT, CP_F_CHECK_DIGIT. Codes that fail the check have been
 * issued, so CP_F_CHECK_DIGIT alone is overridden by a register that knows the code. Pure.
 */
cp_field_code_t cp_uscc_check(cp_str_t uscc);

/* A person's name: Han characters, Latin letters, the dot of transcribed names (U+00B7) and spaces between. Pure. */
cp_field_code_t cp_person_name_check(cp_str_t name);

/* An address of e-mail as people have them: RFC 5321 section 4.1.2 without quoting and address literals. Pure. */
cp_field_code_t cp_email_check(cp_str_t email);

/* A copy with lower-case ASCII letters made capitals: how ID numbers and USCCs are kept. Pure. */
cp_str_t cp_upper(cp_arena_t *arena, cp_str_t text);

/* The mainland's mobile numbers as they are handed out now, without country code and separators. */
#define CP_MOBILE_PATTERN  "^1(3\\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\\d|9[0-35-9])\\d{8}$"

/* Whether all of `number` matches `pattern` (PCRE2; {0, NULL}: CP_MOBILE_PATTERN), compiled at its first use. */
bool cp_mobile_matches(cp_str_t pattern, cp_str_t number);

/* What is wrong with a pattern, in `why`, for the operator; false when it is in order. */
bool cp_mobile_pattern_fault(cp_str_t pattern, char *why, size_t size);

/*
 * Checks for tables of fields: mobile number by the configured pattern, ID number and USCC (small letters accepted:
 * see cp_upper()), a person's name, e-mail.
 */
cp_field_code_t cp_field_mobile(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_id_number(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_uscc(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_person_name(const cp_call_t *call, cp_str_t value);
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

/* Any person by row id; CP_E_NOT_FOUND. */
cp_code_t cp_person_by_id(cp_call_t *call, int64_t id, cp_person_t *person);

/* Name and ID number of a row that was read with another: the columns name_sealed and id_number_sealed. */
cp_code_t cp_person_open(cp_call_t *call, cp_str_t name, cp_str_t id_number, cp_person_t *person);

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

/* The caller's units [{id, name, uscc, kind, verified, role}], oldest membership first. The reference is the caller's. */
cp_code_t cp_units_json(cp_call_t *call, json_t **units);

#endif
