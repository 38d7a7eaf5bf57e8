#include "transport/doh_request.h"

#include "transport/doh_fields.h"

#include <string.h>

#define PATH_MAX_BYTES (128 * 1024) /* a message of 64 KiB in base64, and the path before it */

static ssize_t
doh_on_request_read(nghttp2_session *h2, int32_t id, uint8_t *p, size_t room, uint32_t *flags,
		    nghttp2_data_source *source, void *arg)
{
	struct doh_stream *s = source->ptr;
	struct span rest = span_slice(s->request, s->request_sent, room);

	(void)h2;
	(void)id;
	(void)arg;
	if (s->exchange == NULL) /* cancelled: the bytes may be gone, its reset is on the way */
		return NGHTTP2_ERR_DEFERRED;
	if (rest.n > 0)
		memcpy(p, rest.p, rest.n);
	s->request_sent += rest.n;
	if (s->request_sent == s->request.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)rest.n;
}

static nghttp2_nv
doh_request_field(const char *name, struct span value, bool lasting)
{
	/* Names are constants; values that outlive the session need no copy either. */
	return (nghttp2_nv){
	    .name = (uint8_t *)(uintptr_t)name,
	    .namelen = strlen(name),
	    .value = (uint8_t *)(uintptr_t)value.p,
	    .valuelen = value.n,
	    .flags = (uint8_t)(NGHTTP2_NV_FLAG_NO_COPY_NAME | (lasting ? NGHTTP2_NV_FLAG_NO_COPY_VALUE : 0)),
	};
}

#define LENGTH_TEXT 8 /* a message has at most 5 digits of bytes */

/* The decimal digits of a length, at the end of text: snprintf(3) takes 700 instructions for them. */
static struct span
length_text(char text[LENGTH_TEXT], size_t n)
{
	size_t at = LENGTH_TEXT;

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0 && at > 0);
	return span_of(text + at, LENGTH_TEXT - at);
}

enum res
doh_request_submit(nghttp2_session *h2, const struct doh_target *target, struct doh_stream *s)
{
	static const char dns_message[] = "application/dns-message";
	const struct span type = span_of(dns_message, sizeof dns_message - 1);
	bool post = target->method == TP_POST;
	char length[LENGTH_TEXT];
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = doh_on_request_read};
	nghttp2_nv fields[7];
	struct buf get_path = buf_max(PATH_MAX_BYTES);
	size_t n = 0;

	if (!post)
		doh_path(&get_path, (const char *)target->path.p, &s->request);
	if (!buf_ok(&get_path)) {
		buf_free(&get_path);
		return RES_NOMEM;
	}
	fields[n++] = doh_request_field(":method", span_str(post ? "POST" : "GET"), true);
	fields[n++] = doh_request_field(":scheme", span_str("https"), true);
	fields[n++] = doh_request_field(":authority", buf_span(&target->authority), true);
	fields[n] = doh_request_field(":path", buf_span(post ? &target->path : &get_path), post);
	if (!post) /* each path is different: keep it out of the peer's dynamic table */
		fields[n].flags |= NGHTTP2_NV_FLAG_NO_INDEX;
	n++;
	fields[n++] = doh_request_field("accept", type, true);
	if (post) {
		fields[n++] = doh_request_field("content-type", type, true);
		fields[n++] = doh_request_field("content-length", length_text(length, s->request.n), false);
	}
	s->id = nghttp2_submit_request(h2, NULL, fields, n, post ? &body : NULL, s);
	buf_free(&get_path);
	return s->id < 0 ? RES_NOMEM : RES_OK;
}

enum res
doh_target_open(struct doh_target *target, const struct tp_target *tp)
{
	target->method = tp->method;
	target->authority = buf_max(512);
	target->path = buf_max(8192);
	doh_authority(&target->authority, tp);
	doh_path(&target->path, tp->path, NULL);
	return buf_cstr(&target->authority) != NULL && buf_cstr(&target->path) != NULL ? RES_OK : RES_NOMEM;
}

void
doh_target_close(struct doh_target *target)
{
	buf_free(&target->authority);
	buf_free(&target->path);
}
