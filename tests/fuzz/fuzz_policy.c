/*
 * fuzz_policy.c - a chain and a policy, judged by us and by the oracle's model (tests/oracle/model.py).
 *
 * The input chooses facts: dates, names, usages, constraints, the SCTs with their logs, times and faults, what is presented,
 * trusted, disallowed and pinned, and the policy. From the same facts the lab's forge makes certificates for the judge, and a
 * line of JSON goes to a process in which the model predicts the verdict. Outcome, reasons and the status of every SCT must
 * be the same. Where there is no Python the judge runs alone.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"
#include "tests/unit/verify/judged_again.h"

#include "base/text.h"
#include "contrib/lab/pki/world.h"
#include "contrib/lab/scenarios/site.h"
#include "verify/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON      "/usr/bin/python3"
#define WORLD_AT_MS INT64_C(1795262400000) /* 2026-11-21T12:00:00Z */
#define SCTS_MAX    8
#define CERTS       4
#define ANSWER_LINE_MAX    (1 << 20)

const bool fuzz_is_script = true;

extern char **environ;

static struct world *world;
static struct ctlogs *lists[3]; /* fresh, 69 and 71 days old */
static FILE *to_model, *from_model;
static pid_t model_pid;

/* ---- the model's process */

static void
model_ask_text(const char *line)
{
	if (to_model != NULL)
		check(fputs(line, to_model) >= 0 && fputc('\n', to_model) != EOF && fflush(to_model) == 0);
}

