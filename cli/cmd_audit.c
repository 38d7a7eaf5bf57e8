/* ctstub audit: do the CT logs keep what the SCTs of the upstreams' certificates promise? */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/journal_shown.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/audit.h"
#include "cli/fetch.h"
#include "cli/files.h"
#include "cli/rules.h"
#include "config/load.h"
#include "config/reader.h"
#include "verify/json_shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb[] = "audit";

enum { OPT_CHAIN = 256, OPT_LIVE, OPT_CA, OPT_CT_LOGS, OPT_EVIDENCE, OPT_JSON, OPT_AT };

const struct cli_option audit_options[] = {
    {"config", 'c', "FILE", "the configuration, see ctstub.conf(5); the daemon's own without it"},
    {"chain", OPT_CHAIN, "FILE",
     "the chain of certificates to audit, in place of what the upstreams presented"},
    {"live", OPT_LIVE, NULL,
     "audit the chains that the upstreams present now, in place of those in the journal"},
    {"ct-logs", OPT_CT_LOGS, "FILE", "the list of CT logs, in place of the one in effect"},
    {"ca", OPT_CA, "FILE", "the trust anchors for the servers of the logs"},
    {"at", OPT_AT, "TIME", "the time of the audit, in place of now"},
    {"evidence", OPT_EVIDENCE, "DIR", "write the proof of a broken promise to a file in this folder"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct audit_request {
	const char *config, *chain, *evidence, *upstream, *ca, *ct_logs;
	int64_t now_ms;
	bool at_given; /* by --at */
	bool live, json;
};

/* One audit, all chains together. */
struct audit_run {
	const struct audit_request *req;
	const struct snapshot *snap;
	struct ctlogs *logs;      /* of --ct-logs, or NULL: those in effect */
	struct vfy_policy policy; /* for the servers of the logs */
	json_t *upstreams;        /* with --json */
	size_t broken, failed;
};

static bool
audit_take(void *ctx, int id, const char *value)
{
	struct audit_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		return true;
	case OPT_CHAIN:
		req->chain = value;
		return true;
	case OPT_LIVE:
		req->live = true;
		return true;
	case OPT_CA:
		req->ca = value;
		return true;
	case OPT_CT_LOGS:
		req->ct_logs = value;
		return true;
	case OPT_EVIDENCE:
		req->evidence = value;
		return true;
	case OPT_JSON:
		req->json = true;
		return true;
	case OPT_AT:
		req->at_given = time_read(&req->now_ms, value) == RES_OK;
		if (req->at_given)
			return true;
		(void)cli_complain(EXIT_USAGE, verb, "\"%s\": a time like 2026-11-21T18:00:00Z was expected",
				   value);
		return false;
	default:
		return false;
	}
}

/* ---- results */

static json_t *
json_bytes(struct span bytes)
{
	struct buf text = buf_max(256 * 1024);
	json_t *out;

	base64_write(&text, bytes);
	out = buf_cstr(&text) != NULL ? json_string(buf_cstr(&text)) : NULL;
	buf_free(&text);
	return out;
}

static const char *
promise_log_name(const struct promise *p)
{
	return p->log != NULL ? p->log->description : "unknown log";
}

/* What others need to check the result: the SCT's signature, the hash that must be there, the head and the log's answer. */
static json_t *
evidence_json(const struct promise *p, const struct audit_result *r)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "sct_signature", json_bytes(p->sct), "leaf_hash",
			 json_bytes(span_of(p->leaf.b, sizeof p->leaf.b)), "head",
			 json_bytes(buf_span(&r->head_text)), "answer", json_bytes(buf_span(&r->answer)));
}

