/* ctstub-watch sign: a new edition of an organisation's disallow file, and its signature beside it. */
#include "config.h"

#include "contrib/watch/commands.h"

#include "base/clock.h"
#include "base/faults.h"
#include "base/option.h"
#include "base/path.h"
#include "base/random.h"
#include "base/replace.h"
#include "base/text.h"
#include "config/file.h"
#include "contrib/watch/feed.h"
#include "verify/disallow.h"
#include "verify/minisign.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX 16384

const char sign_usage[] =
    "usage: ctstub-watch sign --new-key NAME\n"
    "       ctstub-watch sign --key NAME.key [--sequence N] --output FILE ENTRIES...\n"
    "  --new-key NAME   make a key: NAME.key (keep it offline) and NAME.pub (for every machine)\n"
    "  --key FILE       sign with this key, an Ed25519 private key in PEM\n"
    "  --output FILE    write the feed to FILE and its signature to FILE.minisig\n"
    "  --sequence N     number of this edition (default: the number in FILE plus one)\n"
    "  --help           print this, and exit\n";
static const char verb[] = "sign";

struct request {
	const char *new_key, *key, *output;
	int64_t sequence; /* 0: the next */
	char **entries;
	int n_entries;
};

static enum watch_exit
sign_request_read(struct request *req, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"new-key", required_argument, NULL, 'n'}, {"key", required_argument, NULL, 'k'},
	    {"output", required_argument, NULL, 'o'},  {"sequence", required_argument, NULL, 's'},
	    {"help", no_argument, NULL, 'h'},          {0}};
	int c, from_stdin;

	while ((c = option_get(argc, argv, "h", longs)) != -1) {
		if (c == 'n')
			req->new_key = optarg;
		else if (c == 'k')
			req->key = optarg;
		else if (c == 'o')
			req->output = optarg;
		else if (c == 's' && (number_read(&req->sequence, optarg) != RES_OK || req->sequence < 1 ||
				      (uint64_t)req->sequence > FEED_SEQUENCE_MAX))
			return watch_complain(WATCH_USAGE, verb,
					      "--sequence %s: a number from 1 was expected", optarg);
		else if (c == 'h' || c == '?')
			return watch_usage(c == 'h' ? WATCH_DONE : WATCH_USAGE, sign_usage);
	}
	if (watch_is_dash(req->output))
		return watch_complain(WATCH_USAGE, verb,
				      "--output -: a file was expected, for the signature goes beside it");
	req->entries = argv + optind;
	req->n_entries = argc - optind;
	if (req->new_key != NULL ? req->key != NULL || req->output != NULL || req->n_entries > 0
				 : req->key == NULL || req->output == NULL || req->n_entries == 0)
		return watch_usage(WATCH_USAGE, sign_usage);
	if (option_argument_is_empty(argc, argv))
		return watch_complain(WATCH_USAGE, verb, "an argument is empty, a file was expected");
	from_stdin = watch_is_dash(req->key);
	for (int i = 0; i < req->n_entries; i++)
		from_stdin += watch_is_dash(req->entries[i]);
	if (!watch_stdin_once(verb, from_stdin))
		return WATCH_USAGE;
	return WATCH_REFUSED; /* go on */
}

/* ---- files */

static enum watch_exit
file_write(const char *file, struct span content, mode_t mode)
{
	const char *name, *cause = NULL;
	int folder = path_target_open(file, &name, &cause);
	bool ok = folder >= 0 && file_replace_at(folder, name, content, mode);
	int error = errno;

	if (folder >= 0)
		(void)close(folder);
	return ok ? WATCH_DONE
		  : watch_complain(folder < 0 && (error == ENOENT || error == ENOTDIR) ? WATCH_USAGE
										       : WATCH_TROUBLE,
				   verb, "cannot write %s: %s", file, folder < 0 ? cause : strerror(error));
}

