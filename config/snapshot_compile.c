/*
 * Settings to a snapshot: policies, upstreams, forwards, and the warnings about them.
 */
#include "config.h"

#include "config/compile.h"

#include "base/clock.h"
#include "config/forms.h"
#include "config/options.h"
#include "config/reader.h"
#include "config/reverse.h"
#include "config/suffix.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- warnings */

static void
warn(struct compile *c, const char ***list, size_t *n, const char *text)
{
	c->nomem |= !owned_append_text(&c->snap->owned, list, n, text);
}

/* Which rules only report, and until when. */
static void
warn_report(struct compile *c, struct upstream_plan *plan, const struct upstream_settings *u)
{
	_Static_assert(OPTION_REVOCATION_MODE == OPTION_PIN_MODE + (int)VFY_RULE_REVOCATION,
		       "the options of the modes stand in the order of the rules");
	const struct vfy_policy *p = plan->policy;
	struct buf text = buf_max(512);
	size_t n = 0;

	buf_text(&text, "in report mode: ");
	for (size_t i = 0; i < VFY_RULE_COUNT; i++)
		if (p->mode[i] == VFY_REPORT)
			buf_format(&text, "%s%s", n++ == 0 ? "" : ", ",
				   option_table[OPTION_PIN_MODE + i].name);
	if (p->ct_mode == CT_REPORT)
		buf_format(&text, "%sct", n++ == 0 ? "" : ", ");
	if (n == 0) {
		buf_clear(&text);
		buf_text(&text, "report-until has no effect: no rule is in report mode");
	} else if (p->report_until_ms == 0) {
		buf_text(&text, "; their findings refuse nothing");
	} else if (clock_wall_ms() < p->report_until_ms) {
		buf_format(&text, "; their findings refuse nothing until the end of %s (UTC)",
			   u->report_until);
	} else {
		buf_format(&text, "; report-until, %s, has passed: their findings refuse", u->report_until);
	}
	if ((n > 0 && n > (p->ct_mode == CT_REPORT)) || *u->report_until != '\0')
		warn(c, &plan->warning, &plan->n_warning, buf_cstr(&text) == NULL ? "" : buf_cstr(&text));
	buf_free(&text);
}

static void
warn_upstream(struct compile *c, struct upstream_plan *plan, const struct upstream_settings *u)
{
	if (plan->policy->pins != NULL && cert_match_count(plan->policy->pins) == 1)
		warn(c, &plan->warning, &plan->n_warning,
		     "only one key is pinned: when it is replaced, no certificate matches; "
		     "add a backup, and pin a root rather than a leaf");
	warn_report(c, plan, u);
	if (u->protocol == TP_DOT && u->set_at[OPTION_URL_PATH].line != 0)
		warn(c, &plan->warning, &plan->n_warning,
		     "path has no effect with protocol \"dot\": DNS over HTTPS needs protocol = \"doh\"");
	/* a report-until says so itself, and until when */
	if (*u->ct != '\0' && (plan->policy->ct_mode == CT_OFF ||
			       (plan->policy->ct_mode == CT_REPORT && plan->policy->report_until_ms == 0)))
		warn(c, &plan->warning, &plan->n_warning,
		     "certificates that were never logged are not refused (ct)");
	if (u->also_address.n > 0)
		warn(c, &plan->warning, &plan->n_warning,
		     "also-address: a certificate of another address is accepted for "
		     "this one; the holder of one can impersonate all");
}

static void
warn_global(struct compile *c)
{
	struct snapshot *snap = c->snap;
	bool general = false;

	for (size_t i = 0; i < snap->n_upstream; i++)
		general |= snap->upstream[i].general;
	for (size_t i = 0; i < c->s->n_forward; i++)
		general |= strcmp(c->s->forward[i].title, ".") == 0;
	if (!general)
		warn(c, &snap->warning, &snap->n_warning,
		     "every upstream serves forwards only: names that match no forward "
		     "have no upstream (a forward \".\" gives them one)");
	if (c->s->ct_mode != CT_REQUIRE)
		warn(c, &snap->warning, &snap->n_warning,
		     "certificates that were never logged are not refused (ct.mode)");
	if (c->s->ct_when_stale == CT_STALE_REPORT)
		warn(c, &snap->warning, &snap->n_warning,
		     "Certificate Transparency will refuse nothing once the log list is "
		     "old (ct.when-stale)");
	if (!c->s->builtin_disallow)
		warn(c, &snap->warning, &snap->n_warning,
		     "the known rogue certificates that are compiled in are not refused "
		     "(trust.builtin-disallow)");
}

