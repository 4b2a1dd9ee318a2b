/* Cutting a file of SQL into statements, for migrations: the server takes one at a time. */
#ifndef CP_DB_SCRIPT_H
#define CP_DB_SCRIPT_H

#include "base/str.h"

typedef enum {
    CP_SCRIPT_STATEMENT,
    CP_SCRIPT_END,
    CP_SCRIPT_UNCLOSED      /* a string, a quoted name or a comment has no end */
} cp_script_t;

/*
 * Takes the next statement, without its `;`, off the front of *rest into *statement (a slice of it). Semicolons in
 * strings, quoted names and comments do not end a statement; what holds nothing but comments is no statement.
 * DELIMITER, a command of the interactive client, is not understood.
 */
cp_script_t cp_script_next(cp_str_t *rest, cp_str_t *statement);

#endif
