#include "verify/cert_match.h"

#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/disguise.h"
#include "verify/x509/name.h"
#include "verify/why.h"

#include <gnutls/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT_MAX     96                       /* a hash in hex, with its words */
#define SERIAL_MAX   64                       /* bytes; RFC 5280, 4.1.2.2 allows 20 */
#define NAME_KEY_MAX (16 * 1024)              /* of a name in compared form */
#define KINDS        (CERT_MATCH_ISSUER + 1U) /* an entry with its name in the other order: kind + KINDS */
#define TEXT_MAX     (512 * 1024 * 1024)      /* of all entries in canonical form */

/*
 * An entry is the SHA-256 of what it names, so all kinds are one sorted array and a look-up is one binary search.
 * A certificate or a key has that hash already; a name, or a serial with a name, is hashed in compared form.
 */
struct entry {
	unsigned kind; /* enum cert_match_kind, or that + KINDS */
	uint8_t hash[32];
	size_t text; /* where its canonical text begins */
};

struct cert_match {
	struct entry *entry; /* sorted by kind and hash */
	size_t n;
	size_t n_backwards; /* of those: names in the other order, which are not counted */
	size_t cap;
	struct buf text; /* canonical entries, each with a NUL */
	bool has[KINDS];
};

struct cert_match_builder {
	struct cert_match list;
	struct buf key; /* these two are reused from entry to entry */
	struct buf raw;
};

enum res
cert_match_builder_new(struct cert_match_builder **out)
{
	struct cert_match_builder *b = calloc(1, sizeof *b);

	if (b == NULL)
		return RES_NOMEM;
	b->list.text = buf_max(TEXT_MAX);
	b->key = buf_max(NAME_KEY_MAX);
	b->raw = buf_max(NAME_KEY_MAX);
	*out = b;
	return RES_OK;
}

void
cert_match_builder_free(struct cert_match_builder *b)
{
	if (b == NULL)
		return;
	buf_free(&b->list.text);
	buf_free(&b->key);
	buf_free(&b->raw);
	free(b->list.entry);
	free(b);
}

void
cert_match_free(struct cert_match *list)
{
	if (list == NULL)
		return;
	buf_free(&list->text);
	free(list->entry);
	free(list);
}

/* Serials are compared without the sign octet and other leading zeros (RFC 5280, 4.1.2.2 wants them positive). */
static struct span
serial_strip(struct span serial)
{
	while (serial.n > 0 && serial.p[0] == 0)
		serial = span_slice(serial, 1, serial.n - 1);
	return serial;
}

/* Begins the bytes that are hashed: the serial, after its length so that no two inputs look alike, and the form of the
 * name that follows ('N' in compared form, 'D' its bytes). */
static void
key_begin(struct buf *key, struct span serial, char form)
{
	buf_clear(key);
	buf_u32(key, (uint32_t)serial.n);
	buf_put(key, serial);
	buf_u8(key, (uint8_t)form);
}

static enum res
match_key_hash(uint8_t hash[32], const struct buf *key)
{
	if (!buf_ok(key))
		return buf_res(key);
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, key->p, key->n, hash) < 0 ? RES_NOMEM : RES_OK;
}

static enum res
match_entry_add(struct cert_match *list, struct entry entry, const uint8_t hash[32], char **why)
{
	if (!buf_ok(&list->text))
		return why_say(why, RES_NOMEM, "no memory");
	if (entry.kind < KINDS && list->n - list->n_backwards >= CERT_MATCH_ENTRIES_MAX)
		return why_say(why, RES_LIMIT, "more than %d entries", CERT_MATCH_ENTRIES_MAX);
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 64 : list->cap * 2;
		struct entry *larger = reallocarray(list->entry, cap, sizeof *larger);

		if (larger == NULL)
			return why_say(why, RES_NOMEM, "no memory");
		list->entry = larger;
		list->cap = cap;
	}
	memcpy(entry.hash, hash, 32);
	list->entry[list->n++] = entry;
	list->n_backwards += entry.kind >= KINDS;
	return RES_OK;
}

