/* The rule of local names (resolver/local.h): which exist, which are denied, and which are never sent to an upstream. */
#include "resolver/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "resolver/hosts.h"
#include "resolver/local_data.h"
#include "resolver/routes.h"
#include "tests/unit/base/dns/dnswire.h"

enum { TYPE_MX = 15, TYPE_SRV = 33, TYPE_RRSIG = 46, TYPE_DNSKEY = 48, TYPE_CAA = 257 };

static const char *data[] = {
    "printer.lan. A 192.168.1.9",
    "a.sub.lan. A 192.168.1.10",
    "corp.example. 900 SOA ns.corp.example. root.corp.example. 7 3600 1200 604800 30",
    "a.b.corp.example. A 10.0.0.1",
    "part.corp.example. 900 SOA ns.corp.example. root.corp.example. 7 3600 1200 604800 30",
    "home.arpa. 900 SOA ns.home.arpa. root.home.arpa. 7 3600 1200 604800 30",
    "signed.example. 900 SOA ns.corp.example. root.corp.example. 7 3600 1200 604800 30",
    "signed.example. 900 DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
    "x.deep.local. A 192.168.1.11",
};
static const char hosts_text[] = "192.0.2.50 nas.example nas\n"
				 "192.168.7.8 host.inner.corp.example\n"
				 "2001:db8::5 six.lan\n"
				 "198.51.100.9 www.below.printer.lan\n"
				 "10.9.8.7 dev.blocked.example\n"
				 "203.0.113.5 in.secret.example\n";
static const uint32_t upstream[] = {0};

struct world {
	struct local_data *data;
	struct hosts *hosts;
	struct routes *routes;
	struct local_view view;
	struct buf forward[3], question, out, text;
	struct msg_question q;
};

static struct span
suffix(struct buf *b, const char *text)
{
	uint8_t name[MSG_NAME_MAX], n = 0;

	*b = buf_max(MSG_NAME_MAX);
	assert_int_equal(msg_name_read(name, &n, text), RES_OK);
	buf_put(b, span_of(name, n));
	return buf_span(b);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct place places[sizeof data / sizeof *data] = {0};
	const struct settings settings = {
	    .local_data = {(char **)(uintptr_t)data, places, sizeof data / sizeof *data}};
	struct config_errors errors = {0};

	assert_non_null(w);
	{
		struct forward_plan forwards[] = {{suffix(&w->forward[0], "secret.example"), NULL, 0},
						  {suffix(&w->forward[1], "up.corp.example"), upstream, 1},
						  {suffix(&w->forward[2], "x.intranet"), upstream, 1}};
		struct upstream_plan upstreams[] = {{.general = true}};
		struct snapshot snapshot = {
		    .upstream = upstreams, .n_upstream = 1, .forward = forwards, .n_forward = 3};

		assert_int_equal(routes_compile(&w->routes, &snapshot, &errors), RES_OK);
	}
	assert_int_equal(local_data_compile(&w->data, &settings, &errors), RES_OK);
	assert_int_equal(hosts_new(&w->hosts, NULL), RES_OK);
	assert_int_equal(hosts_read(w->hosts, span_str(hosts_text)), RES_OK);
	w->view = (struct local_view){w->data, w->hosts, w->routes, SINGLE_LABELS_LOCAL};
	w->question = w->out = w->text = buf_max(MSG_MAX);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	local_data_free(w->data);
	hosts_free(w->hosts);
	routes_free(w->routes);
	for (size_t i = 0; i < 3; i++)
		buf_free(&w->forward[i]);
	buf_free(&w->question);
	buf_free(&w->out);
	buf_free(&w->text);
	free(w);
	return 0;
}

