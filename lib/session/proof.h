/*
 * Proving again, in an open session, to be the account's holder: what operations with CP_FRESH ask for. A sign-in does
 * not count, for the session may have been left open by somebody who signed in a moment ago.
 */
#ifndef CP_PROOF_H
#define CP_PROOF_H

#include "call/call.h"

/*
 * CP_OK when the call's session was proved within the last CP_SESSION_PROOF_S seconds; else CP_E_PROOF_REQUIRED, and
 * the problem's member `ways` names the methods by which this account can.
 */
cp_code_t cp_proof_demand(cp_call_t *call);

#endif
