#include "config.h"

#include "cli/setup/plan.h"

#include <stdio.h>
#include <string.h>

#define MARK "# Written by `ctstub setup`; `ctstub setup --undo` restores what was here before.\n"

/* After any other file of that folder, so that nothing there overrules it. */
static const char network_manager_text[] = MARK "[main]\n"
						"dns=none\n"
						"systemd-resolved=false\n"
						"rc-manager=unmanaged\n";
/* dhclient-script(8) reads this after it has defined the function that writes /etc/resolv.conf. */
static const char dhclient_text[] = MARK "make_resolv_conf() {\n"
					 "	:\n"
					 "}\n";
/* dhcpcd-run-hooks(8) reads this at each event, so that a dhcpcd that runs already obeys; dhcpcd.conf(5) is read at its start.
 * The hook that is skipped keeps the network's resolvers in a folder, where ctstub-portal(8) looks for them. */
static const char dhcpcd_text[] =
    MARK "skip_hooks=\"$skip_hooks resolv.conf\"\n"
	 "ctstub_state=/run/dhcpcd/hook-state/resolv.conf # for ctstub-portal alone\n"
	 "case ${reason:-} in\n"
	 "BOUND* | RENEW* | REBIND* | REBOOT* | INFORM* | ROUTERADVERT)\n"
	 "	mkdir -p \"$ctstub_state\"\n"
	 "	for ctstub_server in ${new_domain_name_servers:-} ${new_dhcp6_name_servers:-} "
	 "${nd1_rdnss1_servers:-}; do\n"
	 "		printf 'nameserver %s\\n' \"$ctstub_server\"\n"
	 "	done >\"$ctstub_state/$interface.${protocol:-dhcp}\"\n"
	 "	;;\n"
	 "EXPIRE* | RELEASE* | STOP* | NOCARRIER* | NAK | FAIL | DEPARTED | TIMEOUT)\n"
	 "	for ctstub_protocol in dhcp dhcp6 ra; do\n"
	 "		rm -f \"$ctstub_state/$interface.$ctstub_protocol\"\n"
	 "	done\n"
	 "	;;\n"
	 "esac\n";
static const char openresolv_text[] = "\n" MARK "resolvconf=NO\n";

static struct step *
step_add(struct plan *plan, enum step_kind kind, const char *root, const char *path, const char *why)
{
	struct step *step = &plan->step[plan->n];

	if (plan->n == PLAN_STEPS_MAX ||
	    snprintf(step->path, sizeof step->path, "%s%s", root, path) >= (int)sizeof step->path)
		return NULL;
	plan->n++;
	step->kind = kind;
	step->why = why;
	step->entry = (struct entry){.kind = ENTRY_FILE, .mode = 0644, .bytes = buf_max(ENTRY_FILE_MAX)};
	return step;
}

static void
step_drop(struct plan *plan)
{
	entry_free(&plan->step[--plan->n].entry);
}

/* A file of ours: whole, with nothing kept of what was there. */
static enum res
file_add(struct plan *plan, const struct machine *m, const char *path, const char *text, mode_t mode,
	 const char *why)
{
	struct step *step = step_add(plan, STEP_FILE, m->root, path, why);
	struct entry now;
	enum res res;

	if (step == NULL)
		return RES_LIMIT;
	step->entry.mode = mode;
	buf_text(&step->entry.bytes, text);
	res = buf_ok(&step->entry.bytes) ? entry_read(&now, step->path) : RES_NOMEM;
	if (res != RES_OK)
		return res;
	if (entry_equal(&now, &step->entry))
		step_drop(plan);
	entry_free(&now);
	return RES_OK;
}

static bool
holds(const struct buf *bytes, const char *text)
{
	size_t n = strlen(text);

	return bytes->n >= n && memmem(bytes->p, bytes->n, text, n) != NULL;
}

/* A file that may be somebody else's, with lines of ours at its end. */
static enum res
append_add(struct plan *plan, const struct machine *m, const char *path, const char *text, const char *why)
{
	struct step *step = step_add(plan, STEP_FILE, m->root, path, why);
	enum res res;

	if (step == NULL)
		return RES_LIMIT;
	res = entry_read(&step->entry, step->path);
	if (res != RES_OK)
		return res;
	if (step->entry.kind == ENTRY_LINK || holds(&step->entry.bytes, text)) {
		step_drop(plan);
		return RES_OK;
	}
	if (step->entry.kind == ENTRY_ABSENT)
		step->entry.mode = 0644;
	step->entry.kind = ENTRY_FILE;
	step->entry.mtime = (struct timespec){0};
	buf_text(&step->entry.bytes, text);
	return buf_ok(&step->entry.bytes) ? RES_OK : RES_LIMIT;
}