static void
model_start(const char *list)
{
	static char program[] = PYTHON, no_cache[] = "-B", script[] = DATA_DIR "/../fuzz/policy_model.py";
	char *const argv[] = {program, no_cache, script, NULL};
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	if (access(PYTHON, X_OK) != 0)
		return;
	check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	check(posix_spawn_file_actions_init(&actions) == 0);
	check(posix_spawn_file_actions_adddup2(&actions, in[0], 0) == 0 && posix_spawn_file_actions_adddup2(&actions, out[1], 1) == 0);
	check(posix_spawn(&model_pid, PYTHON, &actions, NULL, argv, environ) == 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	check(close(in[0]) == 0 && close(out[1]) == 0);
	check((to_model = fdopen(in[1], "w")) != NULL && (from_model = fdopen(out[0], "r")) != NULL);
	model_ask_text(list);
}

/* libFuzzer's own alarm interrupts a read. */
static bool
model_answer(char *answer, int max)
{
	while (fgets(answer, max, from_model) == NULL) {
		if (!ferror(from_model) || errno != EINTR)
			return false;
		clearerr(from_model);
	}
	return true;
}

/* The case is taken. */
static void
model_compare(json_t *facts, const struct verdict *v)
{
	static char answer[ANSWER_LINE_MAX];
	char *verdict = verdict_json(v), *text = json_dumps(facts, JSON_COMPACT);

	check(verdict != NULL && text != NULL);
	if (to_model != NULL) {
		check(fprintf(to_model, "{\"case\":%s,\"verdict\":%s}\n", text, verdict) > 0 && fflush(to_model) == 0);
		check(model_answer(answer, sizeof answer));
		if (answer[0] != '\n') {
			(void)fprintf(stderr, "%s%s\n", answer, verdict);
			abort();
		}
	}
	free(verdict);
	free(text);
	json_decref(facts);
}

/* ---- the world */

static void
world_end(void)
{
	if (to_model != NULL) {
		(void)fclose(to_model);
		(void)fclose(from_model);
		(void)waitpid(model_pid, NULL, 0);
	}
	for (size_t i = 0; i < 3; i++)
		ctlogs_free(lists[i]);
	world_close(world);
}

static void
world_make(void)
{
	char *why = NULL;

	check(world_open(&world, scratch_folder(), WORLD_AT_MS) == RES_OK);
	for (enum list_variant i = LIST_FRESH; i <= LIST_71_DAYS; i++) {
		struct buf list = buf_max(1 << 20);

		check(toylogs_list(world_logs(world), i, NULL, &list) == RES_OK);
		check(ctlogs_from_json(&lists[i], buf_span(&list), &why) == RES_OK);
		if (i == LIST_FRESH) {
			json_t *json = json_loadb((const char *)list.p, list.n, 0, NULL);
			char *line = json_dumps(json, JSON_COMPACT);

			model_start(line);
			free(line);
			json_decref(json);
		}
		buf_free(&list);
	}
	check(atexit(world_end) == 0);
}

/* ---- facts */

static int64_t
pick_ms(struct cursor *in, const int64_t *table, size_t n)
{
	return table[cursor_u8(in) % n];
}
#define PICK_MS(in, ...) pick_ms(in, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void
set_text(json_t *o, const char *key, const char *text)
{
	check(json_object_set_new(o, key, text != NULL ? json_string(text) : json_null()) == 0);
}

static void
set_integer(json_t *o, const char *key, int64_t v)
{
	check(json_object_set_new(o, key, json_integer(v)) == 0);
}

static void
set_true(json_t *o, const char *key, bool v)
{
	check(json_object_set_new(o, key, json_boolean(v)) == 0);
}

/* Appends to a list, which is created when it does not exist. */
static void
add_item(json_t *o, const char *key, json_t *item)
{
	json_t *list = json_object_get(o, key);

	if (list == NULL)
		check(json_object_set_new(o, key, list = json_array()) == 0);
	check(item != NULL && json_array_append_new(list, item) == 0);
}

static json_t *
pair(const char *a, const char *b)
{
	return json_pack("[s,s]", a, b);
}

/* The facts that every certificate has. */
static json_t *
facts_of(const struct forge *f, const char *issuer, const char *key_label)
{
	json_t *o = json_object();

	set_text(o, "subject", f->subject);
	set_text(o, "issuer", issuer);
	set_text(o, "key", "p256");
	set_text(o, "key_label", key_label);
	set_integer(o, "not_before", f->not_before_ms);
	set_integer(o, "not_after", f->not_after_ms);
	set_true(o, "ca", f->basic == BASIC_CA);
	set_true(o, "forged", f->broken_signature);
	set_true(o, "unknown_critical", f->unknown_critical);
	if (f->basic == BASIC_CA && f->path_length >= 0)
		set_integer(o, "path_length", f->path_length);
	if (f->usage != 0)
		set_text(o, "key_usage", f->usage & USAGE_KEY_CERT_SIGN ? "sign-certificates" : "signature");
	return o;
}

static void
usage_choose(struct forge *f, json_t *extended, uint8_t b)
{
	static const struct {
		const char *eku, *words[2];
	} ekus[] = {
	    {"1.3.6.1.5.5.7.3.1", {"server"}}, {"1.3.6.1.5.5.7.3.1", {"server"}}, {"1.3.6.1.5.5.7.3.1", {"server"}},
	    {"1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2", {"server", "client"}}, {"1.3.6.1.5.5.7.3.2", {"client"}}, {NULL, {NULL}},
	};

	f->eku = ekus[b % 6].eku;
	for (size_t i = 0; i < 2 && ekus[b % 6].words[i] != NULL; i++)
		check(json_array_append_new(extended, json_string(ekus[b % 6].words[i])) == 0);
}

/* ---- the leaf */

static void
scts_choose(struct cursor *in, struct forge *f, json_t *leaf, int64_t at)
{
	static const struct {
		enum sct_fault fault;
		const char *word;
	} faults[] = {
	    {SCT_GOOD, NULL}, {SCT_GOOD, NULL}, {SCT_GOOD, NULL}, {SCT_GOOD, NULL}, {SCT_BROKEN_SIGNATURE, "broken"},
	    {SCT_OTHER_CERTIFICATE, "other-certificate"}, {SCT_OTHER_ISSUER, "wrong-issuer"}, {SCT_X509_ENTRY, "other-certificate"},
	    {SCT_OTHER_TIME, "other-certificate"}, {SCT_VERSION_2, "wrong-version"}, {SCT_ALGORITHM_RSA, "wrong-algorithm"},
	    {SCT_ALGORITHM_SHA1, "wrong-algorithm"}, {SCT_NO_EXTENSIONS, "no-leaf-index"}, {SCT_ALTERED_EXTENSIONS, "altered-extension"},
	    {SCT_SPARE_EXTENSION, NULL}, {SCT_GOOD, NULL},
	};
	unsigned n = cursor_u8(in) % (SCTS_MAX + 1);

	check(json_object_set_new(leaf, "scts", json_array()) == 0);
	for (unsigned i = 0; i < n; i++) {
		enum log_id log = cursor_u8(in) % LOG_COUNT;
		size_t k = cursor_u8(in) % 16;
		int64_t ms = at - PICK_MS(in, HOUR_MS, 10 * DAY_MS, 0, -1, 1, 20 * DAY_MS, DAY_MS, 61 * DAY_MS, 90 * DAY_MS, 600 * DAY_MS);
		json_t *o = json_object();

		/* Only these have extensions to be altered, and only keys of one kind can claim to be of the other. */
		if ((faults[k].fault == SCT_ALTERED_EXTENSIONS && !toylog_is_tiled(log)) || log == LOG_RSA)
			k = 0;
		forge_sct_add(f, log, ms, faults[k].fault);
		set_text(o, "log", toylog_name(log));
		set_integer(o, "timestamp", ms);
		set_text(o, "fault", faults[k].word);
		add_item(leaf, "scts", o);
	}
	f->sct_list = n > 0;
	set_true(leaf, "sct_list", n > 0);
	if (n > 0 && cursor_u8(in) % 16 == 7) {
		f->sct_list_fault = SCT_LIST_TRAILING;
		set_text(leaf, "sct_list_fault", "trailing");
	}
}

static void
names_choose(struct cursor *in, struct forge *f, json_t *leaf)
{
	uint8_t b = cursor_u8(in);

	if (b % 8 != 7) {
		forge_san_ip(f, span_of("\x01\x01\x01\x01", 4));
		add_item(leaf, "names", pair("ip", "1.1.1.1"));
	}
	if (b & 8) {
		forge_san_ip(f, span_of("\x01\x01\x01\x02", 4));
		add_item(leaf, "names", pair("ip", "1.1.1.2"));
	}
	switch (b >> 4 & 7) {
	case 0:
		forge_san_dns(f, span_str("resolver.lab.test"));
		add_item(leaf, "names", pair("dns", "resolver.lab.test"));
		break;
	case 1:
		forge_san_dns(f, span_str("*.lab.test"));
		add_item(leaf, "names", pair("dns", "*.lab.test"));
		break;
	case 2:
		forge_san_dns(f, span_str("RESOLVER.lab.TEST"));
		add_item(leaf, "names", pair("dns", "RESOLVER.lab.TEST"));
		break;
	case 3:
		forge_san_dns(f, span_str("lab.test"));
		add_item(leaf, "names", pair("dns", "lab.test"));
		break;
	}
}

static json_t *
leaf_make(struct cursor *in, struct forge *f, int64_t at)
{
	json_t *leaf, *extended = json_array();
	uint8_t b;

	forge_init(f);
	check(world_issue(world, CA_ISSUING, f));
	f->key = world_key(world, "server", KEY_P256);
	f->serial_seed = "a leaf";
	f->subject = "C=XX/CN=resolver.lab.test";
	f->not_before_ms = at - PICK_MS(in, 10 * DAY_MS, 0, SECOND_MS, -SECOND_MS, 100 * DAY_MS, 61 * DAY_MS);
	f->not_after_ms = f->not_before_ms + PICK_MS(in, 90 * DAY_MS - SECOND_MS, 180 * DAY_MS - SECOND_MS, 180 * DAY_MS, 180 * DAY_MS + SECOND_MS,
						     398 * DAY_MS, 10 * DAY_MS, 10 * DAY_MS - SECOND_MS, 47 * DAY_MS);
	b = cursor_u8(in);
	f->basic = b % 8 == 7 ? BASIC_CA : b % 8 == 6 ? BASIC_NONE : BASIC_END_ENTITY;
	f->usage = b >> 3 & 1 && b >> 4 & 1 ? USAGE_KEY_CERT_SIGN : b >> 3 & 1 && b >> 5 & 1 ? 0 : USAGE_DIGITAL_SIGNATURE;
	usage_choose(f, extended, cursor_u8(in));
	b = cursor_u8(in);
	f->must_staple = b % 16 == 1;
	f->unknown_critical = b % 16 == 2;
	f->poison = b % 16 == 3;
	f->broken_signature = b % 16 == 4;
	leaf = facts_of(f, "int", "leaf");
	set_true(leaf, "must_staple", f->must_staple);
	set_true(leaf, "poison", f->poison);
	check(json_object_set_new(leaf, "extended", extended) == 0);
	names_choose(in, f, leaf);
	scts_choose(in, f, leaf, at);
	return leaf;
}

/* ---- the CAs */

static void
constraint_choose(struct forge *f, json_t *o, uint8_t b)
{
	struct addr net;

	if (b < 128)
		return;
	check(addr_read_ip(&net, b & 1 ? "1.1.1.0" : "9.0.0.0") == RES_OK);
	forge_constraint_ip(b & 2 ? &f->permitted : &f->excluded, &net, b & 1 ? 24 : 8);
	add_item(o, b & 2 ? "permitted" : "excluded", pair("ip", b & 1 ? "1.1.1.0/24" : "9.0.0.0/8"));
}

static json_t *
ca_make(struct cursor *in, struct forge *f, enum ca_id id, const char *issuer, const char *label, int64_t at)
{
	json_t *o, *extended = json_array();
	uint8_t b;

	forge_init(f);
	check(world_ca_forge(world, id, f));
	f->eku = NULL;
	b = id == CA_ISSUING ? cursor_u8(in) : 0; /* other CAs are not changed */
	if (b != 0) {
		f->basic = b % 16 == 1 ? BASIC_END_ENTITY : b % 16 == 2 ? BASIC_NONE : BASIC_CA;
		f->usage = b % 16 == 3 ? USAGE_DIGITAL_SIGNATURE : b % 16 == 4 ? 0 : f->usage;
		f->path_length = b % 16 == 5 ? 0 : -1;
		f->unknown_critical = b % 16 == 6;
		f->broken_signature = b % 16 == 7;
		f->must_staple = b % 16 == 12;
		if (b % 16 == 8)
			f->not_after_ms = at - PICK_MS(in, 0, SECOND_MS, DAY_MS, -SECOND_MS);
		if (b % 16 == 9)
			f->not_before_ms = at + PICK_MS(in, 0, SECOND_MS, DAY_MS, -SECOND_MS);
		if (b % 16 == 10)
			usage_choose(f, extended, cursor_u8(in));
	}
	o = facts_of(f, issuer, label);
	set_true(o, "must_staple", f->must_staple);
	if (b % 16 == 11)
		constraint_choose(f, o, cursor_u8(in));
	if (json_array_size(extended) > 0)
		check(json_object_set(o, "extended", extended) == 0);
	json_decref(extended);
	return o;
}

/* ---- a case */

struct certificate {
	const char *name;
	struct forge forge;
	struct buf der;
};

struct play {
	struct certificate cert[CERTS]; /* leaf, int, root, stranger */
	json_t *facts;
	bool int_is_good;
	struct span presented[CERTS];
	size_t n_presented;
	struct buf anchors;
	struct trust *trust;
	struct cert_match *disallow, *pins, *allow;
	struct vfy_policy policy;
	struct vfy_input input;
};

static void
certificates_make(struct play *p, struct cursor *in)
{
	static const char *const names[CERTS] = {"leaf", "int", "root", "stranger"};
	json_t *all = json_object();
	json_t *o[CERTS];

	o[0] = leaf_make(in, &p->cert[0].forge, p->input.now_ms);
	o[1] = ca_make(in, &p->cert[1].forge, CA_ISSUING, "root", "int", p->input.now_ms);
	p->int_is_good = p->cert[1].forge.basic == BASIC_CA && (p->cert[1].forge.usage & USAGE_KEY_CERT_SIGN) && p->cert[1].forge.eku == NULL;
	o[2] = ca_make(in, &p->cert[2].forge, CA_ROOT, "root", "root", p->input.now_ms);
	o[3] = ca_make(in, &p->cert[3].forge, CA_STRANGER_ROOT, "stranger", "stranger", p->input.now_ms);
	for (size_t i = 0; i < CERTS; i++) {
		p->cert[i].name = names[i];
		p->cert[i].der = buf_max(FORGE_CERT_MAX);
		forge_certificate(&p->cert[i].forge, world_logs(world), &p->cert[i].der);
		check(buf_ok(&p->cert[i].der) && json_object_set_new(all, names[i], o[i]) == 0);
	}
	check(json_object_set_new(p->facts, "certificates", all) == 0);
}

static void
present(struct play *p, size_t i)
{
	p->presented[p->n_presented++] = buf_span(&p->cert[i].der);
	add_item(p->facts, "presented", json_string(p->cert[i].name));
}

static void
anchor(struct play *p, size_t i)
{
	lab_pem_write(&p->anchors, "CERTIFICATE", buf_span(&p->cert[i].der));
	add_item(p->facts, "anchors", json_string(p->cert[i].name));
}

static void
chain_choose(struct play *p, struct cursor *in)
{
	uint8_t b = cursor_u8(in);

	present(p, 0);
	if (b % 8 == 1)
		present(p, 3);
	if (b % 8 != 2)
		present(p, 1);
	if (b % 8 == 3)
		present(p, 2);
	if (b >> 4 == 1)
		anchor(p, 3);
	if (b >> 4 != 2 || !p->int_is_good)
		anchor(p, 2);
	/* As the only anchor, because the model does not choose between faulty paths by what the policy asks; and only if it is a
	 * good CA, because the model does not check anchors. */
	if (b >> 4 == 2 && p->int_is_good)
		anchor(p, 1);
	check(trust_from_pem(&p->trust, buf_span(&p->anchors), NULL) == RES_OK);
	p->policy.trust = p->trust;
}

/* An entry for one of the certificates. */
static void
entry_put(const struct play *p, struct buf *lines, const char *kind, size_t i)
{
	uint8_t hash[32];
	char hex[65];

	if (strcmp(kind, "cert-sha256") == 0)
		lab_sha256(hash, buf_span(&p->cert[i].der));
	else
		memcpy(hash, p->cert[i].forge.key->spki_sha256, sizeof hash);
	buf_format(lines, "%s %s\n", kind, hex_write(hex, span_of(hash, sizeof hash)));
}

static struct cert_match *
entries_finish(struct buf *lines)
{
	struct cert_match_builder *builder;
	struct cert_match *list;

	check(cert_match_builder_new(&builder) == RES_OK);
	check(disallow_add_file(builder, buf_span(lines), NULL) == RES_OK);
	check(cert_match_finish(&list, builder) == RES_OK);
	buf_free(lines);
	return list;
}

static void
lists_choose(struct play *p, struct cursor *in)
{
	uint8_t b = cursor_u8(in);
	struct buf lines = buf_max(4096);

	if (b & 1 && cursor_u8(in) < 64) {
		const char *kind = b & 8 ? "cert-sha256" : "spki-sha256";

		entry_put(p, &lines, kind, b >> 4 & 3);
		add_item(p->facts, "disallow", pair(kind, p->cert[b >> 4 & 3].name));
		p->policy.disallow[0] = p->disallow = entries_finish(&lines);
		p->policy.n_disallow = 1;
	}
	if (b & 2) {
		entry_put(p, &lines, "spki-sha256", b >> 5 & 3);
		add_item(p->facts, "pin", json_string(p->cert[b >> 5 & 3].name));
		p->policy.pins = p->pins = entries_finish(&lines);
	}
	if (b & 4) {
		entry_put(p, &lines, "spki-sha256", b >> 6);
		add_item(p->facts, "allow_issuer", pair("spki-sha256", p->cert[b >> 6].name));
		p->policy.allow_issuer = p->allow = entries_finish(&lines);
	}
}

static void
policy_choose(struct play *p, struct cursor *in)
{
	static const char *const modes[] = {"require", "report", "off"}, *const policies[] = {"strict", "chrome", "mozilla", "apple"};
	static const char *const stales[] = {"enforce", "refuse", "report"};
	uint8_t b = cursor_u8(in), list = cursor_u8(in) % 8;

	p->input.now_ms = WORLD_AT_MS + PICK_MS(in, 0, 0, 0, 1, 999, DAY_MS, -DAY_MS, 40 * DAY_MS);
	p->policy.ct_policy = b & 3;
	p->policy.ct_mode = b >> 2 & 7 ? CT_REQUIRE : (b >> 5) % 3;
	p->policy.ct_when_stale = (b >> 5) % 3;
	p->policy.ctlogs = lists[list < 6 ? 0 : list - 5];
	p->policy.ct_list_max_age_ms = 70 * DAY_MS;
	set_text(p->facts, "policy", policies[p->policy.ct_policy]);
	set_text(p->facts, "mode", modes[p->policy.ct_mode]);
	set_text(p->facts, "when_stale", stales[p->policy.ct_when_stale]);
	set_integer(p->facts, "list_age", p->input.now_ms - ctlogs_date_ms(p->policy.ctlogs));
	set_integer(p->facts, "at", p->input.now_ms);
	p->input.ip = span_of("\x01\x01\x01\x01", 4);
	set_text(p->facts, "ip", "1.1.1.1");
	if (list & 1) {
		p->input.name = "resolver.lab.test";
		set_text(p->facts, "name", p->input.name);
	}
}

static void
play_end(struct play *p)
{
	for (size_t i = 0; i < CERTS; i++) {
		forge_free(&p->cert[i].forge);
		buf_free(&p->cert[i].der);
	}
	buf_free(&p->anchors);
	trust_free(p->trust);
	cert_match_free(p->disallow);
	cert_match_free(p->pins);
	cert_match_free(p->allow);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cursor in = cursor_over(span_of(data, n));
	struct play p = {.facts = json_object(), .anchors = buf_max(1 << 20)};
	struct verdict v = {0};
	struct vfy_work work;

	if (world == NULL)
		world_make();
	policy_choose(&p, &in);
	certificates_make(&p, &in);
	chain_choose(&p, &in);
	lists_choose(&p, &in);
	p.input.certs = p.presented;
	p.input.n_certs = p.n_presented;
	vfy_check_work(&v, &p.policy, &p.input, &work);
	check(judged_again_same(&v, &work, &p.policy, p.input));
	check(work.signature_checks <= VFY_SIG_CHECKS_MAX && work.signature_cost <= VFY_SIG_COST_MAX);
	model_compare(p.facts, &v);
	verdict_clear(&v);
	play_end(&p);
	return 0;
}
