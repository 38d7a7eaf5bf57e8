#include "config/suffix.h"

#include <libpsl.h>

bool
suffix_is_top_level(const char *label)
{
	return psl_is_public_suffix2(psl_builtin(), label, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}

bool
suffix_is_public(const char *domain)
{
	return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY) != 0;
}
