/*
 * udpecho.c - the ceiling of the load generator on this machine: sends each DNS question back as an answer.
 *
 *   udpecho PORT
 *
 * Batches of datagrams per system call and nothing else; what our daemon needs beyond this is its own cost.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 32
#define SIZE  2048

static uint8_t bytes[BATCH][SIZE];
static struct sockaddr_in peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr batch[BATCH];

int
main(int argc, char **argv)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "0")),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) < 0) {
		perror("udpecho");
		return 1;
	}
	for (;;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){bytes[i], SIZE};
			memset(&batch[i], 0, sizeof batch[i]);
			batch[i].msg_hdr.msg_name = &peers[i];
			batch[i].msg_hdr.msg_namelen = sizeof peers[i];
			batch[i].msg_hdr.msg_iov = &parts[i];
			batch[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			bytes[i][2] |= 0x80; /* QR */
			parts[i].iov_len = batch[i].msg_len;
		}
		for (int sent = 0; sent < n;) {
			int k = sendmmsg(fd, batch + sent, (unsigned)(n - sent), 0);

			if (k <= 0)
				break;
			sent += k;
		}
	}
}
