/*
 * replay - plays scenarios (tests/data/replay/NAME.txt) against the resolver's logic: real configuration,
 * cache, local names and queries; a scripted clock and transport. No sockets, no waiting. What a scenario may
 * say: README there.
 *
 *   replay [FILE...]   without files: all of them
 */
#include "resolver/query.h"

#include "tests/unit/fake_loop.h"
#include "tests/unit/fake_transport.h"

#include <ctype.h>
#include <dirent.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WORDS_MAX 64
#define ASKED_MAX 8192

struct asked {
	char id[32];
	struct buf question, reply;
	struct client client;
	struct waiter *waiting;
	unsigned replies;
	bool udp_limit;
};

struct play {
	const char *file, *anchor;
	unsigned line;
	bool failed;
	struct loop *loop;
	struct counters counters;
	struct engine *engine;
	uint64_t generation;
	struct buf config; /* the next configuration */
	char config_path[64];
	struct asked *asked[ASKED_MAX];
	size_t n_asked;
	int64_t start_ms, now_ms;
	struct buf log;
	char *word[WORDS_MAX];
	size_t n_words;
};

static void __attribute__((format(printf, 2, 3))) wrong(struct play *p, const char *format, ...)
{
	va_list args;

	printf("%s:%u: ", p->file, p->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	p->failed = true;
}

static const char *
word(const struct play *p, size_t i)
{
	return i < p->n_words ? p->word[i] : "";
}

static bool
has_word(const struct play *p, size_t from, const char *what)
{
	for (size_t i = from; i < p->n_words; i++)
		if (strcmp(p->word[i], what) == 0)
			return true;
	return false;
}

/* The value of key=value; NULL: not said. */
static const char *
value(const struct play *p, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 2; i < p->n_words; i++)
		if (strncmp(p->word[i], key, n) == 0 && p->word[i][n] == '=')
			return p->word[i] + n + 1;
	return NULL;
}

static long
number(struct play *p, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		wrong(p, "not a number: %s", text);
	return n;
}

static void
settle(struct play *p)
{
	while (fake_loop_turn(p->loop, 0))
		;
}

/* ---- the configuration and the engine */

static void
on_log(void *ctx, const char *line, size_t n)
{
	struct play *p = ctx;

	buf_put(&p->log, span_of(line, n));
}

static void
on_verdict(void *ctx, const struct server *s)
{
	(void)ctx;
	log_event(LOG_WARN, s->health == HEALTH_REFUSED ? "refused" : "accepted",
	    LOG_STR("upstream", s->target->upstream), LOG_STR("reason", reason_code(s->reason)));
}

static const char defaults[] = "upstream \"a\" { address = {\"192.0.2.1\"}  ct = \"off\" }\n"
			       "upstream \"b\" { address = {\"192.0.2.2\"}  ct = \"off\" }\n"
			       "strategy = \"ordered\"  hedge = false\n";

static enum res
plan_make(struct play *p, struct plan **plan)
{
	struct config_errors errors = {0};
	enum res res;
	FILE *f = fopen(p->config_path, "w");
	const char *said = p->config.n > 0 ? buf_cstr(&p->config) : "";

	if (f == NULL)
		return RES_IO;
	fprintf(f, "listen = {\"127.0.0.1:53\"}  user = \"\"  log-level = \"debug\"\n");
	fprintf(f, "trust { anchors = \"%s\" }  local { hosts-file = \"\" }\n%s\n", p->anchor, said);
	if (strstr(said, "upstream \"") == NULL)
		fputs(defaults, f);
	fclose(f);
	buf_clear(&p->config);
	res = plan_read(plan, p->config_path, ++p->generation, &errors);
	for (size_t i = 0; i < errors.n; i++)
		buf_format(&p->log, "%s\n", errors.line[i]);
	config_errors_free(&errors);
	return res;
}

