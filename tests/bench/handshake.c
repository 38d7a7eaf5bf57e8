/*
 * handshake.c - the cost of a handshake with its verdict, compared with one by GnuTLS alone with the same server and chain.
 *
 *   handshake CHAIN.pem KEY.pem ANCHORS.pem LOGS.json IP RFC3339 [KIND COUNT]
 *
 * Client and server are in this process and exchange bytes in memory; only the client's steps are counted. Without KIND
 * each line is a kind and the microseconds of processor time of one handshake, the median of ROUNDS in which all kinds take
 * turns. With KIND it makes COUNT handshakes of that kind, for a profiler that counts inside client_turn:
 *
 *   valgrind --tool=callgrind --collect-atstart=no --toggle-collect=client_turn ...
 */
#include "base/addr.h"
#include "base/text.h"
#include "tests/bench/measure.h"
#include "transport/tls.h"
#include "transport/transport.h"
#include "verify/verify.h"
#include "verify/x509/pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <malloc.h>

#define ROUNDS    9
#define EACH      20 /* handshakes of a kind in one round */
#define SENT_MAX  (1 << 20) /* by one side */
#define MAPPED    (64 * 1024) /* resolver/daemon/heap.c: larger blocks are mapped */
#define STEPS_MAX 16 /* messages of a handshake that go back and forth */

enum kind { BARE, CHECKED, OURS, OURS_KNOWN, BARE_RESUMED, OURS_RESUMED, KINDS };

static const char *const kind_names[KINDS] = {
    [BARE] = "bare",                 /* GnuTLS, without checking the chain */
    [CHECKED] = "checked",           /* GnuTLS, with its own verification of the chain */
    [OURS] = "ours",                 /* with a verdict; nothing about the chain is known */
    [OURS_KNOWN] = "ours-known",     /* with a verdict; the chain was seen before */
    [BARE_RESUMED] = "bare-resumed", /* GnuTLS, with a ticket */
    [OURS_RESUMED] = "ours-resumed", /* with a ticket and a verdict of the saved chain */
};

/* The same as transport/tls_session.c offers. */
static const char priorities[] =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AEAD:+SHA256:+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM:+ECDHE-ECDSA:+ECDHE-RSA"
    ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:+SIGN-ECDSA-SECP256R1-SHA256"
    ":+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-ECDSA-SHA256:+SIGN-EDDSA-ED25519"
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256:+CTYPE-X509";

struct bench {
	gnutls_priority_t priority;
	gnutls_certificate_credentials_t server, client;
	gnutls_datum_t ticket_key;
	struct vfy_policy policy;
	struct vfy_input in;
	struct sigcache *known; /* the signatures that OURS_KNOWN and OURS_RESUMED know */
	struct ticket *ticket; /* for OURS_RESUMED */
	gnutls_datum_t session; /* for BARE_RESUMED */
};

/* One handshake in memory. */
struct pair {
	struct bench *b;
	enum kind kind;
	gnutls_session_t server;
	struct buf to_server, to_client;
	size_t server_read, client_read;
	struct tls *ours;
	gnutls_session_t bare;
	bool server_done, client_done;
	double us; /* of the client's turns */
};

/* ---- bytes in memory */

static ssize_t
taken(struct buf *from, size_t *read, gnutls_session_t session, void *p, size_t n)
{
	size_t have = from->n - *read;

	if (have == 0) {
		gnutls_transport_set_errno(session, EAGAIN);
		return -1;
	}
	n = n < have ? n : have;
	memcpy(p, from->p + *read, n);
	*read += n;
	return (ssize_t)n;
}

static ssize_t
put(struct buf *to, const void *p, size_t n)
{
	buf_put(to, span_of(p, n));
	bench_need(buf_ok(to), "no memory");
	return (ssize_t)n;
}

static ssize_t
server_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct pair *pair = ctx;

	return taken(&pair->to_server, &pair->server_read, pair->server, p, n);
}

static ssize_t
server_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	return put(&((struct pair *)ctx)->to_client, p, n);
}

static ssize_t
bare_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct pair *pair = ctx;

	return taken(&pair->to_client, &pair->client_read, pair->bare, p, n);
}

static ssize_t
bare_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	return put(&((struct pair *)ctx)->to_server, p, n);
}

static int
on_pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
	(void)ctx;
	(void)ms;
	return 0;
}

static void
server_open(struct pair *p)
{
	struct bench *b = p->b;

	bench_need(gnutls_init(&p->server, GNUTLS_SERVER | GNUTLS_NONBLOCK) == 0 &&
		       gnutls_priority_set(p->server, b->priority) == 0 &&
		       gnutls_credentials_set(p->server, GNUTLS_CRD_CERTIFICATE, b->server) == 0 &&
		       gnutls_session_ticket_enable_server(p->server, &b->ticket_key) == 0,
		   "no server");
	gnutls_transport_set_ptr(p->server, p);
	gnutls_transport_set_pull_function(p->server, server_on_pull);
	gnutls_transport_set_push_function(p->server, server_on_push);
	gnutls_transport_set_pull_timeout_function(p->server, on_pull_timeout);
	gnutls_handshake_set_timeout(p->server, GNUTLS_INDEFINITE_TIMEOUT);
}

