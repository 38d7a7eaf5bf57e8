/*
 * fake_judge.h - a vfy_check whose verdict the test sets: link it before libverify.a.
 */
#ifndef TESTS_UNIT_FAKE_JUDGE_H
#define TESTS_UNIT_FAKE_JUDGE_H

#include "verify/verify.h"

struct fake_judge {
	enum reason refuse; /* REASON_NONE: accepts */
	int64_t report_until_ms; /* of the verdict */
	unsigned calls;
	/* of the last call */
	const struct vfy_policy *policy;
	size_t n_certs, first_n, staple_n, n_also;
	bool staple_unread;
	uint8_t first[64]; /* the beginning of the first certificate */
	uint8_t ip[16];
	size_t ip_n;
	char name[64];
	int64_t now_ms;
};

extern struct fake_judge fake_judge;

#endif
