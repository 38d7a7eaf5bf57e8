#include "config.h"

#include "contrib/lab/run/trial.h"
#include "base/clock.h"
#include "base/log.h"
#include "contrib/lab/run/lab_exchange.h"
#include "contrib/lab/run/stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTLE_MS       300 /* after connections were closed, or a policy was changed */
#define EXPIRY_SLACK_MS 1500

struct trial {
	const struct trial_order *order;
	struct trial_result *result;
	struct stage stage;
	pid_t client;
	bool client_gone;
	struct event *child_signal;
};

/* Process 1 of the cell must reap every child. */
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

/* What failed, and why. */
static void
detail_trouble(struct trial *trial, const char *what, enum res res)
{
	char text[sizeof trial->result->detail];

	snprintf(text, sizeof text, "%s: %s", what, res_why(res));
	detail(trial, text);
}

static struct lab_server_counts
counts_less(struct lab_server_counts a, const struct lab_server_counts *b)
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

/* How far a client came that did not accept a good resolver's answer. */
static const char *
how_far(const struct lab_server_counts *c)
{
	if (c->connections == 0)
		return "it never connected";
	if (c->handshakes == 0)
		return "it completed no handshake";
	if (c->bytes == 0)
		return "it hung up after the handshake";
	if (c->questions == 0)
		return "after the handshake it sent no valid question";
	return c->answers > 0 ? "it was answered" : "it asked and was not answered";
}

/* The outcome of one question, from everything that was counted. */
static enum outcome
outcome_of(struct trial *trial, const struct lab_exchange *exchange, const char *name)
{
	const bool gone = trial->client_gone && trial->order->client->kind == CLIENT_DAEMON;
	const struct stage *stage = &trial->stage;
	uint8_t truth[4], lie[4];

	ask_truth(name, truth);
	ask_lie(lie);
	if (gone)
		detail(trial, "the client ended");
	if (stage->elsewhere != NULL && lab_server_counts(stage->elsewhere)->connections > 0)
		detail(trial, "it followed the redirect");
	if (trap_http_requests(stage->trap) > 0)
		detail(trial, "it sent HTTP in clear text");
	if (ask_says(&exchange->asked, lie) || trap_saw(stage->trap, name) ||
	    trap_http_requests(stage->trap) > 0)
		return OUTCOME_FALLBACK;
	if (ask_says(&exchange->asked, truth) || (exchange->done && exchange->asked.n_a > 0))
		return OUTCOME_ACCEPTED;
	if (trial->result->counts.questions == 0 && trial->result->counts.bad_names > 0) {
		/* It never saw the certificate, so the trial says nothing about its validation. */
		detail(trial,
		       "it sends an IPv6 address as server name (RFC 6066, 3), which the lab's TLS rejects");
		return OUTCOME_SKIPPED;
	}
	if (trial->order->scenario->want == WANT_ACCEPT)
		detail(trial, how_far(&trial->result->counts));
	if (trial->result->counts.questions > 0)
		return OUTCOME_LEAKED;
	if (gone)
		return OUTCOME_BROKEN;
	return exchange->done ? OUTCOME_REFUSED : OUTCOME_SILENT;
}

/* Asks for a fresh name and determines the outcome. */
static enum outcome
trial_ask(struct trial *trial)
{
	const struct trial_order *order = trial->order;
	struct lab_server_counts before = stage_counts(&trial->stage);
	struct lab_exchange exchange;
	char name[ASK_NAME_MAX];

	ask_name_new(name);
	if (order->client->kind == CLIENT_COMMAND)
		lab_exchange_command(&exchange, trial->stage.base, order->client, order->patience_ms, name);
	else
		lab_exchange_daemon(&exchange, trial->stage.base, order->patience_ms, name,
				    &trial->client_gone);
	trial->result->ms = exchange.ms;
	trial->result->counts = counts_less(stage_counts(&trial->stage), &before);
	trial->result->resumed = trial->result->counts.resumed > 0;
	trial->result->rcode = exchange.asked.rcode;
	snprintf(trial->result->ede, sizeof trial->result->ede, "%s", exchange.asked.ede_text);
	return outcome_of(trial, &exchange, name);
}

