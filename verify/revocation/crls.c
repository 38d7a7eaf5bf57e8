/*
 * The lists of one upstream, as files gave them.
 */
#include "verify/revocation/crls.h"

#include "verify/revocation/revocation.h"
#include "verify/why.h"
#include "verify/x509/der.h"
#include "verify/x509/pem.h"

#include <stdlib.h>

enum res
crls_new(struct crls **out)
{
	struct crls *all = calloc(1, sizeof *all);

	if (all == NULL)
		return RES_NOMEM;
	*out = all;
	return RES_OK;
}

void
crls_free(struct crls *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		crl_free(all->crl[i]);
	free(all);
}

size_t
crls_count(const struct crls *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->crl[i]->usable;
	return n;
}

static bool
crls_have(const struct crls *all, struct span der)
{
	for (size_t i = 0; i < all->n; i++)
		if (span_equal(span_of(all->crl[i]->der, all->crl[i]->n), der))
			return true;
	return false;
}

/* The same list twice is kept once. */
static enum res
crl_add(struct crls *all, struct span der, char **why)
{
	struct crl *crl;
	enum res res;

	if (crls_have(all, der))
		return RES_OK;
	if (all->n == CRLS_MAX)
		return why_say(why, RES_LIMIT, "more than %d CRLs", CRLS_MAX);
	if (why != NULL)
		*why = NULL;
	res = crl_new(&crl, der, why);
	if (crl != NULL)
		all->crl[all->n++] = crl;
	return res;
}

enum res
crls_add(struct crls *all, struct span file, char **why)
{
	struct buf der = buf_max(CRL_FILE_MAX);
	size_t read = 0;
	enum res res = RES_OK;

	if (file.n > CRL_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", CRL_FILE_MAX);
	if (file.n > 0 && file.p[0] == DER_SEQUENCE)
		return crl_add(all, file, why);
	for (; res == RES_OK; read++) {
		buf_clear(&der);
		res = pem_next(&der, &file, "X509 CRL");
		if (res == RES_OK)
			res = crl_add(all, buf_span(&der), why);
		else if (res != RES_NOT_FOUND)
			(void)why_say(why, res, "a PEM block that cannot be read");
	}
	buf_free(&der);
	if (res != RES_NOT_FOUND)
		return res;
	return read > 1 ? RES_OK : why_say(why, RES_NOT_FOUND, "no CRL in it, neither PEM nor DER");
}
