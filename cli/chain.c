#include "cli/cli.h"

#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/pem.h"

static enum res
chain_read_pem(struct chain *chain, struct span pem)
{
	size_t at[CHAIN_CERTS_MAX + 1] = {0};
	enum res res = RES_OK;

	while (chain->n < CHAIN_CERTS_MAX) {
		res = pem_next(&chain->der, &pem, "CERTIFICATE");
		if (res == RES_NOT_FOUND || res == RES_NOMEM)
			break;
		at[++chain->n] = chain->der.n;
		if (res != RES_OK) /* nothing was added: an empty certificate, which no judge accepts */
			break;
	}
	for (size_t i = 0; i < chain->n; i++) /* now that the bytes stay where they are */
		chain->cert[i] = span_slice(buf_span(&chain->der), at[i], at[i + 1] - at[i]);
	return res == RES_NOMEM ? RES_NOMEM : RES_OK;
}

/* SEQUENCEs from the first byte to the last. */
static enum res
chain_read_der(struct chain *chain, struct span der)
{
	struct der_reader in;

	buf_put(&chain->der, der);
	if (!buf_ok(&chain->der))
		return RES_NOMEM;
	in = der_over(buf_span(&chain->der));
	while (der_more(&in) && chain->n < CHAIN_CERTS_MAX)
		chain->cert[chain->n++] = der_take(&in, DER_SEQUENCE).whole;
	if (in.bad)
		chain->n = 0;
	return RES_OK;
}

enum res
chain_read(struct chain *chain, struct span text)
{
	enum res res;

	*chain = (struct chain){.der = buf_max(CHAIN_FILE_MAX)};
	res = chain_read_pem(chain, text);
	return res == RES_OK && chain->n == 0 ? chain_read_der(chain, text) : res;
}

enum res
chain_of_journal(struct chain *chain, const struct journal_record *r)
{
	size_t at[JOURNAL_CHAIN_MAX + 1] = {0};
	enum res res = RES_OK;

	*chain = (struct chain){.der = buf_max(CHAIN_FILE_MAX)};
	for (size_t i = 0; res == RES_OK && i < r->n_chain; i++) {
		res = base64_read(&chain->der, r->chain[i]);
		at[i + 1] = chain->der.n;
	}
	for (size_t i = 0; res == RES_OK && i < r->n_chain; i++)
		chain->cert[chain->n++] = span_slice(buf_span(&chain->der), at[i], at[i + 1] - at[i]);
	return res;
}

void
chain_free(struct chain *chain)
{
	buf_free(&chain->der);
	chain->n = 0;
}
