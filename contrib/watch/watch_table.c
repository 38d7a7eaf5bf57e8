#include "config.h"

#include "contrib/watch/watch_table.h"

#include <stdlib.h>
#include <string.h>

#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/* ---- slots: open addressing, never full */

static uint32_t
hash_byte(uint32_t h, uint8_t c)
{
	return (h ^ c) * FNV_PRIME;
}

/* From the last byte to the first, so that one pass over a name gives the hash of each of its parents. */
static uint32_t
hash_name(struct span name)
{
	uint32_t h = FNV_START;

	for (size_t i = name.n; i > 0; i--)
		h = hash_byte(h, name.p[i - 1]);
	return h;
}

static void
slot_put(uint32_t *slot, size_t n_slots, uint32_t hash, uint32_t index)
{
	size_t i = hash & (n_slots - 1);

	while (slot[i] != 0)
		i = (i + 1) & (n_slots - 1);
	slot[i] = index + 1;
}

/* The number of slots for n entries: at most half of them are taken. */
static size_t
slots_for(size_t n)
{
	size_t slots = 64;

	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

/* ---- names */

static struct span
parent_of(struct span name)
{
	const uint8_t *dot = memchr(name.p, '.', name.n);

	return dot == NULL ? (struct span){NULL, 0} : span_slice(name, (size_t)(dot - name.p) + 1, name.n);
}

static struct span
text_of(const struct watch_name *name)
{
	return span_of(name->text, name->n);
}

/* The slot of the first name with this parent, or the free one where it would be. */
static size_t
parent_slot_of(const struct watch_names *t, struct span parent)
{
	size_t i = hash_name(parent) & (t->n_slots - 1);

	while (t->parent_slot[i] != 0 &&
	       !span_equal(parent_of(text_of(&t->name[t->parent_slot[i] - 1])), parent))
		i = (i + 1) & (t->n_slots - 1);
	return i;
}

static void
name_index(struct watch_names *t, uint32_t i)
{
	size_t at = parent_slot_of(t, parent_of(text_of(&t->name[i])));

	slot_put(t->slot, t->n_slots, t->name[i].hash, i);
	t->name[i].sibling = t->parent_slot[at];
	t->parent_slot[at] = i + 1;
}

static enum res
names_grow(struct watch_names *t)
{
	size_t cap = t->cap == 0 ? 32 : 2 * t->cap, slots = slots_for(cap);
	struct watch_name *name = reallocarray(t->name, cap, sizeof *name);
	uint32_t *slot, *parent;

	if (name == NULL)
		return RES_NOMEM;
	t->name = name;
	slot = calloc(slots, sizeof *slot);
	parent = calloc(slots, sizeof *parent);
	if (slot == NULL || parent == NULL) {
		free(slot);
		free(parent);
		return RES_NOMEM;
	}
	free(t->slot);
	free(t->parent_slot);
	t->slot = slot;
	t->parent_slot = parent;
	t->n_slots = slots;
	t->cap = cap;
	for (uint32_t i = 0; i < t->n; i++)
		name_index(t, i);
	return RES_OK;
}

enum res
watch_names_add(struct watch_names *t, struct span name, bool domain, uint32_t item)
{
	struct watch_name *n;

	if (t->n == t->cap && names_grow(t) != RES_OK)
		return RES_NOMEM;
	n = &t->name[t->n];
	*n = (struct watch_name){.text = strndup((const char *)name.p, name.n),
				 .n = (uint32_t)name.n,
				 .item = item,
				 .hash = hash_name(name),
				 .domain = domain};
	if (n->text == NULL)
		return RES_NOMEM;
	name_index(t, (uint32_t)t->n++);
	return RES_OK;
}

bool
watch_names_find(const struct watch_names *t, struct span name, bool domain, uint32_t *item)
{
	if (t->n_slots == 0)
		return false;
	for (size_t i = hash_name(name) & (t->n_slots - 1); t->slot[i] != 0; i = (i + 1) & (t->n_slots - 1)) {
		const struct watch_name *n = &t->name[t->slot[i] - 1];

		if (n->domain == domain && span_equal(text_of(n), name)) {
			*item = n->item;
			return true;
		}
	}
	return false;
}

/* Items of this very name; below: only domains, for the name looked up is below this one. */
static void
names_report(const struct watch_names *t, uint32_t hash, struct span name, bool below, watch_hit_fn *fn,
	     void *ctx)
{
	for (size_t i = hash & (t->n_slots - 1); t->slot[i] != 0; i = (i + 1) & (t->n_slots - 1)) {
		const struct watch_name *n = &t->name[t->slot[i] - 1];

		if (n->hash == hash && (n->domain || !below) && span_equal(text_of(n), name))
			fn(ctx, n->item);
	}
}

/* "*.parent" covers every name right below the parent. */
static void
children_report(const struct watch_names *t, struct span parent, watch_hit_fn *fn, void *ctx)
{
	uint32_t next = t->parent_slot[parent_slot_of(t, parent)];

	for (unsigned n = 0; next != 0 && n < WATCH_CHILDREN_MAX; n++) {
		const struct watch_name *name = &t->name[next - 1];

		fn(ctx, name->item);
		next = name->sibling;
	}
}

/* "d*s" and "dns": a star is any run of characters. */
static bool
label_matches(struct span pattern, struct span label)
{
	size_t p = 0, l = 0, star = SIZE_MAX, resume = 0;

	while (l < label.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			resume = l;
		} else if (p < pattern.n && pattern.p[p] == label.p[l]) {
			p++;
			l++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			l = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* The last label, cut off. */
static struct span
label_cut(struct span *name)
{
	const uint8_t *dot = name->n == 0 ? NULL : memrchr(name->p, '.', name->n);
	size_t at = dot == NULL ? 0 : (size_t)(dot - name->p) + 1;
	struct span label = span_slice(*name, at, name->n);

	name->n = at == 0 ? 0 : at - 1;
	return label;
}

/* A wildcard of any kind, label by label from the right; a domain is matched by what is below it, too. */
static bool
pattern_matches(struct span pattern, const struct watch_name *n)
{
	struct span name = text_of(n);

	if (span_equal(pattern, span_str("*")))
		return true;
	while (name.n > 0) {
		if (pattern.n == 0 || !label_matches(label_cut(&pattern), label_cut(&name)))
			return false;
	}
	return pattern.n == 0 || n->domain;
}

static struct span
without_wildcard(struct span name)
{
	return name.n > 2 && name.p[0] == '*' && name.p[1] == '.' ? span_slice(name, 2, name.n) : name;
}

bool
watch_names_scans(struct span name)
{
	struct span rest = without_wildcard(name);

	return rest.n > 0 && memchr(rest.p, '*', rest.n) != NULL;
}

bool
watch_names_lookup(const struct watch_names *t, struct span name, watch_hit_fn *fn, void *ctx)
{
	uint32_t h = FNV_START;
	struct span rest = without_wildcard(name);

	if (t->n == 0)
		return true;
	for (size_t i = name.n; i > 0; i--) {
		if (name.p[i - 1] == '.')
			names_report(t, h, span_slice(name, i, name.n), true, fn, ctx);
		h = hash_byte(h, name.p[i - 1]);
	}
	if (watch_names_scans(name)) {
		for (size_t i = 0; i < t->n; i++)
			if (pattern_matches(name, &t->name[i]))
				fn(ctx, t->name[i].item);
		return false;
	}
	if (rest.n < name.n)
		children_report(t, rest, fn, ctx);
	else
		names_report(t, h, name, false, fn, ctx);
	return true;
}

void
watch_names_clear(struct watch_names *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->name[i].text);
	free(t->name);
	free(t->slot);
	free(t->parent_slot);
	*t = (struct watch_names){.n = 0};
}

/* ---- prefixes */

static size_t
family_index(const struct prefix *net)
{
	return net->addr.family == ADDR_V4 ? 0 : 1;
}

static uint32_t
hash_net(const struct prefix *net)
{
	uint32_t h = hash_byte(hash_byte(FNV_START, (uint8_t)net->addr.family), net->bits);

	for (size_t i = 0; i < sizeof net->addr.ip; i++)
		h = hash_byte(h, net->addr.ip[i]);
	return h;
}

static bool
net_equal(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && addr_ip_equal(&a->addr, &b->addr);
}

static enum res
nets_grow(struct watch_nets *t)
{
	size_t cap = t->cap == 0 ? 32 : 2 * t->cap, slots = slots_for(cap);
	struct watch_net *net = reallocarray(t->net, cap, sizeof *net);
	uint32_t *slot;

	if (net == NULL)
		return RES_NOMEM;
	t->net = net;
	slot = calloc(slots, sizeof *slot);
	if (slot == NULL)
		return RES_NOMEM;
	free(t->slot);
	t->slot = slot;
	t->n_slots = slots;
	t->cap = cap;
	for (uint32_t i = 0; i < t->n; i++)
		slot_put(slot, slots, hash_net(&t->net[i].net), i);
	return RES_OK;
}

enum res
watch_nets_add(struct watch_nets *t, const struct prefix *net, uint32_t item)
{
	if (t->n == t->cap && nets_grow(t) != RES_OK)
		return RES_NOMEM;
	t->net[t->n] = (struct watch_net){*net, item};
	t->has[family_index(net)][net->bits] = true;
	slot_put(t->slot, t->n_slots, hash_net(net), (uint32_t)t->n++);
	return RES_OK;
}

bool
watch_nets_find(const struct watch_nets *t, const struct prefix *net, uint32_t *item)
{
	if (t->n_slots == 0)
		return false;
	for (size_t i = hash_net(net) & (t->n_slots - 1); t->slot[i] != 0; i = (i + 1) & (t->n_slots - 1))
		if (net_equal(&t->net[t->slot[i] - 1].net, net)) {
			*item = t->net[t->slot[i] - 1].item;
			return true;
		}
	return false;
}

/* The first `bits` bits of the address. */
static struct prefix
prefix_of(const struct spelled_address *a, unsigned bits)
{
	struct prefix net = {{.family = a->n == 4 ? ADDR_V4 : ADDR_V6}, (uint8_t)bits};

	memcpy(net.addr.ip, a->ip, bits / 8);
	if (bits % 8 != 0)
		net.addr.ip[bits / 8] = (uint8_t)(a->ip[bits / 8] & 0xff00 >> bits % 8);
	return net;
}

/* Can the address lie in the prefix, with any bits where its mask leaves them open? */
static bool
overlaps(const struct spelled_address *a, const struct prefix *net)
{
	if (a->n != addr_ip(&net->addr).n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		unsigned left = net->bits > 8 * i ? net->bits - 8 * i : 0;
		uint8_t mask = (uint8_t)(left >= 8 ? 0xff : 0xff00 >> left);

		if (((a->ip[i] ^ net->addr.ip[i]) & mask & a->mask[i]) != 0)
			return false;
	}
	return true;
}

static bool
is_whole(const struct spelled_address *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->mask[i] != 0xff)
			return false;
	return true;
}

bool
watch_nets_scans(const struct spelled_address *a)
{
	return !is_whole(a);
}

bool
watch_nets_lookup(const struct watch_nets *t, const struct spelled_address *a, watch_hit_fn *fn, void *ctx)
{
	unsigned all = 8u * a->n;
	uint32_t item;

	if (!is_whole(a)) {
		for (size_t i = 0; i < t->n; i++)
			if (overlaps(a, &t->net[i].net))
				fn(ctx, t->net[i].item);
		return t->n == 0;
	}
	for (unsigned bits = a->exact ? 0 : all; bits <= all; bits++) {
		struct prefix net;

		if (!t->has[a->n == 4 ? 0 : 1][bits])
			continue;
		net = prefix_of(a, bits);
		if (watch_nets_find(t, &net, &item))
			fn(ctx, item);
	}
	return true;
}

void
watch_nets_clear(struct watch_nets *t)
{
	free(t->net);
	free(t->slot);
	*t = (struct watch_nets){.n = 0};
}
