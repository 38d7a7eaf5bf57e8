/*
 * fuzz_tls.c - the TLS pump against a hostile server: real handshakes over memory, whose records are changed on the way.
 *
 * The input is a script. Its first bytes choose the server (version, ALPN, a certificate request, a long chain, a saved
 * session) and the verdict; each byte after them is an operation on the server's next flight: deliver it
 * whole or in pieces, turn, drop, repeat or insert bytes and whole records, let the server send tickets, key updates, alerts
 * or data, end the connection. Whatever the script:
 *
 * - on_peer is called at most once, and no handshake ends, and no byte is read, before it accepts;
 * - what is read is what the server wrote, in order, with nothing added;
 * - a failure has a reason, and a detail unless on_peer refused; the output that waits to be sent stays bounded.
 */
#include "tests/fuzz/fuzz.h"
#include "transport/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define STEPS_MAX  200
#define WIRE_MAX   (1024 * 1024)
#define BEFORE_MAX (16 * 1024) /* bytes that leave before the peer is accepted: two ClientHellos and an alert */
#define PLAIN_MAX  4096
#define CHAIN_MAX  20
#define SCRIPT_MAX 4096
#define PIECES_MAX 20000 /* of one input, each a turn of the pump; after them flights come whole */

const bool fuzz_is_script = true;

/* In place of the system's random numbers, in a fixed order, so that a finding can be repeated. */
ssize_t
getrandom(void *p, size_t n, unsigned flags)
{
	static uint64_t x = UINT64_C(88172645463325252);

	(void)flags;
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		((uint8_t *)p)[i] = (uint8_t)(x >> 32);
	}
	return (ssize_t)n;
}

struct server {
	gnutls_session_t tls;
	struct buf in, out; /* of the server: received, and to be sent */
	size_t chain;
	bool ready, broken;
	uint8_t next; /* application bytes count up */
};

struct run {
	struct cursor in;
	struct server server;
	struct tls *tls;
	bool accepts, v12, done, failed;
	unsigned judged;
	uint8_t next; /* of the bytes read */
	size_t sent;  /* before the handshake was done */
	size_t piece, pieces;
};

static gnutls_certificate_credentials_t credentials;
static gnutls_datum_t ticket_key;
static gnutls_pcert_st chain[CHAIN_MAX];
static gnutls_privkey_t key;
static struct ticket *saved; /* of a good handshake */

/* ---- the server */

static ssize_t
server_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	struct server *s = ctx;

	buf_put(&s->out, span_of(p, n));
	return (ssize_t)n;
}

static ssize_t
server_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct server *s = ctx;

	if (s->in.n == 0) {
		gnutls_transport_set_errno(s->tls, EAGAIN);
		return -1;
	}
	n = n < s->in.n ? n : s->in.n;
	memcpy(p, s->in.p, n);
	buf_drop(&s->in, n);
	return (ssize_t)n;
}

static int
server_on_retrieve(gnutls_session_t tls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs, unsigned *n,
		   gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp, gnutls_privkey_t *own, unsigned *flags)
{
	const struct server *s = gnutls_session_get_ptr(tls);

	(void)info;
	*certs = chain;
	*n = (unsigned)s->chain;
	*ocsp = NULL;
	*n_ocsp = 0;
	*own = key;
	*flags = 0;
	return 0;
}

