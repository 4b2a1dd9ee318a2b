/*
 * Keyset pages of a list: `?after=&limit=`. The cursor is the sealed row id at which the last page ended, so that it
 * tells nothing and cannot be made up; it is good for the list that gave it only.
 */
#ifndef CP_PAGE_H
#define CP_PAGE_H

#include "call/call.h"

#define CP_PAGE_MAX      100
#define CP_PAGE_DEFAULT  20

typedef struct {
    int64_t  after;    /* row id, 0: from the beginning */
    int64_t  limit;
} cp_page_t;

/*
 * Reads `after` and `limit`; marks what is wrong with them. `list` names the list. CP_E_BAD_QUERY when anything in the
 * query was marked, by this function or before it, so that all faults are told at once.
 */
cp_code_t cp_page_read(cp_call_t *call, const char *list, cp_page_t *page);

/*
 * Answers 200 {"items", "next"}; takes the reference to `items`. `last` is the row id of the last item when more rows
 * follow it, 0 when none do.
 */
cp_code_t cp_page_answer(cp_call_t *call, const char *list, json_t *items, int64_t last);

#endif
