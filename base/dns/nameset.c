#include "base/dns/nameset.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16U

/* What lies at an offset of the block: the value, then the name. */
struct nameset {
	struct hash_key key;
	uint8_t *block;
	size_t used, room;
	uint32_t *slot; /* offset + 1; 0: free. Linear probing, at most three quarters full */
	size_t slots;   /* a power of two */
	size_t count;
	uint64_t lengths[MSG_NAME_MAX / 64 + 1]; /* of names here, in bytes: others need not be hashed */
};

enum res
nameset_new(struct nameset **out)
{
	struct nameset *s = calloc(1, sizeof *s);

	if (s == NULL)
		return RES_NOMEM;
	s->slots = SLOTS_MIN;
	s->slot = calloc(s->slots, sizeof *s->slot);
	if (s->slot == NULL) {
		free(s);
		return RES_NOMEM;
	}
	s->key = hash_key_random();
	*out = s;
	return RES_OK;
}

void
nameset_free(struct nameset *s)
{
	if (s == NULL)
		return;
	free(s->block);
	free(s->slot);
	free(s);
}

static size_t
name_length(const uint8_t *name)
{
	size_t n = 0;

	while (name[n] != 0)
		n += 1U + name[n];
	return n + 1;
}

/* The slot that holds the name, or the free one where it would go. */
static uint32_t *
nameset_slot(const struct nameset *s, struct span name)
{
	size_t i = hash_keyed(&s->key, name) & (s->slots - 1);

	while (s->slot[i] != 0) {
		size_t at = s->slot[i] - 1 + sizeof(uint32_t);

		/* Both end with their root, so a name cannot match the front of a longer one. */
		if (s->used - at >= name.n && memcmp(s->block + at, name.p, name.n) == 0)
			break;
		i = (i + 1) & (s->slots - 1);
	}
	return &s->slot[i];
}

static enum res
slots_double(struct nameset *s)
{
	uint32_t *slot = calloc(s->slots * 2, sizeof *slot), *old = s->slot;
	size_t n = s->slots;

	if (slot == NULL)
		return RES_NOMEM;
	s->slot = slot;
	s->slots *= 2;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *name;

		if (old[i] == 0)
			continue;
		name = s->block + (old[i] - 1) + sizeof(uint32_t);
		*nameset_slot(s, span_of(name, name_length(name))) = old[i];
	}
	free(old);
	return RES_OK;
}

static enum res
block_room(struct nameset *s, size_t n)
{
	size_t room = s->room == 0 ? 256 : s->room + s->room / 2;
	uint8_t *block;

	if (s->room - s->used >= n)
		return RES_OK;
	room = room < s->used + n ? s->used + n : room;
	if (s->used + n >= UINT32_MAX)
		return RES_LIMIT;
	block = realloc(s->block, room);
	if (block == NULL)
		return RES_NOMEM;
	s->block = block;
	s->room = room;
	return RES_OK;
}

static bool
length_is_used(const struct nameset *s, size_t n)
{
	return n <= MSG_NAME_MAX && (s->lengths[n / 64] >> n % 64 & 1) != 0;
}

enum res
nameset_add(struct nameset *s, struct span name, uint32_t value)
{
	uint32_t *slot;
	enum res res;

	if (name.n == 0 || name.n > MSG_NAME_MAX)
		return RES_MALFORMED;
	if ((s->count + 1) * 4 > s->slots * 3 && (res = slots_double(s)) != RES_OK)
		return res;
	slot = nameset_slot(s, name);
	if (*slot != 0)
		return RES_OK;
	res = block_room(s, sizeof value + name.n);
	if (res != RES_OK)
		return res;
	*slot = (uint32_t)s->used + 1;
	memcpy(s->block + s->used, &value, sizeof value);
	memcpy(s->block + s->used + sizeof value, name.p, name.n);
	s->used += sizeof value + name.n;
	s->count++;
	s->lengths[name.n / 64] |= (uint64_t)1 << name.n % 64;
	return RES_OK;
}

enum res
nameset_add_above(struct nameset *s, struct span name)
{
	enum res res = RES_OK;

	while (res == RES_OK && name.n > 1) {
		name = span_slice(name, 1U + name.p[0], name.n);
		/* If a name is in it, so are those above that name. */
		if (name.n <= 1 || nameset_find(s, name, NULL))
			break;
		res = nameset_add(s, name, 0);
	}
	return res;
}

void
nameset_seal(struct nameset *s)
{
	uint8_t *block = s == NULL || s->used == 0 ? NULL : realloc(s->block, s->used);

	if (block != NULL) {
		s->block = block;
		s->room = s->used;
	}
}

size_t
nameset_count(const struct nameset *s)
{
	return s == NULL ? 0 : s->count;
}

size_t
nameset_bytes(const struct nameset *s)
{
	return s == NULL ? 0 : sizeof *s + s->room + s->slots * sizeof *s->slot;
}

bool
nameset_find(const struct nameset *s, struct span name, uint32_t *value)
{
	uint32_t slot;

	if (s == NULL || !length_is_used(s, name.n))
		return false;
	slot = *nameset_slot(s, name);
	if (slot != 0 && value != NULL)
		memcpy(value, s->block + slot - 1, sizeof *value);
	return slot != 0;
}

size_t
nameset_find_above(const struct nameset *s, struct span name, uint32_t *value)
{
	if (s == NULL || s->count == 0)
		return 0;
	while (!nameset_find(s, name, value)) {
		if (name.n <= 1)
			return 0;
		name = span_slice(name, 1U + name.p[0], name.n);
	}
	return name.n;
}
