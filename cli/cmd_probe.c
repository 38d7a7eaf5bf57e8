/*
 * ctstub probe: for each address in turn: connect, judge, ask, connect again, report.
 *
 * The connection, the judgement and the question use the daemon's own code. A probe is a small state machine: each step
 * ends with an event of the slot, an answer, or the timer.
 */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/probe.h"
#include "config/reader.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_STEP_MS    5000 /* for each step but the wait for an idle close */
#define OPTION_KEEPALIVE 11   /* RFC 7828 */
#define OPTION_PADDING   12   /* RFC 7830 */

static const char verb[] = "probe";

enum step { STEP_CONNECT, STEP_ASK, STEP_RESUME, STEP_ORDER, STEP_IDLE, STEP_DONE };

struct probe {
	struct probe_result result;
	struct loop *loop;
	struct loop_timer timer;
	struct tp_slot *slot;
	struct tp_exchange *query, *slow; /* in flight, or NULL */
	enum step step;
	int64_t idle_from_ms;
};

static void probe_step_begin(struct probe *, enum step);

/* ---- the question */

/* Appends. With an OPT record the transport adds padding, and over DoT asks for a keepalive time. */
static enum res
probe_question_write(struct buf *out, const char *name, bool opt)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(name);
	ldns_pkt *q = owner != NULL ? ldns_pkt_query_new(owner, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, LDNS_RD)
				    : NULL; /* owner is its own */
	uint8_t *wire = NULL;
	size_t n = 0;

	if (q == NULL) {
		ldns_rdf_deep_free(owner);
		return RES_NOMEM;
	}
	if (opt)
		ldns_pkt_set_edns_udp_size(q, 1232);
	if (ldns_pkt2wire(&wire, q, &n) == LDNS_STATUS_OK)
		buf_put(out, span_of(wire, n));
	free(wire);
	ldns_pkt_free(q);
	return buf_ok(out) && out->n > 0 ? RES_OK : RES_NOMEM;
}

static void
probe_options_read(struct probe *p, const ldns_rdf *data)
{
	struct cursor in =
	    cursor_over(data != NULL ? span_of(ldns_rdf_data(data), ldns_rdf_size(data)) : span_of(NULL, 0));

	while (cursor_left(&in) >= 4) {
		uint16_t code = cursor_u16(&in);
		struct span value = cursor_vec16(&in);

		p->result.padded |= code == OPTION_PADDING && cursor_ok(&in);
		if (code == OPTION_KEEPALIVE && value.n == 2)
			p->result.keepalive_ms = (int64_t)be16_read(value.p) * 100;
	}
}

/* The one question that was asked (RFC 5452, 9.1). */
static bool
probe_answer_matches(const ldns_pkt *a)
{
	const ldns_rr_list *all = ldns_pkt_question(a);
	const ldns_rr *q = ldns_rr_list_rr_count(all) == 1 ? ldns_rr_list_rr(all, 0) : NULL;
	ldns_rdf *name = ldns_dname_new_frm_str(PROBE_QUESTION);
	bool matches = q != NULL && name != NULL && ldns_pkt_qr(a) && ldns_rr_get_type(q) == LDNS_RR_TYPE_A &&
		       ldns_rr_get_class(q) == LDNS_RR_CLASS_IN &&
		       ldns_dname_compare(ldns_rr_owner(q), name) == 0;

	ldns_rdf_deep_free(name);
	return matches;
}

static void
probe_rcode_keep(struct probe *p, ldns_pkt_rcode rcode)
{
	char *text = ldns_pkt_rcode2str(rcode);

	(void)snprintf(p->result.rcode, sizeof p->result.rcode, "%s", text != NULL ? text : "?");
	free(text);
}

static void
probe_answer_read(struct probe *p, struct span message)
{
	ldns_pkt *a = NULL;

	if (ldns_wire2pkt(&a, message.p, message.n) != LDNS_STATUS_OK) {
		p->result.trouble = REASON_ANSWER_MALFORMED;
		return;
	}
	if (probe_answer_matches(a)) {
		p->result.answered = true;
		probe_rcode_keep(p, ldns_pkt_get_rcode(a));
		p->result.answers = ldns_pkt_ancount(a);
		probe_options_read(p, ldns_pkt_edns_data(a));
	} else {
		p->result.trouble = REASON_ANSWER_MISMATCH;
	}
	ldns_pkt_free(a);
}

static void
probe_on_answer(void *arg, const struct tp_answer *answer)
{
	struct probe *p = arg;

	p->query = NULL;
	if (p->step == STEP_ORDER) {
		p->result.out_of_order |= p->slow != NULL && answer->failure == REASON_NONE;
		probe_step_begin(p, STEP_IDLE);
		return;
	}
	if (answer->failure == REASON_NONE) {
		p->result.rtt_us = answer->rtt_us;
		probe_answer_read(p, answer->message);
	} else {
		p->result.trouble = answer->failure;
	}
	probe_step_begin(p, p->result.trouble == REASON_NONE ? STEP_RESUME : STEP_DONE);
}

