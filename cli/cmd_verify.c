/* ctstub verify: the judge without a network. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/text.h"
#include "config/forms.h"
#include "verify/x509/pem.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char verb[] = "verify";

struct request {
	const char *config, *upstream, *ca, *ct, *ct_policy, *ct_logs, *ocsp, *batch, *chain;
	struct strings disallow, crl, constraints; /* files */
	struct addr ip;
	char name[CONFIG_STRING_MAX + 1];
	int64_t now_ms;
	bool json;
};

/* What one run judges by. */
struct court {
	struct snapshot *snap;
	const struct upstream_settings *upstream; /* NULL: nobody's in particular */
	struct addr ip;                           /* expected; ADDR_NONE: none */
	const char *name;                         /* expected; "": none */
	struct span also[VFY_ALSO_IPS_MAX];
	size_t n_also;
	struct buf staple;
	int64_t now_ms;
};

enum {
	OPT_UPSTREAM = 256,
	OPT_IP,
	OPT_NAME,
	OPT_CA,
	OPT_CT,
	OPT_CT_POLICY,
	OPT_CT_LOGS,
	OPT_DISALLOW,
	OPT_CRL,
	OPT_OCSP,
	OPT_CONSTRAINTS,
	OPT_AT,
	OPT_JSON,
	OPT_BATCH,
	OPT_HELP
};

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {"upstream", required_argument, NULL, OPT_UPSTREAM},
    {"ip", required_argument, NULL, OPT_IP},
    {"name", required_argument, NULL, OPT_NAME},
    {"ca", required_argument, NULL, OPT_CA},
    {"ct", required_argument, NULL, OPT_CT},
    {"ct-policy", required_argument, NULL, OPT_CT_POLICY},
    {"ct-logs", required_argument, NULL, OPT_CT_LOGS},
    {"disallow", required_argument, NULL, OPT_DISALLOW},
    {"crl", required_argument, NULL, OPT_CRL},
    {"ocsp", required_argument, NULL, OPT_OCSP},
    {"constraints", required_argument, NULL, OPT_CONSTRAINTS},
    {"at", required_argument, NULL, OPT_AT},
    {"json", no_argument, NULL, OPT_JSON},
    {"batch", required_argument, NULL, OPT_BATCH},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* A word of a choice; false: complained. */
static bool
word_read(const char **out, const char *option, const char *arg, enum option_form form)
{
	for (const char *const *w = form_words(form); *w != NULL; w++)
		if (strcmp(*w, arg) == 0) {
			*out = arg;
			return true;
		}
	(void)complain(EXIT_USAGE, verb, "%s \"%s\": %s was expected", option, arg, form_expected(form));
	return false;
}

static bool
file_add(struct strings *list, const char *file)
{
	if (strings_append(list, file, (struct place){0}))
		return true;
	(void)complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	return false;
}

static bool
expected_read(struct request *req, int c, const char *arg)
{
	bool ok;

	if (c == OPT_IP)
		ok = addr_read_ip(&req->ip, arg) == RES_OK;
	else if (c == OPT_NAME)
		ok = *arg != '\0' && form_read(req->name, FORM_HOST, arg);
	else
		ok = time_read(&req->now_ms, arg) == RES_OK;
	if (!ok)
		(void)complain(EXIT_USAGE, verb, "\"%s\": %s was expected", arg,
			       c == OPT_IP     ? "an IP address"
			       : c == OPT_NAME ? "a DNS name in ASCII"
					       : "a time like 2026-11-21T18:00:00Z");
	return ok;
}

static bool
option_take(struct request *req, int c, const char *arg)
{
	switch (c) {
	case 'c':
		req->config = arg;
		return true;
	case OPT_UPSTREAM:
		req->upstream = arg;
		return true;
	case OPT_CA:
		req->ca = arg;
		return true;
	case OPT_CT:
		return word_read(&req->ct, "--ct", arg, FORM_CT_MODE);
	case OPT_CT_POLICY:
		return word_read(&req->ct_policy, "--ct-policy", arg, FORM_CT_POLICY);
	case OPT_CT_LOGS:
		req->ct_logs = arg;
		return true;
	case OPT_DISALLOW:
		return file_add(&req->disallow, arg);
	case OPT_CRL:
		return file_add(&req->crl, arg);
	case OPT_CONSTRAINTS:
		return file_add(&req->constraints, arg);
	case OPT_OCSP:
		req->ocsp = arg;
		return true;
	case OPT_JSON:
		req->json = true;
		return true;
	case OPT_BATCH:
		req->batch = arg;
		return true;
	case OPT_IP:
	case OPT_NAME:
	case OPT_AT:
		return expected_read(req, c, arg);
	default: /* getopt has complained */
		return false;
	}
}

/* False: *code says how to end. */
static bool
request_read(struct request *req, int argc, char **argv, enum exit_code *code)
{
	int c;

	*code = EXIT_USAGE;
	req->now_ms = clock_wall_ms();
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == OPT_HELP || c == 'h') {
			*code = help_print(verb);
			return false;
		}
		if (!option_take(req, c, optarg)) {
			if (c == '?')
				(void)usage(verb);
			return false;
		}
	}
	if (argc - optind != (req->batch == NULL ? 1 : 0)) {
		(void)usage(verb);
		return false;
	}
	req->chain = argv[optind];
	return true;
}

