/* Members of staff: who they are, which certificate signs them in, what they may do. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "base/random.h"
#include "ctl.h"
#include "identity/identity.h"
#include "staff/staff.h"

#define NAME_MAX_CHARS  50
#define ID_BYTES        12    /* of randomness in a public id */

static const char add_sql[] =
    "INSERT INTO staff (public_id, name_sealed, roles, certificate_sha256, person_index, state, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, ?, 'active', ?, ?)";

static const char list_sql[] =
    "SELECT public_id, name_sealed, roles, certificate_sha256, person_index IS NOT NULL, state, created_at"
    " FROM staff ORDER BY id";

static const char disable_sql[] =
    "UPDATE staff SET state = 'disabled', updated_at = ? WHERE public_id = ? AND state = 'active'";

static const char roles_sql[] = "UPDATE staff SET roles = ?, updated_at = ? WHERE public_id = ?";


/* "a,b" as bits; 0 when one is unknown or there is none (said on standard error). */
static unsigned
read_roles(ctl_t *ctl)
{
    cp_str_t  list = cp_str_dup(ctl->arena, cp_str(ctl->options.roles));
    char     *name, *save = NULL;
    unsigned  roles = 0, bit;

    if (list.data == NULL) {
        ctl_fault("--roles is needed");
        return 0;
    }

    for (name = strtok_r(list.data, ",", &save); name != NULL; name = strtok_r(NULL, ",", &save)) {
        bit = cp_word_bit(cp_role_words, cp_str(name));
        if (bit == 0) {
            ctl_fault("\"%s\" is no role: reviewer finance producer shipper auditor administrator", name);
            return 0;
        }
        roles |= bit;
    }

    if (roles == 0) {
        ctl_fault("--roles names none");
    }

    return roles;
}


/* SHA-256 of the DER of a PEM certificate. */
static bool
read_certificate(const char *path, unsigned char sha256[CP_SHA256_SIZE])
{
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    X509 *certificate;
    bool  good;

    if (file == NULL) {
        ctl_fault("--certificate: %s cannot be read", path == NULL ? "the file" : path);
        return false;
    }

    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);

    good = certificate != NULL && X509_digest(certificate, EVP_sha256(), sha256, NULL) == 1;
    X509_free(certificate);
    if (!good) {
        ctl_fault("%s: it holds no certificate in PEM", path);
    }

    return good;
}


/* Commits what a command changed, or says why it did not happen. */
static int
finish(ctl_t *ctl, cp_code_t code, const char *action, cp_str_t id, unsigned roles)
{
    cp_call_t call = { .app = &ctl->app, .arena = ctl->arena, .db = ctl->db };
    json_t   *detail = roles == 0 ? NULL : json_pack("{s:o}", "roles", cp_words_json(cp_role_words, roles));

    if (code == CP_OK && cp_db_affected(ctl->db) == 0) {
        code = CP_E_NOT_FOUND;
    }
    if (code == CP_OK) {
        code = cp_audit(&call, action, "staff", id, json_incref(detail));
    }
    json_decref(detail);
    if (code == CP_OK) {
        code = cp_db_commit(ctl->db);
    }
    if (code != CP_OK) {
        cp_db_rollback(ctl->db);
        return code == CP_E_DUPLICATE   ? ctl_fault("a member of staff has this certificate already")
               : code == CP_E_NOT_FOUND ? ctl_fault("no active member of staff has the id %s", id.data)
                                        : ctl_db_fault(ctl, action);
    }

    return CTL_OK;
}


int
ctl_staff_add(ctl_t *ctl)
{
    unsigned       roles = read_roles(ctl);
    unsigned char  sha256[CP_SHA256_SIZE];
    cp_str_t       name = cp_str(ctl->options.name), id_number = cp_str(ctl->options.id_number);
    cp_str_t       sealed, index = CP_STR_NULL, id = cp_random_id(ctl->arena, ID_BYTES);
    cp_code_t      code;
    int64_t        now = cp_now_ms();
    int            status;

    if (roles == 0 || !read_certificate(ctl->options.certificate, sha256)) {
        return CTL_FAULT;
    }
    if (name.data == NULL || name.len == 0 || !cp_str_is_text(name) || cp_str_chars(name) > NAME_MAX_CHARS) {
        return ctl_fault("--name: 1 to %d characters are needed", NAME_MAX_CHARS);
    }

    if (id_number.data != NULL && cp_id_number_check(id_number, now) != CP_F_END) {
        return ctl_fault("--id-number: it is no ID number (GB 11643)");
    }

    if (cp_column_seal(ctl->app.keys, ctl->arena, "staff.name", name, &sealed) != CP_OK
        || (id_number.data != NULL
            && cp_blind_index(ctl->app.keys, ctl->arena, "person.id_number", id_number, &index) != CP_OK)
        || id.data == NULL)
    {
        return ctl_fault("out of memory");
    }

    code = cp_db_begin(ctl->db);
    if (code == CP_OK) {
        code = cp_db_exec(ctl->db, add_sql, "ssissii", id, sealed, (int64_t) roles, cp_str_n(sha256, sizeof(sha256)),
                          index, now, now);
    }

    status = finish(ctl, code, "staff.add", id, roles);
    if (status == CTL_OK) {
        printf("%s\n", id.data);
    }

    return status;
}


int
ctl_staff_disable(ctl_t *ctl)
{
    cp_str_t  id = cp_str(ctl->argument);
    cp_code_t code = cp_db_begin(ctl->db);

    if (code == CP_OK) {
        code = cp_db_exec(ctl->db, disable_sql, "is", cp_now_ms(), id);
    }

    return finish(ctl, code, "staff.disable", id, 0);
}


int
ctl_staff_roles(ctl_t *ctl)
{
    cp_str_t  id = cp_str(ctl->argument);
    unsigned  roles = read_roles(ctl);
    cp_code_t code;

    if (roles == 0) {
        return CTL_FAULT;
    }

    code = cp_db_begin(ctl->db);
    if (code == CP_OK) {
        code = cp_db_exec(ctl->db, roles_sql, "iis", (int64_t) roles, cp_now_ms(), id);
    }

    return finish(ctl, code, "staff.roles", id, roles);
}


int
ctl_staff_list(ctl_t *ctl)
{
    json_t    *list = json_array();
    cp_rows_t *rows;
    cp_str_t   id, sealed, sha256, state, name, at;
    int64_t    roles, person, created;
    cp_code_t  code;

    code = cp_db_query(ctl->db, &rows, list_sql, ">ssisisi");
    while (code == CP_OK
           && (code = cp_db_next(rows, &id, &sealed, &roles, &sha256, &person, &state, &created)) == CP_OK)
    {
        code = cp_column_open(ctl->app.keys, ctl->arena, "staff.name", sealed, &name);
        if (code != CP_OK) {
            json_decref(list);
            return ctl_fault("the name of %s cannot be opened with this key ring", id.data);
        }

        at = cp_time_text(ctl->arena, created);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:s}", "id", id.data, "name", name.data,
                                              "roles", cp_words_json(cp_role_words, (unsigned) roles),
                                              "state", state.data,
                                              "certificate_sha256", cp_str_hex(ctl->arena, sha256).data,
                                              "id_number_known", (int) person, "created_at", at.data));
    }

    if (code != CP_E_NOT_FOUND) {
        json_decref(list);
        return ctl_db_fault(ctl, "reading staff");
    }

    json_dumpf(list, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(list);

    return CTL_OK;
}
