// What the side that asks does with the answers: checks them, acknowledges them, and goes on.
#include "phones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ringing = 180000000 };

// The ACK for a failed INVITE: made of the response alone, so that late ones get theirs too.
static void acknowledgeFailure(int phone, struct text message, int callee) {
    struct text via, from, to, identifier, number;
    header(message, "Via", 0, &via), header(message, "From", 0, &from), header(message, "To", 0, &to);
    header(message, "Call-ID", 0, &identifier), header(message, "CSeq", 0, &number);
    char bytes[largest], branch[200];
    if (!parameter(via, "branch", branch, sizeof branch)) return;
    struct writer writer = writing(bytes, largest);
    put(&writer,
        "ACK sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=%s;rport\r\nMax-Forwards: 70\r\nFrom: %.*s\r\n"
        "To: %.*s\r\nCall-ID: %.*s\r\nCSeq: %d ACK\r\nContent-Length: 0\r\n\r\n",
        allPhones[callee].login, options.domain, options.contactHost, ntohs(allPhones[phone].address.sin_port), branch,
        from.length, from.at, to.length, to.at, identifier.length, identifier.at, atoi(number.at));
    transmit(phone, bytes, writer.length);
}

// Route lines of the Record-Route of a 200, turned around.
static void takeRoutes(struct job *job, struct text message) {
    struct text value;
    char found[8][200];
    int count = 0;
    for (int line = 0; header(message, "Record-Route", line, &value); line++) {
        while (count < 8 && uriOf(value, found[count], sizeof found[0])) {
            const char *next = memchr(value.at, '>', value.length) + 1;
            value = (struct text){next, (int)(value.at + value.length - next)};
            count++;
        }
    }
    struct writer writer = writing(job->callerRoutes, sizeof job->callerRoutes);
    while (count > 0) put(&writer, "Route: <%s>\r\n", found[--count]);
    if (!writer.length) job->callerRoutes[0] = 0;
}

static void finishCall(struct job *job, int index) {
    counts.calls++, counts.ended[index]++;
    job->isCallerDone = true;
}

static void finalRegister(struct job *job, int status, struct text message) {
    struct phone *phone = &allPhones[job->caller];
    struct text value;
    if (status != 200) {
        failed(job);
        if (header(message, "Retry-After", 0, &value))
            job->retryAt = now + (int64_t)(atoi(value.at) * 1e6) + randomBelow(1000000);
        return;
    }
    char uri[200], expires[20] = "";
    bool isThere = false;
    for (int line = 0; header(message, "Contact", line, &value); line++) {
        // All contacts may stand in one line.
        while (uriOf(value, uri, sizeof uri)) {
            const char *next = memchr(value.at, '>', value.length);
            struct text rest = {next, (int)(value.at + value.length - next)};
            if (!strcmp(uri, phone->contact)) isThere = parameter(rest, "expires", expires, sizeof expires);
            value = (struct text){next + 1, rest.length - 1};
        }
    }
    if (!isThere || atoi(expires) < 1) violation("the 200 for %s does not have its contact", phone->login);
    if (!phone->isRegistered) counts.lastRegistered = now;
    phone->isRegistered = true;
    counts.registered++;
    end(job);
}

static void finalInvite(struct job *job, int status, struct text message) {
    job->final = status;
    struct text value;
    if (header(message, "To", 0, &value)) copy(job->finalTag, sizeof job->finalTag, value);
    if (status == 200 && job->ending != busy && job->ending != cancelled) {
        keepSetup(now - job->began);
        char expected[largest];
        struct text content = body(message);
        int length = writtenBody(job, true, expected);
        if (content.length != length || memcmp(content.at, expected, length))
            violation("the answer of a call was changed");
        if (!job->answerStatus) violation("a call was answered that its callee did not answer");
        if (!header(message, "Contact", 0, &value) || !uriOf(value, job->remoteTarget, sizeof job->remoteTarget))
            violation("a 200 has no Contact");
        takeRoutes(job, message);
        job->ackLength = putInDialog(job, "ACK", false, ++job->step, job->number, job->ack);
        transmit(job->caller, job->ack, job->ackLength);
        job->hangUpAt = now + 1 + (int64_t)(options.holdSeconds * 1e6 * randomFraction() * 2);
    } else if ((status == 486 && job->ending == busy) || (status == 487 && job->ending == cancelled)) {
        if (job->answerStatus != status) violation("the caller got %d, the callee said %d", status, job->answerStatus);
        finishCall(job, job->ending);
    } else {
        if (status == 200) violation("a 200 in a call that ends otherwise");
        failed(job);
    }
}

