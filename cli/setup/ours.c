#include "config.h"

#include "cli/setup/ours.h"

#include "cli/control.h"

#include <string.h>
#include <unistd.h>

/* Is the address among those that the daemon's status lists? */
static bool
status_lists(const struct buf *status, const char *address)
{
	json_t *json = json_loadb((const char *)status->p, status->n, 0, NULL), *item;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(json, "listen"), i, item)
		found |= json_is_string(item) && strcmp(json_string_value(item), address) == 0;
	json_decref(json);
	return found;
}

bool
ours_holds(const struct settings *s, const struct addr *addr, char why[OURS_WHY_MAX])
{
	static const char request[] = "{\"verb\":\"status\"}";
	char address[ADDR_TEXT_MAX];
	const char *error = NULL;
	struct buf answer;
	bool ours;

	if (*s->control_socket == '\0' || strlen(s->control_socket) >= CONTROL_PATH_MAX)
		return true;
	if (control_exchange(&answer, s->control_socket, request, NULL, &error) != RES_OK) {
		(void)snprintf(why, OURS_WHY_MAX, "ctstubd does not answer on %s: %s", s->control_socket,
			       error);
		return geteuid() != 0;
	}
	ours = status_lists(&answer, addr_text(addr, address));
	buf_free(&answer);
	(void)snprintf(why, OURS_WHY_MAX,
		       "ctstubd does not listen on %s; another program may (ss -lnup sport = 53)", address);
	return ours;
}