static bool
engine_make(struct play *p)
{
	const struct engine_hooks hooks = {.on_verdict = on_verdict, .ctx = p};
	struct plan *plan;
	enum res res;

	if (plan_make(p, &plan) != RES_OK) {
		wrong(p, "configuration: %s", buf_cstr(&p->log));
		return false;
	}
	res = engine_new(&p->engine, p->loop, &p->counters, plan, &hooks);
	plan_unref(plan);
	return res == RES_OK;
}

/* ---- clients */

static struct asked *
asked_find(struct play *p, const char *id)
{
	for (size_t i = 0; i < p->n_asked; i++)
		if (strcmp(p->asked[i]->id, id) == 0)
			return p->asked[i];
	wrong(p, "nobody is called %s", id);
	return NULL;
}

static void
on_reply(const struct client *client, struct span reply)
{
	struct asked *a = client->owner;

	buf_clear(&a->reply);
	buf_put(&a->reply, reply);
	a->replies++;
}

static bool
question_make(struct play *p, struct asked *a, const char *name, const char *type, uint16_t id)
{
	uint8_t lower[MSG_NAME_MAX], n;
	ldns_rr_type t = ldns_get_rr_type_by_name(type);
	uint16_t flags = MSG_RD;
	const char *size = value(p, "size");
	size_t at;

	if (t == 0 || msg_name_read(lower, &n, name) != RES_OK) {
		wrong(p, "no such type or name: %s %s", name, type);
		return false;
	}
	flags = (uint16_t)(flags | (has_word(p, 4, "ad") ? MSG_AD : 0) | (has_word(p, 4, "cd") ? MSG_CD : 0));
	a->question = buf_max(1024);
	buf_u16(&a->question, id);
	buf_u16(&a->question, flags);
	buf_u16(&a->question, 1);
	buf_u32(&a->question, 0);
	buf_u16(&a->question, has_word(p, 4, "noedns") ? 0 : 1);
	/* As spelled: the wire form is in lower case. */
	at = a->question.n;
	buf_put(&a->question, span_of(lower, n));
	for (size_t i = 0, j = 0; name[i] != '\0' && j + 1 < n; i++, j++)
		if (isalpha((unsigned char)name[i]))
			a->question.p[at + 1 + j] = (uint8_t)name[i];
	buf_u16(&a->question, (uint16_t)t);
	buf_u16(&a->question, CLASS_IN);
	if (!has_word(p, 4, "noedns")) {
		buf_u8(&a->question, 0);
		buf_u16(&a->question, TYPE_OPT);
		buf_u16(&a->question, size != NULL ? (uint16_t)number(p, size) : 1232);
		buf_u32(&a->question, has_word(p, 4, "do") ? 0x8000 : 0);
		buf_u16(&a->question, 0);
	}
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
	const char *repeat = value(p, "repeats");

	if (a == NULL || p->n_asked == ASKED_MAX)
		abort();
	snprintf(a->id, sizeof a->id, "%s", id);
	a->reply = buf_max(MSG_MAX);
	a->client = (struct client){.on_reply = on_reply, .owner = a, .tcp = has_word(p, 4, "tcp")};
	if (a->client.tcp)
		a->client.waiting = &a->waiting;
	if (addr_read(&a->client.addr, from, (uint16_t)(1024 + p->n_asked)) != RES_OK)
		wrong(p, "no address: %s", from);
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

static void
do_ask(struct play *p)
{
	const char *from = value(p, "from");

	ask_new(p, word(p, 2), word(p, 3), word(p, 4), from != NULL ? from : "127.0.0.1");
}

static void
do_flood(struct play *p)
{
	long n = number(p, word(p, 2));

	for (long i = 0; i < n; i++) {
		char id[48], name[80];

		snprintf(id, sizeof id, "%s%ld", word(p, 3), i);
		snprintf(name, sizeof name, "%s%ld.flood.example", word(p, 3), i);
		ask_new(p, id, name, "A", word(p, 4));
	}
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
		wrong(p, "%s: the reply bears another's id or question", a->id);
	if (((a->reply.p[3] ^ a->question.p[3]) & MSG_CD) != 0 || (a->reply.p[2] & 0x81) != 0x81)
		wrong(p, "%s: the reply bears another's flags", a->id);
}

static void
do_reply(struct play *p)
{
	struct asked *a = asked_find(p, word(p, 2));
	struct buf got = buf_max(65536), want = buf_max(65536);

	if (a == NULL)
		return;
	for (size_t i = 3; i < p->n_words; i++)
		buf_format(&want, "%s%s", i > 3 ? " " : "", p->word[i]);
	if (a->replies == 0)
		wrong(p, "%s: no reply", a->id);
	else {
		reply_text(&got, buf_span(&a->reply));
		reply_check_owner(p, a);
		if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0)
			wrong(p, "%s:\n  got  %s\n  want %s", a->id, buf_cstr(&got), buf_cstr(&want));
	}
	if (a->replies > 1)
		wrong(p, "%s: %u replies", a->id, a->replies);
	buf_free(&got);
	buf_free(&want);
}

