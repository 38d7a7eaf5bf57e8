/* The helper: what it sends in clear text for each message of the daemon, and for how long. The clock is scripted, and the
 * resolver is a socket of the test on 127.0.0.5. */
#include "contrib/portal/asking.h"
#include "contrib/portal/serve.h"
#include "base/log.h"
#include "config/portal_names.h"
#include "config/reader.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"
#include "tests/unit/transport/fake_loop.h"

struct world {
	struct loop *loop;
	struct settings *settings;
	struct serve *serve;
	int daemon, resolver; /* our ends */
	struct sockaddr_in asker;
	struct resolvers resolvers; /* what the helper finds */
	char folder[32];
	struct sockaddr_un path;
	unsigned idle;
	struct buf log;
};

static void
find(void *ctx, struct resolvers *r)
{
	*r = ((struct world *)ctx)->resolvers;
}

static void
on_idle(void *ctx)
{
	((struct world *)ctx)->idle++;
}

static void
on_log(void *ctx, const char *line, size_t n)
{
	buf_put(&((struct world *)ctx)->log, span_of(line, n));
}

static int
unix_socket(struct world *w)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	w->path.sun_family = AF_UNIX;
	(void)snprintf(w->path.sun_path, sizeof w->path.sun_path, "%s/s", w->folder);
	return fd;
}

static void
turn(struct world *w)
{
	while (fake_loop_turn(w->loop, 0))
		;
}

static void
daemon_connect(struct world *w)
{
	w->daemon = unix_socket(w);
	assert_int_equal(connect(w->daemon, (const struct sockaddr *)&w->path, sizeof w->path), 0);
	turn(w);
}

static struct addr
address_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;
	struct addr a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	assert_int_equal(addr_from_sockaddr(&a, (const struct sockaddr *)&sa), RES_OK);
	return a;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	static const char text[] = "portal { enable = true names = {\"login.hotel.test\"} }";
	struct config_errors errors = {0};
	struct serve_setup s;
	int fd;

	*state = w;
	w->log = buf_max(1 << 20);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_capture(on_log, w);
	(void)strcpy(w->folder, "/tmp/serve-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	assert_int_equal(settings_read_text(&w->settings, "t", span_str(text), &errors), RES_OK);
	assert_int_equal(loop_new(&w->loop), RES_OK);
	w->resolver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	sin.sin_addr.s_addr = inet_addr("127.0.0.5");
	assert_int_equal(bind(w->resolver, (const struct sockaddr *)&sin, sizeof sin), 0);
	w->resolvers.v[0].addr = address_of(w->resolver);
	w->resolvers.n = 1;
	fd = unix_socket(w);
	assert_int_equal(bind(fd, (const struct sockaddr *)&w->path, sizeof w->path), 0);
	assert_int_equal(listen(fd, 128), 0);
	s = (struct serve_setup){.loop = w->loop, .fd = fd, .settings = w->settings, .find = find, .find_ctx = w,
	    .on_idle = on_idle, .idle_ctx = w};
	assert_int_equal(serve_new(&w->serve, &s), RES_OK);
	daemon_connect(w);
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	serve_free(w->serve);
	assert_int_equal(fake_loop_timers(w->loop), 0);
	assert_int_equal(fake_loop_fds(w->loop), 0);
	loop_free(w->loop);
	settings_free(w->settings);
	(void)close(w->daemon);
	(void)close(w->resolver);
	(void)unlink(w->path.sun_path);
	(void)rmdir(w->folder);
	log_capture(NULL, NULL);
	buf_free(&w->log);
	free(w);
	return 0;
}

/* ---- the daemon's end */

static void
say(struct world *w, const struct portal_message *m)
{
	struct buf b = buf_max(PORTAL_MESSAGE_MAX);

	portal_message_write(&b, m);
	assert_int_equal(send(w->daemon, b.p, b.n, MSG_NOSIGNAL), (ssize_t)b.n);
	buf_free(&b);
	turn(w);
}

static void
say_open(struct world *w, uint32_t seconds)
{
	say(w, &(struct portal_message){.kind = PORTAL_OPEN, .window_s = seconds});
}

