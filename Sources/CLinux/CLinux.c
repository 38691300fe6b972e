#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

_Static_assert(sizeof(struct clinux_message) == sizeof(struct mmsghdr), "struct mmsghdr differs");
_Static_assert(offsetof(struct clinux_message, length) == offsetof(struct mmsghdr, msg_len), "struct mmsghdr differs");

int clinux_receive(int descriptor, struct clinux_message *messages, unsigned int count) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL);
}

int clinux_send(int descriptor, struct clinux_message *messages, unsigned int count) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int clinux_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t clinux_read_error(int descriptor, void *buffer, size_t size, struct sockaddr_storage *destination, int *error) {
    union {
        struct cmsghdr alignment;
        char bytes[512];
    } control;
    struct iovec vector = {.iov_base = buffer, .iov_len = size};
    struct msghdr header = {
        .msg_name = destination,
        .msg_namelen = sizeof *destination,
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    memset(destination, 0, sizeof *destination);
    *error = 0;
    ssize_t length = recvmsg(descriptor, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (length < 0) return -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
        int v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        int v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
        if ((!v4 && !v6) || part->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err))) continue;
        struct sock_extended_err report;
        memcpy(&report, CMSG_DATA(part), sizeof report);
        if (report.ee_origin == SO_EE_ORIGIN_ICMP || report.ee_origin == SO_EE_ORIGIN_ICMP6) *error = (int)report.ee_errno;
    }
    return length;
}

int clinux_queue(int descriptor, uint32_t *bytes, uint32_t *lost) {
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof values;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &length) < 0) return -1;
    *bytes = values[SK_MEMINFO_RMEM_ALLOC];
    *lost = values[SK_MEMINFO_DROPS];
    return 0;
}

int clinux_grow_receive_buffer(int descriptor, int size) {
    int granted = 0;
    socklen_t length = sizeof granted;
    // The kernel doubles what is set, for its own overhead, and reports the double.
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &granted, &length) < 0 ? 0 : granted / 2;
}

void clinux_name_thread(const char *name) {
    char text[16] = {0};
    strncpy(text, name, sizeof text - 1);
    pthread_setname_np(pthread_self(), text);
}
