/*
 * fuzz_control.c - requests of the control socket.
 */
#include "resolver/daemon/control_json.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct control_request r;
	const char *why = NULL;
	enum res res = control_request_read(&r, span_of(data, n), &why);

	/* A request is refused with a reason, or is one of the verbs with a valid value. */
	if ((res == RES_OK) != (why == NULL))
		abort();
	if (res == RES_OK && (r.verb > CONTROL_CAPTIVE || r.minutes > CONTROL_CAPTIVE_MAX_MIN ||
			      (r.verb == CONTROL_FLUSH && (r.name_n == 0 || r.name[r.name_n - 1] != 0))))
		abort();
	return 0;
}
