/*
 * udpecho.c - sends every datagram back with the QR bit set: the lowest possible cost of a UDP answer.
 *
 *   udpecho PORT
 *
 * It reads and writes many datagrams a system call, as the daemon does.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH        32
#define DATAGRAM_MAX 4096
#define QR_BYTE      2
#define QR_BIT       0x80

static uint8_t bytes[BATCH][DATAGRAM_MAX];
static struct sockaddr_in from[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

static int
socket_open(uint16_t port)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0 ||
	    bind(fd, (const struct sockaddr *)&here, sizeof here) < 0)
		return -1;
	return fd;
}

int
main(int argc, char **argv)
{
	int fd = argc == 2 ? socket_open((uint16_t)atoi(argv[1])) : -1;

	if (fd < 0) {
		perror("udpecho PORT");
		return 1;
	}
	for (;;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			vectors[i] = (struct iovec){bytes[i], DATAGRAM_MAX};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof from[i],
							      .msg_iov = &vectors[i],
							      .msg_iovlen = 1};
		}
		n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			vectors[i].iov_len = messages[i].msg_len;
			if (messages[i].msg_len > QR_BYTE)
				bytes[i][QR_BYTE] |= QR_BIT;
		}
		if (n > 0)
			sendmmsg(fd, messages, (unsigned)n, 0);
	}
}
