#include "config.h"

#include "base/output.h"

#include <stdio.h>

bool
output_end(const char *program)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	(void)fprintf(stderr, "%s: cannot write to standard output\n", program);
	return false;
}
