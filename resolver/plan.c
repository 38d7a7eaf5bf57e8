#include "resolver/plan.h"

#include "resolver/filter.h"
#include "resolver/local_data.h"
#include "resolver/rebinding.h"
#include "resolver/routes.h"

#include <stdlib.h>

static void
plan_destroy(struct plan *p)
{
	local_data_free(p->local);
	routes_free(p->routes);
	filter_free(p->filter);
	rebinding_free(p->rebinding);
	free(p->allow);
	snapshot_unref(p->snapshot);
	free(p);
}

static enum res
allow_compile(struct plan *p, const struct settings *s)
{
	p->allow = calloc(s->allow.n + 1, sizeof *p->allow);
	if (p->allow == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < s->allow.n; i++) /* the option's form is a prefix */
		if (prefix_read(&p->allow[p->n_allow], s->allow.v[i]) == RES_OK)
			p->n_allow++;
	return RES_OK;
}

bool
plan_allows(const struct plan *p, const struct addr *client)
{
	bool allowed =
	    client->family == ADDR_NONE || addr_is_loopback(client); /* none: a question of our own */

	for (size_t i = 0; i < p->n_allow && !allowed; i++)
		allowed = prefix_has(&p->allow[i], client);
	return allowed;
}

enum res
plan_read(struct plan **out, const char *file, uint64_t generation, bool at_boot,
	  struct config_errors *errors)
{
	struct config_errors warnings = {0};
	struct plan *p = calloc(1, sizeof *p);
	struct settings *settings = NULL;
	enum res res[8] = {RES_NOMEM}, worst = RES_OK;

	if (p == NULL)
		config_errors_add(errors, (struct place){0}, "%s", res_text(RES_NOMEM));
	else
		res[0] = settings_read_on(&settings, file, errors);
	if (settings == NULL) {
		free(p);
		return res[0];
	}
	p->refs = 1;
	settings->serve_without = at_boot;
	/* Compile everything, so that one run reports all errors. */
	res[1] = local_data_compile(&p->local, settings, errors);
	res[2] = filter_compile(&p->filter, settings, errors, &warnings);
	res[3] = rebinding_compile(&p->rebinding, settings, errors);
	res[7] = allow_compile(p, settings);
	res[4] = snapshot_compile(&p->snapshot, settings, generation, errors);
	if (p->snapshot != NULL)
		res[5] = routes_compile(&p->routes, p->snapshot, errors);
	if (p->snapshot != NULL)
		res[6] = snapshot_warn(p->snapshot, &warnings);
	config_errors_free(&warnings);
	for (size_t i = 0; i < sizeof res / sizeof *res; i++)
		worst = worst == RES_OK ? res[i] : worst;
	if (worst != RES_OK) {
		plan_destroy(p);
		return worst;
	}
	*out = p;
	return RES_OK;
}

struct plan *
plan_ref(struct plan *p)
{
	p->refs++;
	return p;
}

void
plan_unref(struct plan *p)
{
	if (p != NULL && --p->refs == 0)
		plan_destroy(p);
}
