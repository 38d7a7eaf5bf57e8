/*
 * up_show.h - what `ctstub-lab up` says about a scenario: lines to paste or, as JSON, one event.
 */
#ifndef CONTRIB_LAB_UP_SHOW_H
#define CONTRIB_LAB_UP_SHOW_H

#include "contrib/lab/scenarios/site.h"

struct up_shown {
	const struct site *site;
	const char *folder; /* the world's */
	uint16_t dot_port, doh_port;
};

/* Lines on standard output; the event goes where the other events go. */
void up_show(const struct up_shown *, bool json);

#endif
