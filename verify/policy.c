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
