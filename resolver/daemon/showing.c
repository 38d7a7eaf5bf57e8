#include "resolver/daemon/showing.h"

#include "base/text.h"

#define CHAIN_TEXT_MAX JOURNAL_LINE_MAX /* more does not fit into a line */

static struct span
hex_of(char *out, const uint8_t sha256[32])
{
	return span_str(hex_write(out, span_of(sha256, 32)));
}

static void
leaf_take(struct journal_record *r, struct showing *text, const struct verdict *v)
{
	const struct verdict_cert *leaf = &v->chain[0];

	r->subject = span_str(leaf->subject);
	r->issuer = span_str(leaf->issuer);
	r->serial = span_str(leaf->serial);
	r->not_before_ms = leaf->not_before_ms;
	r->not_after_ms = leaf->not_after_ms;
	r->sha256 = hex_of(text->sha256, leaf->sha256);
	r->spki_sha256 = hex_of(text->spki_sha256, leaf->spki_sha256);
	if (!v->chain_verified)
		return;
	r->issuer_spki_sha256 = hex_of(text->issuer_spki_sha256, v->chain[v->n_chain > 1].spki_sha256);
	r->anchor = span_str(v->chain[v->n_chain - 1].subject);
	r->anchor_spki_sha256 = hex_of(text->anchor_spki_sha256, v->chain[v->n_chain - 1].spki_sha256);
}

static void
logs_take(struct journal_record *r, struct showing *text, const struct verdict *v)
{
	for (size_t i = 0; i < v->n_scts && r->n_log_id < JOURNAL_SCTS_MAX; i++) {
		struct buf id = {.p = (uint8_t *)text->log_id[r->n_log_id],
				 .cap = sizeof text->log_id[0],
				 .max = sizeof text->log_id[0]};

		if (!v->scts[i].counts)
			continue;
		base64_write(&id, span_of(v->scts[i].log_id, sizeof v->scts[i].log_id));
		r->log_id[r->n_log_id++] = buf_span(&id);
		if (v->scts[i].log != NULL)
			r->log[r->n_log++] = span_str(v->scts[i].log);
	}
}

static void
chain_take(struct journal_record *r, struct showing *text, struct span presented)
{
	struct cursor in = cursor_over(presented);
	size_t end[JOURNAL_CHAIN_MAX], n = 0;

	while (cursor_left(&in) > 0 && n < JOURNAL_CHAIN_MAX) {
		base64_write(&text->chain, cursor_vec24(&in));
		end[n++] = text->chain.n;
	}
	if (!buf_ok(&text->chain))
		return;
	for (r->n_chain = 0; r->n_chain < n; r->n_chain++) {
		size_t from = r->n_chain == 0 ? 0 : end[r->n_chain - 1];

		r->chain[r->n_chain] = span_slice(buf_span(&text->chain), from, end[r->n_chain] - from);
	}
}

void
showing_record(struct journal_record *r, struct showing *text, const struct verdict *v, const char *upstream,
	       const struct addr *addr, struct span presented)
{
	*text = (struct showing){.chain = buf_max(CHAIN_TEXT_MAX)};
	*r = (struct journal_record){.kind = verdict_accepted(v) ? JOURNAL_KNOWN : JOURNAL_REFUSED,
				     .upstream = span_str(upstream),
				     .address = span_str(addr_text(addr, text->address))};
	if (r->kind == JOURNAL_REFUSED)
		r->reason = span_str(reason_code(verdict_reason(v)));
	else
		chain_take(r, text, presented);
	if (v->n_chain > 0)
		leaf_take(r, text, v);
	logs_take(r, text, v);
}

void
showing_free(struct showing *text)
{
	buf_free(&text->chain);
}
