/* Preloaded for callgrind, which does not support filters of system calls, so that the daemon runs without its own: its calls
 * into libseccomp succeed and do nothing. */
#define NOTHING(name)            \
	int name(void *filter);  \
	int name(void *filter)   \
	{                        \
		(void)filter;    \
		return 0;        \
	}

NOTHING(seccomp_attr_set)
NOTHING(seccomp_load)
NOTHING(seccomp_rule_add)
NOTHING(seccomp_rule_add_array)
