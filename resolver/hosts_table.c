#include "resolver/hosts_table.h"

#include "base/text.h"
#include "config/snapshot.h"
#include "verify/x509/idn.h"

#include <stdlib.h>
#include <string.h>

void
hosts_table_free(struct hosts_table *t)
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

static struct hosts_table *
table_new(void)
{
	struct hosts_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->names_text = buf_max((size_t)2 * HOSTS_FILE_MAX);
	if (nameset_new(&t->names) != RES_OK || nameset_new(&t->reverse) != RES_OK ||
	    nameset_new(&t->above) != RES_OK) {
		hosts_table_free(t);
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
above_add(struct hosts_table *t, struct span name)
{
	return nameset_count(t->above) < HOSTS_ABOVE_MAX ? nameset_add_above(t->above, name) : RES_OK;
}

/* The number of a name; a new name is added. */
static enum res
name_number(struct hosts_table *t, struct span name, uint32_t *number)
{
	if (nameset_find(t->names, name, number))
		return RES_OK;
	*number = (uint32_t)nameset_count(t->names);
	return nameset_add(t->names, name, *number);
}

/* The first name of an address is its official name. */
static enum res
reverse_add(struct hosts_table *t, const struct addr *a, struct span official)
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
pair_add(struct hosts_table *t, const struct addr *a, struct span name)
{
	uint32_t number;
	enum res res;

	if (t->n == HOSTS_ENTRIES_MAX)
		return RES_LIMIT;
	if (t->n == t->room) {
		size_t room = t->room == 0 ? 64 : t->room * 2;
		struct hosts_pair *pair = reallocarray(t->pair, room, sizeof *pair);

		if (pair == NULL)
			return RES_NOMEM;
		t->pair = pair;
		t->room = room;
	}
	res = name_number(t, name, &number);
	if (res != RES_OK)
		return res;
	t->pair[t->n++] = (struct hosts_pair){*a, number};
	res = above_add(t, name);
	return res == RES_OK ? reverse_add(t, a, name) : res;
}

/* Adds one name of a line, in any script. True: it was not a name. */
static bool
name_is_bad(struct hosts_table *t, const struct addr *addr, struct span word, enum res *res)
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
hosts_line_read(struct hosts_table *t, struct span line)
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
group_add(struct hosts_group *g, struct hosts_pair *sorted, const struct hosts_pair *p)
{
	struct hosts_pair *pairs = sorted + g->first;

	if (g->n == HOSTS_ANSWERS_MAX)
		return; /* the rest is left out */
	for (uint32_t i = 0; i < g->n; i++)
		if (addr_ip_equal(&pairs[i].addr, &p->addr))
			return;
	pairs[g->n++] = *p;
}

/* Brings the pairs of each name together, each address once. */
static enum res
pairs_group(struct hosts_table *t)
{
	size_t n_names = nameset_count(t->names);
	struct hosts_group *group = calloc(n_names + 1, sizeof *group);
	struct hosts_pair *sorted = calloc(t->n + 1, sizeof *sorted);

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
hosts_table_read(struct hosts_table **out, struct span text)
{
	struct hosts_table *t = table_new();
	enum res res = t == NULL ? RES_NOMEM : RES_OK;
	struct span line;

	text = text_without_bom(text);
	while (res == RES_OK && text_line_take(&text, &line))
		res = hosts_line_read(t, line);
	/* beyond the limit, the entries read so far are used */
	if ((res != RES_OK && res != RES_LIMIT) || pairs_group(t) != RES_OK) {
		hosts_table_free(t);
		return res == RES_OK || res == RES_LIMIT ? RES_NOMEM : res;
	}
	nameset_seal(t->names);
	nameset_seal(t->reverse);
	nameset_seal(t->above);
	*out = t;
	return res;
}

enum res
hosts_table_load(struct hosts_table **out, const char *file, char **why)
{
	struct buf text = buf_max(HOSTS_FILE_MAX);
	enum res res = config_file_read(&text, file, HOSTS_FILE_MAX, why);

	if (res == RES_OK)
		res = hosts_table_read(out, buf_span(&text));
	buf_free(&text);
	return res;
}
