#include "resolver/expiry.h"

#define DAY_MS      ((int64_t)86400000)
#define NEAR_MS     (14 * DAY_MS)
#define URGENT_MS   (3 * DAY_MS)
#define SHORT_LIVED (7 * DAY_MS) /* CA/Browser Forum, Baseline Requirements 1.6.1: since March 2026 */

enum expiry
expiry_of(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms)
{
	int64_t life = not_after_ms - not_before_ms, left = not_after_ms - now_ms;
	int64_t near = life <= SHORT_LIVED ? life / 2 : NEAR_MS;
	int64_t urgent = life <= SHORT_LIVED ? life / 4 : URGENT_MS;

	if (left < 0)
		return EXPIRY_OVER;
	if (left <= urgent)
		return EXPIRY_URGENT;
	return left <= near ? EXPIRY_NEAR : EXPIRY_FAR;
}

const char *
expiry_text(enum expiry e)
{
	switch (e) {
	case EXPIRY_FAR:
		return "far";
	case EXPIRY_NEAR:
		return "near";
	case EXPIRY_URGENT:
		return "urgent";
	case EXPIRY_OVER:
		return "over";
	}
	return "far";
}
