// The side that asks: registrations, texts and calls from their first request to their last answer.
#include "phones.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { patience = 32000000 };

void violation(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char text[400];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!counts.violations++) {
        // It becomes part of a line of JSON.
        for (char *character = text; *character; character++)
            if (*character < ' ' || *character == '"' || *character == '\\' || *character > '~') *character = ' ';
        snprintf(counts.firstViolation, sizeof counts.firstViolation, "%s", text);
    }
}

struct job *start(enum kind kind, int caller, int callee) {
    static int last;
    for (int i = 0; i < jobCount; i++) {
        struct job *job = &jobs[last = (last + 1) % jobCount];
        if (job->isActive) continue;
        unsigned generation = job->generation + 1;
        memset(job, 0, offsetof(struct job, ack));
        job->branch[0] = 0, job->answerStatus = job->answerLength = job->ackLength = 0;
        job->answerAt = job->answerNext = job->answerInterval = job->answerDeadline = 0;
        job->isDelivered = job->isAcknowledged = job->isCallerDone = job->isCalleeDone = false;
        job->kind = kind, job->caller = caller, job->callee = callee, job->generation = generation;
        job->isActive = true, job->began = now;
        job->ending = randomBelow(10) < 6 ? ((job - jobs + generation) & 1 ? hungUpByCaller : hungUpByCallee)
                      : randomBelow(2)    ? busy
                                          : cancelled;
        snprintf(job->target, sizeof job->target, "sip:%s@%s", allPhones[callee].login, options.domain);
        if (kind == registering) snprintf(job->target, sizeof job->target, "sip:%s", options.domain);
        counts.started++;
        return job;
    }
    return NULL;
}

void end(struct job *job) {
    job->isActive = false;
    if (job->kind == registering) allPhones[job->caller].isRegistering = false;
}

void failed(struct job *job) {
    counts.failed++;
    if (job->kind == registering)
        job->retryAt = now + 5000000 + randomBelow(2000000);
    else
        end(job);
}

static void putHead(
    struct writer *writer, struct job *job, const char *method, const char *uri, int phone, unsigned step) {
    struct phone *sender = &allPhones[phone];
    put(writer, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bK.%s.%d.%u.%u.%d.%d;rport\r\n", method, uri,
        options.contactHost, ntohs(sender->address.sin_port), run, (int)(job - jobs), job->generation, step,
        job->caller, job->callee);
}

void putCallID(struct writer *writer, struct job *job) {
    if (job->kind == registering)
        put(writer, "Call-ID: %s.%s\r\n", run, allPhones[job->caller].login);
    else
        put(writer, "Call-ID: %s.%d.%u.%d.%d\r\n", run, (int)(job - jobs), job->generation, job->caller, job->callee);
}

static void begin(struct transaction *transaction, int phone, unsigned step, int length, bool isInvite) {
    *transaction = (struct transaction){.phone = phone,
        .length = length,
        .step = step,
        .next = now + t1,
        .interval = t1,
        .deadline = now + patience,
        .isActive = true,
        .isInvite = isInvite};
}

int writtenBody(struct job *job, bool isAnswer, char *bytes) {
    struct writer writer = writing(bytes, largest);
    if (job->kind == texting) {
        put(&writer, "text %s.%d.%u %d to %d ", run, (int)(job - jobs), job->generation, job->caller, job->callee);
        for (int i = job->generation % 400; i > 0; i--) put(&writer, "%c", 'a' + i % 26);
    } else {
        put(&writer, "v=0\r\no=- %d %u IN IP4 127.0.0.1\r\ns=%s\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n", (int)(job - jobs),
            job->generation, isAnswer ? "answer" : "offer");
        put(&writer, "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n");
    }
    return writer.length;
}

// Sends the job's first request, with credentials when the server has challenged this phone before.
void request(struct job *job) {
    static const char *const methods[] = {"REGISTER", "MESSAGE", "INVITE"};
    const char *method = methods[job->kind];
    struct phone *phone = &allPhones[job->caller];
    unsigned step = ++job->step;
    job->number = job->kind == registering ? ++phone->registerNumber : job->number + 1;
    static char packet[largest];
    struct writer writer = writing(packet, largest);
    putHead(&writer, job, method, job->target, job->caller, step);
    put(&writer, "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=a%d.%u\r\n", phone->login, options.domain,
        (int)(job - jobs), job->generation);
    put(&writer, "To: <sip:%s@%s>\r\n", allPhones[job->callee].login, options.domain);
    putCallID(&writer, job);
    put(&writer, "CSeq: %u %s\r\nUser-Agent: storm\r\n", job->number, method);
    if (job->kind != texting) put(&writer, "Contact: <%s>\r\n", phone->contact);
    if (job->kind == registering) put(&writer, "Expires: %u\r\n", options.expires);
    if (phone->isKnown && (job->challenges || (job - jobs) & 1)) {
        phone->challenge.isProxy = job->kind != registering;
        putCredentials(&writer, &phone->challenge, phone->login, phone->password, method, job->target);
    }
    char content[largest];
    int length = job->kind == registering ? 0 : writtenBody(job, false, content);
    if (length) put(&writer, "Content-Type: %s\r\n", job->kind == texting ? "text/plain" : "application/sdp");
    put(&writer, "Content-Length: %d\r\n\r\n%.*s", length, length, content);
    begin(&job->main, job->caller, step, writer.length, job->kind == calling);
    memcpy(job->main.packet, packet, writer.length);
    transmit(job->caller, packet, writer.length);
}

