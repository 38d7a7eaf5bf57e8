#include "base/random.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Small requests are served from a pool of each thread, so that an id costs no system call. */
#define POOL_SIZE      512
#define NO_RANDOM_EXIT 3 /* trouble, in all programs */

static _Thread_local uint8_t pool[POOL_SIZE];
static _Thread_local size_t pool_left;

static void
kernel_bytes(uint8_t *out, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(out, n, 0);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			/* No supported kernel refuses; a sandbox around this process may. */
			log_event(LOG_ERROR, "no-random-numbers", LOG_STR("error", strerror(errno)));
			_exit(NO_RANDOM_EXIT);
		}
		out += got;
		n -= (size_t)got;
	}
}

void
random_bytes(void *out, size_t n)
{
	if (n > 64) {
		kernel_bytes(out, n);
		return;
	}
	if (pool_left < n) {
		kernel_bytes(pool, POOL_SIZE);
		pool_left = POOL_SIZE;
	}
	pool_left -= n;
	memcpy(out, pool + pool_left, n);
	memset(pool + pool_left, 0, n);
}

uint32_t
random_u32(void)
{
	uint32_t v;

	random_bytes(&v, sizeof v);
	return v;
}

uint32_t
random_below(uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound, v;

	do {
		v = random_u32();
	} while (v >= limit);
	return v % bound;
}

struct hash_key
hash_key_random(void)
{
	struct hash_key key;

	random_bytes(&key, sizeof key);
	return key;
}

static uint64_t
rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static inline __attribute__((always_inline)) void /* or the state goes through memory */
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t
hash_keyed(const struct hash_key *key, struct span s)
{
	uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575U, key->k[1] ^ 0x646f72616e646f6dU,
			 key->k[0] ^ 0x6c7967656e657261U, key->k[1] ^ 0x7465646279746573U};
	uint64_t m, last = (uint64_t)s.n << 56;
	size_t i;

	for (i = 0; i + 8 <= s.n; i += 8) {
		memcpy(&m, s.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t j = 0; i + j < s.n; j++)
		last |= (uint64_t)s.p[i + j] << 8 * j;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int j = 0; j < 3; j++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
