// Random and mutated datagrams: valid SIP of every kind with its bytes changed, lines repeated, moved and left out,
// numbers made huge, quotes and brackets opened and not closed, and bytes that are no SIP at all.
#include "storm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { room = 60000, lines = 64 };

static const char *const methods[] = {"REGISTER", "INVITE", "MESSAGE", "OPTIONS", "BYE", "ACK", "CANCEL", "SUBSCRIBE",
    "NOTIFY", "INFO", "UPDATE", "PRACK", "REFER", "PUBLISH", "FROBNICATE"};
static const char *const tricks[] = {"\r\n", "\r\n\r\n", "\n", "\r", "\r\n ", "<", ">", "\"", "\\", "\"\\\"\"", ";",
    ",", ":", "@", "%", "%4", "%00", "?", "&", "[", "]", "[::1]", "[::", "(", ")", "((((", "\xc3\xa9", "\xff\xfe",
    "\xe2\x80\xae", "-1", "0", "4294967296", "18446744073709551616", "99999999999999999999999999", "2147483648", "0x10",
    " ", "\t", "sip:", "sips:", "tel:", ";lr", ";branch=", ";tag=", ";;;;", "==", "*", "SIP/2.0", "SIP/9.9", "<script>",
    "'; DROP TABLE client;--"};
static const char *const extras[] = {"Route: <sip:127.0.0.1;lr>", "Route: <sip:127.0.0.1:1;lr>,<sip:[::1];lr>",
    "Record-Route: <sip:x;lr>", "Expires: 0", "Contact: *", "Contact: <sip:a@127.0.2.1>;q=2.5;expires=99999999999",
    "Require: everything", "Proxy-Require: path,x", "Max-Forwards: 0", "Max-Breadth: 1",
    "Supported: outbound, path, gruu", "Path: <sip:p;lr>", "Content-Length: 4294967295", "Content-Length: -1", "l: 5",
    "Authorization: Digest", "Authorization: Digest username=\"a\", realm=\"b\", nonce=\"",
    "Proxy-Authorization: Basic Og==",
    "Authorization: Digest username=\"storm00000\",realm=\"rollcall.test\",nonce=\"0\","
    "uri=\"sip:rollcall.test\",response=\"00000000000000000000000000000000\",qop=auth,nc=00000001,cnonce=\"\"",
    "Via: SIP/2.0/TCP [::ffff:1.2.3.4]:99999;branch=z9hG4bK;received=;rport=", "Timestamp: 1e99", "RAck: 1 1 INVITE",
    "Subject: \xff\xff\xff", "Call-ID :", " folded", ":", "X", "Contact: \"\\", "From: \"a\\", "To: <<>>",
    "Replaces: a;b;c"};

// Puts bytes of another text at the place of some bytes of a message.
static int replace(char *bytes, int length, int start, int removed, const char *text, int added) {
    if (length - removed + added > room) return length;
    memmove(bytes + start + added, bytes + start + removed, length - start - removed);
    memcpy(bytes + start, text, added);
    return length - removed + added;
}

static int valid(struct sockaddr_in source, char *bytes) {
    struct writer writer = writing(bytes, largest);
    const char *method = methods[randomBelow(sizeof methods / sizeof *methods)];
    if (randomBelow(8) == 0) {
        put(&writer, "SIP/2.0 %u Answer\r\n", 100 + randomBelow(600));
    } else {
        put(&writer, "%s sip:%s%05u@%s SIP/2.0\r\n", method, options.prefix, randomBelow(options.phones),
            options.domain);
    }
    put(&writer, "Via: SIP/2.0/UDP %s:%d;branch=z9hG4bK%08x;rport\r\nMax-Forwards: %u\r\n", hostOf(source),
        ntohs(source.sin_port), randomNumber(), randomBelow(80));
    put(&writer, "From: \"%u\" <sip:%s%05u@%s>;tag=%x\r\n", randomNumber(), options.prefix, randomBelow(options.phones),
        options.domain, randomNumber());
    put(&writer, "To: <sip:%s%05u@%s>%s\r\nCall-ID: %08x@g\r\nCSeq: %u %s\r\n", options.prefix,
        randomBelow(options.phones), options.domain, randomBelow(3) ? "" : ";tag=1", randomNumber(),
        randomNumber() >> randomBelow(32), method);
    put(&writer, "Contact: <sip:g@%s:%d>\r\n", hostOf(source), ntohs(source.sin_port));
    for (int i = randomBelow(3); i > 0; i--)
        put(&writer, "%s\r\n", extras[randomBelow(sizeof extras / sizeof *extras)]);
    put(&writer, "Content-Length: 4\r\n\r\nv=0\n");
    return writer.length;
}