/* replies PREFIX RCODE N */
static void
do_replies(struct play *p)
{
	size_t n = 0, prefix = strlen(word(p, 2));

	for (size_t i = 0; i < p->n_asked; i++) {
		const struct asked *a = p->asked[i];
		char text[16];

		if (strncmp(a->id, word(p, 2), prefix) != 0 || !isdigit((unsigned char)a->id[prefix]) ||
		    a->replies == 0)
			continue;
		if (strcmp(msg_rcode_text(a->reply.p[3] & 15, text), word(p, 3)) == 0)
			n++;
	}
	if ((long)n != number(p, word(p, 4)))
		wrong(p, "%zu replies %s, not %s", n, word(p, 3), word(p, 4));
}

static void
do_none(struct play *p)
{
	struct asked *a = asked_find(p, word(p, 2));

	if (a != NULL && a->replies > 0)
		wrong(p, "%s has a reply already", a->id);
}

/* ---- upstreams */

static struct fake_line *
line_of(const char *name)
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

/* NAME TYPE as spelled, in the question section of what lies there. */
static struct tp_query *
lying(const struct play *p, const struct fake_line *line, bool unseen)
{
	struct tp_query *q;

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
			same = strcmp(name, word(p, 3)) == 0 && strcmp(type, word(p, 4)) == 0 &&
			    (ldns_pkt_cd(pkt) == has_word(p, 5, "cd") || (!unseen && !has_word(p, 5, "cd")));
			free(name);
			free(type);
		}
		ldns_pkt_free(pkt);
		if (same && (!unseen || fake_question_claim(q)))
			return q;
	}
	return NULL;
}

static void
do_sent(struct play *p)
{
	if (lying(p, line_of(word(p, 2)), true) == NULL)
		wrong(p, "%s was not asked for %s %s", word(p, 2), word(p, 3), word(p, 4));
}

