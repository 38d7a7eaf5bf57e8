/*
 * random.h - unpredictable bytes, and a keyed hash for tables whose contents others choose.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/bytes.h"

/* From the kernel (getrandom); never fails, ends the process when the kernel has none to give. */
void random_bytes(void *out, size_t n);
uint32_t random_u32(void);
/* 0 .. bound - 1, without bias; bound > 0. */
uint32_t random_below(uint32_t bound);

struct hash_key {
	uint64_t k[2];
};

struct hash_key hash_key_random(void);
/* SipHash-1-3: an attacker without the key cannot choose collisions. */
uint64_t hash_keyed(const struct hash_key *, struct span);

#endif
