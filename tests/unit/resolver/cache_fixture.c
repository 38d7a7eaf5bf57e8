#include "tests/unit/resolver/cache_fixture.h"

#include <stdio.h>

struct cache_key
key_of(uint8_t name[MSG_NAME_MAX], const char *text, uint16_t type)
{
	uint8_t n = 0;

	assert_int_equal(msg_name_read(name, &n, text), RES_OK);
	return (struct cache_key){.name = span_of(name, n), .type = type, .class = CLASS_IN};
}

bool
put_wire(struct cache *c, const char *text, int64_t now, uint32_t age_s)
{
	static _Thread_local uint16_t ttl_at[MSG_RRS_MAX];
	struct buf b = buf_max(MSG_MAX), lower = buf_max(MSG_MAX);
	struct span wire = wire_make(&b, text);
	struct msg_answer a;
	struct cache_entry_info info = {.upstream = 7, .age_s = age_s};
	struct cache_key k;
	bool stored;

	assert_int_equal(msg_answer_read(&a, wire, ttl_at), RES_OK);
	buf_put(&lower, span_slice(a.section, 0, a.section.n - 4));
	for (size_t i = 0; i < lower.n; i++)
		lower.p[i] = (uint8_t)tolower(lower.p[i]);
	k = (struct cache_key){.name = buf_span(&lower), .type = a.type, .class = a.class};
	stored = cache_put(c, &k, &a, &info, now);
	buf_free(&lower);
	buf_free(&b);
	return stored;
}

enum cache_state
get(struct cache *c, const char *name, uint16_t type, int64_t now, struct cache_hit *hit)
{
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, name, type);

	return cache_get(c, &k, now, hit);
}

bool
put_numbered(struct cache *c, unsigned i, int64_t now)
{
	char text[256];

	(void)snprintf(
	    text, sizeof text,
	    HEAD("0001", "0000", "0000") "(n%u.flood.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304",
	    i);
	return put_wire(c, text, now, 0);
}
