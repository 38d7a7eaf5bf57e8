/*
 * ctstub probe: one address after the other: connect, judge, ask, connect again, and tell.
 *
 * The connection, the judgement and the question go the very way of the daemon's. A probe is a small state
 * machine: each step ends with an event of the slot, an answer, or the timer.
 */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "config/reader.h"

#include <jansson.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_STEP_MS    5000   /* for each step but the wait for an idle close */
#define PROBE_IDLE_MS    110000 /* our own side gives up at 120 s; a server that keeps it longer is told so */
#define QUESTION_NAME    "example.com." /* RFC 2606, 3: nobody's, and everybody has it */
#define OPTION_KEEPALIVE 11             /* RFC 7828 */
#define OPTION_PADDING   12             /* RFC 7830 */

static const char verb[] = "probe";

enum step { STEP_CONNECT, STEP_ASK, STEP_RESUME, STEP_ORDER, STEP_IDLE, STEP_DONE };

struct probe {
	const struct tp_target *target;
	struct loop *loop;
	struct loop_timer timer;
	struct tp_slot *slot;
	struct tp_query *query, *slow; /* in flight, or NULL */
	enum step step;
	bool idle; /* --idle */

	struct verdict verdict;
	enum reason trouble; /* of the wire; REASON_NONE: none so far */
	char *detail;
	char tls_version[16], cipher[64], alpn[16];
	bool ready;   /* the first connection was */
	bool resumed; /* the second one */
	int64_t handshake_ms;

	bool answered;
	int rcode;
	unsigned answers;
	int64_t rtt_us;
	bool padded;
	int64_t keepalive_ms; /* -1: not offered */
	bool out_of_order;    /* seen */
	int64_t idle_from_ms;
	int64_t idle_close_ms; /* -1: not measured, or longer than we waited */
};

static void step_begin(struct probe *, enum step);

/* ---- the question */

/* Appends. With an OPT record the transport adds padding, and over DoT asks for a keepalive time. */
static enum res
question_write(struct buf *out, const char *name, bool opt)
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
options_read(struct probe *p, const ldns_rdf *data)
{
	struct cursor in =
	    cursor_over(data != NULL ? span_of(ldns_rdf_data(data), ldns_rdf_size(data)) : span_of(NULL, 0));

	while (cursor_left(&in) >= 4) {
		uint16_t code = cursor_u16(&in);
		struct span value = cursor_vec16(&in);

		p->padded |= code == OPTION_PADDING && cursor_ok(&in);
		if (code == OPTION_KEEPALIVE && value.n == 2)
			p->keepalive_ms = (int64_t)be16_read(value.p) * 100;
	}
}

/* The one question that was asked (RFC 5452, 9.1). */
static bool
answer_matches(const ldns_pkt *a)
{
	const ldns_rr_list *all = ldns_pkt_question(a);
	const ldns_rr *q = ldns_rr_list_rr_count(all) == 1 ? ldns_rr_list_rr(all, 0) : NULL;
	ldns_rdf *name = ldns_dname_new_frm_str(QUESTION_NAME);
	bool matches = q != NULL && name != NULL && ldns_pkt_qr(a) && ldns_rr_get_type(q) == LDNS_RR_TYPE_A &&
		       ldns_rr_get_class(q) == LDNS_RR_CLASS_IN &&
		       ldns_dname_compare(ldns_rr_owner(q), name) == 0;

	ldns_rdf_deep_free(name);
	return matches;
}

static void
answer_read(struct probe *p, struct span message)
{
	ldns_pkt *a = NULL;

	if (ldns_wire2pkt(&a, message.p, message.n) != LDNS_STATUS_OK) {
		p->trouble = REASON_ANSWER_MALFORMED;
		return;
	}
	if (answer_matches(a)) {
		p->answered = true;
		p->rcode = (int)ldns_pkt_get_rcode(a);
		p->answers = ldns_pkt_ancount(a);
		options_read(p, ldns_pkt_edns_data(a));
	} else {
		p->trouble = REASON_ANSWER_MISMATCH;
	}
	ldns_pkt_free(a);
}

static void
probe_on_answer(void *arg, const struct tp_answer *answer)
{
	struct probe *p = arg;

	p->query = NULL;
	if (p->step == STEP_ORDER) {
		p->out_of_order |= p->slow != NULL && answer->failure == REASON_NONE;
		step_begin(p, STEP_IDLE);
		return;
	}
	if (answer->failure == REASON_NONE) {
		p->rtt_us = answer->rtt_us;
		answer_read(p, answer->message);
	} else {
		p->trouble = answer->failure;
	}
	step_begin(p, p->trouble == REASON_NONE ? STEP_RESUME : STEP_DONE);
}

