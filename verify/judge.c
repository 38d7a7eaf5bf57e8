#include "verify/judge.h"

#include "base/text.h"
#include "verify/x509/name.h"

#include <stdio.h>
#include <string.h>

const char *
judge_label(char out[JUDGE_LABEL_MAX], const struct cert *c)
{
	struct buf text = buf_max(4 * CERT_BYTES_MAX);
	size_t n;

	if (cert_subject_is_empty(c) || name_text(&text, c->subject) != RES_OK) {
		char serial[2 * 20 + 1];

		hex_write(serial, span_slice(c->serial, 0, 20));
		snprintf(out, JUDGE_LABEL_MAX, "serial %s", serial);
		buf_free(&text);
		return out;
	}
	n = text.n < JUDGE_LABEL_MAX ? text.n : JUDGE_LABEL_MAX - 1;
	while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80) /* not inside a UTF-8 character */
		n--;
	memcpy(out, text.p, n);
	out[n] = '\0';
	buf_free(&text);
	return out;
}

/* Nothing for less than a day: the date is enough. */
static const char *
days_text(char out[JUDGE_DATES_MAX], const char *before, int64_t ms, const char *after)
{
	const int64_t day = 86400000;

	*out = '\0';
	if (ms >= day)
		snprintf(out, JUDGE_DATES_MAX, ", %s%s%s", before, COUNTED(ms / day, "day"), after);
	return out;
}

const char *
judge_dates(char out[JUDGE_DATES_MAX], enum reason r, const struct judgement *j, const struct cert *c)
{
	char date[TIME_TEXT_MAX], days[JUDGE_DATES_MAX];

	*out = '\0';
	if (r == REASON_EXPIRED)
		snprintf(out, JUDGE_DATES_MAX, ", valid until %s%s", time_text(c->not_after_ms, date),
			 days_text(days, "", j->when.since_ms - c->not_after_ms, " ago"));
	else if (r == REASON_NOT_YET_VALID || r == REASON_CLOCK_NOT_SET)
		snprintf(out, JUDGE_DATES_MAX, ", valid from %s%s", time_text(c->not_before_ms, date),
			 days_text(days, "in ", c->not_before_ms - j->when.until_ms, ""));
	return out;
}

void
judge_cert_fault(struct judgement *j, enum reason r, const struct cert *c, const char *what)
{
	char who[JUDGE_LABEL_MAX], dates[JUDGE_DATES_MAX];

	if (what != NULL)
		verdict_add(j->v, r, "%s: %s%s", judge_label(who, c), what, judge_dates(dates, r, j, c));
}

struct path_ground
judge_ground(struct judgement *j)
{
	return (struct path_ground){{j->certs, j->n_certs, j->policy->trust}, &j->rules, &j->proofs};
}

struct path_search_end
judge_search(struct judgement *j, enum path_kind kind, path_visit *visit, void *arg)
{
	struct path_ground ground = judge_ground(j);
	struct path_search_end end = path_search(&ground, kind, visit, arg);

	j->work->paths += end.paths;
	j->work->path_steps += end.steps;
	j->v->out_of_memory |= end.starved;
	return end;
}

bool
judge_issuer_find(struct judgement *j)
{
	const struct trust *trust = j->policy->trust;
	const struct cert *leaf = &j->certs[0];
	size_t first = 0, n = trust_find(trust, leaf->issuer, &first);
	enum res r = RES_NOT_FOUND;

	for (size_t i = 0; i < j->n_certs + n && j->issuer == NULL && r != RES_NOMEM; i++) {
		const struct cert *c =
		    i < j->n_certs ? &j->certs[i] : trust_at(trust, first + i - j->n_certs);

		if (c == leaf && !path_self_issued(leaf))
			continue;
		r = proofs_ask(&j->proofs, leaf, c);
		if (r == RES_OK)
			j->issuer = c;
	}
	return r != RES_NOMEM;
}