void sendCancel(struct job *job) {
    struct phone *phone = &allPhones[job->caller];
    struct writer writer = writing(job->cancel.packet, largest);
    putHead(&writer, job, "CANCEL", job->target, job->caller, job->main.step);
    put(&writer, "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=a%d.%u\r\nTo: <sip:%s@%s>\r\n", phone->login,
        options.domain, (int)(job - jobs), job->generation, allPhones[job->callee].login, options.domain);
    putCallID(&writer, job);
    put(&writer, "CSeq: %u CANCEL\r\nContent-Length: 0\r\n\r\n", job->number);
    int length = writer.length;
    static char packet[largest];
    memcpy(packet, job->cancel.packet, length);
    begin(&job->cancel, job->caller, job->main.step, length, false);
    memcpy(job->cancel.packet, packet, length);
    transmit(job->caller, packet, length);
}

// A request in the dialog: ACK for a 200, or BYE, from either side.
int putInDialog(
    struct job *job, const char *method, bool isCallee, unsigned step, unsigned number, char *bytes) {
    struct writer writer = writing(bytes, largest);
    struct phone *sender = &allPhones[isCallee ? job->callee : job->caller];
    struct phone *other = &allPhones[isCallee ? job->caller : job->callee];
    char local[40], remote[120];
    snprintf(local, sizeof local, "%c%d.%u", isCallee ? 'b' : 'a', (int)(job - jobs), job->generation);
    snprintf(remote, sizeof remote, "%c%d.%u", isCallee ? 'a' : 'b', (int)(job - jobs), job->generation);
    putHead(&writer, job, method, isCallee ? other->contact : job->remoteTarget, isCallee ? job->callee : job->caller,
        step);
    put(&writer, "%sMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>;tag=%s\r\n",
        isCallee ? job->routes : job->callerRoutes, sender->login, options.domain, local, other->login, options.domain,
        remote);
    putCallID(&writer, job);
    put(&writer, "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n", number, method);
    return writer.length;
}

void hangUp(struct job *job) {
    bool isCallee = job->ending == hungUpByCallee;
    unsigned step = ++job->step, number = isCallee ? 1 : ++job->number;
    static char packet[largest];
    int length = putInDialog(job, "BYE", isCallee, step, number, packet);
    begin(&job->main, isCallee ? job->callee : job->caller, step, length, false);
    memcpy(job->main.packet, packet, length);
    transmit(job->main.phone, packet, length);
}

static void retransmit(struct job *job, struct transaction *transaction) {
    if (!transaction->isActive) return;
    if (now >= transaction->deadline) {
        transaction->isActive = false;
        counts.timeouts++;
        failed(job);
    } else if (now >= transaction->next && !(transaction->isInvite && transaction->isProvisional)) {
        transaction->interval *= 2;
        if (!transaction->isInvite && transaction->interval > t2) transaction->interval = t2;
        transaction->next = now + transaction->interval;
        counts.retransmissions++;
        transmit(transaction->phone, transaction->packet, transaction->length);
    }
}

void tick(struct job *job) {
    retransmit(job, &job->main);
    if (job->isActive) retransmit(job, &job->cancel);
    if (!job->isActive) return;
    if (job->retryAt && now >= job->retryAt) {
        job->retryAt = 0, job->challenges = 0;
        request(job);
    }
    if (job->cancelAt > 1 && now >= job->cancelAt) {
        job->cancelAt = 1;
        if (job->main.isActive) sendCancel(job);
    }
    if (job->hangUpAt && now >= job->hangUpAt) {
        job->hangUpAt = 0;
        hangUp(job);
    }
    if (job->answerAt && now >= job->answerAt) {
        job->answerAt = 0;
        if (!job->answerStatus) answerInvite(job, job->ending == busy ? 486 : 200);
    }
    if (job->answerStatus && !job->isAcknowledged && now >= job->answerNext) {
        if (now >= job->answerDeadline) {
            counts.missingACKs++;
            job->isAcknowledged = true;
        } else {
            job->answerInterval = job->answerInterval * 2 > t2 ? t2 : job->answerInterval * 2;
            job->answerNext = now + job->answerInterval;
            counts.retransmissions++;
            transmit(job->callee, job->answer, job->answerLength);
        }
    }
    if (job->isCallerDone && job->isAcknowledged && !job->cancel.isActive) end(job);
}
