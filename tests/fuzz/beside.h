/*
 * beside.h - the messages whose records the library and our walker must read alike.
 *
 * For types that it knows and that are opaque to us the library may read more or fewer bytes than RDLENGTH, and then takes
 * the rest for the next record; it loses a second TSIG. So records are compared only in messages whose types are all either
 * types whose RDATA the walker measures, or types of private use.
 */
#ifndef TESTS_FUZZ_BESIDE_H
#define TESTS_FUZZ_BESIDE_H

#include "base/dns/message.h"

static inline bool
beside_type_is_plain(uint16_t type)
{
	static const uint8_t plain[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 21, 26, 28, 33, 35, 36, 39, 99};

	for (size_t i = 0; i < sizeof plain; i++)
		if (type == plain[i])
			return true;
	return type >= 65280 && type < 65535; /* private use */
}

static inline bool
beside_on_record(void *ctx, const struct msg_rr *rr)
{
	bool *plain = ctx;

	*plain &= beside_type_is_plain(rr->type);
	return *plain;
}

static inline bool
beside_is_plain(const struct msg_answer *a)
{
	bool plain = true;

	msg_each(a, beside_on_record, &plain);
	return plain;
}

#endif
