#include "verify/policy.h"

const char *
ct_mode_text(enum ct_mode mode)
{
	switch (mode) {
	case CT_REQUIRE:
		return "require";
	case CT_REPORT:
		return "report";
	case CT_OFF:
		return "off";
	}
	return "?";
}

const char *
ct_policy_text(enum ct_policy policy)
{
	switch (policy) {
	case CT_STRICT:
		return "strict";
	case CT_CHROME:
		return "chrome";
	case CT_MOZILLA:
		return "mozilla";
	case CT_APPLE:
		return "apple";
	}
	return "?";
}

const char *
ct_when_stale_text(enum ct_when_stale w)
{
	switch (w) {
	case CT_STALE_ENFORCE:
		return "enforce";
	case CT_STALE_REFUSE:
		return "refuse";
	case CT_STALE_REPORT:
		return "report";
	}
	return "?";
}

const char *
vfy_mode_text(enum vfy_mode mode)
{
	switch (mode) {
	case VFY_REQUIRE:
		return "require";
	case VFY_REPORT:
		return "report";
	}
	return "?";
}