static enum res
client_start(struct trial *trial)
{
	char log[FILE_PATH_MAX], pid[16];
	enum res res;

	if (trial->order->client->kind == CLIENT_COMMAND)
		return RES_OK;
	res = lab_path_join(log, trial->order->folder, "client.log");
	if (res == RES_OK)
		res = lab_client_spawn(&trial->client, trial->order->client, "start", NULL, NULL, log);
	snprintf(pid, sizeof pid, "%ld", (long)trial->client);
	return res == RES_OK && setenv("LAB_CLIENT_PID", pid, 1) < 0 ? RES_NOMEM : res;
}

/* The first question of a script, which must be answered by the good server. */
static bool
begins_well(struct trial *trial)
{
	enum outcome outcome = trial_ask(trial);

	if (outcome == OUTCOME_ACCEPTED)
		return true;
	detail(trial, "the good server before the scenario was not accepted");
	trial->result->outcome = OUTCOME_BROKEN;
	return false;
}

static void
wait_for_expiry(struct trial *trial)
{
	int64_t end = site_leaf_end(trial->stage.site), now = clock_wall_ms();

	if (end + EXPIRY_SLACK_MS > now)
		lab_exchange_wait(trial->stage.base, end + EXPIRY_SLACK_MS - now, NULL);
}

/* Gives the client its new policy. */
static enum res
tighten(struct trial *trial)
{
	enum res res = stage_give_policy(&trial->stage, trial->stage.site);
	pid_t pid;

	if (res == RES_OK)
		res = lab_client_spawn(&pid, trial->order->client, "reload", NULL, NULL, "/dev/null");
	lab_exchange_wait(trial->stage.base, SETTLE_MS, NULL);
	return res;
}

/* What happens between the first question and the one that counts. */
static enum res
script_step(struct trial *trial)
{
	const enum script script = trial->stage.site->scenario->script;
	enum res res = RES_OK;

	switch (script) {
	case SCRIPT_ONCE:
		return RES_OK;
	case SCRIPT_SWAP:
	case SCRIPT_SWAP_KEEPING_TICKETS:
		res = stage_switch(&trial->stage, script == SCRIPT_SWAP_KEEPING_TICKETS);
		break;
	case SCRIPT_RESUME:
		stage_drop_connections(&trial->stage);
		break;
	case SCRIPT_EXPIRE:
		stage_drop_connections(&trial->stage);
		wait_for_expiry(trial);
		break;
	case SCRIPT_TIGHTEN:
		res = tighten(trial);
		break;
	}
	lab_exchange_wait(trial->stage.base, SETTLE_MS, NULL);
	return res;
}

static enum res
trial_prepare(struct trial *trial)
{
	const struct trial_order *order = trial->order;
	enum res res =
	    stage_set(&trial->stage, order->scenario, order->protocol, order->world_folder, order->folder);

	if (res != RES_OK)
		return res;
	trial->child_signal = evsignal_new(trial->stage.base, SIGCHLD, trial_on_child, trial);
	if (trial->child_signal == NULL || event_add(trial->child_signal, NULL) < 0)
		return RES_NOMEM;
	return client_start(trial);
}

static void
trial_play(struct trial *trial)
{
	const struct scenario *scenario = trial->order->scenario;
	enum res res;

	if (scenario->script != SCRIPT_ONCE && !begins_well(trial))
		return;
	res = script_step(trial);
	if (res != RES_OK) {
		detail_trouble(trial, "the lab could not continue", res);
		trial->result->outcome = OUTCOME_BROKEN;
		return;
	}
	trial->result->outcome = trial_ask(trial);
}

static void
trial_end(struct trial *trial)
{
	if (trial->child_signal != NULL)
		event_free(trial->child_signal);
	stage_strike(&trial->stage);
}

/* Must the certificate itself be refused, so that no question may reach the server? */
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
	enum res res;

	*result = (struct trial_result){.outcome = OUTCOME_BROKEN, .ms = -1};
	if (order->scenario->script == SCRIPT_TIGHTEN && !order->client->reload) {
		result->outcome = OUTCOME_SKIPPED;
		detail(&trial, "the client cannot change its policy while it runs");
	} else if (order->scenario->dial_name != NULL && !order->client->names) {
		result->outcome = OUTCOME_SKIPPED;
		detail(&trial, "the client cannot require a name beside the address");
	} else if ((res = trial_prepare(&trial)) != RES_OK) {
		detail_trouble(&trial, "the lab could not be set up", res);
	} else {
		trial_play(&trial);
	}
	trial_end(&trial);
	result->mark = trial_mark(order, result);
}

const char *
report_outcome_text(enum outcome outcome)
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
trial_mark_text(enum mark mark)
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
