#include "verify/x509/signature.h"

#include "verify/x509/datum.h"
#include "verify/x509/sigform.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

/* Bytes that are hashed in a tenth of a check of RSA-4096: by the slowest, SHAKE256 of Ed448. SHA-256 takes five times
 * as many. */
#define BYTES_PER_COST 3072

bool
signature_budget_take(struct signature_budget *b, unsigned cost)
{
	if (b->used >= b->max || cost > b->cost_max - b->cost)
		return false;
	b->used++;
	b->cost += cost;
	return true;
}

enum res
signature_known(struct signature_fact *fact, struct signature_budget *b, enum sigcache_kind kind,
		const struct span *parts, size_t n)
{
	unsigned cost;

	fact->keyed = b->known != NULL && sigcache_key(&fact->key, kind, parts, n);
	fact->cost = b->cost;
	cost = fact->keyed ? sigcache_cost(b->known, &fact->key) : 0;
	if (cost == 0)
		return RES_NOT_FOUND;
	return signature_budget_take(b, cost) ? RES_OK : RES_LIMIT;
}

void
signature_keep(const struct signature_fact *fact, struct signature_budget *b)
{
	if (fact->keyed && b->cost > fact->cost)
		sigcache_add(b->known, &fact->key, (unsigned)(b->cost - fact->cost));
}

unsigned
signature_cost(const struct spki *key, size_t bytes)
{
	return key->cost + (unsigned)(bytes / BYTES_PER_COST);
}

/* EdDSA hashes the message itself, so the cost of a check depends on its length. */
static bool
is_eddsa(const struct algorithm *a)
{
	return a->family == ALGORITHM_ED25519 || a->family == ALGORITHM_ED448;
}

enum res
signature_hash(struct signature *s)
{
	if (is_eddsa(&s->algorithm) || s->digest_n > 0)
		return RES_OK;
	if (gnutls_hash_fast(s->algorithm.digest, s->bytes.p, s->bytes.n, s->digest) < 0)
		return RES_NOMEM;
	s->digest_n = gnutls_hash_get_len(s->algorithm.digest);
	return RES_OK;
}

/* GnuTLS takes the length of the salt from the key. */
static int
salt_set(gnutls_pubkey_t key, const struct algorithm *a)
{
	gnutls_x509_spki_t spki;
	int rc = gnutls_x509_spki_init(&spki);

	if (rc < 0)
		return rc;
	gnutls_x509_spki_set_rsa_pss_params(spki, a->digest, (unsigned)a->salt);
	rc = gnutls_pubkey_set_spki(key, spki, 0);
	gnutls_x509_spki_deinit(spki);
	return rc;
}

/* GnuTLS's result: an error, or else the signature is valid. */
static int
computed(const struct signature *s, struct span spki)
{
	const unsigned any = GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
	gnutls_datum_t der = datum_of(spki), bytes = datum_of(s->bytes), value = datum_of(s->value);
	gnutls_datum_t digest = datum_of(span_of(s->digest, s->digest_n));
	gnutls_pubkey_t key;
	int rc = gnutls_pubkey_init(&key);

	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER);
	if (rc >= 0 && s->algorithm.family == ALGORITHM_RSA_PSS)
		rc = salt_set(key, &s->algorithm);
	if (rc >= 0)
		rc = s->digest_n > 0
			 ? gnutls_pubkey_verify_hash2(key, s->algorithm.sign, any, &digest, &value)
			 : gnutls_pubkey_verify_data2(key, s->algorithm.sign, any, &bytes, &value);
	gnutls_pubkey_deinit(key);
	return rc;
}

enum res
signature_check(const struct signature *s, struct span spki, struct signature_budget *budget)
{
	struct spki key;
	int rc;

	if (spki_read(&key, spki) != NULL || !signature_form_fits(&s->algorithm, &key, s->value))
		return RES_NOT_FOUND;
	if (!signature_budget_take(budget, s->digest_n > 0 ? key.cost : signature_cost(&key, s->bytes.n)))
		return RES_LIMIT;
	rc = computed(s, spki);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_NOT_FOUND;
}

enum res
signature_read_strong(struct signature *out, struct span bytes, struct span sig_alg, struct span value)
{
	struct signature s = {.bytes = bytes, .value = value};
	enum res res;

	if (algorithm_read(&s.algorithm, sig_alg) != RES_OK || s.algorithm.weak)
		return RES_UNSUPPORTED;
	res = signature_hash(&s);
	if (res == RES_OK)
		*out = s;
	return res;
}

enum res
signature_by_key(const struct cert *c, struct span spki, struct signature_budget *budget)
{
	struct signature s = {.bytes = c->tbs, .value = c->signature};

	if (algorithm_read(&s.algorithm, c->sig_alg) != RES_OK)
		return RES_NOT_FOUND;
	return signature_check(&s, spki, budget);
}
