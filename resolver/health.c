#include "resolver/health.h"

#include "base/clock.h"
#include "base/random.h"

int64_t
health_rest_ms(unsigned failures, int64_t least, int64_t most)
{
	int64_t ms = least;

	for (unsigned i = 1; i < failures && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms / 2 + (int64_t)random_below((uint32_t)(ms / 2) + 1);
}

void
server_log(struct server *s, enum log_level level, const char *event, enum reason reason, const char *detail)
{
	uint32_t left_out;

	if (!log_wants(level) || !log_limit_ok(&s->set->log_limit, 20, 10000, &left_out))
		return;
	if (left_out > 0)
		log_event(LOG_NOTICE, "upstream-lines-left-out", LOG_INT("lines", left_out));
	log_event(level, event, LOG_STR("upstream", s->target->upstream), LOG_IP("addr", &s->target->addr),
		  LOG_STR("reason", reason_code(reason)), LOG_STR("detail", detail));
}

static void
server_good(struct server *s)
{
	if (s->health != HEALTH_GOOD)
		s->good_since_ms = clock_wall_ms();
	s->health = HEALTH_GOOD;
	s->reason = REASON_NONE;
	s->retry_at_ms = s->wait_until_ms = 0;
}

/* Something came back. After a while in which it ended its connections, whatever the question, no zone is to blame for that. */
static void
server_lives(struct server *s)
{
	int64_t now = loop_now_ms(s->loop);

	if (s->at_fault && !server_time_within(s->answered_ms, now, UPSTREAM_LANE_PROVEN_MS)) {
		quarantine_pardon(&s->set->quarantine, s->id, s->answered_ms);
		s->fire_until_ms = 0;
	}
	s->at_fault = false;
	s->answered_ms = now;
	s->suspect_until_ms = 0;
}

/* sent_ms: when the question was sent. */
static void
server_answered(struct server *s, int64_t sent_ms)
{
	server_lives(s);
	s->bad = 0;
	s->doubt = REASON_NONE;
	/* A refusal lasts until a certificate is accepted. This answer came over a connection that was open before. */
	if (s->health == HEALTH_REFUSED)
		return;
	/* Questions that were in flight when the server asked for a pause do not end it. A later one does. */
	if (server_waits(s) && sent_ms <= s->wait_since_ms)
		return;
	s->failures = 0;
	if (s->health == HEALTH_GOOD)
		return;
	if (s->health == HEALTH_FAILING)
		server_log(s, LOG_NOTICE, "upstream-back", s->reason, NULL);
	server_good(s);
}

void
server_failed(struct server *s, enum reason reason, bool refused, const char *detail)
{
	struct upstreams *set = s->set;
	int64_t now = loop_now_ms(set->loop);
	bool news = s->reason != reason || refused != (s->health == HEALTH_REFUSED);

	if (s->health == HEALTH_REFUSED && !refused) /* as for an answer */
		return;
	/* The event of a connection and each of its questions report the same failure; it counts once. */
	if (news || now >= s->retry_at_ms) {
		counter_add_reason(set->counters, reason);
		s->failures = refused != (s->health == HEALTH_REFUSED) ? 1 : s->failures + 1;
		s->retry_at_ms =
		    now + (refused
			       ? health_rest_ms(s->failures, UPSTREAM_REFUSED_MIN_MS, UPSTREAM_REFUSED_MAX_MS)
			       : health_rest_ms(s->failures, UPSTREAM_FAIL_MIN_MS, UPSTREAM_FAIL_MAX_MS));
	}
	if (refused) /* the certificate comes first */
		s->wait_until_ms = 0;
	else if (s->retry_at_ms < s->wait_until_ms)
		s->retry_at_ms = s->wait_until_ms;
	s->health = refused ? HEALTH_REFUSED : HEALTH_FAILING;
	s->reason = reason;
	if (news && !refused)
		server_log(s, LOG_INFO, "upstream-failed", reason, detail);
	if (!refused && (reason == REASON_UNREACHABLE || reason == REASON_CONNECT_TIMEOUT) &&
	    server_has_rival(s))
		set->family_first = s->target->addr.family == ADDR_V6 ? ADDR_V4 : ADDR_V6;
}

void
server_unreached(struct server *s, enum reason reason, const char *detail)
{
	if (s->health == HEALTH_REFUSED && reason == REASON_OUT_OF_MEMORY) { /* no news of the server */
		s->retry_at_ms =
		    loop_now_ms(s->loop) + health_rest_ms(1, UPSTREAM_FAIL_MIN_MS, UPSTREAM_FAIL_MAX_MS);
		return;
	}
	if (s->health == HEALTH_REFUSED) {
		s->health = HEALTH_UNKNOWN;
		s->failures = 0;
	}
	server_failed(s, reason, false, detail);
}

/* One more zone without an answer. True: so many different ones in a row that the server is to blame. */
static bool
server_bad_zone(struct server *s, uint64_t zone)
{
	for (unsigned i = 0; i < s->bad; i++)
		if (s->bad_zone[i] == zone)
			return false;
	s->bad_zone[s->bad++] = zone;
	if (s->bad < UPSTREAM_BAD_MAX)
		return false;
	s->bad = 0;
	return true;
}

void
server_answered_zone(struct server *s, uint64_t zone, int64_t sent_ms)
{
	server_answered(s, sent_ms);
	s->known_zone[zone % UPSTREAM_KNOWN_MAX] = zone;
	quarantine_answered(&s->set->quarantine, s->id, zone);
}

void
server_answered_badly(struct server *s, uint64_t zone, enum reason reason)
{
	server_lives(s);
	counter_add_reason(s->set->counters, reason);
	if (!server_bad_zone(s, zone)) {
		server_log(s, LOG_INFO, "answer-refused", reason, NULL);
		return;
	}
	s->doubt = reason;
	s->suspect_until_ms = s->answered_ms + UPSTREAM_SUSPECT_MS;
	server_log(s, LOG_INFO, "upstream-doubtful", reason, NULL);
}

void
server_killed(struct server *s, uint64_t zone, unsigned alone, bool apart)
{
	struct quarantine *q = &s->set->quarantine;
	int64_t now = loop_now_ms(s->loop);
	bool proven = quarantine_is_proven(q, s->id, zone, s->answered_ms) &&
		      server_time_within(s->answered_ms, now, UPSTREAM_LANE_PROVEN_MS);
	bool many;

	if (apart && alone > 0 && alone < QUARANTINE_KILLS) /* not chance */
		alone = QUARANTINE_KILLS;
	quarantine_killed(q, s->id, zone, alone, proven, now);
	if (alone > 0) {
		s->fire_until_ms = now + UPSTREAM_FIRE_MS;
		if (server_knows(s, zone))
			s->known_zone[zone % UPSTREAM_KNOWN_MAX] = 0;
	}
	many = alone > 0 && server_bad_zone(s, zone) &&
	       !server_time_within(s->answered_ms, now, UPSTREAM_EVIDENCE_MS);
	if ((many || server_is_barren(s)) && !server_has_lane_budget(s)) {
		s->at_fault = true;
		server_failed(s, REASON_CLOSED, false, NULL);
		return;
	}
	counter_add_reason(s->set->counters, REASON_CLOSED);
	server_log(s, LOG_INFO, "question-closed", REASON_CLOSED, NULL);
}

void
server_answered_poorly(struct server *s)
{
	s->poor++;
}

void
server_answered_well(struct server *s, uint64_t zone)
{
	s->poor = 0;
	quarantine_set_good(&s->set->quarantine, s->id, zone);
}

void
server_asked_to_wait(struct server *s, enum reason reason, int64_t ms)
{
	int64_t now = loop_now_ms(s->loop);
	int64_t until = now + (ms < UPSTREAM_WAIT_MAX_MS ? ms : UPSTREAM_WAIT_MAX_MS);

	if (s->health == HEALTH_REFUSED) /* as for an answer */
		return;
	s->wait_since_ms = now;
	if (s->wait_until_ms < until)
		s->wait_until_ms = until;
	server_failed(s, reason, false, NULL);
	server_give_back(s);
	if (s->slot != NULL)
		tp_slot_keep(s->slot, 0);
}

void
server_is_slow(struct server *s)
{
	s->suspect_until_ms = loop_now_ms(s->loop) + UPSTREAM_SUSPECT_MS;
	/* The head start is over without a connection: the other family goes first on this network. */
	if (!server_is_ready(s) && s->target->addr.family == s->set->family_first && server_has_rival(s))
		s->set->family_first = s->target->addr.family == ADDR_V6 ? ADDR_V4 : ADDR_V6;
}

void
server_stalled(struct server *s)
{
	s->suspect_until_ms = loop_now_ms(s->loop) + UPSTREAM_SUSPECT_MS;
	tp_slot_drop(s->slot, false);
	server_log(s, LOG_INFO, "upstream-silent", REASON_CLOSED, NULL);
}

void
server_connected(struct server *s)
{
	s->ready_ms = loop_now_ms(s->loop);
	s->poor = 0;
	if (s->set->racing && server_has_rival(s))
		s->set->family_first = s->target->addr.family;
	s->set->racing = false;
	if (server_waits(s))
		return;
	/* A connection is not an answer yet: the next failure still backs off longer. */
	if (s->health == HEALTH_FAILING)
		server_log(s, LOG_NOTICE, "upstream-back", s->reason, NULL);
	server_good(s);
}
