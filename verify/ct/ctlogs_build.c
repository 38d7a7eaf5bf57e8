#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/why.h"
#include "verify/x509/datum.h"
#include "verify/x509/spki.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

enum res
ctlogs_new(struct ctlogs **out)
{
	struct ctlogs *list = calloc(1, sizeof *list);

	if (list == NULL)
		return RES_NOMEM;
	list->source = "";
	*out = list;
	return RES_OK;
}

void
ctlogs_free(struct ctlogs *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->n_owned; i++)
		free(list->owned[i]);
	free(list->owned);
	free(list->log);
	ctlogs_free(list->retired);
	faults_clear(&list->left_out);
	free(list);
}

/* Room for one more; doubles. */
static bool
array_grow(void **array, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap == 0 ? 32 : *cap * 2;
	void *larger;

	if (n < *cap)
		return true;
	larger = reallocarray(*array, want, size);
	if (larger == NULL)
		return false;
	*array = larger;
	*cap = want;
	return true;
}

const char *
ctlogs_keep(struct ctlogs *list, struct span text)
{
	void *owned = list->owned;
	char *copy;

	if (!array_grow(&owned, &list->cap_owned, list->n_owned, sizeof *list->owned))
		return NULL;
	list->owned = owned;
	copy = malloc(text.n + 1);
	if (copy == NULL)
		return NULL;
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	list->owned[list->n_owned++] = copy;
	return copy;
}

const char *
ctlogs_keep_operator(struct ctlogs *list, struct span name)
{
	for (size_t i = list->n; i-- > 0;)
		if (span_equal(span_str(list->log[i].operator_name), name))
			return list->log[i].operator_name;
	return ctlogs_keep(list, name);
}

bool
ctlogs_name_ok(struct span name)
{
	if (name.n == 0 || name.n > CTLOG_NAME_MAX || name.p[0] == ' ' || name.p[name.n - 1] == ' ')
		return false;
	for (size_t i = 0, n; i < name.n; i += n) {
		uint32_t c;

		n = utf8_read(&c, span_slice(name, i, name.n - i));
		if (n == 0 || unicode_is_control(c))
			return false;
	}
	return true;
}

/* The bytes of a host, a port and a path: nothing that would need escaping, no user, query or fragment. */
static bool
url_bytes_ok(struct span rest)
{
	if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '.' || rest.p[0] == ':')
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		uint8_t c = rest.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';

		if (!letter && !digit && strchr("-._~:/[]", c) == NULL)
			return false;
	}
	return true;
}

enum res
ctlogs_keep_url(const char **out, struct ctlogs *list, struct span url)
{
	static const char scheme[] = "https://";
	struct span rest = span_slice(url, sizeof scheme - 1, url.n);
	struct buf whole = buf_max(CTLOG_URL_MAX + 1);

	*out = NULL;
	if (url.n > CTLOG_URL_MAX || !span_equal(span_slice(url, 0, sizeof scheme - 1), span_str(scheme)) ||
	    !url_bytes_ok(rest))
		return RES_OK;
	buf_put(&whole, url);
	if (url.p[url.n - 1] != '/')
		buf_u8(&whole, '/');
	if (buf_ok(&whole))
		*out = ctlogs_keep(list, buf_span(&whole));
	buf_free(&whole);
	return *out != NULL ? RES_OK : RES_NOMEM;
}

/* RFC 6962, 2.1.4: ECDSA on P-256 or RSA of at least 2048 bits, nothing else. */
static enum res
key_kind_read(enum ctlog_key_kind *out, gnutls_pubkey_t key, char **why)
{
	unsigned bits = 0;

	switch (gnutls_pubkey_get_pk_algorithm(key, &bits)) {
	case GNUTLS_PK_ECDSA:
		return why_say(why, RES_MALFORMED, "the key is on another curve than P-256");
	case GNUTLS_PK_RSA:
		if (bits < CTLOG_RSA_BITS_MIN || bits > CTLOG_RSA_BITS_MAX)
			return why_say(why, RES_MALFORMED, "the RSA key has %u bits, %d to %d were expected",
				       bits, CTLOG_RSA_BITS_MIN, CTLOG_RSA_BITS_MAX);
		*out = CTLOG_RSA;
		return RES_OK;
	default:
		return why_say(why, RES_MALFORMED, "the key is neither ECDSA P-256 nor RSA");
	}
}

/* The library must have read all of the bytes: nothing after the key, and no other encoding of it. */
static bool
key_is_canonical(gnutls_pubkey_t key, struct span der)
{
	gnutls_datum_t again = {NULL, 0};
	bool same;

	if (gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &again) < 0)
		return false;
	same = span_equal(span_of(again.data, again.size), der);
	gnutls_free(again.data);
	return same;
}

/* What the library makes of a key that is not on P-256. */
static enum res
other_key_read(enum ctlog_key_kind *kind, struct span bytes, char **why)
{
	gnutls_datum_t der = datum_of(bytes);
	gnutls_pubkey_t key;
	enum res res;

	if (gnutls_pubkey_init(&key) < 0)
		return why_say(why, RES_NOMEM, "no memory");
	if (gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) < 0 || !key_is_canonical(key, bytes))
		res = why_say(why, RES_MALFORMED, "the key is not a DER SubjectPublicKeyInfo");
	else
		res = key_kind_read(kind, key, why);
	gnutls_pubkey_deinit(key);
	return res;
}