static bool
is_gap(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
match_trim(struct span s)
{
	while (s.n > 0 && is_gap(s.p[0]))
		s = span_slice(s, 1, s.n - 1);
	while (s.n > 0 && is_gap(s.p[s.n - 1]) &&
	       !(s.n > 1 && s.p[s.n - 2] == '\\')) /* an escaped space stays */
		s.n--;
	return s;
}

/* The next word; *rest loses it and the space after it. */
static struct span
match_word_take(struct span *rest)
{
	size_t n = 0;
	struct span word;

	*rest = match_trim(*rest);
	while (n < rest->n && !is_gap(rest->p[n]))
		n++;
	word = span_slice(*rest, 0, n);
	*rest = match_trim(span_slice(*rest, n, rest->n - n));
	return word;
}

/* der:<base64>: the bytes themselves, which must be one SEQUENCE. Appends to the key. */
static enum res
name_bytes_read(struct cert_match_builder *b, struct span base64)
{
	enum res res;

	buf_clear(&b->raw);
	res = base64_read(&b->raw, base64);
	if (res == RES_OK && der_only(buf_span(&b->raw), DER_SEQUENCE).bad)
		res = RES_MALFORMED;
	buf_put(&b->key, buf_span(&b->raw));
	return res;
}

static bool
is_der(struct span name)
{
	return name.n >= 4 && memcmp(name.p, "der:", 4) == 0;
}

/* The hash by which a name is found, with the serial before it (empty in an issuer entry). */
static enum res
match_name_hash(struct cert_match_builder *b, uint8_t hash[32], struct span serial, struct span name,
		bool backwards)
{
	char text[CERT_MATCH_ENTRY_MAX + 1];
	enum res res;

	key_begin(&b->key, serial, is_der(name) ? 'D' : 'N');
	if (is_der(name)) {
		res = backwards ? RES_NOT_FOUND : name_bytes_read(b, span_slice(name, 4, name.n - 4));
	} else {
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		res = backwards ? name_key_from_text_backwards(&b->key, text)
				: name_key_from_text(&b->key, text);
	}
	return res == RES_OK ? match_key_hash(hash, &b->key) : res;
}

static enum res
match_name_fault(enum res res, struct span name, char **why)
{
	if (res == RES_NOMEM)
		return why_say(why, res, "no memory");
	if (res == RES_LIMIT)
		return why_say(why, res, "the name is too long");
	return why_say(why, res, is_der(name) ? "not the base64 of a DER name" : "not an RFC 4514 name");
}

/* Canonical text: one space between words, digits in lower case without colons; the name as it was written. */
static size_t
match_text_put(struct cert_match *list, const char *what, struct span bytes, struct span name)
{
	char hex[2 * SERIAL_MAX + 1];
	size_t at = list->text.n;

	buf_text(&list->text, what);
	if (bytes.p != NULL)
		buf_text(&list->text, bytes.n == 0 ? "0" : hex_write(hex, bytes));
	if (bytes.p != NULL && name.n > 0)
		buf_text(&list->text, " issuer ");
	buf_put(&list->text, name);
	buf_u8(&list->text, 0);
	return at;
}

/* The serial, which may have white space in it, ends at the word "issuer"; *rest is what follows that word. */
static bool
issuer_cut(struct span *digits, struct span *rest)
{
	struct span all = *rest, word;

	do {
		word = match_word_take(rest);
	} while (word.n > 0 && !span_equal(word, span_str("issuer")));
	if (word.n == 0)
		return false;
	*digits = match_trim(span_slice(all, 0, (size_t)(word.p - all.p)));
	return true;
}

/* Adds the name as it was written, and in the other order. */
static enum res
name_entry_add(struct cert_match_builder *b, enum cert_match_kind kind, struct span serial, struct span name,
	       char **why)
{
	bool issuer = kind == CERT_MATCH_ISSUER;
	struct entry entry = {.kind = kind};
	uint8_t hash[32];
	enum res res;

	if (name.n == 0)
		return why_say(why, RES_MALFORMED, "the issuer's name is missing");
	res = match_name_hash(b, hash, serial, name, false);
	if (res != RES_OK)
		return match_name_fault(res, name, why);
	entry.text = match_text_put(&b->list, issuer ? "issuer " : "serial ", serial, name);
	res = match_entry_add(&b->list, entry, hash, why);
	if (res != RES_OK)
		return res;
	res = match_name_hash(b, hash, serial, name, true);
	if (res != RES_OK)
		return res == RES_NOT_FOUND ? RES_OK : match_name_fault(res, name, why);
	entry.kind += KINDS;
	return match_entry_add(&b->list, entry, hash, why);
}

static enum res
serial_entry_add(struct cert_match_builder *b, struct span rest, char **why)
{
	uint8_t bytes[SERIAL_MAX];
	char quote[WHY_QUOTE_MAX];
	struct span digits;
	size_t n;

	if (!issuer_cut(&digits, &rest))
		return why_say(why, RES_MALFORMED, "expected \"issuer\" after the serial");
	if (hex_number_read(bytes, sizeof bytes, &n, digits) != RES_OK)
		return why_say(why, RES_MALFORMED, "serial \"%s\" is not a hex number of at most %d bytes",
			       why_quote(quote, digits), SERIAL_MAX);
	return name_entry_add(b, CERT_MATCH_SERIAL, span_of(bytes, n), rest, why);
}

/* A hash in base64, in hex; or "". */
static const char *
hint_of(char out[HINT_MAX], struct span text)
{
	struct buf hint = buf_max(HINT_MAX - 1);

	base64_sha256_hint(&hint, text);
	(void)snprintf(out, HINT_MAX, "%.*s", (int)hint.n, hint.n > 0 ? (const char *)hint.p : "");
	buf_free(&hint);
	return out;
}

static enum res
hash_entry_add(struct cert_match_builder *b, enum cert_match_kind kind, const char *what, struct span rest,
	       char **why)
{
	struct entry entry = {.kind = kind};
	uint8_t hash[32];
	char quote[WHY_QUOTE_MAX], hint[HINT_MAX];

	if (hex_read_pasted(hash, sizeof hash, rest) != RES_OK)
		return why_say(why, RES_MALFORMED, "\"%s\" is not a SHA-256 of 64 hex digits%s",
			       why_quote(quote, rest), hint_of(hint, rest));
	entry.text = match_text_put(&b->list, what, span_of(hash, 32), (struct span){NULL, 0});
	return match_entry_add(&b->list, entry, hash, why);
}

enum res
cert_match_add(struct cert_match_builder *b, struct span entry, char **why)
{
	char quote[WHY_QUOTE_MAX], hint[HINT_MAX];
	struct span kind;

	if (entry.n > CERT_MATCH_ENTRY_MAX)
		return why_say(why, RES_LIMIT, "longer than %d bytes", CERT_MATCH_ENTRY_MAX);
	if (memchr(entry.n == 0 ? (const uint8_t *)"" : entry.p, '\0', entry.n) != NULL)
		return why_say(why, RES_MALFORMED, "a NUL byte");
	kind = match_word_take(&entry);
	if (span_equal(kind, span_str("serial")))
		return serial_entry_add(b, entry, why);
	if (span_equal(kind, span_str("cert-sha256")))
		return hash_entry_add(b, CERT_MATCH_CERT, "cert-sha256 ", entry, why);
	if (span_equal(kind, span_str("spki-sha256")))
		return hash_entry_add(b, CERT_MATCH_SPKI, "spki-sha256 ", entry, why);
	if (span_equal(kind, span_str("issuer")))
		return name_entry_add(b, CERT_MATCH_ISSUER, (struct span){NULL, 0}, entry, why);
	return why_say(why, RES_MALFORMED, "\"%s\": expected serial, cert-sha256, spki-sha256 or issuer%s",
		       why_quote(quote, kind), hint_of(hint, kind));
}

static int
match_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : memcmp(x->hash, y->hash, 32);
}

