#include "resolver/daemon/configuration.h"

#include "base/log.h"
#include "config/load.h"
#include "resolver/daemon/path_check.h"
#include "resolver/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
paths_warn(const struct settings *s)
{
	struct config_errors warnings = {0};

	path_check(s, &warnings);
	for (size_t i = 0; i < warnings.n; i++)
		log_event(LOG_WARN, "configuration", LOG_STR("warning", warnings.line[i]));
	config_errors_free(&warnings);
}

void
configuration_warn(const struct configuration *c)
{
	const struct snapshot *s = c->plan->snapshot;

	for (size_t i = 0; i < s->n_warning; i++)
		log_event(LOG_WARN, "configuration", LOG_STR("warning", s->warning[i]));
	for (size_t i = 0; i < s->n_list_warning; i++)
		log_event(LOG_WARN, "list", LOG_STR("warning", s->list_warning[i]));
	paths_warn(s->settings);
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

/* A reload must not lose entries that refuse certificates because their folder has another owner or mode by now. */
static bool
entries_are_kept(const struct plan *before, const struct plan *plan, struct config_errors *errors)
{
	const struct snapshot *snap = plan->snapshot;

	if (!snap->watch_unread || before->snapshot->watch_unread)
		return true;
	config_errors_add(errors, snap->settings->set_at[OPTION_STATE_DIR],
			  "the daemon's user may not read the entries of ctstub-watch in %s/" WATCH_FOLDER,
			  snap->settings->state_dir);
	return false;
}

/* A reload must not go back to an older list of CT logs because the stored one is damaged by now: a log may have ended since. */
static bool
log_list_is_kept(const struct plan *before, const struct plan *plan, struct config_errors *errors)
{
	const struct snapshot *was = before->snapshot, *snap = plan->snapshot;

	if (snap->ctlogs_unread == NULL || was->ctlogs == NULL || *was->settings->ct_log_list != '\0' ||
	    ctlogs_date_ms(snap->ctlogs) >= ctlogs_date_ms(was->ctlogs))
		return true;
	config_errors_add(errors, snap->settings->set_at[OPTION_STATE_DIR],
			  "%s; the one in effect, from %s, is newer than the one left, %s",
			  snap->ctlogs_unread, was->ctlogs_from, snap->ctlogs_from);
	return false;
}

/* A plan that fits the sockets. *out is yours on RES_OK alone. */
static enum res
plan_read_for(const struct configuration *c, struct plan **out, bool at_boot, struct config_errors *errors)
{
	struct plan *plan = NULL;
	enum res res = plan_read(&plan, c->file, c->generation, at_boot, errors);

	if (res == RES_OK && (!held_matches(c->held, plan->snapshot->settings, errors) ||
			      (!at_boot && (!entries_are_kept(c->plan, plan, errors) ||
					    !log_list_is_kept(c->plan, plan, errors))))) {
		plan_unref(plan);
		return RES_MALFORMED;
	}
	if (res == RES_OK)
		*out = plan;
	return res;
}

enum res
configuration_read(struct configuration *c, const char *file, int verbose, const struct held_sockets *held,
		   struct config_errors *errors)
{
	enum res res;

	*c = (struct configuration){.file = file, .verbose = verbose, .held = held, .generation = 1};
	res = plan_read_for(c, &c->plan, true, errors);
	if (res == RES_OK)
		res = changes_start_take(&c->started, c->plan->snapshot->settings);
	if (res == RES_OK)
		log_as_configured(c);
	return res;
}

static size_t
disallow_count(const struct vfy_policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_disallow; i++)
		n += cert_match_count(p->disallow[i]);
	return n;
}

/* What a reload can change without changing an option: what the files hold that the options name. */
static void
contents_compare(struct changes *found, const struct plan *before, const struct plan *after)
{
	const struct snapshot *a = before->snapshot, *b = after->snapshot;

	changes_add_number(found, "entries of the global disallow lists", disallow_count(a->policy),
			   disallow_count(b->policy));
	changes_add_number(found, "trust anchors", trust_count(a->policy->trust),
			   trust_count(b->policy->trust));
	changes_add_number(found, "CT logs", a->ctlogs != NULL ? ctlogs_count(a->ctlogs) : 0,
			   b->ctlogs != NULL ? ctlogs_count(b->ctlogs) : 0);
	changes_add_number(found, "names of the filter lists", filter_count(before->filter),
			   filter_count(after->filter));
}

static void
changes_log(const struct changes *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].text != NULL)
			log_event(found->v[i].needs_restart ? LOG_WARN : LOG_NOTICE,
				  found->v[i].needs_restart ? "restart-needed" : "changed",
				  LOG_STR("setting", found->v[i].text));
}

static void
restart_needed_free(struct configuration *c)
{
	if (c->restart_needed != NULL)
		changes_free(c->restart_needed);
	free(c->restart_needed);
	c->restart_needed = NULL;
}

/* Without memory it is not shown; the log has it from the reload. */
static void
restart_needed_find(struct configuration *c)
{
	restart_needed_free(c);
	c->restart_needed = calloc(1, sizeof *c->restart_needed);
	if (c->restart_needed == NULL)
		return;
	changes_start_compare(c->restart_needed, &c->started, c->plan->snapshot->settings);
	if (c->restart_needed->n == 0)
		restart_needed_free(c);
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
configuration_reload(struct configuration *c, struct config_errors *errors, struct changes *changes,
		     struct plan **replaced)
{
	struct plan *plan, *before = c->plan;

	c->generation++;
	if (plan_read_for(c, &plan, false, errors) != RES_OK) {
		c->generation--;
		reload_failed(c, errors);
		return RES_MALFORMED;
	}
	c->plan = plan;
	free(c->reload_error);
	c->reload_error = NULL;
	changes_find(changes, before->snapshot->settings, plan->snapshot->settings, &c->started);
	contents_compare(changes, before, plan);
	restart_needed_find(c);
	*replaced = before;
	log_as_configured(c);
	log_event(LOG_NOTICE, "reloaded", LOG_INT("generation", c->generation),
		  LOG_INT("upstreams", plan->snapshot->n_upstream), LOG_INT("changes", changes->n));
	changes_log(changes);
	configuration_warn(c);
	return RES_OK;
}

void
configuration_free(struct configuration *c)
{
	plan_unref(c->plan);
	free(c->reload_error);
	changes_start_free(&c->started);
	restart_needed_free(c);
}

void
configuration_errors_print(const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		fprintf(stderr, "ctstubd: %s\n", errors->line[i]);
	if (errors->more)
		fprintf(stderr, "ctstubd: and more\n");
	if (errors->n == 0)
		fprintf(stderr, "ctstubd: out of memory\n");
}
