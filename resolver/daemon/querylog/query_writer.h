/*
 * query_writer.h - the helper that writes the query log: it alone opens files and the collector's socket.
 *
 * It takes batches of events (query_event.h) from its socket and sends reports back. What cannot be written now is lost and
 * counted; it tries to open again every QUERY_WRITER_RETRY_MS, when events come.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_WRITER_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_WRITER_H

#include "resolver/daemon/querylog/query_event.h"

#define QUERY_WRITER_RETRY_MS 1000

enum query_to { QUERY_TO_LINES, QUERY_TO_DNSTAP_FILE, QUERY_TO_DNSTAP_SOCKET };

struct query_writer_setup {
	enum query_to to;
	const char *path;
	uint64_t file_max; /* bytes; then the file is rotated */
	bool json;         /* lines */
};

/* A report to the daemon: a change of the writer's state, or how many events were lost. */
struct query_report {
	uint8_t open;   /* 0 or 1: bytes of another process are no bool */
	uint32_t lost;  /* since the last report */
	char error[96]; /* cut; why it is not open */
};

/* Until the other end of the socket is closed. ctx: a query_writer_setup. */
void query_writer_run(int socket, void *ctx);

#endif