enum res
cert_match_finish(struct cert_match **out, struct cert_match_builder *b)
{
	struct cert_match *list = malloc(sizeof *list);
	size_t kept = 0;

	if (list == NULL) {
		cert_match_builder_free(b);
		return RES_NOMEM;
	}
	*list = b->list;
	b->list = (struct cert_match){.entry = NULL};
	cert_match_builder_free(b);
	if (list->n > 0)
		qsort(list->entry, list->n, sizeof *list->entry, match_compare);
	list->n_backwards = 0;
	for (size_t i = 0; i < list->n; i++) {
		list->has[list->entry[i].kind % KINDS] = true;
		if (kept > 0 && match_compare(&list->entry[kept - 1], &list->entry[i]) == 0)
			continue;
		list->entry[kept++] = list->entry[i];
		list->n_backwards += list->entry[i].kind >= KINDS;
	}
	list->n = kept;
	*out = list;
	return RES_OK;
}

size_t
cert_match_count(const struct cert_match *list)
{
	return list->n - list->n_backwards;
}

size_t
cert_match_builder_count(const struct cert_match_builder *b)
{
	return b->list.n - b->list.n_backwards;
}

bool
cert_match_has_kind(const struct cert_match *list, enum cert_match_kind kind)
{
	return list != NULL && list->has[kind];
}

