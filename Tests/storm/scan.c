// A scanner as it comes from the Internet: many addresses, no password known, more packets than all phones together.
#include "storm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { batch = 32 };

struct source {
    int descriptor;
    struct sockaddr_in address;
    struct challenge challenge;
    bool wasChallenged;
};

static void head(struct writer *writer, struct source *source, const char *method, const char *uri, const char *login) {
    put(writer, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bK%08x%08x;rport\r\n", method, uri,
        hostOf(source->address), ntohs(source->address.sin_port), randomNumber(), randomNumber());
    put(writer, "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%08x\r\nTo: <sip:%s@%s>\r\n", login, options.domain,
        randomNumber(), login, options.domain);
    put(writer, "Call-ID: %08x%08x\r\nCSeq: 1 %s\r\nUser-Agent: friendly-scanner\r\n", randomNumber(), randomNumber(),
        method);
}

static int attempt(struct source *source, char *bytes) {
    static const char *const passwords[] = {"1234", "admin", "password", "secret", "100"};
    struct writer writer = writing(bytes, largest);
    char login[60], registrar[100], target[120];
    if (randomBelow(2))
        snprintf(login, sizeof login, "%u", 100 + randomBelow(900));
    else
        snprintf(login, sizeof login, "%s%05u", options.prefix, randomBelow(options.phones));
    snprintf(registrar, sizeof registrar, "sip:%s", options.domain);
    uint32_t kind = randomBelow(100);
    if (kind < 30 || (kind < 60 && !source->wasChallenged)) {
        head(&writer, source, "REGISTER", registrar, login);
        put(&writer, "Contact: <sip:%s@%s:5060>\r\nExpires: 60\r\n", login, hostOf(source->address));
    } else if (kind < 60) {
        head(&writer, source, "REGISTER", registrar, login);
        put(&writer, "Contact: <sip:%s@%s:5060>\r\nExpires: 60\r\n", login, hostOf(source->address));
        putCredentials(&writer, &source->challenge, login, passwords[randomBelow(5)], "REGISTER", registrar);
    } else if (kind < 75) {
        snprintf(target, sizeof target, "sip:100@%s", options.domain);
        head(&writer, source, "OPTIONS", target, login);
    } else if (kind < 90) {
        snprintf(target, sizeof target, "sip:00%u@%s", randomNumber(), options.domain);
        head(&writer, source, "INVITE", target, login);
        put(&writer, "Contact: <sip:%s@%s:5060>\r\n", login, hostOf(source->address));
    } else {
        int length = 1 + randomBelow(400);
        for (int i = 0; i < length; i++) bytes[i] = randomNumber();
        return length;
    }
    put(&writer, "Content-Length: 0\r\n\r\n");
    return writer.length;
}

int scan(void) {
    int count = options.addresses;
    struct source *sources = calloc(count, sizeof *sources);
    for (int i = 0; i < count; i++) {
        sources[i].descriptor = datagramSocket(shifted(options.address, i), 1 << 18);
        sources[i].address = nameOf(sources[i].descriptor);
    }
    puts("READY");
    fflush(stdout);
    long sent = 0, missed = 0, answers = 0, refused = 0, accepted = 0;
    int64_t sentBytes = 0, answerBytes = 0, began = microseconds(), now = began, worst = 0;
    static char bytes[65536], packets[batch][largest];
    while ((now = microseconds()) - began < options.seconds * 1e6) {
        long due = (now - began) * options.rate / 1e6 - sent - missed;
        if (due > worst) worst = due;
        // After a pause of the machine nothing is made up for: a burst is another show.
        if (due > options.rate / 50) {
            missed += due - (long)(options.rate / 50);
            due = options.rate / 50;
        }
        if (due <= 0) nanosleep(&(struct timespec){0, 500000}, NULL);
        while (due > 0) {
            // A batch goes out from one address.
            struct source *source = &sources[randomBelow(count)];
            struct mmsghdr messages[batch] = {0};
            struct iovec pieces[batch];
            int size = due < batch ? due : batch;
            for (int i = 0; i < size; i++) {
                pieces[i] = (struct iovec){packets[i], attempt(source, packets[i])};
                messages[i].msg_hdr = (struct msghdr){.msg_name = &options.server,
                    .msg_namelen = sizeof options.server,
                    .msg_iov = &pieces[i],
                    .msg_iovlen = 1};
                sentBytes += pieces[i].iov_len;
            }
            int gone = sendmmsg(source->descriptor, messages, size, 0);
            sent += gone > 0 ? gone : 1;
            due -= gone > 0 ? gone : 1;
            for (;;) {
                int length = recv(source->descriptor, bytes, sizeof bytes, 0);
                if (length < 0) break;
                answers++, answerBytes += length;
                struct text message = {bytes, length};
                int status = statusOf(message);
                struct text method;
                bool isRegister =
                    header(message, "CSeq", 0, &method) && memmem(method.at, method.length, "REGISTER", 8);
                accepted += status == 200 && isRegister;
                refused += status == 403 || status == 503;
                if (status == 401 && (!source->wasChallenged || source->challenge.count > 20))
                    source->wasChallenged = readChallenge(message, &source->challenge);
            }
        }
    }
    printf(
        "{\"sent\": %ld, \"per_s\": %.0f, \"answers\": %ld, \"refused\": %ld, \"accepted\": %ld, \"bytes_sent\": %lld, "
        "\"bytes_answered\": %lld, \"worst_lag\": %lld}\n",
        sent, sent * 1e6 / (microseconds() - began), answers, refused, accepted, (long long)sentBytes,
        (long long)answerBytes, (long long)worst);
    return 0;
}
