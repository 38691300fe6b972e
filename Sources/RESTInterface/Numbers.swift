import HTTPMessage
import Primitives
import Store

/// The IncomingPhoneNumbers of an account: what can be dialled and texted besides clients.
extension Operation {
    private static let values: [Parameter] =
        Parameter.urls("Voice", "calls") + [
            Parameter(
                "VoiceApplicationSid", .sid("AP"),
                "An application of the account, in place of the voice URLs; empty for none."
            )
        ] + Parameter.urls("Sms", "texts") + [
            Parameter(
                "SmsApplicationSid", .sid("AP"),
                "An application of the account, in place of the SMS URLs; empty for none.")
        ] + Parameter.statusCallback

    static let numbers: [Operation] = [
        Operation(
            "listNumbers", .get, "/Accounts/{AccountSid}/IncomingPhoneNumbers",
            "Lists the numbers of the account in the order of their creation, a page at a time.",
            [
                Parameter("PhoneNumber", .text(limit: 64), "Only this number."),
                Parameter("FriendlyName", .text(limit: 64), "Only numbers with this name."),
            ] + PageRequest.parameters, answers: .page(.number, "incomingPhoneNumbers"),
            problems: [.parameterInvalid, .pageInvalid]
        ) { service, call throws(Failure) in try service.listNumbers(call) },
        Operation(
            "createNumber", .post, "/Accounts/{AccountSid}/IncomingPhoneNumbers", "Creates a number.",
            [
                Parameter(
                    "PhoneNumber", .phoneNumber, "3 to 15 digits, + before them if you like; any name with isSIP."
                )
                .required,
                Parameter(
                    "isSIP", .word(["true", "false"]), "true for a name that is dialled within the domain only."),
                Parameter("FriendlyName", .text(limit: 64), "The name for people; empty for the number."),
            ] + values, answers: .resource(.number),
            problems: [.parameterMissing, .parameterInvalid, .loginTaken, .numberTaken, .accountClosed]
        ) { service, call throws(Failure) in try service.createNumber(call) },
        Operation(
            "readNumber", .get, "/Accounts/{AccountSid}/IncomingPhoneNumbers/{PhoneNumberSid}", "Shows a number.",
            answers: .resource(.number), problems: [.notFound]
        ) { service, call throws(Failure) in
            .resource(RESTService.representation(of: try service.number(call), call))
        },
        update("updateNumber", .post), update("replaceNumber", .put),
        Operation(
            "deleteNumber", .delete, "/Accounts/{AccountSid}/IncomingPhoneNumbers/{PhoneNumberSid}",
            "Deletes a number.", success: 204, answers: .empty, problems: [.notFound]
        ) { service, call throws(Failure) in
            let row = try service.number(call)
            try service.change { store throws(StoreError) in
                try store.removeNumber(id: row.id) ? .success(()) : .failure(Failure(.notFound))
            }
            return .empty
        },
    ]

    private static func update(_ name: String, _ method: HTTPMethod) -> Operation {
        Operation(
            name, method, "/Accounts/{AccountSid}/IncomingPhoneNumbers/{PhoneNumberSid}",
            "Changes what a number does; what is not sent stays.",
            [
                Parameter("PhoneNumber", .phoneNumber, "The number, which cannot be changed."),
                Parameter("FriendlyName", .text(limit: 64), "The name for people; empty for the number."),
            ] + values, answers: .resource(.number), problems: [.notFound, .parameterInvalid]
        ) { service, call throws(Failure) in try service.updateNumber(call) }
    }
}

extension Schema {
    static let number = Schema(
        "IncomingPhoneNumber",
        [
            Member("sid", .sid("PN"), "What identifies the number."), owner,
            Member("friendly_name", .text, "The name for people."),
            Member("phone_number", .text, "The number as it is dialled."),
            Member("is_sip", .flag, "True for a name that is dialled within the domain only."),
        ] + urls("voice", "calls")
            + [Member("voice_application_sid", .sid("AP"), "The application in place of the URLs.", optional: true)]
            + urls("sms", "texts")
            + [Member("sms_application_sid", .sid("AP"), "The application in place of the URLs.", optional: true)]
            + statusCallback + [
                Member(
                    "capabilities",
                    .object(
                        Schema(
                            "Capabilities",
                            [
                                Member("voice_capable", .flag, "It can be called."),
                                Member("sms_capable", .flag, "It can be texted."),
                                Member("mms_capable", .flag, "Always false."),
                                Member("fax_capable", .flag, "Always false."),
                            ])), "What it can do."),
                created, updated, version, uri,
            ])
}

extension RESTService {
    func listNumbers(_ call: Call) throws(Failure) -> Reply {
        let account = call.account.id
        let filter = NumberFilter(
            phoneNumber: call.filled("PhoneNumber"), friendlyName: call.filled("FriendlyName"))
        let total = try stored { store throws(StoreError) in
            try store.numberCount(ofAccount: account, matching: filter)
        }
        return .page(
            try Page(
                "incomingPhoneNumbers", element: "IncomingPhoneNumbers", call,
                path: call.uri("IncomingPhoneNumbers"), total: total
            ) { page throws(Failure) in
                try stored { store throws(StoreError) in
                    try store.numbers(ofAccount: account, matching: filter, offset: page.offset, limit: page.size)
                }.map { RESTService.representation(of: $0, call) }
            })
    }