static void
request_free(struct request *req)
{
	strings_free(&req->disallow);
	strings_free(&req->crl);
	strings_free(&req->constraints);
}

/* Whose chain is it? *title NULL: nobody's in particular, then the global policy judges. */
static enum exit_code
upstream_choose(const char **title, const struct request *req, const struct settings *s)
{
	*title = NULL;
	if (req->upstream != NULL) {
		for (size_t i = 0; i < s->n_upstream; i++)
			if (strcmp(s->upstream[i].title, req->upstream) == 0)
				*title = s->upstream[i].title;
		return *title != NULL
			   ? EXIT_GOOD
			   : complain(EXIT_USAGE, verb, "there is no upstream \"%s\"", req->upstream);
	}
	for (size_t i = 0; req->ip.family != ADDR_NONE && i < s->n_upstream; i++)
		for (size_t k = 0; *title == NULL && k < s->upstream[i].address.n; k++)
			if (addr_ip_equal(&s->upstream[i].address.v[k], &req->ip))
				*title = s->upstream[i].title;
	if (*title != NULL || req->ip.family != ADDR_NONE || (req->config == NULL && *req->name != '\0'))
		return EXIT_GOOD;
	if (req->config == NULL)
		return complain(EXIT_USAGE, verb,
				"what must the certificate bear? --ip, --name or --upstream was expected");
	if (s->n_upstream > 1)
		return complain(EXIT_USAGE, verb, "%s has several upstreams: --upstream or --ip was expected",
				req->config);
	*title = s->upstream[0].title;
	return EXIT_GOOD;
}

static bool
text_set(char **field, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return false;
	free(*field);
	*field = copy;
	return true;
}

/* An option of the command line goes before the file's: into the global field, and out of the upstream's. */
static bool
override(struct settings *s, enum option_id id, char **field, char **of_upstream, const char *value)
{
	if (value == NULL)
		return true;
	if (id != OPTION_COUNT)
		s->said[id] = (struct place){0};
	return (field == NULL || text_set(field, value)) && text_set(of_upstream, "");
}

static unsigned
word_index(enum option_form form, const char *word)
{
	unsigned i = 0;

	while (strcmp(form_words(form)[i], word) != 0)
		i++;
	return i;
}

static bool
settings_override(struct settings *s, const struct request *req)
{
	struct upstream_settings *u = &s->upstream[0]; /* after settings_narrow: the only one */
	bool ok;

	if (req->ct != NULL)
		s->ct_mode = (enum ct_mode)word_index(FORM_CT_MODE, req->ct);
	if (req->ct_policy != NULL)
		s->ct_policy = (enum ct_policy)word_index(FORM_CT_POLICY, req->ct_policy);
	ok = override(s, OPTION_TRUST_ANCHORS, &s->trust_anchors, &u->trust_anchors, req->ca) &&
	     override(s, OPTION_CT_LOG_LIST, &s->ct_log_list, &u->ct_logs, req->ct_logs) &&
	     override(s, OPTION_COUNT, NULL, &u->ct, req->ct) &&
	     override(s, OPTION_COUNT, NULL, &u->ct_policy, req->ct_policy);
	for (size_t i = 0; ok && i < req->disallow.n; i++)
		ok = strings_append(&s->disallow_file, req->disallow.v[i], (struct place){0});
	for (size_t i = 0; ok && i < req->constraints.n; i++)
		ok = strings_append(&s->constraints_file, req->constraints.v[i], (struct place){0});
	for (size_t i = 0; ok && i < req->crl.n; i++)
		ok = strings_append(&u->crl_file, req->crl.v[i], (struct place){0});
	/* No connection is made: the keys for one need not be readable. */
	return ok && text_set(&u->client_cert, "") && text_set(&u->client_key, "");
}

static enum exit_code
staple_read(struct buf *out, const char *file)
{
	struct buf text = buf_max(0);
	struct span rest;
	char *why = NULL;
	enum res res = config_file_read_any(&text, file, STAPLE_MAX * 2, &why);

	if (res != RES_OK) {
		enum exit_code code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));

		free(why);
		return code;
	}
	rest = buf_span(&text);
	*out = buf_max(STAPLE_MAX * 2);
	if (pem_next(out, &rest, "OCSP RESPONSE") == RES_OK)
		buf_free(&text);
	else /* DER, or something that the judge will refuse */
		*out = text;
	return EXIT_GOOD;
}

/* Settings, overridden by the command line, compiled. */
static enum exit_code
court_open(struct court *court, const struct request *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	const char *title = NULL;
	enum exit_code code = EXIT_GOOD, settled;
	enum res res = settings_read(&s, req->config, &errors);

	if (res == RES_OK)
		code = upstream_choose(&title, req, s);
	if (res == RES_OK && code == EXIT_GOOD) {
		bool chosen = title != NULL;

		res = settings_narrow(s, title);
		if (res == RES_OK)
			res = settings_override(s, req) ? RES_OK : RES_NOMEM;
		if (res == RES_OK) {
			res = snapshot_compile(&court->snap, s, 1, &errors);
			s = NULL; /* taken */
		}
		if (res == RES_OK)
			cli_warn_lists(verb, court->snap);
		if (res == RES_OK && chosen)
			court->upstream = &court->snap->settings->upstream[0];
	}
	settings_free(s);
	settled = cli_config_result(verb, res, &errors);
	return settled != EXIT_GOOD ? settled : code;
}

