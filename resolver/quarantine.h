/*
 * quarantine.h - zones whose questions do harm at a server: they end its connections, or get unusable answers on every
 * connection.
 *
 * A zone is a registered domain, so that a hostile one gains nothing by random labels. An entry is
 * for one zone at one server, both given as numbers by the caller. The table is small and of fixed size: the oldest entry of
 * a set is replaced, and a zone whose entry is gone has to do its harm again. It knows no clock, no server and no name.
 */
#ifndef RESOLVER_QUARANTINE_H
#define RESOLVER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

/* With the ways: 1024 zones in 56 KiB; a hostile page that uses more has to register more domains. */
#define QUARANTINE_SETS      256
#define QUARANTINE_WAYS      4
#define QUARANTINE_KILLS     2 /* connections that ended with a lone question of the zone; one may be chance */
#define QUARANTINE_KILLS_MAX 8      /* no more are counted: the rest grows no further */
#define QUARANTINE_MIN_MS    2000   /* first rest; doubles */
#define QUARANTINE_MAX_MS    10000  /* a trial after that costs a connection, and no other question */
#define QUARANTINE_MEMORY_MS 600000 /* an entry without news for so long is ignored */
/* Bad on a fresh connection as well: so long no further one is made for it. */
#define QUARANTINE_POOR_MS 60000

struct quarantine_entry {
	uint64_t key; /* 0: free */
	int64_t seen_ms;
	int64_t first_kill_ms;
	int64_t retry_at_ms; /* out until then */
	int64_t poor_until_ms;
	uint32_t kills;
	uint32_t answers; /* since the last kill */
	uint32_t server;
};

struct quarantine {
	struct quarantine_entry set[QUARANTINE_SETS][QUARANTINE_WAYS];
};

enum quarantine_state {
	QUARANTINE_NONE,
	QUARANTINE_ALONE, /* each of its questions is asked on a connection of its own */
	QUARANTINE_ONE,   /* ... and one at a time */
	QUARANTINE_OUT,   /* none before retry_at_ms */
};

/* zone: a keyed hash of the zone's name. */
enum quarantine_state quarantine_find(const struct quarantine *, uint32_t server, uint64_t zone,
				      int64_t now_ms, int64_t *retry_at_ms);
/* The server has answered some question since the zone first did harm: the server works, so the zone is at fault. */
bool quarantine_is_proven(const struct quarantine *, uint32_t server, uint64_t zone, int64_t answered_ms);
/* This many connections ended while they carried only a question of this zone. proven: the
 * server works, so the zone is at fault; otherwise they count for no more than QUARANTINE_KILLS. */
void quarantine_killed(struct quarantine *, uint32_t server, uint64_t zone, unsigned times, bool proven,
		       int64_t now_ms);
/* A question of the zone was answered. QUARANTINE_ANSWERS answers for each ended connection clear the zone, so a
 * zone that mixes good names with bad ones stays in its state. */
#define QUARANTINE_ANSWERS 8
void quarantine_answered(struct quarantine *, uint32_t server, uint64_t zone);
/* The answers for the zone are bad over a fresh connection too; until an answer that is good, or for QUARANTINE_POOR_MS. */
void quarantine_set_poor(struct quarantine *, uint32_t server, uint64_t zone, int64_t now_ms);
void quarantine_set_good(struct quarantine *, uint32_t server, uint64_t zone);
bool quarantine_is_poor(const struct quarantine *, uint32_t server, uint64_t zone, int64_t now_ms);
/* The server was at fault: what its zones did since then is forgotten. */
void quarantine_pardon(struct quarantine *, uint32_t server, int64_t since_ms);
void quarantine_clear(struct quarantine *);

#endif
