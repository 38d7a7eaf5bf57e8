/*
 * plan.h - what setup would change on a machine, step by step. A pure function of the facts.
 */
#ifndef CLI_SETUP_PLAN_H
#define CLI_SETUP_PLAN_H

#include "cli/setup/machine.h"

#define PLAN_STEPS_MAX 16
#define PLAN_PATH_MAX  512
#define SERVERS_MAX    4 /* resolv.conf(5) takes three, and these are loopback addresses */

/* The installed script that writes forward rows for the domains of links; NetworkManager needs a copy in its own
 * folder. */
#define LINKS_HOOK_SOURCE PKGDATADIR "/links-hook"
#define LINKS_HOOK_FILE   "/etc/NetworkManager/dispatcher.d/60-ctstub-links"

enum step_kind {
	STEP_FILE,    /* the name becomes `entry` */
	STEP_SERVICE, /* a service ends and stays away: it would decide where names are asked */
	STEP_RESTART, /* a service reads its changed files */
	STEP_ENABLE,  /* a unit of ours starts, now and at each boot */
};

struct step {
	enum step_kind kind;
	char path[PLAN_PATH_MAX]; /* of a file; else the unit's name */
	struct entry entry;       /* owned */
	bool enabled, idle;       /* STEP_SERVICE: it was enabled, and it did not run */
	const char *why;          /* a sentence, constant */
};

struct plan {
	struct step step[PLAN_STEPS_MAX]; /* in the order in which they are done */
	size_t n;
};

struct plan_request {
	const char *server[SERVERS_MAX]; /* addresses in resolv.conf, lent */
	size_t n_server;
	bool with_links;
	const char *hook; /* the text of LINKS_HOOK_SOURCE, lent; with_links */
};

/* RES_NOMEM, RES_LIMIT. A step that would change nothing is left out. */
enum res plan_make(struct plan *, const struct machine *, const struct plan_request *);
void plan_free(struct plan *);
/* A line for people that says what the step does. Yours; NULL: no memory. */
char *step_text(const struct step *);

#endif
