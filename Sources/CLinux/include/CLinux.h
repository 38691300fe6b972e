#pragma once
// What the Glibc module hides from Swift. _GNU_SOURCE must not be defined here: it changes types of the Glibc module.
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// `struct mmsghdr`, which the C library hides without _GNU_SOURCE; the size is asserted in the implementation.
struct clinux_message {
    struct msghdr header;
    unsigned int length;
};

/// recvmmsg without waiting: how many of `messages` were filled, or -1 with errno.
int clinux_receive(int descriptor, struct clinux_message *messages, unsigned int count);

/// sendmmsg without waiting: how many of `messages` were sent, or -1 with errno when the first could not be.
int clinux_send(int descriptor, struct clinux_message *messages, unsigned int count);

/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC.
int clinux_accept(int descriptor, struct sockaddr *address, socklen_t *length);

/// One entry of a socket's error queue (IP_RECVERR, IPV6_RECVERR): the beginning of the datagram that could not be
/// delivered goes to `buffer`, where it was to go to `destination`, the errno of the ICMP error to `error` (0 when a
/// host or router did not report it, but this machine).
/// The number of bytes, or -1 with errno (EAGAIN: the queue is empty).
ssize_t clinux_read_error(int descriptor, void *buffer, size_t size, struct sockaddr_storage *destination, int *error);

/// How much memory the datagrams that wait in a socket take, and how many it has lost since it was made because its buffer
/// was full; -1 with errno.
int clinux_queue(int descriptor, uint32_t *bytes, uint32_t *lost);

/// The size of the receive buffer of a socket after asking for `size`, beyond the system's limit where that is allowed.
int clinux_grow_receive_buffer(int descriptor, int size);

/// Names the calling thread; at most 15 bytes are kept.
void clinux_name_thread(const char *name);
