/*
 * doh_server.h - a DoH client without a connection, and the server that it talks to.
 *
 * Requests are read by nghttp2's server side, responses are written frame by frame and delivered in pieces.
 * Setup and teardown are cmocka's. Bytes move between the two only in client_flush and server_deliver.
 */
#ifndef TESTS_UNIT_DOH_SERVER_H
#define TESTS_UNIT_DOH_SERVER_H

#include "tests/unit/transport/proto_recorder.h"

#include <nghttp2/nghttp2.h>

#define END_STREAM  1
#define END_HEADERS 4
#define PADDED      8
#define ACK         1

enum {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION
};

struct request {
	int32_t stream;
	char fields[1024]; /* "name: value\n" each */
	uint8_t body[1024];
	size_t n_body;
	size_t n_headers; /* of the HEADERS frame, with its padding */
	bool ended;
	uint32_t reset; /* its error code plus one; 0: it was not reset */
};

struct server {
	nghttp2_session *session; /* reads what the client sends */
	struct request request[1200];
	unsigned n_request;
	unsigned settings_acks, goaways;
	struct buf out; /* for the client */
};

extern struct proto_recorder recorder; /* what the client reported to its hooks */
extern struct server server;
extern struct proto *client;
extern struct tp_target target;
extern const char *broken_because; /* the last reason that the client gave */

#define OK_FIELDS ":status: 200\ncontent-type: application/dns-message\n"
extern const uint8_t dns[40];

int server_setup(void **state);
int server_teardown(void **state);
/* For the next row of a table: both sides start again. */
void server_anew(void **state);

struct tp_exchange *client_ask(uint16_t id);
/* Moves what the client has to send to the server. */
enum reason client_collect(void);
/* False: the client says that the connection is over. */
bool client_flush(void);

/* These write to server.out. */
void server_frame(unsigned type, unsigned flags, int32_t stream, const void *payload, size_t n);
void server_headers(int32_t stream, unsigned flags, const char *fields);
void server_respond(int32_t stream, const char *fields, const void *body, size_t n);
/* "name: value\n" each, as literals without indexing (RFC 7541, 6.2.2). */
void server_block(struct buf *, const char *fields);
/* Moves what waits in server.out to the client, in pieces of this size. */
enum reason server_deliver(size_t piece);
/* The server's SETTINGS, delivered and acknowledged. */
void server_start_with(const void *settings, size_t n);

#endif
