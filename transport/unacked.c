#include "transport/unacked.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

bool
unacked_bytes(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0;
}
