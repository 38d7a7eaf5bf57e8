#include "config.h"

#include "resolver/daemon/daemon_signals.h"

#include "base/log.h"
#include "base/signals.h"

#include <signal.h>

static void
hangup_mask(int how)
{
	sigset_t hangup;

	(void)sigemptyset(&hangup);
	(void)sigaddset(&hangup, SIGHUP);
	(void)sigprocmask(how, &hangup, NULL);
}

void
daemon_signals_hold(void)
{
	signals_ignore_unused();
	hangup_mask(SIG_BLOCK);
}

void
daemon_signals_release(void)
{
	hangup_mask(SIG_UNBLOCK);
}

static void
daemon_signals_on_user1(void *ctx)
{
	(void)ctx;
	log_event(LOG_NOTICE, "signal-ignored", LOG_STR("signal", "SIGUSR1"), LOG_STR("see", "ctstub stats"));
}

static void
daemon_signals_on_user2(void *ctx)
{
	(void)ctx;
	log_event(LOG_NOTICE, "signal-ignored", LOG_STR("signal", "SIGUSR2"), LOG_STR("see", "ctstub flush"));
}

enum res
daemon_signals_take(struct loop *loop, void (*on_hangup)(void *ctx), void (*on_end)(void *ctx), void *ctx)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* P06: a client or a log reader that goes away must not end the daemon. */
	sigaction(SIGPIPE, &ignore, NULL);
	/* R11: neither must a limit on the size of files (setrlimit(2)): writing fails. */
	sigaction(SIGXFSZ, &ignore, NULL);
	if (loop_signal(loop, SIGUSR1, daemon_signals_on_user1, NULL) != RES_OK ||
	    loop_signal(loop, SIGUSR2, daemon_signals_on_user2, NULL) != RES_OK ||
	    loop_signal(loop, SIGHUP, on_hangup, ctx) != RES_OK ||
	    loop_signal(loop, SIGTERM, on_end, ctx) != RES_OK ||
	    loop_signal(loop, SIGINT, on_end, ctx) != RES_OK)
		return RES_NOMEM;
	daemon_signals_release();
	return RES_OK;
}
