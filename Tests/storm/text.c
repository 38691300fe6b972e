// SIP text: writing it, finding headers and parameters in it, answering challenges.
#include "storm.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct writer writing(char *bytes, int room) { return (struct writer){bytes, 0, room}; }

void put(struct writer *writer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int room = writer->room - writer->length;
    int length = vsnprintf(writer->bytes + writer->length, room, format, arguments);
    va_end(arguments);
    if (length >= room) fail("a message is longer than %d bytes", writer->room);
    writer->length += length;
}

void putBytes(struct writer *writer, struct text text) { put(writer, "%.*s", text.length, text.at); }

static const char *compact(const char *name) {
    static const char *const pairs[][2] = {
        {"Via", "v"}, {"From", "f"}, {"To", "t"}, {"Contact", "m"}, {"Call-ID", "i"}, {"Content-Length", "l"}};
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(pairs[i][0], name)) return pairs[i][1];
    return "";
}

// The value of the header line with this name, the first for index 0.
bool header(struct text message, const char *name, int index, struct text *value) {
    const char *end = message.at + message.length, *line = memchr(message.at, '\n', message.length);
    const char *brief = compact(name);
    while (line && ++line < end) {
        const char *next = memchr(line, '\n', end - line);
        if (!next || next - line < 2) return false;
        const char *colon = memchr(line, ':', next - line);
        struct text found = {line, colon ? (int)(colon - line) : 0};
        if (colon && (equals(found, name) || (*brief && equals(found, brief))) && index-- == 0) {
            for (colon++; colon < next && *colon == ' ';) colon++;
            while (next > colon && (next[-1] == '\r' || next[-1] == ' ')) next--;
            *value = (struct text){colon, (int)(next - colon)};
            return true;
        }
        line = next;
    }
    return false;
}

struct text body(struct text message) {
    const char *end = memmem(message.at, message.length, "\r\n\r\n", 4);
    if (!end) return (struct text){message.at, 0};
    return (struct text){end + 4, (int)(message.at + message.length - end - 4)};
}

bool equals(struct text text, const char *other) {
    return (int)strlen(other) == text.length && !strncasecmp(text.at, other, text.length);
}

void copy(char *to, int room, struct text from) {
    int length = from.length < room ? from.length : room - 1;
    memcpy(to, from.at, length);
    to[length] = 0;
}

// name=value or name="value" after a semicolon, comma or space.
bool parameter(struct text value, const char *name, char *found, int room) {
    int length = strlen(name);
    for (int i = 1; i + length < value.length; i++) {
        if (!strchr(";, ", value.at[i - 1]) || value.at[i + length] != '=' || strncasecmp(value.at + i, name, length))
            continue;
        const char *start = value.at + i + length + 1, *end = value.at + value.length, *stop;
        if (start < end && *start == '"') {
            start++;
            stop = memchr(start, '"', end - start);
            if (!stop) return false;
        } else {
            for (stop = start; stop < end && !strchr(";, >", *stop);) stop++;
        }
        copy(found, room, (struct text){start, (int)(stop - start)});
        return true;
    }
    return false;
}

// What stands between < and >.
bool uriOf(struct text value, char *found, int room) {
    const char *start = memchr(value.at, '<', value.length);
    const char *stop = start ? memchr(start, '>', value.at + value.length - start) : NULL;
    if (!stop) return false;
    copy(found, room, (struct text){start + 1, (int)(stop - start - 1)});
    return true;
}

// The status of a response, 0 of a request, -1 of anything else.
int statusOf(struct text message) {
    if (message.length > 12 && !memcmp(message.at, "SIP/2.0 ", 8)) return atoi(message.at + 8);
    const char *end = memchr(message.at, '\n', message.length);
    return end && end - message.at > 10 && !memcmp(end - 8, "SIP/2.0", 7) ? 0 : -1;
}

// MD5 (RFC 1321).
static void block(uint32_t state[4], const uint8_t *bytes) {
    static const uint8_t turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    static uint32_t sines[64];
    if (!sines[0])
        for (int i = 0; i < 64; i++) sines[i] = (uint32_t)floor(fabs(sin(i + 1)) * 4294967296.0);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], words[16];
    memcpy(words, bytes, 64);
    for (int i = 0; i < 64; i++) {
        uint32_t mixed;
        int word;
        switch (i / 16) {
        case 0: mixed = (b & c) | (~b & d), word = i; break;
        case 1: mixed = (d & b) | (~d & c), word = (5 * i + 1) % 16; break;
        case 2: mixed = b ^ c ^ d, word = (3 * i + 5) % 16; break;
        default: mixed = c ^ (b | ~d), word = 7 * i % 16;
        }
        uint32_t sum = a + mixed + sines[i] + words[word];
        int turn = turns[i / 16][i % 4];
        a = d, d = c, c = b;
        b += sum << turn | sum >> (32 - turn);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

void md5(const char *text, int length, char hexadecimal[33]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t last[128] = {0};
    int whole = length / 64 * 64, rest = length - whole, padded = rest < 56 ? 64 : 128;
    for (int i = 0; i < whole; i += 64) block(state, (const uint8_t *)text + i);
    memcpy(last, text + whole, rest);
    last[rest] = 0x80;
    uint64_t bits = (uint64_t)length * 8;
    memcpy(last + padded - 8, &bits, 8);
    for (int i = 0; i < padded; i += 64) block(state, last + i);
    for (int i = 0; i < 16; i++) sprintf(hexadecimal + 2 * i, "%02x", ((uint8_t *)state)[i]);
}

bool readChallenge(struct text message, struct challenge *challenge) {
    struct text value;
    challenge->isProxy = header(message, "Proxy-Authenticate", 0, &value);
    if (!challenge->isProxy && !header(message, "WWW-Authenticate", 0, &value)) return false;
    char quality[40];
    if (!parameter(value, "realm", challenge->realm, sizeof challenge->realm)) return false;
    if (!parameter(value, "nonce", challenge->nonce, sizeof challenge->nonce)) return false;
    if (!parameter(value, "opaque", challenge->opaque, sizeof challenge->opaque)) challenge->opaque[0] = 0;
    challenge->hasQuality = parameter(value, "qop", quality, sizeof quality);
    challenge->count = 0;
    return true;
}

void putCredentials(struct writer *writer, struct challenge *challenge, const char *login, const char *password,
    const char *method, const char *uri) {
    char joined[700], first[33], second[33], response[33], client[17];
    md5(joined, snprintf(joined, sizeof joined, "%s:%s:%s", login, challenge->realm, password), first);
    md5(joined, snprintf(joined, sizeof joined, "%s:%s", method, uri), second);
    challenge->count++;
    snprintf(client, sizeof client, "%08x%08x", randomNumber(), randomNumber());
    int length = challenge->hasQuality ? snprintf(joined, sizeof joined, "%s:%s:%08x:%s:auth:%s", first,
                                             challenge->nonce, challenge->count, client, second)
                                       : snprintf(joined, sizeof joined, "%s:%s:%s", first, challenge->nonce, second);
    md5(joined, length, response);
    put(writer, "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=MD5",
        challenge->isProxy ? "Proxy-Authorization" : "Authorization", login, challenge->realm, challenge->nonce, uri,
        response);
    if (challenge->hasQuality) put(writer, ", qop=auth, nc=%08x, cnonce=\"%s\"", challenge->count, client);
    if (challenge->opaque[0]) put(writer, ", opaque=\"%s\"", challenge->opaque);
    put(writer, "\r\n");
}
