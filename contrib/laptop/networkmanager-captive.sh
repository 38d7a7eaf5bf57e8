#!/bin/sh
# /etc/NetworkManager/dispatcher.d/50-ctstub - when NetworkManager's connectivity check finds a captive portal, ctstub is
# told for ten minutes ("ctstub captive"), and again when the network is whole.
[ "$2" = connectivity-change ] || exit 0
case ${CONNECTIVITY_STATE:-} in
PORTAL) ctstub captive 10 ;;
FULL) ctstub captive off ;;
esac
exit 0
