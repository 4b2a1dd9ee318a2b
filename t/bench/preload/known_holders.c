/*
 * Known holders: loaded before the server (LD_PRELOAD), it asks the database once whose a certificate is, and records
 * nothing, for a benchmark that asks what signing in by certificate would cost if there were no database.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "session/sign_in_store.h"

#define MOST  64

typedef cp_code_t (*holder_fn)(cp_call_t *call, cp_str_t sha256, cp_holder_t *holder);

typedef struct {
    unsigned char  sha256[CP_SHA256_SIZE];
    cp_holder_t    holder;
} known_t;

static known_t          known[MOST];
static size_t           count;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;


static void
keep_text(cp_str_t *text)
{
    char *copy;

    if (text->data != NULL) {
        copy = malloc(text->len);
        memcpy(copy, text->data, text->len);
        text->data = copy;
    }
}


static void
keep(cp_str_t sha256, const cp_holder_t *holder)
{
    cp_account_t     *account = &known[count].holder.account;
    cp_certificate_t *certificate = &known[count].holder.certificate;
    cp_str_t         *texts[] = { &account->public_id, &account->phone, &account->password, &account->sole_unit,
                                  &account->name_sealed, &account->id_number_sealed, &certificate->account_id,
                                  &certificate->unit_id, &certificate->issuer, &certificate->serial,
                                  &certificate->state };
    size_t            i;

    memcpy(known[count].sha256, sha256.data, sizeof(known[count].sha256));
    known[count].holder = *holder;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        keep_text(texts[i]);
    }
    count++;
}


static bool
find(cp_str_t sha256, cp_holder_t *holder)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (memcmp(known[i].sha256, sha256.data, sizeof(known[i].sha256)) == 0) {
            *holder = known[i].holder;
            return true;
        }
    }

    return false;
}


cp_code_t
cp_sign_in_holder(cp_call_t *call, cp_str_t sha256, cp_holder_t *holder)
{
    holder_fn real = (holder_fn) (uintptr_t) dlsym(RTLD_NEXT, "cp_sign_in_holder");
    cp_code_t code;
    bool      found;

    pthread_rwlock_rdlock(&lock);
    found = find(sha256, holder);
    pthread_rwlock_unlock(&lock);
    if (found) {
        return CP_OK;
    }

    code = real(call, sha256, holder);

    pthread_rwlock_wrlock(&lock);
    if (code == CP_OK && count < MOST) {
        keep(sha256, holder);
    }
    pthread_rwlock_unlock(&lock);

    return code;
}


cp_code_t
cp_sign_in_record(cp_call_t *call, const cp_account_t *account, const cp_audit_row_t *row, bool *stands)
{
    (void) call;
    (void) account;
    (void) row;
    *stands = true;

    return CP_OK;
}
