/*
 * The application of somebody who has lost the number of their account: they prove the new number by a code and say who
 * they are; a reviewer, who is told whether that is whom the account was verified to be, decides. The old number is
 * told at both times.
 *
 * A login that is nobody's makes an application too, which the reviewer can only reject: so an applicant learns nothing
 * about logins.
 */
#ifndef CP_PHONE_CHANGE_H
#define CP_PHONE_CHANGE_H

#include "account/login.h"
#include "call/page.h"

#define CP_PHONE_CHANGE_LIVE_MS  (30 * 24 * 3600 * 1000LL)
#define CP_PHONE_CHANGE_REASON   200    /* characters, of applicant and reviewer */

typedef struct {
    int64_t   id;
    cp_str_t  public_id;
    cp_str_t  secret_sha256;
    int64_t   account;          /* row; 0: the login is nobody's */
    cp_str_t  login;            /* as it was typed */
    cp_str_t  phone;            /* the new number */
    cp_str_t  name;             /* of who applies; all in clear, shown only masked */
    cp_str_t  id_number;
    cp_str_t  id_index;         /* blind index of the ID number */
    cp_str_t  reason;
    cp_str_t  state;            /* "submitted", "approved", "rejected", "superseded" */
    cp_str_t  public_reason;    /* of a rejection */
    int64_t   decided_ms;
    int64_t   expires_ms;
    int64_t   created_ms;
} cp_phone_change_t;

/* Whether it waits for a decision that can still be made. Pure. */
bool cp_phone_change_is_open(const cp_phone_change_t *change, int64_t now_ms);

/* Its state as it is shown: "expired" when the time for a decision is over. Pure. */
const char *cp_phone_change_state(const cp_phone_change_t *change, int64_t now_ms);

/* The words of the state, as the desk's list is filtered by; "expired" is no state of a row. */
extern const cp_word_t cp_phone_change_words[];

/* A new one in the open transaction; fills id and times. An open one of the same new number is superseded. */
cp_code_t cp_phone_change_insert(cp_call_t *call, cp_phone_change_t *change);

/* By public id, if so asked held until the open transaction ends; CP_E_NOT_FOUND. */
cp_code_t cp_phone_change_find(cp_call_t *call, cp_str_t public_id, bool lock, cp_phone_change_t *change);

/* Ends it, in the open transaction: by the calling member of staff; *change is brought up to date. */
cp_code_t cp_phone_change_decide(cp_call_t *call, cp_phone_change_t *change, const char *state, cp_str_t public_reason);

/* The open ones of an account are superseded, in the open transaction. */
cp_code_t cp_phone_change_supersede(cp_call_t *call, int64_t account);

/* Those in a state ({0, NULL}: any), oldest first; cp_phone_change_next() takes one, CP_E_NOT_FOUND after the last. */
cp_code_t cp_phone_change_page(cp_call_t *call, cp_str_t state, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_phone_change_next(cp_call_t *call, cp_rows_t *rows, cp_phone_change_t *change);

#endif
