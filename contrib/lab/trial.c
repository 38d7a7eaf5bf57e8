#include "config.h"

#include "contrib/lab/trial.h"
#include "base/clock.h"
#include "base/log.h"
#include "contrib/lab/exchange.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/pkidir.h"
#include "contrib/lab/trap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESSES       4
#define SETTLE_MS       300 /* after connections were closed, or a policy was changed */
#define EXPIRY_SLACK_MS 1500

/* Where a client that follows redirects would go: a good certificate, and lies. */
static const struct addr elsewhere_addr = {.family = ADDR_V4, .ip = {192, 0, 2, 80}, .port = 443};

struct trial {
	const struct trial_order *order;
	struct trial_result *result;
	struct event_base *base;
	struct world *world;
	struct site *good, *site, *other;
	struct server *servers[ADDRESSES], *elsewhere;
	struct trap *trap;
	pid_t client;
	bool client_gone;
	struct event *child_signal;
};

/* We are process 1 in here: whatever ends is ours to bury. */
static void
trial_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct trial *trial = arg;
	pid_t pid;

	(void)fd, (void)what;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		if (pid == trial->client)
			trial->client_gone = true;
}

static void
detail(struct trial *trial, const char *text)
{
	if (trial->result->detail[0] == '\0')
		snprintf(trial->result->detail, sizeof trial->result->detail, "%s", text);
}

