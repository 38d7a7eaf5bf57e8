# ---- transport: the carrier
noinst_LIBRARIES += libtransport.a
libtransport_a_SOURCES = \
	transport/conn.c transport/conn.h \
	transport/conn_data.c \
	transport/conn_judge.c \
	transport/conn_time.c \
	transport/dial.c transport/dial.h \
	transport/doh.c \
	transport/doh_fields.c transport/doh_fields.h \
	transport/doh_padding.c transport/doh_padding.h \
	transport/doh_request.c transport/doh_request.h \
	transport/doh_session.c transport/doh_session.h \
	transport/doh_stream.c transport/doh_stream.h \
	transport/dot.c \
	transport/event_base.c transport/event_base.h \
	transport/exchange.c transport/exchange.h \
	transport/idle.c transport/idle.h \
	transport/nat.c transport/nat.h \
	transport/late.c transport/late.h \
	transport/loop.c transport/loop.h \
	transport/posts.c transport/posts.h \
	transport/proto.h \
	transport/quota.c transport/quota.h \
	transport/slot.c transport/slot.h \
	transport/slot_exchange.c \
	transport/slot_keep.c \
	transport/slot_report.c \
	transport/stall.c transport/stall.h \
	transport/ticket.c transport/ticket.h \
	transport/tls.h \
	transport/tls_handshake.c \
	transport/tls_identity.c \
	transport/tls_peer.c \
	transport/tls_session.c transport/tls_session.h \
	transport/tls_trouble.c \
	transport/transport.h \
	transport/unacked.c transport/unacked.h \
	transport/wheel.c transport/wheel.h
TRANSPORT_LIBS = libtransport.a $(VERIFY_LIBS) $(NGHTTP2_LIBS) $(EVENT_LIBS)
