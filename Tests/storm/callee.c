// The side that is called: checks every request that arrives, and answers it.
#include "phones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { patience = 32000000 };

static int putResponse(
    char *bytes, struct text message, int status, const char *tag, struct phone *contact, struct text content) {
    struct writer writer = writing(bytes, largest);
    struct text value;
    put(&writer, "SIP/2.0 %d Answer\r\n", status);
    for (int i = 0; header(message, "Via", i, &value); i++) put(&writer, "Via: %.*s\r\n", value.length, value.at);
    for (int i = 0; contact && header(message, "Record-Route", i, &value); i++)
        put(&writer, "Record-Route: %.*s\r\n", value.length, value.at);
    if (header(message, "From", 0, &value)) put(&writer, "From: %.*s\r\n", value.length, value.at);
    if (header(message, "To", 0, &value)) {
        char old[200];
        put(&writer, "To: %.*s", value.length, value.at);
        if (!parameter(value, "tag", old, sizeof old)) put(&writer, ";tag=%s", tag);
        put(&writer, "\r\n");
    }
    if (header(message, "Call-ID", 0, &value)) put(&writer, "Call-ID: %.*s\r\n", value.length, value.at);
    if (header(message, "CSeq", 0, &value)) put(&writer, "CSeq: %.*s\r\n", value.length, value.at);
    if (contact) put(&writer, "Contact: <%s>\r\n", contact->contact);
    if (content.length) put(&writer, "Content-Type: application/sdp\r\n");
    put(&writer, "Content-Length: %d\r\n\r\n%.*s", content.length, content.length, content.at);
    return writer.length;
}

static void reply(int phone, struct text message, int status, const char *tag) {
    char bytes[largest];
    transmit(phone, bytes, putResponse(bytes, message, status, tag, NULL, (struct text){"", 0}));
}

// The final answer to the INVITE whose 180 is in `answer`: repeated until its ACK comes.
void answerInvite(struct job *job, int status) {
    static char packet[largest], content[largest];
    memcpy(packet, job->answer, job->answerLength);
    struct text ringing = {packet, job->answerLength}, empty = {"", 0};
    struct text session = {content, status == 200 ? writtenBody(job, true, content) : 0};
    struct phone *contact = status == 200 ? &allPhones[job->callee] : NULL;
    job->answerLength = putResponse(job->answer, ringing, status, "", contact, session.length ? session : empty);
    job->answerStatus = status;
    job->answerInterval = t1;
    job->answerNext = now + t1;
    job->answerDeadline = now + patience;
    transmit(job->callee, job->answer, job->answerLength);
}

static void receiveInvite(struct job *job, struct text message, const char *branch) {
    struct text value;
    if (job->branch[0]) {
        if (strcmp(job->branch, branch))
            violation("a call came twice to %s", allPhones[job->callee].login);
        else
            transmit(job->callee, job->answer, job->answerLength);
        return;
    }
    snprintf(job->branch, sizeof job->branch, "%s", branch);
    struct writer routes = writing(job->routes, sizeof job->routes);
    job->routes[0] = 0;
    for (int i = 0; header(message, "Record-Route", i, &value); i++)
        put(&routes, "Route: %.*s\r\n", value.length, value.at);
    char tag[40];
    snprintf(tag, sizeof tag, "b%d.%u", (int)(job - jobs), job->generation);
    job->answerLength = putResponse(job->answer, message, 180, tag, &allPhones[job->callee], (struct text){"", 0});
    transmit(job->callee, job->answer, job->answerLength);
    if (job->ending != cancelled) job->answerAt = now + (int64_t)(options.ringSeconds * 1e6 * randomFraction());
    if (job->ending != cancelled && !options.ringSeconds)
        job->answerAt = 0, answerInvite(job, job->ending == busy ? 486 : 200);
}

