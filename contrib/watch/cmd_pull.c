/* ctstub-watch pull: an organisation's disallow feed over HTTPS, taken when it is signed and newer, in force at once. */
#include "config.h"

#include "contrib/watch/commands.h"

#include "base/clock.h"
#include "base/option.h"
#include "base/replace.h"
#include "base/text.h"
#include "config/file.h"
#include "config/load.h"
#include "config/settings.h"
#include "contrib/watch/child.h"
#include "contrib/watch/feed.h"
#include "contrib/watch/fetch.h"
#include "contrib/watch/state.h"
#include "verify/minisign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_AGE_DEFAULT_MS (30 * 24 * 3600 * 1000LL)
#define FEED_MODE          0644
#define URL_MAX            2000
#define KEY_MODE           0644
#define KEY_FILE_MAX       (2 * MINISIGN_KEY + 1) /* hex and the end of the line */

const char pull_usage[] =
    "usage: ctstub-watch pull [-c FILE] --key NAME.pub [--ca FILE] [--max-age TIME] [--force] URL\n"
    "  -c FILE          the configuration, for its state-dir and control socket\n"
    "  --key FILE       the organisation's public key\n"
    "  --ca FILE        trust anchors for the server (default: the system's)\n"
    "  --max-age TIME   refuse a feed that was signed longer ago (default: 30d)\n"
    "  --force          accept an older edition, or one that was signed too long ago\n"
    "  --help           print this, and exit\n";
static const char verb[] = "pull";

struct request {
	const char *config, *key, *ca, *url;
	int64_t max_age_ms;
	bool force;
};

static enum watch_exit
request_read(struct request *req, int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"key", required_argument, NULL, 'k'},
					      {"ca", required_argument, NULL, 'a'},
					      {"max-age", required_argument, NULL, 'm'},
					      {"force", no_argument, NULL, 'f'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	req->max_age_ms = MAX_AGE_DEFAULT_MS;
	while ((c = option_get(argc, argv, "c:h", longs)) != -1) {
		if (c == 'c')
			req->config = optarg;
		else if (c == 'k')
			req->key = optarg;
		else if (c == 'a')
			req->ca = optarg;
		else if (c == 'm' && duration_read(&req->max_age_ms, optarg) != RES_OK)
			return watch_complain(WATCH_USAGE, verb,
					      "--max-age %s: a duration was expected (units: ms s m h d)",
					      optarg);
		else if (c == 'h' || c == '?')
			return watch_usage(c == 'h' ? WATCH_DONE : WATCH_USAGE, pull_usage);
		req->force |= c == 'f';
	}
	if (argc - optind != 1 || req->key == NULL)
		return watch_usage(WATCH_USAGE, pull_usage);
	req->url = argv[optind];
	if (strncmp(req->url, "https://", 8) != 0 || strlen(req->url) > URL_MAX)
		return watch_complain(WATCH_USAGE, verb, "\"%s\": an https URL was expected", req->url);
	if (!watch_stdin_once(verb, watch_is_dash(req->key) + watch_is_dash(req->ca)))
		return WATCH_USAGE;
	return WATCH_REFUSED; /* go on */
}

/* ---- over the network */

struct download {
	struct buf *out;
	bool done;
	enum watch_exit code;
};

static void
pull_on_answer(void *arg, const struct fetch_answer *a)
{
	struct download *d = arg;

	d->done = true;
	if (a->result == FETCH_ANSWER && a->status == 200 && !a->gzip) {
		buf_put(d->out, buf_span(&a->body->bytes));
		d->code = buf_ok(d->out) ? WATCH_DONE : WATCH_TROUBLE;
	} else if (a->result == FETCH_ANSWER) {
		d->code =
		    watch_complain(WATCH_TROUBLE, verb, "the server answers with status %ld", a->status);
	} else {
		d->code = watch_complain(a->result == FETCH_NOT_TRUSTED ? WATCH_REFUSED : WATCH_TROUBLE, verb,
					 "%s", a->why != NULL ? a->why : "the feed could not be fetched");
	}
}

