/*
 * verdict_build.h - how the stages of verification fill a verdict.
 *
 * If something cannot be stored, out_of_memory is set, which is enough to refuse.
 */
#ifndef VERIFY_VERDICT_BUILD_H
#define VERIFY_VERDICT_BUILD_H

#include "verify/x509/cert.h"
#include "verify/verdict.h"

#include <stdarg.h>

#define VERDICT_TEXT_MAX 2048 /* of one finding or warning; a name in it may be long */
/* 16 certificates with every fault there is stay below. Long lists of entries that only report can exceed it; then
 * some findings are missing, but none whose reason has no other finding that refuses, or only reports, as it does. */
#define VERDICT_FINDINGS_MAX 256

/* The same sentence twice is kept once. Control characters in it become '?'. */
void verdict_add(struct verdict *, enum reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A finding that is reported and does not refuse. */
void verdict_note(struct verdict *, enum reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* With two numbers: what was found, and what is needed. */
void verdict_add_counts(struct verdict *, enum reason, int64_t have, int64_t want, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void verdict_warn(struct verdict *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Findings with this reason stay in the verdict but do not refuse. */
void verdict_relax(struct verdict *, enum reason);
/* The same, and they would not refuse either if their rule were not in report mode. */
void verdict_advise(struct verdict *, enum reason);
/* Shows these certificates, one at least, as the chain. */
void verdict_show_chain(struct verdict *, const struct cert *const *certs, size_t n, bool verified);
/* Sets the outcome: accepted if `complete`, nothing enforced was found, and everything could be stored. */
void verdict_close(struct verdict *, bool complete);

#endif
