#include "tests/fuzz/mutilate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 1024  /* elements of one input that are damaged: a chain of six certificates has about 600 */
#define DEPTH_MAX 24
#define FORMS_MAX 700 /* of one input: whole chains are judged in about a millisecond each */
#define OUT_MAX	  65536

struct node {
	const uint8_t *body;
	size_t n;	/* of body */
	uint8_t tag;	/* of one byte; 0: none, only a length in front */
	uint8_t lead;	/* bytes of body before the first child: a BIT STRING's first */
	uint8_t width;	/* of the length in front of a root: 0, 2 or 3 */
	int parent;	/* -1: a root */
	bool children;	/* body consists of elements */
};

enum damage { DROPPED, DOUBLED, EMPTY, SHORT, OTHER_TYPE, ONE_MORE, OTHER_BYTE, DAMAGES };

struct tree {
	struct node node[NODES_MAX]; /* in the order of the input, a parent before its children */
	int n;
};

struct out {
	uint8_t *p; /* filled from its end, as a length is known only after its contents */
	size_t at;
	bool full;
};

static bool
header_read(const uint8_t *p, size_t n, size_t *head, size_t *body)
{
	size_t octets;

	if (n < 2 || (p[0] & 0x1f) == 0x1f || p[0] == 0)
		return false;
	*head = 2;
	*body = p[1];
	if (p[1] >= 0x80) {
		octets = p[1] & 0x7f;
		if (octets == 0 || octets > 3 || n < 2 + octets)
			return false;
		*head += octets;
		*body = 0;
		for (size_t i = 0; i < octets; i++)
			*body = *body << 8 | p[2 + i];
	}
	return *body <= n - *head;
}

static bool
is_elements(const uint8_t *p, size_t n)
{
	size_t head, body;

	if (n == 0)
		return false;
	for (; n > 0; p += head + body, n -= head + body)
		if (!header_read(p, n, &head, &body))
			return false;
	return true;
}

/* Strings that contain DER are entered as well: extensions, keys, OCSP responses. */
static void
lead_find(struct node *one)
{
	bool constructed = (one->tag & 0x20) != 0;

	one->lead = one->tag == 0x03 ? 1 : 0;
	if ((constructed || one->tag == 0x03 || one->tag == 0x04) && one->n > one->lead)
		one->children = is_elements(one->body + one->lead, one->n - one->lead);
}

static void
tree_add(struct tree *t, const uint8_t *p, size_t n, int parent, uint8_t width, int depth)
{
	size_t head, body;

	for (; n > 0 && t->n < NODES_MAX && header_read(p, n, &head, &body); p += head + body, n -= head + body) {
		int own = t->n++;
		struct node *one = &t->node[own];

		*one = (struct node){p + head, body, p[0], 0, width, parent, false};
		lead_find(one);
		if (one->children && depth < DEPTH_MAX)
			tree_add(t, one->body + one->lead, one->n - one->lead, own, 0, depth + 1);
		if (parent == -1)
			return; /* a root is one element */
	}
}

static size_t
be_read(const uint8_t *p, size_t width)
{
	size_t v = 0;

	for (size_t i = 0; i < width; i++)
		v = v << 8 | p[i];
	return v;
}

/* Elements after lengths of `width` bytes, at most `most` of them. Returns the rest of the input. */
static size_t
framed_add(struct tree *t, const uint8_t *data, size_t n, uint8_t width, int most)
{
	for (; most > 0 && n > width; most--) {
		size_t length = be_read(data, width);

		if (length == 0 || length > n - width)
			break;
		tree_add(t, data + width, length, -1, width, 0);
		data += width + length;
		n -= width + length;
	}
	return n;
}

static void
tree_make(struct tree *t, const uint8_t *data, size_t n)
{
	size_t head, body, left;

	t->n = 0;
	if (header_read(data, n, &head, &body) && head + body == n) {
		tree_add(t, data, n, -1, 0, 0);
		return;
	}
	if (framed_add(t, data, n, 3, 8) == 0)
		return;
	t->n = 0;
	left = framed_add(t, data, n, 2, 2);
	if (t->n > 0)
		tree_add(t, data + n - left, left, -1, 0, 0);
}

static void
put(struct out *out, const void *p, size_t n)
{
	if (n > out->at) {
		out->full = true;
		return;
	}
	out->at -= n;
	if (n > 0)
		memcpy(out->p + out->at, p, n);
}

static void
put_length(struct out *out, size_t length, bool der, uint8_t width)
{
	uint8_t octets[4] = {0};
	uint8_t n = width;

	if (der)
		for (n = 0; n < 3 && length >> (8 * n) > 0; n++)
			;
	for (uint8_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(length >> (8 * (n - 1 - i)));
	if (der && length < 0x80) {
		octets[0] = (uint8_t)length;
		n = 1;
	}
	put(out, octets, n);
	if (der && length >= 0x80) {
		octets[0] = (uint8_t)(0x80 | n);
		put(out, octets, 1);
	}
}

static void put_node(struct out *out, const struct tree *t, int i, int target, enum damage damage);

static void
put_body(struct out *out, const struct tree *t, int i, int target, enum damage damage)
{
	const struct node *one = &t->node[i];

	if (i == target && damage == ONE_MORE)
		put(out, "\x05", 2); /* NULL, and the length 0 that ends the literal */
	if (i == target && damage == EMPTY)
		return;
	if (i == target && (damage == SHORT || damage == OTHER_BYTE) && one->n > 0) {
		uint8_t last = (uint8_t)(one->body[one->n - 1] ^ 0x80);

		if (damage == OTHER_BYTE)
			put(out, &last, 1);
		put(out, one->body, one->n - 1);
		return;
	}
	if (!one->children) {
		put(out, one->body, one->n);
		return;
	}
	for (int k = t->n - 1; k > i; k--)
		if (t->node[k].parent == i)
			put_node(out, t, k, target, damage);
	put(out, one->body, one->lead);
}

static void
put_node(struct out *out, const struct tree *t, int i, int target, enum damage damage)
{
	const struct node *one = &t->node[i];
	size_t end = out->at;
	uint8_t tag = i == target && damage == OTHER_TYPE ? one->tag ^ 1 : one->tag;

	if (i == target && damage == DROPPED)
		return;
	for (int copies = i == target && damage == DOUBLED ? 2 : 1; copies > 0; copies--) {
		size_t own = out->at;

		put_body(out, t, i, target, damage);
		put_length(out, own - out->at, true, 0);
		put(out, &tag, 1);
	}
	if (one->width > 0)
		put_length(out, end - out->at, false, one->width);
}

void
mutilate(const uint8_t *data, size_t n, void (*feed)(const uint8_t *, size_t))
{
	static struct tree t;
	static uint8_t bytes[OUT_MAX];
	int step;

	tree_make(&t, data, n);
	step = t.n * DAMAGES / FORMS_MAX + 1;
	if (step % DAMAGES == 0)
		step++; /* so that all kinds of damage have their turn */
	for (int form = 0; form < t.n * DAMAGES; form += step) {
		struct out out = {bytes, sizeof bytes, false};

		for (int i = t.n - 1; i >= 0; i--)
			if (t.node[i].parent == -1)
				put_node(&out, &t, i, form / DAMAGES, (enum damage)(form % DAMAGES));
		if (!out.full)
			feed(bytes + out.at, sizeof bytes - out.at);
	}
}