static enum watch_exit
sign_file_read(struct buf *out, const char *file, size_t max)
{
	char *why = NULL;
	enum res res = config_file_read_any(out, file, max, &why);

	if (res != RES_OK)
		(void)watch_complain(WATCH_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	free(why);
	return res == RES_OK ? WATCH_DONE : WATCH_TROUBLE;
}

/* ---- keys */

/* The id is the beginning of the key's hash: the same key has one id everywhere. */
static bool
public_of(struct minisign_key *out, gnutls_privkey_t key)
{
	gnutls_datum_t x = {NULL, 0};
	gnutls_ecc_curve_t curve;
	uint8_t hash[32];
	bool ok = gnutls_privkey_export_ecc_raw(key, &curve, &x, NULL, NULL) >= 0 &&
		  curve == GNUTLS_ECC_CURVE_ED25519 && x.size == MINISIGN_KEY &&
		  gnutls_hash_fast(GNUTLS_DIG_SHA256, x.data, x.size, hash) >= 0;

	if (ok) {
		memcpy(out->key, x.data, MINISIGN_KEY);
		memcpy(out->id, hash, MINISIGN_ID);
	}
	gnutls_free(x.data);
	return ok;
}

static bool
base64_line(struct buf *out, const char *kind, struct span a, struct span b)
{
	struct buf raw = buf_max(256);
	bool ok;

	buf_text(&raw, kind);
	buf_put(&raw, a);
	buf_put(&raw, b);
	base64_write(out, buf_span(&raw));
	buf_text(out, "\n");
	ok = buf_ok(&raw) && buf_ok(out);
	buf_free(&raw);
	return ok;
}

static char *
with_suffix(const char *name, const char *suffix)
{
	struct buf b = buf_max(PATH_NAME_MAX);

	buf_format(&b, "%s%s", name, suffix);
	return buf_take_cstr(&b);
}

/* The file of a public key, and its id in hex. */
static bool
public_write(struct buf *out, char id[2 * MINISIGN_ID + 1], const struct minisign_key *public)
{
	buf_format(out, "untrusted comment: ctstub-watch public key %s\n",
		   hex_write(id, span_of(public->id, MINISIGN_ID)));
	return base64_line(out, "Ed", span_of(public->id, MINISIGN_ID), span_of(public->key, MINISIGN_KEY));
}

static enum watch_exit
key_save(const char *name, gnutls_privkey_t key, gnutls_x509_privkey_t x509)
{
	char *key_file = with_suffix(name, ".key"), *pub_file = with_suffix(name, ".pub"),
	     id[2 * MINISIGN_ID + 1];
	gnutls_datum_t pem = {NULL, 0};
	struct buf pub = buf_max(512);
	struct minisign_key public;
	enum watch_exit code = WATCH_TROUBLE;

	if (key_file == NULL || pub_file == NULL || !public_of(&public, key) ||
	    !public_write(&pub, id, &public) ||
	    gnutls_x509_privkey_export2_pkcs8(x509, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem) < 0) {
		(void)watch_complain(WATCH_TROUBLE, verb, "no key could be made");
	} else if (access(key_file, F_OK) == 0 || access(pub_file, F_OK) == 0) {
		/* one half alone is worth keeping too: the other may be stored elsewhere */
		code = watch_complain(WATCH_REFUSED, verb, "%s exists already and was not replaced",
				      access(key_file, F_OK) == 0 ? key_file : pub_file);
	} else {
		code = file_write(key_file, span_of(pem.data, pem.size), 0600);
		if (code == WATCH_DONE)
			code = file_write(pub_file, buf_span(&pub), 0644);
		if (code == WATCH_DONE)
			(void)printf("%s and %s written; key %s\n", key_file, pub_file, id);
	}
	if (pem.data != NULL)
		gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	buf_free(&pub);
	free(key_file);
	free(pub_file);
	return code;
}

static enum watch_exit
key_make(const char *name)
{
	gnutls_x509_privkey_t x509 = NULL;
	gnutls_privkey_t key = NULL;
	enum watch_exit code = WATCH_TROUBLE;

	if (gnutls_x509_privkey_init(&x509) >= 0 && gnutls_privkey_init(&key) >= 0 &&
	    gnutls_x509_privkey_generate(x509, GNUTLS_PK_EDDSA_ED25519,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), 0) >= 0 &&
	    gnutls_privkey_import_x509(key, x509, GNUTLS_PRIVKEY_IMPORT_COPY) >= 0)
		code = key_save(name, key, x509);
	else
		(void)watch_complain(code, verb, "no key could be made");
	if (key != NULL)
		gnutls_privkey_deinit(key);
	if (x509 != NULL)
		gnutls_x509_privkey_deinit(x509);
	return code;
}

