/* replay_upstream.c - upstreams: what they were asked, what they answer, and how their connections fare. */
#include "tests/unit/resolver/replay_play.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_line *
upstream_line(const char *name)
{
	char text[32];

	/* a, b, c: 192.0.2.1, .2, .3; a6: 2001:db8::1 */
	if (name[0] >= 'a' && name[0] <= 'z' && (name[1] == '\0' || strcmp(name + 1, "6") == 0)) {
		snprintf(
		    text, sizeof text, name[1] == '\0' ? "192.0.2.%d" : "2001:db8::%d", name[0] - 'a' + 1);
		return fake_line(text);
	}
	return fake_line(name);
}

/* The waiting question for NAME TYPE. */
static struct tp_exchange *
lying(const struct play *p, const struct fake_line *line, bool unseen)
{
	struct tp_exchange *q;

	for (unsigned i = 0; (q = fake_question(line, i)) != NULL; i++) {
		ldns_pkt *pkt;
		bool same = false;
		struct span wire = fake_question_wire(q);

		if (ldns_wire2pkt(&pkt, wire.p, wire.n) != LDNS_STATUS_OK)
			continue;
		if (ldns_pkt_qdcount(pkt) == 1) {
			ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
			char *name = ldns_rdf2str(ldns_rr_owner(rr)),
			     *type = ldns_rr_type2str(ldns_rr_get_type(rr));
			size_t n = strlen(name);

			if (n > 1)
				name[n - 1] = '\0';
			same = strcmp(name, play_word(p, 3)) == 0 && strcmp(type, play_word(p, 4)) == 0 &&
			    (fake_question_is_apart(q) || !play_has_word(p, 5, "apart")) &&
			    (ldns_pkt_cd(pkt) == play_has_word(p, 5, "cd") ||
				(!unseen && !play_has_word(p, 5, "cd")));
			free(name);
			free(type);
		}
		ldns_pkt_free(pkt);
		if (same && (!unseen || fake_question_claim(q)))
			return q;
	}
	return NULL;
}

void
verb_sent(struct play *p)
{
	if (lying(p, upstream_line(play_word(p, 2)), true) == NULL)
		play_wrong(p, "%s was not asked for %s %s", play_word(p, 2), play_word(p, 3),
		    play_word(p, 4));
}

/* The question was sent, over a connection of its own. */
void
verb_apart(struct play *p)
{
	struct tp_exchange *q = lying(p, upstream_line(play_word(p, 2)), true);

	if (q == NULL || !fake_question_is_apart(q))
		play_wrong(p, "%s was not asked apart for %s %s", play_word(p, 2), play_word(p, 3), play_word(p, 4));
}

void
verb_unasked(struct play *p)
{
	if (lying(p, upstream_line(play_word(p, 2)), false) != NULL)
		play_wrong(p, "%s was asked for %s %s", play_word(p, 2), play_word(p, 3), play_word(p, 4));
}

void
verb_kill(struct play *p)
{
	struct tp_exchange *q = lying(p, upstream_line(play_word(p, 2)), false);

	if (q == NULL)
		play_wrong(p, "%s was not asked for %s %s", play_word(p, 2), play_word(p, 3), play_word(p, 4));
	else
		fake_kill(q);
}

void
verb_lose(struct play *p)
{
	struct tp_exchange *q = lying(p, upstream_line(play_word(p, 2)), false);

	if (q == NULL)
		play_wrong(p, "%s was not asked for %s %s", play_word(p, 2), play_word(p, 3), play_word(p, 4));
	else
		fake_lose(q);
}

void
verb_quiet(struct play *p)
{
	struct fake_line *line = upstream_line(play_word(p, 2));
	struct tp_exchange *q;

	for (unsigned i = 0; (q = fake_question(line, i)) != NULL; i++)
		if (fake_question_claim(q))
			play_wrong(p, "%s was asked something", play_word(p, 2));
}

