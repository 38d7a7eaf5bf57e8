/* ctstub verify: the judge without a network. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/file_kind.h"
#include "config/changes.h"
#include "config/forms.h"
#include "verify/json_shown.h"
#include "verify/why.h"
#include "verify/x509/pem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERIFY_KIND_MAX 256 /* a clause */

static const char verb[] = "verify";

struct verify {
	const char *config, *upstream, *ocsp, *batch, *chain;
	struct rules rules;
	struct addr ip;
	char name[CONFIG_STRING_MAX + 1];
	int64_t now_ms;
	bool at_given; /* by --at */
	bool json;
};

/* What one run judges by. */
struct verify_context {
	struct snapshot *snap;
	const struct upstream_settings *upstream; /* NULL: the global policy applies */
	struct addr ip;                           /* expected; ADDR_NONE: none */
	const char *name;                         /* expected; "": none */
	struct span also[VFY_ALSO_IPS_MAX];
	size_t n_also;
	struct buf staple;
	int64_t now_ms;
	bool at_given;          /* by --at */
	struct sigcache *known; /* of a batch: its chains have CAs in common. NULL: none */
};

enum { OPT_UPSTREAM = 256, OPT_IP, OPT_NAME, OPT_OCSP, OPT_AT, OPT_JSON, OPT_BATCH };

