#include "resolver/quarantine.h"

#include <stddef.h>
#include <string.h>

static uint64_t
entry_key(uint32_t server, uint64_t zone)
{
	uint64_t key = zone ^ server * UINT64_C(0x9e3779b97f4a7c15);

	return key != 0 ? key : 1;
}

static const struct quarantine_entry *
entry_find(const struct quarantine *q, uint64_t key)
{
	const struct quarantine_entry *set = q->set[key % QUARANTINE_SETS];

	for (size_t i = 0; i < QUARANTINE_WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* The same, to be changed. */
static struct quarantine_entry *
entry_own(struct quarantine *q, uint64_t key)
{
	struct quarantine_entry *set = q->set[key % QUARANTINE_SETS];
	const struct quarantine_entry *e = entry_find(q, key);

	return e != NULL ? &set[e - set] : NULL;
}

/* Its entry, or a fresh one in place of the one with the oldest news. */
static struct quarantine_entry *
entry_make(struct quarantine *q, uint32_t server, uint64_t zone, int64_t now_ms)
{
	uint64_t key = entry_key(server, zone);
	struct quarantine_entry *set = q->set[key % QUARANTINE_SETS], *at = &set[0];

	for (size_t i = 0; i < QUARANTINE_WAYS; i++) {
		if (set[i].key == key) {
			at = &set[i];
			break;
		}
		if (at->key != 0 && (set[i].key == 0 || set[i].seen_ms < at->seen_ms))
			at = &set[i];
	}
	if (at->key != key || now_ms - at->seen_ms >= QUARANTINE_MEMORY_MS)
		*at = (struct quarantine_entry){.key = key, .server = server};
	at->seen_ms = now_ms;
	return at;
}

static void
entry_forgive(struct quarantine_entry *e)
{
	e->kills = e->answers = 0;
	e->retry_at_ms = 0;
	if (e->poor_until_ms == 0)
		e->key = 0;
}

enum quarantine_state
quarantine_find(const struct quarantine *q, uint32_t server, uint64_t zone, int64_t now_ms,
		int64_t *retry_at_ms)
{
	const struct quarantine_entry *e = entry_find(q, entry_key(server, zone));

	*retry_at_ms = 0;
	if (e == NULL || e->kills == 0 || now_ms - e->seen_ms >= QUARANTINE_MEMORY_MS)
		return QUARANTINE_NONE;
	*retry_at_ms = e->retry_at_ms;
	if (now_ms < e->retry_at_ms)
		return QUARANTINE_OUT;
	return e->kills >= QUARANTINE_KILLS && e->answers == 0 ? QUARANTINE_ONE : QUARANTINE_ALONE;
}

bool
quarantine_is_proven(const struct quarantine *q, uint32_t server, uint64_t zone, int64_t answered_ms)
{
	const struct quarantine_entry *e = entry_find(q, entry_key(server, zone));

	return e != NULL && e->kills > 0 && answered_ms >= e->first_kill_ms;
}

static int64_t
out_ms(uint32_t kills)
{
	int64_t ms = QUARANTINE_MIN_MS;

	for (uint32_t i = QUARANTINE_KILLS; i + 1 < kills && ms < QUARANTINE_MAX_MS; i += 2)
		ms *= 2;
	return ms < QUARANTINE_MAX_MS ? ms : QUARANTINE_MAX_MS;
}

void
quarantine_killed(struct quarantine *q, uint32_t server, uint64_t zone, unsigned times, bool proven,
		  int64_t now_ms)
{
	struct quarantine_entry *e = entry_make(q, server, zone, now_ms);
	uint32_t before = e->kills;

	if (times == 0)
		return;
	if (e->kills == 0)
		e->first_kill_ms = now_ms;
	e->kills += times;
	if (!proven && e->kills > QUARANTINE_KILLS) /* the fault may be the server's own */
		e->kills = before > QUARANTINE_KILLS ? before : QUARANTINE_KILLS;
	if (e->kills > QUARANTINE_KILLS_MAX)
		e->kills = QUARANTINE_KILLS_MAX;
	e->answers = 0;
	if (e->kills >= QUARANTINE_KILLS)
		e->retry_at_ms = now_ms + out_ms(e->kills);
}

void
quarantine_pardon(struct quarantine *q, uint32_t server, int64_t since_ms)
{
	for (size_t i = 0; i < QUARANTINE_SETS * QUARANTINE_WAYS; i++) {
		struct quarantine_entry *e = &q->set[i / QUARANTINE_WAYS][i % QUARANTINE_WAYS];

		if (e->key != 0 && e->server == server && e->first_kill_ms > since_ms)
			entry_forgive(e);
	}
}

void
quarantine_answered(struct quarantine *q, uint32_t server, uint64_t zone)
{
	struct quarantine_entry *e = entry_own(q, entry_key(server, zone));

	if (e == NULL || e->kills == 0)
		return;
	e->retry_at_ms = 0;
	if (++e->answers < QUARANTINE_ANSWERS * e->kills)
		return;
	entry_forgive(e);
}

void
quarantine_set_poor(struct quarantine *q, uint32_t server, uint64_t zone, int64_t now_ms)
{
	entry_make(q, server, zone, now_ms)->poor_until_ms = now_ms + QUARANTINE_POOR_MS;
}

void
quarantine_set_good(struct quarantine *q, uint32_t server, uint64_t zone)
{
	struct quarantine_entry *e = entry_own(q, entry_key(server, zone));

	if (e != NULL)
		e->poor_until_ms = 0;
}

bool
quarantine_is_poor(const struct quarantine *q, uint32_t server, uint64_t zone, int64_t now_ms)
{
	const struct quarantine_entry *e = entry_find(q, entry_key(server, zone));

	return e != NULL && now_ms < e->poor_until_ms;
}

void
quarantine_clear(struct quarantine *q)
{
	memset(q, 0, sizeof *q);
}
