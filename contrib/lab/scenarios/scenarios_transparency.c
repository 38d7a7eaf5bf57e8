/* scenarios_transparency.c - is the certificate publicly logged (RFC 6962; static-ct)? */
#include "contrib/lab/scenarios/site.h"

static void
leaf_list_empty(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list = true;
	f->sct_list_fault = SCT_LIST_EMPTY;
}

static void
leaf_list_empty_item(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list_fault = SCT_LIST_EMPTY_ITEM;
}

static void
leaf_list_lies(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list_fault = SCT_LIST_LENGTH_LIES;
}

static void
leaf_list_trailing(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list_fault = SCT_LIST_TRAILING;
}

static void
leaf_list_not_nested(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list_fault = SCT_LIST_NOT_NESTED;
}

static void
leaf_list_twice(struct site *site, struct forge *f)
{
	(void)site;
	f->sct_list_fault = SCT_LIST_TWICE;
}

static void
leaf_precertificate(struct site *site, struct forge *f)
{
	(void)site;
	f->poison = true;
}

static void
leaf_lives_year(struct site *site, struct forge *f)
{
	(void)site;
	f->not_after_ms = f->not_before_ms + 365 * DAY_MS;
}

/* RFC 5280 counts both ends: this is one second more than 180 days. */
static void
leaf_lives_180_days_and_a_second(struct site *site, struct forge *f)
{
	(void)site;
	f->not_after_ms = f->not_before_ms + 180 * DAY_MS;
}

static void
leaf_lives_180_days(struct site *site, struct forge *f)
{
	(void)site;
	f->not_after_ms = f->not_before_ms + 180 * DAY_MS - SECOND_MS;
}

static void
policy_list_71_days(struct site *site)
{
	site->list = LIST_71_DAYS;
}

static void
policy_refuse_stale(struct site *site)
{
	site->list = LIST_71_DAYS;
	site->when_stale = "refuse";
}

static void
policy_refuse_stale_69(struct site *site)
{
	site->list = LIST_69_DAYS;
	site->when_stale = "refuse";
}

static void
policy_all_retired(struct site *site)
{
	site->list = LIST_ALL_RETIRED;
}

static void
policy_private(struct site *site)
{
	site->ct = "off";
}

static void
build_private(struct site *site)
{
	struct forge f;

	site_leaf(site, &f, CA_PRIVATE_ROOT);
	site_put(site, &f);
	forge_free(&f);
	site_anchor(site, CA_PRIVATE_ROOT);
}

