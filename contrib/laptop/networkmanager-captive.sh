#!/bin/sh
# /etc/NetworkManager/dispatcher.d/50-ctstub - a hook of NetworkManager's connectivity check: captive mode begins when it
# reports PORTAL or LIMITED, and ends when it reports FULL.
#
# Behind a login page the check cannot resolve its own host through ctstub, so NetworkManager reports LIMITED and never learns
# of the portal. With portal.enable in ctstub.conf captive mode is a portal window too: the host resolves, the check finds
# the login page, and the desktop shows it. Without it nothing leaves in clear text.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
ctstub=${CTSTUB:-ctstub}
minutes=5

[ "${2:-}" = connectivity-change ] || exit 0
case ${CONNECTIVITY_STATE:-} in
PORTAL | LIMITED) "$ctstub" captive "$minutes" >/dev/null 2>&1 ;;
FULL) "$ctstub" captive off >/dev/null 2>&1 ;;
esac
exit 0
