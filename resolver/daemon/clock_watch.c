#include "resolver/daemon/clock_watch.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FAR_S ((time_t)50 * 365 * 86400) /* it means nothing when it comes, and is set anew */

static bool
clock_watch_arm(struct clock_watch *w)
{
	const struct itimerspec far = {.it_value = {.tv_sec = (time_t)(clock_wall_ms() / 1000) + FAR_S}};

	/* ECANCELED: the clock was set meanwhile, the timer is armed all the same. */
	return timerfd_settime(w->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) == 0 ||
	       errno == ECANCELED;
}

static void
clock_watch_on_ready(void *ctx, unsigned ready)
{
	struct clock_watch *w = ctx;
	uint64_t times;
	ssize_t n = read(w->fd, &times, sizeof times);
	bool set = n < 0 && errno == ECANCELED;

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!clock_watch_arm(w)) /* else it would be ready for ever */
		clock_watch_stop(w);
	if (set)
		w->on_set(w->ctx);
}

enum res
clock_watch_start(struct clock_watch *w, struct loop *loop, void (*on_set)(void *ctx), void *ctx)
{
	enum res res = RES_IO;

	*w = (struct clock_watch){
	    .fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC), .on_set = on_set, .ctx = ctx};
	if (w->fd >= 0 && clock_watch_arm(w))
		res = loop_fd_watch(&w->watch, loop, w->fd, clock_watch_on_ready, w);
	if (res != RES_OK)
		clock_watch_stop(w);
	return res;
}

void
clock_watch_stop(struct clock_watch *w)
{
	int error = errno;

	if (w->on_set == NULL) /* never started */
		return;
	loop_fd_unwatch(&w->watch);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	errno = error;
}
