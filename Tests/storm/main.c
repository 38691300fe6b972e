// storm: what a hostile network does to a SIP server, for the tests of Tests/system. Everything stays on loopback.
//
//   storm register --server 127.0.0.1:5060 --from 127.0.0.2 --phones 5000 --seconds 60 --spread 5
//       Phones behind one address register, each from a port of its own, with the retransmissions of RFC 3261.
//   storm traffic --from 127.0.0.3 --phones 40 --seconds 30 --calls 20 --texts 20 --registers 10
//       Phones call, text and register again, so many a second, and check everything that arrives.
//   storm scan --from 127.0.1.1 --addresses 50 --rate 20000 --seconds 60
//       A scanner: REGISTER, INVITE, OPTIONS and rubbish, with the passwords of a bad guesser.
//   storm garbage --from 127.0.2.1 --addresses 20 --count 1000000 --rate 20000
//       Random and mutated datagrams.
//   storm relay --listen 127.0.0.1:7000 --inside 127.0.3.1 --outside 127.0.4.1 --ports 30000-30099 --loss 2 ...
//       A network between phones and server that loses, doubles and delays datagrams; with --corrupted and
//       --misdirected one that no server can be blamed for, to see that `storm traffic` notices.
//
// Each command ends with one line of JSON. The logins are PREFIX and five digits, the password is the login and
// "-secret".
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct options options = {.domain = "rollcall.test",
    .prefix = "storm",
    .phones = 10,
    .addresses = 1,
    .seconds = 10,
    .spread = 1,
    .rate = 1000,
    .holdSeconds = 0.5,
    .seed = 1,
    .expires = 3600,
    .count = 1000};

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("storm: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}

int64_t microseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

uint32_t randomNumber(void) {
    static uint64_t state;
    if (!state) state = options.seed * 0x9e3779b97f4a7c15ull + 1;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state >> 32;
}

uint32_t randomBelow(uint32_t limit) { return randomNumber() % limit; }

double randomFraction(void) { return randomNumber() / 4294967296.0; }

int datagramSocket(struct sockaddr_in address, int bufferSize) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (descriptor < 0) fail("socket: %s", strerror(errno));
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address))
        fail("bind to %s:%d: %s", hostOf(address), ntohs(address.sin_port), strerror(errno));
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bufferSize, sizeof bufferSize);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bufferSize, sizeof bufferSize);
    return descriptor;
}

struct sockaddr_in nameOf(int descriptor) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    getsockname(descriptor, (struct sockaddr *)&address, &length);
    return address;
}

const char *hostOf(struct sockaddr_in address) { return inet_ntoa(address.sin_addr); }

// The address so many hosts further.
struct sockaddr_in shifted(struct sockaddr_in address, int hosts) {
    address.sin_addr.s_addr = htonl(ntohl(address.sin_addr.s_addr) + hosts);
    return address;
}

static struct sockaddr_in parsed(const char *text) {
    char host[40] = "";
    int port = 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    sscanf(text, "%39[^:]:%d", host, &port);
    if (!inet_aton(host, &address.sin_addr) || (ntohl(address.sin_addr.s_addr) >> 24) != 127)
        fail("%s is no address of this machine's loopback", text);
    address.sin_port = htons(port);
    return address;
}

static bool take(const char *name, const char *value) {
    if (!strcmp(name, "--server"))
        options.server = parsed(value);
    else if (!strcmp(name, "--from"))
        options.address = parsed(value);
    else if (!strcmp(name, "--inside"))
        options.inside = parsed(value);
    else if (!strcmp(name, "--outside"))
        options.outside = parsed(value);
    else if (!strcmp(name, "--listen"))
        options.listen = parsed(value);
    else if (!strcmp(name, "--contact"))
        snprintf(options.contactHost, sizeof options.contactHost, "%s", value);
    else if (!strcmp(name, "--domain"))
        snprintf(options.domain, sizeof options.domain, "%s", value);
    else if (!strcmp(name, "--prefix"))
        snprintf(options.prefix, sizeof options.prefix, "%s", value);
    else if (!strcmp(name, "--phones"))
        options.phones = atoi(value);
    else if (!strcmp(name, "--first"))
        options.firstPhone = atoi(value);
    else if (!strcmp(name, "--ports"))
        sscanf(value, "%d-%d", &options.firstPort, &options.lastPort);
    else if (!strcmp(name, "--addresses"))
        options.addresses = atoi(value);
    else if (!strcmp(name, "--seconds"))
        options.seconds = atof(value);
    else if (!strcmp(name, "--spread"))
        options.spread = atof(value);
    else if (!strcmp(name, "--rate"))
        options.rate = atof(value);
    else if (!strcmp(name, "--calls"))
        options.calls = atof(value);
    else if (!strcmp(name, "--texts"))
        options.texts = atof(value);
    else if (!strcmp(name, "--registers"))
        options.registers = atof(value);
    else if (!strcmp(name, "--hold"))
        options.holdSeconds = atof(value);
    else if (!strcmp(name, "--ring"))
        options.ringSeconds = atof(value);
    else if (!strcmp(name, "--loss"))
        options.loss = atof(value) / 100;
    else if (!strcmp(name, "--duplicates"))
        options.duplicates = atof(value) / 100;
    else if (!strcmp(name, "--delays"))
        options.delays = atof(value) / 100;
    else if (!strcmp(name, "--corrupted"))
        options.corrupted = atof(value) / 100;
    else if (!strcmp(name, "--misdirected"))
        options.misdirected = atof(value) / 100;
    else if (!strcmp(name, "--count"))
        options.count = atol(value);
    else if (!strcmp(name, "--seed"))
        options.seed = atoi(value);
    else if (!strcmp(name, "--expires"))
        options.expires = atoi(value);
    else
        return false;
    return true;
}

int main(int count, char **arguments) {
    if (count < 2) fail("which command? See main.c");
    for (int i = 2; i < count; i += 2)
        if (i + 1 == count || !take(arguments[i], arguments[i + 1])) fail("what is %s?", arguments[i]);
    if (!options.server.sin_port) fail("--server is missing");
    const char *command = arguments[1];
    if (!strcmp(command, "register")) return phones(false);
    if (!strcmp(command, "traffic")) return phones(true);
    if (!strcmp(command, "scan")) return scan();
    if (!strcmp(command, "garbage")) return garbage();
    if (!strcmp(command, "relay")) return relay();
    fail("no command '%s'", command);
}
