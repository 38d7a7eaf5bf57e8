#include "config.h"

#include "config/compile.h"

#include "base/path.h"
#include "config/file.h"
#include "config/load.h"
#include "config/options.h"
#include "verify/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
drop_trust(void *p)
{
	trust_free(p);
}

static void
drop_ctlogs(void *p)
{
	ctlogs_free(p);
}

static void
drop_anchor_limits(void *p)
{
	anchor_limits_free(p);
}

static void
drop_disallow(void *p)
{
	cert_match_free(p);
}

static void
drop_crls(void *p)
{
	crls_free(p);
}

static void
drop_identity(void *p)
{
	tp_identity_free(p);
}

void *
compile_keep(struct compile *c, const char *key, void *thing, void (*drop)(void *))
{
	void *kept = owned_add(&c->snap->owned, key, thing, drop);

	c->nomem |= kept == NULL;
	return kept;
}

void *
compile_array(struct compile *c, size_t n, size_t size)
{
	return compile_keep(c, NULL, calloc(n == 0 ? 1 : n, size), free);
}

/* `why` (freed) about what an option named. */
void
compile_fail(struct compile *c, struct place place, enum option_id id, enum res res, char *why)
{
	if (res == RES_NOMEM)
		c->nomem = true;
	else
		config_errors_add(c->errors, place, "option \"%s\": %s", option_table[id].name,
				  why != NULL ? why : res_text(res));
	c->failed = true;
	free(why);
}

bool
compile_lack(struct compile *c, struct place place, enum option_id id, enum res res, char *why)
{
	if (!c->s->serve_without || res == RES_NOMEM) {
		compile_fail(c, place, id, res, why);
		return false;
	}
	config_errors_add(&c->warnings, place, "option \"%s\": %s", option_table[id].name,
			  why != NULL ? why : res_text(res));
	free(why);
	return true;
}

/* ---- what several options may name */

const struct trust *
compile_trust(struct compile *c, const char *where, struct place place, enum option_id id)
{
	struct trust *trust = owned_find(&c->snap->owned, where, drop_trust);
	char *why = NULL;
	enum res res;

	if (trust != NULL)
		return trust;
	res = anchors_load(&trust, where, place.file != NULL, &c->warnings, &why);
	if (res == RES_OK)
		return compile_keep(c, where, trust, drop_trust);
	compile_fail(c, place, id, res, why);
	return NULL;
}

const struct ctlogs *
compile_log_list(struct compile *c, const char *file, struct place place, enum option_id id)
{
	struct ctlogs *list = owned_find(&c->snap->owned, file, drop_ctlogs);
	char *why = NULL;
	enum res res;

	if (list != NULL)
		return list;
	res = log_list_load(&list, file, place.file != NULL, &why);
	if (res == RES_OK) {
		config_errors_add_faults(&c->warnings, file, ctlogs_left_out(list));
		return compile_keep(c, file, list, drop_ctlogs);
	}
	(void)compile_lack(c, place, id, res, why); /* without a list: ct-list-missing */
	return NULL;
}

/* ---- lists of entries */

/* Bytes of a file that an option names. */
static enum res
list_file_get(struct buf *text, const struct strings *files, size_t i, size_t max, char **why)
{
	return files->place[i].file != NULL ? config_file_read(text, files->v[i], max, why)
					    : config_file_read_any(text, files->v[i], max, why);
}

/* As list_file_get; false: an error says why the file cannot be read. */
static bool
list_file_read(struct compile *c, struct buf *text, const struct strings *files, size_t i, enum option_id id,
	       size_t max)
{
	char *why = NULL;
	enum res res = list_file_get(text, files, i, max, &why);

	if (res != RES_OK)
		compile_fail(c, files->place[i], id, res, why);
	return res == RES_OK;
}

/* Puts "FILE: " before what was wrong in it. */
static char *
why_in_file(const char *file, enum res res, char *why)
{
	struct buf b = buf_max(CONFIG_STRING_MAX + 8192);

	buf_text(&b, file);
	buf_format(&b, ": %s", why != NULL ? why : res_text(res));
	free(why);
	return buf_take_cstr(&b);
}

/* Every fault of a file whose entries are checks: an entry that is left out would weaken them. */
static void
fail_faults(struct compile *c, const struct strings *files, size_t i, enum option_id id, enum res res,
	    const struct faults *faults)
{
	for (size_t k = 0; k < faults_lines(faults); k++)
		compile_fail(c, files->place[i], id, res, faults_text(faults, k, files->v[i]));
	if (faults_lines(faults) == 0)
		compile_fail(c, files->place[i], id, res, why_in_file(files->v[i], res, NULL));
}

