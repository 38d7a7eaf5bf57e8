#include "resolver/plan.h"

#include "resolver/filter.h"
#include "resolver/local.h"
#include "resolver/routes.h"

#include <stdlib.h>

static void
plan_free(struct plan *p)
{
	local_data_free(p->local);
	routes_free(p->routes);
	filter_free(p->filter);
	rebinding_free(p->rebinding);
	snapshot_unref(p->snapshot);
	free(p);
}

enum res
plan_compile(struct plan **out, struct snapshot *snapshot, struct config_errors *errors)
{
	const struct settings *settings = snapshot->settings;
	struct plan *p = calloc(1, sizeof *p);
	enum res res[4], worst = RES_OK;

	if (p == NULL) {
		config_errors_add(errors, (struct place){0}, "%s", res_text(RES_NOMEM));
		snapshot_unref(snapshot);
		return RES_NOMEM;
	}
	p->refs = 1;
	p->snapshot = snapshot;
	/* All of them, so that one run shows all that is wrong. */
	res[0] = local_data_compile(&p->local, settings, errors);
	res[1] = routes_compile(&p->routes, snapshot, errors);
	res[2] = filter_compile(&p->filter, settings, errors);
	res[3] = rebinding_compile(&p->rebinding, settings, errors);
	for (size_t i = 0; i < sizeof res / sizeof *res; i++)
		worst = worst == RES_OK ? res[i] : worst;
	if (worst != RES_OK) {
		plan_free(p);
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
		plan_free(p);
}