static enum watch_exit
key_read(gnutls_privkey_t *out, struct minisign_key *public, const char *file)
{
	struct buf pem = buf_max(0);
	enum watch_exit code = sign_file_read(&pem, file, KEY_FILE_MAX);
	gnutls_datum_t datum = {pem.p, (unsigned)pem.n};

	if (code == WATCH_DONE &&
	    (gnutls_privkey_init(out) < 0 ||
	     gnutls_privkey_import_x509_raw(*out, &datum, GNUTLS_X509_FMT_PEM, NULL, 0) < 0 ||
	     !public_of(public, *out)))
		code =
		    watch_complain(WATCH_USAGE, verb, "%s: an Ed25519 private key in PEM was expected", file);
	if (pem.p != NULL)
		gnutls_memset(pem.p, 0, pem.n);
	buf_free(&pem);
	return code;
}

/* ---- a feed */

/* Every bad line is shown with its file: in the feed it has another number. */
static enum watch_exit
entries_check(const char *file, struct span text)
{
	struct cert_match_builder *b = NULL;
	struct faults faults = {.n = 0};
	enum res res = cert_match_builder_new(&b);

	if (res == RES_OK)
		res = disallow_add_file(b, text, &faults);
	for (size_t i = 0; i < faults_lines(&faults); i++) {
		char *line = faults_text(&faults, i, file);

		(void)watch_complain(WATCH_USAGE, verb, "%s", line != NULL ? line : "out of memory");
		free(line);
	}
	if (res != RES_OK && faults_lines(&faults) == 0)
		(void)watch_complain(WATCH_TROUBLE, verb, "%s: %s", file, res_text(res));
	faults_clear(&faults);
	cert_match_builder_free(b);
	return res == RES_OK ? WATCH_DONE : res == RES_MALFORMED ? WATCH_USAGE : WATCH_TROUBLE;
}

/* The entries of all files. Their faults are shown in one run. */
static enum watch_exit
entries_read(struct buf *out, const struct request *req)
{
	struct buf one = buf_max(0);
	enum watch_exit code = WATCH_DONE;

	for (int i = 0; i < req->n_entries; i++) {
		enum watch_exit this = sign_file_read(&one, req->entries[i], FEED_FILE_MAX);
		struct span text = text_without_bom(buf_span(&one));

		if (this == WATCH_DONE)
			this = entries_check(req->entries[i], text);
		if (code == WATCH_DONE)
			code = this;
		buf_put(out, text);
		if (text.n > 0 && text.p[text.n - 1] != '\n')
			buf_text(out, "\n");
	}
	buf_free(&one);
	/* signed all the same, they would be an edition that accepts what the last one refused */
	if (code == WATCH_DONE && buf_res(out) == RES_LIMIT)
		return watch_complain(WATCH_USAGE, verb, "the entries are larger than %d bytes together",
				      FEED_FILE_MAX);
	if (code == WATCH_DONE && !buf_ok(out))
		return watch_complain(WATCH_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	return code;
}

/* Which edition they become. */
static enum watch_exit
edition_find(struct feed *feed, const struct request *req)
{
	struct buf file = buf_max(0);
	struct feed before;
	char *why = NULL;
	enum watch_exit code = WATCH_DONE;

	feed->date_ms = clock_wall_ms() / 1000 * 1000;
	feed->sequence = req->sequence > 0 ? (uint64_t)req->sequence : 1;
	if (req->sequence == 0 && access(req->output, F_OK) == 0) {
		code = sign_file_read(&file, req->output, FEED_FILE_MAX);
		if (code == WATCH_DONE && feed_read(&before, buf_span(&file), &why) != RES_OK)
			code = watch_complain(WATCH_USAGE, verb, "%s: %s; --sequence was expected",
					      req->output, why != NULL ? why : "");
		else if (code == WATCH_DONE)
			feed->sequence = before.sequence + 1;
	}
	free(why);
	buf_free(&file);
	return code;
}

static bool
sign_bytes(uint8_t out[MINISIGN_SIG], gnutls_privkey_t key, struct span data)
{
	gnutls_datum_t d = {(unsigned char *)(uintptr_t)data.p, (unsigned)data.n}, sig = {NULL, 0};
	bool ok = gnutls_privkey_sign_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &d, &sig) >= 0 &&
		  sig.size == MINISIGN_SIG;

	if (ok)
		memcpy(out, sig.data, MINISIGN_SIG);
	gnutls_free(sig.data);
	return ok;
}