static enum watch_exit
download(struct buf *out, struct fetcher *f, const char *url, size_t max)
{
	struct download d = {.out = out, .code = WATCH_TROUBLE};
	const struct fetch_request request = {.url = url, .expected = max, .limit = max};
	int64_t until = clock_mono_ms() + FETCHER_TOTAL_MS + FETCHER_CONNECT_MS;
	bool readable;

	if (fetcher_get(f, &request, pull_on_answer, &d) != RES_OK)
		return watch_complain(WATCH_TROUBLE, verb, "out of memory");
	while (!d.done && clock_mono_ms() < until)
		if (!fetcher_wait(f, 1000, -1, &readable))
			break;
	if (!d.done)
		(void)watch_complain(WATCH_TROUBLE, verb, "%s: no answer", url);
	return d.code;
}

/* The server is judged by its chain and name; that the feed is the organisation's is for the signature to say. */
static enum watch_exit
feed_fetch(struct buf *feed, struct buf *signature, const struct request *req)
{
	struct vfy_policy policy = {.ct_mode = CT_OFF};
	struct config_errors warnings = {0};
	struct trust *trust = NULL;
	struct fetcher *f = NULL;
	char url[URL_MAX + 16], *why = NULL;
	enum watch_exit code = WATCH_TROUBLE;

	(void)snprintf(url, sizeof url, "%s.minisig", req->url);
	if (anchors_load(&trust, req->ca != NULL ? req->ca : "system", false, &warnings, &why) != RES_OK) {
		if (req->ca != NULL && why != NULL)
			code = WATCH_USAGE;
		(void)watch_complain(code, verb, "%s%s", req->ca != NULL ? "--ca: " : "",
				     why != NULL ? why : "out of memory");
	}
	policy.trust = trust;
	if (trust != NULL && (f = fetcher_new(&policy)) != NULL)
		code = download(feed, f, req->url, FEED_FILE_MAX);
	if (code == WATCH_DONE)
		code = download(signature, f, url, MINISIGN_FILE_MAX);
	fetcher_free(f);
	trust_free(trust);
	config_errors_free(&warnings);
	free(why);
	return code;
}

/* ---- is it ours, and newer? */

static enum watch_exit
pull_signature_check(struct minisign_key *key, const struct request *req, struct span feed,
		     struct span signature)
{
	struct buf text = buf_max(0);
	char *why = NULL;
	enum watch_exit code = WATCH_DONE;

	if (config_file_read_any(&text, req->key, MINISIGN_FILE_MAX, &why) != RES_OK)
		code = watch_complain(WATCH_USAGE, verb, "--key: %s", why != NULL ? why : "out of memory");
	else if (minisign_key_read(key, buf_span(&text), &why) != RES_OK)
		code = watch_complain(WATCH_USAGE, verb, "%s: %s", req->key,
				      why != NULL ? why : "out of memory");
	else if (minisign_verify(key, feed, signature, NULL, &why) != RES_OK)
		code = watch_complain(WATCH_REFUSED, verb, "%s: %s", req->url,
				      why != NULL ? why : "out of memory");
	buf_free(&text);
	free(why);
	return code;
}

static const char *
objection(enum feed_step step)
{
	switch (step) {
	case FEED_NEWER:
	case FEED_SAME:
		return NULL;
	case FEED_ROLL_BACK:
		return "it is older than the installed edition";
	case FEED_FORKED:
		return "it has the number of the installed edition but other content";
	case FEED_TOO_OLD:
		return "it was signed too long ago: a newer one may be held back";
	case FEED_IN_THE_FUTURE:
		return "it is dated in the future";
	}
	return "";
}

struct folder {
	int fd;
	char *path; /* state-dir/watch */
};

