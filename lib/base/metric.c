#include "base/metric.h"

#define WORD(name, word, help)  [CP_METRIC_##name] = word,

static const char *const words[] = { CP_METRICS(WORD) };

#undef WORD

static void (*into)(cp_metric_t metric);


void
cp_metric_into(void (*sink)(cp_metric_t metric))
{
    into = sink;
}


void
cp_metric(cp_metric_t metric)
{
    if (into != NULL) {
        into(metric);
    }
}


const char *
cp_metric_word(cp_metric_t metric)
{
    return words[metric];
}
