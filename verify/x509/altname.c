#include "verify/x509/altname.h"
#include "verify/x509/oid.h"

enum res
altname_read(struct altname *out, struct der_reader *in)
{
	struct der_element e = der_any(in);
	struct der_reader inner = der_over(e.body);

	switch (e.id) {
	case DER_CONTEXT(1):
	case DER_CONTEXT(2):
	case DER_CONTEXT(6):
	case DER_CONTEXT(7):
	case DER_CONTEXT(8):
	case DER_CONTEXT_CONS(0):
	case DER_CONTEXT_CONS(3):
	case DER_CONTEXT_CONS(5):
		*out = (struct altname){(enum altname_kind)(e.id & 0x1f), e.body};
		return RES_OK;
	case DER_CONTEXT_CONS(4): /* Name is a CHOICE, so its tag is explicit */
		*out = (struct altname){ALTNAME_DIRECTORY, der_take(&inner, DER_SEQUENCE).whole};
		if (der_done(&inner))
			return RES_OK;
	}
	in->bad = true;
	return RES_MALFORMED;
}

struct der_reader
altname_list(const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_SUBJECT_ALT_NAME);
	struct der_reader list;

	if (ext == NULL)
		return der_over((struct span){NULL, 0});
	list = der_only(ext->value, DER_SEQUENCE);
	if (!der_more(&list)) /* SIZE (1..MAX) */
		list.bad = true;
	return list;
}

bool
altname_next(struct altname *out, struct der_reader *list)
{
	return der_more(list) && altname_read(out, list) == RES_OK;
}
