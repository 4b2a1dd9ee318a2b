/* One libcurl handle a thread, which keeps its connections between exchanges. */
#ifndef CP_CURL_H
#define CP_CURL_H

#include <curl/curl.h>

/* This thread's handle with all options at their defaults; released with the thread. NULL when memory is out. */
CURL *cp_curl_of_thread(void);

#endif