static void
say_ask(struct world *w, uint32_t id, uint16_t type, const char *name)
{
	struct buf b = buf_max(MSG_NAME_MAX + 64), text = buf_max(512);

	buf_format(&text, "(%s)", name);
	say(w, &(struct portal_message){
	           .kind = PORTAL_ASK, .id = id, .type = type, .name = wire_make(&b, buf_cstr(&text))});
	buf_free(&b);
	buf_free(&text);
}

/* -1: nothing; 0: the helper has closed the connection */
static ssize_t
hear(struct world *w, struct portal_message *m)
{
	static uint8_t wire[PORTAL_MESSAGE_MAX];
	ssize_t n = recv(w->daemon, wire, sizeof wire, MSG_DONTWAIT);

	if (n > 0)
		assert_int_equal(portal_message_read(m, span_of(wire, (size_t)n)), RES_OK);
	return n;
}

static void
hear_outcome(struct world *w, const char *what, uint32_t id, enum portal_outcome outcome)
{
	struct portal_message m;

	if (hear(w, &m) <= 0)
		fail_msg("%s: no answer", what);
	if (m.kind != PORTAL_ANSWER || m.id != id || m.outcome != outcome)
		fail_msg("%s: answer %u with outcome %d", what, m.id, m.outcome);
}

/* ---- the resolver's end */

/* The next datagram that went out; empty: none. */
static struct span
sent(struct world *w)
{
	static uint8_t wire[2048];
	socklen_t n = sizeof w->asker;
	ssize_t got = recvfrom(w->resolver, wire, sizeof wire, MSG_DONTWAIT, (struct sockaddr *)&w->asker, &n);

	return span_of(wire, got > 0 ? (size_t)got : 0);
}

static unsigned
sent_count(struct world *w)
{
	unsigned n = 0;

	while (sent(w).n > 0)
		n++;
	return n;
}

/* Sends the question back as an answer with one address; id_off: to another id. */
static void
reply(struct world *w, struct span question, uint16_t id_off)
{
	struct buf b = buf_max(1024);

	buf_put(&b, question);
	be16_write(b.p, (uint16_t)(be16_read(b.p) + id_off));
	be16_write(b.p + 2, 0x8180);
	be16_write(b.p + 6, 1);
	(void)wire_make(&b, "c00c 0001 0001 0000012c 0004 c0000207");
	assert_int_equal(sendto(w->resolver, b.p, b.n, 0, (const struct sockaddr *)&w->asker, sizeof w->asker), (ssize_t)b.n);
	buf_free(&b);
	turn(w);
}

/* ---- tests */

static void
a_name_on_the_list_is_asked_for(void **state)
{
	struct world *w = *state;
	struct portal_message m;
	struct span question;
	struct buf want = buf_max(512);

	say_open(w, 300);
	say_ask(w, 7, TYPE_A, "nmcheck.gnome.org");
	question = sent(w);
	(void)wire_make(&want, "0000 0100 0001 0000 0000 0000 (nmcheck.gnome.org) 0001 0001");
	assert_true(question.n == want.n && memcmp(question.p + 2, want.p + 2, want.n - 2) == 0);
	reply(w, question, 0);
	assert_true(hear(w, &m) > 0);
	assert_int_equal(m.id, 7);
	assert_int_equal(m.outcome, PORTAL_ADDRESSES);
	assert_int_equal(m.n, 1);
	assert_memory_equal(m.ip[0], "\xc0\x00\x02\x07", 4);
	assert_non_null(strstr(buf_cstr(&w->log), "portal-question name=nmcheck.gnome.org type=A"));
	assert_non_null(strstr(buf_cstr(&w->log), "portal-window-open for_s=300"));
	say_ask(w, 8, TYPE_AAAA, "login.hotel.test");
	assert_true(sent(w).n > 0);
	buf_free(&want);
}

