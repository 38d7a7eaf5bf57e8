#include "config/suffix.h"

#include <libpsl.h>

bool
suffix_is_public(const char *domain)
{
	return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY) != 0;
}
