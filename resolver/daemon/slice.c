#include "config.h" /* SCHED_BATCH and syscall want _GNU_SOURCE */

#include "resolver/daemon/slice.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sched_attr in its first size (sched_setattr(2)). The C library of Debian 12 has none, and the kernel's header collides with
 * sched.h. */
struct slice_attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime; /* ns; the slice under the ordinary policies */
	uint64_t deadline;
	uint64_t period;
};

uint64_t
slice_set(uint64_t ns)
{
	struct slice_attr attr = {.size = sizeof attr};
	uint64_t before;

	if (ns == 0 || syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) != 0)
		return 0;
	if (attr.policy != SCHED_OTHER && attr.policy != SCHED_BATCH)
		return 0;
	before = attr.runtime; /* 0: the kernel knows no slices */
	attr.runtime = ns;
	if (before == 0 || syscall(SYS_sched_setattr, 0, &attr, 0) != 0)
		return 0;
	return before;
}
