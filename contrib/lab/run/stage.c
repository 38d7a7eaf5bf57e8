#include "config.h"

#include "contrib/lab/run/stage.h"
#include "contrib/lab/run/lab_exchange.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/scenarios/pkidir.h"

#include <stdio.h>
#include <stdlib.h>

/* The target of redirects: a good certificate, and lies. */
static const struct addr elsewhere_addr = {.family = ADDR_V4, .ip = {192, 0, 2, 80}, .port = 443};

bool
scenario_begins_good(const struct scenario *scenario)
{
	return scenario->script == SCRIPT_SWAP || scenario->script == SCRIPT_SWAP_KEEPING_TICKETS;
}

struct lab_server_counts
stage_counts(const struct stage *stage)
{
	struct lab_server_counts sum = {0};

	for (size_t i = 0; i < STAGE_ADDRESSES; i++) {
		const struct lab_server_counts *c =
		    stage->servers[i] != NULL ? lab_server_counts(stage->servers[i]) : NULL;

		if (c == NULL)
			continue;
		sum.connections += c->connections;
		sum.handshakes += c->handshakes;
		sum.resumed += c->resumed;
		sum.refused += c->refused;
		sum.bad_names += c->bad_names;
		sum.bytes += c->bytes;
		sum.questions += c->questions;
		sum.answers += c->answers;
	}
	return sum;
}

/* One of the resolver's addresses with the port of the protocol. */
static struct addr
server_addr(size_t i, enum lab_server_protocol protocol)
{
	struct addr addr[STAGE_ADDRESSES] = {LAB_IP4, LAB_IP4_TWO, LAB_IP6, LAB_IP6_TWO};

	addr[i].port = protocol == SERVER_DOH ? 443 : 853;
	return addr[i];
}

static bool
faults_of(const struct site *site, struct lab_faults *faults)
{
	const char *bad;

	*faults = (struct lab_faults){.set = {false}};
	return site->fault == NULL || lab_faults_add(faults, site->fault, &bad);
}

static enum res
stage_servers_start(struct stage *stage, const struct site *site)
{
	struct lab_faults faults, none = {.set = {false}};
	enum res res = faults_of(site, &faults) ? RES_OK : RES_MALFORMED;

	for (size_t i = 0; i < STAGE_ADDRESSES && res == RES_OK; i++) {
		struct addr at = server_addr(i, stage->protocol);

		res = lab_server_new(&stage->servers[i], stage->base, &at, stage->protocol, site, &faults);
	}
	if (res == RES_OK && stage->protocol == SERVER_DOH)
		res = lab_server_new(&stage->elsewhere, stage->base, &elsewhere_addr, SERVER_DOH,
				     stage->other, &none);
	return res;
}

enum res
stage_switch(struct stage *stage, bool keep_tickets)
{
	struct lab_faults faults;
	enum res res = faults_of(stage->site, &faults) ? RES_OK : RES_MALFORMED;

	for (size_t i = 0; i < STAGE_ADDRESSES && res == RES_OK; i++)
		res = lab_server_switch(stage->servers[i], stage->site, &faults, keep_tickets);
	stage_drop_connections(stage);
	return res;
}

void
stage_drop_connections(struct stage *stage)
{
	for (size_t i = 0; i < STAGE_ADDRESSES; i++)
		lab_server_drop_connections(stage->servers[i]);
}

/* A variable of the adapter's environment. */
static void
say(const char *name, const char *value)
{
	(void)setenv(name, value, 1);
}

static void
say_file(const char *name, const struct site *site, const char *file)
{
	char path[FILE_PATH_MAX];

	if (lab_path_join(path, world_folder(site->world), file) == RES_OK)
		say(name, path);
}