static json_t *
promise_json(const struct promise *p, const struct audit_result *r)
{
	char at[TIME_TEXT_MAX], head_at[TIME_TEXT_MAX];
	json_t *out = json_pack("{s:s,s:o,s:o,s:s,s:o}", "outcome", audit_outcome_text(r->outcome), "log",
				json_shown(p->log != NULL ? p->log->description : NULL), "log_id",
				json_bytes(span_of(p->log_id, sizeof p->log_id)), "timestamp",
				time_text_ms((int64_t)p->timestamp_ms, at), "text", json_shown(r->why));

	if (r->outcome == AUDIT_INCLUDED)
		json_object_set_new(out, "index", json_integer((json_int_t)r->index));
	if (r->has_head)
		json_object_set_new(out, "head",
				    json_pack("{s:I,s:s,s:o}", "size", (json_int_t)r->head.size, "timestamp",
					      time_text_ms((int64_t)r->head.timestamp_ms, head_at), "root",
					      json_bytes(span_of(r->head.root.b, sizeof r->head.root.b))));
	if (r->outcome == AUDIT_BROKEN)
		json_object_set_new(out, "evidence", evidence_json(p, r));
	return out;
}

static void
promise_print(const struct promise *p, const struct audit_result *r)
{
	struct buf name = buf_max(4096), why = buf_max(8192);
	char at[TIME_TEXT_MAX], head_at[TIME_TEXT_MAX];

	text_show(&name, span_str(promise_log_name(p)));
	text_show(&why, span_str(r->why));
	(void)printf("  %-14s %s, SCT of %s", audit_outcome_text(r->outcome), buf_cstr(&name),
		     time_text_ms((int64_t)p->timestamp_ms, at));
	if (r->outcome == AUDIT_INCLUDED)
		(void)printf(": index %llu", (unsigned long long)r->index);
	else
		(void)printf(": %s", buf_cstr(&why));
	if (r->has_head)
		(void)printf(" (head of %s, %s)", COUNTED(r->head.size, "entry"),
			     time_text_ms((int64_t)r->head.timestamp_ms, head_at));
	(void)putchar('\n');
	buf_free(&name);
	buf_free(&why);
}

/* DIR/LEAFHASH.json; a second audit writes the same file. */
static void
audit_evidence_write(struct audit_run *run, const struct promise *p, const struct audit_result *r)
{
	char hex[2 * TREE_HASH_SIZE + 1], path[4096], *why = NULL;
	json_t *object = promise_json(p, r);
	char *text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;

	snprintf(path, sizeof path, "%s/%s.json", run->req->evidence,
		 hex_write(hex, span_of(p->leaf.b, sizeof p->leaf.b)));
	if (text == NULL || files_replace_named(path, span_str(text), &why) != RES_OK) {
		(void)cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
		run->failed++;
	} else if (!run->req->json) {
		(void)printf("  %-14s %s\n", "evidence", path);
	}
	free(why);
	free(text);
	json_decref(object);
}

/* ---- chains */

static void
promise_audit(struct audit_run *run, const struct promise *p, json_t *list)
{
	struct audit_result r;

	audit_promise(&r, p, &run->policy, run->req->now_ms);
	run->broken += r.outcome == AUDIT_BROKEN;
	run->failed += r.outcome == AUDIT_FAILED;
	if (run->req->json)
		(void)json_array_append_new(list, promise_json(p, &r));
	else
		promise_print(p, &r);
	if (r.outcome == AUDIT_BROKEN && run->req->evidence != NULL)
		audit_evidence_write(run, p, &r);
	audit_result_clear(&r);
}

static const char *
unread_text(enum res res)
{
	switch (res) {
	case RES_NOT_FOUND:
		return "the certificate has no SCTs";
	case RES_UNSUPPORTED:
		return "the certificate of the issuer is not in the chain";
	case RES_MALFORMED:
		return "the certificate or its SCTs cannot be read";
	case RES_OK:
	case RES_LIMIT:
	case RES_IO:
	case RES_NOMEM:
		break;
	}
	return res_text(res);
}