static void
probe_on_slow_answer(void *arg, const struct tp_answer *answer)
{
	struct probe *p = arg;

	(void)answer;
	p->slow = NULL;
}

static bool
ask(struct probe *p, const char *name, bool opt, struct tp_query **query, tp_answer_fn fn)
{
	struct buf question = buf_max(512);
	enum res res = question_write(&question, name, opt);

	if (res == RES_OK)
		res = tp_send(query, p->slot, buf_span(&question), clock_boot_ms() + PROBE_STEP_MS, fn, p);
	buf_free(&question);
	return res == RES_OK;
}

/* ---- the steps */

static bool
ask_in_order(struct probe *p)
{
	char name[64];

	/* A name that nobody has in a cache, then one that everybody has: who answers the second first? Without
	 * OPT records no keepalive time is agreed on, by which our own side would close. */
	(void)snprintf(name, sizeof name, "ctstub-probe-%08x.test.", random_u32());
	return ask(p, name, false, &p->slow, probe_on_slow_answer) &&
	       ask(p, QUESTION_NAME, false, &p->query, probe_on_answer);
}

static void
step_begin(struct probe *p, enum step step)
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
		ok = ask(p, QUESTION_NAME, true, &p->query, probe_on_answer);
		break;
	case STEP_RESUME:
		tp_slot_drop(p->slot, false);
		tp_slot_connect(p->slot);
		break;
	case STEP_ORDER:
		ok = ask_in_order(p);
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
		p->trouble = REASON_OUT_OF_MEMORY;
		step_begin(p, STEP_DONE);
	}
}

static void
probe_on_due(void *ctx)
{
	struct probe *p = ctx;

	if (p->step == STEP_CONNECT)
		p->trouble = REASON_CONNECT_TIMEOUT;
	else if (p->step == STEP_ASK)
		p->trouble = REASON_CLOSED;
	step_begin(p, STEP_DONE); /* without a second connection, or an idle close, the rest stands */
}

static void
text_keep(char *out, size_t n, const char *s)
{
	(void)snprintf(out, n, "%s", s != NULL ? s : "");
}

static void
ready(struct probe *p, const struct tp_event *e)
{
	if (p->step == STEP_RESUME) {
		p->resumed = e->resumed;
		step_begin(p, p->idle ? STEP_ORDER : STEP_DONE);
		return;
	}
	if (p->step != STEP_CONNECT)
		return;
	p->ready = true;
	step_begin(p, STEP_ASK);
}

static void
probe_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct probe *p = ctx;

	(void)slot;
	if (p->step == STEP_CONNECT && e->verdict != NULL) {
		p->verdict = *e->verdict; /* taken */
		*e->verdict = (struct verdict){0};
	}
	if (p->step == STEP_CONNECT) {
		text_keep(p->tls_version, sizeof p->tls_version, e->tls_version);
		text_keep(p->cipher, sizeof p->cipher, e->cipher);
		text_keep(p->alpn, sizeof p->alpn, e->alpn);
		p->handshake_ms = e->handshake_ms;
	}
	switch (e->kind) {
	case TP_EVENT_READY:
		ready(p, e);
		break;
	case TP_EVENT_FAILED:
		if (p->step == STEP_CONNECT) {
			if (!reason_is_verdict(e->reason))
				p->trouble = e->reason;
			p->detail = e->detail != NULL ? strdup(e->detail) : NULL;
		}
		if (p->step !=
		    STEP_ASK) /* the question may get another connection; its answer or failure comes */
			step_begin(p, STEP_DONE);
		break;
	case TP_EVENT_CLOSED:
		if (p->step == STEP_IDLE) {
			p->idle_close_ms = clock_boot_ms() - p->idle_from_ms;
			step_begin(p, STEP_DONE);
		}
		break;
	}
}

