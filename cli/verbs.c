#include "cli/cli.h"

#include <string.h>

const struct verb verb_table[] = {
    {"verify",
     "[-c FILE] [--upstream NAME] [--ip ADDR] [--name HOST] [--ca FILE] [--ct MODE]\n"
     "    [--ct-policy POLICY] [--ct-logs FILE] [--disallow FILE]... [--pin HASH]...\n"
     "    [--allow-issuer ENTRY]... [--crl FILE]... [--ocsp FILE] [--constraints FILE]... [--at TIME]\n"
     "    [--json] CHAIN.pem | - | --batch DIR",
     "verify a certificate chain without network, as the daemon would", verify_options, rules_options,
     cmd_verify},
    {"probe",
     "[-c FILE] [--ca FILE] [--ct MODE] [--ct-policy POLICY] [--ct-logs FILE] [--disallow FILE]...\n"
     "    [--pin HASH]... [--allow-issuer ENTRY]... [--crl FILE]... [--constraints FILE]... [--json] "
     "[--idle]\n"
     "    UPSTREAM | [dot|doh]://ADDR[:PORT][/PATH][#NAME]",
     "connect to an upstream, verify its certificate, send a query, and report all of it", probe_options,
     rules_options, cmd_probe},
    {"ct-logs",
     "show [-c FILE] [--state-dir DIR] [--json]\n"
     "       ctstub ct-logs check [--json] FILE\n"
     "       ctstub ct-logs update [-c FILE] [--state-dir DIR] [--url URL] [--ca FILE] [--older-than AGE]\n"
     "           [--force] [--json]\n"
     "       ctstub ct-logs import [-c FILE] [--state-dir DIR] [--force] [--json] FILE",
     "show, check or renew the list of CT logs", ct_logs_options, NULL, cmd_ct_logs},
    {"audit",
     "[-c FILE] [--ct-logs FILE] [--ca FILE] [--at TIME] [--evidence DIR] [--live] [--json]\n"
     "    [UPSTREAM | --chain FILE]",
     "check that CT logs kept the promise of each SCT of a certificate", audit_options, NULL, cmd_audit},
    {"disallow", "check [--json] FILE\n       ctstub disallow import --onecrl FILE [-o FILE [--json]]",
     "check a file of disallow entries, or create one from Mozilla's OneCRL", disallow_options, NULL,
     cmd_disallow},
    {"status", "[-c FILE | --socket PATH] [--watch] [--json]",
     "show whether DNS is protected, by which upstreams, and what to do if not", status_options,
     control_options, cmd_status},
    {"upstreams", "[-c FILE | --socket PATH] [--json]",
     "show each upstream address, and if it is not in use, why", control_options, NULL, cmd_upstreams},
    {"stats", "[-c FILE | --socket PATH] [--json | --prometheus]", "print the daemon's counters",
     stats_options, control_options, cmd_stats},
    {"flush", "[-c FILE | --socket PATH] [--json] [NAME]",
     "drop cached answers, all or those at and below a name", control_options, NULL, cmd_flush},
    {"reload", "[-c FILE | --socket PATH] [--json]", "reload the configuration", control_options, NULL,
     cmd_reload},
    {"log-level", "[-c FILE | --socket PATH] [--json] error|warn|notice|info|debug",
     "change how much the daemon logs", control_options, NULL, cmd_log_level},
    {"captive", "[-c FILE | --socket PATH] [--json] [MINUTES|off]",
     "retry upstreams often behind a captive portal, and open a portal window", control_options, NULL,
     cmd_captive},
    {"metrics", "[-c FILE | --socket PATH] [--json] --listen ADDR:PORT",
     "serve the daemon's counters to Prometheus over HTTP", metrics_options, NULL, cmd_metrics},
    {"setup", "[-c FILE] [[--yes] [--with-links] | --undo | --check [--json]]",
     "make this machine resolve through ctstub, or restore what was there", setup_options, NULL, cmd_setup},
    {"egress",
     "[-c FILE] [--user NAME] [--lists-user NAME] [--updates]\n"
     "    [--nftables | --systemd | --check] [--json]",
     "print firewall rules that let only ctstub reach resolvers, or show whom they refused", egress_options,
     NULL, cmd_egress},
    {"history", "[-c FILE] [--state-dir DIR] [--last N] [--json] [UPSTREAM]",
     "print the history of the upstreams: certificates, issuers, logs and refusals", history_options, NULL,
     cmd_history},
    {"help", "[VERB]", "show help for ctstub or one of its verbs", help_options, NULL, cmd_help},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct verb *
verb_find(const char *name)
{
	for (const struct verb *v = verb_table; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}
