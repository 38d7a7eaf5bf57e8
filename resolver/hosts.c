#include "resolver/hosts.h"

#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"
#include "config/snapshot.h"
#include "base/dns/compose.h"
#include "base/dns/nameset.h"
#include "verify/x509/idn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOSTS_ANSWERS_MAX 256 /* records of one answer */

/* One address of one name. */
struct pair {
	struct addr addr;
	uint32_t name; /* its number, in the order of first appearance */
};

/* The pairs of one name: together, in the order of the file. */
struct group {
	uint32_t first, n;
};

/* The result of reading the file once. */
struct table {
	struct nameset *names;   /* to the number of the name */
	struct nameset *reverse; /* in-addr.arpa and ip6.arpa names, to the official name of the address in
				    names_text */
	struct nameset *above;   /* names above all of them */
	struct buf names_text;   /* wire forms, each after its length */
	struct pair *pair;       /* in the order of the file while it is read, then by name */
	size_t n, room;
	struct group *group; /* by the number of the name */
	size_t bad;
};

struct hosts {
	char *file;
	struct table *table;
	int64_t look_again_ms;
	bool there, complained;
	struct stat seen;
};

static void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	nameset_free(t->names);
	nameset_free(t->reverse);
	nameset_free(t->above);
	buf_free(&t->names_text);
	free(t->pair);
	free(t->group);
	free(t);
}

static struct table *
table_new(void)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->names_text = buf_max((size_t)2 * HOSTS_FILE_MAX);
	if (nameset_new(&t->names) != RES_OK || nameset_new(&t->reverse) != RES_OK ||
	    nameset_new(&t->above) != RES_OK) {
		table_free(t);
		return NULL;
	}
	return t;
}

/* The name for reverse lookups of the address (RFC 1035, 3.5; RFC 3596, 2.5). */
static struct span
reverse_name(const struct addr *a, uint8_t out[MSG_NAME_MAX])
{
	struct buf text = buf_max(256);
	struct span ip = addr_ip(a);
	const char *s;
	uint8_t n = 0;

	for (size_t i = ip.n; i-- > 0;) {
		if (ip.n == 4)
			buf_format(&text, "%u.", ip.p[i]);
		else
			buf_format(&text, "%x.%x.", ip.p[i] & 15, ip.p[i] >> 4);
	}
	buf_text(&text, ip.n == 4 ? "in-addr.arpa" : "ip6.arpa");
	s = buf_cstr(&text);
	if (s == NULL || msg_name_read(out, &n, s) != RES_OK)
		n = 0;
	buf_free(&text);
	return span_of(out, n);
}

static enum res
above_add(struct table *t, struct span name)
{
	return nameset_count(t->above) < HOSTS_ABOVE_MAX ? nameset_add_above(t->above, name) : RES_OK;
}

/* The number of a name; a new name is added. */
static enum res
name_number(struct table *t, struct span name, uint32_t *number)
{
	if (nameset_find(t->names, name, number))
		return RES_OK;
	*number = (uint32_t)nameset_count(t->names);
	return nameset_add(t->names, name, *number);
}

/* The first name of an address is its official name. */
static enum res
reverse_add(struct table *t, const struct addr *a, struct span official)
{
	uint8_t name[MSG_NAME_MAX];
	struct span reverse = reverse_name(a, name);
	enum res res;

	if (nameset_find(t->reverse, reverse, NULL))
		return RES_OK;
	res = nameset_add(t->reverse, reverse, (uint32_t)t->names_text.n);
	buf_u8(&t->names_text, (uint8_t)official.n);
	buf_put(&t->names_text, official);
	if (!buf_ok(&t->names_text))
		return RES_NOMEM;
	return res == RES_OK ? above_add(t, reverse) : res;
}

static enum res
pair_add(struct table *t, const struct addr *a, struct span name)
{
	uint32_t number;
	enum res res;

	if (t->n == HOSTS_ENTRIES_MAX)
		return RES_LIMIT;
	if (t->n == t->room) {
		size_t room = t->room == 0 ? 64 : t->room * 2;
		struct pair *pair = reallocarray(t->pair, room, sizeof *pair);

		if (pair == NULL)
			return RES_NOMEM;
		t->pair = pair;
		t->room = room;
	}
	res = name_number(t, name, &number);
	if (res != RES_OK)
		return res;
	t->pair[t->n++] = (struct pair){*a, number};
	res = above_add(t, name);
	return res == RES_OK ? reverse_add(t, a, name) : res;
}

