#include "contrib/watch/plan.h"

#include "base/text.h"
#include "config/file.h"

#include <stdlib.h>
#include <string.h>

/* ---- what only the daemon needs */

static bool
text_empty(char **field)
{
	char *empty = strdup("");

	if (empty == NULL)
		return false;
	free(*field);
	*field = empty;
	return true;
}

static bool
settings_trim(struct settings *s)
{
	bool ok = true;

	for (size_t i = 0; i < s->n_upstream; i++) {
		struct upstream_settings *u = &s->upstream[i];

		while (u->crl_file.n > 0)
			free(u->crl_file.v[--u->crl_file.n]);
		ok = ok && text_empty(&u->client_cert) && text_empty(&u->client_key);
	}
	return ok;
}

/* ---- what is watched for */

static enum res
upstream_watch(struct watch_list *list, const struct upstream_settings *u, int owner)
{
	enum res res = RES_OK;

	for (size_t i = 0; res == RES_OK && i < u->address.n; i++)
		res = watch_list_add_address(list, &u->address.v[i], owner);
	for (size_t i = 0; res == RES_OK && i < u->also_address.n; i++)
		res = watch_list_add_address(list, &u->also_address.v[i], owner);
	if (res == RES_OK && *u->name != '\0')
		res = watch_list_add_name(list, u->name, owner);
	return res;
}

static void
list_faults_report(struct config_errors *errors, struct place place, const char *option, const char *file,
		   const struct faults *faults)
{
	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, file);

		config_errors_add(errors, place, "option \"%s\": %s", option,
				  text != NULL ? text : "out of memory");
		free(text);
	}
}

static enum res
file_text(struct buf *text, const struct strings *files, size_t i, size_t max, const char *option,
	  struct config_errors *errors)
{
	char *why = NULL;
	enum res res = config_file_read(text, files->v[i], max, &why);

	if (res != RES_OK)
		config_errors_add(errors, files->place[i], "option \"%s\": %s", option,
				  why != NULL ? why : res_text(res));
	free(why);
	return res;
}

static enum res
watch_file_add(struct watch_plan *p, const struct strings *files, size_t i, struct config_errors *errors)
{
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	enum res res = file_text(&text, files, i, WATCH_FILE_MAX, "watch-file", errors);

	if (res == RES_OK) {
		res = watch_list_add_file(p->list, buf_span(&text), &faults);
		list_faults_report(errors, files->place[i], "watch-file", files->v[i], &faults);
	}
	faults_clear(&faults);
	buf_free(&text);
	return res;
}

static enum res
list_fill(struct watch_plan *p, struct config_errors *errors)
{
	const struct settings *s = p->snapshot->settings;
	enum res worst = watch_list_new(&p->list), res;

	for (size_t i = 0; worst == RES_OK && i < s->n_upstream; i++)
		worst = upstream_watch(p->list, &s->upstream[i], (int)i);
	for (size_t i = 0; worst != RES_NOMEM && i < s->watch_file.n; i++)
		if ((res = watch_file_add(p, &s->watch_file, i, errors)) != RES_OK)
			worst = res;
	return worst;
}

/* ---- what is expected */

/* Any CA can choose any serial: a known serial says nothing about a certificate. */
static enum res
known_serials_find(struct faults *faults, struct span text)
{
	struct span line, word;
	enum res res = RES_OK;

	for (size_t n = 1; text_line_take(&text, &line); n++) {
		if (!text_word_take(&line, &word) || !span_equal(word, span_str("serial")))
			continue;
		faults_add(faults, n,
			   strdup("an entry by serial, \"cert-sha256\", \"spki-sha256\" or \"issuer\" was "
				  "expected: any CA can choose a serial"));
		res = RES_MALFORMED;
	}
	return res;
}

static enum res
known_file_add(struct cert_match_builder *b, const struct strings *files, size_t i,
	       struct config_errors *errors)
{
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	enum res res = file_text(&text, files, i, DISALLOW_FILE_MAX, "known-file", errors), serials;

	if (res == RES_OK) {
		serials = known_serials_find(&faults, buf_span(&text));
		res = disallow_add_file(b, buf_span(&text), &faults);
		res = res == RES_OK ? serials : res;
		list_faults_report(errors, files->place[i], "known-file", files->v[i], &faults);
	}
	faults_clear(&faults);
	buf_free(&text);
	return res;
}

static enum res
known_fill(struct watch_plan *p, struct config_errors *errors)
{
	const struct strings *files = &p->snapshot->settings->known_file;
	struct cert_match_builder *b = NULL;
	enum res worst = cert_match_builder_new(&b), res;

	for (size_t i = 0; worst != RES_NOMEM && i < files->n; i++)
		if ((res = known_file_add(b, files, i, errors)) != RES_OK)
			worst = res;
	if (worst != RES_OK) {
		cert_match_builder_free(b);
		return worst;
	}
	return cert_match_finish(&p->known, b);
}

enum res
watch_plan_read(struct watch_plan **out, const char *file, struct config_errors *errors)
{
	struct watch_plan *p = calloc(1, sizeof *p);
	struct settings *s = NULL;
	enum res res = p == NULL ? RES_NOMEM : settings_read(&s, file, errors), known;

	if (res == RES_OK && !settings_trim(s))
		res = RES_NOMEM;
	if (res == RES_OK)
		res = snapshot_compile(&p->snapshot, s, 1, errors);
	else
		settings_free(s);
	if (res == RES_OK) {
		res = list_fill(p, errors);
		known = known_fill(p, errors);
		res = res != RES_OK ? res : known;
	}
	if (res == RES_OK)
		*out = p;
	else
		watch_plan_free(p);
	return res;
}

void
watch_plan_free(struct watch_plan *p)
{
	if (p == NULL)
		return;
	watch_list_free(p->list);
	cert_match_free(p->known);
	if (p->snapshot != NULL)
		snapshot_unref(p->snapshot);
	free(p);
}