static enum res
resolv_conf_add(struct plan *plan, const struct machine *m, const struct plan_request *request)
{
	struct buf text = buf_max(1024);
	enum res res = RES_NOMEM;
	const char *cstr;

	buf_text(&text, MARK);
	for (size_t i = 0; i < request->n_server; i++)
		buf_format(&text, "nameserver %s\n", request->server[i]);
	buf_text(&text, "options edns0\n");
	cstr = buf_cstr(&text);
	if (cstr != NULL)
		res = file_add(plan, m, "/etc/resolv.conf", cstr, 0644,
			       "programs use ctstub; search domains of the network are removed");
	buf_free(&text);
	return res;
}

static enum res
writers_add(struct plan *plan, const struct machine *m)
{
	enum res res = RES_OK;

	if (m->network_manager)
		res = file_add(plan, m, "/etc/NetworkManager/conf.d/zz-ctstub.conf", network_manager_text,
			       0644, "NetworkManager leaves DNS alone and tells systemd-resolved nothing");
	if (res == RES_OK && m->dhclient)
		res = file_add(plan, m, "/etc/dhcp/dhclient-enter-hooks.d/zz-ctstub", dhclient_text, 0644,
			       "dhclient no longer writes /etc/resolv.conf");
	if (res == RES_OK && m->dhcpcd)
		res = append_add(plan, m, "/etc/dhcpcd.enter-hook", dhcpcd_text,
				 "dhcpcd no longer writes /etc/resolv.conf");
	if (res == RES_OK && m->openresolv)
		res = append_add(plan, m, "/etc/resolvconf.conf", openresolv_text,
				 "openresolv no longer writes /etc/resolv.conf");
	return res;
}

/* `~.` in resolved.conf does not overrule the domains of a link, and any program may set a link's servers: names would go
 * to the network's server in clear text, and LLMNR and mDNS stay on. So the service ends. */
static enum res
resolved_add(struct plan *plan, const struct machine *m)
{
	struct step *step;

	if (!m->resolved_runs && !m->resolved_enabled)
		return RES_OK;
	step = step_add(plan, STEP_SERVICE, "", "systemd-resolved.service",
			"it would send names of a link's domains to the network's server in clear text, by "
			"LLMNR and by mDNS");
	if (step == NULL)
		return RES_LIMIT;
	step->enabled = m->resolved_enabled;
	step->idle = !m->resolved_runs;
	return RES_OK;
}

/* For each manager of links that this machine has. */
static enum res
links_add(struct plan *plan, const struct machine *m, const char *hook)
{
	enum res res = RES_OK;

	if (m->network_manager)
		res = file_add(plan, m, LINKS_HOOK_FILE, hook, 0755,
			       "the domains of a VPN are forwarded to its resolver while it is up");
	if (res == RES_OK && m->networkd_runs && !m->links_unit_runs &&
	    step_add(
		plan, STEP_ENABLE, "", LINKS_UNIT,
		"the domains of a VPN of systemd-networkd are forwarded to its resolver while it is up") ==
		NULL)
		res = RES_LIMIT;
	return res;
}

/* Where something that these programs read was changed. */
static enum res
restarts_add(struct plan *plan, const struct machine *m)
{
	if (plan->n == 0)
		return RES_OK;
	if (m->network_manager_runs &&
	    step_add(plan, STEP_RESTART, "", "NetworkManager.service", "connections stay up") == NULL)
		return RES_LIMIT;
	return RES_OK;
}

enum res
plan_make(struct plan *plan, const struct machine *m, const struct plan_request *request)
{
	enum res res;

	*plan = (struct plan){.n = 0};
	res = writers_add(plan, m);
	if (res == RES_OK && request->with_links)
		res = links_add(plan, m, request->hook);
	if (res == RES_OK)
		res = resolved_add(plan, m);
	if (res == RES_OK)
		res = resolv_conf_add(plan, m, request);
	if (res == RES_OK)
		res = restarts_add(plan, m);
	if (res != RES_OK)
		plan_free(plan);
	return res;
}

void
plan_free(struct plan *plan)
{
	while (plan->n > 0)
		step_drop(plan);
}

char *
step_text(const struct step *step)
{
	static const char *const verbs[] = {
	    [STEP_FILE] = "write",
	    [STEP_SERVICE] = "stop",
	    [STEP_RESTART] = "restart",
	    [STEP_ENABLE] = "enable",
	};
	struct buf text = buf_max(2048);

	buf_format(&text, "%s %s: %s", verbs[step->kind], step->path, step->why);
	return buf_take_cstr(&text);
}
