#include "resolver/daemon/known.h"

#include <string.h>

#define FACT_BYTES_MAX 4096 /* of a hashed fact; longer ones are cut, and differ before the cut */

void
known_begin(struct known *k)
{
	k->key = hash_key_random();
}

static uint64_t
fact_of(const struct known *k, enum known_kind kind, struct span upstream, struct span what)
{
	uint8_t room[FACT_BYTES_MAX]; /* no memory that could run out */
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

	buf_u8(&b, (uint8_t)kind);
	buf_u16(&b, (uint16_t)upstream.n);
	buf_put(&b, span_slice(upstream, 0, FACT_BYTES_MAX / 4));
	buf_put(&b, span_slice(what, 0, FACT_BYTES_MAX / 2));
	return hash_keyed(&k->key, buf_span(&b));
}

/* Its place; KNOWN_MAX: it is not there. */
static size_t
fact_at(const struct known *k, uint64_t fact)
{
	size_t at = k->first[fact % KNOWN_MAX];

	while (at != 0 && k->fact[at - 1] != fact)
		at = k->after[at - 1];
	return at != 0 ? at - 1 : KNOWN_MAX;
}

static void
fact_link(struct known *k, size_t at, uint64_t fact)
{
	uint16_t *first = &k->first[fact % KNOWN_MAX];

	k->fact[at] = fact;
	k->after[at] = *first;
	*first = (uint16_t)(at + 1);
}

/* Harmless for a place whose fact was dropped. */
static void
fact_unlink(struct known *k, size_t at)
{
	uint16_t *link = &k->first[k->fact[at] % KNOWN_MAX];

	while (*link != 0 && *link != at + 1)
		link = &k->after[*link - 1];
	if (*link != 0)
		*link = k->after[at];
}

bool
known_has(const struct known *k, enum known_kind kind, struct span upstream, struct span what)
{
	return fact_at(k, fact_of(k, kind, upstream, what)) < KNOWN_MAX;
}

bool
known_add(struct known *k, enum known_kind kind, struct span upstream, struct span what)
{
	uint64_t fact = fact_of(k, kind, upstream, what);

	if (fact_at(k, fact) < KNOWN_MAX)
		return false;
	if (k->n < KNOWN_MAX) {
		fact_link(k, k->n++, fact);
	} else {
		fact_unlink(k, k->next);
		fact_link(k, k->next, fact);
		k->next = (k->next + 1) % KNOWN_MAX;
	}
	return true;
}

bool
known_drop(struct known *k, enum known_kind kind, struct span upstream, struct span what)
{
	size_t at = fact_at(k, fact_of(k, kind, upstream, what));

	if (at == KNOWN_MAX)
		return false;
	fact_unlink(k, at); /* its place is taken in turn */
	return true;
}

/* ---- records */

/* The set of logs, whatever their order in the certificate. */
static struct span
logs_sorted(const struct journal_record *r, struct buf *out)
{
	struct span id[JOURNAL_SCTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < r->n_log_id; i++) {
		size_t at = n++;

		for (; at > 0 && span_compare(id[at - 1], r->log_id[i]) > 0; at--)
			id[at] = id[at - 1];
		id[at] = r->log_id[i];
	}
	for (size_t i = 0; i < n; i++) {
		buf_put(out, id[i]);
		buf_u8(out, ' ');
	}
	return buf_span(out);
}

static unsigned
news_learn(struct known *k, const struct journal_record *r)
{
	uint8_t room[FACT_BYTES_MAX];
	struct buf logs = {.p = room, .cap = sizeof room, .max = sizeof room};
	const struct {
		enum known_kind kind;
		enum journal_news bit;
		struct span what;
	} rows[] = {
	    {KNOWN_LEAF, JOURNAL_LEAF, r->sha256},
	    {KNOWN_KEY, JOURNAL_KEY, r->spki_sha256},
	    {KNOWN_ISSUER, JOURNAL_ISSUER, r->issuer_spki_sha256},
	    {KNOWN_CA, JOURNAL_CA, r->anchor_spki_sha256},
	    {KNOWN_SCTS, JOURNAL_SCTS, logs_sorted(r, &logs)},
	};
	unsigned news = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].what.n > 0 && known_add(k, rows[i].kind, r->upstream, rows[i].what))
			news |= rows[i].bit;
	return news;
}

bool
known_learn(struct known *k, struct journal_record *r)
{
	bool again, first;

	if (r->kind == JOURNAL_REFUSED) {
		(void)known_add(k, KNOWN_REFUSED, r->upstream, r->address);
		return false;
	}
	first = known_add(k, KNOWN_UPSTREAM, r->upstream, r->upstream);
	again = known_drop(k, KNOWN_REFUSED, r->upstream, r->address);
	r->news = news_learn(k, r);
	if (known_add(k, KNOWN_ADDRESS, r->upstream, r->address))
		r->kind = JOURNAL_FIRST;
	else if (r->news != 0)
		r->kind = JOURNAL_CHANGE;
	else
		r->kind = again ? JOURNAL_ACCEPTED : JOURNAL_KNOWN;
	return !first && (r->news & (JOURNAL_ISSUER | JOURNAL_CA)) != 0;
}