static enum res
probe_run(struct probe *p)
{
	struct tp_hooks hooks = {.on_event = probe_on_event, .ctx = p};
	enum res res = loop_new(&p->loop);

	p->keepalive_ms = p->idle_close_ms = -1;
	if (res != RES_OK)
		return res;
	res = tp_slot_new(&p->slot, p->loop, p->target, &hooks);
	if (res == RES_OK) {
		loop_timer_init(&p->timer, p->loop, probe_on_due, p);
		step_begin(p, STEP_CONNECT);
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

/* ---- telling */

static char *
rcode_text(int rcode)
{
	char *text = ldns_pkt_rcode2str((ldns_pkt_rcode)rcode);

	return text != NULL ? text : strdup("?");
}

/* What became of the wire goes where a verdict's reasons go. */
static enum res
trouble_add(struct probe *p)
{
	struct verdict *v = &p->verdict;
	char address[ADDR_TEXT_MAX];
	struct finding *f;

	if (p->trouble == REASON_NONE || p->ready)
		return RES_OK;
	verdict_clear(v);
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return RES_NOMEM;
	*f = (struct finding){
	    .reason = p->trouble, .enforced = true, .have = VERDICT_NUMBER_NONE, .want = VERDICT_NUMBER_NONE};
	v->expected_ip = strdup(addr_ip_text(&p->target->addr, address));
	f->text = strdup(p->detail != NULL ? p->detail : reason_sentence(p->trouble));
	v->findings = f;
	v->n_findings = 1;
	v->at_ms = clock_wall_ms();
	v->log_list_ms = v->valid_until_ms = VERDICT_NUMBER_NONE;
	return f->text != NULL ? RES_OK : RES_NOMEM;
}

static json_t *
connection_json(const struct probe *p)
{
	return p->tls_version[0] == '\0' ? json_null()
					 : json_pack("{s:s,s:s,s:s,s:I,s:b}", "tls_version", p->tls_version,
						     "cipher", p->cipher, "alpn", p->alpn, "handshake_ms",
						     (json_int_t)p->handshake_ms, "resumption", p->resumed);
}

static json_t *
query_json(const struct probe *p)
{
	char *rcode;
	json_t *out;

	if (p->ready && p->trouble != REASON_NONE)
		return json_pack("{s:s,s:s,s:s}", "name", QUESTION_NAME, "type", "A", "failure",
				 reason_code(p->trouble));
	if (!p->answered)
		return json_null();
	rcode = rcode_text(p->rcode);
	out = json_pack("{s:s,s:s,s:s?,s:I,s:f,s:b,s:o,s:o}", "name", QUESTION_NAME, "type", "A", "rcode",
			rcode, "answers", (json_int_t)p->answers, "time_ms", (double)p->rtt_us / 1000,
			"padding", p->padded, "keepalive_ms",
			p->keepalive_ms >= 0 ? json_integer((json_int_t)p->keepalive_ms) : json_null(),
			"out_of_order", p->out_of_order ? json_true() : json_null());
	free(rcode);
	return out;
}

static enum res
probe_print_json(const struct probe *p)
{
	char *verdict = verdict_json(&p->verdict), *text, address[ADDR_TEXT_MAX];
	json_t *keys = verdict != NULL ? json_loads(verdict, 0, NULL) : NULL;
	json_t *out = json_pack("{s:s,s:s,s:s}", "upstream", p->target->upstream, "address",
				addr_text(&p->target->addr, address), "protocol",
				p->target->protocol == TP_DOH ? "doh" : "dot");

	free(verdict);
	(void)json_object_update(out, keys);
	json_decref(keys);
	(void)json_object_set_new(out, "connection", connection_json(p));
	(void)json_object_set_new(out, "query", query_json(p));
	(void)json_object_set_new(out, "idle_close_ms",
				  p->idle_close_ms >= 0 ? json_integer((json_int_t)p->idle_close_ms)
							: json_null());
	text = keys != NULL ? json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(out);
	if (text == NULL)
		return RES_NOMEM;
	(void)puts(text);
	free(text);
	return RES_OK;
}

static void
query_print(const struct probe *p)
{
	char *rcode = rcode_text(p->rcode);

	(void)printf("%-12s %s A: %s, %u answers, %.1f ms%s", "question", QUESTION_NAME,
		     rcode != NULL ? rcode : "?", p->answers, (double)p->rtt_us / 1000,
		     p->padded ? ", padded" : ", not padded");
	free(rcode);
	if (p->keepalive_ms >= 0)
		(void)printf(", keepalive %.1f s", (double)p->keepalive_ms / 1000);
	(void)printf("%s\n", p->out_of_order ? ", answers out of order" : "");
}

static enum res
probe_print(const struct probe *p)
{
	char *verdict = verdict_text(&p->verdict), address[ADDR_TEXT_MAX];

	if (verdict == NULL)
		return RES_NOMEM;
	(void)printf("%-12s %s %s %s\n", "upstream", p->target->upstream,
		     addr_text(&p->target->addr, address), p->target->protocol == TP_DOH ? "doh" : "dot");
	if (p->tls_version[0] != '\0')
		(void)printf("%-12s %s, %s, ALPN %s, handshake %lld ms, resumption %s\n", "connection",
			     p->tls_version, p->cipher, *p->alpn != '\0' ? p->alpn : "none",
			     (long long)p->handshake_ms, p->resumed ? "yes" : "no");
	if (p->trouble != REASON_NONE && !p->ready)
		(void)printf("%-12s %s: %s\n", "trouble", reason_code(p->trouble),
			     p->verdict.findings[0].text);
	else
		print_verdict_text(verdict);
	free(verdict);
	if (p->answered)
		query_print(p);
	else if (p->ready && p->trouble != REASON_NONE)
		(void)printf("%-12s no answer: %s\n", "question", reason_code(p->trouble));
	if (p->idle_close_ms >= 0)
		(void)printf("%-12s after %.1f s\n", "idle close", (double)p->idle_close_ms / 1000);
	else if (p->idle && p->answered)
		(void)printf("%-12s not within %d s\n", "idle close", PROBE_IDLE_MS / 1000);
	return RES_OK;
}

static enum exit_code
probe_target(const struct tp_target *target, bool idle, bool json)
{
	struct probe p = {.target = target, .idle = idle};
	enum exit_code code;
	enum res res = probe_run(&p);

	if (res == RES_OK)
		res = trouble_add(&p);
	if (res == RES_OK)
		res = json ? probe_print_json(&p) : probe_print(&p);
	if (res != RES_OK)
		code = complain(EXIT_TROUBLE, verb, "%s", res_text(res));
	else if (p.trouble != REASON_NONE || p.verdict.out_of_memory)
		code = EXIT_TROUBLE;
	else
		code = verdict_accepted(&p.verdict) ? EXIT_GOOD : EXIT_REFUSED;
	verdict_clear(&p.verdict);
	free(p.detail);
	return code;
}

/* ---- the verb */

enum { OPT_JSON = 256, OPT_IDLE, OPT_HELP };

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, OPT_JSON},
    {"idle", no_argument, NULL, OPT_IDLE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static enum exit_code
snapshot_of(struct snapshot **out, const char *config, const char *what)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum exit_code code = cli_settings(&s, verb, config);
	enum res res;

	if (code != EXIT_GOOD)
		return code;
	res = settings_narrow(s, what);
	if (res == RES_OK)
		res = snapshot_compile(out, s, 1, &errors);
	else if (res == RES_NOT_FOUND)
		res = snapshot_for_probe(out, s, what, &errors);
	else
		settings_free(s);
	if (res == RES_OK)
		cli_warn_lists(verb, *out);
	return cli_config_result(verb, res, &errors);
}

/* A refusal by verdict weighs more than trouble with another address. */
static enum exit_code
worse(enum exit_code a, enum exit_code b)
{
	return a == EXIT_REFUSED || b == EXIT_REFUSED ? EXIT_REFUSED : a > b ? a : b;
}

enum exit_code
cmd_probe(int argc, char **argv)
{
	struct snapshot *snap = NULL;
	const char *config = NULL;
	bool json = false, idle = false;
	enum exit_code code;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == OPT_HELP || c == 'h')
			return help_print(verb);
		if (c == '?')
			return usage(verb);
		json |= c == OPT_JSON;
		idle |= c == OPT_IDLE;
		config = c == 'c' ? optarg : config;
	}
	if (argc - optind != 1)
		return usage(verb);
	code = tp_global_init() == RES_OK ? snapshot_of(&snap, config, argv[optind])
					  : complain(EXIT_TROUBLE, verb, "TLS can not be set up");
	for (size_t i = 0; code != EXIT_USAGE && snap != NULL && i < snap->upstream[0].n_target; i++) {
		code = worse(code, probe_target(&snap->upstream[0].target[i], idle, json));
		if (i + 1 < snap->upstream[0].n_target && !json)
			(void)putchar('\n');
		(void)fflush(stdout);
	}
	snapshot_unref(snap);
	return print_done(verb, code);
}
