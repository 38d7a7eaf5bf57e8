/*
 * stall.h - how long a peer that owes an answer may be silent before its connection is abandoned.
 *
 * On a dead path bytes stay unacknowledged. A peer that acknowledges and does not answer may be slow, or a middlebox may
 * acknowledge in its place: then one other connection is tried, not two. Both waits grow with the round-trip time.
 */
#ifndef TRANSPORT_STALL_H
#define TRANSPORT_STALL_H

#include <stdbool.h>
#include <stdint.h>

#define STALL_DEAD_PATH_MS 1000 /* or four round trips: unacknowledged for so long, the path is dead */
#define STALL_NO_ANSWER_MS 2000 /* or eight: another connection is tried although the peer acknowledges */

enum stall { STALL_NONE, STALL_DEAD_PATH, STALL_NO_ANSWER };

/* Has the peer sent nothing for so long that unacknowledged bytes mean a dead path? */
bool stall_is_due(int64_t quiet_ms, int64_t round_trip_ms);
/*
 * Judges a peer that has sent nothing for quiet_ms.
 * unacknowledged: the kernel still holds bytes that the peer has not acknowledged.
 * fresh: something is in flight that was not repeated yet, or only cancelled questions are owed.
 * STALL_NONE sets *look_again_ms, the time until the next look.
 */
enum stall stall_judge(int64_t quiet_ms, int64_t round_trip_ms, bool unacknowledged, bool fresh,
		       int64_t *look_again_ms);

#endif
