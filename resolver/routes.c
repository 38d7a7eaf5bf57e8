#include "resolver/routes.h"

#include "base/dns/nameset.h"

#include <stdlib.h>

struct routes {
	struct nameset *names; /* suffix to the number of its route; the root's is 0 */
	struct nameset *above; /* names above those */
	struct route *route;
	size_t n;
	uint32_t *general; /* upstreams of the root, when no forward "." says which */
};

/* Every upstream that no forward claims, in the order of the configuration. */
static enum res
root_route(struct routes *r, const struct snapshot *snapshot)
{
	static const uint8_t root[1];
	size_t n = 0;

	r->general = calloc(snapshot->n_upstream + 1, sizeof *r->general);
	if (r->general == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < snapshot->n_upstream; i++)
		if (snapshot->upstream[i].general)
			r->general[n++] = (uint32_t)i;
	r->route[0] = (struct route){.upstream = r->general, .n_upstream = n, .suffix = span_of(root, 1)};
	r->n = 1;
	return RES_OK;
}

static enum res
forward_route(struct routes *r, const struct forward_plan *f)
{
	struct route route = {.upstream = f->upstream, .n_upstream = f->n_upstream, .suffix = f->suffix};
	enum res res;

	if (f->suffix.n == 1) {
		r->route[0] = route;
		return RES_OK;
	}
	route.forwarded = true;
	route.id = (uint32_t)r->n;
	r->route[r->n++] = route;
	res = nameset_add_above(r->above, f->suffix);
	return res == RES_OK ? nameset_add(r->names, f->suffix, route.id) : res;
}

enum res
routes_compile(struct routes **out, const struct snapshot *snapshot, struct config_errors *errors)
{
	struct routes *r = calloc(1, sizeof *r);
	enum res res = r == NULL ? RES_NOMEM : nameset_new(&r->names);

	if (res == RES_OK)
		res = nameset_new(&r->above);
	if (res == RES_OK) {
		r->route = calloc(snapshot->n_forward + 1, sizeof *r->route);
		res = r->route == NULL ? RES_NOMEM : root_route(r, snapshot);
	}
	for (size_t i = 0; res == RES_OK && i < snapshot->n_forward; i++)
		res = forward_route(r, &snapshot->forward[i]);
	if (res != RES_OK) {
		config_errors_add(errors, (struct place){0}, "forward: %s", res_text(res));
		routes_free(r);
		return res;
	}
	nameset_seal(r->names);
	nameset_seal(r->above);
	*out = r;
	return RES_OK;
}

void
routes_free(struct routes *r)
{
	if (r == NULL)
		return;
	nameset_free(r->names);
	nameset_free(r->above);
	free(r->route);
	free(r->general);
	free(r);
}

bool
routes_is_above(const struct routes *r, struct span name)
{
	return r != NULL && nameset_find(r->above, name, NULL);
}

const struct route *
routes_find(const struct routes *r, struct span name)
{
	uint32_t i = 0;

	(void)nameset_find_above(r->names, name, &i);
	return &r->route[i];
}

const struct route *
routes_root(const struct routes *r)
{
	return &r->route[0];
}

bool
route_has(const struct route *r, uint32_t upstream)
{
	for (size_t i = 0; i < r->n_upstream; i++)
		if (r->upstream[i] == upstream)
			return true;
	return false;
}
