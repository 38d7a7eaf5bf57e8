#include "verify/verdict_build.h"

#include "base/text.h"
#include "verify/x509/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

_Static_assert(VERDICT_FINDINGS_MAX > 2 * REASON_COUNT, "a full verdict has two findings of one kind");

/* Is there one of the same kind, that refuses or not for the same reason, among the first n? */
static bool
kind_is_among(const struct verdict *v, size_t n, const struct finding *f)
{
	for (size_t i = 0; i < n; i++)
		if (v->findings[i].reason == f->reason && v->findings[i].enforced == f->enforced)
			return true;
	return false;
}

/* Makes room in a full verdict for the first finding of a kind. The last finding of a kind that has others is removed, so
 * that the verdict never loses a reason, or whether it refuses. False: the kind is there, and the finding is not needed. */
static bool
room_make(struct verdict *v, const struct finding *f)
{
	size_t at = v->n_findings;

	if (kind_is_among(v, v->n_findings, f))
		return false;
	do
		at--;
	while (!kind_is_among(v, at, &v->findings[at]));
	free(v->findings[at].text);
	v->n_findings--;
	memmove(v->findings + at, v->findings + at + 1, (v->n_findings - at) * sizeof *f);
	return true;
}

/* The text is taken. */
static void
verdict_insert(struct verdict *v, struct finding f)
{
	struct finding *more;
	size_t at;

	for (size_t i = 0; f.text != NULL && i < v->n_findings; i++)
		if (v->findings[i].reason == f.reason && strcmp(v->findings[i].text, f.text) == 0) {
			v->findings[i].enforced |= f.enforced;
			free(f.text);
			return;
		}
	if (f.text != NULL && v->n_findings == VERDICT_FINDINGS_MAX && !room_make(v, &f)) {
		free(f.text);
		return;
	}
	more = f.text == NULL ? NULL : realloc(v->findings, (v->n_findings + 1) * sizeof *more);
	if (more == NULL) {
		free(f.text);
		v->out_of_memory = true;
		return;
	}
	v->findings = more;
	at = v->n_findings;
	while (at > 0 && more[at - 1].reason > f.reason)
		at--;
	memmove(more + at + 1, more + at, (v->n_findings - at) * sizeof *more);
	more[at] = f;
	v->n_findings++;
}

void
verdict_add(struct verdict *v, enum reason r, const char *format, ...)
{
	struct finding f = {r, true, VERDICT_NUMBER_NONE, VERDICT_NUMBER_NONE, NULL, false};
	va_list args;

	va_start(args, format);
	f.text = sentence_new(format, args);
	va_end(args);
	verdict_insert(v, f);
}

void
verdict_note(struct verdict *v, enum reason r, const char *format, ...)
{
	struct finding f = {r, false, VERDICT_NUMBER_NONE, VERDICT_NUMBER_NONE, NULL, false};
	va_list args;

	va_start(args, format);
	f.text = sentence_new(format, args);
	va_end(args);
	verdict_insert(v, f);
}

void
verdict_add_counts(struct verdict *v, enum reason r, int64_t have, int64_t want, const char *format, ...)
{
	struct finding f = {r, true, have, want, NULL, false};
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

void
verdict_advise(struct verdict *v, enum reason r)
{
	verdict_relax(v, r);
	for (size_t i = 0; i < v->n_findings; i++)
		v->findings[i].advice |= v->findings[i].reason == r;
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

/* Most names occur twice in a chain: the text of an equal one is used again. */
static char *
name_again(const char *text, struct span of, struct span name)
{
	return text != NULL && span_equal(of, name) ? strdup(text) : name_new(name);
}

void
verdict_show_chain(struct verdict *v, const struct cert *const *certs, size_t n, bool verified)
{
	v->chain_verified = verified;
	v->chain = calloc(n, sizeof *v->chain);
	if (v->chain == NULL) {
		v->out_of_memory = true;
		return;
	}
	v->n_chain = n;
	for (size_t i = 0; i < n; i++) {
		struct verdict_cert *c = &v->chain[i];

		c->subject = i > 0 ? name_again(c[-1].issuer, certs[i - 1]->issuer, certs[i]->subject)
				   : name_new(certs[i]->subject);
		c->issuer = name_again(c->subject, certs[i]->subject, certs[i]->issuer);
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
