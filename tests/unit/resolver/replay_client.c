/* replay_client.c - clients: who asks, who leaves, and the replies they get, as text. */
#include "tests/unit/resolver/replay_play.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct asked *
asked_find(struct play *p, const char *id)
{
	for (size_t i = 0; i < p->n_asked; i++)
		if (strcmp(p->asked[i]->id, id) == 0)
			return p->asked[i];
	play_wrong(p, "there is no client %s", id);
	return NULL;
}

static void
on_reply(const struct client *client, struct span reply)
{
	struct asked *a = client->owner;
	bool there = play_memory_set(true);

	buf_clear(&a->reply);
	buf_put(&a->reply, reply);
	a->replies++;
	(void)play_memory_set(there);
}

static bool
question_make(struct play *p, struct asked *a, const char *name, const char *type, uint16_t id)
{
	uint8_t lower[MSG_NAME_MAX], n;
	ldns_rr_type t = ldns_get_rr_type_by_name(type);
	uint16_t flags = MSG_RD;
	const char *size = play_value(p, "size");
	bool there;
	size_t at;

	if (t == 0 || msg_name_read(lower, &n, name) != RES_OK) {
		play_wrong(p, "no such type or name: %s %s", name, type);
		return false;
	}
	flags = (uint16_t)(flags | (play_has_word(p, 4, "ad") ? MSG_AD : 0) |
	    (play_has_word(p, 4, "cd") ? MSG_CD : 0));
	there = play_memory_set(true);
	a->question = buf_max(1024);
	buf_u16(&a->question, id);
	buf_u16(&a->question, flags);
	buf_u16(&a->question, 1);
	buf_u32(&a->question, 0);
	buf_u16(&a->question, play_has_word(p, 4, "noedns") ? 0 : 1);
	/* As spelled: the wire form is in lower case. */
	at = a->question.n;
	buf_put(&a->question, span_of(lower, n));
	for (size_t i = 0, j = 0; name[i] != '\0' && j + 1 < n; i++, j++)
		if (isalpha((unsigned char)name[i]))
			a->question.p[at + 1 + j] = (uint8_t)name[i];
	buf_u16(&a->question, (uint16_t)t);
	buf_u16(&a->question, CLASS_IN);
	if (!play_has_word(p, 4, "noedns")) {
		buf_u8(&a->question, 0);
		buf_u16(&a->question, TYPE_OPT);
		buf_u16(&a->question, size != NULL ? (uint16_t)play_number(p, size) : 1232);
		buf_u32(&a->question, play_has_word(p, 4, "do") ? 0x8000 : 0);
		buf_u16(&a->question, 0);
	}
	(void)play_memory_set(there);
	return true;
}

static void
ask_send(struct play *p, struct asked *a)
{
	uint8_t room[MSG_MAX];
	struct buf out = {.p = room, .cap = a->client.tcp ? MSG_MAX : MSG_UDP_PAYLOAD};

	out.max = out.cap;
	if (engine_ask(p->engine, buf_span(&a->question), &a->client, &out) == ASK_REPLIED)
		on_reply(&a->client, buf_span(&out));
}

static void
ask_new(struct play *p, const char *id, const char *name, const char *type, const char *from)
{
	struct asked *a = calloc(1, sizeof *a);
	uint16_t wire_id = (uint16_t)(p->n_asked * 257 + 1);
	const char *repeat = play_value(p, "repeats");

	if (a == NULL || p->n_asked == ASKED_MAX)
		abort();
	snprintf(a->id, sizeof a->id, "%s", id);
	a->reply = buf_max(MSG_MAX);
	a->client = (struct client){.on_reply = on_reply, .owner = a, .tcp = play_has_word(p, 4, "tcp")};
	if (a->client.tcp)
		a->client.waiting = &a->waiting;
	if (addr_read(&a->client.addr, from, (uint16_t)(1024 + p->n_asked)) != RES_OK)
		play_wrong(p, "no address: %s", from);
	p->asked[p->n_asked++] = a;
	if (!question_make(p, a, name, type, wire_id))
		return;
	if (repeat != NULL) {
		struct asked *before = asked_find(p, repeat);

		/* The same datagram from the same socket: the reply may come to either. */
		if (before == NULL)
			return;
		a->client.addr = before->client.addr;
		a->client.owner = before;
		memcpy(a->question.p, before->question.p, 2);
	}
	ask_send(p, a);
}

void
verb_ask(struct play *p)
{
	const char *from = play_value(p, "from");

	ask_new(p, play_word(p, 2), play_word(p, 3), play_word(p, 4), from != NULL ? from : "127.0.0.1");
}

void
verb_flood(struct play *p)
{
	long n = play_number(p, play_word(p, 2));
	const char *same = play_value(p, "name");

	for (long i = 0; i < n; i++) {
		char id[48], name[80];

		snprintf(id, sizeof id, "%s%ld", play_word(p, 3), i);
		snprintf(name, sizeof name, "%s%ld.flood.example", play_word(p, 3), i);
		ask_new(p, id, same != NULL ? same : name, "A", play_word(p, 4));
	}
}