/* "300 A 192.0.2.1" of the asked name, "@www.example.com 300 A ...", "soa 60 30" (TTL, MINIMUM) */
static void
answer_record(struct play *p, ldns_pkt *pkt, const char *owner, char *text)
{
	ldns_rr *rr = NULL;
	char line[2048];
	unsigned ttl, minimum;

	while (*text == ' ')
		text++;
	if (strncmp(text, "ref ", 4) == 0) {
		snprintf(line, sizeof line, "%s 300 IN NS ns.example.", strtok_r(text + 4, " ", &text));
		if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK)
			ldns_pkt_push_rr(pkt, LDNS_SECTION_AUTHORITY, rr);
	} else if (sscanf(text, "soa %u %u", &ttl, &minimum) == 2) {
		snprintf(line, sizeof line, "example. %u IN SOA ns.example. root.example. 1 2 3 4 %u", ttl,
		    minimum);
		if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK)
			ldns_pkt_push_rr(pkt, LDNS_SECTION_AUTHORITY, rr);
	} else {
		char *space = text[0] == '@' ? strchr(text, ' ') : NULL;

		if (space != NULL)
			*space = '\0';
		snprintf(line, sizeof line, "%s. %s", space != NULL ? text + 1 : owner,
		    space != NULL ? space + 1 : text);
		if (ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK)
			ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, rr);
	}
	if (rr == NULL)
		play_wrong(p, "no record: %s", line);
}

static void
answer_records(struct play *p, ldns_pkt *pkt, size_t from)
{
	char text[4096] = "", *rest = text, *one;
	const char *many = play_value(p, "many");

	for (size_t i = from; i < p->n_words; i++) {
		if (strchr(p->word[i], '=') != NULL)
			continue;
		strncat(text, p->word[i], sizeof text - strlen(text) - 2);
		strncat(text, " ", sizeof text - strlen(text) - 2);
	}
	while ((one = strsep(&rest, ",;")) != NULL)
		if (strspn(one, " ") != strlen(one))
			answer_record(p, pkt, play_word(p, 3), one);
	for (long i = 0; many != NULL && i < play_number(p, many); i++) {
		char txt[128];

		snprintf(txt, sizeof txt,
		    "60 TXT \"%08ld-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz\"", i);
		answer_record(p, pkt, play_word(p, 3), txt);
	}
}

static void
answer_question(const struct play *p, ldns_pkt *pkt, struct span wire)
{
	const char *as = play_value(p, "as");
	ldns_pkt *asked = NULL;
	ldns_rr *rr;

	if (ldns_wire2pkt(&asked, wire.p, wire.n) != LDNS_STATUS_OK)
		return;
	rr = ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(asked), 0));
	if (as != NULL) {
		ldns_rdf_deep_free(ldns_rr_owner(rr));
		ldns_rr_set_owner(rr, ldns_dname_new_frm_str(as));
	}
	ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, rr);
	ldns_pkt_set_id(pkt, ldns_pkt_id(asked));
	ldns_pkt_set_cd(pkt, ldns_pkt_cd(asked));
	ldns_pkt_free(asked);
}

/* One flag of an answer; false: the word is not a flag. */
static bool
answer_flag(ldns_pkt *pkt, const char *word)
{
	if (strcmp(word, "tc") == 0)
		ldns_pkt_set_tc(pkt, true);
	else if (strcmp(word, "ad") == 0)
		ldns_pkt_set_ad(pkt, true);
	else if (strcmp(word, "aa") == 0)
		ldns_pkt_set_aa(pkt, true);
	else if (strcmp(word, "nora") == 0)
		ldns_pkt_set_ra(pkt, false);
	else
		return strcmp(word, "short") == 0 || strcmp(word, "apart") == 0;
	return true;
}

/* "22+6": an option for each. */
static void
answer_ede(ldns_pkt *pkt, const char *codes)
{
	struct buf options = buf_max(256);

	for (const char *c = codes; c != NULL; c = strchr(c, '+') != NULL ? strchr(c, '+') + 1 : NULL) {
		buf_u16(&options, OPTION_EDE);
		buf_u16(&options, 2);
		buf_u16(&options, (uint16_t)strtol(c, NULL, 10));
	}
	if (options.n > 0)
		ldns_pkt_set_edns_data(pkt,
		    ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, options.n, options.p));
	buf_free(&options);
}

static size_t
answer_flags(struct play *p, ldns_pkt *pkt)
{
	size_t i = 6;

	ldns_pkt_set_qr(pkt, true);
	ldns_pkt_set_rd(pkt, true);
	ldns_pkt_set_ra(pkt, true);
	while (answer_flag(pkt, play_word(p, i)))
		i++;
	ldns_pkt_set_edns_udp_size(pkt, 1232);
	answer_ede(pkt, play_value(p, "ede"));
	return i;
}

