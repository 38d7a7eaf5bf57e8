#include "contrib/lab/up_show.h"

#include "contrib/lab/lab_files.h"
#include "contrib/lab/scenarios/pkidir.h"

#include "base/log.h"

#include <stdio.h>

#define CLIENT_PORT 5300 /* where a client started with the printed lines listens */

static void
lines_show(const struct up_shown *up)
{
	const struct scenario *scenario = up->site->scenario;
	const char *folder = up->folder, *name = scenario->name;
	char ip[ADDR_TEXT_MAX];

	addr_ip_text(site_ip(up->site), ip);
	printf("scenario %s: %s (a strict client must %s%s%s)\n\n", name, scenario->impostor,
	       scenario_want_text(scenario->want), scenario->reason != NULL ? ": " : "",
	       scenario->reason != NULL ? scenario->reason : "");
	printf("  dig @%s -p %u +tls +tls-ca=%s/anchors.pem www.example.com\n", ip, up->dot_port, folder);
	printf("  kdig @%s -p %u +https +tls-ca=%s/anchors.pem www.example.com\n", ip, up->doh_port, folder);
	printf("  ctstub probe -c %s/conf/%s.conf lab\n", folder, name);
	printf("  ctstub verify -c %s/conf/%s.conf %s/chains/%s.pem\n", folder, name, folder, name);
	printf("  (echo 'listen = {\"127.0.0.1:%d\"} user = \"\"'; cat %s/conf/%s.conf) >lab.conf; "
	       "ctstubd -c lab.conf\n",
	       CLIENT_PORT, folder, name);
	printf("and for unbound.conf:\n  server: tls-cert-bundle: \"%s/anchors.pem\" module-config: "
	       "\"iterator\" do-not-query-localhost: no\n",
	       folder);
	printf("  forward-zone: name: \".\" forward-tls-upstream: yes forward-addr: %s@%u#%s\n\n", ip,
	       up->dot_port, ip);
	(void)fflush(stdout);
}

static void
event_show(const struct up_shown *up)
{
	const struct scenario *scenario = up->site->scenario;
	struct addr dot = *site_ip(up->site), doh = dot;
	char conf[FILE_PATH_MAX], chain[FILE_PATH_MAX];

	dot.port = up->dot_port;
	doh.port = up->doh_port;
	(void)snprintf(conf, sizeof conf, "%s/conf/%s.conf", up->folder, scenario->name);
	(void)snprintf(chain, sizeof chain, "%s/chains/%s.pem", up->folder, scenario->name);
	log_event(LOG_INFO, "scenario", LOG_STR("name", scenario->name),
		  LOG_STR("impostor", scenario->impostor),
		  LOG_STR("strict", scenario_want_text(scenario->want)), LOG_STR("reason", scenario->reason),
		  LOG_ADDR("dot", &dot), LOG_ADDR("doh", &doh), LOG_STR("folder", up->folder),
		  LOG_STR("conf", conf), LOG_STR("chain", chain));
}

void
up_show(const struct up_shown *up, bool json)
{
	if (json)
		event_show(up);
	else
		lines_show(up);
}
