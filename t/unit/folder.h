/* The folder of a test. */
#ifndef T_FOLDER_H
#define T_FOLDER_H

#include <ftw.h>
#include <stdio.h>


static inline int
folder_remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;

    return remove(path);
}


/* Removes it with all that is in it; 0, or -1 with errno. */
static inline int
folder_remove(const char *path)
{
    return nftw(path, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