/* What engine_ask does with the question: the answer as text, "REFUSED", or NULL when it is sent to an upstream. */
static const char *
asked(struct world *w, const char *name, uint16_t type)
{
	const struct route *route;

	wire_question(&w->question, &w->q, name, type);
	route = routes_find(w->routes, span_of(w->q.name, w->q.name_n));
	buf_clear(&w->out);
	switch (local_answer(&w->view, &w->q, route, 0, &w->out)) {
	case LOCAL_ANSWERED:
		break;
	case LOCAL_REFUSED:
		return "REFUSED";
	case LOCAL_NOT_OURS:
		if (route->n_upstream > 0)
			return NULL;
		local_nothing(&w->view, &w->q, route->suffix, &w->out);
	}
	return wire_text(&w->text, buf_span(&w->out));
}

static const uint16_t every_type[] = {TYPE_A,   TYPE_NS,    TYPE_CNAME, TYPE_SOA,    TYPE_PTR,   TYPE_MX,
				      TYPE_TXT, TYPE_AAAA,  TYPE_SRV,   TYPE_DS,     TYPE_RRSIG, TYPE_NSEC,
				      TYPE_SVCB, TYPE_HTTPS, TYPE_DNSKEY, TYPE_NSEC3, TYPE_ANY,   TYPE_CAA,
				      65280};

static const struct {
	const char *what;
	const char *name;
	const char *rcode;
} whole[] = {
    {"a name of the hosts file", "nas.example", "NOERROR"},
    {"a single label of the hosts file", "nas", "NOERROR"},
    {"any case", "NAS.Example", "NOERROR"},
    {"a reverse lookup of an address of the hosts file", "50.2.0.192.in-addr.arpa", "NOERROR"},
    {"a name of local data", "printer.lan", "NOERROR"},
    {"a name of a local zone", "a.b.corp.example", "NOERROR"},
    {"an empty non-terminal in a local zone", "b.corp.example", "NOERROR"},
    {"a missing name of a local zone", "no.corp.example", "NXDOMAIN"},
    {"a name of the hosts file in a local zone", "host.inner.corp.example", "NOERROR"},
    {"... the name above it", "inner.corp.example", "NOERROR"},
    {"the hosts file in a special zone", "8.7.168.192.in-addr.arpa", "NOERROR"},
    {"... the name above it", "7.168.192.in-addr.arpa", "NOERROR"},
    {"... and one beside it", "9.7.168.192.in-addr.arpa", "NXDOMAIN"},
    {"a special name above one of local data", "deep.local", "NOERROR"},
    {"... and the top", "local", "NOERROR"},
    {"a special name next to it", "other.local", "NXDOMAIN"},
    {"invalid; RFC 6761, 6.4", "x.invalid", "NXDOMAIN"},
    {"test; RFC 6761, 6.2", "foo.test", "NXDOMAIN"},
    {"test itself", "test", "NXDOMAIN"},
    {"onion; RFC 7686, 2", "x.onion", "NXDOMAIN"},
    {"alt; RFC 9476", "x.alt", "NXDOMAIN"},
    {"localhost, always", "localhost", "NOERROR"},
    {"below localhost", "x.localhost", "NOERROR"},
    {"below home.arpa, a local zone here", "x.home.arpa", "NXDOMAIN"},
    {"a name that is never forwarded", "x.secret.example", "NXDOMAIN"},
    {"... its apex", "secret.example", "NOERROR"},
    {"... and a name of the hosts file there", "in.secret.example", "NOERROR"},
    {"an unknown single label", "fileserver", "NOERROR"},
    {"a single label above a forward", "intranet", "NOERROR"},
    {"a single label above local data", "lan", "NOERROR"},
};

static void
a_name_exists_for_every_type_or_for_none(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		for (size_t k = 0; k < sizeof every_type / sizeof *every_type; k++) {
			const char *got = asked(w, whole[i].name, every_type[k]);
			size_t n = strlen(whole[i].rcode);

			if (got == NULL || strncmp(got, whole[i].rcode, n) != 0 || got[n] != ' ')
				fail_msg("%s: %s, type %u: %s", whole[i].what, whole[i].name, every_type[k],
					 got == NULL ? "it was sent" : got);
		}
}

