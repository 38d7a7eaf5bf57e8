#include "resolver/daemon/listen_check.h"

#include "resolver/daemon/service.h"
#include "resolver/daemon/socket_unit.h"

#include <stdlib.h>

static enum res
unit_compare(const struct settings *s, struct config_errors *errors, struct config_errors *warnings)
{
	bool binding = service_is_manager();
	struct held_sockets held;
	char *why = NULL;
	enum res res = socket_unit_read(&held, socket_unit_folders, &why);

	if (res != RES_OK && res != RES_NOT_FOUND)
		config_errors_add(warnings, (struct place){0},
				  "listen was not compared with " SOCKET_UNIT ": %s",
				  why != NULL ? why : res_text(res));
	free(why);
	if (res != RES_OK)
		return RES_OK;
	held.without_ipv6 = !listener_has_ipv6();
	return held_matches(&held, s, binding ? errors : warnings) || !binding ? RES_OK : RES_MALFORMED;
}

enum res
listen_check(const struct settings *s, bool of_service, struct config_errors *errors,
	     struct config_errors *warnings)
{
	struct listener_fds *fds = NULL;
	struct held_sockets held;
	char *why = NULL;
	size_t n = 0;
	enum res res = service_sockets(&fds, &n, &why);

	if (res != RES_OK) {
		config_errors_add(errors, s->set_at[OPTION_LISTEN], "%s", why != NULL ? why : res_text(res));
	} else if (n > 0) {
		service_held(&held, fds, n);
		res = held_matches(&held, s, errors) ? RES_OK : RES_MALFORMED;
	} else if (of_service) {
		res = unit_compare(s, errors, warnings);
	}
	free(why);
	free(fds);
	return res;
}
