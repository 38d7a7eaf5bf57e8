/* ctstub-watch known: entries that say which certificates are expected, from a file or from what an upstream shows. */
#include "config.h"

#include "contrib/watch/commands.h"

#include "base/option.h"
#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"
#include "config/file.h"
#include "contrib/watch/shown.h"
#include "verify/x509/cert.h"
#include "verify/x509/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERT_FILE_MAX  (1024 * 1024)
#define KNOWN_FILE_MAX (16 * 1024 * 1024)
#define KNOWN_MODE     0644
#define ENTRY_MAX      2048 /* of one certificate: each byte of its names may be shown as \xNN */

const char known_usage[] =
    "usage: ctstub-watch known add [-c FILE] [--issuer] [--file FILE | --print] CERT\n"
    "       ctstub-watch known add [-c FILE] [--issuer] [--file FILE | --print] --live UPSTREAM\n"
    "  CERT            a certificate, PEM or DER; the first of a file\n"
    "  --live UPSTREAM the accepted certificates of this upstream, from the daemon's journal or, if it has\n"
    "                  none, from the upstream itself\n"
    "  --issuer        also the key of its issuer: renewals by the same CA are then expected\n"
    "  --file FILE     add to this file (default: the first known-file of the configuration)\n"
    "  --print         print the entries instead\n"
    "  -c FILE         the configuration\n"
    "  --help          print this, and exit\n";
static const char verb[] = "known";

struct request {
	const char *config, *file, *live, *cert;
	bool issuer, print;
};

static enum watch_exit
known_request_read(struct request *req, int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"file", required_argument, NULL, 'f'},
					      {"live", required_argument, NULL, 'l'},
					      {"issuer", no_argument, NULL, 'i'},
					      {"print", no_argument, NULL, 'p'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	while ((c = option_get(argc, argv, "c:h", longs)) != -1) {
		if (c == 'c')
			req->config = optarg;
		else if (c == 'f')
			req->file = optarg;
		else if (c == 'l')
			req->live = optarg;
		else if (c == 'h' || c == '?')
			return watch_usage(c == 'h' ? WATCH_DONE : WATCH_USAGE, known_usage);
		req->issuer |= c == 'i';
		req->print |= c == 'p';
	}
	if (watch_is_dash(req->file))
		return watch_complain(WATCH_USAGE, verb,
				      "--file -: a file was expected (--print prints the entries)");
	if (argc - optind < 1 || strcmp(argv[optind], "add") != 0 ||
	    argc - optind != (req->live != NULL ? 1 : 2) || (req->print && req->file != NULL))
		return watch_usage(WATCH_USAGE, known_usage);
	if (option_argument_is_empty(argc, argv))
		return watch_complain(WATCH_USAGE, verb, "the argument is empty, a file was expected");
	req->cert = req->live != NULL ? NULL : argv[optind + 1];
	return WATCH_REFUSED; /* go on */
}

/* ---- entries */

static void
certificate_put(struct buf *out, const struct shown *c)
{
	char hex[65];

	buf_text(out, "# subject=\"");
	text_escape(out, span_slice(span_str(c->subject), 0, 300));
	buf_text(out, "\" from=\"");
	text_escape(out, span_slice(span_str(c->from), 0, 100));
	buf_text(out, "\"\n");
	buf_format(out, "cert-sha256 %s\n", hex_write(hex, span_of(c->sha256, 32)));
	buf_format(out, "spki-sha256 %s\n", hex_write(hex, span_of(c->spki_sha256, 32)));
}

static void
known_issuer_put(struct buf *out, const struct shown *c)
{
	char hex[65];

	if (c->has_issuer)
		buf_format(out, "spki-sha256 %s\n", hex_write(hex, span_of(c->issuer_spki_sha256, 32)));
}

/* ---- from a file */

/* The next certificate of PEM or DER, with its issuer where that follows. */
static enum watch_exit
file_shown(struct shown *out, const char *file)
{
	struct buf text = buf_max(0), name = buf_max(NAME_TEXT_MAX * 2), der = buf_max(CERT_FILE_MAX);
	char *why = NULL;
	struct cert c, issuer;
	size_t n = 0;
	enum watch_exit code = WATCH_DONE;

	if (config_file_read_any(&text, file, CERT_FILE_MAX, &why) != RES_OK)
		code = watch_complain(WATCH_TROUBLE, verb, "%s", why != NULL ? why : "out of memory");
	else if (!shown_certificates(&der, &n, buf_span(&text)) ||
		 cert_read(&c, span_slice(buf_span(&der), 0, n)) != RES_OK)
		code =
		    watch_complain(WATCH_USAGE, verb, "%s: a certificate in PEM or DER was expected", file);
	if (code == WATCH_DONE) {
		*out = (struct shown){.has_issuer =
					  cert_read(&issuer, span_slice(buf_span(&der), n, der.n)) == RES_OK};
		memcpy(out->sha256, c.sha256, 32);
		memcpy(out->spki_sha256, c.spki_sha256, 32);
		if (out->has_issuer)
			memcpy(out->issuer_spki_sha256, issuer.spki_sha256, 32);
		(void)name_text(&name, c.subject);
		(void)snprintf(out->subject, sizeof out->subject, "%s",
			       buf_cstr(&name) != NULL ? buf_cstr(&name) : "");
		(void)snprintf(out->from, sizeof out->from, "%s", file);
	}
	buf_free(&text);
	buf_free(&name);
	buf_free(&der);
	free(why);
	return code;
}

