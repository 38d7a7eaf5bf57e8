#include "cli/egress_check.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* nft prints a user as its number, or with some options by its name. */
static void
user_read(char out[64], const json_t *user)
{
	const struct passwd *p;

	if (json_is_integer(user)) {
		p = getpwuid((uid_t)json_integer_value(user));
		if (p != NULL)
			(void)snprintf(out, 64, "%s", p->pw_name);
		else
			(void)snprintf(out, 64, "%lld", (long long)json_integer_value(user));
	} else if (json_is_string(user)) {
		(void)snprintf(out, 64, "%s", json_string_value(user));
	}
	if (!egress_user_ok(out))
		(void)snprintf(out, 64, "unknown");
}

/* The address and port at i of a concatenation. */
static bool
endpoint_read(struct addr *a, const json_t *concat, size_t i)
{
	const json_t *ip = json_array_get(concat, i), *port = json_array_get(concat, i + 1);

	if (!json_is_string(ip) || !json_is_integer(port) || json_integer_value(port) < 0 ||
	    json_integer_value(port) > UINT16_MAX || addr_read_ip(a, json_string_value(ip)) != RES_OK)
		return false;
	a->port = (uint16_t)json_integer_value(port);
	return true;
}

static void
attempt_add(struct egress_found *f, const json_t *element)
{
	struct egress_attempt a = {0};
	const json_t *inside = json_object_get(element, "elem");
	const json_t *concat = json_object_get(json_object_get(inside, "val"), "concat");
	const json_t *counter = json_object_get(inside, "counter");

	if (f->n >= 2 * (size_t)EGRESS_TRIED_MAX || !endpoint_read(&a.addr, concat, 1))
		return;
	user_read(a.user, json_array_get(concat, 0));
	a.packets = json_integer_value(json_object_get(counter, "packets"));
	f->tried[f->n++] = a;
}

/* Counts the upstreams of the rules that the plan has; any other is out of date. */
static void
upstreams_compare(struct egress_found *f, const json_t *elements, const struct egress *e, size_t *seen)
{
	const json_t *element;
	struct addr a;
	size_t i;

	json_array_foreach (elements, i, element) {
		if (endpoint_read(&a, json_object_get(element, "concat"), 0) && egress_has(e, &a))
			++*seen;
		else
			f->out_of_date = true;
	}
}

static void
set_read(struct egress_found *f, const json_t *set, const struct egress *e, size_t *seen)
{
	const char *name = json_string_value(json_object_get(set, "name"));
	const json_t *elements = json_object_get(set, "elem"), *element;
	size_t i;

	if (name == NULL)
		return;
	if (strncmp(name, "upstreams", 9) == 0)
		upstreams_compare(f, elements, e, seen);
	if (strncmp(name, "tried", 5) == 0)
		json_array_foreach (elements, i, element)
			attempt_add(f, element);
}

enum res
egress_found_read(struct egress_found *out, struct span text, const struct egress *e)
{
	struct egress_found f = {0};
	json_t *root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *all = json_object_get(root, "nftables"), *item;
	bool has_table = false;
	size_t i, seen = 0;

	f.tried = calloc(2 * (size_t)EGRESS_TRIED_MAX, sizeof *f.tried); /* of each family */
	if (f.tried == NULL) {
		json_decref(root);
		return RES_NOMEM;
	}
	json_array_foreach (all, i, item) {
		const json_t *counter = json_object_get(item, "counter");

		has_table |= json_object_get(item, "table") != NULL;
		set_read(&f, json_object_get(item, "set"), e, &seen);
		f.refused += json_integer_value(json_object_get(counter, "packets"));
	}
	json_decref(root);
	f.out_of_date |= seen != e->n;
	if (!has_table) {
		egress_found_free(&f);
		return RES_MALFORMED;
	}
	*out = f;
	return RES_OK;
}

void
egress_found_free(struct egress_found *f)
{
	free(f->tried);
	*f = (struct egress_found){0};
}
