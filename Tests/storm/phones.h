// Phones and what they do: the parts of `storm register` and `storm traffic`.
#pragma once
#include "storm.h"

// What a job does, and how a call ends.
enum kind { registering, texting, calling };
enum ending { hungUpByCaller, hungUpByCallee, busy, cancelled };

struct phone {
    int descriptor;
    struct sockaddr_in address;
    char login[60], password[70], contact[120];
    struct challenge challenge;
    unsigned registerNumber;
    bool isKnown, isRegistered, isRegistering;
};

// A client transaction: retransmitted by the timers of RFC 3261 until there is an answer.
struct transaction {
    int phone, length;
    unsigned step;
    int64_t next, interval, deadline;
    bool isActive, isInvite, isProvisional;
    char packet[largest];
};

// A registration, a text or a call, from its first request to the last.
struct job {
    enum kind kind;
    enum ending ending;
    bool isActive;
    unsigned generation, step, number;
    int caller, callee, challenges, final;
    int64_t began, cancelAt, hangUpAt, retryAt;
    struct transaction main, cancel;
    char target[160], finalTag[120];
    // The dialog as both sides see it.
    char calleeTag[60], routes[800], callerRoutes[800], remoteTarget[120];
    char ack[largest];
    int ackLength;
    // The callee.
    char branch[200], answer[largest];
    int answerStatus, answerLength;
    int64_t answerAt, answerNext, answerInterval, answerDeadline;
    bool isDelivered, isAcknowledged, isCallerDone, isCalleeDone;
};

// What is counted. A violation is something that no loss of packets explains.
struct counts {
    long started, registered, texts, calls, ended[4], failed, timeouts, retransmissions, challenges, late, missingACKs;
    long received, violations, statuses[700];
    int64_t lastRegistered;
    char firstViolation[400];
};

extern struct phone *allPhones;
extern struct job *jobs;
extern int jobCount;
extern struct counts counts;
extern int64_t now;
extern char run[9];

// Writes down what must not happen.
void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
void transmit(int phone, const char *bytes, int length);

// The timers of RFC 3261 in microseconds.
enum { t1 = 500000, t2 = 4000000 };

// Jobs.
struct job *start(enum kind kind, int caller, int callee);
void request(struct job *job);
void hangUp(struct job *job);
void sendCancel(struct job *job);
void tick(struct job *job);
void end(struct job *job);
void failed(struct job *job);
void putCallID(struct writer *writer, struct job *job);
int putInDialog(struct job *job, const char *method, bool isCallee, unsigned step, unsigned number, char *bytes);
void keepSetup(int64_t took);

// What phones receive.
void receiveResponse(int phone, struct text message);
void receiveRequest(int phone, struct text message);
void answerInvite(struct job *job, int status);
int writtenBody(struct job *job, bool isAnswer, char *bytes);
