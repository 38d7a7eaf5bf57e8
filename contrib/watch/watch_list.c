#include "config.h"

#include "contrib/watch/watch_list.h"

#include "base/text.h"
#include "contrib/watch/watch_table.h"
#include "verify/x509/idn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Searches of the whole list for one certificate: only odd wildcards need them, which no public CA may issue. A
 * certificate with more is unreadable. */
#define SCANS_MAX         64
#define TOO_MANY_READINGS "an identifier has too many readings"

struct watch_list {
	struct watch_item *item;
	size_t n, cap;
	struct watch_names names;
	struct watch_nets nets;
};

enum res
watch_list_new(struct watch_list **out)
{
	*out = calloc(1, sizeof **out);
	return *out != NULL ? RES_OK : RES_NOMEM;
}

void
watch_list_free(struct watch_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->n; i++)
		free(list->item[i].text);
	free(list->item);
	watch_names_clear(&list->names);
	watch_nets_clear(&list->nets);
	free(list);
}

size_t
watch_list_count(const struct watch_list *list)
{
	return list->n;
}

const struct watch_item *
watch_list_at(const struct watch_list *list, size_t i)
{
	return &list->item[i];
}

/* ---- building */

static enum res
item_new(struct watch_list *list, const char *text, uint32_t *index)
{
	if (list->n == WATCH_ITEMS_MAX)
		return RES_LIMIT;
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 64 : 2 * list->cap;
		struct watch_item *larger = reallocarray(list->item, cap, sizeof *larger);

		if (larger == NULL)
			return RES_NOMEM;
		list->item = larger;
		list->cap = cap;
	}
	list->item[list->n] = (struct watch_item){.text = strdup(text)};
	if (list->item[list->n].text == NULL)
		return RES_NOMEM;
	*index = (uint32_t)list->n++;
	return RES_OK;
}

static void
owner_set(struct watch_list *list, uint32_t item, int owner)
{
	if (owner >= 0 && owner < WATCH_OWNERS_MAX)
		list->item[item].owners.bits[owner / 64] |= (uint64_t)1 << (owner % 64);
}

static enum res
net_add(struct watch_list *list, const struct prefix *net, const char *text, int owner)
{
	uint32_t index = 0;
	enum res res = RES_OK;

	if (!watch_nets_find(&list->nets, net, &index)) {
		res = item_new(list, text, &index);
		if (res == RES_OK)
			res = watch_nets_add(&list->nets, net, index);
	}
	if (res == RES_OK)
		owner_set(list, index, owner);
	return res;
}

enum res
watch_list_add_address(struct watch_list *list, const struct addr *addr, int owner)
{
	struct prefix net = {*addr, addr->family == ADDR_V4 ? 32 : 128};
	char text[ADDR_TEXT_MAX];

	net.addr.port = 0;
	return net_add(list, &net, addr_ip_text(addr, text), owner);
}

enum res
watch_list_add_name(struct watch_list *list, const char *name, int owner)
{
	struct buf normal = buf_max(IDN_TEXT_MAX);
	bool domain = name[0] == '.';
	uint32_t index = 0;
	enum res res = watch_files_name_normal(&normal, name + domain);

	if (res == RES_OK && !watch_names_find(&list->names, buf_span(&normal), domain, &index)) {
		res = item_new(list, name, &index);
		if (res == RES_OK)
			res = watch_names_add(&list->names, buf_span(&normal), domain, index);
	}
	if (res == RES_OK)
		owner_set(list, index, owner);
	buf_free(&normal);
	return res;
}

enum res
watch_list_add_item(void *list, const struct watched *item)
{
	switch (item->kind) {
	case WATCHED_ADDRESS:
		return watch_list_add_address(list, &item->net.addr, -1);
	case WATCHED_PREFIX:
		return net_add(list, &item->net, item->text, -1);
	case WATCHED_NAME:
		break;
	}
	return watch_list_add_name(list, item->text, -1);
}

/* ---- matching */

struct matching {
	const struct watch_list *list;
	struct watch_match *out;
	struct spelling spelling;
	const struct identifier *id; /* being read */
	unsigned scans;              /* times that a whole table was looked through */
	const char *trouble;         /* what was left out of the matching */
};

static void
matching_on_hit(void *ctx, uint32_t item)
{
	struct matching *m = ctx;
	struct watch_match *out = m->out;

	for (size_t i = 0; i < out->n; i++)
		if (out->hit[i].item == item)
			return;
	if (out->n == WATCH_HITS_MAX) {
		out->more = true;
		return;
	}
	if (out->n == 0) {
		struct buf shown = buf_max(sizeof out->shown - 1);
		char ip[2 * 32 + 1];

		if (m->id->kind == IDENTIFIER_IP && m->id->value.n <= 32)
			buf_format(&shown, "iPAddress %s", hex_write(ip, m->id->value));
		else
			text_escape(&shown, span_slice(m->id->value, 0, 60));
		(void)snprintf(out->shown, sizeof out->shown, "%s",
			       buf_cstr(&shown) != NULL ? buf_cstr(&shown) : "?");
		buf_free(&shown);
	}
	out->hit[out->n++] = (struct watch_hit){item, m->id->where};
}

static void
matching_on_name(void *ctx, struct span name)
{
	struct matching *m = ctx;

	if (m->scans < SCANS_MAX || !watch_names_scans(name))
		m->scans += !watch_names_lookup(&m->list->names, name, matching_on_hit, m);
	else
		m->trouble = TOO_MANY_READINGS;
}

static void
matching_on_address(void *ctx, const struct spelled_address *a)
{
	struct matching *m = ctx;

	if (m->scans < SCANS_MAX || !watch_nets_scans(a))
		m->scans += !watch_nets_lookup(&m->list->nets, a, matching_on_hit, m);
	else
		m->trouble = TOO_MANY_READINGS;
}

static void
matching_on_identifier(void *ctx, const struct identifier *id)
{
	struct matching *m = ctx;

	m->id = id;
	m->spelling.in_words = false;
	m->spelling.limit = false; /* one identifier beyond the limit must not hide the others */
	if (id->kind != IDENTIFIER_IP)
		spelling_read(&m->spelling, id->value, id->kind == IDENTIFIER_LEGEND);
	else if (!spelling_read_ip(&m->spelling, id->value) && m->out->trouble == NULL)
		m->out->trouble = "an iPAddress has the wrong length";
	if (m->spelling.limit)
		m->trouble = TOO_MANY_READINGS;
}

bool
watch_list_match(const struct watch_list *list, struct watch_match *out, struct span certificate, bool is_tbs)
{
	struct matching m = {.list = list, .out = out};

	m.spelling =
	    (struct spelling){.on_name = matching_on_name, .on_address = matching_on_address, .ctx = &m};
	out->n = 0;
	out->more = false;
	out->trouble = NULL;
	identifiers_read(&out->parts, certificate, is_tbs, matching_on_identifier, &m);
	if (out->parts.trouble != NULL)
		out->trouble = out->parts.trouble;
	else if (out->trouble == NULL)
		out->trouble = m.trouble;
	return out->n > 0 || out->trouble != NULL;
}
