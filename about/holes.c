#include "about/holes.h"

#include "about/version.h"

#include <string.h>

const struct hole holes[] = {
#define HOLE(library, since, fixed, id, patched, why) {library, since, fixed, id, patched, why},
#include "about/holes.def"
#undef HOLE
};
const size_t n_holes = sizeof holes / sizeof holes[0];

const char *
hole_patched_in(const struct hole *h, const struct library *l, char out[DPKG_VERSION_MAX])
{
	const char *p = h->patched;
	size_t n;

	for (; p != NULL && *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		(void)snprintf(out, DPKG_VERSION_MAX, "%.*s", (int)n, p);
		if (l->package[0] != '\0' && version_same_upstream(out, l->package))
			return out;
	}
	out[0] = '\0';
	return out;
}

enum hole_state
hole_state(const struct hole *h, const struct library *l)
{
	char patched[DPKG_VERSION_MAX];

	if (strcmp(h->library, l->name) != 0 || l->version[0] == '\0' ||
	    version_compare(l->version, h->fixed) >= 0 ||
	    (h->since != NULL && version_compare(l->version, h->since) < 0))
		return HOLE_CLOSED;
	(void)hole_patched_in(h, l, patched);
	if (patched[0] == '\0')
		return HOLE_UNSURE;
	return version_compare(l->package, patched) >= 0 ? HOLE_CLOSED : HOLE_OPEN;
}
