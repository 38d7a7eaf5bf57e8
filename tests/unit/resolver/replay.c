/*
 * replay - plays scenarios (tests/data/replay/NAME.txt) against the resolver's logic: real configuration,
 * cache, local names and queries; a scripted clock and transport. No sockets, no waiting. What a scenario may
 * say: README there.
 *
 *   replay [FILE...]   without files: all of them
 */
#include "resolver/engine_state.h"
#include "tests/unit/resolver/replay_play.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
settle(struct play *p)
{
	while (fake_loop_turn(p->loop, 0))
		;
}

/* ---- the configuration and the engine */

static void
on_log(void *ctx, const char *line, size_t n)
{
	struct play *p = ctx;
	bool there = play_memory_set(true);

	buf_put(&p->log, span_of(line, n));
	(void)play_memory_set(there);
}

static void
on_verdict(void *ctx, const struct server *s)
{
	(void)ctx;
	log_event(LOG_WARN, s->health == HEALTH_REFUSED ? "refused" : "accepted",
	    LOG_STR("upstream", s->target->upstream), LOG_STR("reason", reason_code(s->reason)));
}

static bool
engine_make(struct play *p)
{
	const struct server_hooks hooks = {.on_verdict = on_verdict, .ctx = p};
	struct plan *plan;
	enum res res;

	if (play_plan_make(p, &plan) != RES_OK) {
		play_wrong(p, "configuration: %s", buf_cstr(&p->log));
		return false;
	}
	res = engine_new(&p->engine, p->loop, &p->counters, plan, &hooks, NULL);
	plan_unref(plan);
	if (res != RES_OK)
		return false;
	/* With a random key, one of 256 engines would take two zones of a scenario for one where it remembers the good ones. */
	p->engine->hash = (struct hash_key){{1, 2}};
	return true;
}

static const struct {
	const char *verb;
	void (*run)(struct play *);
	size_t words; /* at least, with the time */
} verbs[] = {
    {"ask", verb_ask, 5},
    {"reply", verb_reply, 4},
    {"none", verb_none, 3},
    {"sent", verb_sent, 5},
    {"quiet", verb_quiet, 3},
    {"answer", verb_answer, 6},
    {"fail", verb_fail, 6},
    {"line", verb_line, 4},
    {"close", verb_close, 3},
    {"kill", verb_kill, 5},
    {"lose", verb_lose, 5},
    {"refuse", verb_refuse, 4},
    {"finish", verb_finish, 3},
    {"end", verb_end, 3},
    {"apart", verb_apart, 5},
    {"unasked", verb_unasked, 5},
    {"connects-most", verb_connects_most, 4},
    {"leave", verb_leave, 3},
    {"sleep", verb_sleep, 3},
    {"clock", verb_clock, 3},
    {"clock-event", verb_clock_event, 2},
    {"network", verb_network, 2},
    {"reload", verb_reload, 2},
    {"captive", verb_captive, 3},
    {"portal", verb_portal, 3},
    {"portal-sent", verb_portal_sent, 4},
    {"portal-quiet", verb_portal_quiet, 2},
    {"portal-answer", verb_portal_answer, 5},
    {"portal-helper", verb_portal_helper, 3},
    {"flush", verb_flush, 3},
    {"memory", verb_memory, 3},
    {"elsewhere", verb_elsewhere, 5},
    {"count", verb_count, 4},
    {"connects", verb_connects, 4},
    {"drops", verb_drops, 4},
    {"learns-anew", verb_learns_anew, 4},
    {"kept", verb_kept, 4},
    {"waiting", verb_waiting, 3},
    {"inflight", verb_inflight, 3},
    {"flood", verb_flood, 5},
    {"replies", verb_replies, 5},
    {"logged", verb_logged, 4},
};

/* ---- scenarios */

static void
play_verb(struct play *p)
{
	int64_t at = play_number(p, play_word(p, 0));

	if (at < p->now_ms) {
		play_wrong(p, "time does not go back");
		return;
	}
	fake_loop_advance(p->loop, at - p->now_ms);
	p->now_ms = at;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].verb, play_word(p, 1)) == 0) {
			if (p->n_words < verbs[i].words)
				play_wrong(p, "too few words");
			else
				verbs[i].run(p);
			settle(p);
			return;
		}
	play_wrong(p, "no such verb: %s", play_word(p, 1));
}

static void
play_line(struct play *p, char *line)
{
	char *rest = line, *one;

	if (line[0] == '#')
		return;
	if (line[0] == '|') {
		buf_text(&p->config, line + 1);
		return;
	}
	p->n_words = 0;
	while ((one = strsep(&rest, " \t\n")) != NULL)
		if (*one != '\0' && p->n_words < WORDS_MAX)
			p->word[p->n_words++] = one;
	if (p->n_words == 0)
		return;
	if (p->engine == NULL && !engine_make(p))
		return;
	play_verb(p);
}

static void
play_end(struct play *p)
{
	(void)play_memory_set(true);
	engine_free(p->engine);
	if (fake_loop_timers(p->loop) > 0)
		play_wrong(p, "%u timers are left", fake_loop_timers(p->loop));
	for (size_t i = 0; i < p->n_asked; i++) {
		buf_free(&p->asked[i]->question);
		buf_free(&p->asked[i]->reply);
		free(p->asked[i]);
	}
	fake_transport_reset();
	log_capture(NULL, NULL);
	loop_free(p->loop);
	buf_free(&p->config);
	buf_free(&p->log);
	unlink(p->config_path);
}

static bool
play(const char *path, const char *anchor)
{
	struct play p = {.anchor = anchor,
	    .config = buf_max(65536),
	    .log = buf_max(1 << 24),
	    .config_path = "/tmp/replay-XXXXXX"};
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	char line[4096];
	int fd = mkstemp(p.config_path);

	p.file = slash != NULL ? slash + 1 : path;
	if (f == NULL || fd < 0 || loop_new(&p.loop) != RES_OK) {
		printf("%s: cannot be played\n", path);
		return false;
	}
	close(fd);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_capture(on_log, &p);
	while (!p.failed && fgets(line, sizeof line, f) != NULL) {
		p.line++;
		play_line(&p, line);
	}
	fclose(f);
	if (!p.failed && p.engine == NULL)
		play_wrong(&p, "nothing is played");
	play_end(&p);
	printf("%s %s\n", p.failed ? "FAIL" : "ok  ", p.file);
	return !p.failed;
}

static int
text_files(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".txt") == 0;
}

int
main(int argc, char **argv)
{
	const char *src = getenv("srcdir");
	char folder[4096], anchor[4200], path[4400];
	struct dirent **list;
	unsigned failed = 0;
	int n;

	snprintf(folder, sizeof folder, "%s/tests/data/replay", src != NULL ? src : ".");
	snprintf(anchor, sizeof anchor, "%s/anchor.pem", folder);
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			failed += !play(argv[i], anchor);
		return failed > 0;
	}
	n = scandir(folder, &list, text_files, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		failed += !play(path, anchor);
		free(list[i]);
	}
	if (n > 0)
		free(list);
	printf("%d scenarios, %u failed\n", n, failed);
	return n <= 0 || failed > 0;
}
