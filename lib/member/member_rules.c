#include "member/member_rules.h"

#include "member/member.h"


cp_code_t
cp_member_removal(bool administrator, bool own)
{
    static const cp_code_t codes[2][2] = {
        [false] = { [false] = CP_E_FORBIDDEN, [true] = CP_OK },
        [true] = { [false] = CP_OK, [true] = CP_E_CONFLICT },
    };

    return codes[administrator][own];
}


cp_code_t
cp_member_room(int64_t members)
{
    return members < CP_MEMBERS_MOST ? CP_OK : CP_E_CONFLICT;
}