static const struct {
	const char *what;
	const char *name;
	uint16_t type;
	const char *answer; /* NULL: sent */
} rows[] = {
    {"ANY of the hosts file", "nas.example", TYPE_ANY, "NOERROR | nas.example 60 A 192.0.2.50"},
    {"ANY of an address", "50.2.0.192.in-addr.arpa", TYPE_ANY,
     "NOERROR | 50.2.0.192.in-addr.arpa 60 PTR nas.example"},
    {"NODATA of the hosts file", "nas.example", TYPE_TXT, "NOERROR ! nas.example 60 SOA"},
    {"a sibling of a name of the hosts file is forwarded", "other.example", TYPE_TXT, NULL},
    {"a name below one of the hosts file is forwarded", "x.nas.example", TYPE_A, NULL},
    {"a name above one of the hosts file is forwarded", "example", TYPE_A, NULL},
    {"an empty non-terminal of local data without a zone is forwarded", "sub.lan", TYPE_A, NULL},
    {"the DS of a local zone comes from its parent; RFC 4035, 3.1.4.1", "home.arpa", TYPE_DS, NULL},
    {"... other types of it are not", "home.arpa", TYPE_DNSKEY, "NOERROR ! home.arpa 900 SOA"},
    {"... the DS of a zone inside another comes from the outer one", "part.corp.example", TYPE_DS,
     "NOERROR ! corp.example 900 SOA"},
    {"... the DS at a public parent is forwarded", "corp.example", TYPE_DS, NULL},
    {"... unless local data have a DS", "signed.example", TYPE_DS,
     "NOERROR | signed.example 900 DS 0001080200000000000000000000000000000000000000000000000000000000"
     "00000000"},
    {"the DS of a name below a local zone is answered locally", "a.b.corp.example", TYPE_DS, "NOERROR ! corp.example 900 SOA"},
    {"the DS of a name that is never forwarded is not forwarded", "secret.example", TYPE_DS,
     "NOERROR ! secret.example 60 SOA"},
    {"the DS of a special zone comes from its parent", "10.in-addr.arpa", TYPE_DS, NULL},
    {"... of 127.in-addr.arpa", "127.in-addr.arpa", TYPE_DS, NULL},
    {"... of resolver.arpa", "resolver.arpa", TYPE_DS, NULL},
    {"... of service.arpa", "service.arpa", TYPE_DS, NULL},
    {"... not that of a name below", "1.10.in-addr.arpa", TYPE_DS, "NXDOMAIN ! 10.in-addr.arpa 10800 SOA"},
    {"the DS of a name that does not exist is not forwarded", "onion", TYPE_DS, "NXDOMAIN ! onion 10800 SOA"},
    {"... nor that of localhost", "localhost", TYPE_DS, "NOERROR ! localhost 10800 SOA"},
    {"a forward inside a local zone is forwarded", "x.up.corp.example", TYPE_A, NULL},
    {"... and its apex exists", "up.corp.example", TYPE_A, NULL},
};

static void
public_names_are_forwarded_and_local_ones_are_not(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = asked(w, rows[i].name, rows[i].type);

		if ((got == NULL) != (rows[i].answer == NULL) ||
		    (got != NULL && strcmp(got, rows[i].answer) != 0))
			fail_msg("%s: %s", rows[i].what, got == NULL ? "it was sent" : got);
	}
}