/* Nearly every log has a key on P-256, of which one encoding is taken. Reading two hundred of them must not take as long as
 * the library needs to read a key and write it again. */
static enum res
key_read(struct ctlog *log, char **why)
{
	struct spki key;
	enum res res = RES_OK;

	if (log->key.n == 0 || log->key.n > CTLOG_KEY_MAX)
		return why_say(why, RES_MALFORMED, "the key has %zu bytes", log->key.n);
	if (spki_read(&key, log->key) == NULL && key.kind == SPKI_P256)
		log->key_kind = CTLOG_ECDSA_P256;
	else
		res = other_key_read(&log->key_kind, log->key, why);
	if (res == RES_OK && gnutls_hash_fast(GNUTLS_DIG_SHA256, log->key.p, log->key.n, log->id) < 0)
		res = why_say(why, RES_NOMEM, "no memory");
	return res;
}

static const char *
keep_id_text(struct ctlogs *list, const uint8_t id[32])
{
	struct buf b = buf_max(64);
	const char *kept = NULL;

	base64_write(&b, span_of(id, 32));
	if (buf_ok(&b))
		kept = ctlogs_keep(list, buf_span(&b));
	buf_free(&b);
	return kept;
}

enum res
ctlogs_add(struct ctlogs *list, const struct ctlog *from, char **why)
{
	struct ctlog log = *from;
	void *array = list->log;
	const char *key;
	enum res res;

	if (list->n >= CTLOGS_MAX)
		return why_say(why, RES_LIMIT, "more than %d logs", CTLOGS_MAX);
	if (log.interval_start_ms != log.interval_end_ms && log.interval_end_ms < log.interval_start_ms)
		return why_say(why, RES_MALFORMED, "temporal_interval ends before it begins");
	res = key_read(&log, why);
	if (res != RES_OK)
		return res;
	if (log.description == NULL)
		log.description = keep_id_text(list, log.id);
	key = ctlogs_keep(list, log.key);
	if (key == NULL || log.description == NULL ||
	    !array_grow(&array, &list->cap, list->n, sizeof *list->log))
		return why_say(why, RES_NOMEM, "no memory");
	list->log = array;
	log.key = span_of(key, log.key.n);
	list->log[list->n++] = log;
	return RES_OK;
}

static int
ctlog_compare(const void *a, const void *b)
{
	return memcmp(((const struct ctlog *)a)->id, ((const struct ctlog *)b)->id, 32);
}

void
ctlogs_drop_last(struct ctlogs *list)
{
	list->n--;
}

enum res
ctlogs_leave_out(struct ctlogs *list, size_t line, enum res res, char **why)
{
	if (res != RES_MALFORMED)
		return res;
	(void)why_prefix(why, res, "log left out");
	faults_add(&list->left_out, line, *why);
	*why = NULL;
	return RES_OK;
}

/* The list is sorted: duplicates are adjacent, and all of them are left out. */
static void
twins_leave_out(struct ctlogs *list)
{
	size_t kept = 0;

	for (size_t i = 0, n; i < list->n; i += n) {
		char a[WHY_QUOTE_MAX], b[WHY_QUOTE_MAX], *why = NULL;

		for (n = 1; i + n < list->n && ctlog_compare(&list->log[i], &list->log[i + n]) == 0; n++)
			;
		if (n == 1) {
			list->log[kept++] = list->log[i];
			continue;
		}
		(void)why_say(&why, RES_MALFORMED, "log \"%s\" and log \"%s\" have the same key",
			      why_quote(a, span_str(list->log[i].description)),
			      why_quote(b, span_str(list->log[i + 1].description)));
		(void)ctlogs_leave_out(list, 0, RES_MALFORMED, &why);
	}
	list->n = kept;
}

/* Frees the room that was not needed; if there is no memory for that, it stays. */
static void
array_fit(void **array, size_t *cap, size_t n, size_t size)
{
	void *smaller = n > 0 && n < *cap ? reallocarray(*array, n, size) : NULL;

	if (smaller == NULL)
		return;
	*array = smaller;
	*cap = n;
}

static void
logs_fit(struct ctlogs *list)
{
	void *logs = list->log, *owned = list->owned;

	array_fit(&logs, &list->cap, list->n, sizeof *list->log);
	array_fit(&owned, &list->cap_owned, list->n_owned, sizeof *list->owned);
	list->log = logs;
	list->owned = owned;
}

enum res
ctlogs_finish(struct ctlogs *list, char **why)
{
	if (list->n > 0)
		qsort(list->log, list->n, sizeof *list->log, ctlog_compare);
	twins_leave_out(list);
	logs_fit(list);
	if (list->n > 0)
		return RES_OK;
	return list->left_out.n_shown > 0 && list->left_out.shown[0].why != NULL
		   ? why_say(why, RES_MALFORMED, "no usable log: %s", list->left_out.shown[0].why)
		   : why_say(why, RES_MALFORMED, "no log");
}