static void
probe_on_slow_answer(void *arg, const struct tp_answer *answer)
{
	struct probe *p = arg;

	(void)answer;
	p->slow = NULL;
}

static bool
probe_ask(struct probe *p, const char *name, bool opt, struct tp_exchange **query, tp_answer_fn fn)
{
	struct buf question = buf_max(512);
	enum res res = probe_question_write(&question, name, opt);

	if (res == RES_OK)
		res = tp_send(query, p->slot, buf_span(&question), clock_boot_ms() + PROBE_STEP_MS, fn, p);
	buf_free(&question);
	return res == RES_OK;
}

/* ---- the steps */

static bool
probe_ask_in_order(struct probe *p)
{
	char name[64];

	/* A name that is in no cache, then one that is in every cache: is the second answered first? Without
	 * OPT records no keepalive time is agreed on, by which our own side would close. */
	(void)snprintf(name, sizeof name, "ctstub-probe-%08x.test.", random_u32());
	return probe_ask(p, name, false, &p->slow, probe_on_slow_answer) &&
	       probe_ask(p, PROBE_QUESTION, false, &p->query, probe_on_answer);
}

static void
probe_step_begin(struct probe *p, enum step step)
{
	bool ok = true;

	if (p->step == STEP_DONE)
		return;
	p->step = step;
	loop_timer_set(&p->timer, step == STEP_IDLE ? PROBE_IDLE_MS : PROBE_STEP_MS);
	switch (step) {
	case STEP_CONNECT:
		tp_slot_connect(p->slot);
		break;
	case STEP_ASK:
		ok = probe_ask(p, PROBE_QUESTION, true, &p->query, probe_on_answer);
		break;
	case STEP_RESUME:
		tp_slot_drop(p->slot, false);
		tp_slot_connect(p->slot);
		break;
	case STEP_ORDER:
		ok = probe_ask_in_order(p);
		break;
	case STEP_IDLE:
		p->idle_from_ms = clock_boot_ms();
		break;
	case STEP_DONE:
		loop_timer_stop(&p->timer);
		loop_stop(p->loop);
		break;
	}
	if (!ok) {
		p->result.trouble = REASON_OUT_OF_MEMORY;
		probe_step_begin(p, STEP_DONE);
	}
}

static void
probe_on_due(void *ctx)
{
	struct probe *p = ctx;

	if (p->step == STEP_CONNECT)
		p->result.trouble = REASON_CONNECT_TIMEOUT;
	else if (p->step == STEP_ASK)
		p->result.trouble = REASON_CLOSED;
	probe_step_begin(p, STEP_DONE); /* the rest of the result stands */
}

static void
probe_text_keep(char *out, size_t n, const char *s)
{
	(void)snprintf(out, n, "%s", s != NULL ? s : "");
}

static void
probe_ready(struct probe *p, const struct tp_event *e)
{
	if (p->step == STEP_RESUME) {
		p->result.resumed = e->resumed;
		probe_step_begin(p, p->result.idle ? STEP_ORDER : STEP_DONE);
		return;
	}
	if (p->step != STEP_CONNECT)
		return;
	p->result.ready = true;
	probe_step_begin(p, STEP_ASK);
}

static void
probe_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct probe *p = ctx;

	(void)slot;
	/* A connection that is refused later counts too: not each one leads to the same server. */
	if (e->verdict != NULL && (p->step == STEP_CONNECT || !verdict_accepted(e->verdict))) {
		verdict_clear(&p->result.verdict);
		p->result.verdict = *e->verdict; /* taken */
		*e->verdict = (struct verdict){0};
	}
	if (p->step == STEP_CONNECT) {
		probe_text_keep(p->result.tls_version, sizeof p->result.tls_version, e->tls_version);
		probe_text_keep(p->result.cipher, sizeof p->result.cipher, e->cipher);
		probe_text_keep(p->result.alpn, sizeof p->result.alpn, e->alpn);
		p->result.handshake_ms = e->handshake_ms;
	}
	switch (e->kind) {
	case TP_EVENT_READY:
		probe_ready(p, e);
		break;
	case TP_EVENT_FAILED:
		if (p->step == STEP_CONNECT) {
			if (!e->refused)
				p->result.trouble = e->reason;
			p->result.detail = e->detail != NULL ? strdup(e->detail) : NULL;
		}
		if (p->step !=
		    STEP_ASK) /* the question may get another connection; its answer or failure comes */
			probe_step_begin(p, STEP_DONE);
		break;
	case TP_EVENT_JUDGED: /* after an hour */
		break;
	case TP_EVENT_CLOSED:
		if (p->step == STEP_IDLE) {
			p->result.idle_close_ms = clock_boot_ms() - p->idle_from_ms;
			probe_step_begin(p, STEP_DONE);
		}
		break;
	}
}