const struct cli_option verify_options[] = {
    {"config", 'c', "FILE", "the configuration, see ctstub.conf(5)"},
    {"upstream", OPT_UPSTREAM, "NAME", "verify by the rules of this upstream of the configuration"},
    {"ip", OPT_IP, "ADDR", "the address that the certificate must have"},
    {"name", OPT_NAME, "HOST", "the DNS name that the certificate must have, with or without --ip"},
    {"ocsp", OPT_OCSP, "FILE", "the OCSP response that the server stapled, DER or PEM"},
    {"at", OPT_AT, "TIME", "verify as of this time, such as 2026-11-21T18:00:00Z"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure"},
    {"batch", OPT_BATCH, "DIR", "verify every file in a folder; one line of JSON for each"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

static bool
verify_take_expected(struct verify *req, int c, const char *arg)
{
	bool ok;

	if (c == OPT_IP)
		ok = addr_read_ip(&req->ip, arg) == RES_OK;
	else if (c == OPT_NAME)
		ok = form_read(req->name, FORM_HOST, arg);
	else
		ok = req->at_given = time_read(&req->now_ms, arg) == RES_OK;
	if (!ok)
		(void)cli_complain(EXIT_USAGE, verb, "\"%s\": %s was expected", arg,
				   c == OPT_IP     ? "an IP address"
				   : c == OPT_NAME ? "a host name in ASCII"
						   : "a time like 2026-11-21T18:00:00Z");
	return ok;
}

static bool
verify_take(void *ctx, int id, const char *value)
{
	struct verify *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		return true;
	case OPT_UPSTREAM:
		req->upstream = value;
		return true;
	case OPT_OCSP:
		req->ocsp = value;
		return true;
	case OPT_JSON:
		req->json = true;
		return true;
	case OPT_BATCH:
		req->batch = value;
		return true;
	case OPT_IP:
	case OPT_NAME:
	case OPT_AT:
		return verify_take_expected(req, id, value);
	default:
		return cli_rule_take(&req->rules, verb, id, value);
	}
}

/* One chain, or a folder of them. False: *code says how to end. */
static bool
verify_read(struct verify *req, int argc, char **argv, enum exit_code *code)
{
	const struct args_rules rules = {verify_take, req, 0, 1};
	int first;

	req->now_ms = clock_wall_ms();
	first = args_read(&rules, verb, argc, argv, code);
	if (first == 0)
		return false;
	req->chain = argv[first];
	if ((req->chain == NULL) == (req->batch != NULL))
		return true;
	*code = cli_misused(verb, req->chain == NULL ? "a chain or --batch was expected"
						     : "--batch was expected without a chain");
	return false;
}

static bool
has_address(const struct upstream_settings *u, const struct addr *ip)
{
	for (size_t i = 0; i < u->address.n; i++)
		if (addr_ip_equal(&u->address.v[i], ip))
			return true;
	return false;
}

/* The upstream with this address; *title NULL: there is none. Of several, any one where all have the same rules, such as
 * the DoT and DoH of one operator. */
static enum exit_code
verify_choose_by_ip(const char **title, const struct addr *ip, const struct settings *s)
{
	const struct upstream_settings *first = NULL;

	for (size_t i = 0; i < s->n_upstream; i++) {
		const struct upstream_settings *u = &s->upstream[i];
		char text[ADDR_TEXT_MAX];

		if (!has_address(u, ip))
			continue;
		if (first != NULL && !upstream_rules_equal(first, u))
			return cli_complain(
			    EXIT_USAGE, verb,
			    "upstreams \"%s\" and \"%s\" both have the address %s, with different rules: "
			    "--upstream was expected",
			    first->title, u->title, addr_ip_text(ip, text));
		if (first == NULL)
			first = u;
	}
	*title = first != NULL ? first->title : NULL;
	return EXIT_GOOD;
}

/* Finds the upstream whose chain this is; *title NULL: none, and the global policy applies. */
static enum exit_code
verify_choose_upstream(const char **title, const struct verify *req, const struct settings *s)
{
	*title = NULL;
	if (req->upstream != NULL) {
		for (size_t i = 0; i < s->n_upstream; i++)
			if (strcmp(s->upstream[i].title, req->upstream) == 0)
				*title = s->upstream[i].title;
		if (*title == NULL && req->config == NULL)
			return cli_complain(EXIT_USAGE, verb, "--upstream \"%s\": -c FILE was expected",
					    req->upstream);
		return *title != NULL ? EXIT_GOOD : cli_complain_upstream(verb, s, req->upstream);
	}
	if (req->ip.family != ADDR_NONE)
		return verify_choose_by_ip(title, &req->ip, s);
	if (req->config == NULL && *req->name != '\0')
		return EXIT_GOOD;
	if (req->config == NULL)
		return cli_complain(
		    EXIT_USAGE, verb,
		    "--ip, --name or --upstream was expected: what the certificate must have");
	if (s->n_upstream > 1)
		return cli_complain(EXIT_USAGE, verb,
				    "%s has several upstreams: --upstream or --ip was expected", req->config);
	*title = s->upstream[0].title;
	return EXIT_GOOD;
}

/* No connection is made: client keys need not be readable. */
static bool
verify_override(struct settings *s, const struct rules *rules)
{
	struct upstream_settings *u = &s->upstream[0]; /* after settings_narrow: the only one */

	return rules_apply(rules, s) && rules_text_set(&u->client_cert, "") &&
	       rules_text_set(&u->client_key, "");
}

static enum exit_code
verify_read_staple(struct buf *out, const char *file)
{
	struct buf text = buf_max(0);
	struct span rest;
	char *why = NULL;
	enum res res = config_file_read_any(&text, file, STAPLE_MAX * 2, &why);

	if (res != RES_OK) {
		enum exit_code code =
		    cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));

		free(why);
		return code;
	}
	rest = buf_span(&text);
	*out = buf_max(STAPLE_MAX * 2);
	if (pem_next(out, &rest, "OCSP RESPONSE") == RES_OK)
		buf_free(&text);
	else /* DER, or something that the judge will refuse */
		*out = text;
	/* to the judge an empty staple is no staple, but one was given */
	return out->n > 0 ? EXIT_GOOD
			  : cli_complain(EXIT_USAGE, verb, "%s: empty, an OCSP response was expected", file);
}

/* Settings, overridden by the command line, compiled. */
static enum exit_code
verify_context_open(struct verify_context *ctx, const struct verify *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	const char *title = NULL;
	enum exit_code code = EXIT_GOOD, settled;
	enum res res = settings_read(&s, req->config, &errors);

	if (res == RES_OK)
		code = verify_choose_upstream(&title, req, s);
	if (res == RES_OK && code == EXIT_GOOD) {
		bool chosen = title != NULL;

		res = settings_narrow(s, title);
		if (res == RES_OK)
			res = verify_override(s, &req->rules) ? RES_OK : RES_NOMEM;
		if (res == RES_OK) {
			res = snapshot_compile(&ctx->snap, s, 1, &errors);
			s = NULL; /* taken */
		}
		if (res == RES_OK)
			cli_warn_lists(verb, ctx->snap);
		if (res == RES_OK && chosen)
			ctx->upstream = &ctx->snap->settings->upstream[0];
	}
	settings_free(s);
	settled = cli_config_result(verb, res, &errors);
	return settled != EXIT_GOOD ? settled : code;
}