void
verb_leave(struct play *p)
{
	struct asked *a = asked_find(p, play_word(p, 2));

	if (a != NULL)
		engine_forget(p->engine, &a->waiting);
}

/* ---- replies as text */

static void
put_records(struct buf *b, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *type = ldns_rr_type2str(ldns_rr_get_type(rr));

		buf_format(b, "%s%u %s", i > 0 ? ", " : " ", ldns_rr_ttl(rr), type);
		for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
			char *text = ldns_rdf2str(ldns_rr_rdf(rr, k));

			buf_format(b, " %.60s", text);
			free(text);
		}
		free(type);
	}
}

static void
put_ede(struct buf *b, const ldns_pkt *pkt)
{
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);
	struct cursor in;

	if (data == NULL)
		return;
	in = cursor_over(span_of(ldns_rdf_data(data), ldns_rdf_size(data)));
	while (cursor_left(&in) > 0) {
		uint16_t code = cursor_u16(&in);
		struct span option = cursor_vec16(&in);

		if (code == OPTION_EDE && option.n >= 2)
			buf_format(b, " ; ede %u%s%.*s", be16_read(option.p), option.n > 2 ? " " : "",
			    (int)(option.n - 2), (const char *)option.p + 2);
		else if (code == OPTION_KEEPALIVE)
			buf_format(b, " ; keepalive");
		else
			buf_format(b, " ; option %u", code);
	}
}

static void
reply_text(struct buf *b, struct span wire)
{
	ldns_pkt *pkt;
	char *rcode;

	if (ldns_wire2pkt(&pkt, wire.p, wire.n) != LDNS_STATUS_OK) {
		buf_text(b, "unreadable");
		return;
	}
	rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
	buf_text(b, rcode);
	free(rcode);
	buf_text(b, ldns_pkt_ra(pkt) ? "" : " nora");
	buf_text(b, ldns_pkt_tc(pkt) ? " tc" : "");
	buf_text(b, ldns_pkt_ad(pkt) ? " ad" : "");
	buf_text(b, ldns_pkt_cd(pkt) ? " cd" : "");
	if (ldns_pkt_ancount(pkt) > 4)
		buf_format(b, " %u records", ldns_pkt_ancount(pkt));
	else
		put_records(b, ldns_pkt_answer(pkt));
	if (ldns_pkt_nscount(pkt) > 0)
		buf_format(b, " ; soa %u", ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_authority(pkt), 0)));
	put_ede(b, pkt);
	ldns_pkt_free(pkt);
}

/* id, spelling, RD and CD are the client's, whatever was asked for others (C23, C34, C35). */
static void
reply_check_owner(struct play *p, const struct asked *a)
{
	size_t n = MSG_HEADER;

	while (a->question.p[n] != 0)
		n += 1U + a->question.p[n];
	n += 5;
	if (a->reply.n < n || memcmp(a->reply.p, a->question.p, 2) != 0 ||
	    memcmp(a->reply.p + MSG_HEADER, a->question.p + MSG_HEADER, n - MSG_HEADER) != 0)
		play_wrong(p, "%s: the reply has the id or the question of another client", a->id);
	if (((a->reply.p[3] ^ a->question.p[3]) & MSG_CD) != 0 || (a->reply.p[2] & 0x81) != 0x81)
		play_wrong(p, "%s: the reply has the flags of another client", a->id);
}

void
verb_reply(struct play *p)
{
	struct asked *a = asked_find(p, play_word(p, 2));
	struct buf got = buf_max(65536), want = buf_max(65536);

	if (a == NULL)
		return;
	for (size_t i = 3; i < p->n_words; i++)
		buf_format(&want, "%s%s", i > 3 ? " " : "", p->word[i]);
	if (a->replies == 0)
		play_wrong(p, "%s: no reply", a->id);
	else {
		reply_text(&got, buf_span(&a->reply));
		reply_check_owner(p, a);
		if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0)
			play_wrong(p, "%s:\n  got  %s\n  want %s", a->id, buf_cstr(&got), buf_cstr(&want));
	}
	if (a->replies > 1)
		play_wrong(p, "%s: %u replies", a->id, a->replies);
	buf_free(&got);
	buf_free(&want);
}

/* replies PREFIX RCODE N */
void
verb_replies(struct play *p)
{
	size_t n = 0, prefix = strlen(play_word(p, 2));

	for (size_t i = 0; i < p->n_asked; i++) {
		const struct asked *a = p->asked[i];
		char text[16];

		if (strncmp(a->id, play_word(p, 2), prefix) != 0 || !isdigit((unsigned char)a->id[prefix]) ||
		    a->replies == 0)
			continue;
		if (strcmp(msg_rcode_text(a->reply.p[3] & 15, text), play_word(p, 3)) == 0)
			n++;
	}
	if ((long)n != play_number(p, play_word(p, 4)))
		play_wrong(p, "%zu replies %s, not %s", n, play_word(p, 3), play_word(p, 4));
}

void
verb_none(struct play *p)
{
	struct asked *a = asked_find(p, play_word(p, 2));

	if (a != NULL && a->replies > 0)
		play_wrong(p, "%s has a reply already", a->id);
}