// Repeats a line many times, leaves it out, or puts it somewhere else.
static int mutatedLines(char *bytes, int length) {
    int starts[lines], count = 0;
    for (int i = 0; i + 2 < length && count < lines; i++)
        if (i == 0 || bytes[i - 1] == '\n') starts[count++] = i;
    if (count < 3) return length;
    int chosen = randomBelow(count - 1), start = starts[chosen], size = starts[chosen + 1] - start;
    static char line[room];
    memcpy(line, bytes + start, size);
    switch (randomBelow(3)) {
    case 0: return replace(bytes, length, start, size, "", 0);
    case 1:
        for (int i = 1 << randomBelow(9); i > 0; i--) length = replace(bytes, length, start, 0, line, size);
        return length;
    default: return replace(bytes, length, starts[randomBelow(count - 1)], 0, line, size);
    }
}

static int mutated(char *bytes, int length) {
    static char filling[room];
    for (int i = 1 + randomBelow(6); i > 0 && length > 4; i--) {
        int start = randomBelow(length), rest = length - start, some = 1 + randomBelow(rest < 64 ? rest : 64);
        switch (randomBelow(7)) {
        case 0: bytes[start] ^= 1 << randomBelow(8); break;
        case 1: bytes[start] = 0; break;
        case 2: length = replace(bytes, length, start, some, "", 0); break;
        case 3: length = start + 1; break;
        case 4: {
            const char *trick = tricks[randomBelow(sizeof tricks / sizeof *tricks)];
            length = replace(bytes, length, start, randomBelow(2) ? some : 0, trick, strlen(trick));
            break;
        }
        case 5: {
            // A long word, as long as it fits.
            int size = 1 << randomBelow(16);
            memset(filling, "a1\"<;, %"[randomBelow(8)], sizeof filling);
            length = replace(bytes, length, start, 0, filling, size < room ? size : room - 1);
            break;
        }
        default: length = mutatedLines(bytes, length);
        }
    }
    return length;
}

int garbage(void) {
    int count = options.addresses;
    int *descriptors = calloc(count, sizeof *descriptors);
    for (int i = 0; i < count; i++) descriptors[i] = datagramSocket(shifted(options.address, i), 1 << 20);
    static char bytes[room + largest], answer[65536];
    long sent = 0, answers = 0, failed = 0, successes = 0;
    int64_t began = microseconds(), sentBytes = 0;
    while (sent < options.count) {
        double ahead = sent / options.rate - (microseconds() - began) / 1e6;
        if (ahead > 0) nanosleep(&(struct timespec){0, ahead < 0.5 ? (long)(ahead * 1e9) + 100000 : 500000000}, NULL);
        for (int i = 0; i < 16 && sent < options.count; i++, sent++) {
            int descriptor = descriptors[randomBelow(count)], length;
            if (randomBelow(8) == 0) {
                length = randomBelow(1500);
                for (int j = 0; j < length; j++) bytes[j] = randomNumber();
            } else {
                length = mutated(bytes, valid(nameOf(descriptor), bytes));
            }
            if (sendto(descriptor, bytes, length, 0, (struct sockaddr *)&options.server, sizeof options.server) < 0)
                failed++;
            sentBytes += length;
        }
        for (int i = 0; i < count; i++) {
            int length;
            while ((length = recv(descriptors[i], answer, sizeof answer, 0)) >= 0) {
                struct text method, message = {answer, length};
                answers++;
                successes += statusOf(message) == 200 && header(message, "CSeq", 0, &method) &&
                             memmem(method.at, method.length, "REGISTER", 8);
            }
        }
    }
    double seconds = (microseconds() - began) / 1e6;
    printf("{\"sent\": %ld, \"per_s\": %.0f, \"send_failures\": %ld, \"answers\": %ld, \"registered\": %ld, \"bytes\": "
           "%lld}\n",
        sent, sent / seconds, failed, answers, successes, (long long)sentBytes);
    return 0;
}
