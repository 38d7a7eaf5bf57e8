/*
 * findings_scene.h - a fixture for findings: a configuration, a folder, a certificate of the lab's forge, and a fake reader
 * of logs. Time is scripted: it passes when a test moves scene_boot_ms.
 *
 * The anchors of every upstream are CA_ROOT and CA_FINA_ROOT, so that a rogue certificate may come from a CA that is trusted.
 */
#ifndef TESTS_UNIT_WATCH_FINDINGS_SCENE_H
#define TESTS_UNIT_WATCH_FINDINGS_SCENE_H

#include "base/clock.h"
#include "contrib/watch/findings.h"
#include "contrib/watch/findings_state.h"
#include "tests/unit/verify/forged.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the reader was asked for last. */
struct scene_asked {
	watch_evidence_fn *fn;
	void *arg;
	const struct watch_log *log;
	uint64_t index;
	unsigned times;
	enum res answer;
};
extern struct scene_asked scene_asked;
#define READER ((struct watch_reader *)(void *)&scene_asked)

extern const struct watch_log scene_log, scene_other_log; /* two logs */
const struct watch_log *scene_log_find(const struct watch_reader *, const uint8_t id[32]);

extern int64_t scene_boot_ms;
extern const struct clock_source scene_clock;
extern const struct clock_source scene_clock_hurried; /* one second later at each call */

struct scene {
	char folder[64];
	int watch; /* state-dir/watch */
	struct forged forged;
	struct forge leaf;
	struct buf certificate, tbs; /* as issued, and as a log keeps its precertificate */
	struct buf precertificate;   /* as submitted */
	struct buf chain[4];         /* the issuers, the nearest first */
	size_t n_chain;
	uint8_t issuer_key_hash[32]; /* as entries name it */
	struct watch_plan *plan;
	struct launcher *launcher;
	struct watch_findings *w;
};

/* An upstream for 1.1.1.1 with these anchors and more options. */
#define UPSTREAM(more) "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" " more "}\n"
#define PLAIN          UPSTREAM("")

/* In texts: @D the folder; @L @I @R @F the keys of leaf, CA_ISSUING, CA_ROOT and CA_FINA_ISSUING in hex; @C the
 * certificate's fingerprint. Yours. */
char *scene_fill(const struct scene *, const char *text);
/* A leaf of CA_ISSUING for 1.1.1.1, this configuration, and known.txt. */
void scene_open(struct scene *, const char *config, const char *known);
void scene_close(struct scene *);
/* Another leaf of that CA, with the same key and serial; `changed`, unless NULL, is called before it is signed. */
void scene_leaf(struct scene *, enum ca_id issuer, void (*changed)(struct forge *));
/* Signs s->leaf as it is now. */
void scene_sign(struct scene *);
void scene_chain(struct scene *, enum ca_id); /* the chain is this CA alone */
void scene_chain_clear(struct scene *);
void scene_chain_add(struct scene *, const struct forge *);

void scene_file_put(const struct scene *, const char *name, const char *text); /* in the folder */
char *scene_file_get(const struct scene *, const char *name); /* of state-dir/watch; "" when there is none. Yours */
void scene_script_put(const struct scene *, const char *text); /* the program "alert" */
unsigned text_times(const char *text, const char *what);

void scene_start(struct scene *);
void scene_kill(struct scene *); /* as a kill would: nothing more is written */

struct watch_entry scene_entry(const struct scene *, bool precertificate, uint64_t index);
/* The finding of an entry; `because` of the first judgement. Yours. */
struct watch_finding *scene_finding(const struct scene *, bool precertificate);
void scene_see(struct scene *, bool precertificate, uint64_t index);
void scene_see_in(struct scene *, const struct watch_log *, bool precertificate, uint64_t index);
struct watch_evidence scene_evidence(const struct scene *, bool precertificate);
/* The evidence that was asked for comes, as s has it now. */
void scene_chain_arrives(struct scene *);
void scene_no_chain_arrives(void);
/* Steps until no work is left; the programs of these tests end at once. */
void scene_settle(struct scene *);

/* Setup of a group of tests; forged_world_close ends it. */
int scene_group_open(void **state);

#endif
