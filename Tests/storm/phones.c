// The loop of `storm register` and `storm traffic`: sockets, clock, rates, and the figures at the end.
#include "phones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct phone *allPhones;
struct job *jobs;
int jobCount;
struct counts counts;
int64_t now;
char run[9];

static uint32_t *setups;
static int setupCount;
static int64_t longestPause;

void keepSetup(int64_t took) {
    if (setupCount % 1024 == 0) setups = realloc(setups, (setupCount + 1024) * sizeof *setups);
    setups[setupCount++] = took;
}

static int ascending(const void *a, const void *b) {
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : *(const uint32_t *)a > *(const uint32_t *)b;
}

static double setup(double part) { return setupCount ? setups[(int)((setupCount - 1) * part)] / 1e3 : 0; }

void transmit(int phone, const char *bytes, int length) {
    sendto(allPhones[phone].descriptor, bytes, length, 0, (struct sockaddr *)&options.server, sizeof options.server);
}

static void open(int queue) {
    allPhones = calloc(options.phones, sizeof *allPhones);
    for (int i = 0; i < options.phones; i++) {
        struct phone *phone = &allPhones[i];
        struct sockaddr_in address = options.address;
        if (options.firstPort) address.sin_port = htons(options.firstPort + i);
        phone->descriptor = datagramSocket(address, options.phones > 1000 ? 1 << 15 : 1 << 18);
        phone->address = nameOf(phone->descriptor);
        snprintf(phone->login, sizeof phone->login, "%s%05d", options.prefix, options.firstPhone + i);
        snprintf(phone->password, sizeof phone->password, "%s-secret", phone->login);
        snprintf(phone->contact, sizeof phone->contact, "sip:%s@%s:%d", phone->login, options.contactHost,
            ntohs(phone->address.sin_port));
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(queue, EPOLL_CTL_ADD, phone->descriptor, &event);
    }
}

static void receive(int queue, int wait) {
    static char bytes[65536];
    struct epoll_event events[256];
    int count = epoll_wait(queue, events, 256, wait);
    int64_t before = now;
    now = microseconds();
    // How long the machine let this program wait, beside the 2 ms that it asked for.
    if (before && now - before > longestPause) longestPause = now - before;
    for (int i = 0; i < count; i++) {
        int phone = events[i].data.u32, length;
        while ((length = recv(allPhones[phone].descriptor, bytes, sizeof bytes - 1, 0)) >= 0) {
            bytes[length] = 0;
            struct text message = {bytes, length};
            counts.received++;
            int status = statusOf(message);
            if (status > 0)
                receiveResponse(phone, message);
            else if (status == 0)
                receiveRequest(phone, message);
            else if (length > 4)
                violation("%s got bytes that are no SIP", allPhones[phone].login);
        }
    }
}

static int tickAll(void) {
    int active = 0;
    for (int i = 0; i < jobCount; i++) {
        if (jobs[i].isActive) tick(&jobs[i]);
        active += jobs[i].isActive;
    }
    return active;
}

static void registerAgain(int phone) {
    if (allPhones[phone].isRegistering) return;
    struct job *job = start(registering, phone, phone);
    if (!job) return;
    allPhones[phone].isRegistering = true;
    request(job);
}

static int registeredPhones(void) {
    int count = 0;
    for (int i = 0; i < options.phones; i++) count += allPhones[i].isRegistered;
    return count;
}

// All phones register, spread over some time; gives how many did within the limit.
static int registerAll(int queue, double seconds) {
    int64_t began = microseconds(), ticked = 0;
    int started = 0, registered = 0;
    do {
        receive(queue, 2);
        while (started < options.phones && (now - began) / 1e6 >= options.spread * started / options.phones)
            registerAgain(started++);
        if (now - ticked > 10000) {
            ticked = now;
            tickAll();
            registered = registeredPhones();
        }
    } while (registered < options.phones && now - began < seconds * 1e6);
    return registered;
}

static void startCalls(double seconds, double *due, double rate, enum kind kind) {
    for (*due += seconds * rate; *due >= 1; --*due) {
        int caller = randomBelow(options.phones),
            callee = (caller + 1 + randomBelow(options.phones - 1)) % options.phones;
        if (kind == registering) {
            registerAgain(caller);
            continue;
        }
        struct job *job = start(kind, caller, callee);
        if (job)
            request(job);
        else
            counts.failed++;
    }
}

static int traffic(int queue) {
    int64_t began = microseconds(), before = began, ticked = 0;
    double calls = 0, texts = 0, registers = 0;
    int active = 0;
    for (;;) {
        receive(queue, 2);
        bool isOver = now - began > options.seconds * 1e6;
        if (!isOver) {
            double seconds = (now - before) / 1e6;
            startCalls(seconds, &calls, options.calls, calling);
            startCalls(seconds, &texts, options.texts, texting);
            startCalls(seconds, &registers, options.registers, registering);
        }
        before = now;
        if (now - ticked > 5000) {
            ticked = now;
            active = tickAll();
        }
        if ((isOver && !active) || now - began > (options.seconds + 70) * 1e6) return active;
    }
}

int phones(bool isTraffic) {
    int queue = epoll_create1(0), unfinished = 0;
    if (options.phones < 2) fail("two phones at least");
    if (!options.contactHost[0])
        snprintf(options.contactHost, sizeof options.contactHost, "%s", hostOf(options.address));
    snprintf(run, sizeof run, "%08x", (unsigned)(microseconds() ^ options.seed * 2654435761u));
    open(queue);
    jobCount = options.phones > 2000 ? options.phones : 2000;
    jobs = calloc(jobCount, sizeof *jobs);
    int64_t began = microseconds();
    int registered = registerAll(queue, isTraffic ? 60 : options.seconds);
    double lastRegistered = (counts.lastRegistered - began) / 1e6;
    if (isTraffic) {
        puts("READY");
        fflush(stdout);
        unfinished = traffic(queue);
    }
    if (setupCount) qsort(setups, setupCount, sizeof *setups, ascending);
    printf("{\"phones\": %d, \"registered\": %d, \"last_registered_s\": %.2f, \"registrations\": %ld, \"texts\": %ld, "
           "\"calls\": %ld, \"hung_up\": %ld, \"busy\": %ld, \"cancelled\": %ld, \"failed\": %ld, \"timeouts\": %ld, "
           "\"unfinished\": %d, \"missing_acks\": %ld, \"violations\": %ld, \"violation\": \"%s\", ",
        options.phones, registered, registered ? lastRegistered : 0, counts.registered, counts.texts, counts.calls,
        counts.ended[hungUpByCaller] + counts.ended[hungUpByCallee], counts.ended[busy], counts.ended[cancelled],
        counts.failed, counts.timeouts, unfinished, counts.missingACKs, counts.violations, counts.firstViolation);
    printf("\"received\": %ld, \"retransmissions\": %ld, \"challenges\": %ld, \"late\": %ld, \"setups\": %d, "
           "\"setup_p50_ms\": %.1f, \"setup_p99_ms\": %.1f, \"setup_max_ms\": %.1f, \"pause_ms\": %.1f, "
           "\"statuses\": {",
        counts.received, counts.retransmissions, counts.challenges, counts.late, setupCount, setup(0.5), setup(0.99),
        setup(1), longestPause / 1e3);
    const char *comma = "";
    for (int i = 100; i < 700; i++)
        if (counts.statuses[i]) printf("%s\"%d\": %ld", comma, i, counts.statuses[i]), comma = ", ";
    puts("}}");
    return 0;
}
