#include "resolver/upstream_report.h"

#include <stdlib.h>

const char *
health_text(enum health h)
{
	switch (h) {
	case HEALTH_UNKNOWN:
		return "unknown";
	case HEALTH_GOOD:
		return "good";
	case HEALTH_FAILING:
		return "failing";
	case HEALTH_REFUSED:
		return "refused";
	}
	return "unknown";
}

void
upstreams_report_free(struct upstreams_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].upstream);
		free(r->v[i].verdict_json);
	}
	free(r->v);
	*r = (struct upstreams_report){0};
}