/* ---- into a file */

static bool
has_line(struct span text, struct span wanted)
{
	struct span line;

	while (text_line_take(&text, &line))
		if (span_equal(line, wanted))
			return true;
	return false;
}

/* Comments do not count: the same certificate may have come from somewhere else. */
static bool
has_entries(struct span text, struct span entries)
{
	struct span line;

	while (text_line_take(&entries, &line))
		if (line.p[0] != '#' && !has_line(text, line))
			return false;
	return true;
}

/* Before an upstream is asked: can the file be replaced? */
static enum watch_exit
file_check(const char *file)
{
	const char *cause = NULL;
	int error = path_target_check(file, &cause);

	return error == 0 ? WATCH_DONE
			  : watch_complain(error == ENOENT || error == ENOTDIR ? WATCH_USAGE : WATCH_TROUBLE,
					   verb, "cannot write %s: %s", file, cause);
}

static enum watch_exit
file_append(const char *file, struct span entries)
{
	struct buf all = buf_max(KNOWN_FILE_MAX), before = buf_max(0);
	const char *name, *cause = NULL;
	char *why = NULL;
	int folder = path_target_open(file, &name, &cause);
	enum watch_exit code = WATCH_DONE;

	if (folder < 0)
		code = watch_complain(WATCH_TROUBLE, verb, "cannot write %s: %s", file, cause);
	else if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		 config_file_read(&before, file, KNOWN_FILE_MAX, &why) != RES_OK)
		code = watch_complain(WATCH_TROUBLE, verb, "%s", why != NULL ? why : "out of memory");
	if (code == WATCH_DONE && has_entries(buf_span(&before), entries)) {
		(void)printf("%s has these entries already\n", file);
	} else if (code == WATCH_DONE) {
		buf_put(&all, buf_span(&before));
		if (all.n > 0 && all.p[all.n - 1] != '\n')
			buf_text(&all, "\n");
		buf_put(&all, entries);
		if (!buf_ok(&all) || !file_replace_at(folder, name, buf_span(&all), KNOWN_MODE))
			code =
			    watch_complain(WATCH_TROUBLE, verb, "cannot write %s: %s", file, strerror(errno));
		else
			(void)printf(
			    "added to %s; a running ctstub-watch reads it on SIGHUP, or within a day\n",
			    file);
	}
	if (folder >= 0)
		(void)close(folder);
	buf_free(&all);
	buf_free(&before);
	free(why);
	return code;
}

/* file NULL: there is none. */
static enum watch_exit
entries_keep(const struct request *req, const char *file, struct span entries)
{
	if (req->print) {
		(void)fwrite(entries.p, 1, entries.n, stdout);
		return WATCH_DONE;
	}
	if (file == NULL)
		return watch_complain(
		    WATCH_USAGE, verb,
		    "the configuration has no known-file: \"watch { known-file = {...} }\" there, --file or "
		    "--print was expected");
	return file_append(file, entries);
}

static enum watch_exit
entries_make(struct buf *out, const struct request *req, struct settings **s)
{
	struct shown shown[SHOWN_MAX];
	size_t n = 0;
	enum watch_exit code;

	if (req->live != NULL) {
		code = shown_live(shown, &n, s, req->live);
	} else {
		code = file_shown(&shown[0], req->cert);
		n = code == WATCH_DONE ? 1 : 0;
	}
	for (size_t i = 0; i < n; i++) {
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice |= memcmp(shown[k].sha256, shown[i].sha256, 32) == 0;
		if (twice)
			continue;
		certificate_put(out, &shown[i]);
		if (req->issuer && !shown[i].has_issuer)
			return watch_complain(
			    WATCH_USAGE, verb,
			    "--issuer: the issuer's certificate was expected after the first");
		if (req->issuer)
			known_issuer_put(out, &shown[i]);
	}
	return code;
}

enum watch_exit
cmd_known(int argc, char **argv)
{
	struct request req = {.config = NULL};
	struct config_errors errors = {0};
	struct settings *s = NULL;
	char *file = NULL;
	struct buf entries = buf_max((size_t)SHOWN_MAX * ENTRY_MAX);
	enum watch_exit code = known_request_read(&req, argc, argv);

	if (code != WATCH_REFUSED)
		return code;
	if (settings_read(&s, watch_config_file(req.config), &errors) != RES_OK) {
		code = watch_complain_config(verb, &errors);
	} else {
		if (req.file != NULL || s->known_file.n > 0)
			file = strdup(req.file != NULL ? req.file : s->known_file.v[0]);
		code = file != NULL && !req.print ? file_check(file) : WATCH_DONE;
		if (code == WATCH_DONE)
			code = entries_make(&entries, &req, &s);
		if (code == WATCH_DONE && !buf_ok(&entries))
			code = watch_complain(WATCH_TROUBLE, verb, "%s", res_text(buf_res(&entries)));
	}
	if (code == WATCH_DONE)
		code = entries_keep(&req, file, buf_span(&entries));
	free(file);
	config_errors_free(&errors);
	settings_free(s);
	buf_free(&entries);
	return code;
}