static void
every_compiled_name_is_asked_for(void **state)
{
	struct world *w = *state;

	say_open(w, 300);
	for (size_t i = 0; portal_names_compiled(i) != NULL; i++) {
		say_ask(w, (uint32_t)i, TYPE_A, portal_names_compiled(i));
		reply(w, sent(w), 0);
		hear_outcome(w, portal_names_compiled(i), (uint32_t)i, PORTAL_ADDRESSES);
	}
}

static const char *const strange_names[] = {
    "gnome.org",                             /* above */
    "org",                                   /* further above */
    "a.nmcheck.gnome.org",                   /* below: could carry anything */
    "secret-token.detectportal.firefox.com", /* below */
    "nmcheck.gnome.org.evil.test",           /* the name as the start of another */
    "nmcheck.gnome.orgx",
    "xnmcheck.gnome.org",
    "nmcheck-gnome.org",
    "nmcheck.gnome",
    "xn--nmcheck-9ya.gnome.org", /* IDN that looks like it */
    "xn--gnme-noa.org",
    "www.google.com", /* deliberately not on the list */
    "www.apple.com",
    "fedoraproject.org",
    "hotel.test",
    "www.login.hotel.test", /* below a name of the configuration */
    "example.com",
    "localhost",
    "1.2.0.192.in-addr.arpa",
};

static void
no_other_name_leaves(void **state)
{
	struct world *w = *state;

	say_open(w, 300);
	for (size_t i = 0; i < sizeof strange_names / sizeof *strange_names; i++) {
		say_ask(w, (uint32_t)i, TYPE_A, strange_names[i]);
		if (sent_count(w) != 0)
			fail_msg("%s left", strange_names[i]);
		hear_outcome(w, strange_names[i], (uint32_t)i, PORTAL_FAILED);
	}
	assert_non_null(strstr(buf_cstr(&w->log), "portal-question-refused name=gnome.org"));
}

/* One label that holds a dot, or a NUL, is another name than two labels. */
static void
labels_are_compared_as_bytes(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *what, *wire;
	} names[] = {
	    {"a dot inside a label", "0d 'nmcheck.gnome' 03 'org' 00"},
	    {"the whole name as one label", "11 'nmcheck.gnome.org' 00"},
	    {"a NUL at the end of a label", "07 'nmcheck' 05 'gnome' 04 'org' 00 00"},
	    {"the root", "00"},
	};

	say_open(w, 300);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf b = buf_max(MSG_NAME_MAX);

		say(w, &(struct portal_message){
		           .kind = PORTAL_ASK, .id = (uint32_t)i, .type = TYPE_A, .name = wire_make(&b, names[i].wire)});
		if (sent_count(w) != 0)
			fail_msg("%s left", names[i].what);
		hear_outcome(w, names[i].what, (uint32_t)i, PORTAL_FAILED);
		buf_free(&b);
	}
}

static const struct {
	const char *what, *first, *second;
} breaches[] = {
    {"a question without a window", "'Q' 00000007 0001 13 (nmcheck.gnome.org)", NULL},
    {"an answer", "'A' 00000007 0001 01 00000000 00", NULL},
    {"a second window", "'O' 0000012c", "'O' 0000012c"},
    {"an answer in a window", "'O' 0000012c", "'A' 00000007 0001 01 00000000 00"},
    {"a window of more than an hour", "'O' 00000e11", NULL},
    {"another type", "'O' 0000012c", "'Q' 00000007 0010 13 (nmcheck.gnome.org)"},
    {"any type", "'O' 0000012c", "'Q' 00000007 00ff 13 (nmcheck.gnome.org)"},
    {"a name in capitals", "'O' 0000012c", "'Q' 00000007 0001 13 (NMcheck.gnome.org)"},
    {"bytes after the name", "'O' 0000012c", "'Q' 00000007 0001 13 (nmcheck.gnome.org) 00"},
    {"bytes after the name's root", "'O' 0000012c", "'Q' 00000007 0001 17 (nmcheck.gnome.org) 'data'"},
    {"nonsense", "'hello'", NULL},
};

