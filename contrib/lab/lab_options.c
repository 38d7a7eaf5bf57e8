#include "contrib/lab/lab_options.h"

#include "base/text.h"
#include "contrib/lab/lab_files.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool
lab_number_read(int64_t *out, const char *name, const char *text, int64_t least, int64_t most)
{
	if (number_read(out, text) == RES_OK && *out >= least && *out <= most)
		return true;
	lab_complain("--%s %s: a number from %lld to %lld was expected", name, text, (long long)least,
		     (long long)most);
	return false;
}

bool
lab_duration_read(int64_t *out_ms, const char *name, const char *text, int64_t least_ms)
{
	if (duration_read(out_ms, text) == RES_OK && *out_ms >= least_ms)
		return true;
	lab_complain("--%s %s: a duration such as 12s was expected", name, text);
	return false;
}

/* addr_read rejects port 0: only a listener may ask for any free port. */
static bool
listen_address_read(struct addr *out, const char *text, uint16_t default_port)
{
	size_t n = strlen(text);
	char any[ADDR_TEXT_MAX];

	if (n > 2 && n < sizeof any && strcmp(text + n - 2, ":0") == 0) {
		snprintf(any, sizeof any, "%.*s:1", (int)(n - 2), text);
		if (addr_read(out, any, default_port) == RES_OK) {
			out->port = 0;
			return true;
		}
	}
	return addr_read(out, text, default_port) == RES_OK;
}

/* Is this another network namespace than that of process 1? False when this process cannot see that one. */
static bool
is_in_own_namespace(void)
{
	struct stat own, first;

	return stat("/proc/self/ns/net", &own) == 0 && stat("/proc/1/ns/net", &first) == 0 &&
	       (own.st_ino != first.st_ino || own.st_dev != first.st_dev);
}

/* In a namespace for tests, as in that of `up --cell`, this interface has the addresses of resolvers. */
static bool
is_on_loopback_interface(const struct addr *wanted)
{
	struct ifaddrs *all = NULL;
	struct addr ip = *wanted, have;
	bool found = false;

	ip.port = 0;
	if (getifaddrs(&all) != 0)
		return false;
	for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next)
		found = i->ifa_addr != NULL && (i->ifa_flags & IFF_LOOPBACK) != 0 &&
			addr_from_sockaddr(&have, i->ifa_addr) == RES_OK && addr_equal(&have, &ip);
	freeifaddrs(all);
	return found;
}

bool
lab_listen_read(struct addr *out, const char *text, uint16_t default_port)
{
	const char *fault = NULL;

	if (!listen_address_read(out, text, default_port))
		fault = "ADDR:PORT was expected";
	else if (!addr_is_loopback(out) && !is_on_loopback_interface(out) && !is_in_own_namespace())
		fault = "an address of the loopback interface was expected";
	if (fault != NULL)
		lab_complain("--listen %s: %s", text, fault);
	return fault == NULL;
}

bool
lab_is_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

int
lab_output_check(char why[LAB_WHY_MAX], const char *name, const char *path, bool may_be_stdout)
{
	enum res res;

	if (path == NULL || (may_be_stdout && lab_is_stdout(path)))
		return LAB_DONE;
	if (lab_is_stdout(path)) {
		snprintf(why, LAB_WHY_MAX, "--%s -: a file was expected", name);
		return LAB_USAGE;
	}
	res = lab_file_check(path);
	if (res == RES_OK)
		return LAB_DONE;
	snprintf(why, LAB_WHY_MAX, "--%s: cannot write %s: %s", name, path,
		 res_why(res == RES_NOT_FOUND ? RES_IO : res));
	return res == RES_NOT_FOUND ? LAB_USAGE : LAB_TROUBLE;
}