/* ---- policies, upstreams, forwards */

/* An empty list, or a missing one when there was no memory, is not used. */
static void
policy_disallow(struct vfy_policy *p, const struct cert_match *list)
{
	if (list != NULL && cert_match_count(list) > 0)
		p->disallow[p->n_disallow++] = list;
}

/* A time that is certainly past: this program was built then, or its list of logs was made. */
static int64_t
floor_of(const struct ctlogs *list)
{
	int64_t built_ms = (int64_t)BUILD_TIME_S * 1000;

	return list != NULL && ctlogs_date_ms(list) > built_ms ? ctlogs_date_ms(list) : built_ms;
}

static struct vfy_policy *
compile_policy(struct compile *c)
{
	const struct settings *s = c->s;
	struct vfy_policy *p = compile_array(c, 1, sizeof *p);
	const struct strings none = {0};
	char *warning = NULL;

	if (p == NULL)
		return NULL;
	p->ct_mode = s->ct_mode;
	p->ct_policy = s->ct_policy;
	p->ct_when_stale = s->ct_when_stale;
	p->ct_list_max_age_ms = s->ct_list_max_age_ms;
	p->is_public_suffix = suffix_is_public;
	compile_global_log_list(c, &warning);
	if (warning != NULL)
		warn(c, &c->snap->warning, &c->snap->n_warning, warning);
	if (warning != NULL && c->snap->n_warning > 0)
		c->snap->ctlogs_unread = c->snap->warning[c->snap->n_warning - 1];
	free(warning);
	p->ctlogs = c->snap->ctlogs;
	p->floor_ms = floor_of(p->ctlogs);
	p->anchor_limits = compile_anchor_limits(c, &s->constraints_file);
	if (s->builtin_disallow)
		policy_disallow(p,
				compile_entries(c, &none, OPTION_DISALLOW, NULL, OPTION_DISALLOW_FILE, true));
	p->n_disallow_always = p->n_disallow;
	if (s->disallow.n + s->disallow_file.n > 0)
		policy_disallow(p, compile_entries(c, &s->disallow, OPTION_DISALLOW, &s->disallow_file,
						   OPTION_DISALLOW_FILE, false));
	policy_disallow(p, compile_watch_entries(c));
	return p;
}

