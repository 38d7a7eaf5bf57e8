#include "config/reverse.h"

#include <stdio.h>
#include <string.h>

static void
put_label(struct reverse_zone *z, const char *label)
{
	size_t n = strlen(label);

	z->wire[z->n++] = (uint8_t)n;
	memcpy(z->wire + z->n, label, n);
	z->n += n;
}

static unsigned
step_of(const struct addr *a, size_t i)
{
	if (a->family == ADDR_V4)
		return a->ip[i];
	return i % 2 == 0 ? a->ip[i / 2] >> 4 : a->ip[i / 2] & 15u;
}

/* One zone of the first `steps` octets or nibbles, the last of them plus `offset`. */
static void
zone_write(struct reverse_zone *z, const struct addr *a, size_t steps, unsigned offset)
{
	z->n = 0;
	for (size_t i = steps; i > 0; i--) {
		char label[4];

		(void)snprintf(label, sizeof label, a->family == ADDR_V4 ? "%u" : "%x",
			       (step_of(a, i - 1) + (i == steps ? offset : 0)) & 255u);
		put_label(z, label);
	}
	put_label(z, a->family == ADDR_V4 ? "in-addr" : "ip6");
	put_label(z, "arpa");
	z->wire[z->n++] = 0;
}

size_t
reverse_zones(struct reverse_zone zone[REVERSE_ZONES_MAX], const struct prefix *p)
{
	unsigned width = p->addr.family == ADDR_V4 ? 8 : 4;
	size_t steps = (p->bits + width - 1) / width;
	size_t n = (size_t)1 << (steps * width - p->bits);

	for (size_t i = 0; i < n; i++)
		zone_write(&zone[i], &p->addr, steps, (unsigned)i);
	return n;
}
