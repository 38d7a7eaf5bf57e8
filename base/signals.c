#include "config.h"

#include "base/signals.h"

#include <signal.h>

static void
unused_set(void (*to)(int))
{
	(void)signal(SIGUSR1, to);
	(void)signal(SIGUSR2, to);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		(void)signal(number, to);
}

void
signals_ignore_unused(void)
{
	unused_set(SIG_IGN);
}

void
signals_default_unused(void)
{
	unused_set(SIG_DFL);
}
