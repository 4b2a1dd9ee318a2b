/* People, units, memberships and verifications in MySQL: for the operations of this folder. */
#ifndef CP_IDENTITY_STORE_H
#define CP_IDENTITY_STORE_H

#include "identity/identity.h"
#include "identity/provider.h"

/* The evidence of one question, in the open transaction, with its audit row. `subject` is a blind index. */
cp_code_t cp_verification_record(cp_call_t *call, const char *product, cp_str_t subject,
                                 const cp_provider_answer_t *answer);

/* Blind index of an ID number, as in cp_person_t. */
cp_code_t cp_person_index(cp_call_t *call, cp_str_t id_number, cp_str_t *index);

/*
 * The row of the verified person, made or brought up to date in the open transaction. CP_E_CONFLICT when the ID number
 * is kept under another name.
 */
cp_code_t cp_person_keep(cp_call_t *call, cp_str_t name, cp_str_t id_number, cp_str_t mobile, int64_t *id);

/*
 * The row of `unit` (all but id and public_id are set), made or brought up to date in the open transaction, and the
 * caller's membership; sets id and public_id. CP_E_ALREADY_EXISTS when an unverified unit would change what others
 * rely on: a verified unit, or one with other members, keeps its legal person.
 *
 * Who proves a unit that has no administrator becomes it; *disproved says that the register knows another legal person
 * than the other members stated, who must go then.
 */
cp_code_t cp_unit_keep(cp_call_t *call, cp_unit_t *unit, bool overridden, bool *disproved);

#endif