/* A certificate without SCTs has no promise that a log could break: that is no failure. */
static void
chain_audit(struct audit_run *run, const char *what, const struct chain *chain, const struct ctlogs *logs)
{
	struct promises *promises = malloc(sizeof *promises);
	enum res res = promises == NULL ? RES_NOMEM : promises_read(promises, chain->cert, chain->n, logs);
	bool failed = res != RES_OK && res != RES_NOT_FOUND;
	json_t *list = json_array();

	if (!run->req->json)
		(void)printf("%s\n", what);
	for (size_t i = 0; res == RES_OK && i < promises->n; i++)
		promise_audit(run, &promises->promise[i], list);
	if (res != RES_OK && !run->req->json)
		(void)printf("  %-14s %s\n", audit_outcome_text(failed ? AUDIT_FAILED : AUDIT_NOT_ASKED),
			     unread_text(res));
	run->failed += failed;
	if (run->req->json)
		(void)json_array_append_new(run->upstreams,
					    json_pack("{s:o,s:o,s:s?}", "what", json_shown(what), "scts",
						      list, "error", failed ? unread_text(res) : NULL));
	else
		json_decref(list);
	free(promises);
}

static void
target_audit(struct audit_run *run, const struct tp_target *target)
{
	struct chain chain = {.n = 0};
	char text[ADDR_TEXT_MAX], what[512], *why = NULL;

	snprintf(what, sizeof what, "%s %s", target->upstream, addr_text(&target->addr, text));
	if (fetch_chain(&chain, &target->addr, target->name, &why) == RES_OK) {
		chain_audit(run, what, &chain, run->logs != NULL ? run->logs : target->policy->ctlogs);
	} else {
		run->failed++;
		if (run->req->json)
			(void)json_array_append_new(
			    run->upstreams,
			    json_pack("{s:s,s:[],s:o}", "what", what, "scts", "error", json_shown(why)));
		else
			(void)printf("%s\n  %-14s %s\n", what, audit_outcome_text(AUDIT_FAILED),
				     why != NULL ? why : res_text(RES_NOMEM));
	}
	chain_free(&chain);
	free(why);
}

static bool
record_audit(struct audit_run *run, const struct upstream_plan *u, const struct journal_record *r)
{
	struct chain chain = {.n = 0};
	struct buf what = buf_max(1024);
	char time[TIME_TEXT_MAX];
	bool whole = chain_of_journal(&chain, r) == RES_OK && chain.n > 0;

	buf_format(&what, "%s ", u->title);
	text_escape(&what, span_slice(r->address, 0, ADDR_TEXT_MAX));
	buf_format(&what, ", seen %s", time_text(r->time_ms, time));
	if (whole)
		chain_audit(run, buf_cstr(&what) != NULL ? buf_cstr(&what) : u->title, &chain,
			    run->logs != NULL ? run->logs : u->policy->ctlogs);
	chain_free(&chain);
	buf_free(&what);
	return whole;
}

/* What the journal says that the upstream presented, each certificate once. False: it has none. */
static bool
journal_audit(struct audit_run *run, const struct upstream_plan *u)
{
	struct journal_shown *shown = calloc(1, sizeof *shown);
	const char *why = NULL;
	int folder = path_folder_open(run->snap->settings->state_dir, &why);
	bool any = false;

	if (shown != NULL && folder >= 0 &&
	    journal_shown_read(shown, folder, u->title, run->req->now_ms, &why) != RES_OK)
		(void)cli_complain(EXIT_GOOD, verb, "warning: cannot read the journal: %s",
				   why != NULL ? why : res_text(RES_NOMEM));
	for (size_t i = 0; shown != NULL && i < shown->n; i++)
		if (!journal_shown_is_elsewhere(shown, i))
			any |= record_audit(run, u, &shown->v[i].record);
	if (shown != NULL)
		journal_shown_free(shown);
	free(shown);
	if (folder >= 0)
		(void)close(folder);
	return any;
}

static void
upstream_audit(struct audit_run *run, const struct upstream_plan *u)
{
	if (!run->req->live && *run->snap->settings->state_dir != '\0' && journal_audit(run, u))
		return;
	for (size_t i = 0; i < u->n_target; i++)
		target_audit(run, &u->target[i]);
}

static enum exit_code
file_audit(struct audit_run *run)
{
	struct buf file = buf_max(CHAIN_FILE_MAX);
	struct chain chain = {.n = 0};
	char *why = NULL;
	enum res res = config_file_read_any(&file, run->req->chain, CHAIN_FILE_MAX, &why);
	enum exit_code code = EXIT_GOOD;

	if (res == RES_OK)
		res = chain_read(&chain, buf_span(&file));
	if (res == RES_OK)
		chain_audit(run, run->req->chain, &chain, run->logs != NULL ? run->logs : run->snap->ctlogs);
	else
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	chain_free(&chain);
	buf_free(&file);
	free(why);
	return code;
}

