/*
 * signals.h - signals with a meaning in other daemons and none here: SIGUSR1 and SIGUSR2 (dnsmasq, systemd-resolved and
 * unbound print statistics, open their log again or empty their cache) and the real-time signals (systemd-resolved).
 *
 * The kernel ends a process that leaves them alone, and `systemctl kill` sends them to every process of a service.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* For a process that serves, before it starts threads and helpers, which inherit it. */
void signals_ignore_unused(void);

/* Before another program is executed, which would inherit what is ignored. */
void signals_default_unused(void);

#endif
