#include "contrib/watch/plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- what only the daemon needs */

static bool
text_empty(char **field)
{
	char *empty = strdup("");

	if (empty == NULL)
		return false;
	free(*field);
	*field = empty;
	return true;
}

static bool
settings_trim(struct settings *s)
{
	bool ok = true;

	for (size_t i = 0; i < s->n_upstream; i++) {
		struct upstream_settings *u = &s->upstream[i];

		while (u->crl_file.n > 0)
			free(u->crl_file.v[--u->crl_file.n]);
		ok = ok && text_empty(&u->client_cert) && text_empty(&u->client_key);
	}
	return ok;
}

/* ---- what is watched for */

static enum res
upstream_watch(struct watch_list *list, const struct upstream_settings *u, int owner)
{
	enum res res = RES_OK;

	for (size_t i = 0; res == RES_OK && i < u->address.n; i++)
		res = watch_list_add_address(list, &u->address.v[i], owner);
	for (size_t i = 0; res == RES_OK && i < u->also_address.n; i++)
		res = watch_list_add_address(list, &u->also_address.v[i], owner);
	if (res == RES_OK && *u->name != '\0')
		res = watch_list_add_name(list, u->name, owner);
	return res;
}

static enum res
list_fill(struct watch_plan *p, struct config_errors *errors)
{
	const struct settings *s = p->snapshot->settings;
	enum res worst = watch_list_new(&p->list), res;

	for (size_t i = 0; worst == RES_OK && i < s->n_upstream; i++)
		worst = upstream_watch(p->list, &s->upstream[i], (int)i);
	for (size_t i = 0; worst != RES_NOMEM && i < s->watch_file.n; i++)
		if ((res = watch_files_watched_read(s, i, watch_list_add_item, p->list, errors)) != RES_OK)
			worst = res;
	return worst;
}

/* ---- what is expected */

static enum res
known_fill(struct watch_plan *p, struct config_errors *errors)
{
	const struct settings *s = p->snapshot->settings;
	struct cert_match_builder *b = NULL;
	enum res worst = cert_match_builder_new(&b), res;

	for (size_t i = 0; worst != RES_NOMEM && i < s->known_file.n; i++)
		if ((res = watch_files_known_read(s, i, b, errors)) != RES_OK)
			worst = res;
	if (worst != RES_OK) {
		cert_match_builder_free(b);
		return worst;
	}
	return cert_match_finish(&p->known, b);
}

/* The daemon can do without. */
static enum res
state_dir_check(const struct settings *s, struct config_errors *errors)
{
	if (*s->state_dir != '\0')
		return RES_OK;
	config_errors_add(
	    errors, s->set_at[OPTION_STATE_DIR],
	    "option \"state-dir\" is empty, a folder was expected: ctstub-watch keeps there how far it "
	    "has read and what it has found");
	return RES_MALFORMED;
}

enum res
watch_plan_read(struct watch_plan **out, const char *file, struct config_errors *errors)
{
	struct watch_plan *p = calloc(1, sizeof *p);
	struct settings *s = NULL;
	enum res res = p == NULL ? RES_NOMEM : settings_read(&s, file, errors), known, folder;

	if (res == RES_OK && !settings_trim(s))
		res = RES_NOMEM;
	if (res == RES_OK)
		res = snapshot_compile(&p->snapshot, s, 1, errors);
	else
		settings_free(s);
	if (res == RES_OK) {
		res = list_fill(p, errors);
		known = known_fill(p, errors);
		folder = state_dir_check(p->snapshot->settings, errors);
		res = res != RES_OK ? res : known != RES_OK ? known : folder;
	}
	if (res == RES_OK)
		*out = p;
	else
		watch_plan_free(p);
	return res;
}

void
watch_plan_free(struct watch_plan *p)
{
	if (p == NULL)
		return;
	watch_list_free(p->list);
	cert_match_free(p->known);
	if (p->snapshot != NULL)
		snapshot_unref(p->snapshot);
	free(p);
}