static enum exit_code
audit_all(struct audit_run *run)
{
	enum exit_code code = EXIT_GOOD;

	if (run->req->chain != NULL)
		code = file_audit(run);
	for (size_t i = 0; run->req->chain == NULL && i < run->snap->n_upstream; i++)
		upstream_audit(run, &run->snap->upstream[i]);
	if (code != EXIT_GOOD)
		return code;
	return run->broken > 0 ? EXIT_REFUSED : run->failed > 0 ? EXIT_TROUBLE : EXIT_GOOD;
}

static enum exit_code
audit_snapshot(struct snapshot **out, const struct audit_request *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);
	enum res res = RES_OK;

	if (code != EXIT_GOOD)
		return code;
	if (req->chain != NULL || req->upstream != NULL)
		res = settings_narrow(s, req->upstream);
	if (res == RES_NOT_FOUND) {
		code = cli_complain_upstream(verb, s, req->upstream);
		settings_free(s);
		return code;
	}
	if (res == RES_OK && !rules_anchors_set(s, req->ca))
		res = RES_NOMEM;
	if (res == RES_OK) {
		res = snapshot_compile(out, s, 1, &errors);
		s = NULL; /* taken */
	}
	settings_free(s);
	return cli_config_result(verb, res, &errors);
}

static enum exit_code
logs_load(struct ctlogs **out, const char *file)
{
	char *why = NULL;
	enum res res = file != NULL ? log_list_load(out, file, false, &why) : RES_OK;
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK)
		code = cli_complain(res == RES_NOMEM ? EXIT_TROUBLE : EXIT_USAGE, verb, "--ct-logs: %s",
				    why != NULL ? why : res_text(res));
	free(why);
	return code;
}

static enum exit_code
audit_run(const struct audit_request *req)
{
	struct audit_run run = {.req = req, .upstreams = json_array()};
	struct snapshot *snap = NULL;
	enum exit_code code = audit_snapshot(&snap, req);

	if (code == EXIT_GOOD)
		code = logs_load(&run.logs, req->ct_logs);
	if (code == EXIT_GOOD) {
		run.snap = snap;
		run.policy = *snap->policy;
		/* What a log says is signed, so only the identity of its server has to be checked; an old list must not
		 * stop audits. */
		run.policy.ct_mode = CT_REPORT;
		if (req->at_given) /* --at names a time on purpose: the clock is not wrong */
			run.policy.floor_ms = 0;
		code = audit_all(&run);
		/* A file that cannot be read is no audit: then the failure is what is printed. */
		if (req->json && (json_array_size(run.upstreams) > 0 || code == EXIT_GOOD)) {
			json_t *out = json_pack("{s:O,s:I,s:I}", "audited", run.upstreams, "broken",
						(json_int_t)run.broken, "failed", (json_int_t)run.failed);

			if (cli_print_json(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL) !=
			    EXIT_GOOD)
				code = EXIT_TROUBLE;
			json_decref(out);
		}
	}
	json_decref(run.upstreams);
	ctlogs_free(run.logs);
	snapshot_unref(snap);
	return code;
}

enum exit_code
cmd_audit(int argc, char **argv)
{
	struct audit_request req = {.now_ms = clock_wall_ms()};
	const struct args_rules rules = {audit_take, &req, 0, 1};
	enum exit_code code;
	int first = args_read(&rules, verb, argc, argv, &code);

	if (first == 0)
		return code;
	req.upstream = argv[first];
	if (req.chain != NULL && (req.upstream != NULL || req.live))
		return cli_misused(verb, "--chain was expected without an upstream and without --live");
	/* now, because months may pass before a promise is broken */
	code = req.evidence != NULL ? cli_output_folder_check(verb, "evidence", req.evidence) : EXIT_GOOD;
	return code == EXIT_GOOD ? audit_run(&req) : code;
}
