/* Prints what a probe found, for people and as JSON. */
#include "cli/probe.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts the failure of a connection where a verdict's reasons go. */
static enum res
probe_trouble_add(struct probe_result *r)
{
	struct verdict *v = &r->verdict;
	char address[ADDR_TEXT_MAX];
	struct finding *f;

	if (r->trouble == REASON_NONE || r->ready)
		return RES_OK;
	verdict_clear(v);
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return RES_NOMEM;
	*f = (struct finding){
	    .reason = r->trouble, .enforced = true, .have = VERDICT_NUMBER_NONE, .want = VERDICT_NUMBER_NONE};
	v->expected_ip = strdup(addr_ip_text(&r->target->addr, address));
	f->text = strdup(r->detail != NULL ? r->detail : reason_sentence(r->trouble));
	v->findings = f;
	v->n_findings = 1;
	v->at_ms = clock_wall_ms();
	v->log_list_ms = v->valid_until_ms = VERDICT_NUMBER_NONE;
	return f->text != NULL ? RES_OK : RES_NOMEM;
}

static json_t *
probe_connection_json(const struct probe_result *r)
{
	return r->tls_version[0] == '\0' ? json_null()
					 : json_pack("{s:s,s:s,s:s,s:I,s:b}", "tls_version", r->tls_version,
						     "cipher", r->cipher, "alpn", r->alpn, "handshake_ms",
						     (json_int_t)r->handshake_ms, "resumption", r->resumed);
}

static json_t *
probe_query_json(const struct probe_result *r)
{
	if (r->ready && r->trouble != REASON_NONE)
		return json_pack("{s:s,s:s,s:s}", "name", PROBE_QUESTION, "type", "A", "failure",
				 reason_code(r->trouble));
	if (!r->answered)
		return json_null();
	return json_pack("{s:s,s:s,s:s?,s:I,s:f,s:b,s:o,s:o}", "name", PROBE_QUESTION, "type", "A", "rcode",
			 r->rcode, "answers", (json_int_t)r->answers, "time_ms", (double)r->rtt_us / 1000,
			 "padding", r->padded, "keepalive_ms",
			 r->keepalive_ms >= 0 ? json_integer((json_int_t)r->keepalive_ms) : json_null(),
			 "out_of_order", r->out_of_order ? json_true() : json_null());
}

static enum res
probe_print_json(const struct probe_result *r)
{
	char *verdict = verdict_json(&r->verdict), *text, address[ADDR_TEXT_MAX];
	json_t *keys = verdict != NULL ? json_loads(verdict, 0, NULL) : NULL;
	json_t *out = json_pack("{s:s,s:s,s:s}", "upstream", r->target->upstream, "address",
				addr_text(&r->target->addr, address), "protocol",
				r->target->protocol == TP_DOH ? "doh" : "dot");

	free(verdict);
	(void)json_object_update(out, keys);
	json_decref(keys);
	(void)json_object_set_new(out, "connection", probe_connection_json(r));
	(void)json_object_set_new(out, "query", probe_query_json(r));
	(void)json_object_set_new(out, "idle_close_ms",
				  r->idle_close_ms >= 0 ? json_integer((json_int_t)r->idle_close_ms)
							: json_null());
	text = keys != NULL ? json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(out);
	if (text == NULL)
		return RES_NOMEM;
	return cli_print_json("probe", text) == EXIT_GOOD ? RES_OK : RES_NOMEM;
}

static void
probe_query_print(const struct probe_result *r)
{
	(void)printf("%-12s %s A: %s, %s, %.1f ms%s", "query", PROBE_QUESTION, r->rcode,
		     COUNTED(r->answers, "answer"), (double)r->rtt_us / 1000,
		     r->padded ? ", padded" : ", not padded");
	if (r->keepalive_ms >= 0)
		(void)printf(", keepalive %.1f s", (double)r->keepalive_ms / 1000);
	(void)printf("%s\n", r->out_of_order ? ", answers out of order" : "");
}

static enum res
probe_print_text(const struct probe_result *r)
{
	char *verdict = verdict_text(&r->verdict), address[ADDR_TEXT_MAX];

	if (verdict == NULL)
		return RES_NOMEM;
	(void)printf("%-12s %s %s %s\n", "upstream", r->target->upstream,
		     addr_text(&r->target->addr, address), r->target->protocol == TP_DOH ? "doh" : "dot");
	if (r->tls_version[0] != '\0')
		(void)printf("%-12s %s, %s, ALPN %s, handshake %lld ms, resumption %s\n", "connection",
			     r->tls_version, r->cipher, *r->alpn != '\0' ? r->alpn : "none",
			     (long long)r->handshake_ms, r->resumed ? "yes" : "no");
	if (r->trouble != REASON_NONE && !r->ready)
		(void)printf("%-12s %s: %s\n", "trouble", reason_code(r->trouble),
			     r->verdict.findings[0].text);
	else
		cli_print_verdict(verdict);
	free(verdict);
	if (r->answered)
		probe_query_print(r);
	else if (r->ready && r->trouble != REASON_NONE)
		(void)printf("%-12s no answer: %s\n", "query", reason_code(r->trouble));
	if (r->idle_close_ms >= 0)
		(void)printf("%-12s after %.1f s\n", "idle close", (double)r->idle_close_ms / 1000);
	else if (r->idle && r->answered)
		(void)printf("%-12s not within %d s\n", "idle close", PROBE_IDLE_MS / 1000);
	return RES_OK;
}

enum res
probe_result_print(struct probe_result *r, bool json)
{
	enum res res = probe_trouble_add(r);

	if (res == RES_OK)
		res = json ? probe_print_json(r) : probe_print_text(r);
	return res;
}

void
probe_result_clear(struct probe_result *r)
{
	verdict_clear(&r->verdict);
	free(r->detail);
}
