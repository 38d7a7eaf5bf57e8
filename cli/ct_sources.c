#include "cli/ct_sources.h"

#include "base/path.h"
#include "cli/fetch.h"
#include "cli/ct_window.h"
#include "config/file.h"
#include "verify/minisign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb[] = "ct-logs";

#define FUTURE_MS (24 * 3600 * 1000LL) /* clocks of machines and makers differ by less */

enum ct_source_kind {
	CT_SOURCE_MIRROR, /* list-url: signed by list-key, or a file */
	CT_SOURCE_HTTPS,  /* unsigned: trusted as far as the server's certificate */
	CT_SOURCE_FILE,   /* a package may bring it; a missing file is no error */
};

static const struct ct_source {
	const char *name, *where; /* NULL: of the configuration */
	enum ct_source_kind kind;
} ct_sources[] = {
    {"mirror", NULL, CT_SOURCE_MIRROR},
    /* Mozilla's table where its source lives now, and where it lived before. */
    {"mozilla-git",
     "https://raw.githubusercontent.com/mozilla-firefox/firefox/main/security/ct/CTKnownLogs.h",
     CT_SOURCE_HTTPS},
    {"mozilla-hg", "https://hg.mozilla.org/mozilla-central/raw-file/tip/security/ct/CTKnownLogs.h",
     CT_SOURCE_HTTPS},
    {"package", PKGDATADIR "/ct-logs.json", CT_SOURCE_FILE},
};

/* A list dated in the future would stay the newest for long. A clock that is before the list in effect is not set, and
 * cannot tell what is in the future. */
static bool
is_of_the_future(const struct ctlogs *list, const struct ctlogs *known, int64_t now_ms)
{
	return ctlogs_date_ms(list) > now_ms + FUTURE_MS && ctlogs_date_ms(known) <= now_ms + FUTURE_MS;
}

const char *
ct_sources_objection(const struct ctlogs_change *change, const struct ctlogs *list,
		     const struct ctlogs *known, int64_t now_ms)
{
	if (change->older)
		return "it is older than the list in effect";
	if (is_of_the_future(list, known, now_ms))
		return "it is dated more than a day in the future";
	if (change->large_loss)
		return "more than a third of the logs are gone";
	if (change->new_operators > 0)
		return "it brings a new log operator";
	return NULL;
}

static void
source_warn(const struct ct_source *source, const char *what)
{
	cli_complain_part(verb, "%s: %s", source->name, what);
}

/* In the update window: where the source's host is. False: the system is asked. */
static bool
source_lookup(struct buf *out, const struct ct_source *source, const struct ct_ask *ask, const char *url)
{
	char *host = ask->window != NULL ? fetch_host(url) : NULL;
	struct addr literal;
	bool found = host != NULL && addr_read_ip(&literal, host) != RES_OK &&
		     ct_window_lookup(ask->window, out, host) == RES_OK && buf_cstr(out) != NULL;

	if (found)
		(void)cli_complain(EXIT_GOOD, verb, "%s: update window: asked the upstreams for %s",
				   source->name, host);
	free(host);
	return found;
}

static enum exit_code
source_fetch(struct buf *out, const struct ct_source *source, const struct ct_ask *ask, const char *url)
{
	struct vfy_policy policy = *ask->policy;
	struct verdict v = {0};
	char *why = NULL;
	struct buf at = buf_max(1024);
	bool found = source_lookup(&at, source, ask, url);
	enum exit_code code = EXIT_TROUBLE;

	/* What a mirror gives is signed. Its server must not be refused because we lack the very list that it provides:
	 * the logs of its certificate may be newer than an old list. */
	if (source->kind == CT_SOURCE_MIRROR)
		policy.ct_when_stale = CT_STALE_REPORT;
	switch (fetch_url_at(out, &v, url, found ? buf_cstr(&at) : NULL, &policy, ask->now_ms, &why)) {
	case FETCH_DONE:
		code = EXIT_GOOD;
		break;
	case FETCH_REFUSED:
		cli_complain_part(verb, "%s: the server was refused: %s", source->name,
				  reason_code(verdict_reason(&v)));
		code = EXIT_REFUSED;
		break;
	case FETCH_NOT_THERE:
	case FETCH_FAILED:
	case FETCH_BAD_URL:
		source_warn(source, why != NULL ? why : url);
		break;
	}
	verdict_clear(&v);
	buf_free(&at);
	free(why);
	return code;
}

