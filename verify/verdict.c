#include "verify/verdict.h"

#include <stdlib.h>
#include <string.h>

static void
verdict_cert_clear(struct verdict_cert *c)
{
	free(c->subject);
	free(c->issuer);
	free(c->serial);
}

void
verdict_clear(struct verdict *v)
{
	for (size_t i = 0; i < v->n_findings; i++)
		free(v->findings[i].text);
	for (size_t i = 0; i < v->n_chain; i++)
		verdict_cert_clear(&v->chain[i]);
	for (size_t i = 0; i < v->n_scts; i++) {
		free(v->scts[i].log);
		free(v->scts[i].operator_name);
	}
	for (size_t i = 0; i < v->n_warnings; i++)
		free(v->warnings[i]);
	free(v->findings);
	free(v->chain);
	free(v->scts);
	free(v->warnings);
	free(v->expected_ip);
	free(v->expected_name);
	memset(v, 0, sizeof *v);
}

bool
verdict_accepted(const struct verdict *v)
{
	return v->outcome == OUTCOME_ACCEPTED && !v->out_of_memory;
}

const struct finding *
verdict_finding(const struct verdict *v)
{
	static char no_memory[] = "out of memory";
	static const struct finding starved = {REASON_OUT_OF_MEMORY, true,      VERDICT_NUMBER_NONE,
					       VERDICT_NUMBER_NONE,  no_memory, false};

	if (verdict_accepted(v))
		return NULL;
	for (size_t i = 0; i < v->n_findings; i++)
		if (v->findings[i].enforced)
			return &v->findings[i];
	return v->out_of_memory ? &starved : NULL;
}

enum reason
verdict_reason(const struct verdict *v)
{
	const struct finding *f = verdict_finding(v);

	return f == NULL ? REASON_NONE : f->reason;
}

bool
verdict_has(const struct verdict *v, enum reason r)
{
	for (size_t i = 0; i < v->n_findings; i++)
		if (v->findings[i].reason == r)
			return true;
	return r == REASON_OUT_OF_MEMORY && v->out_of_memory;
}

_Static_assert(REASON_COUNT <= 64, "a set of reasons fits into 64 bits");

bool
finding_reported(const struct finding *f)
{
	return !f->enforced && !f->advice;
}

uint64_t
verdict_reported(const struct verdict *v)
{
	uint64_t set = 0;

	for (size_t i = 0; i < v->n_findings; i++)
		if (finding_reported(&v->findings[i]))
			set |= UINT64_C(1) << v->findings[i].reason;
	return set;
}

/* ---- copying */

/* strdup that counts NULL as a value; *failed when there was no memory. */
static char *
text_copy(const char *s, bool *failed)
{
	char *copy = s == NULL ? NULL : strdup(s);

	if (s != NULL && copy == NULL)
		*failed = true;
	return copy;
}

/* An array as it stands; the caller replaces the pointers inside. */
static void *
array_copy(const void *from, size_t n, size_t size, bool *failed)
{
	void *copy = n == 0 ? NULL : calloc(n, size);

	if (n > 0 && copy == NULL)
		*failed = true;
	else if (n > 0)
		memcpy(copy, from, n * size);
	return copy;
}

static void
verdict_copy_lists(struct verdict *out, const struct verdict *v, bool *failed)
{
	out->findings = array_copy(v->findings, v->n_findings, sizeof *v->findings, failed);
	out->n_findings = out->findings == NULL ? 0 : v->n_findings;
	for (size_t i = 0; i < out->n_findings; i++)
		out->findings[i].text = text_copy(v->findings[i].text, failed);
	out->chain = array_copy(v->chain, v->n_chain, sizeof *v->chain, failed);
	out->n_chain = out->chain == NULL ? 0 : v->n_chain;
	for (size_t i = 0; i < out->n_chain; i++) {
		out->chain[i].subject = text_copy(v->chain[i].subject, failed);
		out->chain[i].issuer = text_copy(v->chain[i].issuer, failed);
		out->chain[i].serial = text_copy(v->chain[i].serial, failed);
	}
	out->scts = array_copy(v->scts, v->n_scts, sizeof *v->scts, failed);
	out->n_scts = out->scts == NULL ? 0 : v->n_scts;
	for (size_t i = 0; i < out->n_scts; i++) {
		out->scts[i].log = text_copy(v->scts[i].log, failed);
		out->scts[i].operator_name = text_copy(v->scts[i].operator_name, failed);
	}
	out->warnings = array_copy(v->warnings, v->n_warnings, sizeof *v->warnings, failed);
	out->n_warnings = out->warnings == NULL ? 0 : v->n_warnings;
	for (size_t i = 0; i < out->n_warnings; i++)
		out->warnings[i] = text_copy(v->warnings[i], failed);
}

enum res
verdict_copy(struct verdict *out, const struct verdict *v)
{
	bool failed = false;

	*out = *v; /* numbers; every pointer is replaced below */
	out->expected_ip = text_copy(v->expected_ip, &failed);
	out->expected_name = text_copy(v->expected_name, &failed);
	verdict_copy_lists(out, v, &failed);
	if (!failed)
		return RES_OK;
	verdict_clear(out);
	return RES_NOMEM;
}
