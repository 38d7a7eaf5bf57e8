#include "tests/unit/verify/forged_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
forged_rows_judge(const struct forged_row *rows, size_t n)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct forged f;
		struct vfy_work work;
		const char *have;

		forged_begin(&f);
		rows[i].make(&f);
		have = forged_reasons(&f, &work);
		if (strcmp(have, rows[i].reasons) != 0) {
			print_error("%s: \"%s\", expected \"%s\"\n", rows[i].what, have, rows[i].reasons);
			wrong++;
		}
		/* T10: the work is bounded, whatever is presented */
		assert_true(work.signature_checks <= VFY_SIG_CHECKS_MAX);
		assert_true(work.path_steps <= 3 * PATH_STEPS_MAX); /* for good paths, for others, and for disallowed ones */
		assert_true(work.paths <= 4 * PATHS_MAX);
		forged_end(&f);
	}
	assert_int_equal(wrong, 0);
}
