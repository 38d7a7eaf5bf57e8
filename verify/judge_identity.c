#include "verify/judge.h"
#include "verify/x509/identity.h"

#include <stdlib.h>

static bool
address_borne(const struct judgement *j)
{
	if (identity_has_ip(&j->certs[0], j->in->ip))
		return true;
	for (size_t i = 0; i < j->in->n_also_ips; i++)
		if (identity_has_ip(&j->certs[0], j->in->also_ips[i]))
			return true;
	return false;
}

static void
mismatch_add(struct judgement *j, enum reason r, const char *what, const char *wanted)
{
	struct buf borne = buf_max(IDENTITY_TEXT_SHOWN * (IDENTITY_NAME_MAX + 8) + 32);
	char *text;

	identity_text(&borne, &j->certs[0]);
	text = buf_take_cstr(&borne);
	buf_free(&borne);
	j->v->out_of_memory |= text == NULL;
	verdict_add(j->v, r, "the certificate does not bear the %s %s; it bears %s", what,
		    wanted == NULL ? "that was expected" : wanted, text == NULL ? "others" : text);
	free(text);
}

bool
judge_identity(struct judgement *j)
{
	bool ip = j->in->ip.n > 0, name = j->in->name != NULL && j->in->name[0] != '\0';

	if (!ip && !name)
		verdict_add(j->v, REASON_IP_MISMATCH,
			    "neither an address nor a name was given to compare with");
	if (!identity_readable(&j->certs[0]))
		judge_cert_fault(j, REASON_CERT_MALFORMED, &j->certs[0],
				 "its alternative names cannot be read");
	if (ip && !address_borne(j))
		mismatch_add(j, REASON_IP_MISMATCH, "address", j->v->expected_ip);
	if (name && !identity_has_name(&j->certs[0], j->in->name, j->policy->is_public_suffix))
		mismatch_add(j, REASON_NAME_MISMATCH, "name", j->in->name);
	return true;
}
