#include "config/compiled_in.h"

/* Public resolvers by address, as their operators publish them. */
const char compiled_in_upstreams[] =
    "upstream \"cloudflare\" {\n"
    "	address = {\"1.1.1.1\", \"1.0.0.1\", \"2606:4700:4700::1111\", \"2606:4700:4700::1001\"}\n"
    /* issued for 1.1.1.1 in 2024 and 2025 without Cloudflare's knowledge */
    "	disallow = {\"serial a530a29cc1a5da40000000005671f24c issuer CN=Fina RDC 2015,O=Financijska "
    "agencija,C=HR\"}\n"
    "}\n"
    "upstream \"quad9\" { address = {\"9.9.9.9\", \"149.112.112.112\", \"2620:fe::fe\", \"2620:fe::9\"} }\n"
    "upstream \"google\" {\n"
    "	address = {\"8.8.8.8\", \"8.8.4.4\", \"2001:4860:4860::8888\", \"2001:4860:4860::8844\"}\n"
    "}\n";

const char *const compiled_in_titles[COMPILED_IN_N] = {"cloudflare", "quad9", "google"};