static void
errors_of_the_protocol_end_the_connection(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
		const char *const sent_first[] = {breaches[i].first, breaches[i].second};
		struct portal_message m;

		(void)close(w->daemon);
		daemon_connect(w);
		for (size_t k = 0; k < 2 && sent_first[k] != NULL; k++) {
			struct buf b = buf_max(1024);
			struct span wire = wire_make(&b, sent_first[k]);

			assert_int_equal(send(w->daemon, wire.p, wire.n, MSG_NOSIGNAL), (ssize_t)wire.n);
			buf_free(&b);
			turn(w);
		}
		if (sent_count(w) != 0 || hear(w, &m) != 0)
			fail_msg("%s: accepted", breaches[i].what);
	}
}

static void
the_window_ends_by_itself(void **state)
{
	struct world *w = *state;
	struct portal_message m;

	say_open(w, 300);
	fake_loop_advance(w->loop, 299999);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	assert_int_equal(sent_count(w), 1);
	fake_loop_advance(w->loop, 1);
	assert_int_equal(hear(w, &m), 0);
	assert_int_equal(sent_count(w), 0);
	assert_non_null(strstr(buf_cstr(&w->log), "portal-window-closed why=\"time is up\" questions=1"));
}

static void
the_window_ends_while_the_machine_sleeps(void **state)
{
	struct world *w = *state;
	struct portal_message m;

	say_open(w, 300);
	fake_loop_suspend(w->loop, 300001);
	turn(w);
	assert_int_equal(hear(w, &m), 0);
}

static void
the_daemon_ends_the_window_and_what_is_in_flight(void **state)
{
	struct world *w = *state;

	say_open(w, 300);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	assert_int_equal(sent_count(w), 1);
	(void)close(w->daemon);
	turn(w);
	fake_loop_advance(w->loop, 5000);
	assert_int_equal(sent_count(w), 0); /* no second attempt */
	daemon_connect(w);
}

static void
a_silent_resolver_is_asked_three_times(void **state)
{
	struct world *w = *state;
	struct portal_message m;
	uint16_t ids[ASKING_ATTEMPTS] = {0};
	struct sockaddr_in from[ASKING_ATTEMPTS];

	say_open(w, 300);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	for (unsigned i = 0; i < ASKING_ATTEMPTS; i++) {
		struct span q = sent(w);

		assert_true(q.n > 0);
		ids[i] = be16_read(q.p);
		from[i] = w->asker;
		assert_int_equal(hear(w, &m), -1);
		fake_loop_advance(w->loop, ASKING_WAIT_MS);
	}
	assert_int_equal(sent_count(w), 0);
	hear_outcome(w, "after three attempts", 1, PORTAL_FAILED);
	/* A fresh id and a fresh port each: that all are equal by chance happens once in 2^30. */
	assert_false(ids[0] == ids[1] && ids[1] == ids[2]);
	assert_false(from[0].sin_port == from[1].sin_port && from[1].sin_port == from[2].sin_port);
}

static void
a_guesser_of_ids_is_stopped(void **state)
{
	struct world *w = *state;
	struct portal_message m;
	struct span q;

	say_open(w, 300);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	q = sent(w);
	for (uint16_t i = 1; i < ASKING_STRAY_MAX; i++)
		reply(w, q, i);
	assert_int_equal(hear(w, &m), -1);
	assert_int_equal(sent_count(w), 0);
	reply(w, q, ASKING_STRAY_MAX); /* the last one that is looked at: the next attempt begins */
	q = sent(w);
	assert_true(q.n > 0);
	reply(w, q, 0);
	hear_outcome(w, "the second attempt", 1, PORTAL_ADDRESSES);
}

static void
the_next_resolver_is_asked(void **state)
{
	struct world *w = *state;
	struct span q;

	/* No server listens at the first one: its port is that of a socket that has been closed. */
	w->resolvers.v[1] = w->resolvers.v[0];
	w->resolvers.v[0].addr.port = 1;
	w->resolvers.n = 2;
	say_open(w, 300);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	q = sent(w);
	assert_true(q.n > 0);
	reply(w, q, 0);
	hear_outcome(w, "the second resolver", 1, PORTAL_ADDRESSES);
}

