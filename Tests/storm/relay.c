// A network between phones and server that loses, doubles and delays datagrams.
//
// Phones at `inside`:PORT send to `listen`; what they send leaves from `outside`:PORT for the server, and what the
// server sends to `outside`:PORT comes to `inside`:PORT from `listen`: the far end of a NAT that keeps ports.
#include "storm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ways = 4096 };

// A datagram on its way.
struct datagram {
    int64_t due;
    int descriptor, length;
    struct sockaddr_in to;
    char *bytes;
};

static struct datagram waiting[ways];
static int waitingCount;
static long passed, lost, doubled, delayed;
static volatile sig_atomic_t isStopping;

static void stop(int number) { (void)number, isStopping = 1; }

static void later(int64_t due, int descriptor, struct sockaddr_in to, const char *bytes, int length) {
    if (waitingCount == ways) return;
    struct datagram *datagram = &waiting[waitingCount++];
    *datagram = (struct datagram){due, descriptor, length, to, malloc(length + 1)};
    memcpy(datagram->bytes, bytes, length);
}

static void pass(int descriptor, struct sockaddr_in to, char *bytes, int length, int64_t now) {
    if (randomFraction() < options.loss) {
        lost++;
        return;
    }
    passed++;
    if (randomFraction() < options.duplicates) {
        doubled++;
        later(now + randomBelow(100000), descriptor, to, bytes, length);
    }
    if (randomFraction() < options.delays) {
        delayed++;
        later(now + 5000 + randomBelow(200000), descriptor, to, bytes, length);
        return;
    }
    sendto(descriptor, bytes, length, 0, (struct sockaddr *)&to, sizeof to);
}

int relay(void) {
    int count = options.lastPort - options.firstPort + 1;
    if (count < 1 || count > 2000) fail("--ports FIRST-LAST is missing, or too many");
    struct pollfd *descriptors = calloc(count + 1, sizeof *descriptors);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in outside = options.outside;
        outside.sin_port = htons(options.firstPort + i);
        descriptors[i] = (struct pollfd){datagramSocket(outside, 1 << 18), POLLIN, 0};
    }
    descriptors[count] = (struct pollfd){datagramSocket(options.listen, 1 << 21), POLLIN, 0};
    signal(SIGTERM, stop);
    puts("READY");
    fflush(stdout);
    static char bytes[65536];
    while (!isStopping) {
        poll(descriptors, count + 1, 2);
        int64_t now = microseconds();
        for (int i = 0; i <= count; i++) {
            if (!descriptors[i].revents) continue;
            for (int turns = 0; turns < 64; turns++) {
                struct sockaddr_in from;
                socklen_t size = sizeof from;
                int length = recvfrom(descriptors[i].fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
                if (length < 0) break;
                if (length == 0) continue;
                if (i < count) {
                    struct sockaddr_in to = options.inside;
                    to.sin_port = htons(options.firstPort + i);
                    if (randomFraction() < options.misdirected)
                        to.sin_port = htons(options.firstPort + (i + 1) % count);
                    if (randomFraction() < options.corrupted) bytes[length - 1] ^= 1;
                    pass(descriptors[count].fd, to, bytes, length, now);
                } else {
                    int way = ntohs(from.sin_port) - options.firstPort;
                    if (way >= 0 && way < count) pass(descriptors[way].fd, options.server, bytes, length, now);
                }
            }
        }
        for (int i = 0; i < waitingCount;) {
            struct datagram *datagram = &waiting[i];
            if (datagram->due > now) {
                i++;
                continue;
            }
            sendto(datagram->descriptor, datagram->bytes, datagram->length, 0, (struct sockaddr *)&datagram->to,
                sizeof datagram->to);
            free(datagram->bytes);
            *datagram = waiting[--waitingCount];
        }
    }
    printf("{\"passed\": %ld, \"lost\": %ld, \"doubled\": %ld, \"delayed\": %ld}\n", passed, lost, doubled, delayed);
    return 0;
}