void receiveResponse(int phone, struct text message) {
    struct text via, sequence, identifier, from;
    char branch[200], runWas[9], method[20] = "", wanted[120];
    int index, caller, callee, status = statusOf(message);
    unsigned generation, step, number;
    counts.statuses[status < 700 ? status : 0]++;
    if (!header(message, "Via", 0, &via) || !header(message, "CSeq", 0, &sequence) ||
        !header(message, "Call-ID", 0, &identifier) || !header(message, "From", 0, &from) ||
        !parameter(via, "branch", branch, sizeof branch) ||
        sscanf(branch, "z9hG4bK.%8[0-9a-f].%d.%u.%u.%d.%d", runWas, &index, &generation, &step, &caller, &callee) !=
            6 ||
        strcmp(runWas, run) || index < 0 || index >= jobCount ||
        sscanf(sequence.at, "%u %19[A-Z]", &number, method) != 2) {
        violation("%s got a response to nobody's request: %.200s", allPhones[phone].login, message.at);
        return;
    }
    struct text second;
    if (header(message, "Via", 1, &second)) violation("a response has a Via too many");
    if (phone != caller && phone != callee) violation("%s got a response for others", allPhones[phone].login);
    bool isInvite = !strcmp(method, "INVITE");
    if (isInvite && status >= 300) acknowledgeFailure(phone, message, callee);
    struct job *job = &jobs[index];
    if (!job->isActive || job->generation != generation) {
        counts.late++;
        return;
    }
    struct writer writer = writing(wanted, sizeof wanted);
    putCallID(&writer, job);
    if (strncmp(wanted + 9, identifier.at, writer.length - 11)) violation("a response has another Call-ID");
    if (!strcmp(method, "CANCEL")) {
        if (status >= 200) job->cancel.isActive = false;
        if (status >= 300) violation("a CANCEL was answered %d", status);
        return;
    }
    if (step != job->main.step || !job->main.isActive) {
        counts.late++;
        if (isInvite && status == 200 && job->final == 200 && job->ackLength)
            transmit(job->caller, job->ack, job->ackLength);
        else if (isInvite && step == job->main.step && status >= 200 && job->final && status != job->final)
            violation("an INVITE was answered %d and then %d", job->final, status);
        return;
    }
    if (job->main.phone != phone) violation("a response came to the other side");
    if (status < 200) {
        job->main.isProvisional = true;
        if (isInvite)
            job->main.deadline = now + ringing;
        else
            job->main.interval = t2;
        if (isInvite && job->ending == cancelled && !job->cancelAt) job->cancelAt = now + 1 + randomBelow(300000);
        return;
    }
    job->main.isActive = false;
    if (status == 401 || status == 407) {
        counts.challenges++;
        if (++job->challenges > 5 || !readChallenge(message, &allPhones[phone].challenge)) {
            failed(job);
            return;
        }
        allPhones[phone].isKnown = true;
        request(job);
    } else if (isInvite) {
        finalInvite(job, status, message);
    } else if (!strcmp(method, "REGISTER")) {
        finalRegister(job, status, message);
    } else if (!strcmp(method, "MESSAGE")) {
        if (status == 200 && !job->isDelivered) violation("a text was answered 200 and not delivered");
        if (status == 200)
            counts.texts++;
        else
            counts.failed++;
        end(job);
    } else {
        if (status != 200) counts.failed++;
        finishCall(job, job->ending);
    }
}
