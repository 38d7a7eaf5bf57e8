#include "resolver/upstream_set.h"

struct walk
upstreams_walk(const struct upstreams *set, const struct route *route)
{
	return (struct walk){.set = set, .route = route};
}

struct walk
upstreams_walk_from(const struct upstreams *set, const struct route *route, size_t place)
{
	return (struct walk){.set = set, .route = route, .first = place};
}

struct server *
walk_next(struct walk *w, size_t *i)
{
	while (w->i < w->route->n_upstream) {
		size_t place = w->first + w->i < w->route->n_upstream
				   ? w->first + w->i
				   : w->first + w->i - w->route->n_upstream;
		uint32_t u = w->route->upstream[place];

		if (w->p < w->set->plan->snapshot->upstream[u].n_target) {
			*i = place;
			return w->set->server[w->set->first[u] + w->p++];
		}
		w->i++;
		w->p = 0;
	}
	return NULL;
}

int64_t
upstream_tried_ms(const struct upstreams *set, uint32_t upstream)
{
	size_t n = set->plan->snapshot->upstream[upstream].n_target;
	int64_t tried = INT64_MIN;

	for (size_t i = 0; i < n; i++)
		if (set->server[set->first[upstream] + i]->tried_ms > tried)
			tried = set->server[set->first[upstream] + i]->tried_ms;
	return tried;
}

struct server *
server_rival(const struct server *s)
{
	const struct upstreams *set = s->set;
	size_t n = set->plan->snapshot->upstream[s->upstream].n_target;
	int64_t now = loop_now_ms(set->loop);

	for (size_t i = 0; i < n; i++) {
		struct server *o = set->server[set->first[s->upstream] + i];

		if (o->target->addr.family != s->target->addr.family && o->health != HEALTH_REFUSED &&
		    !server_rests(o, now))
			return o;
	}
	return NULL;
}

bool
server_has_rival(const struct server *s)
{
	return server_rival(s) != NULL;
}

bool
server_is_general(const struct server *s)
{
	const struct route *root = routes_root(s->set->plan->routes);

	return root->n_upstream == 0 || route_has(root, s->upstream);
}

bool
upstreams_all_refused(const struct upstreams *set, const struct route *route)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED)
			return false;
	return true;
}

bool
upstreams_all_resting(const struct upstreams *set, const struct route *route)
{
	struct walk w = upstreams_walk(set, route);
	int64_t now = loop_now_ms(set->loop);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED && !server_rests(s, now))
			return false;
	return true;
}

bool
upstreams_connecting(const struct upstreams *set, const struct route *route)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (server_connects(s))
			return true;
	return false;
}

bool
upstreams_know(const struct upstreams *set, const struct route *route, uint64_t zone)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (server_knows(s, zone))
			return true;
	return false;
}
