#include "contrib/lab/lab_options.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

bool
lab_number_read(int64_t *out, const char *name, const char *text, int64_t least, int64_t most)
{
	if (number_read(out, text) == RES_OK && *out >= least && *out <= most)
		return true;
	fprintf(stderr, "ctstub-lab: --%s %s: a number from %lld to %lld was expected\n", name, text,
		(long long)least, (long long)most);
	return false;
}

bool
lab_duration_read(int64_t *out_ms, const char *name, const char *text, int64_t least_ms)
{
	if (duration_read(out_ms, text) == RES_OK && *out_ms >= least_ms)
		return true;
	fprintf(stderr, "ctstub-lab: --%s %s: a duration such as 12s was expected\n", name, text);
	return false;
}

bool
lab_listen_read(struct addr *out, const char *text, uint16_t default_port)
{
	size_t n = strlen(text);
	char any[ADDR_TEXT_MAX];

	/* addr_read rejects port 0: only a listener may ask for any free port. */
	if (n > 2 && n < sizeof any && strcmp(text + n - 2, ":0") == 0) {
		snprintf(any, sizeof any, "%.*s:1", (int)(n - 2), text);
		if (addr_read(out, any, default_port) == RES_OK) {
			out->port = 0;
			return true;
		}
	}
	if (addr_read(out, text, default_port) == RES_OK)
		return true;
	fprintf(stderr, "ctstub-lab: --listen %s: ADDR:PORT was expected\n", text);
	return false;
}
