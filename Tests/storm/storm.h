// What the files of `storm` share: the clock, sockets, SIP text, digests. See README in Docs/Style.md and main.c.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { largest = 4096 }; // Bytes of a message that this program writes; received ones may be longer.

// A piece of somebody else's bytes.
struct text {
    const char *at;
    int length;
};

// A message that is being written; it never grows beyond its room.
struct writer {
    char *bytes;
    int length, room;
};

// A digest challenge, and how often it was answered.
struct challenge {
    char realm[80], nonce[200], opaque[80];
    bool hasQuality, isProxy;
    unsigned count;
};

// The options of the command line; each command uses some of them.
struct options {
    struct sockaddr_in server, address, inside, outside, listen;
    char contactHost[40], domain[80], prefix[40];
    int phones, firstPhone, firstPort, lastPort, addresses;
    double seconds, spread, rate, calls, texts, registers, holdSeconds, ringSeconds;
    double loss, duplicates, delays, corrupted, misdirected;
    long count;
    unsigned seed, expires;
};

extern struct options options;

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

// The clock.
int64_t microseconds(void);

// Random numbers from the seed of the command line.
uint32_t randomNumber(void);
uint32_t randomBelow(uint32_t limit);
double randomFraction(void);

// Sockets.
int datagramSocket(struct sockaddr_in address, int bufferSize);
struct sockaddr_in nameOf(int descriptor);
const char *hostOf(struct sockaddr_in address);
struct sockaddr_in shifted(struct sockaddr_in address, int hosts);

// Writing.
struct writer writing(char *bytes, int room);
void put(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void putBytes(struct writer *writer, struct text text);

// Reading. All of them give false when there is none, and none reads beyond the text.
bool header(struct text message, const char *name, int index, struct text *value);
struct text body(struct text message);
bool parameter(struct text value, const char *name, char *found, int room);
bool uriOf(struct text value, char *found, int room);
int statusOf(struct text message);
bool equals(struct text text, const char *other);
void copy(char *to, int room, struct text from);

// Digests.
void md5(const char *text, int length, char hexadecimal[33]);
bool readChallenge(struct text message, struct challenge *challenge);
void putCredentials(struct writer *writer, struct challenge *challenge, const char *login, const char *password,
    const char *method, const char *uri);

// The commands.
int phones(bool isTraffic);
int scan(void);
int garbage(void);
int relay(void);
