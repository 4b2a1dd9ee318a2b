#include "account/password.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sodium.h>

#define PASSES  2
#define MEMORY  (19u * 1024 * 1024)
#define LESS    10    /* by so much nicer */

static sem_t          slots;
static bool           ready;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Of bytes that nobody knows any more: what is verified when there is nothing to verify. */
static const char nobodys_hash[] =
    "$argon2id$v=19$m=19456,t=2,p=1$L1liLtdwsHhGE7a7w0zH9w$SdgSY2xSS0yuZaGbwR5Cx4riNGf9oMi31P0TZ2kmRWg";


static void
prepare(void)
{
    ready = sodium_init() >= 0 && sem_init(&slots, 0, CP_PASSWORD_SLOTS) == 0;
}


/*
 * A thread that hashes lets the event loop of its process, which answers everybody else, go first. It stays so: taking
 * a priority back is not a process's own right.
 */
static void
give_way(void)
{
    static __thread bool done;

    id_t thread = (id_t) gettid();

    if (!done) {
        done = true;
        (void) setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + LESS);
    }
}


static cp_code_t
take_slot(void)
{
    pthread_once(&once, prepare);
    give_way();

    if (!ready) {
        return CP_E_INTERNAL;
    }

    return sem_trywait(&slots) == 0 ? CP_OK : CP_E_BUSY;
}


cp_code_t
cp_password_hash(cp_arena_t *arena, cp_str_t password, cp_str_t *hash)
{
    char *text;
    int   failed;

    text = cp_alloc(arena, crypto_pwhash_STRBYTES);
    if (text == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(take_slot());
    failed = crypto_pwhash_str_alg(text, password.data, password.len, PASSES, MEMORY, crypto_pwhash_ALG_ARGON2ID13);
    sem_post(&slots);

    if (failed) {
        return CP_E_NO_MEMORY;
    }

    *hash = cp_str(text);
    return CP_OK;
}


cp_code_t
cp_password_verify(cp_arena_t *arena, cp_str_t password, cp_str_t hash)
{
    cp_str_t text;
    bool     good;

    text = cp_str_dup(arena, hash.data == NULL ? cp_str(nobodys_hash) : hash);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(take_slot());
    good = crypto_pwhash_str_verify(text.data, password.data, password.len) == 0;
    sem_post(&slots);

    return good && hash.data != NULL ? CP_OK : CP_E_BAD_CREDENTIALS;
}
