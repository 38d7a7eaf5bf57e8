#include "resolver/warm.h"

#include <string.h>

void
warm_on_question(struct warm *w, int64_t awake_ms, int64_t most_ms)
{
	int64_t pause = w->asked_ms != 0 ? awake_ms - w->asked_ms : 0;

	w->asked_ms = awake_ms;
	if (pause < WARM_PAUSE_MIN_MS)
		return;
	/* A pause too long to be bridged takes a place too: where all are like that, nothing is kept. */
	w->pause_ms[w->next] = pause <= most_ms ? pause : 0;
	w->next = (w->next + 1) % WARM_PAUSES;
	w->paused = true;
}

int64_t
warm_hold_ms(const struct warm *w, int64_t most_ms)
{
	int64_t longest = 0;

	if (!w->paused)
		return most_ms < WARM_FIRST_MS ? most_ms : WARM_FIRST_MS;
	for (unsigned i = 0; i < WARM_PAUSES; i++)
		if (w->pause_ms[i] > longest)
			longest = w->pause_ms[i];
	return longest < most_ms / WARM_FACTOR ? longest * WARM_FACTOR : most_ms;
}

bool
warm_is_in_use(const struct warm *w, int64_t awake_ms, int64_t most_ms)
{
	return w->asked_ms != 0 && awake_ms - w->asked_ms < most_ms;
}

struct server *
warm_add(struct warm *w, struct server *s)
{
	struct server *last = w->server[WARM_SERVERS_MAX - 1];
	size_t i = 0;

	while (i < WARM_SERVERS_MAX - 1 && w->server[i] != s)
		i++;
	memmove(w->server + 1, w->server, i * sizeof(struct server *));
	w->server[0] = s;
	return i == WARM_SERVERS_MAX - 1 && last != s ? last : NULL;
}

void
warm_forget(struct warm *w, const struct server *s)
{
	for (size_t i = 0; i < WARM_SERVERS_MAX; i++)
		if (w->server[i] == s)
			w->server[i] = NULL;
}
