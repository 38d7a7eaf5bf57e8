/* Checks that involve several options: combinations, and names that must exist. */
#include "config.h"

#include "base/near.h"
#include "config/forms.h"
#include "config/reader.h"

#include <string.h>

struct check {
	const struct settings *s;
	struct config_errors *errors;
	bool bad;
};

#define FAIL(c, place, ...) ((c)->bad = true, config_errors_add((c)->errors, place, __VA_ARGS__))

/* Would a question to `to` come back to this listener? */
static bool
is_listener(const struct addr *listener, const struct addr *to)
{
	if (listener->port != to->port)
		return false;
	if (addr_ip_equal(listener, to))
		return true;
	return addr_is_any(listener) && addr_is_loopback(to);
}

static struct place
place_of(const struct upstream_settings *u, enum option_id id)
{
	return u->set_at[id].line != 0 ? u->set_at[id] : u->place;
}

/* The option has no value because the one in the file was wrong, which has been reported already. */
static bool
is_wrong(const struct place *set_at, enum option_id id)
{
	return set_at[id].wrong;
}

static void
check_addresses(struct check *c, const struct upstream_settings *u)
{
	char text[ADDR_TEXT_MAX];

	if (u->address.n == 0 && u->set_at[OPTION_ADDRESS].line == 0)
		FAIL(c, u->place, "upstream \"%s\" has no address, option \"address\" was expected",
		     u->title);
	for (size_t i = 0; i < u->address.n; i++)
		for (size_t k = 0; k < c->s->listen.n; k++)
			if (is_listener(&c->s->listen.v[k], &u->address.v[i]))
				FAIL(c, place_of(u, OPTION_ADDRESS),
				     "upstream \"%s\" is this program's own listener %s, "
				     "the address of another server was expected",
				     u->title, addr_text(&c->s->listen.v[k], text));
	for (size_t i = 0; i < u->address.n; i++) /* the same one with and without its port */
		for (size_t k = 0; k < i; k++)
			if (addr_equal(&u->address.v[i], &u->address.v[k]))
				FAIL(c, place_of(u, OPTION_ADDRESS),
				     "upstream \"%s\" has the address %s twice, once was "
				     "expected",
				     u->title, addr_text(&u->address.v[i], text));
}

/* This name is for discovering resolvers, not the name of one: no certificate has it, and it is not sent as SNI (RFC
 * 9462). */
static bool
is_discovery_name(const char *name)
{
	static const char arpa[] = "resolver.arpa";
	size_t n = strlen(name), tail = sizeof arpa - 1;

	return n >= tail && strcmp(name + n - tail, arpa) == 0 && (n == tail || name[n - tail - 1] == '.');
}

static void
check_upstream(struct check *c, const struct upstream_settings *u)
{
	bool cert = *u->client_cert != '\0', key = *u->client_key != '\0';

	check_addresses(c, u);
	if (is_discovery_name(u->name))
		FAIL(c, place_of(u, OPTION_NAME),
		     "upstream \"%s\" has the name \"%s\", which no server bears, the name in its "
		     "certificate or \"\" was expected",
		     u->title, u->name);
	if (cert != key && !is_wrong(u->set_at, cert ? OPTION_CLIENT_KEY : OPTION_CLIENT_CERT))
		FAIL(c, place_of(u, cert ? OPTION_CLIENT_CERT : OPTION_CLIENT_KEY),
		     "upstream \"%s\" has \"%s\" alone, "
		     "\"%s\" was expected as well",
		     u->title, cert ? "client-cert" : "client-key", cert ? "client-key" : "client-cert");
	if (is_wrong(u->set_at, OPTION_PROTOCOL))
		return;
	if (u->protocol == TP_DOT && strcmp(u->path, "/dns-query") != 0)
		FAIL(c, u->set_at[OPTION_URL_PATH],
		     "upstream \"%s\" has a path, protocol \"doh\" was expected with it", u->title);
	if (u->protocol == TP_DOT && u->method != TP_POST)
		FAIL(c, u->set_at[OPTION_METHOD],
		     "upstream \"%s\" has a method, protocol \"doh\" was expected with it", u->title);
}

static void
check_unknown_upstream(struct check *c, const char *title, struct place place)
{
	struct near near = near_to(title);

	for (size_t i = 0; i < c->s->n_upstream; i++)
		near_offer(&near, c->s->upstream[i].title);
	if (near.word != NULL)
		FAIL(c, place, "unknown upstream \"%s\", did you mean \"%s\"?", title, near.word);
	else
		FAIL(c, place, "unknown upstream \"%s\", the title of an upstream was expected", title);
}

