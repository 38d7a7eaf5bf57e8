#include "verify/verdict.h"
#include "base/text.h"
#include "verify/x509/name.h"
#include "verify/verdict_build.h"

#include <stdio.h>
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
	static char no_memory[] = "no memory to finish the judgement";
	static const struct finding starved = {REASON_OUT_OF_MEMORY, true, VERDICT_NUMBER_NONE,
					       VERDICT_NUMBER_NONE, no_memory};

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
	return !f->enforced && f->reason != REASON_CT_LIST_STALE;
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

/* ---- filling */

/* A sentence as one line; NULL: no memory. */
static char *sentence_new(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static char *
sentence_new(const char *format, va_list args)
{
	char text[VERDICT_TEXT_MAX];

	vsnprintf(text, sizeof text, format, args);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return strdup(text);
}

/* The text is taken. */
static void
verdict_insert(struct verdict *v, struct finding f)
{
	struct finding *more;
	size_t at = v->n_findings;

	for (size_t i = 0; f.text != NULL && i < v->n_findings; i++)
		if (v->findings[i].reason == f.reason && strcmp(v->findings[i].text, f.text) == 0) {
			v->findings[i].enforced |= f.enforced;
			free(f.text);
			return;
		}
	if (v->n_findings == VERDICT_FINDINGS_MAX) {
		free(f.text); /* refused a hundred times over */
		return;
	}
	more = f.text == NULL ? NULL : realloc(v->findings, (v->n_findings + 1) * sizeof *more);
	if (more == NULL) {
		free(f.text);
		v->out_of_memory = true;
		return;
	}
	v->findings = more;
	while (at > 0 && more[at - 1].reason > f.reason)
		at--;
	memmove(more + at + 1, more + at, (v->n_findings - at) * sizeof *more);
	more[at] = f;
	v->n_findings++;
}

void
verdict_add(struct verdict *v, enum reason r, const char *format, ...)
{
	struct finding f = {r, true, VERDICT_NUMBER_NONE, VERDICT_NUMBER_NONE, NULL};
	va_list args;

	va_start(args, format);
	f.text = sentence_new(format, args);
	va_end(args);
	verdict_insert(v, f);
}

void
verdict_note(struct verdict *v, enum reason r, const char *format, ...)
{
	struct finding f = {r, false, VERDICT_NUMBER_NONE, VERDICT_NUMBER_NONE, NULL};
	va_list args;

	va_start(args, format);
	f.text = sentence_new(format, args);
	va_end(args);
	verdict_insert(v, f);
}

void
verdict_add_counts(struct verdict *v, enum reason r, int64_t have, int64_t want, const char *format, ...)
{
	struct finding f = {r, true, have, want, NULL};
	va_list args;

	va_start(args, format);
	f.text = sentence_new(format, args);
	va_end(args);
	verdict_insert(v, f);
}

void
verdict_warn(struct verdict *v, const char *format, ...)
{
	char **more = realloc(v->warnings, (v->n_warnings + 1) * sizeof *more);
	va_list args;

	if (more != NULL) {
		v->warnings = more;
		va_start(args, format);
		more[v->n_warnings] = sentence_new(format, args);
		va_end(args);
		if (more[v->n_warnings] != NULL) {
			v->n_warnings++;
			return;
		}
	}
	v->out_of_memory = true;
}

void
verdict_relax(struct verdict *v, enum reason r)
{
	for (size_t i = 0; i < v->n_findings; i++)
		if (v->findings[i].reason == r)
			v->findings[i].enforced = false;
}

static char *
name_new(struct span name)
{
	struct buf b = buf_max(4 * CERT_BYTES_MAX);
	enum res r = name_text(&b, name);
	char *text;

	if (buf_ok(&b) && (r == RES_MALFORMED || r == RES_LIMIT))
		text_escape(&b, name); /* not a Name at all; shown as it stands */
	text = r == RES_NOMEM ? NULL : buf_take_cstr(&b);
	buf_free(&b);
	return text;
}

static char *
serial_new(struct span serial)
{
	char *text;

	while (serial.n > 1 && serial.p[0] == 0)
		serial = span_slice(serial, 1, serial.n);
	text = malloc(2 * serial.n + 1);
	return text == NULL ? NULL : hex_write(text, serial);
}

void
verdict_show_chain(struct verdict *v, const struct cert *const *certs, size_t n, bool verified)
{
	v->chain_verified = verified;
	if (n == 0)
		return;
	v->chain = calloc(n, sizeof *v->chain);
	if (v->chain == NULL) {
		v->out_of_memory = true;
		return;
	}
	v->n_chain = n;
	for (size_t i = 0; i < n; i++) {
		struct verdict_cert *c = &v->chain[i];

		c->subject = name_new(certs[i]->subject);
		c->issuer = name_new(certs[i]->issuer);
		c->serial = serial_new(certs[i]->serial);
		c->not_before_ms = certs[i]->not_before_ms;
		c->not_after_ms = certs[i]->not_after_ms;
		memcpy(c->sha256, certs[i]->sha256, 32);
		memcpy(c->spki_sha256, certs[i]->spki_sha256, 32);
		if (c->subject == NULL || c->issuer == NULL || c->serial == NULL)
			v->out_of_memory = true;
	}
}

void
verdict_close(struct verdict *v, bool complete)
{
	v->outcome = OUTCOME_REFUSED;
	if (!complete && verdict_reason(v) == REASON_NONE)
		v->out_of_memory = true; /* a stage that stops says why, or had no memory to */
	if (v->out_of_memory)
		verdict_add(v, REASON_OUT_OF_MEMORY, "%s", reason_sentence(REASON_OUT_OF_MEMORY));
	else if (verdict_reason(v) == REASON_NONE)
		v->outcome = OUTCOME_ACCEPTED;
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