static enum watch_exit
known_read(struct buf *out, struct feed *feed, const struct folder *folder)
{
	char *why = NULL;
	enum res res = config_state_read(out, folder->path, WATCH_FEED_FILE, FEED_FILE_MAX, &why);

	if (res == RES_OK && feed_read(feed, buf_span(out), &why) != RES_OK)
		res = RES_MALFORMED;
	if (res != RES_OK && res != RES_NOT_FOUND)
		(void)watch_complain(WATCH_TROUBLE, verb, "%s: %s", WATCH_FEED_FILE,
				     why != NULL ? why : res_text(res));
	free(why);
	return res == RES_OK || res == RES_NOT_FOUND ? WATCH_DONE : WATCH_TROUBLE;
}

/* ---- whose is the installed one? */

static void
key_text(struct buf *out, const struct minisign_key *key)
{
	char hex[KEY_FILE_MAX];

	buf_format(out, "%s\n", hex_write(hex, span_of(key->key, MINISIGN_KEY)));
}

enum signer { SIGNER_UNKNOWN, SIGNER_SAME, SIGNER_OTHER };

/* Unknown: an earlier version installed it, or a crash came before the key was stored. */
static enum signer
known_signer(const struct folder *folder, const struct minisign_key *key)
{
	struct buf stored = buf_max(0), ours = buf_max(KEY_FILE_MAX);
	char *why = NULL;
	enum res res = config_state_read(&stored, folder->path, WATCH_FEED_KEY_FILE, KEY_FILE_MAX, &why);
	enum signer signer = SIGNER_UNKNOWN;

	key_text(&ours, key);
	if (res == RES_OK && stored.n == ours.n)
		signer = span_equal(buf_span(&stored), buf_span(&ours)) ? SIGNER_SAME : SIGNER_OTHER;
	buf_free(&stored);
	buf_free(&ours);
	free(why);
	return signer;
}

/* After the feed: a crash between the two must not make an edition of the key before count as one of this key. */
static enum watch_exit
signer_keep(const struct folder *folder, const struct minisign_key *key)
{
	struct buf ours = buf_max(KEY_FILE_MAX);
	enum watch_exit code = WATCH_DONE;

	key_text(&ours, key);
	if (!buf_ok(&ours))
		code = watch_complain(WATCH_TROUBLE, verb, "%s: out of memory", WATCH_FEED_KEY_FILE);
	else if (!file_replace_at(folder->fd, WATCH_FEED_KEY_FILE, buf_span(&ours), KEY_MODE))
		code = watch_complain(WATCH_TROUBLE, verb, "%s: %s", WATCH_FEED_KEY_FILE, strerror(errno));
	buf_free(&ours);
	return code;
}

/* ---- taken */

