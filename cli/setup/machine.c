#include "config.h"

#include "cli/setup/machine.h"

#include "base/path.h"
#include "cli/setup/program.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_TEXT_MAX 512
#define MOUNTS_MAX    (1024 * 1024) /* bytes of /proc/self/mountinfo that are read */

static bool
there(const struct machine *m, const char *path)
{
	char full[PATH_TEXT_MAX];
	struct stat st;

	return snprintf(full, sizeof full, "%s%s", m->root, path) < (int)sizeof full && stat(full, &st) == 0;
}

static bool
unit_is(const char *question, const char *unit)
{
	const char *argv[] = {"/usr/bin/systemctl", question, "--quiet", unit, NULL};

	return program_run(argv, NULL) == 0;
}

static void
look_at_files(struct machine *m)
{
	m->systemd = there(m, "/run/systemd/system");
	m->network_manager = there(m, "/usr/sbin/NetworkManager");
	m->openresolv = there(m, "/etc/resolvconf.conf");
	m->resolvconf = there(m, "/etc/resolvconf/update.d");
	m->dhcpcd = there(m, "/etc/dhcpcd.conf");
	m->dhclient = there(m, "/etc/dhcp/dhclient-enter-hooks.d");
	m->container =
	    there(m, "/run/.containerenv") || there(m, "/.dockerenv") || there(m, "/run/systemd/container");
}

static void
look_at_units(struct machine *m)
{
	if (!m->systemd || m->root[0] != '\0')
		return;
	m->network_manager_runs = m->network_manager && unit_is("is-active", "NetworkManager.service");
	m->resolved_runs = unit_is("is-active", "systemd-resolved.service");
	m->resolved_enabled = unit_is("is-enabled", "systemd-resolved.service");
	m->networkd_runs = unit_is("is-active", "systemd-networkd.service");
	m->links_unit_runs =
	    m->networkd_runs && unit_is("is-active", LINKS_UNIT) && unit_is("is-enabled", LINKS_UNIT);
}

static bool
is_immutable(const char *path)
{
	const char *why;
	struct stat st;
	int fd = path_file_open(path, &st, &why), flags = 0;
	bool locked;

	if (fd < 0)
		return false;
	locked = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
	(void)close(fd);
	return locked;
}

/* The fifth word of a line of proc_pid_mountinfo(5) is the mount point. */
static bool
is_mount_point(const char *path)
{
	char line[4096], point[1024];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	size_t bytes = 0;

	while (f != NULL && !found && bytes < MOUNTS_MAX && fgets(line, sizeof line, f) != NULL) {
		bytes += strlen(line);
		found = sscanf(line, "%*s %*s %*s %*s %1023s", point) == 1 && strcmp(point, path) == 0;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

enum res
machine_look(struct machine *m, const char *root)
{
	char path[PATH_TEXT_MAX];

	*m = (struct machine){.root = root};
	if (snprintf(path, sizeof path, "%s/etc/resolv.conf", root) >= (int)sizeof path)
		return RES_LIMIT;
	look_at_files(m);
	look_at_units(m);
	if (is_mount_point(path))
		m->guard = GUARD_MOUNT;
	else if (is_immutable(path))
		m->guard = GUARD_IMMUTABLE;
	return entry_read(&m->resolv_conf, path);
}

void
machine_free(struct machine *m)
{
	entry_free(&m->resolv_conf);
}

char *
machine_text(const struct machine *m)
{
	const struct {
		bool is;
		const char *name;
	} parts[] = {
	    {m->network_manager_runs, "NetworkManager"},
	    {m->network_manager && !m->network_manager_runs, "NetworkManager (not running)"},
	    {m->resolved_runs, "systemd-resolved"},
	    {m->networkd_runs, "systemd-networkd"},
	    {m->resolvconf, "resolvconf"},
	    {m->openresolv, "openresolv"},
	    {m->dhcpcd, "dhcpcd"},
	    {m->dhclient, "dhclient"},
	    {m->container, "a container's /etc/resolv.conf"},
	};
	struct buf text = buf_max(512);

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (parts[i].is)
			buf_format(&text, "%s%s", text.n > 0 ? ", " : "", parts[i].name);
	if (text.n == 0)
		buf_text(&text, "a plain /etc/resolv.conf");
	return buf_take_cstr(&text);
}
