#include "cli/advice.h"

#define FORGED                                                                                               \
	"do not use this network for anything private; compare with `ctstub probe` from another network"
#define REPLACED                                                                                             \
	"ask the operator; if the certificate was replaced on purpose, correct the configuration, else "     \
	"somebody impersonates the upstream"
#define BROKEN  "the upstream's certificate is at fault: tell its operator, and use another upstream meanwhile"
#define SERVICE "check address, port and path of the upstream; if they are right, tell its operator"
#define LIST                                                                                                 \
	"run `ctstub ct-logs update`, or `ctstub ct-logs import` with a list from another machine; where "   \
	"ct.log-list is set, renew that file"

static const struct {
	const char *what;
	bool portal;
} advice[REASON_COUNT] = {
    [REASON_CHAIN_EMPTY] = {SERVICE, false},
    [REASON_CHAIN_TOO_LONG] = {BROKEN, false},
    [REASON_CERT_MALFORMED] = {BROKEN, false},
    [REASON_UNTRUSTED] = {FORGED "; for a private CA set trust-anchors", true},
    [REASON_EXPIRED] =
	{"check this machine's clock; if it is right, tell the operator to renew the certificate", true},
    [REASON_NOT_YET_VALID] = {"check this machine's clock; if it is right, tell the operator", true},
    [REASON_CLOCK_NOT_SET] = {"set this machine's clock (`timedatectl`, or `date -s`); a program that sets "
			      "it by the network needs "
			      "time-names",
			      false},
    [REASON_BAD_SIGNATURE] = {FORGED, true},
    [REASON_NOT_A_CA] = {FORGED, false},
    [REASON_PATH_TOO_LONG] = {BROKEN, false},
    [REASON_NAME_CONSTRAINTS] = {BROKEN, false},
    [REASON_UNKNOWN_CRITICAL] = {BROKEN, false},
    [REASON_WRONG_USAGE] = {BROKEN, false},
    [REASON_WEAK_KEY] = {BROKEN, false},
    [REASON_WEAK_SIGNATURE] = {BROKEN, false},
    [REASON_IP_MISMATCH] = {FORGED "; a provider that lists only some of its addresses needs also-address",
			    true},
    [REASON_NAME_MISMATCH] = {"check the upstream's name option; if it is right, " FORGED, true},
    [REASON_ANCHOR_DISTRUSTED] = {BROKEN, false},
    [REASON_ISSUER_NOT_ALLOWED] = {REPLACED " (allow-issuer)", false},
    [REASON_PIN_MISMATCH] = {REPLACED " (pin)", false},
    [REASON_DISALLOWED] = {"a certificate that is known to be bad was presented: " FORGED, false},
    [REASON_CT_LIST_MISSING] = {LIST, false},
    [REASON_CT_LIST_STALE] = {LIST, false},
    [REASON_CT_MALFORMED] = {BROKEN, false},
    [REASON_CT_NO_SCTS] = {"the certificate was never logged in public: " FORGED
			   "; for a private CA set ct = \"off\"",
			   false},
    [REASON_CT_TOO_FEW_SCTS] = {LIST "; if the list is fresh, tell the operator", false},
    [REASON_CT_TOO_FEW_OPERATORS] = {LIST "; if the list is fresh, tell the operator", false},
    [REASON_CT_NO_CURRENT_LOG] = {LIST "; if the list is fresh, tell the operator", false},
    [REASON_REVOKED] = {"the certificate has been revoked: use another upstream, and tell the operator",
			false},
    [REASON_STAPLE_MISSING] = {BROKEN, false},
    [REASON_STAPLE_INVALID] = {"check this machine's clock; if it is right, tell the operator", false},
    [REASON_CRL_INVALID] = {"renew the files that crl-file names", false},
    [REASON_OUT_OF_MEMORY] = {"give the daemon more memory (MemoryMax= of its unit)", false},
    [REASON_CONNECT_REFUSED] = {"check the upstream's port; the network may block it: try protocol = \"doh\"",
				true},
    [REASON_CONNECT_TIMEOUT] = {"the network may block the port: try protocol = \"doh\", or another network",
				true},
    [REASON_UNREACHABLE] = {"connect this machine to a network", false},
    [REASON_CLOSED] =
	{"if it lasts, the network or the upstream ends the connections: try another network or upstream",
	 true},
    [REASON_TLS_VERSION] = {SERVICE, true},
    [REASON_TLS_ALERT] = {SERVICE ", and client-cert if it asks for one", true},
    [REASON_TLS_FAILED] = {"something between here and the upstream disturbs TLS: try another network", true},
    [REASON_ALPN_MISMATCH] = {SERVICE, true},
    [REASON_PLAIN_TEXT] = {SERVICE, true},
    [REASON_DOH_STATUS] = {SERVICE, true},
    [REASON_DOH_TYPE] = {SERVICE, true},
    [REASON_DOH_REDIRECT] = {SERVICE, true},
    [REASON_DOH_MALFORMED] = {SERVICE, true},
    [REASON_ANSWER_MISMATCH] = {"tell the upstream's operator, and use another meanwhile", false},
    [REASON_ANSWER_MALFORMED] = {"tell the upstream's operator, and use another meanwhile", false},
};

const char *
advice_of(enum reason r)
{
	return advice[r].what;
}

bool
advice_suspects_portal(enum reason r)
{
	return advice[r].portal;
}