static void
environment_set(const struct stage *stage)
{
	const struct site *site = stage->site;
	bool doh = stage->protocol == SERVER_DOH;
	char text[FILE_PATH_MAX], ip[ADDR_TEXT_MAX];

	addr_ip_text(site_ip(site), ip);
	say("LAB_DIR", stage->folder);
	say("LAB_LISTEN", "127.0.0.1");
	snprintf(text, sizeof text, "%d", EXCHANGE_PORT);
	say("LAB_PORT", text);
	say("LAB_PROTOCOL", doh ? "doh" : "dot");
	say("LAB_IP", ip);
	say("LAB_PORT_TLS", doh ? "443" : "853");
	say("LAB_NAME", SITE_NAME);
	say("LAB_WANT_NAME", site->name != NULL ? site->name : "");
	snprintf(text, sizeof text,
		 site_ip(site)->family == ADDR_V6 ? "https://[%s]/dns-query" : "https://%s/dns-query", ip);
	say("LAB_URL", text);
	say("LAB_SCENARIO", site->scenario->name);
	if (site_has_own_anchors(site)) {
		snprintf(text, sizeof text, "policy/%s.anchors.pem", site->scenario->name);
		say_file("LAB_ANCHORS", site, text);
	} else {
		say_file("LAB_ANCHORS", site, "anchors.pem");
	}
	say_file("LAB_CT_LOGS", site, pkidir_list_variant(site->list));
	snprintf(text, sizeof text, "%s/upstream.conf", stage->folder);
	say("LAB_CONF", text);
}

enum res
stage_give_policy(const struct stage *stage, const struct site *site)
{
	bool doh = stage->protocol == SERVER_DOH;
	char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
	struct buf text = buf_max(SITE_POLICY_MAX);
	enum res res = pkidir_write_site(site, doh, doh ? 443 : 853);

	snprintf(from, sizeof from, "%s/conf/%s%s.conf", world_folder(site->world), site->scenario->name,
		 doh ? "-doh" : "");
	if (res == RES_OK)
		res = lab_path_join(to, stage->folder, "upstream.conf");
	if (res == RES_OK)
		res = lab_file_read(&text, from);
	if (res == RES_OK)
		res = lab_file_write(to, buf_span(&text), 0644);
	buf_free(&text);
	return res;
}

static enum res
sites_make(struct stage *stage, const struct scenario *scenario, const char *world_folder)
{
	const struct scenario *good = scenario_find("good-v4");
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6, other = elsewhere_addr;
	enum res res = world_open(&stage->world, world_folder, 0);

	if (res == RES_OK)
		res = site_new(&stage->good, stage->world, good, &ip4, &ip6);
	if (res == RES_OK)
		res = site_new(&stage->site, stage->world, scenario, &ip4, &ip6);
	other.port = 0;
	if (res == RES_OK)
		res = site_new(&stage->other, stage->world, good, &other, &ip6);
	return res;
}

enum res
stage_set(struct stage *stage, const struct scenario *scenario, enum lab_server_protocol protocol,
	  const char *world_folder, const char *folder)
{
	enum res res;

	*stage = (struct stage){.protocol = protocol, .folder = folder, .base = lab_event_base_new()};
	if (stage->base == NULL)
		return RES_IO;
	res = sites_make(stage, scenario, world_folder);
	if (res == RES_OK)
		res = trap_new(&stage->trap, stage->base);
	if (res == RES_OK)
		res = stage_servers_start(stage, scenario_begins_good(scenario) ? stage->good : stage->site);
	if (res != RES_OK)
		return res;
	environment_set(stage);
	return stage_give_policy(stage, scenario->script == SCRIPT_TIGHTEN ? stage->good : stage->site);
}

void
stage_strike(struct stage *stage)
{
	for (size_t i = 0; i < STAGE_ADDRESSES; i++)
		lab_server_free(stage->servers[i]);
	lab_server_free(stage->elsewhere);
	trap_free(stage->trap);
	site_free(stage->site);
	site_free(stage->good);
	site_free(stage->other);
	world_close(stage->world);
	if (stage->base != NULL)
		event_base_free(stage->base);
}
