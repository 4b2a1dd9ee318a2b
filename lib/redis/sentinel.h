/*
 * Where the master is, when Redis is watched by Sentinel (https://redis.io/docs/reference/sentinel-clients/).
 */
#ifndef CP_SENTINEL_H
#define CP_SENTINEL_H

#include "redis/redis.h"

#define CP_SENTINEL_PORT  26379
#define CP_SENTINELS_MAX  16

/*
 * Reads "master-name@host[:port][,host[:port]]…", with an IPv6 address in brackets, into the sentinel members of *conf,
 * from the arena. False, with static text in *why, when it is something else.
 */
bool cp_sentinels_read(cp_arena_t *arena, cp_str_t text, cp_redis_conf_t *conf, const char **why);

#endif
