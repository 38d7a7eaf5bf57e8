/*
 * replay_play.h - a scenario that is being played, what its verbs share, and the verbs.
 *
 * A verb runs at its time, with the words of its line: word 0 is the time, word 1 the verb itself. It reports what it
 * finds wrong with play_wrong, and the scenario has failed. Every question that was asked is kept until the end.
 */
#ifndef TESTS_UNIT_REPLAY_PLAY_H
#define TESTS_UNIT_REPLAY_PLAY_H

#include "resolver/cache.h"
#include "resolver/engine.h"
#include "resolver/portal.h"
#include "resolver/upstreams.h"

#include "tests/unit/transport/fake_loop.h"
#include "tests/unit/transport/fake_transport.h"

#define WORDS_MAX 64
#define ASKED_MAX 16384

struct asked {
	char id[32];
	struct buf question, reply;
	struct client client;
	struct waiter_list waiting;
	unsigned replies;
	bool udp_limit;
};

/* A question that the portal's helper was given. */
struct portal_asked {
	uint32_t id;
	uint16_t type;
	char name[256];
	bool seen, answered;
};
#define PORTAL_ASKED_MAX 64

struct play {
	const char *file, *anchor;
	unsigned line;
	bool failed;
	struct loop *loop;
	struct counters counters;
	struct engine *engine;
	uint64_t generation;
	struct buf config; /* the next configuration */
	char config_path[64];
	struct asked *asked[ASKED_MAX];
	size_t n_asked;
	int64_t start_ms, now_ms;
	struct buf log;
	struct portal_asked portal[PORTAL_ASKED_MAX];
	size_t n_portal;
	bool portal_gone; /* the helper accepts nothing */
	char *word[WORDS_MAX];
	size_t n_words;
};

void play_wrong(struct play *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The words of the line; "" after the last. Lent. */
const char *play_word(const struct play *, size_t i);
bool play_has_word(const struct play *, size_t from, const char *what);
/* The value of key=value; NULL: the line has none. */
const char *play_value(const struct play *, const char *key);
long play_number(struct play *, const char *text);

/* A plan of the configuration lines since the last plan, with the usual upstreams if they name none. */
enum res play_plan_make(struct play *, struct plan **plan);

/* Whether buffers can grow; gives whether they could until now. */
bool play_memory_set(bool there);

/* The upstream that a scenario calls a, b, a6 or by its address (replay_upstream.c). */
struct fake_line *upstream_line(const char *name);

/* ---- clients, and the replies they get: replay_client.c */
void verb_ask(struct play *);
void verb_flood(struct play *);
void verb_reply(struct play *);
void verb_replies(struct play *);
void verb_none(struct play *);
void verb_leave(struct play *);

/* ---- upstreams: replay_upstream.c */
void verb_sent(struct play *);
void verb_quiet(struct play *);
void verb_answer(struct play *);
void verb_fail(struct play *);
void verb_line(struct play *);
void verb_close(struct play *);
void verb_kill(struct play *);
void verb_lose(struct play *);
void verb_refuse(struct play *);
void verb_finish(struct play *);
void verb_end(struct play *);
void verb_apart(struct play *);
void verb_unasked(struct play *);
void verb_connects_most(struct play *);

/* ---- the helper of portal windows: replay_portal.c */
void verb_portal(struct play *);
void verb_portal_sent(struct play *);
void verb_portal_quiet(struct play *);
void verb_portal_answer(struct play *);
void verb_portal_helper(struct play *);

/* ---- the world, and what is counted: replay_world.c */
void verb_sleep(struct play *);
void verb_clock(struct play *);
void verb_clock_event(struct play *);
void verb_network(struct play *);
void verb_reload(struct play *);
void verb_captive(struct play *);
void verb_flush(struct play *);
void verb_memory(struct play *);
void verb_elsewhere(struct play *);
void verb_count(struct play *);
void verb_connects(struct play *);
void verb_drops(struct play *);
void verb_learns_anew(struct play *);
void verb_kept(struct play *);
void verb_waiting(struct play *);
void verb_inflight(struct play *);
void verb_logged(struct play *);

#endif