static void
entries_add(struct compile *c, struct cert_match_builder *b, const struct strings *entries, enum option_id id)
{
	for (size_t i = 0; i < entries->n; i++) {
		char *why = NULL;
		enum res res = cert_match_add(b, span_str(entries->v[i]), &why);

		if (res != RES_OK)
			compile_fail(c, entries->place[i], id, res, why);
	}
}

static void
entry_files_add(struct compile *c, struct cert_match_builder *b, const struct strings *files,
		enum option_id id)
{
	for (size_t i = 0; i < files->n; i++) {
		struct faults faults = {.n = 0};
		struct buf text = buf_max(0);
		enum res res;

		if (!list_file_read(c, &text, files, i, id, DISALLOW_FILE_MAX))
			continue;
		res = disallow_add_file(b, buf_span(&text), &faults);
		if (res != RES_OK)
			fail_faults(c, files, i, id, res, &faults);
		faults_clear(&faults);
		buf_free(&text);
	}
}

/* A list of these entries and files; files may be NULL. */
const struct cert_match *
compile_entries(struct compile *c, const struct strings *entries, enum option_id id,
		const struct strings *files, enum option_id files_id, bool builtin)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;

	if (cert_match_builder_new(&b) != RES_OK || (builtin && disallow_add_builtin(b) != RES_OK)) {
		cert_match_builder_free(b);
		c->nomem = true;
		return NULL;
	}
	entries_add(c, b, entries, id);
	if (files != NULL)
		entry_files_add(c, b, files, files_id);
	if (cert_match_finish(&list, b) != RES_OK)
		c->nomem = true;
	return list == NULL ? NULL : compile_keep(c, NULL, list, drop_disallow);
}

/* One file of the monitor. A folder that this user may not enter is a warning, as a person who runs `-t` often may not.
 * For the daemon it is more (snapshot.h, watch_unread). */
static void
watch_file_add(struct compile *c, struct cert_match_builder *b, const char *name)
{
	struct buf folder = buf_max(PATH_NAME_MAX), text = buf_max(0);
	const struct place place = c->s->set_at[OPTION_STATE_DIR];
	struct faults faults = {.n = 0};
	char *why = NULL;
	enum res res;

	buf_format(&folder, "%s/" WATCH_FOLDER, c->s->state_dir);
	res = buf_cstr(&folder) == NULL
		  ? RES_NOMEM
		  : config_state_read(&text, buf_cstr(&folder), name, DISALLOW_FILE_MAX, &why);
	if (res == RES_OK && (res = disallow_add_file(b, buf_span(&text), &faults)) != RES_OK) {
		buf_format(&folder, "/%s", name);
		why = faults_text(&faults, 0, buf_cstr(&folder) != NULL ? buf_cstr(&folder) : name);
	}
	if (res == RES_IO && errno == EACCES) {
		config_errors_add(&c->warnings, place, "%s", why != NULL ? why : res_text(res));
		c->snap->watch_unread = true;
		free(why);
	} else if (res != RES_OK && res != RES_NOT_FOUND) {
		compile_fail(c, place, OPTION_STATE_DIR, res, why);
	}
	faults_clear(&faults);
	buf_free(&text);
	buf_free(&folder);
}

const struct cert_match *
compile_watch_entries(struct compile *c)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;

	if (*c->s->state_dir == '\0')
		return NULL;
	if (cert_match_builder_new(&b) != RES_OK) {
		c->nomem = true;
		return NULL;
	}
	watch_file_add(c, b, WATCH_DISALLOW_FILE);
	watch_file_add(c, b, WATCH_FEED_FILE);
	if (cert_match_finish(&list, b) != RES_OK)
		c->nomem = true;
	return list == NULL ? NULL : compile_keep(c, NULL, list, drop_disallow);
}

const struct anchor_limits *
compile_anchor_limits(struct compile *c, const struct strings *files)
{
	struct anchor_limits *list = NULL;
	enum res res = anchor_limits_new(&list);

	if (res == RES_OK)
		res = anchor_limits_add_builtin(list);
	if (res != RES_OK) {
		c->nomem = true;
		anchor_limits_free(list);
		return NULL;
	}
	for (size_t i = 0; i < files->n; i++) {
		struct faults faults = {.n = 0};
		struct buf text = buf_max(0);

		if (!list_file_read(c, &text, files, i, OPTION_CONSTRAINTS_FILE, ANCHOR_LIMITS_FILE_MAX))
			continue;
		res = anchor_limits_add_file(list, files->v[i], buf_span(&text), &faults);
		if (res != RES_OK)
			fail_faults(c, files, i, OPTION_CONSTRAINTS_FILE, res, &faults);
		faults_clear(&faults);
		buf_free(&text);
	}
	return compile_keep(c, NULL, list, drop_anchor_limits);
}