static void
do_quiet(struct play *p)
{
	struct fake_line *line = line_of(word(p, 2));
	struct tp_query *q;

	for (unsigned i = 0; (q = fake_question(line, i)) != NULL; i++)
		if (fake_question_claim(q))
			wrong(p, "%s was asked something", word(p, 2));
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
	if (sscanf(text, "soa %u %u", &ttl, &minimum) == 2) {
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
		wrong(p, "no record: %s", line);
}

static void
answer_records(struct play *p, ldns_pkt *pkt, size_t from)
{
	char text[4096] = "", *rest = text, *one;
	const char *many = value(p, "many");

	for (size_t i = from; i < p->n_words; i++) {
		if (strchr(p->word[i], '=') != NULL)
			continue;
		strncat(text, p->word[i], sizeof text - strlen(text) - 2);
		strncat(text, " ", sizeof text - strlen(text) - 2);
	}
	while ((one = strsep(&rest, ",;")) != NULL)
		if (strspn(one, " ") != strlen(one))
			answer_record(p, pkt, word(p, 3), one);
	for (long i = 0; many != NULL && i < number(p, many); i++) {
		char txt[128];

		snprintf(txt, sizeof txt,
		    "60 TXT \"%08ld-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz\"", i);
		answer_record(p, pkt, word(p, 3), txt);
	}
}

static void
answer_question(const struct play *p, ldns_pkt *pkt, struct span wire)
{
	const char *as = value(p, "as");
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

static size_t
answer_flags(struct play *p, ldns_pkt *pkt)
{
	const char *ede = value(p, "ede");
	size_t i = 6;

	ldns_pkt_set_qr(pkt, true);
	ldns_pkt_set_rd(pkt, true);
	ldns_pkt_set_ra(pkt, true);
	for (; strcmp(word(p, i), "tc") == 0 || strcmp(word(p, i), "ad") == 0 ||
	     strcmp(word(p, i), "short") == 0;
	     i++) {
		if (strcmp(word(p, i), "tc") == 0)
			ldns_pkt_set_tc(pkt, true);
		if (strcmp(word(p, i), "ad") == 0)
			ldns_pkt_set_ad(pkt, true);
	}
	ldns_pkt_set_edns_udp_size(pkt, 1232);
	if (ede != NULL) {
		uint8_t option[6] = {0, OPTION_EDE, 0, 2, 0, (uint8_t)number(p, ede)};

		ldns_pkt_set_edns_data(
		    pkt, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, sizeof option, option));
	}
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

static void
do_answer(struct play *p)
{
	struct tp_query *q = lying(p, line_of(word(p, 2)), false);
	const char *age = value(p, "age");
	const int rcode = rcode_read(word(p, 5));
	ldns_pkt *pkt = ldns_pkt_new();
	uint8_t *wire = NULL;
	size_t n = 0, records;

	if (q == NULL || rcode < 0) {
		wrong(p, "%s was not asked for %s %s, or no such RCODE", word(p, 2), word(p, 3), word(p, 4));
		ldns_pkt_free(pkt);
		return;
	}
	records = answer_flags(p, pkt);
	ldns_pkt_set_rcode(pkt, (uint8_t)(rcode & 15));
	ldns_pkt_set_edns_extended_rcode(pkt, (uint8_t)(rcode >> 4)); /* with an OPT, when there is any */
	answer_question(p, pkt, fake_question_wire(q));
	answer_records(p, pkt, records);
	if (ldns_pkt2wire(&wire, pkt, &n) != LDNS_STATUS_OK)
		wrong(p, "the answer can not be made");
	ldns_pkt_free(pkt);
	fake_answer(q, span_of(wire, has_word(p, 6, "short") ? n - 1 : n),
	    age != NULL ? (uint32_t)number(p, age) : 0);
	free(wire);
}

static void
do_fail(struct play *p)
{
	struct tp_query *q = lying(p, line_of(word(p, 2)), false);
	const char *retry_after = value(p, "retry-after");

	if (q == NULL || reason_read(word(p, 5)) == REASON_NONE)
		wrong(p, "%s was not asked for %s %s, or no such reason", word(p, 2), word(p, 3), word(p, 4));
	else
		fake_fail(q, reason_read(word(p, 5)), retry_after != NULL ? (uint32_t)number(p, retry_after) : 0);
}

static void
do_line(struct play *p)
{
	struct fake_line *line = line_of(word(p, 2));
	const char *handshake = value(p, "handshake");

	line->handshake_ms = handshake != NULL ? number(p, handshake) : 0;
	line->reason = reason_read(word(p, 3));
	line->manner = strcmp(word(p, 3), "up") == 0 ? FAKE_UP
	    : strcmp(word(p, 3), "hang") == 0        ? FAKE_HANG
						     : FAKE_FAIL;
	if (line->manner == FAKE_FAIL && line->reason == REASON_NONE)
		wrong(p, "no such reason: %s", word(p, 3));
}

static void
do_close(struct play *p)
{
	struct fake_line *line = line_of(word(p, 2));

	if (line->slot == NULL)
		wrong(p, "%s has no connection", word(p, 2));
	else
		fake_close(line);
}

/* ---- the world, and what is counted */

static void
do_leave(struct play *p)
{
	struct asked *a = asked_find(p, word(p, 2));

	if (a != NULL)
		engine_forget(p->engine, &a->waiting);
}

static void
do_sleep(struct play *p)
{
	long ms = number(p, word(p, 2));

	fake_loop_suspend(p->loop, ms);
	p->now_ms += ms;
}

static void
do_clock(struct play *p)
{
	fake_loop_wall_step(p->loop, number(p, word(p, 2)));
}

static void
do_network(struct play *p)
{
	engine_network_changed(p->engine);
}

static void
do_reload(struct play *p)
{
	struct plan *plan;

	if (plan_make(p, &plan) != RES_OK) {
		wrong(p, "configuration: %s", buf_cstr(&p->log));
		return;
	}
	if (engine_plan_set(p->engine, plan) != RES_OK)
		wrong(p, "no memory");
	plan_unref(plan);
}

static void
do_captive(struct play *p)
{
	long ms = number(p, word(p, 2));

	upstreams_captive_set(engine_upstreams(p->engine), ms == 0 ? 0 : loop_now_ms(p->loop) + ms);
}

static void
do_flush(struct play *p)
{
	uint8_t name[MSG_NAME_MAX], n;

	if (msg_name_read(name, &n, word(p, 2)) == RES_OK)
		cache_flush(engine_cache(p->engine), span_of(name, n));
}

static void
same_number(struct play *p, const char *what, uint64_t got, const char *want)
{
	if (got != (uint64_t)number(p, want))
		wrong(p, "%s: %llu, not %s", what, (unsigned long long)got, want);
}

static void
do_count(struct play *p)
{
	static const char *const names[] = {
#define COUNTER(id, name, help) name,
#include "resolver/counters.def"
#undef COUNTER
	};

	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (strcmp(names[i], word(p, 2)) == 0) {
			same_number(p, names[i], counter_get(&p->counters, (enum counter)i), word(p, 3));
			return;
		}
	if (reason_read(word(p, 2)) != REASON_NONE)
		same_number(
		    p, word(p, 2), atomic_load(&p->counters.by_reason[reason_read(word(p, 2))]), word(p, 3));
	else
		wrong(p, "no such counter: %s", word(p, 2));
}

static void
do_connects(struct play *p)
{
	same_number(p, "connects", line_of(word(p, 2))->connects, word(p, 3));
}

static void
do_drops(struct play *p)
{
	same_number(p, "drops", line_of(word(p, 2))->drops, word(p, 3));
}

static void
do_waiting(struct play *p)
{
	same_number(p, "waiting", engine_waiting(p->engine), word(p, 2));
}

static void
do_inflight(struct play *p)
{
	same_number(p, "inflight", engine_in_flight(p->engine), word(p, 2));
}

/* logged N TEXT: so many lines with it since the last look */
static void
do_logged(struct play *p)
{
	struct buf want = buf_max(1024);
	const char *at = p->log.n > 0 ? buf_cstr(&p->log) : "";
	uint64_t n = 0;

	for (size_t i = 3; i < p->n_words; i++)
		buf_format(&want, "%s%s", i > 3 ? " " : "", p->word[i]);
	while ((at = strstr(at, buf_cstr(&want))) != NULL) {
		n++;
		at++;
	}
	same_number(p, buf_cstr(&want), n, word(p, 2));
	buf_free(&want);
	buf_clear(&p->log);
}

static const struct {
	const char *verb;
	void (*run)(struct play *);
	size_t words; /* at least, with the time */
} verbs[] = {
    {"ask", do_ask, 5},
    {"reply", do_reply, 4},
    {"none", do_none, 3},
    {"sent", do_sent, 5},
    {"quiet", do_quiet, 3},
    {"answer", do_answer, 6},
    {"fail", do_fail, 6},
    {"line", do_line, 4},
    {"close", do_close, 3},
    {"leave", do_leave, 3},
    {"sleep", do_sleep, 3},
    {"clock", do_clock, 3},
    {"network", do_network, 2},
    {"reload", do_reload, 2},
    {"captive", do_captive, 3},
    {"flush", do_flush, 3},
    {"count", do_count, 4},
    {"connects", do_connects, 4},
    {"drops", do_drops, 4},
    {"waiting", do_waiting, 3},
    {"inflight", do_inflight, 3},
    {"flood", do_flood, 5},
    {"replies", do_replies, 5},
    {"logged", do_logged, 4},
};

/* ---- scenarios */

static void
play_verb(struct play *p)
{
	int64_t at = number(p, word(p, 0));

	if (at < p->now_ms) {
		wrong(p, "time does not go back");
		return;
	}
	fake_loop_advance(p->loop, at - p->now_ms);
	p->now_ms = at;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].verb, word(p, 1)) == 0) {
			if (p->n_words < verbs[i].words)
				wrong(p, "too few words");
			else
				verbs[i].run(p);
			settle(p);
			return;
		}
	wrong(p, "no such verb: %s", word(p, 1));
}