    func createNumber(_ call: Call) throws(Failure) -> Reply {
        let number = call["PhoneNumber"] ?? ""
        let isSIP = call["isSIP"] == "true"
        if !isSIP, !RESTService.isTelephoneNumber(number) {
            throw Failure.invalid(
                "PhoneNumber",
                "3 to 15 digits are expected, with + before them if you like; send isSIP=true for a name.")
        }
        var row = NumberRow(
            accountID: call.account.id, phoneNumber: number, isSIP: isSIP, friendlyName: number, date: call.now)
        RESTService.apply(call, to: &row)
        let wanted = row
        let made = try change { store throws(StoreError) -> Result<NumberRow, Failure> in
            if let failure = try RESTService.obstacle(to: call, store) { return .failure(failure) }
            if let taken = try store.number(phoneNumber: number) {
                let owner =
                    taken.accountID == call.account.id
                    ? "The account has it as \(taken.sid)." : "Another account has it."
                return .failure(
                    Failure(.numberTaken, "The number \(number) exists already. \(owner)", parameter: "PhoneNumber"))
            }
            if try store.client(login: number) != nil {
                return .failure(
                    Failure(.loginTaken, "The name \(number) is the login of a client.", parameter: "PhoneNumber"))
            }
            return .success(try store.createNumber(wanted))
        }
        return .resource(RESTService.representation(of: made, call))
    }

    /// Why a number cannot be made or changed as asked.
    private static func obstacle(to call: Call, _ store: Store) throws(StoreError) -> Failure? {
        if let failure = try closedAccount(call, store) { return failure }
        if let failure = try missingApplication("VoiceApplicationSid", call, store) { return failure }
        return try missingApplication("SmsApplicationSid", call, store)
    }

    private static func isTelephoneNumber(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "+") ? text.utf8.dropFirst() : text.utf8[...]
        return (3...15).contains(digits.count) && digits.allSatisfy(ASCII.isDigit)
    }

    func updateNumber(_ call: Call) throws(Failure) -> Reply {
        let found = try number(call)
        if let asked = call.filled("PhoneNumber"), asked != found.phoneNumber {
            throw Failure.invalid("PhoneNumber", "a number cannot be changed into another; create that one.")
        }
        let sid = found.sid
        let changed = try change { store throws(StoreError) -> Result<NumberRow, Failure> in
            guard var row = try store.number(sid: sid) else { return .failure(Failure(.notFound)) }
            if let failure = try RESTService.obstacle(to: call, store) { return .failure(failure) }
            RESTService.apply(call, to: &row)
            row.dateUpdated = call.now
            _ = try store.updateNumber(row)
            return .success(row)
        }
        return .resource(RESTService.representation(of: changed, call))
    }

    /// The number in the URL.
    func number(_ call: Call) throws(Failure) -> NumberRow {
        let sid = call.value("PhoneNumberSid")
        return try owned(call) { store throws(StoreError) in
            try store.number(sid: sid)
        } account: {
            $0.accountID
        }
    }

    static func representation(of row: NumberRow, _ call: Call) -> Representation {
        var result = Representation("IncomingPhoneNumber")
        result.add("sid", row.sid)
        result.add("account_sid", call.account.sid)
        result.add("friendly_name", row.friendlyName)
        result.add("phone_number", row.phoneNumber)
        result.add("is_sip", .flag(row.isSIP))
        result.add("voice", row.voice)
        result.add("voice_application_sid", row.voiceApplicationSID)
        result.add("sms", row.sms)
        result.add("sms_application_sid", row.smsApplicationSID)
        result.add("status_callback", row.statusCallback)
        result.add("status_callback_method", row.statusCallbackMethod)
        var capabilities = Representation("Capabilities")
        capabilities.add("voice_capable", .flag(row.voice.url != nil || row.voiceApplicationSID != nil))
        capabilities.add("sms_capable", .flag(row.sms.url != nil || row.smsApplicationSID != nil))
        capabilities.add("mms_capable", .flag(false))
        capabilities.add("fax_capable", .flag(false))
        result.add("capabilities", .object(capabilities.members))
        result.add("date_created", APIDate.text(row.dateCreated))
        result.add("date_updated", APIDate.text(row.dateUpdated))
        result.add("api_version", row.apiVersion)
        result.add("uri", call.uri("IncomingPhoneNumbers/\(row.sid)"))
        return result
    }

    private static func apply(_ call: Call, to row: inout NumberRow) {
        let number = row.phoneNumber
        call.apply("FriendlyName") { row.friendlyName = $0 ?? number }
        call.apply("Voice", to: &row.voice)
        call.apply("VoiceApplicationSid") { row.voiceApplicationSID = $0 }
        call.apply("Sms", to: &row.sms)
        call.apply("SmsApplicationSid") { row.smsApplicationSID = $0 }
        call.apply("StatusCallback") { row.statusCallback = $0 }
        call.apply("StatusCallbackMethod") { row.statusCallbackMethod = $0?.uppercased() ?? "POST" }
    }
}
