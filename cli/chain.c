#include "cli/cli.h"
#include "verify/x509/pem.h"

enum res
chain_read(struct chain *chain, struct span pem)
{
	size_t at[CHAIN_CERTS_MAX + 1] = {0};
	enum res res = RES_OK;

	*chain = (struct chain){.der = buf_max(CHAIN_FILE_MAX)};
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

void
chain_free(struct chain *chain)
{
	buf_free(&chain->der);
	chain->n = 0;
}
