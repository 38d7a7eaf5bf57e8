#include "base/descriptors.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool
descriptors_are_left(unsigned n)
{
	int fd[DESCRIPTORS_ASKED_MAX], failed = 0;
	unsigned had = 0;

	assert(n <= DESCRIPTORS_ASKED_MAX);
	while (had < n && failed == 0) {
		fd[had] = eventfd(0, EFD_CLOEXEC);
		if (fd[had] >= 0)
			had++;
		else
			failed = errno;
	}
	while (had > 0)
		(void)close(fd[--had]);
	errno = failed;
	return failed == 0;
}