static bool
signature_write(struct buf *out, gnutls_privkey_t key, const struct minisign_key *public,
		const struct feed *feed, struct span file)
{
	uint8_t signature[MINISIGN_SIG], global[MINISIGN_SIG];
	char date[TIME_TEXT_MAX];
	struct buf comment = buf_max(1024), both = buf_max(2048);
	bool ok = sign_bytes(signature, key, file);

	buf_format(&comment, "ctstub-feed sequence:%llu date:%s", (unsigned long long)feed->sequence,
		   time_text(feed->date_ms, date));
	buf_put(&both, span_of(signature, sizeof signature));
	buf_put(&both, buf_span(&comment));
	ok = ok && buf_ok(&comment) && buf_ok(&both) && sign_bytes(global, key, buf_span(&both));
	if (ok) {
		buf_text(out, "untrusted comment: signature by ctstub-watch\n");
		ok = base64_line(out, "Ed", span_of(public->id, MINISIGN_ID),
				 span_of(signature, sizeof signature));
		buf_text(out, "trusted comment: ");
		buf_put(out, buf_span(&comment));
		buf_text(out, "\n");
		ok = base64_line(out, "", span_of(global, sizeof global), (struct span){NULL, 0}) && ok;
	}
	buf_free(&comment);
	buf_free(&both);
	return ok;
}

static enum watch_exit
feed_sign(const struct request *req, gnutls_privkey_t key, const struct minisign_key *public)
{
	struct buf entries = buf_max(FEED_FILE_MAX), file = buf_max(FEED_FILE_MAX + 1024),
		   signature = buf_max(MINISIGN_FILE_MAX);
	char *why = NULL, *name = with_suffix(req->output, ".minisig");
	struct feed feed = {.sequence = 0};
	enum watch_exit code = entries_read(&entries, req);
	enum res res;

	if (code == WATCH_DONE)
		code = edition_find(&feed, req);
	if (code == WATCH_DONE && (res = feed_write(&file, &feed, buf_span(&entries), &why)) != RES_OK)
		code = watch_complain(res == RES_NOMEM ? WATCH_TROUBLE : WATCH_USAGE, verb, "%s",
				      why != NULL ? why : res_text(res));
	if (code == WATCH_DONE &&
	    (name == NULL || !signature_write(&signature, key, public, &feed, buf_span(&file))))
		code = watch_complain(WATCH_TROUBLE, verb, "cannot sign");
	/* the feed first: a machine that fetches in between sees a signature that does not fit, and tries again */
	if (code == WATCH_DONE)
		code = file_write(req->output, buf_span(&file), 0644);
	if (code == WATCH_DONE)
		code = file_write(name, buf_span(&signature), 0644);
	if (code == WATCH_DONE)
		(void)printf("%s: edition %llu, signed in %s\n", req->output,
			     (unsigned long long)feed.sequence, name);
	buf_free(&entries);
	buf_free(&file);
	buf_free(&signature);
	free(name);
	free(why);
	return code;
}

enum watch_exit
cmd_sign(int argc, char **argv)
{
	struct request req = {.key = NULL};
	struct minisign_key public;
	gnutls_privkey_t key = NULL;
	enum watch_exit code = sign_request_read(&req, argc, argv);

	if (code != WATCH_REFUSED)
		return code;
	if (req.new_key != NULL)
		return key_make(req.new_key);
	code = key_read(&key, &public, req.key);
	if (code == WATCH_DONE)
		code = feed_sign(&req, key, &public);
	if (key != NULL)
		gnutls_privkey_deinit(key);
	return code;
}
