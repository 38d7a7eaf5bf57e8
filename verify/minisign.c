#include "verify/minisign.h"

#include "base/text.h"
#include "verify/why.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include <string.h>

#define UNTRUSTED "untrusted comment: "
#define TRUSTED   "trusted comment: "

static bool
starts_with(struct span line, const char *with)
{
	struct span begin = span_str(with);

	return line.n >= begin.n && span_equal(span_slice(line, 0, begin.n), begin);
}

/* The next line as base64 of exactly n bytes. */
static bool
bytes_take(uint8_t *out, size_t n, struct span *text)
{
	struct buf raw = buf_max(n);
	struct span line;
	bool ok = text_line_take(text, &line) && base64_read(&raw, line) == RES_OK && raw.n == n;

	if (ok)
		memcpy(out, raw.p, n);
	buf_free(&raw);
	return ok;
}

static bool
comment_take(struct span *text, const char *kind, struct span *comment)
{
	struct span line;

	if (!text_line_take(text, &line) || !starts_with(line, kind) || !text_is_plain(line))
		return false;
	*comment = span_slice(line, span_str(kind).n, line.n);
	return true;
}

enum res
minisign_key_read(struct minisign_key *out, struct span file, char **why)
{
	uint8_t raw[2 + MINISIGN_ID + MINISIGN_KEY];
	struct span comment;

	if (file.n > MINISIGN_FILE_MAX || !comment_take(&file, UNTRUSTED, &comment) ||
	    !bytes_take(raw, sizeof raw, &file) || file.n != 0 || memcmp(raw, "Ed", 2) != 0)
		return why_say(why, RES_MALFORMED,
			       "a minisign public key was expected: a comment and a line of base64");
	memcpy(out->id, raw + 2, MINISIGN_ID);
	memcpy(out->key, raw + 2 + MINISIGN_ID, MINISIGN_KEY);
	return RES_OK;
}

static bool
signed_by(const struct minisign_key *key, struct span data, const uint8_t signature[MINISIGN_SIG])
{
	uint8_t point[MINISIGN_KEY], sig[MINISIGN_SIG];
	const gnutls_datum_t x = {point, sizeof point}, s = {sig, sizeof sig},
			     d = {(unsigned char *)(uintptr_t)data.p, (unsigned)data.n};
	gnutls_pubkey_t pubkey = NULL;
	bool ok;

	memcpy(point, key->key, sizeof point);
	memcpy(sig, signature, sizeof sig);
	ok = data.n <= UINT32_MAX && gnutls_pubkey_init(&pubkey) >= 0 &&
	     gnutls_pubkey_import_ecc_raw(pubkey, GNUTLS_ECC_CURVE_ED25519, &x, NULL) >= 0 &&
	     gnutls_pubkey_verify_data2(pubkey, GNUTLS_SIGN_EDDSA_ED25519, 0, &d, &s) >= 0;
	if (pubkey != NULL)
		gnutls_pubkey_deinit(pubkey);
	return ok;
}

/* The trusted comment is signed together with the signature, so that neither can be put beside another. */
static bool
comment_is_signed(const struct minisign_key *key, const uint8_t signature[MINISIGN_SIG], struct span comment,
		  const uint8_t global[MINISIGN_SIG])
{
	struct buf both = buf_max(MINISIGN_SIG + MINISIGN_FILE_MAX);
	bool ok;

	buf_put(&both, span_of(signature, MINISIGN_SIG));
	buf_put(&both, comment);
	ok = buf_ok(&both) && signed_by(key, buf_span(&both), global);
	buf_free(&both);
	return ok;
}

enum res
minisign_verify(const struct minisign_key *key, struct span data, struct span signature, struct span *comment,
		char **why)
{
	uint8_t raw[2 + MINISIGN_ID + MINISIGN_SIG], global[MINISIGN_SIG];
	struct span untrusted, trusted, rest = signature;

	if (rest.n > MINISIGN_FILE_MAX || !comment_take(&rest, UNTRUSTED, &untrusted) ||
	    !bytes_take(raw, sizeof raw, &rest) || !comment_take(&rest, TRUSTED, &trusted) ||
	    !bytes_take(global, sizeof global, &rest) || rest.n != 0)
		return why_say(why, RES_MALFORMED, "it is not a minisign signature");
	if (memcmp(raw, "ED", 2) == 0)
		return why_say(why, RES_UNSUPPORTED,
			       "the signature is over a BLAKE2b hash; sign with `minisign -S -l`");
	if (memcmp(raw, "Ed", 2) != 0)
		return why_say(why, RES_UNSUPPORTED, "the signature is of an unknown kind");
	if (memcmp(raw + 2, key->id, MINISIGN_ID) != 0)
		return why_say(why, RES_MALFORMED, "the signature is by another key");
	if (!signed_by(key, data, raw + 2 + MINISIGN_ID))
		return why_say(why, RES_MALFORMED, "the signature is not of this file");
	if (!comment_is_signed(key, raw + 2 + MINISIGN_ID, trusted, global))
		return why_say(why, RES_MALFORMED, "the trusted comment was changed");
	if (comment != NULL)
		*comment = trusted;
	return RES_OK;
}
