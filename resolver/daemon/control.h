/*
 * control.h - the control socket: a Unix socket that speaks one JSON object a line.
 *
 * Request  {"verb": "status"}   {"verb": "flush", "name": "example.com"}   {"verb": "log-level", "level": "debug"}
 *          {"verb": "upstreams"} {"verb": "stats"} {"verb": "reload"} {"verb": "captive", "minutes": 5}
 * Response one line: {"ok": true, ...} or {"ok": false, "error": "..."}; then the daemon closes.
 *
 * What goes with {"ok": true} (keys may be added, never renamed; null: does not apply):
 *   status     version pid started(RFC3339) uptime_s generation workers log_level files[] reload_error
 *              captive{active left_s} log_list{from date age_days stale} upstreams{total good failing refused unknown} warnings[]
 *   upstreams  upstreams[]{upstream address protocol worker state health reason retry_in_ms
 *                          handshake_ms srtt_us in_flight questions answers handshakes resumed refused failures verdict{...}}
 *   stats      counters{by the names of counters.def, summed} reasons{code: n} cache{...}
 *              with "format": "prometheus" in the request: text(the Prometheus text) alone
 *   flush      flushed(entries)          without "name": everything
 *   reload     generation                refused: "error" is the first, "errors"[] all of them as file:line: ...
 *   log-level  level
 *   captive    minutes                   the request's 0: off
 * Reading verbs: the socket's group; changing verbs: root and the daemon's own user (SO_PEERCRED).
 */
#ifndef RESOLVER_DAEMON_CONTROL_H
#define RESOLVER_DAEMON_CONTROL_H

#include "resolver/daemon/control_socket.h"
#include "resolver/daemon/worker.h"

#define CONTROL_REQUEST_MAX  4096
#define CONTROL_RESPONSE_MAX (8 * 1024 * 1024)
/* Of them a quarter is for root and the daemon's own user, whom others must not keep out. */
#define CONTROL_CONNECTIONS_MAX  16
#define CONTROL_CONNECTIONS_KEPT 4
#define CONTROL_TIMEOUT_MS       5000

struct control;
/* Binds path (control_socket.h). Runs on the loop of the main thread. */
enum res control_new(struct control **, struct loop *, struct daemon *, const char *path,
		     const struct control_owner *, char **why);
void control_free(struct control *); /* removes the socket */

#endif
