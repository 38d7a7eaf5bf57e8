#include "contrib/watch/shown.h"

#include "config/snapshot.h"
#include "transport/transport.h"
#include "verify/x509/der.h"
#include "verify/x509/pem.h"

#include <stdio.h>
#include <string.h>

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
	*settings = NULL;
	if (tp_global_init() != RES_OK || snapshot_compile(&snap, s, 1, &errors) != RES_OK) {
		(void)watch_complain(WATCH_USAGE, verb, "%s",
				     errors.n > 0 ? errors.line[0] : "out of memory");
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
				       "upstream \"%s\" shows no certificate that is accepted", title);
}