static void
world_make(void)
{
	gnutls_x509_privkey_t k;
	gnutls_x509_crt_t crt = NULL;

	check(tls_global_init() == RES_OK);
	check(gnutls_x509_privkey_init(&k) == 0 && gnutls_x509_crt_init(&crt) == 0);
	check(gnutls_x509_privkey_generate(k, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
	check(gnutls_x509_crt_set_version(crt, 3) == 0 && gnutls_x509_crt_set_serial(crt, "\1", 1) == 0);
	check(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "server", 6) == 0);
	check(gnutls_x509_crt_set_activation_time(crt, 1792584000) == 0);
	check(gnutls_x509_crt_set_expiration_time(crt, 1826800000) == 0);
	check(gnutls_x509_crt_set_key(crt, k) == 0 && gnutls_x509_crt_sign2(crt, crt, k, GNUTLS_DIG_SHA256, 0) == 0);
	for (size_t i = 0; i < CHAIN_MAX; i++)
		check(gnutls_pcert_import_x509(&chain[i], crt, 0) == 0);
	check(gnutls_privkey_init(&key) == 0 && gnutls_privkey_import_x509(key, k, GNUTLS_PRIVKEY_IMPORT_COPY) == 0);
	gnutls_x509_privkey_deinit(k);
	gnutls_x509_crt_deinit(crt);
	check(gnutls_certificate_allocate_credentials(&credentials) == 0);
	gnutls_certificate_set_retrieve_function3(credentials, server_on_retrieve);
	check(gnutls_session_ticket_key_generate(&ticket_key) == 0);
}

/* what: version 1.2, 1.3, both, or another group first; ALPN; a client's certificate; how many certificates. */
static void
server_open(struct server *s, uint8_t what)
{
	static const char *const priorities[] = {
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP521R1", /* asks for a second ClientHello */
	};
	static const char *const alpns[] = {"dot", "dot", NULL, "h2"};
	const char *alpn = alpns[what >> 2 & 3];
	gnutls_datum_t name = {(unsigned char *)(uintptr_t)alpn, alpn != NULL ? (unsigned)strlen(alpn) : 0};

	*s = (struct server){.in = buf_max(WIRE_MAX), .out = buf_max(WIRE_MAX), .chain = what & 32 ? CHAIN_MAX : 1};
	check(gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == 0);
	gnutls_session_set_ptr(s->tls, s);
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_push_function(s->tls, server_on_push);
	gnutls_transport_set_pull_function(s->tls, server_on_pull);
	gnutls_handshake_set_timeout(s->tls, GNUTLS_INDEFINITE_TIMEOUT);
	check(gnutls_priority_set_direct(s->tls, priorities[what & 3], NULL) == 0);
	check(gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, credentials) == 0);
	check(gnutls_session_ticket_enable_server(s->tls, &ticket_key) == 0);
	if (what & 16)
		gnutls_certificate_server_set_request(s->tls, GNUTLS_CERT_REQUEST);
	if (alpn != NULL)
		check(gnutls_alpn_set_protocols(s->tls, &name, 1, 0) == 0);
}

static void
server_close(struct server *s)
{
	gnutls_deinit(s->tls);
	buf_free(&s->in);
	buf_free(&s->out);
}

static void
server_step(struct server *s)
{
	uint8_t drain[512];
	ssize_t n;

	if (s->broken)
		return;
	if (!s->ready) {
		n = gnutls_handshake(s->tls);
		s->ready = n == 0;
	} else {
		while ((n = gnutls_record_recv(s->tls, drain, sizeof drain)) > 0)
			;
	}
	if (n < 0 && gnutls_error_is_fatal((int)n)) {
		(void)gnutls_alert_send_appropriate(s->tls, (int)n);
		s->broken = true;
	}
}

/* Messages that a server may send after the handshake, once or far too often. */
static void
server_says(struct server *s, uint8_t what)
{
	unsigned n = what & 128 ? 80 : 1;
	uint8_t plain[300];

	for (unsigned i = 0; s->ready && !s->broken && i < n; i++)
		switch (what % 8) {
		case 0:
		case 1:
			for (size_t k = 0; k < sizeof plain; k++)
				plain[k] = (uint8_t)(s->next + k);
			/* if the server itself fails, the bytes were not sent */
			if (gnutls_record_send(s->tls, plain, what & 64 ? sizeof plain : 3) > 0)
				s->next = (uint8_t)(s->next + (what & 64 ? sizeof plain : 3));
			break;
		case 2:
			(void)gnutls_session_ticket_send(s->tls, 1, 0);
			break;
		case 3:
			(void)gnutls_session_key_update(s->tls, what & 64 ? GNUTLS_KU_PEER : 0);
			break;
		case 4:
			(void)gnutls_record_send2(s->tls, "", 0, 1, 0); /* nothing but padding */
			break;
		case 5:
			(void)gnutls_alert_send(s->tls, what & 64 ? GNUTLS_AL_FATAL : GNUTLS_AL_WARNING, what >> 3 & 7 ? GNUTLS_A_USER_CANCELED : GNUTLS_A_INTERNAL_ERROR);
			break;
		case 6:
			(void)gnutls_rehandshake(s->tls);
			break;
		case 7:
			(void)gnutls_bye(s->tls, GNUTLS_SHUT_WR);
			break;
		}
}

/* ---- the client */

static bool
on_peer(void *ctx, const struct tls_peer *peer)
{
	struct run *r = ctx;

	check(r->judged++ == 0 && !r->done);
	check(peer->n_cert <= TLS_CHAIN_MAX);
	for (size_t i = 0; i < peer->n_cert; i++)
		check(peer->cert[i].p != NULL || peer->cert[i].n == 0);
	return r->accepts;
}