/* Adds one name of a line, in any script. True: it was not a name. */
static bool
name_is_bad(struct table *t, const struct addr *addr, struct span word, enum res *res)
{
	struct buf ascii = buf_max(IDN_TEXT_MAX);
	uint8_t name[MSG_NAME_MAX], n;
	bool bad;

	if (!text_is_ascii(word) && idn_to_ascii(&ascii, word) == RES_OK)
		word = buf_span(&ascii);
	bad = msg_name_read_span(name, &n, word) != RES_OK || n == 1;
	buf_free(&ascii);
	if (!bad)
		*res = pair_add(t, addr, span_of(name, n));
	return bad;
}

/* A bad name does not invalidate the other names of its line. */
static enum res
hosts_line_read(struct table *t, struct span line)
{
	const uint8_t *comment = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
	struct span word;
	struct addr addr;
	bool any = false, bad;
	enum res res = RES_OK;

	if (comment != NULL)
		line.n = (size_t)(comment - line.p);
	if (!text_word_take(&line, &word))
		return RES_OK;
	bad = addr_read_ip_span(&addr, word) != RES_OK;
	for (bool address = !bad; address && res == RES_OK && text_word_take(&line, &word); any = true)
		bad |= name_is_bad(t, &addr, word, &res);
	t->bad += bad || !any;
	return res;
}

static void
group_add(struct group *g, struct pair *sorted, const struct pair *p)
{
	struct pair *pairs = sorted + g->first;

	if (g->n == HOSTS_ANSWERS_MAX)
		return; /* the rest is left out */
	for (uint32_t i = 0; i < g->n; i++)
		if (addr_ip_equal(&pairs[i].addr, &p->addr))
			return;
	pairs[g->n++] = *p;
}

/* Brings the pairs of each name together, each address once. */
static enum res
pairs_group(struct table *t)
{
	size_t n_names = nameset_count(t->names);
	struct group *group = calloc(n_names + 1, sizeof *group);
	struct pair *sorted = calloc(t->n + 1, sizeof *sorted);

	if (group == NULL || sorted == NULL) {
		free(group);
		free(sorted);
		return RES_NOMEM;
	}
	for (size_t i = 0; i < t->n; i++)
		group[t->pair[i].name + 1].first++;
	for (size_t i = 1; i <= n_names; i++)
		group[i].first += group[i - 1].first;
	for (size_t i = 0; i < t->n; i++)
		group_add(&group[t->pair[i].name], sorted, &t->pair[i]);
	free(t->pair);
	t->pair = sorted;
	t->group = group;
	return RES_OK;
}

enum res
hosts_read(struct hosts *h, struct span text)
{
	struct table *t = table_new();
	enum res res = t == NULL ? RES_NOMEM : RES_OK;
	struct span line;

	text = text_without_bom(text);
	while (res == RES_OK && text_line_take(&text, &line))
		res = hosts_line_read(t, line);
	/* beyond the limit, the entries read so far are used */
	if ((res != RES_OK && res != RES_LIMIT) || pairs_group(t) != RES_OK) {
		table_free(t);
		return res == RES_OK || res == RES_LIMIT ? RES_NOMEM : res;
	}
	nameset_seal(t->names);
	nameset_seal(t->reverse);
	nameset_seal(t->above);
	table_free(h->table);
	h->table = t;
	return res;
}

/* Logged once for each bad state, not once a second. */
static void
hosts_complain(struct hosts *h, const char *why)
{
	if (!h->complained)
		log_event(LOG_WARN, "hosts-not-read", LOG_STR("file", h->file), LOG_STR("why", why));
	h->complained = true;
}