static const struct {
	const char *name;
	uint16_t type;
	const char *answer[3]; /* local, forward, refuse; NULL: sent */
} labels[] = {
    {"fileserver", TYPE_A, {"NOERROR ! fileserver 60 SOA", NULL, "REFUSED"}},
    {"fileserver", TYPE_TXT, {"NOERROR ! fileserver 60 SOA", NULL, "REFUSED"}},
    {"fileserver", TYPE_DS, {"NOERROR ! fileserver 60 SOA", NULL, "REFUSED"}},
    {"nas", TYPE_A, {"NOERROR | nas 60 A 192.0.2.50", "NOERROR | nas 60 A 192.0.2.50", "NOERROR | nas 60 A 192.0.2.50"}},
    {"localhost", TYPE_TXT, {"NOERROR ! localhost 10800 SOA", "NOERROR ! localhost 10800 SOA", "NOERROR ! localhost 10800 SOA"}},
    {"onion", TYPE_A, {"NXDOMAIN ! onion 10800 SOA", "NXDOMAIN ! onion 10800 SOA", "NXDOMAIN ! onion 10800 SOA"}},
    {"com", TYPE_A, {NULL, NULL, "REFUSED"}},
    {"COM", TYPE_HTTPS, {NULL, NULL, "REFUSED"}},
    {"com", TYPE_NS, {NULL, NULL, NULL}},
    {"com", TYPE_DS, {NULL, NULL, NULL}},
    {"com", TYPE_DNSKEY, {NULL, NULL, NULL}},
    {"arpa", TYPE_SOA, {NULL, NULL, NULL}},
    {"xn--p1ai", TYPE_A, {NULL, NULL, "REFUSED"}},
    {"example", TYPE_A, {NULL, NULL, "REFUSED"}}, /* RFC 6761, 6.5 */
    {"co\\.uk", TYPE_A, {"NOERROR ! co\\.uk 60 SOA", NULL, "REFUSED"}},
    {"com\\000", TYPE_A, {"NOERROR ! com\\000 60 SOA", NULL, "REFUSED"}},
    {".", TYPE_NS, {NULL, NULL, NULL}},
    {".", TYPE_A, {NULL, NULL, NULL}},
};

static void
single_labels_go_where_the_option_says(void **state)
{
	struct world *w = *state;

	for (unsigned mode = SINGLE_LABELS_LOCAL; mode <= SINGLE_LABELS_REFUSE; mode++)
		for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
			const char *got, *want = labels[i].answer[mode];

			w->view.single_labels = (enum single_labels)mode;
			got = asked(w, labels[i].name, labels[i].type);
			if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
				fail_msg("%s, type %u, mode %u: %s", labels[i].name, labels[i].type, mode,
					 got == NULL ? "it was sent" : got);
		}
}

static const struct {
	const char *name;
	uint16_t type;
	const char *answer[4]; /* nxdomain, nodata, zero, refused; NULL: REFUSED */
} blocked[] = {
    {"ads.example", TYPE_A,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", "NOERROR | ads.example 60 A 0.0.0.0", NULL}},
    {"ads.example", TYPE_AAAA,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA",
      "NOERROR | ads.example 60 AAAA 00000000000000000000000000000000", NULL}},
    {"ads.example", TYPE_HTTPS,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", NULL}},
    {"ads.example", TYPE_TXT,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", NULL}},
    {"ads.example", TYPE_ANY,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA",
      "NOERROR | ads.example 60 A 0.0.0.0 | ads.example 60 AAAA 00000000000000000000000000000000", NULL}},
    {"ads.example", TYPE_DS,
     {"NXDOMAIN ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", "NOERROR ! ads.example 60 SOA", NULL}},
    /* a name of the hosts file lies below: it must not be denied */
    {"blocked.example", TYPE_A,
     {"NOERROR ! blocked.example 60 SOA", "NOERROR ! blocked.example 60 SOA", "NOERROR | blocked.example 60 A 0.0.0.0",
      NULL}},
};

static void
blocked_names_get_what_the_option_says(void **state)
{
	struct world *w = *state;

	for (unsigned how = FILTER_NXDOMAIN; how <= FILTER_REFUSED; how++)
		for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) {
			const char *got = NULL, *want = blocked[i].answer[how];

			wire_question(&w->question, &w->q, blocked[i].name, blocked[i].type);
			buf_clear(&w->out);
			if (local_blocked(&w->view, &w->q, (enum filter_answer)how, &w->out))
				got = wire_text(&w->text, buf_span(&w->out));
			if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
				fail_msg("%s, type %u, answer %u: %s", blocked[i].name, blocked[i].type, how,
					 got == NULL ? "REFUSED" : got);
		}
}

