/*
 * doh_session.h - the HTTP/2 session of a DoH connection: bytes in, streams that are done out.
 *
 * nghttp2's callbacks only record what happened: finished streams go into a list, and they are handled (answers, resets)
 * after nghttp2 has returned. nghttp2 bounds neither a client's
 * header fields nor informational responses nor empty frames, so the limits here are ours.
 */
#ifndef TRANSPORT_DOH_SESSION_H
#define TRANSPORT_DOH_SESSION_H

#include "transport/doh_stream.h"
#include "verify/verdict.h"

#include <nghttp2/nghttp2.h>

#define DOH_FIELDS_MAX        64          /* of one response, all header blocks together */
#define DOH_FIELD_BYTES_MAX   (16 * 1024) /* names and values; DoH servers send about 200 bytes */
#define DOH_BLOCKS_MAX        8           /* header blocks: 1xx responses before the final one */
#define DOH_FRAMES_MAX        4000        /* received in DOH_FRAMES_PER_MS without one answer among them */
#define DOH_FRAMES_PER_MS     10000
#define DOH_OUT_HIGH          (64 * 1024) /* plain bytes; the rest waits in nghttp2, no new streams meanwhile */
#define DOH_STREAMS_MAX       1000        /* at once, whatever the peer allows */
#define DOH_STREAM_ID_MAX     (1 << 30)   /* ids end at 2^31 - 1: the connection is replaced in time */
#define DOH_OUTBOUND_ACKS_MAX 64          /* PING and SETTINGS whose acknowledgements wait to be sent */
#define DOH_FRAME_HEAD        9           /* RFC 9113, 4.1 */
#define DOH_WINDOW            (1024 * 1024) /* of all streams together; a stream's own window bounds its body */

struct doh_session {
	nghttp2_session *h2;
	struct doh_streams streams;
	bool goaway; /* received */
	bool broken; /* a frame that is not allowed */
	unsigned frames;
	int64_t frames_since_ms;
	uint8_t frame_head[DOH_FRAME_HEAD]; /* of the frame that is being received */
	size_t n_frame_head;
	size_t frame_left; /* of its payload */
};

/* Zeroed before; doh_session_close after a failure, too. RES_NOMEM. */
enum res doh_session_open(struct doh_session *);
void doh_session_close(struct doh_session *);
/* No new streams are possible: the peer sent GOAWAY, or the ids run out. */
bool doh_session_is_draining(const struct doh_session *);
/* May one more stream begin now? */
bool doh_session_has_room(const struct doh_session *);
/* Received bytes. REASON_NONE: no fault; finished streams are in `streams` in every case. */
enum reason doh_session_receive(struct doh_session *, const uint8_t *p, size_t n, const char **detail);
/* Appends what nghttp2 wants to send, up to DOH_OUT_HIGH. */
enum reason doh_session_send(struct doh_session *, struct buf *out, const char **detail);
/* Nothing more will be received or sent. */
bool doh_session_is_over(const struct doh_session *);
void doh_session_reset(struct doh_session *, const struct doh_stream *, uint32_t error);

#endif
