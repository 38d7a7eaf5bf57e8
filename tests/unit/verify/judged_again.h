/*
 * judged_again.h - repeats a verdict with a cache of valid signatures: first with the signatures of all earlier verdicts
 * in it, then once more.
 */
#ifndef TESTS_UNIT_VERIFY_JUDGED_AGAIN_H
#define TESTS_UNIT_VERIFY_JUDGED_AGAIN_H

#include "verify/judge.h"

#include <stdlib.h>
#include <string.h>

/* One cache for the whole program: signatures that one chain stored are there for all others. */
static inline struct sigcache *
judged_again_cache(void)
{
	static struct sigcache *cache;

	if (cache == NULL && sigcache_new(&cache) != RES_OK)
		abort();
	return cache;
}

/* True when the cache changes neither the verdict nor its cost. v and work: of the verdict without it. */
static inline bool
judged_again_same(const struct verdict *v, const struct vfy_work *work, const struct vfy_policy *policy, struct vfy_input in)
{
	char *before = verdict_json(v);
	bool same = before != NULL;

	in.known = judged_again_cache();
	for (int i = 0; i < 2 && same; i++) {
		struct verdict again = {0};
		struct vfy_work cost;
		char *after;

		vfy_check_work(&again, policy, &in, &cost);
		after = verdict_json(&again);
		same = after != NULL && strcmp(before, after) == 0 && cost.signature_checks == work->signature_checks &&
		       cost.signature_cost == work->signature_cost;
		free(after);
		verdict_clear(&again);
	}
	free(before);
	return same;
}

#endif
