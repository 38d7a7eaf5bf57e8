#include "base/res.h"

#include <errno.h>
#include <string.h>

const char *
res_text(enum res res)
{
	switch (res) {
	case RES_OK:
		return "ok";
	case RES_MALFORMED:
		return "malformed";
	case RES_LIMIT:
		return "beyond a limit";
	case RES_UNSUPPORTED:
		return "unsupported";
	case RES_NOT_FOUND:
		return "not found";
	case RES_NOMEM:
		return "out of memory";
	case RES_IO:
		return "input/output error";
	}
	return "unknown";
}

const char *
res_why(enum res res)
{
	return res == RES_IO ? strerror(errno) : res_text(res);
}