static void
pull_on_end(void *ctx, const struct child *child, int status)
{
	(void)child;
	*(bool *)ctx = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
reload(const char *control_socket, int folder)
{
	struct children children = {0};
	bool done = false;

	if (child_reload(&children, control_socket, folder, clock_boot_ms()) == RES_OK)
		while (children_busy(&children)) {
			children_reap(&children, pull_on_end, &done, clock_boot_ms());
			if (children_busy(&children))
				(void)usleep(10000);
		}
	(void)printf("%s\n", done ? "the daemon has reloaded; the feed is in force"
				  : "the daemon did not reload; the feed is in force after its next reload");
}

/* NULL: it may be taken. Whoever had a stolen key may have signed an edition of the highest number: when the key was replaced,
 * an edition of the one before does not keep out those of the new one. */
static const char *
feed_objection(const struct request *req, struct span known, const struct feed *known_feed, struct span fresh,
	       const struct feed *feed, enum signer signer)
{
	struct span of_key = signer == SIGNER_OTHER && !span_equal(known, fresh) ? span_of(NULL, 0) : known;

	return req->force ? NULL
			  : objection(feed_compare(of_key, known_feed, fresh, feed, clock_wall_ms(),
						   req->max_age_ms));
}

static enum watch_exit
feed_install(const struct settings *s, const struct folder *folder, struct span fresh,
	     const struct feed *feed, const struct minisign_key *key)
{
	enum watch_exit code;

	if (!file_replace_at(folder->fd, WATCH_FEED_FILE, fresh, FEED_MODE))
		return watch_complain(WATCH_TROUBLE, verb, "%s: %s", WATCH_FEED_FILE, strerror(errno));
	code = signer_keep(folder, key);
	(void)printf("edition %llu taken: %s\n", (unsigned long long)feed->sequence,
		     COUNTED(feed->entries, "entry"));
	(void)fflush(stdout); /* before the child that asks for the reload */
	reload(s->control_socket, folder->fd);
	return code;
}

static enum watch_exit
feed_take(const struct request *req, const struct settings *s, const struct folder *folder, struct span fresh,
	  const struct minisign_key *key)
{
	struct buf known = buf_max(0);
	struct feed known_feed = {.sequence = 0}, feed;
	enum signer signer = known_signer(folder, key);
	const char *why_not;
	char *why = NULL;
	enum watch_exit code = known_read(&known, &known_feed, folder);

	if (code == WATCH_DONE && feed_read(&feed, fresh, &why) != RES_OK)
		code = watch_complain(WATCH_REFUSED, verb, "%s: %s", req->url,
				      why != NULL ? why : "out of memory");
	if (code == WATCH_DONE) {
		why_not = feed_objection(req, buf_span(&known), &known_feed, fresh, &feed, signer);
		if (why_not != NULL) {
			code = watch_complain(WATCH_REFUSED, verb, "%s: edition %llu is refused: %s",
					      req->url, (unsigned long long)feed.sequence, why_not);
		} else if (span_equal(buf_span(&known), fresh)) {
			code = signer == SIGNER_SAME ? WATCH_DONE : signer_keep(folder, key);
			(void)printf("edition %llu is here already\n", (unsigned long long)feed.sequence);
		} else {
			code = feed_install(s, folder, fresh, &feed, key);
		}
	}
	buf_free(&known);
	free(why);
	return code;
}

static enum watch_exit
folder_open(struct folder *folder, const struct settings *s)
{
	struct buf path = buf_max(4096);
	enum watch_exit code = WATCH_DONE;
	char *why = NULL;

	buf_format(&path, "%s/" WATCH_FOLDER, s->state_dir);
	folder->path = buf_take_cstr(&path);
	folder->fd =
	    *s->state_dir == '\0' || folder->path == NULL ? -1 : state_folder_open(s->state_dir, &why);
	if (*s->state_dir == '\0')
		code = watch_complain(
		    WATCH_USAGE, verb,
		    "option \"state-dir\" is empty, a folder was expected: the feed goes there");
	else if (folder->fd < 0)
		code = watch_complain(WATCH_TROUBLE, verb, "%s", why != NULL ? why : "out of memory");
	free(why);
	return code;
}

enum watch_exit
cmd_pull(int argc, char **argv)
{
	struct request req = {.url = NULL};
	struct config_errors errors = {0};
	struct settings *s = NULL;
	struct folder folder = {-1, NULL};
	struct minisign_key key;
	struct buf feed = buf_max(FEED_FILE_MAX), signature = buf_max(MINISIGN_FILE_MAX);
	enum watch_exit code = request_read(&req, argc, argv);

	if (code != WATCH_REFUSED)
		return code;
	if (settings_read(&s, watch_config_file(req.config), &errors) != RES_OK)
		code = watch_complain_config(verb, &errors);
	else
		code = folder_open(&folder, s);
	if (code == WATCH_DONE)
		code = feed_fetch(&feed, &signature, &req);
	if (code == WATCH_DONE)
		code = pull_signature_check(&key, &req, buf_span(&feed), buf_span(&signature));
	if (code == WATCH_DONE)
		code = feed_take(&req, s, &folder, buf_span(&feed), &key);
	if (folder.fd >= 0)
		(void)close(folder.fd);
	free(folder.path);
	config_errors_free(&errors);
	settings_free(s);
	buf_free(&feed);
	buf_free(&signature);
	return code;
}
