#include "transport/tls_session.h"

#include "verify/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Never "@SYSTEM" or "NORMAL": what is offered must not depend on a file or a variable of the machine. SHA-1 is left out
 * for signatures of certificates too; GnuTLS only announces the algorithms, the judge decides. ECDHE-PSK brings no suite,
 * as no such key is ever set: without it GnuTLS also offers psk_ke (RFC 8446, 4.2.9), and with that a resumed session
 * would have no forward secrecy. */
static const char priorities[] =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AEAD:+SHA256"
    ":+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM"
    ":+ECDHE-ECDSA:+ECDHE-RSA:+ECDHE-PSK:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"
    ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SECP521R1-SHA512"
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512"
    ":+SIGN-EDDSA-ED25519:+SIGN-EDDSA-ED448"
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512"
    ":+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512"
    ":+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"
    ":+CTYPE-X509";

static gnutls_priority_t priority; /* written once, by tls_global_init */

/* ---- what GnuTLS calls */

static ssize_t
tls_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct tls *tls = ctx;
	size_t have = tls->in_to - tls->in_from;

	if (have == 0) {
		if (tls->eof)
			return 0;
		gnutls_transport_set_errno(tls->session, EAGAIN);
		return -1;
	}
	if (n > have)
		n = have;
	memcpy(p, tls->in + tls->in_from, n);
	tls->in_from += n;
	if (tls->in_from == tls->in_to)
		tls->in_from = tls->in_to = 0;
	return (ssize_t)n;
}

static int
tls_on_pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
	const struct tls *tls = ctx;

	(void)ms;
	return tls->in_to > tls->in_from || tls->eof;
}

static ssize_t
tls_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	struct tls *tls = ctx;

	buf_put(&tls->out, span_of(p, n));
	if (buf_ok(&tls->out))
		return (ssize_t)n;
	tls->starved = buf_res(&tls->out) == RES_NOMEM;
	tls->out_full = !tls->starved;
	gnutls_transport_set_errno(tls->session, ENOBUFS);
	return -1;
}

/* ---- the beginning and the end */

static bool
tls_configure(struct tls *tls)
{
	const struct tls_want *want = &tls->want;
	gnutls_datum_t alpn = {(unsigned char *)(uintptr_t)want->alpn, (unsigned)strlen(want->alpn)};
	gnutls_session_t s = tls->session;

	gnutls_session_set_ptr(s, tls);
	gnutls_transport_set_ptr(s, tls);
	gnutls_transport_set_pull_function(s, tls_on_pull);
	gnutls_transport_set_pull_timeout_function(s, tls_on_pull_timeout);
	gnutls_transport_set_push_function(s, tls_on_push);
	gnutls_handshake_set_timeout(s, GNUTLS_INDEFINITE_TIMEOUT); /* its owner has a timer */
	gnutls_handshake_set_max_packet_length(s, TLS_HANDSHAKE_MAX);
	gnutls_handshake_set_hook_function(s, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE,
					   tls_on_handshake_message);
	if (priority == NULL || gnutls_priority_set(s, priority) != 0)
		return false;
	if (gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE,
				   want->identity != NULL ? want->identity->credentials : tls->own) != 0)
		return false;
	if (gnutls_alpn_set_protocols(s, &alpn, 1, 0) != 0)
		return false;
	if (tls->name[0] != '\0' &&
	    gnutls_server_name_set(s, GNUTLS_NAME_DNS, tls->name, strlen(tls->name)) != 0)
		return false;
	if (want->ticket != NULL &&
	    gnutls_session_set_data(s, want->ticket->session.p, want->ticket->session.n) == 0)
		buf_put(&tls->staple, want->ticket->staple);
	return true;
}

enum res
tls_new(struct tls **out, const struct tls_want *want)
{
	struct tls *tls = calloc(1, sizeof *tls);
	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;

	if (tls == NULL)
		return RES_NOMEM;
	tls->want = *want;
	tls->out = buf_max(TLS_OUT_MAX);
	tls->chain = buf_max(TLS_HANDSHAKE_MAX);
	tls->staple = buf_max(STAPLE_MAX);
	tls->name = strdup(want->name != NULL ? want->name : "");
	if (tls->name == NULL)
		goto fail;
	if (want->identity != NULL)
		flags |=
		    GNUTLS_FORCE_CLIENT_CERT; /* also when the server's list of issuers does not name ours */
	else if (tls_credentials_new(&tls->own) != RES_OK)
		goto fail;
	if (gnutls_init(&tls->session, flags) != 0)
		goto fail;
	if (!tls_configure(tls))
		goto fail;
	tls->want.ticket = NULL;
	*out = tls;
	return RES_OK;

fail:
	tls_free(tls);
	return RES_NOMEM;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->session != NULL)
		gnutls_deinit(tls->session);
	if (tls->own != NULL)
		gnutls_certificate_free_credentials(tls->own);
	buf_free(&tls->out);
	buf_free(&tls->chain);
	buf_free(&tls->staple);
	while (tls->n_fresh > 0)
		ticket_free(tls->fresh[--tls->n_fresh]);
	free(tls->name);
	free(tls);
}

enum res
tls_global_init(void)
{
	if (priority != NULL)
		return RES_OK;
	if (gnutls_check_version("3.7.9") == NULL)
		return RES_UNSUPPORTED;
	return gnutls_priority_init(&priority, priorities, NULL) == 0 ? RES_OK : RES_NOMEM;
}

/* ---- bytes */

uint8_t *
tls_room(struct tls *tls, size_t *n)
{
	if (tls->in_from > 0 && tls->in_to == sizeof tls->in) {
		memmove(tls->in, tls->in + tls->in_from, tls->in_to - tls->in_from);
		tls->in_to -= tls->in_from;
		tls->in_from = 0;
	}
	*n = sizeof tls->in - tls->in_to;
	return tls->in + tls->in_to;
}