static void
this_machine_is_never_asked(void **state)
{
	struct world *w = *state;
	struct sockaddr_in own = {.sin_family = AF_INET};
	uint8_t byte;

	/* A server at the address that a connected socket has itself: ctstub's own listener, say. */
	(void)close(w->resolver);
	w->resolver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(w->resolver, (const struct sockaddr *)&own, sizeof own), 0);
	w->resolvers.v[0].addr = address_of(w->resolver);
	say_open(w, 300);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	assert_int_equal(recv(w->resolver, &byte, 1, MSG_DONTWAIT), -1);
	hear_outcome(w, "a resolver at our own address", 1, PORTAL_FAILED);
	w->resolvers.n = 0;
	say_ask(w, 2, TYPE_A, "nmcheck.gnome.org");
	hear_outcome(w, "no resolver", 2, PORTAL_FAILED);
	assert_int_equal(sent_count(w), 0);
}

static void
a_flood_of_questions_is_bounded(void **state)
{
	struct world *w = *state;
	struct portal_message m;
	unsigned failed = 0, sent_n;

	say_open(w, 300);
	for (uint32_t i = 0; i < SERVE_ASKINGS_MAX + 10; i++)
		say_ask(w, i, TYPE_A, "nmcheck.gnome.org");
	while (hear(w, &m) > 0)
		failed += m.outcome == PORTAL_FAILED;
	assert_int_equal(failed, 10);
	assert_int_equal(sent_count(w), SERVE_ASKINGS_MAX);
	fake_loop_advance(w->loop, 4 * ASKING_WAIT_MS); /* those fail, after three attempts each */
	(void)sent_count(w);
	while (hear(w, &m) > 0)
		;
	sent_n = 0;
	for (uint32_t i = 0; i < 200; i++) { /* answered at once: the number in flight is no limit */
		struct span q;

		say_ask(w, i, TYPE_A, "nmcheck.gnome.org");
		q = sent(w);
		if (q.n > 0)
			reply(w, q, 0);
		sent_n += q.n > 0;
		assert_true(hear(w, &m) > 0);
	}
	assert_int_equal(sent_n, SERVE_QUESTIONS_MAX - SERVE_ASKINGS_MAX);
	fake_loop_advance(w->loop, SERVE_QUESTIONS_MS);
	say_ask(w, 1, TYPE_A, "nmcheck.gnome.org");
	assert_int_equal(sent_count(w), 1);
}

static void
it_ends_when_nobody_is_connected(void **state)
{
	struct world *w = *state;

	fake_loop_advance(w->loop, SERVE_OPEN_MS - 1);
	say_open(w, 300);
	fake_loop_advance(w->loop, 299000);
	assert_int_equal(w->idle, 0);
	fake_loop_advance(w->loop, 1000 + SERVE_IDLE_MS - 1);
	assert_int_equal(w->idle, 0);
	fake_loop_advance(w->loop, 1);
	assert_int_equal(w->idle, 1);
}

static void
a_connection_that_asks_for_nothing_is_closed(void **state)
{
	struct world *w = *state;
	struct portal_message m;

	fake_loop_advance(w->loop, SERVE_OPEN_MS);
	assert_int_equal(hear(w, &m), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_name_on_the_list_is_asked_for),
	    TEST(every_compiled_name_is_asked_for),
	    TEST(no_other_name_leaves),
	    TEST(labels_are_compared_as_bytes),
	    TEST(errors_of_the_protocol_end_the_connection),
	    TEST(the_window_ends_by_itself),
	    TEST(the_window_ends_while_the_machine_sleeps),
	    TEST(the_daemon_ends_the_window_and_what_is_in_flight),
	    TEST(a_silent_resolver_is_asked_three_times),
	    TEST(a_guesser_of_ids_is_stopped),
	    TEST(the_next_resolver_is_asked),
	    TEST(this_machine_is_never_asked),
	    TEST(a_flood_of_questions_is_bounded),
	    TEST(it_ends_when_nobody_is_connected),
	    TEST(a_connection_that_asks_for_nothing_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
