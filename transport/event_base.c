#include "transport/event_base.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LIBEVENT_FDS 3 /* epoll, and the two ends of what its signals come through */

/* libevent ends the program if it gets no descriptor for itself. */
static bool
descriptors_are_left(void)
{
	int fd[LIBEVENT_FDS];
	size_t n = 0;
	int failed = 0;

	while (n < LIBEVENT_FDS && failed == 0) {
		fd[n] = eventfd(0, EFD_CLOEXEC);
		if (fd[n] >= 0)
			n++;
		else
			failed = errno;
	}
	while (n > 0)
		(void)close(fd[--n]);
	errno = failed;
	return failed == 0;
}

enum res
event_base_make(struct event_base **out)
{
	struct event_config *config;

	*out = NULL;
	if (!descriptors_are_left())
		return RES_IO;
	config = event_config_new();
	if (config == NULL)
		return RES_NOMEM;
	/* The environment must not choose how we wait; one thread owns the base, so it needs no locks. */
	if (event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK) == 0)
		*out = event_base_new_with_config(config);
	event_config_free(config);
	return *out != NULL ? RES_OK : RES_NOMEM;
}