static void
check_forwards(struct check *c)
{
	const struct settings *s = c->s;

	for (size_t i = 0; i < s->n_forward; i++) {
		const struct forward_settings *f = &s->forward[i];

		if (f->set_at[OPTION_FORWARD_UPSTREAM].line == 0)
			FAIL(c, f->place,
			     "forward \"%s\" has no upstream, option \"upstream\" was expected ({} keeps the "
			     "names here)",
			     f->title);
		for (size_t k = 0; k < f->upstream.n; k++) {
			if (settings_upstream(s, f->upstream.v[k]) == NULL)
				check_unknown_upstream(c, f->upstream.v[k], f->upstream.place[k]);
			for (size_t m = 0; m < k; m++)
				if (strcmp(f->upstream.v[k], f->upstream.v[m]) == 0)
					FAIL(c, f->upstream.place[k],
					     "the upstream \"%s\" is listed twice, once was expected",
					     f->upstream.v[k]);
		}
	}
}

/* A list from a mirror on the network must be signed; a file is trusted as far as its folder is. */
static void
check_list_url(struct check *c)
{
	const struct settings *s = c->s;

	if (*s->ct_list_url != '\0' && *s->ct_list_url != '/' && *s->ct_list_key == '\0' &&
	    !is_wrong(s->set_at, OPTION_CT_LIST_KEY))
		FAIL(c, s->set_at[OPTION_CT_LIST_URL],
		     "list-url is on the network and no key is given, option \"list-key\" was expected");
}

/* A resolver that strangers reach by accident is an amplifier, and its cache reveals what this machine asks. */
static void
check_listen(struct check *c)
{
	const struct settings *s = c->s;
	char text[ADDR_TEXT_MAX];

	if (s->allow.n > 0 || is_wrong(s->set_at, OPTION_ALLOW))
		return;
	for (size_t i = 0; i < s->listen.n; i++)
		if (!addr_is_loopback(&s->listen.v[i]))
			FAIL(c, s->set_at[OPTION_LISTEN],
			     "listen has %s, which other machines may reach, option \"allow\" with the "
			     "prefixes of "
			     "its clients was expected as well: allow = {\"192.0.2.0/24\"}",
			     addr_text(&s->listen.v[i], text));
}

/* Blocking without a person needs to know which certificates are expected, or a renewal would cut everybody off. */
static void
check_watch(struct check *c)
{
	const struct settings *s = c->s;

	if (s->watch_block != WATCH_BLOCK_ENFORCE || s->known_file.n > 0 ||
	    is_wrong(s->set_at, OPTION_KNOWN_FILE))
		return;
	for (size_t i = 0; i < s->n_upstream; i++)
		if (s->upstream[i].allow_issuer.n == 0 &&
		    !is_wrong(s->upstream[i].set_at, OPTION_ALLOW_ISSUER))
			FAIL(c, s->set_at[OPTION_WATCH_BLOCK],
			     "block is \"enforce\" and upstream \"%s\" has no allow-issuer: \"allow-issuer\" "
			     "there or "
			     "\"known-file\" here was expected, so that a renewal is not taken for a rogue "
			     "certificate",
			     s->upstream[i].title);
}

static void
check_two_labels(struct check *c, const struct strings *names, const char *what)
{
	for (size_t i = 0; i < names->n; i++)
		if (strchr(names->v[i], '.') == NULL || strcmp(names->v[i], ".") == 0)
			FAIL(c, names->place[i],
			     "\"%s\" is no name of %s, a name of two labels or more was expected",
			     names->v[i], what);
}

/* The name that a probe asks for has two labels or more; a single label would let searches for machines nearby out in
 * clear text. */
static void
check_portal(struct check *c)
{
	const struct settings *s = c->s;
	char text[ADDR_TEXT_MAX];

	check_two_labels(c, &s->portal_names, "a portal probe");
	for (size_t i = 0; i < s->portal_resolver.n; i++)
		if (addr_is_loopback(&s->portal_resolver.v[i]) || addr_is_any(&s->portal_resolver.v[i]))
			FAIL(c, s->set_at[OPTION_PORTAL_RESOLVER],
			     "the resolver %s is this machine, the address of the network's resolver was "
			     "expected",
			     addr_ip_text(&s->portal_resolver.v[i], text));
}

static void
check_query_log(struct check *c)
{
#ifdef HAVE_DNSTAP
	(void)c;
#else
	if (strncmp(c->s->query_log_to, "dnstap", 6) == 0)
		FAIL(c, c->s->set_at[OPTION_QUERY_LOG_TO],
		     "query-log has \"%s\" and this program was built without dnstap, the path of a text "
		     "file was "
		     "expected",
		     c->s->query_log_to);
#endif
}

bool
settings_check(const struct settings *s, struct config_errors *errors)
{
	struct check c = {s, errors, false};

	if (s->cache_min_ttl_ms > s->cache_max_ttl_ms)
		FAIL(&c,
		     s->set_at[s->set_at[OPTION_CACHE_MIN_TTL].line != 0 ? OPTION_CACHE_MIN_TTL
									 : OPTION_CACHE_MAX_TTL],
		     "min-ttl is longer than max-ttl, at most the same was expected");
	for (size_t i = 0; i < s->n_upstream; i++)
		check_upstream(&c, &s->upstream[i]);
	check_listen(&c);
	check_forwards(&c);
	check_list_url(&c);
	check_watch(&c);
	check_portal(&c);
	check_two_labels(&c, &s->time_names, "a time server");
	check_query_log(&c);
	return !c.bad;
}
