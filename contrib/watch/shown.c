#include "contrib/watch/shown.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "config/snapshot.h"
#include "transport/transport.h"
#include "verify/x509/der.h"
#include "verify/x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb[] = "known";

bool
shown_certificates(struct buf *der, size_t *n, struct span text)
{
	struct span rest = text;

	if (pem_next(der, &rest, "CERTIFICATE") == RES_OK) {
		*n = der->n;
		(void)pem_next(der, &rest, "CERTIFICATE");
		return true;
	}
	if (text.n > 0 && text.p[0] == DER_SEQUENCE) {
		struct der_reader in = der_over(text);
		struct span first = der_take(&in, DER_SEQUENCE).whole;

		buf_put(der, text);
		*n = first.n;
		return first.n > 0 && buf_ok(der);
	}
	return false;
}

/* One connection, until it is ready or failed. */
struct connection {
	struct loop *loop;
	struct shown *out;
	const struct tp_target *target;
	bool accepted;
};

static void
verdict_take(struct connection *c, const struct verdict *v)
{
	const struct verdict_cert *leaf = &v->chain[0];
	struct shown *s = c->out;
	char text[ADDR_TEXT_MAX];

	*s = (struct shown){.has_issuer = v->n_chain > 1};
	memcpy(s->sha256, leaf->sha256, 32);
	memcpy(s->spki_sha256, leaf->spki_sha256, 32);
	if (s->has_issuer)
		memcpy(s->issuer_spki_sha256, v->chain[1].spki_sha256, 32);
	(void)snprintf(s->subject, sizeof s->subject, "%s", leaf->subject != NULL ? leaf->subject : "");
	(void)snprintf(s->from, sizeof s->from, "%s %s", c->target->upstream,
		       addr_text(&c->target->addr, text));
	c->accepted = true;
}

static void
connection_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct connection *c = ctx;
	char text[ADDR_TEXT_MAX];

	(void)slot;
	if (e->kind == TP_EVENT_READY && e->verdict != NULL && verdict_accepted(e->verdict) &&
	    e->verdict->n_chain > 0)
		verdict_take(c, e->verdict);
	else if (e->kind == TP_EVENT_FAILED)
		(void)watch_complain(WATCH_REFUSED, verb, "%s: %s%s%s", addr_text(&c->target->addr, text),
				     reason_code(e->reason), e->detail != NULL ? ": " : "",
				     e->detail != NULL ? e->detail : "");
	loop_stop(c->loop);
}

static void
connection_on_due(void *ctx)
{
	struct connection *c = ctx;

	loop_stop(c->loop);
}

static bool
connection_run(struct connection *c)
{
	struct tp_hooks hooks = {.on_event = connection_on_event, .ctx = c};
	struct loop_timer timer = {0};
	struct tp_slot *slot = NULL;

	if (loop_new(&c->loop) != RES_OK)
		return false;
	if (tp_slot_new(&slot, c->loop, c->target, &hooks) == RES_OK) {
		loop_timer_init(&timer, c->loop, connection_on_due, c);
		loop_timer_set(&timer, SHOWN_LIVE_MS);
		tp_slot_connect(slot);
		loop_run(c->loop);
		loop_timer_stop(&timer);
		tp_slot_free(slot);
	}
	loop_free(c->loop);
	return c->accepted;
}

/* ---- the journal */

static bool
record_take(struct shown *s, const struct journal_record *r)
{
	struct buf subject = buf_max(sizeof s->subject - 1), from = buf_max(sizeof s->from - 1);

	*s = (struct shown){.has_issuer = hex_read(s->issuer_spki_sha256, sizeof s->issuer_spki_sha256,
						   r->issuer_spki_sha256) == RES_OK};
	if (hex_read(s->sha256, sizeof s->sha256, r->sha256) != RES_OK ||
	    hex_read(s->spki_sha256, sizeof s->spki_sha256, r->spki_sha256) != RES_OK)
		return false;
	if (s->has_issuer)
		(void)hex_read(s->issuer_spki_sha256, sizeof s->issuer_spki_sha256, r->issuer_spki_sha256);
	buf_put(&subject, span_slice(r->subject, 0, sizeof s->subject - 1));
	buf_put(&from, span_slice(r->upstream, 0, 32));
	buf_u8(&from, ' ');
	buf_put(&from, span_slice(r->address, 0, ADDR_TEXT_MAX));
	(void)snprintf(s->subject, sizeof s->subject, "%s",
		       buf_cstr(&subject) != NULL ? buf_cstr(&subject) : "");
	(void)snprintf(s->from, sizeof s->from, "%s", buf_cstr(&from) != NULL ? buf_cstr(&from) : "");
	buf_free(&subject);
	buf_free(&from);
	return true;
}

/* What the daemon accepted of the upstream before; *n 0: its journal has nothing. */
static void
shown_journal(struct shown out[], size_t *n, const struct settings *s, const char *title)
{
	struct journal_shown *known = calloc(1, sizeof *known);
	const char *why = NULL;
	int folder = *s->state_dir != '\0' ? path_folder_open(s->state_dir, &why) : -1;

	if (known != NULL && folder >= 0 &&
	    journal_shown_read(known, folder, title, clock_wall_ms(), &why) != RES_OK)
		(void)watch_complain(WATCH_DONE, verb, "warning: cannot read the daemon's journal: %s",
				     why != NULL ? why : "out of memory");
	for (size_t i = 0; known != NULL && i < known->n && *n < SHOWN_MAX; i++)
		*n += record_take(&out[*n], &known->v[i].record);
	if (known != NULL)
		journal_shown_free(known);
	free(known);
	if (folder >= 0)
		(void)close(folder);
}

enum watch_exit
shown_live(struct shown out[], size_t *n, struct settings **settings, const char *title)
{
	struct config_errors errors = {0};
	struct snapshot *snap = NULL;
	struct settings *s = *settings;
	const struct upstream_plan *u;

	*n = 0;
	if (settings_narrow(s, title) != RES_OK)
		return watch_complain(WATCH_USAGE, verb, "unknown upstream \"%s\"", title);
	shown_journal(out, n, s, title);
	if (*n > 0)
		return WATCH_DONE;
	*settings = NULL;
	if (tp_global_init() != RES_OK || snapshot_compile(&snap, s, 1, &errors) != RES_OK) {
		(void)watch_complain_config(verb, &errors);
		config_errors_free(&errors);
		return WATCH_USAGE;
	}
	u = &snap->upstream[0];
	for (size_t i = 0; i < u->n_target && *n < SHOWN_MAX; i++) {
		struct connection c = {.out = &out[*n], .target = &u->target[i]};

		*n += connection_run(&c);
	}
	config_errors_free(&errors);
	snapshot_unref(snap);
	return *n > 0 ? WATCH_DONE
		      : watch_complain(WATCH_REFUSED, verb,
				       "upstream \"%s\" presents no certificate that is accepted", title);
}
