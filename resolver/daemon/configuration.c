#include "resolver/daemon/configuration.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

void
configuration_warn(const struct configuration *c)
{
	const struct snapshot *s = c->plan->snapshot;

	for (size_t i = 0; i < s->n_warning; i++)
		log_event(LOG_WARN, "configuration", LOG_STR("warning", s->warning[i]));
	for (size_t i = 0; i < s->n_list_warning; i++)
		log_event(LOG_WARN, "list", LOG_STR("warning", s->list_warning[i]));
	for (size_t u = 0; u < s->n_upstream; u++)
		for (size_t i = 0; i < s->upstream[u].n_warning; i++)
			log_event(LOG_WARN, "configuration", LOG_STR("upstream", s->upstream[u].title),
				  LOG_STR("warning", s->upstream[u].warning[i]));
}

static void
log_as_configured(const struct configuration *c)
{
	const struct settings *s = c->plan->snapshot->settings;
	int level = (int)s->log_level + c->verbose;

	log_setup(level > LOG_DEBUG ? LOG_DEBUG : (enum log_level)level, s->log_format);
}

enum res
configuration_read(struct configuration *c, const char *file, int verbose, struct config_errors *errors)
{
	enum res res;

	*c = (struct configuration){.file = file, .verbose = verbose, .generation = 1};
	res = plan_read(&c->plan, file, c->generation, true, errors);
	if (res == RES_OK)
		log_as_configured(c);
	return res;
}

/* Options whose files and sockets were opened before privileges were dropped: a reload cannot change them. */
static void
fixed_settings_warn(const struct settings *a, const struct settings *b)
{
	bool same = a->listen.n == b->listen.n;
	const char *what = NULL;

	for (size_t i = 0; same && i < a->listen.n; i++)
		same = addr_equal(&a->listen.v[i], &b->listen.v[i]);
	if (!same)
		what = "listen";
	else if (a->workers != b->workers)
		what = "workers";
	else if (strcmp(a->user, b->user) != 0)
		what = "user";
	else if (strcmp(a->control_socket, b->control_socket) != 0)
		what = "control-socket";
	if (what != NULL)
		log_event(LOG_WARN, "restart-needed", LOG_STR("option", what));
}

static void
reload_failed(struct configuration *c, const struct config_errors *errors)
{
	free(c->reload_error);
	c->reload_error = strdup(errors->n > 0 ? errors->line[0] : "out of memory");
	for (size_t i = 0; i < errors->n; i++)
		log_event(LOG_ERROR, "reload-refused", LOG_STR("error", errors->line[i]));
	if (errors->n == 0)
		log_event(LOG_ERROR, "reload-refused", LOG_STR("error", "out of memory"));
}

enum res
configuration_reload(struct configuration *c, struct config_errors *errors)
{
	struct plan *plan, *before = c->plan;

	if (plan_read(&plan, c->file, c->generation + 1, false, errors) != RES_OK) {
		reload_failed(c, errors);
		return RES_MALFORMED;
	}
	c->generation++;
	c->plan = plan;
	free(c->reload_error);
	c->reload_error = NULL;
	fixed_settings_warn(before->snapshot->settings, plan->snapshot->settings);
	plan_unref(before);
	log_as_configured(c);
	log_event(LOG_NOTICE, "reloaded", LOG_INT("generation", c->generation),
		  LOG_INT("upstreams", plan->snapshot->n_upstream));
	configuration_warn(c);
	return RES_OK;
}

void
configuration_free(struct configuration *c)
{
	plan_unref(c->plan);
	free(c->reload_error);
}
