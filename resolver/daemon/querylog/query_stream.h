/*
 * query_stream.h - frames of dnstap to a collector's Unix socket, or to a file: libfstrm writes them, over descriptors that
 * never make it wait for longer than QUERY_STREAM_WAIT_MS.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_STREAM_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_STREAM_H

#include "resolver/daemon/querylog/query_file.h"

/* For a collector that does not read, or does not answer the handshake. The end of the daemon may wait for it (HELPER_END_MS). */
#define QUERY_STREAM_WAIT_MS 400

struct query_stream;

/* file: where frames go (lent, closed); NULL: to the socket of this path (lent). NULL: no memory. */
struct query_stream *query_stream_new(struct query_file *file, const char *socket_path);
void
query_stream_free(struct query_stream *); /* ends the stream in order, as far as the other side lets it */

/* False: *why (constant, or strerror's). */
bool query_stream_open(struct query_stream *, const char **why);
bool query_stream_append(struct query_stream *, struct span frame, const char **why);
void query_stream_close(struct query_stream *);

#endif
