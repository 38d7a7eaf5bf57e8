/* The client's own certificate and key (mutual TLS). The caller wipes the bytes of the key. */
#include "transport/tls_session.h"
#include "transport/transport.h"

#include <stdlib.h>

enum res
tp_identity_new(struct tp_identity **out, struct span cert, struct span key, const char **why)
{
	gnutls_datum_t c = {(unsigned char *)(uintptr_t)cert.p, (unsigned)cert.n};
	gnutls_datum_t k = {(unsigned char *)(uintptr_t)key.p, (unsigned)key.n};
	struct tp_identity *identity = calloc(1, sizeof *identity);
	int code;

	*why = res_text(RES_NOMEM);
	if (identity == NULL || tls_credentials_new(&identity->credentials) != RES_OK) {
		tp_identity_free(identity);
		return RES_NOMEM;
	}
	code =
	    gnutls_certificate_set_x509_key_mem2(identity->credentials, &c, &k, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code < 0) {
		*why = gnutls_strerror(code);
		tp_identity_free(identity);
		return RES_MALFORMED;
	}
	*out = identity;
	return RES_OK;
}

void
tp_identity_free(struct tp_identity *identity)
{
	if (identity == NULL)
		return;
	if (identity->credentials != NULL)
		gnutls_certificate_free_credentials(identity->credentials);
	free(identity);
}
