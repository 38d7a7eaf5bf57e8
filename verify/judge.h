/*
 * judge.h - the verification of one chain in progress: what its stages share.
 *
 * Each stage has its own file: judge_import.c, judge_path.c, judge_presented.c and so on, in the order of verify.h.
 */
#ifndef VERIFY_JUDGE_H
#define VERIFY_JUDGE_H

#include "verify/ct/sctcheck.h"
#include "verify/policy.h"
#include "verify/verdict_build.h"
#include "verify/when.h"
#include "verify/x509/path.h"

/* What a verification cost; for tests of the bounds. */
struct vfy_work {
	size_t signature_checks; /* of certificates and SCTs; at most VFY_SIG_CHECKS_MAX */
	size_t signature_cost;   /* of them, in tenths of a check with RSA-4096; at most VFY_SIG_COST_MAX */
	size_t paths;      /* proven paths and leads that were judged; at most PATHS_MAX in each search */
	size_t readings;   /* certificates whose own faults were looked for */
	size_t lookups;    /* certificates looked up in disallow lists */
	size_t path_steps; /* of all searches together; at most PATH_STEPS_MAX in each */
};

/* As vfy_check (verify.h), and fills in the work. */
void vfy_check_work(struct verdict *, const struct vfy_policy *, const struct vfy_input *, struct vfy_work *);

struct judgement {
	struct verdict *v;
	const struct vfy_policy *policy;
	const struct vfy_input *in;
	struct vfy_work *work;
	struct when when;
	struct signature_budget budget;
	struct cert *certs; /* presented and readable; the leaf first. Owned; NULL before they are read */
	size_t n_certs;
	size_t n_bytes;       /* of the presented certificates that were read; at most VFY_BYTES_MAX */
	struct proofs proofs; /* who signed which of them */
	struct path_rules rules;
	struct path *path; /* the verified path, which may be out of date or weak; NULL without one. Owned */
	enum path_grade grade;     /* of that path */
	const struct cert *issuer; /* the CA whose key verified the leaf; NULL when it was not found */
	struct sct_check scts;
	enum res scts_read; /* the result of sct_check_open for the leaf's list */
};

#define JUDGE_LABEL_MAX 160
/* A certificate's subject for use in a sentence, shortened; its serial number if the subject is empty. Returns out. */
const char *judge_label(char out[JUDGE_LABEL_MAX], const struct cert *);
#define JUDGE_DATES_MAX 96
/* For a fault of dates, the date that caused it, to append to its sentence; "" for any other reason. Returns out. */
const char *judge_dates(char out[JUDGE_DATES_MAX], enum reason, const struct judgement *,
			const struct cert *);
/* Adds a finding about one certificate: "label: what" and the date of judge_dates; nothing when what is NULL. */
void judge_cert_fault(struct judgement *, enum reason, const struct cert *, const char *what);

/* What path_search needs; lent. */
struct path_ground judge_ground(struct judgement *);
/* path_search over the presented certificates and the policy's anchors; its work is counted. */
struct path_search_end judge_search(struct judgement *, enum path_kind, path_visit *, void *arg);
/* Finds the CA that signed the leaf among the presented certificates and the anchors, for a leaf without a path and for one
 * that is an anchor itself. Sets issuer. False: no memory. */
bool judge_issuer_find(struct judgement *);

/* judge_modes.c: does the rule only report at the time of the judgement? */
bool judge_reports(const struct judgement *, enum vfy_rule);
enum ct_mode judge_ct_mode(const struct judgement *); /* the same for CT */
/* judge_ct.c: the list of logs is older than the policy allows. */
bool judge_ct_list_is_stale(const struct judgement *);

/*
 * The stages, in the order in which vfy_check calls them. Each adds its findings to the verdict. False: it could not do
 * its work, and the verdict is refused whatever the others find. If judge_import returns false, only judge_modes runs
 * after it.
 */
bool judge_import(struct judgement *);
bool judge_path(struct judgement *);
bool judge_presented(struct judgement *);
bool judge_identity(struct judgement *);
bool judge_disallow(struct judgement *);
bool judge_ct(struct judgement *);
bool judge_revocation(struct judgement *);
void judge_modes(struct judgement *); /* notes in the verdict how long report mode lasts; cannot fail */

#endif
