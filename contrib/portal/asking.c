#include "contrib/portal/asking.h"

#include "base/random.h"
#include "base/replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct asking {
	struct loop *loop;
	struct resolvers resolvers;
	struct loop_fd watch;
	struct loop_timer timer;
	int fd; /* -1: none */
	unsigned attempts, strays;
	uint16_t type;
	uint8_t name_n;
	uint8_t name[MSG_NAME_MAX];
	uint8_t room[QUESTION_MAX];
	struct buf question; /* in room */
	void (*on_done)(void *ctx, const struct portal_message *);
	void *ctx;
};

static void
attempt_close(struct asking *a)
{
	loop_timer_stop(&a->timer);
	if (a->fd < 0)
		return;
	loop_fd_unwatch(&a->watch);
	(void)close(a->fd);
	a->fd = -1;
}

static void
asking_done(struct asking *a, const struct portal_message *answer)
{
	attempt_close(a);
	a->on_done(a->ctx, answer);
}

/* A destination that is also our own address is this machine, where ctstub may listen: a loop. */
static bool
is_this_machine(int fd, const struct addr *to)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;
	struct addr own;

	return getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
	       addr_from_sockaddr(&own, (const struct sockaddr *)&sa) != RES_OK || addr_ip_equal(&own, to);
}

static void asking_on_ready(void *, unsigned);

/* Connected, so that the kernel drops datagrams of others, and picks a random port. */
static bool
attempt_send(struct asking *a, const struct resolver *to)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(&to->addr, &sa);

	if (sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&sa)->sin6_scope_id = to->link;
	a->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return false;
	buf_clear(&a->question);
	question_compose(&a->question, (uint16_t)random_u32(), a->type, span_of(a->name, a->name_n));
	a->strays = 0;
	if (connect(a->fd, (const struct sockaddr *)&sa, n) == 0 && !is_this_machine(a->fd, &to->addr) &&
	    loop_fd_watch(&a->watch, a->loop, a->fd, asking_on_ready, a) == RES_OK &&
	    file_message_send(a->fd, buf_span(&a->question), 0))
		return true;
	attempt_close(a);
	return false;
}

static void
attempt_next(struct asking *a)
{
	const struct portal_message failed = {
	    .kind = PORTAL_ANSWER, .type = a->type, .outcome = PORTAL_FAILED};

	attempt_close(a);
	while (a->attempts < ASKING_ATTEMPTS && a->resolvers.n > 0) {
		const struct resolver *to = &a->resolvers.v[a->attempts++ % a->resolvers.n];

		if (attempt_send(a, to)) {
			loop_timer_set(&a->timer, ASKING_WAIT_MS);
			return;
		}
	}
	asking_done(a, &failed);
}

static void
asking_on_due(void *ctx)
{
	attempt_next(ctx);
}

static void
asking_on_ready(void *ctx, unsigned ready)
{
	struct asking *a = ctx;
	uint8_t wire[ANSWER_UDP_MAX + 1];
	struct portal_message answer;
	ssize_t n = recv(a->fd, wire, sizeof wire, MSG_DONTWAIT);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* ICMP: nobody listens there */
		attempt_next(a);
		return;
	}
	switch (question_judge(&answer, span_of(wire, (size_t)n), buf_span(&a->question))) {
	case QUESTION_ANSWERED:
		asking_done(a, &answer);
		return;
	case QUESTION_IGNORED:
		if (++a->strays >= ASKING_STRAY_MAX)
			attempt_next(a);
		return;
	case QUESTION_REFUSED:
		attempt_next(a);
		return;
	}
}

enum res
asking_start(struct asking **out, const struct asking_setup *setup)
{
	struct asking *a = calloc(1, sizeof *a);

	if (a == NULL)
		return RES_NOMEM;
	a->loop = setup->loop;
	a->resolvers = *setup->resolvers;
	a->fd = -1;
	a->type = setup->type;
	a->name_n = (uint8_t)setup->name.n;
	memcpy(a->name, setup->name.p, setup->name.n);
	a->question = (struct buf){.p = a->room, .cap = sizeof a->room, .max = sizeof a->room};
	a->on_done = setup->on_done;
	a->ctx = setup->ctx;
	loop_timer_init(&a->timer, a->loop, asking_on_due, a);
	loop_timer_set(&a->timer, 0); /* the first attempt, in the next turn */
	*out = a;
	return RES_OK;
}

void
asking_free(struct asking *a)
{
	if (a == NULL)
		return;
	attempt_close(a);
	free(a);
}
