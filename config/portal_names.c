#include "config/portal_names.h"

#include "config/forms.h"

static const char *const compiled[] = {
#define PORTAL_NAME(name, origin) name,
#include "config/portal_names.def"
#undef PORTAL_NAME
};
#define N_COMPILED (sizeof compiled / sizeof *compiled)

static bool
name_is(struct span name, const char *text)
{
	uint8_t wire[DOMAIN_WIRE_MAX];

	return span_equal(name, span_of(wire, domain_wire(wire, text)));
}

const char *
portal_names_compiled(size_t i)
{
	return i < N_COMPILED ? compiled[i] : NULL;
}

bool
portal_names_have(const struct settings *s, struct span name)
{
	for (size_t i = 0; i < N_COMPILED; i++)
		if (name_is(name, compiled[i]))
			return true;
	for (size_t i = 0; i < s->portal_names.n; i++)
		if (name_is(name, s->portal_names.v[i]))
			return true;
	return false;
}