static void
verify_context_expect(struct verify_context *ctx, const struct verify *req)
{
	const struct upstream_settings *u = ctx->upstream;

	ctx->now_ms = req->now_ms;
	ctx->at_given = req->at_given;
	ctx->ip = req->ip;
	ctx->name = req->name;
	if (u == NULL)
		return;
	if (ctx->ip.family == ADDR_NONE)
		ctx->ip = u->address.v[0];
	if (*ctx->name == '\0')
		ctx->name = u->name;
	for (size_t i = 0; i < u->also_address.n; i++)
		ctx->also[ctx->n_also++] = addr_ip(&u->also_address.v[i]);
}

static void
verify_context_close(struct verify_context *ctx)
{
	snapshot_unref(ctx->snap);
	buf_free(&ctx->staple);
	sigcache_free(ctx->known);
}

/* Reads and judges one file; on an error *why (yours; NULL: no memory) tells why. kind: what else it holds, file_kind.h. */
static enum res
verify_context_judge(struct verdict *v, const struct verify_context *ctx, const char *file, struct buf *kind,
		     char **why)
{
	struct buf text = buf_max(0);
	struct chain chain = {0};
	enum res res = config_file_read_any(&text, file, CHAIN_FILE_MAX, why);

	if (res == RES_OK)
		res = chain_read(&chain, buf_span(&text));
	if (res == RES_OK) {
		struct vfy_input in = {
		    .certs = chain.cert,
		    .n_certs = chain.n,
		    .staple = buf_span(&ctx->staple),
		    .ip = addr_ip(&ctx->ip),
		    .also_ips = ctx->also,
		    .n_also_ips = ctx->n_also,
		    .name = ctx->name,
		    .now_ms = ctx->now_ms,
		    .known = ctx->known,
		};

		struct vfy_policy policy = *ctx->snap->upstream[0].policy;

		if (ctx->at_given) /* --at names a time on purpose: the clock is not wrong */
			policy.floor_ms = 0;
		vfy_check(v, &policy, &in);
		if (verdict_has(v, REASON_CHAIN_EMPTY) || verdict_has(v, REASON_CERT_MALFORMED))
			(void)file_kind_put(kind, buf_span(&text));
	}
	chain_free(&chain);
	buf_free(&text);
	return res;
}