static const struct scenario rows[] = {
    {"no-sct", "a trusted CA's certificate without any SCT", WANT_REFUSE, "ct-no-scts", NO_SCTS},
    {"one-sct", "one SCT where two are needed", WANT_REFUSE, "ct-too-few-scts", SCTS({.log = LOG_ALPHA})},
    {"one-operator", "two SCTs from two logs of one operator", WANT_REFUSE, "ct-too-few-operators",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_ALPHA_TWO})},
    {"sct-moved-operator", "the second log belonged to the first one's operator when it signed", WANT_REFUSE,
     "ct-too-few-operators", SCTS({.log = LOG_ALPHA}, {.log = LOG_MOVED})},
    {"sct-duplicate", "two SCTs of the same log", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_ALPHA, .hours = 2})},
    {"sct-bad-signature", "one SCT with a bit of its signature changed", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA, .fault = SCT_BROKEN_SIGNATURE})},
    {"sct-other-cert", "SCTs taken from another certificate", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA, .fault = SCT_OTHER_CERTIFICATE},
	  {.log = LOG_BETA, .fault = SCT_OTHER_CERTIFICATE})},
    {"sct-other-issuer", "SCTs over the key of another issuer", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA, .fault = SCT_OTHER_ISSUER}, {.log = LOG_BETA, .fault = SCT_OTHER_ISSUER})},
    {"sct-x509-entry", "SCTs signed as for a final certificate", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA, .fault = SCT_X509_ENTRY}, {.log = LOG_BETA, .fault = SCT_X509_ENTRY})},
    {"sct-other-time", "SCTs whose timestamps were changed by a millisecond", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA, .fault = SCT_OTHER_TIME}, {.log = LOG_BETA, .fault = SCT_OTHER_TIME})},
    {"unknown-log", "one SCT of an unlisted log", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_UNKNOWN})},
    {"mimic-log", "one SCT that names a log whose private key is public", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_MIMIC})},
    {"test-log", "one SCT of a test log", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_TEST})},
    {"pending-log", "one SCT of a pending log", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_PENDING})},
    {"stateless-log", "one SCT of a log without a state in the list", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_STATELESS})},
    {"rejected-log", "one SCT of a rejected log", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_REJECTED})},
    {"retired-log-before", "one SCT dated after its log's retirement", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_RETIRED_EARLY})},
    {"retired-logs-only", "two SCTs older than their logs' retirement, none of a current log", WANT_REFUSE,
     "ct-no-current-log", SCTS({.log = LOG_RETIRED_LATE}, {.log = LOG_RETIRED_LATE_TWO})},
    {"good-retired-log", "no fault: one log has been retired since it signed", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_RETIRED_LATE})},
    {"good-readonly-log", "no fault: one log has become read-only", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_READONLY})},
    {"good-qualified-log", "no fault: one log is qualified", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_GAMMA})},
    {"good-rsa-log", "no fault: one log signs with RSA", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_RSA})},
    {"future-sct", "one SCT dated next month", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA, .hours = 24 * 40})},
    {"outside-interval", "one SCT of a log shard for certificates that expired long ago", WANT_REFUSE,
     "ct-too-few-scts", SCTS({.log = LOG_ALPHA}, {.log = LOG_SHARD_PAST})},
    {"good-interval", "no fault: a log shard whose interval covers this certificate", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_SHARD_NOW})},
    {"good-static-ct", "no fault: an SCT of a static-ct log with its leaf_index", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA}, {.log = LOG_DELTA_TILED})},
    {"good-static-ct-only", "no fault: both SCTs from static-ct logs", .want = WANT_ACCEPT,
     SCTS({.log = LOG_ALPHA_TILED}, {.log = LOG_DELTA_TILED})},
    {"good-static-ct-spare", "no fault: an unknown, signed extension beside the leaf_index",
     .want = WANT_ACCEPT, SCTS({.log = LOG_ALPHA}, {.log = LOG_DELTA_TILED, .fault = SCT_SPARE_EXTENSION})},
    {"static-ct-no-leaf-index", "an SCT of a static-ct log without its leaf_index", WANT_REFUSE,
     "ct-too-few-scts", SCTS({.log = LOG_ALPHA}, {.log = LOG_DELTA_TILED, .fault = SCT_NO_EXTENSIONS})},
    {"static-ct-altered", "an SCT whose leaf_index was changed after signing", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_DELTA_TILED, .fault = SCT_ALTERED_EXTENSIONS})},
    {"sct-version-2", "one SCT of an unknown version", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA, .fault = SCT_VERSION_2})},
    {"sct-algorithm-rsa", "one SCT that claims an RSA signature by an ECDSA log", WANT_REFUSE,
     "ct-too-few-scts", SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA, .fault = SCT_ALGORITHM_RSA})},
    {"sct-algorithm-sha1", "one SCT that claims SHA-1", WANT_REFUSE, "ct-too-few-scts",
     SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA, .fault = SCT_ALGORITHM_SHA1})},
    {"good-spare-scts", "no fault: bad SCTs stand beside enough good ones", .want = WANT_ACCEPT,
     SCTS({.log = LOG_UNKNOWN}, {.log = LOG_REJECTED}, {.log = LOG_BETA, .fault = SCT_BROKEN_SIGNATURE},
	  {.log = LOG_ALPHA}, {.log = LOG_GAMMA})},
    {"sct-list-empty", "an empty SCT list", WANT_REFUSE, "ct-malformed", NO_SCTS, .leaf = leaf_list_empty},
    {"sct-list-empty-item", "an empty item before two good SCTs", WANT_REFUSE, "ct-malformed",
     .leaf = leaf_list_empty_item},
    {"sct-list-lies", "an SCT list that claims a byte more than it has", WANT_REFUSE, "ct-malformed",
     .leaf = leaf_list_lies},
    {"sct-list-trailing", "a byte after the SCT list", WANT_REFUSE, "ct-malformed",
     .leaf = leaf_list_trailing},
    {"sct-list-not-nested", "an SCT list without its inner OCTET STRING", WANT_REFUSE, "ct-malformed",
     .leaf = leaf_list_not_nested},
    {"sct-list-twice", "two SCT list extensions", WANT_REFUSE, "cert-malformed", .leaf = leaf_list_twice},
    {"precertificate", "a precertificate used as a certificate", WANT_REFUSE, "unknown-critical",
     .leaf = leaf_precertificate},
    {"long-lived-two-scts", "a certificate of a year with two SCTs where three are needed", WANT_REFUSE,
     "ct-too-few-scts", .leaf = leaf_lives_year},
    {"good-long-lived", "no fault: a certificate of a year with three SCTs", .want = WANT_ACCEPT,
     .leaf = leaf_lives_year, SCTS({.log = LOG_ALPHA}, {.log = LOG_BETA}, {.log = LOG_ALPHA_TWO})},
    {"lifetime-180-days-and-a-second", "one second more than 180 days with two SCTs", WANT_REFUSE,
     "ct-too-few-scts", .leaf = leaf_lives_180_days_and_a_second},
    {"good-lifetime-180-days", "no fault: exactly 180 days with two SCTs", .want = WANT_ACCEPT,
     .leaf = leaf_lives_180_days},
    {"good-old-list", "no fault: the client's log list is 71 days old and is still applied",
     .want = WANT_ACCEPT, .policy = policy_list_71_days},
    {"old-list-no-sct", "no SCT, while the client's log list is 71 days old", WANT_REFUSE, "ct-no-scts",
     NO_SCTS, .policy = policy_list_71_days},
    {"old-list-refused",
     "no fault, but the client's log list is a day too old and its policy refuses stale lists", WANT_REFUSE,
     "ct-list-stale", .policy = policy_refuse_stale},
    {"good-list-69-days", "no fault: the client refuses old lists, and its list is 69 days old",
     .want = WANT_ACCEPT, .policy = policy_refuse_stale_69},
    {"all-logs-retired", "no fault, but the client's list has since retired every log", WANT_REFUSE,
     "ct-no-current-log", .policy = policy_all_retired},
    {"good-private-ca", "no fault: an organisation's own CA, for which the client requires no transparency",
     .want = WANT_ACCEPT, NO_SCTS, .build = build_private, .policy = policy_private},
    {"private-ca-no-sct", "an organisation's own CA without SCTs, while the client requires transparency",
     WANT_REFUSE, "ct-no-scts", NO_SCTS, .build = build_private},
};

const struct scenario_group scenarios_transparency = {
    "transparency",
    "Is the certificate publicly logged? Signed certificate timestamps, their logs and the policy over them.",
    rows, sizeof rows / sizeof rows[0]};