static bool
hash_match(const struct cert_match *list, unsigned kind, const uint8_t hash[32], struct cert_match_hit *hit)
{
	struct entry want = {.kind = kind}, *found;

	memcpy(want.hash, hash, 32);
	found = bsearch(&want, list->entry, list->n, sizeof *list->entry, match_compare);
	if (found == NULL)
		return false;
	*hit = (struct cert_match_hit){(enum cert_match_kind)(kind % KINDS),
				       (const char *)list->text.p + found->text, RES_OK};
	return true;
}

/* A name that has no compared form matches entries by its bytes only. */
static bool
name_match(const struct cert_match *list, enum cert_match_kind kind, struct span serial, struct span name,
	   bool either_order, struct cert_match_hit *hit)
{
	struct buf key = buf_max(NAME_KEY_MAX);
	uint8_t hash[32];
	bool found = false;

	/* Allocates all the room at once: a later overflow means a name that is too long, not a lack of memory. */
	hit->res = buf_room(&key, NAME_KEY_MAX) == NULL ? RES_NOMEM : RES_OK;
	key_begin(&key, serial, 'D');
	buf_put(&key, name);
	if (hit->res == RES_OK && match_key_hash(hash, &key) == RES_OK)
		found = hash_match(list, kind, hash, hit);
	key_begin(&key, serial, 'N');
	if (hit->res == RES_OK && !found)
		hit->res = name_key_from_der(&key, name);
	if (hit->res == RES_OK && !found) {
		hit->res = match_key_hash(hash, &key);
		found = hit->res == RES_OK && (hash_match(list, kind, hash, hit) ||
					       (either_order && hash_match(list, kind + KINDS, hash, hit)));
	}
	buf_free(&key);
	return found;
}

static bool
disguise_match(const struct cert_match *list, enum cert_match_kind kind, const struct disguises *d,
	       enum res made, struct cert_match_hit *hit)
{
	for (size_t i = 0; made == RES_OK && i < d->n; i++)
		if (hash_match(list, kind, d->sha256[i], hit))
			return true;
	hit->res = made;
	return false;
}

/* By the hash of the certificate as presented, then of its other form. */
static bool
fingerprint_match(const struct cert_match *list, const struct cert *cert, struct cert_match_hit *hit)
{
	struct disguises d;

	if (hash_match(list, CERT_MATCH_CERT, cert->sha256, hit))
		return true;
	return disguise_match(list, CERT_MATCH_CERT, &d, disguises_of_cert(&d, cert), hit);
}

bool
cert_match_cert(const struct cert_match *list, const struct cert *cert, struct cert_match_hit *hit)
{
	hit->res = RES_OK;
	if (cert_match_has_kind(list, CERT_MATCH_CERT) &&
	    (fingerprint_match(list, cert, hit) || hit->res != RES_OK))
		return hit->res == RES_OK;
	return cert_match_has_kind(list, CERT_MATCH_SERIAL) &&
	       name_match(list, CERT_MATCH_SERIAL, serial_strip(cert->serial), cert->issuer, true, hit);
}

bool
cert_match_key(const struct cert_match *list, const struct cert *cert, struct cert_match_hit *hit)
{
	struct disguises d;

	hit->res = RES_OK;
	if (!cert_match_has_kind(list, CERT_MATCH_SPKI))
		return false;
	if (hash_match(list, CERT_MATCH_SPKI, cert->spki_sha256, hit))
		return true;
	return disguise_match(list, CERT_MATCH_SPKI, &d, disguises_of_key(&d, cert->spki), hit);
}

bool
cert_match_issuer(const struct cert_match *list, const struct cert *cert, struct cert_match_hit *hit)
{
	hit->res = RES_OK;
	return cert_match_has_kind(list, CERT_MATCH_ISSUER) &&
	       name_match(list, CERT_MATCH_ISSUER, (struct span){NULL, 0}, cert->issuer, true, hit);
}

bool
cert_match_subject(const struct cert_match *list, const struct cert *cert, struct cert_match_hit *hit)
{
	hit->res = RES_OK;
	return cert_match_has_kind(list, CERT_MATCH_ISSUER) &&
	       name_match(list, CERT_MATCH_ISSUER, (struct span){NULL, 0}, cert->subject, false, hit);
}
