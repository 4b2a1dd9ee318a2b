/*
 * The edge alone: loaded before the server (LD_PRELOAD) it takes the place of the operation behind an upload, and of what
 * is asked of the account before, for a benchmark of what receiving, checking, hashing, encrypting and storing cost,
 * without cage and database.
 */
#include "account/account.h"
#include "material/material.h"
#include "material/material_ops.h"


cp_code_t
cp_account_admit(cp_call_t *call)
{
    (void) call;

    return CP_OK;
}


cp_code_t
cp_op_material_put(cp_call_t *call)
{
    cp_stored_t stored = { 0 };
    cp_str_t    sha256 = cp_str_n(stored.sha256, sizeof(stored.sha256));

    CP_TRY(cp_upload_keep(call, call->upload, &stored));

    return cp_answer(call, 201, json_pack("{s:I, s:o}", "size", (json_int_t) stored.size, "sha256",
                                          cp_json(cp_str_hex(call->arena, sha256))));
}