#define SOA(owner) owner " 0006 0001 00000e10 0016 00 00 00000001 00000001 00000001 00000001 00000e10"

static const struct {
	const char *what;
	const char *name;
	const char *soa; /* the authority section of an upstream's NXDOMAIN; NULL: none */
	const char *mended; /* NULL: the answer stays as it is */
} denials[] = {
    {"a name above one of the hosts file", "example", SOA("00"), "NOERROR ! example 60 SOA"},
    {"... in any case, without an SOA", "ExamPLE", NULL, "NOERROR ! example 60 SOA"},
    {"a name above one of local data", "sub.lan", SOA("00"), "NOERROR ! sub.lan 60 SOA"},
    {"a name above a forward", "intranet", SOA("00"), "NOERROR ! intranet 60 SOA"},
    {"the name of a local zone whose DS was asked for", "home.arpa", SOA("(arpa)"), "NOERROR ! home.arpa 60 SOA"},
    {"a name above a reverse name", "100.51.198.in-addr.arpa", SOA("(arpa)"),
     "NOERROR ! 100.51.198.in-addr.arpa 60 SOA"},
    {"a sibling, denied by the root", "other.lan", SOA("00"), "NXDOMAIN ! lan 60 SOA"},
    {"... further down", "b.other.lan", SOA("00"), "NXDOMAIN ! lan 60 SOA"},
    {"... below a local name", "x.sub.lan", SOA("(lan)"), "NXDOMAIN ! sub.lan 60 SOA"},
    {"... denied by the zone of both", "other.lan", SOA("(lan)"), NULL},
    {"... without an SOA, which no cache keeps", "other.lan", NULL, NULL},
    {"a sibling of a forward", "y.intranet", SOA("00"), "NXDOMAIN ! intranet 60 SOA"},
    {"a name that is not near a local one", "www.elsewhere.net", SOA("(net)"), NULL},
    {"a name near a special zone, which the public zones know", "1.1.193.in-addr.arpa", SOA("(in-addr.arpa)"), NULL},
    {"... near a special zone whose parent has local names", "5.203.in-addr.arpa", SOA("(203.in-addr.arpa)"), NULL},
    {"the SOA of another zone", "other.lan", SOA("(org)"), NULL},
};

static void
denials_do_not_hide_local_names(void **state)
{
	struct world *w = *state;
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct buf wire = buf_max(MSG_MAX);

	for (size_t i = 0; i < sizeof denials / sizeof *denials; i++) {
		struct msg_answer a;
		const char *got = NULL;

		wire_question(&w->question, &w->q, denials[i].name, TYPE_A);
		buf_clear(&wire);
		wire_make(&wire, "0000 8183 0001 0000 0000 0000");
		buf_put(&wire, w->q.section);
		if (denials[i].soa != NULL) {
			wire_make(&wire, denials[i].soa);
			be16_write(wire.p + 8, 1);
		}
		assert_int_equal(msg_answer_read(&a, buf_span(&wire), ttl_at), RES_OK);
		buf_clear(&w->out);
		if (local_mends(&w->view, &w->q, &a, &w->out))
			got = wire_text(&w->text, buf_span(&w->out));
		if ((got == NULL) != (denials[i].mended == NULL) ||
		    (got != NULL && strcmp(got, denials[i].mended) != 0))
			fail_msg("%s: %s", denials[i].what, got == NULL ? "it stands" : got);
	}
	buf_free(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_name_exists_for_every_type_or_for_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(public_names_are_forwarded_and_local_ones_are_not, setup, teardown),
	    cmocka_unit_test_setup_teardown(single_labels_go_where_the_option_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(blocked_names_get_what_the_option_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(denials_do_not_hide_local_names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