static unsigned
word_index(enum option_form form, const char *word)
{
	const char *const *words = form_words(form);
	unsigned i = 0;

	while (words[i + 1] != NULL && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static const struct vfy_policy *
compile_upstream_policy(struct compile *c, const struct upstream_settings *u)
{
	struct vfy_policy *p = compile_array(c, 1, sizeof *p);

	if (p == NULL)
		return NULL;
	*p = *c->snap->policy;
	if (*u->ct != '\0')
		p->ct_mode = (enum ct_mode)word_index(FORM_CT_MODE, u->ct);
	if (*u->ct_policy != '\0')
		p->ct_policy = (enum ct_policy)word_index(FORM_CT_POLICY, u->ct_policy);
	if (*u->ct_logs != '\0') {
		p->ctlogs = compile_log_list(c, u->ct_logs, u->set_at[OPTION_UP_CT_LOGS], OPTION_UP_CT_LOGS);
		p->floor_ms = floor_of(p->ctlogs);
	}
	if (*u->trust_anchors != '\0')
		p->trust = compile_trust(c, u->trust_anchors, u->set_at[OPTION_UP_TRUST_ANCHORS],
					 OPTION_UP_TRUST_ANCHORS);
	if (u->disallow.n + u->disallow_file.n > 0)
		policy_disallow(p, compile_entries(c, &u->disallow, OPTION_UP_DISALLOW, &u->disallow_file,
						   OPTION_UP_DISALLOW_FILE, false));
	if (u->allow_issuer.n > 0)
		p->allow_issuer = compile_entries(c, &u->allow_issuer, OPTION_ALLOW_ISSUER, NULL,
						  OPTION_ALLOW_ISSUER, false);
	if (u->pin.n > 0)
		p->pins = compile_entries(c, &u->pin, OPTION_PIN, NULL, OPTION_PIN, false);
	p->crls = compile_crls(c, &u->crl_file);
	memcpy(p->mode, u->mode, sizeof p->mode);
	p->report_until_ms = form_date_end_ms(u->report_until);
	return p;
}

/* Does it serve the names that match no forward? Not if a forward claims it, unless "." names it. */
static bool
is_general(const struct settings *s, const struct upstream_settings *u)
{
	bool claimed = u->forward_only, root = false;

	for (size_t i = 0; i < s->n_forward; i++)
		for (size_t k = 0; k < s->forward[i].upstream.n; k++)
			if (strcmp(s->forward[i].upstream.v[k], u->title) == 0) {
				claimed |= !s->forward[i].shared;
				root |= strcmp(s->forward[i].title, ".") == 0;
			}
	return root || !claimed;
}

/* The same targets under the same policy, but for the clock. */
static const struct tp_target *
compile_by_floor(struct compile *c, const struct upstream_plan *plan)
{
	struct vfy_policy *policy = compile_array(c, 1, sizeof *policy);
	struct tp_target *target = compile_array(c, plan->n_target, sizeof *target);

	if (policy == NULL || target == NULL)
		return NULL;
	*policy = *plan->policy;
	policy->floor_serves = true;
	for (size_t i = 0; i < plan->n_target; i++) {
		target[i] = plan->target[i];
		target[i].policy = policy;
	}
	return target;
}

/* An upstream may have a list of logs of its own. */
static void
compile_floor(struct compile *c)
{
	struct snapshot *snap = c->snap;

	snap->floor_ms = snap->policy->floor_ms;
	for (size_t i = 0; i < snap->n_upstream; i++)
		if (snap->upstream[i].policy != NULL && snap->upstream[i].policy->floor_ms > snap->floor_ms)
			snap->floor_ms = snap->upstream[i].policy->floor_ms;
}

static void
compile_time_names(struct compile *c)
{
	const struct strings *names = &c->s->time_names;
	uint8_t wire[DOMAIN_WIRE_MAX], *kept;
	size_t n;

	c->snap->time_name = compile_array(c, names->n + 1, sizeof *c->snap->time_name);
	for (size_t i = 0; c->snap->time_name != NULL && i < names->n; i++) {
		n = domain_wire(wire, names->v[i]);
		kept = compile_array(c, n, 1);
		if (kept == NULL)
			return;
		memcpy(kept, wire, n);
		c->snap->time_name[c->snap->n_time_name++] = span_of(kept, n);
	}
}

static void
compile_upstream(struct compile *c, struct upstream_plan *plan, const struct upstream_settings *u)
{
	const struct tp_identity *identity = compile_identity(c, u);
	struct tp_target *target = compile_array(c, u->address.n, sizeof *target);

	plan->title = u->title;
	plan->policy = compile_upstream_policy(c, u);
	plan->general = is_general(c->s, u);
	plan->trust_ad = u->trust_ad;
	if (target == NULL || plan->policy == NULL)
		return;
	for (size_t i = 0; i < u->address.n; i++)
		target[i] = (struct tp_target){
		    .upstream = u->title,
		    .addr = u->address.v[i],
		    .protocol = u->protocol,
		    .method = u->method,
		    .path = u->path,
		    .name = u->name,
		    .also = u->also_address.v,
		    .n_also = u->also_address.n,
		    .identity = identity,
		    .policy = plan->policy,
		    .generation = c->snap->generation,
		};
	plan->target = target;
	plan->n_target = u->address.n;
	if (c->s->time_names.n > 0)
		plan->target_by_floor = compile_by_floor(c, plan);
	warn_upstream(c, plan, u);
}

static void
forward_add(struct compile *c, const struct forward_settings *f, const uint8_t *wire, size_t n,
	    const uint32_t *upstream)
{
	struct forward_plan *plan = &c->snap->forward[c->snap->n_forward];
	uint8_t *suffix = compile_array(c, n, 1);

	if (suffix == NULL)
		return;
	memcpy(suffix, wire, n);
	*plan = (struct forward_plan){span_of(suffix, n), upstream, f->upstream.n};
	for (size_t i = 0; i < c->snap->n_forward; i++)
		if (span_equal(c->snap->forward[i].suffix, plan->suffix)) {
			config_errors_add(c->errors, f->place,
					  "forward \"%s\" is for names that another forward has, each "
					  "name once was expected",
					  f->title);
			c->failed = true;
			return;
		}
	c->snap->n_forward++;
}

static void
compile_forward(struct compile *c, const struct forward_settings *f)
{
	uint32_t *upstream = compile_array(c, f->upstream.n, sizeof *upstream);
	struct reverse_zone zone[REVERSE_ZONES_MAX];
	uint8_t wire[DOMAIN_WIRE_MAX];
	struct prefix prefix;
	size_t n = 0;

	if (upstream == NULL)
		return;
	for (size_t i = 0; i < f->upstream.n; i++) {
		const struct upstream_settings *u = settings_upstream(c->s, f->upstream.v[i]);

		if (u != NULL) /* else settings_check reported it, and the settings are broken */
			upstream[i] = (uint32_t)(u - c->s->upstream);
	}
	if (prefix_read(&prefix, f->title) == RES_OK) {
		n = reverse_zones(zone, &prefix);
		for (size_t i = 0; i < n; i++)
			forward_add(c, f, zone[i].wire, zone[i].n, upstream);
	} else {
		forward_add(c, f, wire, domain_wire(wire, f->title), upstream);
	}
}

static size_t
count_forwards(const struct settings *s)
{
	struct reverse_zone zone[REVERSE_ZONES_MAX];
	struct prefix prefix;
	size_t n = 0;

	for (size_t i = 0; i < s->n_forward; i++)
		n += prefix_read(&prefix, s->forward[i].title) == RES_OK ? reverse_zones(zone, &prefix) : 1;
	return n;
}

static void
compile_all(struct compile *c)
{
	struct snapshot *snap = c->snap;
	struct vfy_policy *policy = compile_policy(c);

	if (policy == NULL)
		return;
	compile_global_trust(c, policy);
	snap->policy = policy;
	snap->upstream = compile_array(c, c->s->n_upstream, sizeof *snap->upstream);
	snap->forward = compile_array(c, count_forwards(c->s) + 1, sizeof *snap->forward);
	if (snap->upstream == NULL || snap->forward == NULL)
		return;
	for (size_t i = 0; i < c->s->n_upstream; i++)
		compile_upstream(c, &snap->upstream[snap->n_upstream++], &c->s->upstream[i]);
	compile_floor(c);
	compile_time_names(c);
	for (size_t i = 0; i < c->s->n_forward; i++)
		compile_forward(c, &c->s->forward[i]);
	warn_global(c);
}

enum res
snapshot_compile(struct snapshot **out, struct settings *s, uint64_t generation, struct config_errors *errors)
{
	struct compile c = {.snap = calloc(1, sizeof *c.snap), .s = s, .errors = errors};

	if (c.snap == NULL) {
		settings_free(s);
		config_errors_add(errors, (struct place){0}, "%s", res_text(RES_NOMEM));
		return RES_NOMEM;
	}
	atomic_init(&c.snap->refs, 1);
	c.snap->generation = generation;
	c.snap->settings = s;
	compile_all(&c);
	if (snapshot_warn(c.snap, &c.warnings) != RES_OK)
		c.nomem = true;
	config_errors_free(&c.warnings);
	if (c.nomem)
		config_errors_add(errors, (struct place){0}, "%s", res_text(RES_NOMEM));
	if (c.nomem || c.failed || s->broken) {
		snapshot_unref(c.snap);
		return c.nomem ? RES_NOMEM : RES_MALFORMED;
	}
	*out = c.snap;
	return RES_OK;
}