static void
play_line(struct play *p, char *line)
{
	char *rest = line, *one;

	if (line[0] == '#')
		return;
	if (line[0] == '|') {
		buf_text(&p->config, line + 1);
		return;
	}
	p->n_words = 0;
	while ((one = strsep(&rest, " \t\n")) != NULL)
		if (*one != '\0' && p->n_words < WORDS_MAX)
			p->word[p->n_words++] = one;
	if (p->n_words == 0)
		return;
	if (p->engine == NULL && !engine_make(p))
		return;
	play_verb(p);
}

static void
play_end(struct play *p)
{
	engine_free(p->engine);
	if (fake_loop_timers(p->loop) > 0)
		wrong(p, "%u timers are left", fake_loop_timers(p->loop));
	for (size_t i = 0; i < p->n_asked; i++) {
		buf_free(&p->asked[i]->question);
		buf_free(&p->asked[i]->reply);
		free(p->asked[i]);
	}
	fake_transport_reset();
	log_capture(NULL, NULL);
	loop_free(p->loop);
	buf_free(&p->config);
	buf_free(&p->log);
	unlink(p->config_path);
}

static bool
play(const char *path, const char *anchor)
{
	struct play p = {.anchor = anchor,
	    .config = buf_max(65536),
	    .log = buf_max(1 << 24),
	    .config_path = "/tmp/replay-XXXXXX"};
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	char line[4096];
	int fd = mkstemp(p.config_path);

	p.file = slash != NULL ? slash + 1 : path;
	if (f == NULL || fd < 0 || loop_new(&p.loop) != RES_OK) {
		printf("%s: can not be played\n", path);
		return false;
	}
	close(fd);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_capture(on_log, &p);
	while (!p.failed && fgets(line, sizeof line, f) != NULL) {
		p.line++;
		play_line(&p, line);
	}
	fclose(f);
	if (!p.failed && p.engine == NULL)
		wrong(&p, "nothing is played");
	play_end(&p);
	printf("%s %s\n", p.failed ? "FAIL" : "ok  ", p.file);
	return !p.failed;
}

static int
text_files(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".txt") == 0;
}

int
main(int argc, char **argv)
{
	const char *src = getenv("srcdir");
	char folder[4096], anchor[4200], path[4400];
	struct dirent **list;
	unsigned failed = 0;
	int n;

	snprintf(folder, sizeof folder, "%s/tests/data/replay", src != NULL ? src : ".");
	snprintf(anchor, sizeof anchor, "%s/anchor.pem", folder);
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			failed += !play(argv[i], anchor);
		return failed > 0;
	}
	n = scandir(folder, &list, text_files, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		failed += !play(path, anchor);
		free(list[i]);
	}
	if (n > 0)
		free(list);
	printf("%d scenarios, %u failed\n", n, failed);
	return n <= 0 || failed > 0;
}