static void
court_expect(struct court *court, const struct request *req)
{
	const struct upstream_settings *u = court->upstream;

	court->now_ms = req->now_ms;
	court->ip = req->ip;
	court->name = req->name;
	if (u == NULL)
		return;
	if (court->ip.family == ADDR_NONE)
		court->ip = u->address.v[0];
	if (*court->name == '\0')
		court->name = u->name;
	for (size_t i = 0; i < u->also_address.n; i++)
		court->also[court->n_also++] = addr_ip(&u->also_address.v[i]);
}

static void
court_close(struct court *court)
{
	snapshot_unref(court->snap);
	buf_free(&court->staple);
}

/* Reads and judges one file; RES_IO: *why (yours) says what was wrong with it. */
static enum res
court_judge(struct verdict *v, const struct court *court, const char *file, char **why)
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
		    .staple = buf_span(&court->staple),
		    .ip = addr_ip(&court->ip),
		    .also_ips = court->also,
		    .n_also_ips = court->n_also,
		    .name = court->name,
		    .now_ms = court->now_ms,
		};

		vfy_check(v, court->snap->upstream[0].policy, &in);
	}
	chain_free(&chain);
	buf_free(&text);
	return res;
}

static enum exit_code
verdict_code(const struct verdict *v)
{
	if (verdict_accepted(v))
		return EXIT_GOOD;
	return v->out_of_memory || verdict_has(v, REASON_OUT_OF_MEMORY) ? EXIT_TROUBLE : EXIT_REFUSED;
}

static enum exit_code
verify_one(const struct court *court, const struct request *req)
{
	struct verdict v = {0};
	char *why = NULL, *text;
	enum exit_code code;
	enum res res = court_judge(&v, court, req->chain, &why);

	if (res != RES_OK) {
		code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
		free(why);
		return code;
	}
	code = verdict_code(&v);
	text = req->json ? verdict_json(&v) : verdict_text(&v);
	verdict_clear(&v);
	if (text == NULL)
		return complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	if (req->json)
		(void)puts(text);
	else
		print_verdict_text(text);
	free(text);
	return code;
}

/* One line: the file's name, then the verdict's keys or "error". */
static enum exit_code
verify_line(const struct court *court, const char *path, const char *name)
{
	struct verdict v = {0};
	json_t *line = json_object(), *keys;
	char *why = NULL, *text = NULL;
	enum exit_code code = EXIT_TROUBLE;
	enum res res = court_judge(&v, court, path, &why);

	(void)json_object_set_new(line, "file", json_string(name));
	if (res == RES_OK && (text = verdict_json(&v)) != NULL) {
		keys = json_loads(text, 0, NULL);
		(void)json_object_update(line, keys);
		json_decref(keys);
		code = verdict_code(&v);
	} else {
		(void)json_object_set_new(line, "error",
					  json_string(why != NULL ? why : res_text(RES_NOMEM)));
	}
	free(text);
	free(why);
	verdict_clear(&v);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (text == NULL)
		return complain(EXIT_TROUBLE, verb, "%s: its name is not UTF-8, or no memory", path);
	(void)puts(text);
	free(text);
	return code;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The worst of all files. */
static enum exit_code
verify_batch(const struct court *court, const char *folder)
{
	struct dirent **entry = NULL;
	enum exit_code worst = EXIT_GOOD;
	int n = scandir(folder, &entry, is_visible, by_name);

	if (n < 0)
		return complain(EXIT_TROUBLE, verb, "cannot read %s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct buf path = buf_max(strlen(folder) + sizeof entry[i]->d_name + 2);
		enum exit_code code = EXIT_TROUBLE;
		struct stat st;

		buf_format(&path, "%s/%s", folder, entry[i]->d_name);
		if (buf_cstr(&path) == NULL)
			(void)complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
		else if (stat(buf_cstr(&path), &st) == 0 && S_ISDIR(st.st_mode))
			code = EXIT_GOOD; /* folders inside are passed over */
		else
			code = verify_line(court, buf_cstr(&path), entry[i]->d_name);
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
	struct request req = {0};
	struct court court = {0};
	enum exit_code code;

	if (request_read(&req, argc, argv, &code)) {
		code = court_open(&court, &req);
		if (code == EXIT_GOOD && req.ocsp != NULL)
			code = staple_read(&court.staple, req.ocsp);
		if (code == EXIT_GOOD) {
			court_expect(&court, &req);
			code = req.batch != NULL ? verify_batch(&court, req.batch) : verify_one(&court, &req);
			code = print_done(verb, code);
		}
		court_close(&court);
	}
	request_free(&req);
	return code;
}
