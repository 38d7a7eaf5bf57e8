#include "resolver/routes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

/* Upstreams: 0 public, 1 corp, 2 lab, 3 public. */
static struct upstream_plan upstreams[] = {
    {.general = true}, {.general = false}, {.general = false}, {.general = true}};
static const uint32_t corp[] = {1}, lab[] = {2, 1}, everything[] = {3};

static struct span
suffix(struct buf *b, const char *text)
{
	uint8_t name[MSG_NAME_MAX], n = 0;

	assert_int_equal(msg_name_read(name, &n, text), RES_OK);
	buf_put(b, span_of(name, n));
	return buf_span(b);
}

static const struct {
	const char *what;
	const char *name;
	unsigned n;
	uint32_t first;
	bool forwarded;
	size_t suffix_n;
} rows[] = {
    {"a public name", "www.example.com", 2, 0, false, 1},
    {"the root", ".", 2, 0, false, 1},
    {"the name of a forward itself", "corp.example", 1, 1, true, 14},
    {"a name below", "a.b.corp.example", 1, 1, true, 14},
    {"the longest suffix wins", "x.lab.corp.example", 2, 2, true, 18},
    {"a suffix that is not at a label", "xcorp.example", 2, 0, false, 1},
    {"a name above", "example", 2, 0, false, 1},
    {"a reverse zone", "1.0.0.10.in-addr.arpa", 1, 1, true, 17},
    {"a forward without upstreams never leaves this machine", "x.never.example", 0, 0, true, 15},
};

static void
the_longest_suffix_wins(void **state)
{
	struct buf b[4] = {buf_max(256), buf_max(256), buf_max(256), buf_max(256)}, name = buf_max(256);
	struct forward_plan forwards[] = {{suffix(&b[0], "corp.example"), corp, 1},
					  {suffix(&b[1], "lab.corp.example"), lab, 2},
					  {suffix(&b[2], "10.in-addr.arpa"), corp, 1},
					  {suffix(&b[3], "never.example"), NULL, 0}};
	struct snapshot snapshot = {
	    .upstream = upstreams, .n_upstream = 4, .forward = forwards, .n_forward = 4};
	struct config_errors errors = {0};
	struct routes *r;

	(void)state;
	assert_int_equal(routes_compile(&r, &snapshot, &errors), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct route *route;

		buf_clear(&name);
		route = routes_find(r, suffix(&name, rows[i].name));
		if (route->n_upstream != rows[i].n || route->forwarded != rows[i].forwarded ||
		    route->suffix.n != rows[i].suffix_n || (route->id == 0) == rows[i].forwarded)
			fail_msg("%s: %zu upstreams, suffix of %zu", rows[i].what, route->n_upstream,
				 route->suffix.n);
		if (route->n_upstream > 0 && route->upstream[0] != rows[i].first)
			fail_msg("%s: upstream %u", rows[i].what, route->upstream[0]);
	}
	routes_free(r);
	for (size_t i = 0; i < 4; i++)
		buf_free(&b[i]);
	buf_free(&name);
}

static void
a_forward_of_the_root_says_who_serves_it(void **state)
{
	struct buf b = buf_max(256);
	struct forward_plan forwards[] = {{suffix(&b, "."), everything, 1}};
	struct snapshot snapshot = {
	    .upstream = upstreams, .n_upstream = 4, .forward = forwards, .n_forward = 1};
	struct config_errors errors = {0};
	const struct route *route;
	struct routes *r;

	(void)state;
	assert_int_equal(routes_compile(&r, &snapshot, &errors), RES_OK);
	route = routes_find(r, buf_span(&b));
	assert_int_equal(route->n_upstream, 1);
	assert_int_equal(route->upstream[0], 3);
	assert_false(route->forwarded);
	assert_int_equal(route->id, 0);
	routes_free(r);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_suffix_wins),
	    cmocka_unit_test(a_forward_of_the_root_says_who_serves_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
