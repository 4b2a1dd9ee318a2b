/*
 * What the sanitizers of this program's build do unless the environment says otherwise. In the program, because the
 * server empties the environment of its children.
 */

#include <stdio.h>
#include <string.h>

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_suppressions(void);
int __lsan_is_turned_off(void);


/* The server's table of modules is generated twice, which the one-definition check reports. */
const char *
__asan_default_options(void)
{
    return "detect_odr_violation=0:detect_stack_use_after_return=1:strict_string_checks=1";
}


const char *
__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}


/* The server's own, known and once a process. */
const char *
__lsan_default_suppressions(void)
{
    return "leak:ngx_set_environment\n"
           "leak:ngx_event_process_init\n"
           "leak:ngx_crc32_table_init\n"
           "leak:ngx_regex_malloc\n";
}


/* `nginx -t` ends with its whole configuration in memory; behind an empty root there is no /proc to look for leaks. */
int
__lsan_is_turned_off(void)
{
    char   words[4096];
    FILE  *file = fopen("/proc/self/cmdline", "r");
    size_t i, n = file == NULL ? 0 : fread(words, 1, sizeof(words) - 1, file);

    if (file == NULL) {
        return 1;
    }
    fclose(file);
    words[n] = '\0';

    for (i = 0; i < n; i += strlen(words + i) + 1) {
        if (strcmp(words + i, "-t") == 0) {
            return 1;
        }
    }

    return 0;
}
