/* Preloaded for callgrind, which knows no filter of system calls: the daemon runs without its own. The daemon's calls into
 * libseccomp succeed and do nothing. */
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
