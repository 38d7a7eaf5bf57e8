#include "base/text.h"
#include "verify/verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1024 * 1024)

/* A string that came from outside, fit for a terminal. */
static void
put_safe(struct buf *out, const char *text)
{
	for (const char *p = text == NULL ? "?" : text; *p != '\0'; p++)
		buf_u8(out, (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : (uint8_t)*p);
}

static void
text_put_line(struct buf *out, const char *label, const char *text)
{
	buf_format(out, "%-12s ", label);
	put_safe(out, text);
	buf_u8(out, '\n');
}

/* Is the reason about SCTs? Then the text says what CT is. */
static bool
is_about_scts(enum reason r)
{
	return r == REASON_CT_MALFORMED || r == REASON_CT_NO_SCTS || r == REASON_CT_TOO_FEW_SCTS ||
	       r == REASON_CT_TOO_FEW_OPERATORS || r == REASON_CT_NO_CURRENT_LOG;
}

static void
text_findings(struct buf *out, const struct verdict *v)
{
	bool shown = !v->out_of_memory, scts = false;

	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];

		shown |= f->reason == REASON_OUT_OF_MEMORY;
		scts |= is_about_scts(f->reason);
		buf_format(out, "%-12s %s: ",
			   f->enforced           ? "refused"
			   : finding_reported(f) ? "would refuse"
						 : "noted",
			   reason_code(f->reason));
		put_safe(out, f->text);
		buf_u8(out, '\n');
	}
	if (scts) {
		text_put_line(out, "",
			      "(an SCT is the signed promise of a public log to publish the certificate;");
		text_put_line(out, "",
			      "with too few of them it may have been issued without anybody noticing it)");
	}
	if (!shown)
		text_put_line(out, "refused", reason_sentence(REASON_OUT_OF_MEMORY));
	for (size_t i = 0; i < v->n_warnings; i++)
		text_put_line(out, "warning", v->warnings[i]);
}

static void
text_hash(struct buf *out, const char *label, const uint8_t hash[32])
{
	char hex[65];

	buf_format(out, "     %s %s\n", label, hex_write(hex, span_of(hash, 32)));
}

/* The two hashes are written as in entries of disallow lists and pins. */
static void
text_cert(struct buf *out, size_t place, const struct verdict_cert *c)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	buf_format(out, "  %2zu ", place);
	put_safe(out, c->subject == NULL || c->subject[0] == '\0' ? "(empty subject)" : c->subject);
	buf_text(out, "\n     issued by ");
	put_safe(out, c->issuer);
	buf_format(out, "\n     valid from %s, expires %s, serial ", time_text(c->not_before_ms, from),
		   time_text(c->not_after_ms, to));
	put_safe(out, c->serial);
	buf_u8(out, '\n');
	text_hash(out, "cert-sha256", c->sha256);
	text_hash(out, "spki-sha256", c->spki_sha256);
}

static void
text_chain(struct buf *out, const struct verdict *v)
{
	if (v->n_chain > 0)
		buf_text(out, v->chain_verified ? "chain        verified, from the server to the anchor:\n"
						: "chain        as presented, not verified:\n");
	for (size_t i = 0; i < v->n_chain; i++)
		text_cert(out, i, &v->chain[i]);
}

static void
text_scts(struct buf *out, const struct verdict *v)
{
	char at[TIME_TEXT_MAX];
	size_t counts = 0;

	for (size_t i = 0; i < v->n_scts; i++)
		counts += v->scts[i].counts;
	if (v->n_scts == 0) {
		text_put_line(out, "timestamps",
			      "none: nothing shows that this certificate was published in a CT log");
		return;
	}
	buf_format(out, "%-12s %zu of %zu count as proof of publication in CT logs:\n", "timestamps", counts,
		   v->n_scts);
	for (size_t i = 0; i < v->n_scts; i++) {
		const struct verdict_sct *s = &v->scts[i];

		buf_format(out, "  %s  %s  ", s->counts ? "yes" : "no ", time_text_ms(s->timestamp_ms, at));
		if (s->log == NULL) {
			buf_text(out, "log ");
			base64_write(out, span_of(s->log_id, 32));
		} else {
			put_safe(out, s->log);
		}
		if (s->operator_name != NULL) {
			buf_text(out, " (");
			put_safe(out, s->operator_name);
			buf_u8(out, ')');
		}
		buf_format(out, ": %s", sct_status_sentence(s->status));
		if (s->status == SCT_STATUS_VALID && !s->counts)
			buf_text(out, ", but the policy counts no more SCTs of its operator");
		buf_u8(out, '\n');
	}
}

static void
text_list_age(struct buf *out, const struct verdict *v)
{
	int64_t days = (v->at_ms - v->log_list_ms) / 86400000;
	char text[TIME_TEXT_MAX];

	buf_format(out, "%-12s of %s, ", "log list", time_text(v->log_list_ms, text));
	if (v->at_ms < v->log_list_ms)
		buf_text(out, "newer than the time of the judgement\n");
	else
		buf_format(out, "%s old\n", COUNTED(days, "day"));
}

static void
text_ends(struct buf *out, const struct verdict *v)
{
	char text[TIME_TEXT_MAX];

	if (v->log_list_ms != VERDICT_NUMBER_NONE)
		text_list_age(out, v);
	if (v->valid_until_ms != VERDICT_NUMBER_NONE)
		text_put_line(out, "valid until", time_text(v->valid_until_ms, text));
	text_put_line(out, "judged at", time_text(v->at_ms, text));
	if (v->report_until_ms != 0)
		text_put_line(out, "reports until", time_text(v->report_until_ms, text));
}

char *
verdict_text(const struct verdict *v)
{
	struct buf out = buf_max(TEXT_MAX);
	char *text;

	text_put_line(&out, "outcome", verdict_accepted(v) ? "accepted" : "refused");
	if (v->expected_ip != NULL)
		text_put_line(&out, "address", v->expected_ip);
	if (v->expected_name != NULL)
		text_put_line(&out, "name", v->expected_name);
	text_findings(&out, v);
	text_chain(&out, v);
	text_scts(&out, v);
	text_ends(&out, v);
	text = buf_take_cstr(&out);
	buf_free(&out);
	return text;
}