/* While a configured CRL is missing, no certificate of its upstream is accepted: crl-invalid. */
static void
crl_file_add(struct compile *c, struct crls *crls, const struct strings *files, size_t i)
{
	struct buf text = buf_max(0);
	char *why = NULL;
	enum res res = list_file_get(&text, files, i, CRL_FILE_MAX, &why);

	if (res == RES_OK) {
		res = crls_add(crls, buf_span(&text), &why);
		if (res != RES_OK)
			why = why_in_file(files->v[i], res, why);
	}
	config_errors_add_faults(&c->warnings, files->v[i], crls_left_out(crls));
	faults_clear(crls_left_out(crls));
	if (res != RES_OK && compile_lack(c, files->place[i], OPTION_CRL_FILE, res, why))
		crls_lack(crls);
	buf_free(&text);
}

const struct crls *
compile_crls(struct compile *c, const struct strings *files)
{
	struct crls *crls = NULL;

	if (files->n == 0)
		return NULL;
	if (crls_new(&crls) != RES_OK) {
		c->nomem = true;
		return NULL;
	}
	for (size_t i = 0; i < files->n; i++)
		crl_file_add(c, crls, files, i);
	return compile_keep(c, NULL, crls, drop_crls);
}

/* False: an error says why the file cannot be read. */
static bool
identity_file_read(struct compile *c, struct buf *out, const char *file, const struct upstream_settings *u,
		   enum option_id id)
{
	char *why = NULL;
	enum res res = config_file_read(out, file, CONFIG_FILE_MAX, &why);

	if (res != RES_OK)
		compile_fail(c, u->set_at[id], id, res, why);
	return res == RES_OK;
}

const struct tp_identity *
compile_identity(struct compile *c, const struct upstream_settings *u)
{
	struct buf cert = buf_max(0), key = buf_max(0);
	struct tp_identity *identity = NULL;
	char *why = NULL;
	const char *cause = NULL;
	bool both;
	enum res res = RES_OK;

	if (*u->client_cert == '\0' ||
	    *u->client_key == '\0') /* settings_check refuses one without the other */
		return NULL;
	both = identity_file_read(c, &cert, u->client_cert, u, OPTION_CLIENT_CERT);
	both = identity_file_read(c, &key, u->client_key, u, OPTION_CLIENT_KEY) && both;
	if (both)
		res = tp_identity_new(&identity, buf_span(&cert), buf_span(&key), &cause);
	if (res != RES_OK) {
		(void)why_say(&why, res, "%s with %s: %s", u->client_cert, u->client_key, cause);
		compile_fail(c, u->set_at[OPTION_CLIENT_CERT], OPTION_CLIENT_CERT, res, why);
	}
	if (key.p != NULL)
		explicit_bzero(key.p, key.cap);
	buf_free(&key);
	buf_free(&cert);
	return identity != NULL ? compile_keep(c, NULL, identity, drop_identity) : NULL;
}

void
compile_global_log_list(struct compile *c, char **warning)
{
	struct snapshot *snap = c->snap;
	const struct settings *s = c->s;
	char *from = NULL;
	struct ctlogs *list = NULL;

	if (*s->ct_log_list != '\0') {
		snap->ctlogs =
		    compile_log_list(c, s->ct_log_list, s->set_at[OPTION_CT_LOG_LIST], OPTION_CT_LOG_LIST);
		snap->ctlogs_from = s->ct_log_list;
		return; /* at boot without this list: ct-list-missing, and never another list instead */
	}
	if (log_list_choose(&list, s->state_dir, &from, warning) != RES_OK) {
		c->nomem = true;
		return;
	}
	snap->ctlogs = compile_keep(c, NULL, list, drop_ctlogs);
	snap->ctlogs_from = compile_keep(c, NULL, from, free);
}

/* Anchors that no upstream uses need not exist: a private PKI on a machine without a system bundle. */
void
compile_global_trust(struct compile *c, struct vfy_policy *p)
{
	const struct settings *s = c->s;
	bool used = s->set_at[OPTION_TRUST_ANCHORS].line != 0 || strcmp(s->trust_anchors, "system") != 0;
	struct trust *trust = NULL;
	char *why = NULL;

	for (size_t i = 0; i < s->n_upstream; i++)
		used |= *s->upstream[i].trust_anchors == '\0';
	if (used)
		p->trust =
		    compile_trust(c, s->trust_anchors, s->set_at[OPTION_TRUST_ANCHORS], OPTION_TRUST_ANCHORS);
	else if (anchors_load(&trust, s->trust_anchors, true, &c->warnings, &why) == RES_OK)
		p->trust = compile_keep(c, s->trust_anchors, trust, drop_trust);
	free(why);
}
