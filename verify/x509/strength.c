#include "verify/x509/strength.h"
#include "verify/x509/algorithm.h"
#include "verify/x509/spki.h"

const char *
strength_key_fault(struct span spki)
{
	struct spki key;

	return spki_read(&key, spki);
}

const char *
strength_signature_fault(struct span sig_alg)
{
	struct algorithm algorithm;
	enum res r = algorithm_read(&algorithm, sig_alg);

	if (r == RES_MALFORMED)
		return "signed with parameters that do not fit the algorithm";
	if (r != RES_OK || algorithm.weak)
		return "signed with SHA-1, MD5 or another untrusted algorithm";
	return NULL;
}
