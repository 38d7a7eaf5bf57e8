/*
 * fuzz_cert.c - one certificate, and everything that is read out of it.
 */
#include "verify/x509/altname.h"
#include "tests/fuzz/fuzz.h"
#include "verify/x509/identity.h"
#include "verify/judge.h"
#include "verify/x509/nameconstraints.h"
#include "verify/x509/strength.h"
#include "verify/x509/usage.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct nameconstraints_budget budget = nameconstraints_budget();
	struct cert c;
	struct usage usage;
	struct sct_check scts;
	char label[JUDGE_LABEL_MAX];

	if (cert_read(&c, span_of(data, n)) != RES_OK)
		return 0;
	if (c.n_ext > CERT_EXTENSIONS_MAX || c.serial.n == 0 || c.signature.n == 0)
		abort();
	judge_label(label, &c);
	if (strlen(label) >= sizeof label)
		abort();
	if (usage_read(&usage, &c) == RES_OK) {
		usage_server_fault(&usage);
		usage_ca_fault(&usage, c.version);
		usage_purpose_fault(&usage);
	}
	usage_unknown_critical(&c);
	strength_key_fault(c.spki);
	strength_signature_fault(c.sig_alg);
	identity_readable(&c);
	identity_has_ip(&c, span_of("\x01\x01\x01\x01", 4));
	identity_has_name(&c, "resolver.lab.test", NULL);
	nameconstraints_fault(&c, &c, &budget);
	cert_must_staple(&c);
	sct_check_open(&scts, &c, NULL);
	sct_check_free(&scts);
	return 0;
}
