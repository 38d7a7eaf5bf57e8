/*
 * resolver_plans.h - the configurations that fuzz_resolver.c reloads between, and the names that its clients ask for.
 *
 * Every configuration sends names below corp.example to one upstream alone and keeps those below home.example on this
 * machine, so both can be checked at any moment.
 */
#ifndef TESTS_FUZZ_RESOLVER_PLANS_H
#define TESTS_FUZZ_RESOLVER_PLANS_H

#include "resolver/plan.h"

#define PLANS 4

/* Read once; lent. */
struct plan *fuzz_plan(unsigned i);

#define LINE_CORP "192.0.2.9"
/* Addresses of the upstreams of all configurations. */
extern const char *const fuzz_lines[];
extern const unsigned fuzz_lines_n;

enum name_kind {
	NAME_PUBLIC, /* answered by any upstream except that of corp.example */
	NAME_CORP,
	NAME_PORTAL, /* public, and a name of a portal probe */
	NAME_HERE,   /* never leaves this machine */
	NAME_SINGLE, /* a single label: it depends on the configuration */
	NAME_FILTERED, /* likewise */
};

struct fuzz_name {
	const char *text;
	enum name_kind kind;
};
extern const struct fuzz_name fuzz_names[];
extern const unsigned fuzz_names_n;

#endif