static enum exit_code
verify_code(const struct verdict *v)
{
	if (verdict_accepted(v))
		return EXIT_GOOD;
	return v->out_of_memory || verdict_has(v, REASON_OUT_OF_MEMORY) ? EXIT_TROUBLE : EXIT_REFUSED;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A person may have picked the wrong file. */
static void
verify_warn_kind(const struct verdict *v, const char *file, struct buf *kind)
{
	const char *what = kind->n > 0 ? buf_cstr(kind) : NULL;

	if (verdict_has(v, REASON_CHAIN_EMPTY))
		(void)cli_complain(
		    EXIT_REFUSED, verb,
		    "%s holds no certificate: PEM (-----BEGIN CERTIFICATE-----) or DER was expected%s%s",
		    file, what != NULL ? ", and " : "", what != NULL ? what : "");
	else if (what != NULL)
		(void)cli_complain(EXIT_REFUSED, verb, "%s: %s", file, what);
}

static enum exit_code
verify_one(const struct verify_context *ctx, const struct verify *req)
{
	struct buf kind = buf_max(VERIFY_KIND_MAX);
	struct verdict v = {0};
	char *why = NULL, *text;
	enum exit_code code;
	enum res res = verify_context_judge(&v, ctx, req->chain, &kind, &why);

	if (res != RES_OK) {
		code = cli_complain(EXIT_TROUBLE, verb, "%s%s", why != NULL ? why : res_text(res),
				    is_folder(req->chain) ? " (--batch verifies the files in a folder)" : "");
		buf_free(&kind);
		free(why);
		return code;
	}
	verify_warn_kind(&v, strcmp(req->chain, "-") == 0 ? "standard input" : req->chain, &kind);
	buf_free(&kind);
	code = verify_code(&v);
	text = req->json ? verdict_json(&v) : verdict_text(&v);
	verdict_clear(&v);
	if (text == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	if (req->json)
		return cli_print_json(verb, text) == EXIT_GOOD ? code : EXIT_TROUBLE;
	cli_print_verdict(text);
	free(text);
	return code;
}

/* Opening a FIFO would block. */
static enum res
verify_regular(struct verdict *v, const struct verify_context *ctx, const char *path, struct buf *kind,
	       char **why)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return why_say(why, RES_IO, "%s: not a regular file", path);
	return verify_context_judge(v, ctx, path, kind, why);
}

/* One line: the file's name, then the verdict's keys or "error". */
static enum exit_code
verify_line(const struct verify_context *ctx, const char *path, const char *name)
{
	struct buf kind = buf_max(VERIFY_KIND_MAX);
	struct verdict v = {0};
	json_t *line = json_object(), *keys;
	char *why = NULL, *text = NULL;
	enum exit_code code = EXIT_TROUBLE;
	enum res res = verify_regular(&v, ctx, path, &kind, &why);

	(void)json_object_set_new(line, "file", json_shown(name));
	if (res == RES_OK && (text = verdict_json(&v)) != NULL) {
		keys = json_loads(text, 0, NULL);
		(void)json_object_update(line, keys);
		json_decref(keys);
		code = verify_code(&v);
	} else {
		const char *error = why != NULL ? why : res_text(RES_NOMEM);

		(void)cli_complain(EXIT_TROUBLE, verb, "%s", error);
		(void)json_object_set_new(line, "error", json_shown(error));
	}
	if (kind.n > 0)
		(void)cli_complain(EXIT_REFUSED, verb, "%s: %s", path, buf_cstr(&kind));
	buf_free(&kind);
	free(text);
	free(why);
	verdict_clear(&v);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (text == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	return cli_print_json(verb, text) == EXIT_GOOD ? code : EXIT_TROUBLE;
}

static int
verify_entry_is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
verify_entry_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The worst of all files. */
static enum exit_code
verify_batch(const struct verify_context *ctx, const char *folder)
{
	struct dirent **entry = NULL;
	enum exit_code worst = EXIT_GOOD;
	int n = scandir(folder, &entry, verify_entry_is_visible, verify_entry_order);

	if (n < 0)
		return cli_complain(EXIT_TROUBLE, verb, "cannot read %s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct buf path = buf_max(strlen(folder) + sizeof entry[i]->d_name + 2);
		enum exit_code code = EXIT_TROUBLE;

		buf_format(&path, "%s/%s", folder, entry[i]->d_name);
		if (buf_cstr(&path) == NULL)
			(void)cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
		else if (is_folder(buf_cstr(&path)))
			code = EXIT_GOOD; /* folders inside are passed over */
		else
			code = verify_line(ctx, buf_cstr(&path), entry[i]->d_name);
		if (code > worst)
			worst = code;
		buf_free(&path);
		free(entry[i]);
	}
	free(entry);
	return worst;
}

enum exit_code
cmd_verify(int argc, char **argv)
{
	struct verify req = {0};
	struct verify_context ctx = {0};
	enum exit_code code;

	if (verify_read(&req, argc, argv, &code)) {
		code = verify_context_open(&ctx, &req);
		if (code == EXIT_GOOD && req.ocsp != NULL)
			code = verify_read_staple(&ctx.staple, req.ocsp);
		if (code == EXIT_GOOD) {
			verify_context_expect(&ctx, &req);
			if (req.batch != NULL)
				(void)sigcache_new(&ctx.known);
			code = req.batch != NULL ? verify_batch(&ctx, req.batch) : verify_one(&ctx, &req);
		}
		verify_context_close(&ctx);
	}
	rules_clear(&req.rules);
	return code;
}
