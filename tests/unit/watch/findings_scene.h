/*
 * findings_scene.h - one run of the watcher's findings: a configuration, a folder, a certificate and a log, without a reader.
 *
 * Requests for evidence are kept in scene_asked instead of going to a log; the test answers them. Clocks are scripted.
 */
#ifndef TESTS_UNIT_WATCH_FINDINGS_SCENE_H
#define TESTS_UNIT_WATCH_FINDINGS_SCENE_H

#include "base/clock.h"
#include "contrib/watch/findings.h"
#include "tests/unit/verify/forged.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

extern const struct watch_log scene_log;

/* The last request for evidence; fn is NULL after its answer. */
extern struct scene_asked {
	watch_evidence_fn *fn;
	void *arg;
	uint64_t index;
	unsigned times;
	enum res answer; /* to further requests */
} scene_asked;

extern int64_t scene_boot_ms;
extern const struct clock_source scene_clock;
extern const struct clock_source scene_clock_hurried; /* one second later at each call */

struct scene {
	char folder[64];
	int watch; /* state-dir/watch */
	struct forged forged;
	struct forge leaf;
	struct buf certificate, tbs, issuing, root;
	struct watch_plan *plan;
	struct watch_findings *w;
};

/* In a configuration or list, @D is the folder; @L, @I and @R are the keys of leaf, issuing CA and root in hex; @C is the
 * certificate's fingerprint. */
#define UPSTREAM(more) "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" " more "}\n"
#define PLAIN          UPSTREAM("")

void scene_open(struct scene *, const char *config, const char *known);
void scene_close(struct scene *);
char *scene_fill(const struct scene *, const char *text); /* yours */
void scene_file_put(const struct scene *, const char *name, const char *text);
void scene_script_put(const struct scene *, const char *text); /* the program "alert" */
char *scene_file_get(const struct scene *, const char *name);  /* from state-dir/watch; yours, "" without the file */

void scene_start(struct scene *);
/* As a kill would: nothing more is written. */
void scene_kill(struct scene *);
struct watch_entry scene_entry(const struct scene *, bool precertificate, uint64_t index);
void scene_see(struct scene *, bool precertificate, uint64_t index);
void scene_chain_arrives(struct scene *);
/* Steps until no work is left; the programs of these tests end at once. */
void scene_settle(struct scene *);
unsigned text_times(const char *text, const char *what);

/* Setup of a group of tests; forged_world_close ends it. */
int scene_group_open(void **state);

#endif