/* ---- the clients */

static void
bare_open(struct pair *p)
{
	struct bench *b = p->b;
	gnutls_datum_t alpn = {(unsigned char *)"dot", 3};

	bench_need(gnutls_init(&p->bare, GNUTLS_CLIENT | GNUTLS_NONBLOCK) == 0 &&
		       gnutls_priority_set(p->bare, b->priority) == 0 &&
		       gnutls_credentials_set(p->bare, GNUTLS_CRD_CERTIFICATE, b->client) == 0 &&
		       gnutls_alpn_set_protocols(p->bare, &alpn, 1, 0) == 0,
		   "no client");
	if (p->kind == CHECKED)
		gnutls_session_set_verify_cert(p->bare, "dns.bench", 0);
	if (p->kind == BARE_RESUMED)
		bench_need(gnutls_session_set_data(p->bare, b->session.data, b->session.size) == 0, "no session");
	gnutls_transport_set_ptr(p->bare, p);
	gnutls_transport_set_pull_function(p->bare, bare_on_pull);
	gnutls_transport_set_push_function(p->bare, bare_on_push);
	gnutls_transport_set_pull_timeout_function(p->bare, on_pull_timeout);
	gnutls_handshake_set_timeout(p->bare, GNUTLS_INDEFINITE_TIMEOUT);
}

static void
bare_step(struct pair *p)
{
	int code = gnutls_handshake(p->bare);

	p->client_done = code == 0;
	bench_need(code == 0 || !gnutls_error_is_fatal(code), gnutls_strerror(code));
}

static bool
ours_on_peer(void *ctx, const struct tls_peer *peer)
{
	struct pair *p = ctx;
	struct vfy_input in = p->b->in;
	struct verdict v = {0};
	bool accepted;

	in.certs = peer->cert;
	in.n_certs = peer->n_cert;
	in.staple = peer->staple;
	in.known = p->kind == OURS ? NULL : p->b->known;
	vfy_check(&v, &p->b->policy, &in);
	accepted = verdict_accepted(&v);
	verdict_clear(&v);
	return accepted;
}

static void
ours_open(struct pair *p)
{
	struct tls_want want = {.alpn = "dot", .on_peer = ours_on_peer, .ctx = p};

	want.ticket = p->kind == OURS_RESUMED ? p->b->ticket : NULL;
	bench_need(tls_new(&p->ours, &want) == RES_OK, "no client");
}

static void
ours_receive(struct pair *p)
{
	while (p->client_read < p->to_client.n) {
		size_t n, left = p->to_client.n - p->client_read;
		uint8_t *room = tls_room(p->ours, &n);

		n = n < left ? n : left;
		memcpy(room, p->to_client.p + p->client_read, n);
		tls_received(p->ours, n);
		p->client_read += n;
	}
}

static void
ours_send(struct pair *p)
{
	struct span out = tls_out(p->ours);

	buf_put(&p->to_server, out);
	tls_sent(p->ours, out.n);
}

static void
ours_step(struct pair *p)
{
	struct tls_trouble trouble = {0};
	enum tls_status status;

	ours_receive(p);
	status = tls_handshake(p->ours, &trouble);
	bench_need(status != TLS_FAILED, trouble.detail != NULL ? trouble.detail : "the chain is refused");
	p->client_done = status == TLS_DONE;
	ours_send(p);
}

static bool
is_ours(enum kind kind)
{
	return kind == OURS || kind == OURS_KNOWN || kind == OURS_RESUMED;
}

/* The counted time of a client: its setup, each step, its end. */
static __attribute__((noinline)) void
client_turn(struct pair *p, void (*turn)(struct pair *))
{
	double from = bench_cpu_us();

	turn(p);
	p->us += bench_cpu_us() - from;
}

static void
client_close(struct pair *p)
{
	tls_free(p->ours);
	if (p->bare != NULL)
		gnutls_deinit(p->bare);
}

/* ---- one handshake */

static void
server_step(struct pair *p)
{
	int code = gnutls_handshake(p->server);

	p->server_done = code == 0;
	bench_need(code == 0 || !gnutls_error_is_fatal(code), gnutls_strerror(code));
}

