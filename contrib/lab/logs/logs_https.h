/*
 * logs_https.h - HTTP/1.1 over TLS for the toy logs: one thread for each connection, on loopback.
 *
 * Blocking, with limits on connections, on the bytes of a request and on idle time. Enough for the clients of a lab.
 */
#ifndef CONTRIB_LAB_LOGS_LOGS_HTTPS_H
#define CONTRIB_LAB_LOGS_LOGS_HTTPS_H

#include "contrib/lab/logs/lab_logs.h"
#include "contrib/lab/scenarios/site.h"

#define HTTPS_CONNECTIONS_MAX 64
#define HTTPS_HEAD_MAX        (16 * 1024)
#define HTTPS_IDLE_S          60

struct logs_https;

/* Listens at once, on loopback only, and stores the port that it got in *listen. The site's chain and key are what
 * clients see; it is lent. With events, every request is a line of the log. */
enum res logs_https_new(struct logs_https **, const struct site *, struct addr *listen, bool events);
/* Serves until the file descriptor `stop` can be read. */
enum res logs_https_run(struct logs_https *, struct lab_logs *, int stop);
/* Ends every connection, and waits for its thread. */
void logs_https_free(struct logs_https *);

#endif
