#include "verify/x509/idn.h"

#include "base/text.h"

#include <gnutls/gnutls.h>

#include <string.h>

enum res
idn_to_ascii(struct buf *out, struct span utf8)
{
	char text[IDN_TEXT_MAX + 1];
	gnutls_datum_t ascii = {NULL, 0};
	int rc;

	if (utf8.n > IDN_TEXT_MAX)
		return RES_LIMIT;
	if (utf8.n == 0 || !utf8_ok(utf8) || memchr(utf8.p, '\0', utf8.n) != NULL)
		return RES_MALFORMED;
	memcpy(text, utf8.p, utf8.n);
	text[utf8.n] = '\0';
	rc = gnutls_idna_map(text, (unsigned)utf8.n, &ascii, 0);
	if (rc < 0)
		return rc == GNUTLS_E_MEMORY_ERROR ? RES_NOMEM : RES_MALFORMED;
	buf_put(out, span_of(ascii.data, ascii.size));
	gnutls_free(ascii.data);
	return buf_ok(out) ? RES_OK : RES_NOMEM;
}