static void
trouble_check(const struct run *r, const struct tls_trouble *t)
{
	if (t->reason == REASON_NONE)
		check(r->judged == 1 && !r->accepts);
	else
		check(t->detail != NULL);
}

static void
client_send(struct run *r)
{
	struct span out = tls_out(r->tls);

	check(out.n <= TLS_OUT_MAX);
	if (!r->done)
		r->sent += out.n;
	check(r->sent <= BEFORE_MAX);
	buf_put(&r->server.in, out);
	tls_sent(r->tls, out.n);
}

static void
client_read(struct run *r)
{
	static uint8_t plain[TLS_RECORD_MAX];
	struct tls_trouble t = {0};
	enum tls_status status;
	size_t n = 0;

	while ((status = tls_read(r->tls, plain, sizeof plain, &n, &t)) == TLS_DONE) {
		check(n > 0 && n <= sizeof plain && r->judged == 1 && r->accepts);
		for (size_t i = 0; i < n; i++)
			check(plain[i] == r->next++);
	}
	if (status == TLS_FAILED) {
		trouble_check(r, &t);
		r->failed = true;
	}
}

static void
client_step(struct run *r)
{
	struct tls_trouble t = {0};
	struct ticket *ticket;

	if (r->failed)
		return;
	if (!r->done) {
		switch (tls_handshake(r->tls, &t)) {
		case TLS_GOES_ON:
			break;
		case TLS_DONE:
			check(r->judged == 1 && r->accepts);
			check(tls_version(r->tls)[0] != '\0' && tls_cipher(r->tls)[0] != '\0');
			client_send(r);
			r->done = true;
			check(tls_write(r->tls, span_of("question", 8), &t) == TLS_DONE);
			break;
		case TLS_FAILED:
			trouble_check(r, &t);
			r->failed = true;
			break;
		}
	}
	if (r->done && !r->failed)
		client_read(r);
	for (unsigned n = 0; (ticket = tls_ticket(r->tls, 1)) != NULL; n++) {
		check(n < TLS_FRESH_MAX);
		ticket_free(ticket);
	}
	client_send(r);
}

/* Received bytes, as a connection takes them. */
static void
client_receive(struct run *r, struct span s)
{
	while (s.n > 0 && !r->failed) {
		size_t piece = r->pieces++ < PIECES_MAX ? r->piece : WIRE_MAX;
		size_t room, n = s.n < piece ? s.n : piece;
		uint8_t *p = tls_room(r->tls, &room);

		check(room > 0);
		n = n < room ? n : room;
		memcpy(p, s.p, n);
		tls_received(r->tls, n);
		s = span_slice(s, n, s.n);
		client_step(r);
	}
}

/* ---- changes to a flight */

/* The length of the first record; all of it when there is no whole record. */
static size_t
record_length(struct span s)
{
	size_t n = s.n < 5 ? s.n : 5U + be16_read(s.p + 3);

	return n < s.n ? n : s.n;
}

static void
flight_change(struct run *r, uint8_t op, struct buf *flight)
{
	struct span whole = buf_span(flight);
	struct buf b = buf_max(WIRE_MAX);
	size_t first = record_length(whole), at = flight->n > 0 ? cursor_u16(&r->in) % flight->n : 0;

	switch (op >> 4 & 7) {
	case 0: /* bits are flipped */
		if (flight->n > 0)
			flight->p[at] ^= (uint8_t)(cursor_u8(&r->in) | 1);
		break;
	case 1: /* it is cut short */
		flight->n = at;
		break;
	case 2: /* its first record comes twice */
		buf_put(&b, span_slice(whole, 0, first));
		buf_put(&b, whole);
		break;
	case 3: /* its first record comes last */
		buf_put(&b, span_slice(whole, first, whole.n));
		buf_put(&b, span_slice(whole, 0, first));
		break;
	case 4: /* bytes are inserted */
		buf_put(&b, span_slice(whole, 0, at));
		buf_put(&b, cursor_vec8(&r->in));
		buf_put(&b, span_slice(whole, at, whole.n));
		break;
	case 5:
	case 6: /* a record comes first, or last */
	{
		uint8_t type = cursor_u8(&r->in);
		struct span text = cursor_vec8(&r->in);

		if ((op >> 4 & 7) == 6)
			buf_put(&b, whole);
		buf_u8(&b, type < 8 ? (uint8_t)(20 + type) : type);
		buf_u16(&b, type & 64 ? 0x0301 : 0x0303);
		buf_u16(&b, (uint16_t)(text.n + (type & 128 ? 1 : 0)));
		buf_put(&b, text);
		if ((op >> 4 & 7) == 5)
			buf_put(&b, whole);
		break;
	}
	case 7: /* its first record is lost */
		buf_put(&b, span_slice(whole, first, whole.n));
		break;
	}
	if ((op >> 4 & 7) >= 2) {
		buf_free(flight);
		*flight = b;
	} else {
		buf_free(&b);
	}
}

