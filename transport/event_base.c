#include "transport/event_base.h"

#include "base/descriptors.h"

#include <event2/event.h>
#include <stddef.h>

enum res
event_base_make(struct event_base **out)
{
	struct event_config *config;

	*out = NULL;
	if (!descriptors_are_left(DESCRIPTORS_LIBEVENT)) /* libevent would end the program */
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