/* The signature lies beside the list, URL.minisig. */
static enum exit_code
mirror_verify(const struct ct_source *source, const struct ct_ask *ask, struct span list)
{
	struct buf signature = buf_max(MINISIGN_FILE_MAX), key_file = buf_max(MINISIGN_FILE_MAX);
	struct minisign_key key;
	_Static_assert(CONFIG_LIST_URL_MAX + sizeof ".minisig" <= FETCH_URL_MAX,
		       "the longest list-url and its ending");
	char url[FETCH_URL_MAX], *why = NULL;
	enum exit_code code;

	snprintf(url, sizeof url, "%s.minisig", ask->list_url);
	code = source_fetch(&signature, source, ask, url);
	if (code == EXIT_GOOD &&
	    (config_file_read(&key_file, ask->list_key, MINISIGN_FILE_MAX, &why) != RES_OK ||
	     minisign_key_read(&key, buf_span(&key_file), &why) != RES_OK)) {
		source_warn(source, why != NULL ? why : "the key cannot be read");
		code = EXIT_TROUBLE;
	} else if (code == EXIT_GOOD &&
		   minisign_verify(&key, list, buf_span(&signature), NULL, &why) != RES_OK) {
		source_warn(source, why != NULL ? why : "the signature does not verify");
		code = EXIT_REFUSED;
	}
	free(why);
	buf_free(&signature);
	buf_free(&key_file);
	return code;
}

static enum exit_code
source_read_file(struct buf *out, const struct ct_source *source, const char *file)
{
	char *why = NULL;
	enum res res;

	if (source->kind == CT_SOURCE_FILE && !path_file_is_readable(file) && errno == ENOENT)
		return EXIT_TROUBLE;
	res = config_file_read(out, file, CTLOGS_FILE_MAX, &why);
	if (res != RES_OK)
		source_warn(source, why != NULL ? why : res_text(res));
	free(why);
	return res == RES_OK ? EXIT_GOOD : EXIT_TROUBLE;
}

static enum exit_code
source_get(struct buf *out, const struct ct_source *source, const struct ct_ask *ask)
{
	enum exit_code code;

	switch (source->kind) {
	case CT_SOURCE_MIRROR:
		if (*ask->list_url == '/')
			return source_read_file(out, source, ask->list_url);
		code = source_fetch(out, source, ask, ask->list_url);
		return code == EXIT_GOOD ? mirror_verify(source, ask, buf_span(out)) : code;
	case CT_SOURCE_HTTPS:
		return source_fetch(out, source, ask, source->where);
	case CT_SOURCE_FILE:
		break;
	}
	return source_read_file(out, source, source->where);
}

/* Is the list well-formed, and does it pass the guards? */
static enum exit_code
source_judge(struct ctlogs **out, const struct ct_source *source, const struct ct_ask *ask, struct span file)
{
	struct ctlogs *list = NULL, *merged = NULL;
	struct ctlogs_change change = {0};
	const char *objection = NULL;
	char *why = NULL;
	enum res res = ctlogs_from_any(&list, file, &why);

	if (res == RES_OK)
		res = ctlogs_keep_known(&merged, list, ask->known);
	if (res == RES_OK)
		res = ctlogs_compare(&change, ask->known, merged);
	if (res == RES_OK && !ask->force)
		objection = ct_sources_objection(&change, list, ask->known, ask->now_ms);
	if (res != RES_OK)
		source_warn(source, why != NULL ? why : res_text(res));
	else if (objection != NULL)
		source_warn(source, objection);
	if (res == RES_OK && objection == NULL)
		cli_warn_faults(verb, source->name, ctlogs_left_out(list));
	ctlogs_free(merged);
	free(change.text);
	free(why);
	if (res == RES_OK && objection == NULL) {
		*out = list;
		return EXIT_GOOD;
	}
	ctlogs_free(list);
	return res == RES_OK ? EXIT_REFUSED : EXIT_TROUBLE;
}

/* Keeps the newer list. */
static void
found_keep(struct ct_found *found, struct ctlogs *list, const char *source)
{
	if (found->list != NULL && ctlogs_date_ms(list) <= ctlogs_date_ms(found->list)) {
		ctlogs_free(list);
		return;
	}
	ctlogs_free(found->list);
	*found = (struct ct_found){list, source};
}

enum exit_code
ct_sources_ask(struct ct_found *found, const struct ct_ask *ask)
{
	enum exit_code worst = EXIT_TROUBLE;

	*found = (struct ct_found){NULL, NULL};
	for (size_t i = 0; i < sizeof ct_sources / sizeof ct_sources[0]; i++) {
		const struct ct_source *source = &ct_sources[i];
		struct buf file = buf_max(CTLOGS_FILE_MAX);
		struct ctlogs *list = NULL;
		enum exit_code code;

		if (source->kind == CT_SOURCE_MIRROR && *ask->list_url == '\0')
			continue;
		code = source_get(&file, source, ask);
		if (code == EXIT_GOOD)
			code = source_judge(&list, source, ask, buf_span(&file));
		if (code == EXIT_GOOD)
			found_keep(found, list, source->name);
		else if (code == EXIT_REFUSED)
			worst = EXIT_REFUSED;
		buf_free(&file);
	}
	if (found->list != NULL)
		return EXIT_GOOD;
	return cli_complain(worst, verb, "no source gave a list that may be installed%s",
			    worst == EXIT_REFUSED ? " (--force installs one that was refused only for its "
						    "date, its missing logs or a new operator)"
						  : "");
}
