/*
 * recorder.h - the daemon's memory of its upstreams: what is new of a certificate goes to the log and to the journal.
 *
 * Workers report from their threads; the thread of the loop knows what was seen before, from the journal as of the start and
 * from what it saw itself, and hands the records to the helper that writes (writer.h). It waits for it only at the end: what the
 * helper does not take is counted.
 */
#ifndef RESOLVER_DAEMON_RECORDER_H
#define RESOLVER_DAEMON_RECORDER_H

#include "resolver/daemon/status.h"
#include "resolver/server.h"

struct recorder;
/* counters: those of the main thread; lent. */
enum res recorder_new(struct recorder **, struct loop *, struct counters *);
/* Starts the helper, which changes to the user of the settings. Called before threads are started and system calls are
 * restricted, and before the tables of the workers are allocated: the helper would keep a copy of each of their pages
 * that changes later. Without a state-dir there is no helper. kill: as for sandbox_seal. */
void recorder_start(struct recorder *, const struct settings *, bool kill);
/* Reads the journal, after system calls are restricted, because it contains names from certificates of strangers.
 * Then waits for the helper. Called before the loop runs; until then nothing is recorded. */
void recorder_settle(struct recorder *, const struct settings *);
/* After a reload. */
void recorder_configure(struct recorder *, const struct settings *);
/* The daemon ends: from now on records wait for room in the helper's queue, until then (clock_mono_ms). recorder_free waits for
 * the helper as long, and logs what it reports and what it leaves unwritten. */
void recorder_ending(struct recorder *, int64_t until_ms);
/* No worker may run any more. */
void recorder_free(struct recorder *);
/* Any thread: a certificate was judged (server_hooks.on_certificate). */
void recorder_add(struct recorder *, const struct server *, struct span presented);
/* The last refusal before the start, according to the journal; its upstream is lent. */
void recorder_last_refusal(const struct recorder *, struct refusal *);
void recorder_state(const struct recorder *, struct journal_state *journal, struct journal_state *evidence);

#endif
