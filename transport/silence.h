/*
 * silence.h - how long a peer that owes an answer may say nothing.
 *
 * A dead path shows in bytes that nobody acknowledges. A peer that acknowledges and does not answer may be slow, or a
 * middle box that answers for one that is gone: worth one other connection, not two. Both waits grow with the
 * round trip.
 */
#ifndef TRANSPORT_SILENCE_H
#define TRANSPORT_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SILENCE_STALL_MS 1000 /* or four round trips: unacknowledged for so long, the path is dead */
#define SILENCE_LIMIT_MS 2000 /* or eight: acknowledged all the same, another connection is tried */

enum silence { SILENCE_BORNE, SILENCE_DEAD_PATH, SILENCE_NO_ANSWER };

/* Is it time to ask whether bytes are unacknowledged? */
bool silence_is_stall(int64_t silent_ms, int64_t round_trip_ms);
/* fresh: something is in flight that was not repeated yet, or only cancelled questions are owed. *look_again_ms is
 * set when it is borne. */
enum silence silence_judge(int64_t silent_ms, int64_t round_trip_ms, bool unacknowledged, bool fresh,
			   int64_t *look_again_ms);

#endif
