/*
 * cache_fixture.h - puts answers in wire format into a cache and looks them up.
 */
#ifndef TESTS_UNIT_CACHE_FIXTURE_H
#define TESTS_UNIT_CACHE_FIXTURE_H

#include "resolver/cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)
#define START  (1000 * HOUR)

#define HEAD(an, ns, ar) "0000 8180 0001 " an ns ar
#define A_300            HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"
#define SOA(ttl, minimum)                                                                                    \
	" c00c 0006 0001 " ttl " 0018 c00c c00c 00000001 00000001 00000001 00000001 " minimum

/* The key's bytes belong to `name`. */
struct cache_key key_of(uint8_t name[MSG_NAME_MAX], const char *text, uint16_t type);
/* Stores an answer in wire format under its own question. */
bool put_wire(struct cache *, const char *text, int64_t now, uint32_t age_s);
enum cache_state get(struct cache *, const char *name, uint16_t type, int64_t now, struct cache_hit *);
/* The answer to a question for the address of nN.flood.test. */
bool put_numbered(struct cache *, unsigned i, int64_t now);

#endif
