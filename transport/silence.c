#include "transport/silence.h"

static int64_t
stall_ms(int64_t round_trip_ms)
{
	return 4 * round_trip_ms > SILENCE_STALL_MS ? 4 * round_trip_ms : SILENCE_STALL_MS;
}

static int64_t
limit_ms(int64_t round_trip_ms)
{
	return 8 * round_trip_ms > SILENCE_LIMIT_MS ? 8 * round_trip_ms : SILENCE_LIMIT_MS;
}

bool
silence_is_stall(int64_t silent_ms, int64_t round_trip_ms)
{
	return silent_ms >= stall_ms(round_trip_ms);
}

enum silence
silence_judge(int64_t silent_ms, int64_t round_trip_ms, bool unacknowledged, bool fresh,
	      int64_t *look_again_ms)
{
	int64_t stall = stall_ms(round_trip_ms), limit = limit_ms(round_trip_ms);

	if (silent_ms < stall) {
		*look_again_ms = stall - silent_ms;
		return SILENCE_BORNE;
	}
	if (unacknowledged)
		return SILENCE_DEAD_PATH;
	if (silent_ms < limit)
		*look_again_ms = limit - silent_ms;
	else if (fresh)
		return SILENCE_NO_ANSWER;
	else
		*look_again_ms = SILENCE_STALL_MS;
	return SILENCE_BORNE;
}
