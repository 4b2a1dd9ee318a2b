#include "egress/curl.h"

#include <pthread.h>

#include "base/thread.h"

static pthread_key_t  thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;


static void
thread_end(void *data)
{
    curl_easy_cleanup(data);
    cp_thread_gave();
}


static void
thread_key_create(void)
{
    pthread_key_create(&thread_key, thread_end);
}


CURL *
cp_curl_of_thread(void)
{
    CURL *curl;

    pthread_once(&thread_once, thread_key_create);

    curl = pthread_getspecific(thread_key);
    if (curl != NULL) {
        curl_easy_reset(curl);
        return curl;
    }

    curl = curl_easy_init();
    if (curl != NULL && pthread_setspecific(thread_key, curl) != 0) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    if (curl != NULL) {
        cp_thread_took();
    }

    return curl;
}
