/*
 * late.h - does one late answer keep the questions behind it waiting?
 *
 * A server may answer the questions of a connection in their order (RFC 7766, 6.2.1.1 recommends otherwise), and a lost
 * segment holds up every byte after it. The caller then sends further questions over another connection.
 *
 * Knows no clock: times are parameters.
 */
#ifndef TRANSPORT_LATE_H
#define TRANSPORT_LATE_H

#include <stdbool.h>
#include <stdint.h>

/* Times the usual answer time: another connection needs three round trips for its first answer. */
#define LATE_TIMES  4
#define LATE_MIN_MS 100  /* with a nearby peer, a pause of the scheduler must not cause another connection */
#define LATE_MAX_MS 1000 /* the most, for slow peers too: half the time after which a client asks again */

struct late_facts {
	int64_t oldest_ms; /* how long the oldest question has waited for its answer; -1: there is none */
	int64_t second_ms; /* the one after it; -1: there is none */
	int64_t quiet_ms;  /* how long the peer has sent nothing although it owes something */
	bool unordered;    /* it is known to answer in any order: one slow answer delays nothing else */
};

/* How long an answer may take before it is late. median_us: the usual time; -1: not known. */
int64_t late_after_ms(int64_t median_us);
/* Do questions on this connection wait because another one is late? */
bool late_judge(const struct late_facts *, int64_t median_us);

#endif