static struct server_counts
counts_sum(const struct trial *trial)
{
	struct server_counts sum = {0};

	for (size_t i = 0; i < ADDRESSES; i++) {
		const struct server_counts *c =
		    trial->servers[i] != NULL ? server_counts(trial->servers[i]) : NULL;

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

static struct server_counts
counts_less(struct server_counts a, const struct server_counts *b)
{
	a.connections -= b->connections;
	a.handshakes -= b->handshakes;
	a.resumed -= b->resumed;
	a.refused -= b->refused;
	a.bad_names -= b->bad_names;
	a.bytes -= b->bytes;
	a.questions -= b->questions;
	a.answers -= b->answers;
	return a;
}

/* Asks for a fresh name and says what became of it. */
static enum outcome
ask(struct trial *trial)
{
	const struct trial_order *order = trial->order;
	struct server_counts before = counts_sum(trial);
	struct exchange exchange;
	char name[ASK_NAME_MAX];
	uint8_t truth[4], lie[4];

	ask_name_new(name);
	ask_truth(name, truth);
	ask_lie(lie);
	if (order->client->kind == CLIENT_COMMAND)
		exchange_command(&exchange, trial->base, order->client, order->patience_ms, name);
	else
		exchange_daemon(&exchange, trial->base, order->patience_ms, name, &trial->client_gone);
	trial->result->ms = exchange.ms;
	trial->result->counts = counts_less(counts_sum(trial), &before);
	trial->result->resumed = trial->result->counts.resumed > 0;
	trial->result->rcode = exchange.asked.rcode;
	if (exchange.asked.has_ede)
		snprintf(trial->result->ede, sizeof trial->result->ede, "%s", exchange.asked.ede_text);
	if (trial->client_gone && order->client->kind == CLIENT_DAEMON)
		detail(trial, "the client ended");
	if (trial->elsewhere != NULL && server_counts(trial->elsewhere)->connections > 0)
		detail(trial, "it followed the redirect");
	if (trap_http_requests(trial->trap) > 0)
		detail(trial, "it sent HTTP in clear text");
	if (asked_says(&exchange.asked, lie) || trap_saw(trial->trap, name) ||
	    trap_http_requests(trial->trap) > 0)
		return OUTCOME_FALLBACK;
	if (asked_says(&exchange.asked, truth) || (exchange.done && exchange.asked.n_a > 0))
		return OUTCOME_ACCEPTED;
	if (trial->result->counts.questions > 0)
		return OUTCOME_LEAKED;
	if (trial->result->counts.bad_names > 0) {
		/* It never got as far as the certificate: nothing can be said of what it makes of that. */
		detail(trial, "it sends an IPv6 address as server name (RFC 6066, 3), which the lab's TLS "
			      "does not take");
		return OUTCOME_SKIPPED;
	}
	if (trial->client_gone && order->client->kind == CLIENT_DAEMON)
		return OUTCOME_BROKEN;
	return exchange.done ? OUTCOME_REFUSED : OUTCOME_SILENT;
}

/* One of the resolver's addresses with the port of the protocol. */
static struct addr
server_addr(size_t i, enum server_protocol protocol)
{
	struct addr addr[ADDRESSES] = {LAB_IP4, LAB_IP4_TWO, LAB_IP6, LAB_IP6_TWO};

	addr[i].port = protocol == SERVER_DOH ? 443 : 853;
	return addr[i];
}

static enum res
servers_start(struct trial *trial, const struct site *site, const struct faults *faults)
{
	enum res res = RES_OK;

	for (size_t i = 0; i < ADDRESSES && res == RES_OK; i++) {
		struct addr at = server_addr(i, trial->order->protocol);

		res = server_new(&trial->servers[i], trial->base, &at, trial->order->protocol, site, faults);
	}
	if (res == RES_OK && trial->order->protocol == SERVER_DOH) {
		struct faults none = {.set = {false}};

		res = server_new(&trial->elsewhere, trial->base, &elsewhere_addr, SERVER_DOH, trial->other,
				 &none);
	}
	return res;
}

static bool
faults_of(const struct site *site, struct faults *faults)
{
	const char *bad;

	*faults = (struct faults){.set = {false}};
	return site->fault == NULL || faults_add(faults, site->fault, &bad);
}

static enum res
servers_switch(struct trial *trial, const struct site *site, bool keep_tickets)
{
	struct faults faults;
	enum res res = faults_of(site, &faults) ? RES_OK : RES_MALFORMED;

	for (size_t i = 0; i < ADDRESSES && res == RES_OK; i++) {
		res = server_switch(trial->servers[i], site, &faults, keep_tickets);
		server_drop_connections(trial->servers[i]);
	}
	exchange_wait(trial->base, SETTLE_MS, NULL);
	return res;
}

static void
servers_drop(struct trial *trial)
{
	for (size_t i = 0; i < ADDRESSES; i++)
		server_drop_connections(trial->servers[i]);
	exchange_wait(trial->base, SETTLE_MS, NULL);
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

	if (path_join(path, world_folder(site->world), file) == RES_OK)
		say(name, path);
}

static void
environment_set(const struct trial *trial)
{
	const struct site *site = trial->site;
	bool doh = trial->order->protocol == SERVER_DOH;
	char text[FILE_PATH_MAX], ip[ADDR_TEXT_MAX];

	addr_ip_text(site_ip(site), ip);
	say("LAB_DIR", trial->order->folder);
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
	say_file("LAB_CT_LOGS", site, list_variant_file(site->list));
	snprintf(text, sizeof text, "%s/upstream.conf", trial->order->folder);
	say("LAB_CONF", text);
}

/* The policy of a site where the adapter finds it. */
static enum res
policy_give(const struct trial *trial, const struct site *site)
{
	bool doh = trial->order->protocol == SERVER_DOH;
	char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
	struct buf text = buf_max(SITE_POLICY_MAX);
	enum res res = pkidir_write_site(site, doh, doh ? 443 : 853);

	snprintf(from, sizeof from, "%s/conf/%s%s.conf", world_folder(site->world), site->scenario->name,
		 doh ? "-doh" : "");
	if (res == RES_OK)
		res = path_join(to, trial->order->folder, "upstream.conf");
	if (res == RES_OK)
		res = file_read(&text, from);
	if (res == RES_OK)
		res = file_write(to, buf_span(&text), 0644);
	buf_free(&text);
	return res;
}

static enum res
client_start(struct trial *trial)
{
	char log[FILE_PATH_MAX], pid[16];
	enum res res;

	if (trial->order->client->kind == CLIENT_COMMAND)
		return RES_OK;
	res = path_join(log, trial->order->folder, "client.log");
	if (res == RES_OK)
		res = client_spawn(&trial->client, trial->order->client, "start", NULL, NULL, log);
	snprintf(pid, sizeof pid, "%ld", (long)trial->client);
	say("LAB_CLIENT_PID", pid);
	return res;
}

/* The first question of a script, which must be answered by the good server. */
static bool
begins_well(struct trial *trial)
{
	enum outcome outcome = ask(trial);

	if (outcome == OUTCOME_ACCEPTED)
		return true;
	detail(trial, "the good server before the scenario was not accepted");
	trial->result->outcome = OUTCOME_BROKEN;
	return false;
}

static void
wait_for_expiry(struct trial *trial)
{
	int64_t end = site_leaf_end(trial->site), now = clock_wall_ms();

	if (end + EXPIRY_SLACK_MS > now)
		exchange_wait(trial->base, end + EXPIRY_SLACK_MS - now, NULL);
}

/* Tells the client of its new policy. */
static enum res
tighten(struct trial *trial)
{
	enum res res = policy_give(trial, trial->site);
	pid_t pid;

	if (res == RES_OK)
		res = client_spawn(&pid, trial->order->client, "reload", NULL, NULL, "/dev/null");
	exchange_wait(trial->base, 2 * SETTLE_MS, NULL);
	return res;
}

/* What happens between the first question and the one that counts. */
static enum res
interlude(struct trial *trial)
{
	switch (trial->site->scenario->script) {
	case SCRIPT_ONCE:
		return RES_OK;
	case SCRIPT_SWAP:
		return servers_switch(trial, trial->site, false);
	case SCRIPT_SWAP_KEEPING_TICKETS:
		return servers_switch(trial, trial->site, true);
	case SCRIPT_RESUME:
		servers_drop(trial);
		return RES_OK;
	case SCRIPT_EXPIRE:
		servers_drop(trial);
		wait_for_expiry(trial);
		return RES_OK;
	case SCRIPT_TIGHTEN:
		return tighten(trial);
	}
	return RES_UNSUPPORTED;
}

/* Does the scenario begin with the good server, or with its own? */
static bool
begins_good(const struct scenario *scenario)
{
	return scenario->script == SCRIPT_SWAP || scenario->script == SCRIPT_SWAP_KEEPING_TICKETS;
}

static enum res
trial_prepare(struct trial *trial)
{
	const struct trial_order *order = trial->order;
	const struct scenario *good = scenario_find("good-v4");
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6, other = elsewhere_addr;
	struct faults faults;
	enum res res = world_open(&trial->world, order->world_folder, 0);

	if (res == RES_OK)
		res = site_new(&trial->good, trial->world, good, &ip4, &ip6);
	if (res == RES_OK)
		res = site_new(&trial->site, trial->world, order->scenario, &ip4, &ip6);
	other.port = 0;
	if (res == RES_OK)
		res = site_new(&trial->other, trial->world, good, &other, &ip6);
	if (res != RES_OK)
		return res;
	trial->base = event_base_new();
	if (trial->base == NULL)
		return RES_NOMEM;
	trial->child_signal = evsignal_new(trial->base, SIGCHLD, trial_on_child, trial);
	if (trial->child_signal == NULL || event_add(trial->child_signal, NULL) < 0)
		return RES_NOMEM;
	res = trap_new(&trial->trap, trial->base);
	if (res == RES_OK)
		res = faults_of(begins_good(order->scenario) ? trial->good : trial->site, &faults)
			  ? RES_OK
			  : RES_MALFORMED;
	if (res == RES_OK)
		res = servers_start(trial, begins_good(order->scenario) ? trial->good : trial->site, &faults);
	environment_set(trial);
	if (res == RES_OK)
		res =
		    policy_give(trial, order->scenario->script == SCRIPT_TIGHTEN ? trial->good : trial->site);
	return res == RES_OK ? client_start(trial) : res;
}

static void
trial_play(struct trial *trial)
{
	const struct scenario *scenario = trial->order->scenario;

	if (scenario->script != SCRIPT_ONCE && !begins_well(trial))
		return;
	if (interlude(trial) != RES_OK) {
		detail(trial, "the lab could not go on");
		trial->result->outcome = OUTCOME_BROKEN;
		return;
	}
	trial->result->outcome = ask(trial);
}

static void
trial_end(struct trial *trial)
{
	for (size_t i = 0; i < ADDRESSES; i++)
		server_free(trial->servers[i]);
	server_free(trial->elsewhere);
	trap_free(trial->trap);
	if (trial->child_signal != NULL)
		event_free(trial->child_signal);
	if (trial->base != NULL)
		event_base_free(trial->base);
	site_free(trial->site);
	site_free(trial->good);
	site_free(trial->other);
	world_close(trial->world);
}

/* Is the certificate itself what must be refused, so that no question may reach the server? */
static bool
certificate_decides(const struct scenario *scenario)
{
	return scenario->want == WANT_REFUSE && scenario->fault == NULL;
}

enum mark
trial_mark(const struct trial_order *order, const struct trial_result *result)
{
	bool refused = result->outcome == OUTCOME_REFUSED || result->outcome == OUTCOME_SILENT ||
		       result->outcome == OUTCOME_LEAKED;
	const char *reason =
	    order->scenario->wire_reason != NULL ? order->scenario->wire_reason : order->scenario->reason;

	if (result->outcome == OUTCOME_SKIPPED)
		return MARK_SKIP;
	if (result->outcome == OUTCOME_FALLBACK || result->outcome == OUTCOME_BROKEN)
		return MARK_FAIL;
	if (order->scenario->want == WANT_NOTE)
		return MARK_NOTE;
	if (order->scenario->want == WANT_ACCEPT)
		return result->outcome == OUTCOME_ACCEPTED ? MARK_PASS : MARK_FAIL;
	if (!refused || (result->outcome == OUTCOME_LEAKED && certificate_decides(order->scenario)))
		return MARK_FAIL;
	if (order->client->reasons && reason != NULL && strstr(result->ede, reason) == NULL)
		return MARK_FAIL;
	return MARK_PASS;
}

void
trial_run(const struct trial_order *order, struct trial_result *result)
{
	struct trial trial = {.order = order, .result = result};

	*result = (struct trial_result){.outcome = OUTCOME_BROKEN, .ms = -1};
	if (order->scenario->script == SCRIPT_TIGHTEN && !order->client->reload) {
		result->outcome = OUTCOME_SKIPPED;
		detail(&trial, "the client can not change its policy while it runs");
	} else if (order->scenario->dial_name != NULL && !order->client->names) {
		result->outcome = OUTCOME_SKIPPED;
		detail(&trial, "the client can not want a name beside the address");
	} else if (trial_prepare(&trial) != RES_OK) {
		detail(&trial, "the lab could not be set up");
	} else {
		trial_play(&trial);
	}
	trial_end(&trial);
	result->mark = trial_mark(order, result);
}

const char *
outcome_text(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_ACCEPTED:
		return "accepted";
	case OUTCOME_REFUSED:
		return "refused";
	case OUTCOME_SILENT:
		return "silent";
	case OUTCOME_LEAKED:
		return "leaked";
	case OUTCOME_FALLBACK:
		return "fallback";
	case OUTCOME_BROKEN:
		return "broken";
	case OUTCOME_SKIPPED:
		return "skipped";
	}
	return "";
}

const char *
mark_text(enum mark mark)
{
	switch (mark) {
	case MARK_PASS:
		return "pass";
	case MARK_FAIL:
		return "fail";
	case MARK_NOTE:
		return "note";
	case MARK_SKIP:
		return "skip";
	}
	return "";
}