/* By its name, or RCODE and a number; -1: neither. */
static int
rcode_read(const char *text)
{
	ldns_lookup_table *known = ldns_lookup_by_name(ldns_rcodes, text);
	int number;

	if (known != NULL)
		return known->id;
	return sscanf(text, "RCODE%d", &number) == 1 ? number : -1;
}

void
verb_answer(struct play *p)
{
	struct tp_exchange *q = lying(p, upstream_line(play_word(p, 2)), false);
	const char *age = play_value(p, "age");
	const int rcode = rcode_read(play_word(p, 5));
	ldns_pkt *pkt = ldns_pkt_new();
	uint8_t *wire = NULL;
	size_t n = 0, records;

	if (q == NULL || rcode < 0) {
		play_wrong(p, "%s was not asked for %s %s, or no such RCODE",
		    play_word(p, 2), play_word(p, 3), play_word(p, 4));
		ldns_pkt_free(pkt);
		return;
	}
	records = answer_flags(p, pkt);
	ldns_pkt_set_rcode(pkt, (uint8_t)(rcode & 15));
	ldns_pkt_set_edns_extended_rcode(pkt, (uint8_t)(rcode >> 4)); /* with an OPT, when there is any */
	answer_question(p, pkt, fake_question_wire(q));
	answer_records(p, pkt, records);
	if (ldns_pkt2wire(&wire, pkt, &n) != LDNS_STATUS_OK)
		play_wrong(p, "the answer cannot be made");
	ldns_pkt_free(pkt);
	fake_answer(q, span_of(wire, play_has_word(p, 6, "short") ? n - 1 : n),
	    age != NULL ? (uint32_t)play_number(p, age) : 0);
	free(wire);
}

void
verb_fail(struct play *p)
{
	struct tp_exchange *q = lying(p, upstream_line(play_word(p, 2)), false);
	const char *retry_after = play_value(p, "retry-after");

	if (q == NULL || reason_read(play_word(p, 5)) == REASON_NONE)
		play_wrong(p, "%s was not asked for %s %s, or no such reason",
		    play_word(p, 2), play_word(p, 3), play_word(p, 4));
	else
		fake_fail(q, reason_read(play_word(p, 5)),
		    retry_after != NULL ? (uint32_t)play_number(p, retry_after) : 0);
}

void
verb_line(struct play *p)
{
	struct fake_line *line = upstream_line(play_word(p, 2));
	const char *handshake = play_value(p, "handshake"), *room = play_value(p, "room");

	line->room = room != NULL ? (unsigned)play_number(p, room) : 0;
	line->handshake_ms = handshake != NULL ? play_number(p, handshake) : 0;
	line->reason = reason_read(play_word(p, 3));
	line->judged = play_has_word(p, 4, "judged");
	line->manner = strcmp(play_word(p, 3), "up") == 0 ? FAKE_UP
	    : strcmp(play_word(p, 3), "hang") == 0        ? FAKE_HANG
						     : FAKE_FAIL;
	if (line->manner == FAKE_FAIL && line->reason == REASON_NONE)
		play_wrong(p, "no such reason: %s", play_word(p, 3));
}

/* Something happens to the open connection to an upstream. */
static void
connection_gets(struct play *p, void (*what)(struct fake_line *))
{
	struct fake_line *line = upstream_line(play_word(p, 2));

	if (line->slot == NULL)
		play_wrong(p, "%s has no connection", play_word(p, 2));
	else
		what(line);
}

void
verb_close(struct play *p)
{
	connection_gets(p, fake_close);
}

void
verb_end(struct play *p)
{
	connection_gets(p, fake_end);
}

void
verb_finish(struct play *p)
{
	connection_gets(p, fake_finish);
}

void
verb_refuse(struct play *p)
{
	struct fake_line *line = upstream_line(play_word(p, 2));
	enum reason reason = reason_read(play_word(p, 3));

	if (!reason_is_verdict(reason))
		play_wrong(p, "no reason of a verdict: %s", play_word(p, 3));
	else if (!fake_refuse(line, reason, play_has_word(p, 4, "apart")))
		play_wrong(p, "%s has no such connection", play_word(p, 2));
}
