#include "transport/stall.h"

static int64_t
stall_dead_path_ms(int64_t round_trip_ms)
{
	return 4 * round_trip_ms > STALL_DEAD_PATH_MS ? 4 * round_trip_ms : STALL_DEAD_PATH_MS;
}

static int64_t
stall_no_answer_ms(int64_t round_trip_ms)
{
	return 8 * round_trip_ms > STALL_NO_ANSWER_MS ? 8 * round_trip_ms : STALL_NO_ANSWER_MS;
}

bool
stall_is_due(int64_t quiet_ms, int64_t round_trip_ms)
{
	return quiet_ms >= stall_dead_path_ms(round_trip_ms);
}

enum stall
stall_judge(int64_t quiet_ms, int64_t round_trip_ms, bool unacknowledged, bool fresh, int64_t *look_again_ms)
{
	int64_t dead_path = stall_dead_path_ms(round_trip_ms), no_answer = stall_no_answer_ms(round_trip_ms);

	if (quiet_ms < dead_path) {
		*look_again_ms = dead_path - quiet_ms;
		return STALL_NONE;
	}
	if (unacknowledged)
		return STALL_DEAD_PATH;
	if (quiet_ms < no_answer)
		*look_again_ms = no_answer - quiet_ms;
	else if (fresh)
		return STALL_NO_ANSWER;
	else
		*look_again_ms = STALL_DEAD_PATH_MS;
	return STALL_NONE;
}