static void check(struct job *job, int phone, struct text message, const char *method, const char *uri) {
    struct text value;
    char expected[largest], found[200];
    const char *name = allPhones[phone].login;
    int right = job->callee;
    if (!strcmp(method, "BYE")) right = job->ending == hungUpByCaller ? job->callee : job->caller;
    if (phone != right) violation("a %s for %s came to %s", method, allPhones[right].login, name);
    // The ACK for a failure, and CANCEL, have the Request-URI of their INVITE.
    if (strcmp(uri, allPhones[phone].contact)) violation("a %s for %s has the Request-URI %s", method, name, uri);
    // CANCEL and the ACK for a failure are the server's own.
    bool isOwn = !strcmp(method, "CANCEL") || (!strcmp(method, "ACK") && job->answerStatus != 200);
    if (!header(message, "Max-Forwards", 0, &value) || atoi(value.at) >= (isOwn ? 71 : 70))
        violation("a %s passed without Max-Forwards", method);
    if (header(message, "Proxy-Authorization", 0, &value)) violation("a %s brought the caller's credentials", method);
    int from = right == job->callee ? job->caller : job->callee;
    snprintf(expected, sizeof expected, "sip:%s@%s", allPhones[from].login, options.domain);
    if (!header(message, "From", 0, &value) || !uriOf(value, found, sizeof found) || strcmp(found, expected))
        violation("a %s from %s says it is from others", method, allPhones[from].login);
    if (strcmp(method, "INVITE") && strcmp(method, "MESSAGE")) return;
    int length = writtenBody(job, false, expected);
    struct text content = body(message);
    if (content.length != length || memcmp(content.at, expected, length))
        violation("the body of a %s was changed", method);
}

void receiveRequest(int phone, struct text message) {
    struct text identifier, via;
    char method[20], uri[200], branch[200] = "", runWas[9];
    int index, caller, callee;
    unsigned generation;
    if (sscanf(message.at, "%19[A-Z] %199[^ ]", method, uri) != 2 || !header(message, "Call-ID", 0, &identifier) ||
        !header(message, "Via", 0, &via) || !parameter(via, "branch", branch, sizeof branch)) {
        violation("%s got no proper request: %.200s", allPhones[phone].login, message.at);
        return;
    }
    if (!strcmp(method, "OPTIONS")) {
        // A server may ask whether the phone is still there.
        reply(phone, message, 200, "alive");
        return;
    }
    if (sscanf(identifier.at, "%8[0-9a-f].%d.%u.%d.%d", runWas, &index, &generation, &caller, &callee) != 5 ||
        strcmp(runWas, run) || index < 0 || index >= jobCount) {
        violation("%s got a %s that nobody sent", allPhones[phone].login, method);
        return;
    }
    if (phone != caller && phone != callee) violation("%s got a %s for others", allPhones[phone].login, method);
    struct job *job = &jobs[index];
    if (!job->isActive || job->generation != generation) {
        counts.late++;
        return;
    }
    check(job, phone, message, method, uri);
    if (!strcmp(method, "INVITE")) {
        receiveInvite(job, message, branch);
    } else if (!strcmp(method, "ACK")) {
        if (!job->answerStatus) violation("%s got an ACK before it answered", allPhones[phone].login);
        job->isAcknowledged = true;
    } else if (!strcmp(method, "CANCEL")) {
        reply(phone, message, 200, "b");
        if (job->ending != cancelled)
            violation("%s got a CANCEL that nobody sent", allPhones[phone].login);
        else if (!job->answerStatus && job->answerLength)
            answerInvite(job, 487);
    } else if (!strcmp(method, "BYE")) {
        if (job->answerStatus != 200) violation("%s got a BYE without a call", allPhones[phone].login);
        reply(phone, message, 200, "b");
    } else if (!strcmp(method, "MESSAGE")) {
        if (job->isDelivered && strcmp(job->branch, branch))
            violation("a text came twice to %s", allPhones[phone].login);
        snprintf(job->branch, sizeof job->branch, "%s", branch);
        job->isDelivered = true;
        reply(phone, message, 200, "b");
    } else {
        violation("%s got a %s that nobody sent", allPhones[phone].login, method);
    }
}
