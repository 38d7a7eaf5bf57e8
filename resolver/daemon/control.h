/*
 * control.h - the control socket: a Unix socket that speaks one JSON object a line.
 *
 * Request  {"verb": "status"}   {"verb": "flush", "name": "example.com"}   {"verb": "log-level", "level": "debug"}
 *          {"verb": "upstreams"} {"verb": "stats"} {"verb": "reload"} {"verb": "captive", "minutes": 5}
 * Response one line: {"ok": true, ...} or {"ok": false, "error": "..."}; then the daemon closes.
 *
 * What goes with {"ok": true} (keys may be added, never renamed; null: does not apply):
 *   status     version pid started(RFC3339) uptime_s generation workers log_level files[] reload_error
 *              restart_needed[]{as changes of reload} captive{active left_s} portal{enabled open left_s questions answered failed} log_list{from date age_days stale} upstreams{total good failing refused unknown} warnings[]
 *   upstreams  upstreams[]{upstream address protocol worker state health reason retry_in_ms
 *                          handshake_ms srtt_us in_flight questions answers handshakes resumed refused failures verdict{...}}
 *   stats      counters{by the names of counters.def, summed} reasons{code: n} cache{...}
 *              with "format": "prometheus" in the request: text(the Prometheus text) alone
 *   flush      flushed(entries)          without "name": everything
 *   reload     generation changes[]{where option before after needs_restart text} more_changes
 *                                        refused: "error" is the first, "errors"[] all of them as file:line: ...
 *   log-level  level
 *   captive    minutes portal            the request's 0: off; portal: a window for clear text is open
 * Reading verbs: the socket's group; changing verbs: root, the daemon's own user, and the members of option control-group
 * (SO_PEERCRED, SO_PEERGROUPS).
 */
#ifndef RESOLVER_DAEMON_CONTROL_H
#define RESOLVER_DAEMON_CONTROL_H

#include "resolver/daemon/control_json.h"
#include "resolver/daemon/control_socket.h"

/* Other users must not keep out those who may change something, and the members of control-group must not keep out
 * root. */
#define CONTROL_CONNECTIONS_MAX    16
#define CONTROL_CONNECTIONS_KEPT   4 /* for root, the daemon's own user and members */
#define CONTROL_CONNECTIONS_OWNERS 2 /* of these, for root and the daemon's own user */
#define CONTROL_TIMEOUT_MS         5000
#define CONTROL_END_MS             100 /* for what clients have not read when the daemon ends */

struct control;
struct loop;
struct fan_out; /* a status that is being collected */

/* The operations that a request can start. All are called in the main thread with the context of control_new. */
struct control_ops {
	/* Collects the status. done is called once, from the main loop, never from inside this call. RES_NOMEM: it will not
	 * be called. */
	enum res (*status)(void *ctx, struct fan_out **, void (*done)(void *done_ctx, const struct status *),
			   void *done_ctx);
	void (*status_cancel)(struct fan_out *); /* done will not be called */
	/* Removes a name (lower-case wire form) and all names below it from the cache. Returns how many entries were
	 * removed. */
	uint64_t (*flush)(void *ctx, struct span name);
	/* Reads the configuration again, and says what it changed (*changes: the caller's). RES_MALFORMED: the old one
	 * stays, and *errors (the caller's) says why. */
	enum res (*reload)(void *ctx, struct config_errors *errors, struct changes *changes,
			   uint64_t *generation);
	/* Sets captive mode until this time (boot clock); 0: off. True: names of portal probes are sent in clear
	 * text until then. */
	bool (*captive_set)(void *ctx, int64_t until_ms);
};

/* Binds path (control_socket.h). Runs on the loop of the main thread. The table of operations must outlive it. *why
 * (yours) on failure. */
enum res control_new(struct control **, struct loop *, const struct control_ops *, void *ctx,
		     const char *path, const struct control_owner *, char **why);
/* Why the members of option control-group cannot use the socket; NULL: they can, or there is no such group. Constant. */
const char *control_group_trouble(const struct control *);
/* Sends what is left of responses, in at most CONTROL_END_MS, and removes the socket. */
void control_free(struct control *);

#endif
