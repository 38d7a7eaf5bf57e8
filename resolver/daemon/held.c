#include "resolver/daemon/held.h"

void
held_add(struct held_sockets *held, const struct addr *addr, bool udp)
{
	size_t i = 0;

	while (i < held->n && !addr_equal(&held->v[i].addr, addr))
		i++;
	if (i == HELD_MAX) {
		held->more = true;
		return;
	}
	if (i == held->n)
		held->v[held->n++] = (struct held){.addr = *addr};
	held->v[i].udp |= udp;
	held->v[i].tcp |= !udp;
}

static const char mend[] = "the same addresses were expected: change listen, or the unit "
			   "(`systemctl edit --full ctstubd.socket`; in force after `systemctl stop "
			   "ctstubd.socket && systemctl restart ctstubd`)";

/* An address of `listen` that is not held, or over one transport alone. */
static bool
listen_is_held(const struct held_sockets *held, const struct addr *addr, struct place place,
	       struct config_errors *errors)
{
	char text[ADDR_TEXT_MAX];
	size_t i = 0;

	while (i < held->n && !addr_equal(&held->v[i].addr, addr))
		i++;
	if (i < held->n && held->v[i].udp && held->v[i].tcp)
		return true;
	if (i == held->n && held->without_ipv6 && addr->family == ADDR_V6 && addr_is_loopback(addr))
		return true;
	config_errors_add(errors, place, "listen has %s, and %s does not listen there%s, %s",
			  addr_text(addr, text), held->from,
			  i == held->n     ? ""
			  : held->v[i].udp ? " over TCP"
					   : " over UDP",
			  mend);
	return false;
}

static bool
held_is_in_listen(const struct held_sockets *held, size_t i, const struct settings *s,
		  struct config_errors *errors)
{
	char text[ADDR_TEXT_MAX];

	for (size_t k = 0; k < s->listen.n; k++)
		if (addr_equal(&s->listen.v[k], &held->v[i].addr))
			return true;
	config_errors_add(errors, s->set_at[OPTION_LISTEN],
			  "%s listens on %s, and listen does not have it, %s", held->from,
			  addr_text(&held->v[i].addr, text), mend);
	return false;
}

bool
held_matches(const struct held_sockets *held, const struct settings *s, struct config_errors *errors)
{
	bool same = !held->more;

	if (held->n == 0)
		return true;
	for (size_t i = 0; i < s->listen.n; i++)
		same &= listen_is_held(held, &s->listen.v[i], s->set_at[OPTION_LISTEN], errors);
	for (size_t i = 0; i < held->n; i++)
		same &= held_is_in_listen(held, i, s, errors);
	return same;
}