static void
hosts_file_read(struct hosts *h)
{
	struct buf text = buf_max(HOSTS_FILE_MAX);
	char *why = NULL;
	enum res res = config_file_read(&text, h->file, HOSTS_FILE_MAX, &why);

	if (res == RES_OK)
		res = hosts_read(h, buf_span(&text));
	if (res != RES_OK) {
		hosts_complain(h, why == NULL ? res_text(res) : why);
	} else {
		h->complained = false;
		log_event(LOG_INFO, "hosts-read", LOG_STR("file", h->file), LOG_INT("entries", h->table->n),
			  LOG_INT("bad-lines", h->table->bad));
	}
	free(why);
	buf_free(&text);
}

static bool
stat_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
file_look(struct hosts *h, int64_t now_ms)
{
	struct stat st = {0};

	h->look_again_ms = now_ms + HOSTS_CHECK_MS;
	if (stat(h->file, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			h->there = false;
			table_free(h->table);
			h->table = NULL;
		} else {
			hosts_complain(h, strerror(errno));
		}
		return;
	}
	if (h->there && stat_same(&st, &h->seen))
		return;
	h->there = true;
	h->seen = st; /* from before the read: changes made meanwhile are noticed next time */
	hosts_file_read(h);
}

enum res
hosts_new(struct hosts **out, const char *file)
{
	struct hosts *h = calloc(1, sizeof *h);

	if (h == NULL)
		return RES_NOMEM;
	if (file != NULL && file[0] != '\0') {
		h->file = strdup(file);
		if (h->file == NULL) {
			free(h);
			return RES_NOMEM;
		}
	}
	h->look_again_ms = INT64_MIN;
	*out = h;
	return RES_OK;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	table_free(h->table);
	free(h->file);
	free(h);
}

bool
hosts_look_again(struct hosts *h, const char *file)
{
	h->look_again_ms = INT64_MIN;
	return strcmp(h->file != NULL ? h->file : "", file != NULL ? file : "") == 0;
}

size_t
hosts_bad(const struct hosts *h)
{
	return h->table == NULL ? 0 : h->table->bad;
}

/* Adds the addresses of a name that match the type; ANY: all. Returns how many. */
static size_t
addresses_put(const struct table *t, uint32_t number, struct compose *c)
{
	const struct group *g = &t->group[number];
	uint16_t asked = c->question->type;
	size_t n = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct addr *a = &t->pair[g->first + i].addr;
		uint16_t type = a->family == ADDR_V4 ? TYPE_A : TYPE_AAAA;

		if (type != asked && asked != TYPE_ANY)
			continue;
		compose_answer(c, (struct span){NULL, 0}, type, COMPOSE_TTL_SHORT, addr_ip(a));
		n++;
	}
	return n;
}

/* Answers a reverse lookup with the official name of the address. */
static size_t
pointer_put(const struct table *t, uint32_t official, struct compose *c)
{
	const uint8_t *name = t->names_text.p + official;

	if (c->question->type != TYPE_PTR && c->question->type != TYPE_ANY)
		return 0;
	compose_answer(c, (struct span){NULL, 0}, TYPE_PTR, COMPOSE_TTL_SHORT, span_of(name + 1, name[0]));
	return 1;
}

bool
hosts_answer(struct hosts *h, const struct msg_question *q, int64_t now_ms, struct buf *out)
{
	struct span name = span_of(q->name, q->name_n);
	uint32_t number, official;
	bool forwards, backwards;
	struct compose c;
	size_t n = 0;

	if (h->file != NULL && now_ms >= h->look_again_ms)
		file_look(h, now_ms);
	if (h->table == NULL)
		return false;
	forwards = nameset_find(h->table->names, name, &number);
	backwards = nameset_find(h->table->reverse, name, &official);
	if (!forwards && !backwards)
		return false;
	c = compose_begin(out, q, RCODE_NOERROR);
	if (forwards)
		n += addresses_put(h->table, number, &c);
	if (backwards)
		n += pointer_put(h->table, official, &c);
	if (n == 0)
		compose_soa(&c, name, COMPOSE_TTL_SHORT);
	return true;
}

bool
hosts_has(const struct hosts *h, struct span name)
{
	const struct table *t = h->table;

	return t != NULL && (nameset_find(t->names, name, NULL) || nameset_find(t->reverse, name, NULL));
}

bool
hosts_is_above(const struct hosts *h, struct span name)
{
	return h->table != NULL && nameset_find(h->table->above, name, NULL);
}
