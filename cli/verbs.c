#include "cli/cli.h"

#include <string.h>

const struct verb verb_table[] = {
    {"verify",
     "[-c FILE] [--upstream NAME] [--ip ADDR] [--name HOST] [--ca FILE] [--ct MODE]\n"
     "    [--ct-policy POLICY] [--ct-logs FILE] [--disallow FILE]... [--pin HASH]...\n"
     "    [--allow-issuer ENTRY]... [--crl FILE]... [--ocsp FILE] [--constraints FILE]... [--at RFC3339]\n"
     "    [--json] CHAIN.pem | - | --batch DIR",
     "judge a certificate chain without network, as the daemon would", cmd_verify},
    {"probe",
     "[-c FILE] [--ca FILE] [--ct MODE] [--ct-policy POLICY] [--ct-logs FILE] [--disallow FILE]...\n"
     "    [--pin HASH]... [--allow-issuer ENTRY]... [--crl FILE]... [--constraints FILE]... [--json] "
     "[--idle]\n"
     "    UPSTREAM | [dot|doh]://ADDR[:PORT][/PATH][#NAME]",
     "connect to an upstream, judge it, ask it, and tell all about it", cmd_probe},
    {"ct-logs",
     "show [-c FILE] [--json]\n"
     "       ctstub ct-logs check [--json] FILE\n"
     "       ctstub ct-logs update [-c FILE] [--state-dir DIR] [--url URL] [--ca FILE] [--force] [--json]\n"
     "       ctstub ct-logs import [-c FILE] [--state-dir DIR] [--force] [--json] FILE",
     "show, check or renew the list of CT logs", cmd_ct_logs},
    {"disallow", "check [--json] FILE\n       ctstub disallow import --onecrl FILE [-o FILE [--json]]",
     "check a list of refused certificates, or make one of Mozilla's OneCRL", cmd_disallow},
    {"status", "[-c FILE | --socket PATH] [--json]", "tell how the running daemon is", cmd_status},
    {"upstreams", "[-c FILE | --socket PATH] [--json]",
     "tell how each upstream address is, and why not when it is not used", cmd_upstreams},
    {"stats", "[-c FILE | --socket PATH] [--json | --prometheus]", "print what the daemon counted",
     cmd_stats},
    {"flush", "[-c FILE | --socket PATH] [--json] [NAME]",
     "forget cached answers, all or those at and below a name", cmd_flush},
    {"reload", "[-c FILE | --socket PATH] [--json]", "have the configuration read again", cmd_reload},
    {"log-level", "[-c FILE | --socket PATH] [--json] error|warn|notice|info|debug",
     "change how much the daemon logs", cmd_log_level},
    {"captive", "[-c FILE | --socket PATH] [--json] [MINUTES|off]",
     "open or close the time for a captive portal's login", cmd_captive},
    {"metrics", "[-c FILE | --socket PATH] --listen ADDR:PORT", "serve what the daemon counted to Prometheus",
     cmd_metrics},
    {"help", "[VERB]", "say how ctstub or one of its verbs is used", cmd_help},
    {NULL, NULL, NULL, NULL},
};

const struct verb *
verb_find(const char *name)
{
	for (const struct verb *v = verb_table; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}