static void
step(struct run *r)
{
	static const size_t pieces[] = {WIRE_MAX, 1, 4, 5, 6, 100, 1000, 5000};
	uint8_t op = cursor_u8(&r->in);
	struct buf flight;

	server_step(&r->server);
	if ((op & 7) == 1)
		server_says(&r->server, cursor_u8(&r->in));
	flight = r->server.out;
	r->server.out = buf_max(WIRE_MAX);
	if ((op & 7) == 2 || (op & 7) == 3)
		flight_change(r, op, &flight);
	if ((op & 7) == 4)
		r->piece = pieces[op >> 4 & 7];
	if ((op & 0xff) == 0xff) { /* the end of the connection */
		tls_received(r->tls, 0);
		client_step(r);
		r->failed = true;
	}
	client_receive(r, buf_span(&flight));
	buf_free(&flight);
}

static void
play(struct run *r, uint8_t what, const struct ticket *ticket)
{
	const struct tls_want want = {.alpn = "dot", .alpn_required = what & 64, .name = "dns.example", .ticket = ticket, .on_peer = on_peer, .ctx = r};

	r->piece = WIRE_MAX;
	server_open(&r->server, what);
	check(tls_new(&r->tls, &want) == RES_OK);
	client_step(r);
	for (unsigned i = 0; i < STEPS_MAX && cursor_left(&r->in) > 0 && !r->failed; i++)
		step(r);
	if (!r->failed)
		tls_bye(r->tls);
}

static void
end(struct run *r)
{
	tls_free(r->tls);
	server_close(&r->server);
}

/* A session to resume, from a handshake in which nothing is changed. */
static void
session_save(void)
{
	static const uint8_t quiet[6] = {0, 0, 0, 0, 0, 0};
	struct run r = {.in = cursor_over(span_of(quiet, sizeof quiet)), .accepts = true};
	struct tls_trouble t;
	uint8_t *p;
	size_t room;

	r.piece = WIRE_MAX;
	server_open(&r.server, 0);
	check(tls_new(&r.tls, &(struct tls_want){.alpn = "dot", .on_peer = on_peer, .ctx = &r}) == RES_OK);
	for (unsigned i = 0; i < 6 && saved == NULL; i++) {
		if (!r.done)
			r.done = tls_handshake(r.tls, &t) == TLS_DONE;
		else
			(void)tls_read(r.tls, (uint8_t[64]){0}, 64, &room, &t);
		buf_put(&r.server.in, tls_out(r.tls));
		tls_sent(r.tls, tls_out(r.tls).n);
		server_step(&r.server);
		if ((p = tls_room(r.tls, &room)) != NULL && r.server.out.n > 0 && r.server.out.n <= room) {
			memcpy(p, r.server.out.p, r.server.out.n);
			tls_received(r.tls, r.server.out.n);
			buf_clear(&r.server.out);
		}
		saved = tls_ticket(r.tls, 1);
	}
	check(saved != NULL);
	end(&r);
}

/* Without a server: the input is what the server would send. */
static void
play_bytes(struct run *r)
{
	struct span all = cursor_take(&r->in, cursor_left(&r->in));

	check(tls_new(&r->tls, &(struct tls_want){.alpn = "dot", .on_peer = on_peer, .ctx = r}) == RES_OK);
	r->server = (struct server){.in = buf_max(WIRE_MAX)};
	r->piece = all.n > 0 && all.p[0] & 1 ? 7 : WIRE_MAX;
	client_step(r);
	client_receive(r, all);
	check(!r->done); /* no server has the keys */
	tls_free(r->tls);
	buf_free(&r->server.in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct run r = {.in = cursor_over(span_of(data, n))};
	uint8_t what, how;

	if (n < 2 || n > SCRIPT_MAX)
		return 0;
	if (saved == NULL) {
		world_make();
		session_save();
	}
	what = cursor_u8(&r.in);
	how = cursor_u8(&r.in);
	r.accepts = (how & 3) != 0;
	if (what & 128) {
		play_bytes(&r);
		return 0;
	}
	play(&r, what, how & 4 ? saved : NULL);
	end(&r);
	return 0;
}
