#include "tests/unit/transport/fake_unacked.h"

#include "transport/unacked.h"

bool fake_unacked;

bool
unacked_bytes(int fd)
{
	(void)fd;
	return fake_unacked;
}