/* Keeps the server's ticket, for the kinds that resume. */
static void
session_keep(struct pair *p)
{
	struct tls_trouble trouble;
	uint8_t byte;
	size_t n;

	if (p->ours != NULL) {
		ours_receive(p);
		(void)tls_read(p->ours, &byte, 1, &n, &trouble);
		ticket_free(p->b->ticket);
		p->b->ticket = tls_ticket(p->ours, 0);
		bench_need(p->b->ticket != NULL, "no ticket came");
		return;
	}
	(void)gnutls_record_recv(p->bare, &byte, 1);
	gnutls_free(p->b->session.data);
	bench_need(gnutls_session_get_data2(p->bare, &p->b->session) == 0, "no ticket came");
}

static void
turn_uncounted(struct pair *p, void (*turn)(struct pair *))
{
	turn(p);
}

/* keep: a first handshake, which is not counted and whose ticket the others use. */
static double
handshake(struct bench *b, enum kind kind, bool keep)
{
	void (*counted)(struct pair *, void (*)(struct pair *)) = keep ? turn_uncounted : client_turn;

	struct pair p = {.b = b, .kind = kind, .to_server = buf_max(SENT_MAX), .to_client = buf_max(SENT_MAX)};
	bool resumed = kind == BARE_RESUMED || kind == OURS_RESUMED;

	server_open(&p);
	counted(&p, is_ours(kind) ? ours_open : bare_open);
	for (int i = 0; i < STEPS_MAX && !(p.client_done && p.server_done); i++) {
		if (!p.client_done)
			counted(&p, is_ours(kind) ? ours_step : bare_step);
		if (!p.server_done)
			server_step(&p);
	}
	bench_need(p.client_done && p.server_done, "the handshake does not end");
	bench_need((gnutls_session_is_resumed(p.server) != 0) == resumed, "the handshake was resumed and should not be, or the reverse");
	if (keep)
		session_keep(&p);
	counted(&p, client_close);
	gnutls_deinit(p.server);
	buf_free(&p.to_server);
	buf_free(&p.to_client);
	return p.us;
}

/* ---- setup */

static void
bench_open(struct bench *b, char **argv)
{
	struct buf anchors = bench_file(argv[3]), logs_json = bench_file(argv[4]);
	struct ctlogs *logs;
	struct trust *trust;
	static struct addr ip;

	bench_need(tp_global_init() == RES_OK && gnutls_priority_init(&b->priority, priorities, NULL) == 0,
		   "GnuTLS cannot be set up");
	bench_need(gnutls_certificate_allocate_credentials(&b->server) == 0 &&
		       gnutls_certificate_allocate_credentials(&b->client) == 0 &&
		       gnutls_certificate_set_x509_key_file(b->server, argv[1], argv[2], GNUTLS_X509_FMT_PEM) >= 0 &&
		       gnutls_certificate_set_x509_trust_file(b->client, argv[3], GNUTLS_X509_FMT_PEM) > 0 &&
		       gnutls_session_ticket_key_generate(&b->ticket_key) == 0,
		   "no credentials");
	bench_need(trust_from_pem(&trust, buf_span(&anchors), NULL) == RES_OK, "the anchors cannot be read");
	bench_need(ctlogs_from_json(&logs, buf_span(&logs_json), NULL) == RES_OK, "the logs cannot be read");
	bench_need(addr_read_ip(&ip, argv[5]) == RES_OK && time_read(&b->in.now_ms, argv[6]) == RES_OK,
		   "no address or no time");
	bench_need(sigcache_new(&b->known) == RES_OK, "no memory");
	b->in.ip = span_of(ip.ip, ip.family == ADDR_V4 ? 4 : 16);
	b->policy = (struct vfy_policy){.trust = trust, .ctlogs = logs, .ct_list_max_age_ms = 70 * (int64_t)86400000};
	(void)handshake(b, BARE, true);
	(void)handshake(b, OURS_KNOWN, true);
	buf_free(&anchors);
	buf_free(&logs_json);
}

static void
rounds_print(struct bench *b)
{
	double us[KINDS][ROUNDS] = {0};

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < EACH; i++)
			for (int kind = 0; kind < KINDS; kind++)
				us[kind][round] += handshake(b, (enum kind)kind, false) / EACH;
	for (int kind = 0; kind < KINDS; kind++)
		printf("%s %.1f\n", kind_names[kind], bench_median(us[kind], ROUNDS));
}

int
main(int argc, char **argv)
{
	struct bench b = {0};
	int kind = 0;

	bench_need(argc == 7 || argc == 9, "usage: handshake CHAIN KEY ANCHORS LOGS IP RFC3339 [KIND COUNT]");
	while (argc == 9 && kind < KINDS && strcmp(argv[7], kind_names[kind]) != 0)
		kind++;
	bench_need(kind < KINDS, "there is no such kind of handshake");
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED);
	bench_open(&b, argv);
	if (argc == 7)
		rounds_print(&b);
	for (int i = 0; argc == 9 && i < atoi(argv[8]); i++)
		(void)handshake(&b, (enum kind)kind, false);
	return 0;
}
