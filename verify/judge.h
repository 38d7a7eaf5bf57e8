/*
 * judge.h - one judgement under way: what its stages share. Not for other rooms.
 */
#ifndef VERIFY_JUDGE_H
#define VERIFY_JUDGE_H

#include "verify/x509/path.h"
#include "verify/ct/sctcheck.h"
#include "verify/verdict_build.h"
#include "verify/verify.h"

/* What a judgement cost; for tests of the bounds. */
struct vfy_work {
	size_t signature_checks; /* of certificates and SCTs; never beyond VFY_SIG_CHECKS_MAX */
	size_t signature_cost;   /* of them, in tenths of one with RSA-4096; never beyond VFY_SIG_COST_MAX */
	size_t paths;      /* proven paths and leads that were judged; of each search VFY_PATHS_MAX at most */
	size_t readings;   /* certificates of which was read what is wrong with them alone */
	size_t lookups;    /* certificates looked up in disallow lists */
	size_t path_steps; /* of all searches together; of each PATH_STEPS_MAX at most */
};

/* vfy_check, which also tells what it cost. */
void vfy_check_work(struct verdict *, const struct vfy_policy *, const struct vfy_input *, struct vfy_work *);

struct judgement {
	struct verdict *v;
	const struct vfy_policy *policy;
	const struct vfy_input *in;
	struct vfy_work *work;
	struct signature_budget budget;
	struct cert certs[VFY_CERTS_MAX]; /* presented and readable; the leaf first */
	size_t n_certs;
	size_t n_bytes; /* of all that are presented, up to where they are read; VFY_BYTES_MAX at most */
	struct proofs proofs; /* who signed which of them */
	struct path_rules rules;
	struct path *path; /* the verified one (it may be out of date, or weak); NULL without one. Owned */
	enum path_grade grade;     /* of it */
	const struct cert *issuer; /* whose key verified the leaf, proven; NULL when it is not at hand */
	struct sct_check scts;
	enum res scts_read; /* what sct_check_open said of the leaf's list */
};

#define JUDGE_LABEL_MAX 160
/* A certificate's subject for a sentence, shortened; its serial when it has none. Returns out. */
const char *judge_label(char out[JUDGE_LABEL_MAX], const struct cert *);

/* What path_search needs; lent. */
struct path_ground judge_ground(struct judgement *);

/* At the time of the judgement, so the end of report mode is heeded (modes.c). */
bool judge_reports(const struct judgement *, enum vfy_rule);
enum ct_mode judge_ct_mode(const struct judgement *);
bool
ct_list_is_stale(const struct judgement *); /* ct.c: the list of logs is older than the policy lets it be */
/* Last: notes in the verdict until when it is good. */
void judge_modes(struct judgement *);

/*
 * The stages, in the order in which vfy_check calls them. Each adds its findings to the verdict. False: it
 * could not do its work, and the verdict is refused whatever the others say.
 */
bool judge_import(struct judgement *); /* chain.c */
bool judge_path(
    struct judgement *); /* choose.c: proven paths, what the policy wants of them; the one that counts */
bool judge_presented(struct judgement *); /* chain.c: the leaf itself, and without a path all that was sent */
bool judge_identity(struct judgement *);  /* chain.c */
bool judge_disallow(struct judgement *);  /* choose.c */
bool judge_ct(struct judgement *);        /* ct.c */
bool judge_revocation(struct judgement *); /* revocation.c */

#endif
