/*
 * What pool threads own until they end: a connection, a handle, each behind a pthread key whose destructor closes it.
 * A process that unmaps libraries while such a destructor runs dies of it, so before it ends it waits for all of them.
 */
#ifndef CP_THREAD_H
#define CP_THREAD_H

#include <stdbool.h>

/* This thread has something to give back, and has given it back. */
void cp_thread_took(void);
void cp_thread_gave(void);

/* Whether everything was given back within so many milliseconds; call it when the threads have been told to end. */
bool cp_thread_wait(unsigned ms);

#endif
