#include "transport/tls.h"
#include "transport/transport.h"

enum res
tp_identity_new(struct tp_identity **out, struct span cert, struct span key, const char **why)
{
	return tls_identity_new(out, cert, key, why);
}
