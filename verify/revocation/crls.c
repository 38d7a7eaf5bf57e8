/*
 * The CRLs of one upstream, read from files.
 */
#include "verify/revocation/crls.h"

#include "base/text.h"
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
	faults_clear(&all->left_out);
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

/* A duplicate list is kept once. */
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

struct faults *
crls_left_out(struct crls *all)
{
	return &all->left_out;
}

void
crls_lack(struct crls *all)
{
	all->lacking = true;
}

/* One block after the other; *first and *why: the first that cannot be used. */
static enum res
crls_add_blocks(struct crls *all, struct span file, enum res *first, char **why)
{
	static const char *const labels[] = {"X509 CRL"};
	struct pem_text text = pem_text_over(file);
	size_t label, line;
	enum res res = RES_OK;

	*why = NULL;
	*first = RES_OK;
	while (res == RES_OK) {
		struct buf der = buf_max(CRL_FILE_MAX);
		char *sentence = NULL;

		res = pem_next_of(&der, &text, labels, 1, &label, &line);
		if (res == RES_OK)
			res = crl_add(all, buf_span(&der), &sentence);
		else if (res != RES_NOT_FOUND)
			(void)why_say(&sentence, res, "a PEM block that cannot be read");
		buf_free(&der);
		if (res == RES_OK || res == RES_NOT_FOUND || res == RES_NOMEM) {
			free(sentence);
			continue;
		}
		if (*first == RES_OK)
			*first = why_say(why, res, "%s", sentence != NULL ? sentence : res_text(res));
		(void)why_prefix(&sentence, res, "CRL left out");
		faults_add(&all->left_out, line, sentence);
		res = RES_OK;
	}
	return res;
}

enum res
crls_add(struct crls *all, struct span file, char **why)
{
	size_t before = crls_count(all);
	char *sentence = NULL;
	enum res res, first;

	if (file.n > CRL_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", CRL_FILE_MAX);
	if (file.n > 0 && file.p[0] == DER_SEQUENCE)
		return crl_add(all, file, why);
	res = crls_add_blocks(all, file, &first, &sentence);
	if (res != RES_NOT_FOUND)
		res = why_say(why, res, "no memory");
	else if (crls_count(all) > before)
		res = RES_OK;
	else if (first != RES_OK)
		res = why_say(why, first, "%s", sentence != NULL ? sentence : res_text(first));
	else
		res =
		    why_say(why, RES_NOT_FOUND, "%s",
			    text_foreign(file) != NULL ? text_foreign(file) : "no CRL, neither PEM nor DER");
	free(sentence);
	return res;
}