static enum res
probe_run(struct probe *p)
{
	struct tp_hooks hooks = {.on_event = probe_on_event, .ctx = p};
	enum res res = loop_new(&p->loop);

	p->result.keepalive_ms = p->result.idle_close_ms = -1;
	if (res != RES_OK)
		return res;
	res = tp_slot_new(&p->slot, p->loop, p->result.target, &hooks);
	if (res == RES_OK) {
		loop_timer_init(&p->timer, p->loop, probe_on_due, p);
		probe_step_begin(p, STEP_CONNECT);
		loop_run(p->loop);
		loop_timer_stop(&p->timer);
		if (p->query != NULL)
			tp_cancel(p->query);
		if (p->slow != NULL)
			tp_cancel(p->slow);
		tp_slot_free(p->slot);
	}
	loop_free(p->loop);
	return res;
}

/* A verdict is no trouble: it is what was asked for. */
static enum exit_code
probe_code(const struct probe_result *r)
{
	bool refused = reason_is_verdict(r->trouble) && r->trouble != REASON_OUT_OF_MEMORY;

	if ((r->trouble != REASON_NONE && !refused) || r->verdict.out_of_memory)
		return EXIT_TROUBLE;
	return verdict_accepted(&r->verdict) ? EXIT_GOOD : EXIT_REFUSED;
}

static enum exit_code
probe_target(const struct tp_target *target, bool idle, bool json)
{
	struct probe p = {.result = {.target = target, .idle = idle}};
	struct probe_result *r = &p.result;
	enum exit_code code;
	enum res res = probe_run(&p);

	if (res == RES_OK)
		res = probe_result_print(r, json);
	code = res == RES_OK ? probe_code(r) : cli_complain(EXIT_TROUBLE, verb, "%s", res_why(res));
	probe_result_clear(r);
	return code;
}

/* ---- the command line */

struct probe_request {
	const char *config, *what;
	struct rules rules;
	bool json, idle;
};

enum { OPT_JSON = 256, OPT_IDLE };

const struct cli_option probe_options[] = {
    {"config", 'c', "FILE", "the configuration, see ctstub.conf(5); the daemon's own without it"},
    {"json", OPT_JSON, NULL, "print one JSON object for each address, even on failure"},
    {"idle", OPT_IDLE, NULL,
     "also test whether answers come out of order, and wait for the server to\nclose an idle connection, at "
     "most "
     "110 seconds for each address"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

static bool
probe_take(void *ctx, int id, const char *value)
{
	struct probe_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		return true;
	case OPT_JSON:
		req->json = true;
		return true;
	case OPT_IDLE:
		req->idle = true;
		return true;
	default:
		return cli_rule_take(&req->rules, verb, id, value);
	}
}

/* The upstream of that title, or of that address, under the rules of the command line. */
static enum exit_code
probe_snapshot(struct snapshot **out, const struct probe_request *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);
	enum res res;

	if (code != EXIT_GOOD)
		return code;
	res = settings_narrow(s, req->what);
	if (res == RES_NOT_FOUND)
		res = settings_for_probe(&s, req->what, &errors);
	if (res == RES_OK && !rules_apply(&req->rules, s))
		res = RES_NOMEM;
	if (res == RES_OK) {
		res = snapshot_compile(out, s, 1, &errors);
		s = NULL; /* taken */
	}
	settings_free(s);
	if (res == RES_OK)
		cli_warn_lists(verb, *out);
	return cli_config_result(verb, res, &errors);
}

/* A refusal by verdict weighs more than trouble with another address. */
static enum exit_code
probe_worse(enum exit_code a, enum exit_code b)
{
	return a == EXIT_REFUSED || b == EXIT_REFUSED ? EXIT_REFUSED : a > b ? a : b;
}

static enum exit_code
probe_all(const struct snapshot *snap, const struct probe_request *req)
{
	const struct upstream_plan *upstream = &snap->upstream[0];
	enum exit_code code = EXIT_GOOD;

	for (size_t i = 0; i < upstream->n_target; i++) {
		code = probe_worse(code, probe_target(&upstream->target[i], req->idle, req->json));
		if (i + 1 < upstream->n_target && !req->json)
			(void)putchar('\n');
		(void)fflush(stdout);
	}
	return code;
}

enum exit_code
cmd_probe(int argc, char **argv)
{
	struct snapshot *snap = NULL;
	struct probe_request req = {0};
	const struct args_rules rules = {probe_take, &req, 1, 1};
	enum exit_code code;
	int first = args_read(&rules, verb, argc, argv, &code);

	if (first != 0) {
		req.what = argv[first];
		code = tp_global_init() == RES_OK ? probe_snapshot(&snap, &req)
						  : cli_complain(EXIT_TROUBLE, verb, "TLS cannot be set up");
		if (code == EXIT_GOOD)
			code = probe_all(snap, &req);
		snapshot_unref(snap);
	}
	rules_clear(&req.rules);
	return code;
}
