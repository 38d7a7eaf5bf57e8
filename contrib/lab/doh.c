/* doh.c - DNS over HTTPS: HTTP/2 (RFC 9113) and RFC 8484, as a server that may break both. */
#include "contrib/lab/conn.h"

enum res
doh_open(struct conn *conn)
{
	(void)conn;
	return RES_UNSUPPORTED;
}

void
doh_on_data(struct conn *conn)
{
	(void)conn;
}

void
doh_send(struct conn *conn, int32_t stream, struct span message)
{
	(void)conn, (void)stream, (void)message;
}

void
doh_free(struct h2 *h2)
{
	(void)h2;
}