void
tls_received(struct tls *tls, size_t n)
{
	for (size_t i = 0; i < n && tls->first_n < sizeof tls->first; i++)
		tls->first[tls->first_n++] = tls->in[tls->in_to + i];
	tls->in_to += n;
	tls->idle_bytes += n;
	if (n == 0)
		tls->eof = true;
}

/* Saves the session each time a ticket came: in GnuTLS the next ticket replaces this one. */
static void
tls_save_ticket(struct tls *tls)
{
	gnutls_datum_t data;

	if (!tls->ticket_came || !tls->ready)
		return;
	tls->ticket_came = false;
	if (tls->n_fresh == TLS_FRESH_MAX ||
	    !(gnutls_session_get_flags(tls->session) & GNUTLS_SFLAGS_SESSION_TICKET) ||
	    gnutls_session_get_data2(tls->session, &data) != 0)
		return;
	if (ticket_new(&tls->fresh[tls->n_fresh], span_of(data.data, data.size), buf_span(&tls->staple)) ==
	    RES_OK)
		tls->n_fresh++;
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
}

enum tls_status
tls_read(struct tls *tls, uint8_t *p, size_t room, size_t *n, struct tls_trouble *t)
{
	ssize_t got;

	do {
		got = gnutls_record_recv(tls->session, p, room);
		tls_save_ticket(tls);
		if (got > 0) {
			tls->idle_bytes = 0;
			*n = (size_t)got;
			return TLS_DONE;
		}
		if (tls->idle_bytes > TLS_IDLE_BYTES_MAX)
			return tls_trouble_set(t, REASON_TLS_FAILED, "records without data");
		/* GNUTLS_E_AGAIN also follows each ticket and key update: more may lie in the input. */
	} while (got == GNUTLS_E_INTERRUPTED ||
		 (got == GNUTLS_E_AGAIN && tls->in_to > tls->in_from && !tls->eof));
	if (got == GNUTLS_E_AGAIN)
		return TLS_GOES_ON;
	if (got == 0)
		return tls_trouble_set(t, REASON_CLOSED, "closed by the peer");
	return tls_trouble_of(tls, (int)got, t);
}

enum tls_status
tls_write(struct tls *tls, struct span plain, struct tls_trouble *t)
{
	while (plain.n > 0) {
		size_t n = plain.n < TLS_RECORD_MAX ? plain.n : TLS_RECORD_MAX;
		ssize_t put = gnutls_record_send(tls->session, plain.p, n);

		if (put <= 0 && tls->out_full)
			return tls_trouble_set(t, REASON_TLS_FAILED, "the peer does not read");
		if (put <= 0)
			return tls_trouble_of(tls, (int)put, t);
		plain = span_slice(plain, (size_t)put, plain.n);
	}
	return TLS_DONE;
}

void
tls_bye(struct tls *tls)
{
	if (tls->ready)
		(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

struct span
tls_out(const struct tls *tls)
{
	return span_slice(buf_span(&tls->out), tls->out_from, tls->out.n);
}

void
tls_sent(struct tls *tls, size_t n)
{
	tls->out_from += n;
	if (tls->out_from < tls->out.n) {
		if (tls->out_from > tls->out.n / 2) {
			buf_drop(&tls->out, tls->out_from);
			tls->out_from = 0;
		}
		return;
	}
	tls->out_from = 0;
	if (tls->out.cap > 4 * TLS_RECORD_MAX)
		buf_free(&tls->out);
	else
		buf_clear(&tls->out);
}

/* ---- what was agreed on */

/* The suites of the priorities, by their names in IANA's registry. GnuTLS names a suite only after the handshake, and a
 * refused peer never gets that far. */
static const char *
tls_suite_name(uint16_t suite)
{
	static const struct {
		uint16_t id;
		const char *name;
	} suites[] = {
	    {0x1301, "TLS_AES_128_GCM_SHA256"},
	    {0x1302, "TLS_AES_256_GCM_SHA384"},
	    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
	    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
	    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
	    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
	    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
	    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	};

	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
		if (suites[i].id == suite)
			return suites[i].name;
	return "";
}

void
tls_describe(struct tls *tls)
{
	gnutls_datum_t alpn = {NULL, 0};
	const char *group;

	if (gnutls_alpn_get_selected_protocol(tls->session, &alpn) != 0)
		alpn.size = 0;
	(void)snprintf(tls->version, sizeof tls->version, "%s",
		       gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session)));
	tls->cipher = tls_suite_name(tls->suite);
	group = gnutls_group_get_name(gnutls_group_get(tls->session));
	(void)snprintf(tls->group, sizeof tls->group, "%s", group != NULL ? group : "");
	(void)snprintf(tls->alpn, sizeof tls->alpn, "%.*s", (int)alpn.size, (const char *)alpn.data);
}

struct ticket *
tls_ticket(struct tls *tls, int64_t now_ms)
{
	struct ticket *ticket;

	if (tls->n_fresh == 0)
		return NULL;
	ticket = tls->fresh[--tls->n_fresh];
	ticket->saved_ms = now_ms;
	return ticket;
}

bool
tls_resumed(const struct tls *tls)
{
	return gnutls_session_is_resumed(tls->session) != 0;
}

const char *
tls_version(const struct tls *tls)
{
	return tls->version;
}

const char *
tls_cipher(const struct tls *tls)
{
	return tls->cipher != NULL ? tls->cipher : "";
}

const char *
tls_group(const struct tls *tls)
{
	return tls->group;
}

const char *
tls_alpn(const struct tls *tls)
{
	return tls->alpn;
}
