import Store
import Testing

@testable import RESTInterface

@Suite struct NumbersTests {
    let api: API

    init() throws { api = try API() }

    @Test func `A number is made and shown whole`() throws {
        let application = try api.application("App")
        let answer = api.send(
            "POST", "IncomingPhoneNumbers",
            [
                "PhoneNumber": "+12345", "VoiceUrl": "http://a/v", "VoiceMethod": "get",
                "SmsApplicationSid": application.sid,
                "StatusCallback": "http://a/c", "StatusCallbackMethod": "get",
            ])
        let sid = try #require(answer["sid"])
        #expect(Parameter.isSID(sid, "PN") && answer.status == 200)
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "account_sid": "\(api.top.sid)",
                  "friendly_name": "+12345",
                  "phone_number": "+12345",
                  "is_sip": false,
                  "voice_url": "http://a/v",
                  "voice_method": "GET",
                  "voice_fallback_method": "POST",
                  "sms_method": "POST",
                  "sms_fallback_method": "POST",
                  "sms_application_sid": "\(application.sid)",
                  "status_callback": "http://a/c",
                  "status_callback_method": "GET",
                  "capabilities": {
                    "voice_capable": true,
                    "sms_capable": true,
                    "mms_capable": false,
                    "fax_capable": false
                  },
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "api_version": "2012-04-24",
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/IncomingPhoneNumbers/\(sid).json"
                }

                """)
        #expect(api.send("GET", "IncomingPhoneNumbers/\(sid)").text == answer.text)
    }

    @Test(arguments: ["123", "+123", "123456789012345", "+123456789012345", "00493012"])
    func `3 to 15 digits are a number`(number: String) {
        #expect(api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": number])["phone_number"] == number)
    }

    @Test(arguments: ["", "12", "+12", "+", "1234567890123456", "12+3", "123a", "++123", "1 23", "sales", "１２３"])
    func `Other text is none, unless it is a name`(number: String) {
        let answer = api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": number])
        #expect(answer.code == "R-3302" && answer["parameter"] == "PhoneNumber")
        let isName = ClientRules.fault(ofLogin: number) == nil
        let name = api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": number, "isSIP": "true"])
        #expect(name.status == (isName ? 200 : 400))
        #expect(name.object["is_sip"] as? Bool == (isName ? true : nil))
    }

    @Test func `A number exists once in the domain`() throws {
        let child = try api.account("Child", below: api.top)
        let own = try api.number("123")
        try api.number("456", of: child)
        let first = api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "123"])
        #expect(first.status == 409 && first.code == "R-3404" && first["parameter"] == "PhoneNumber")
        #expect(first["message"]?.contains(own.sid) == true)
        let second = api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "456"])
        #expect(second.code == "R-3404" && second["message"]?.contains("Another account") == true)
        #expect(second["message"]?.contains("PN") == false)
    }

    @Test(arguments: ["POST", "PUT"])
    func `An update changes what is sent, clears what is empty and leaves the rest`(method: String) throws {
        let application = try api.application("App")
        let made = api.send(
            "POST", "IncomingPhoneNumbers",
            [
                "PhoneNumber": "123", "FriendlyName": "N", "VoiceUrl": "http://a/v", "SmsUrl": "http://a/s",
                "SmsMethod": "GET",
                "VoiceApplicationSid": application.sid,
            ])
        let path = "IncomingPhoneNumbers/\(made["sid"] ?? "")"
        let untouched = api.send(method, path, ["PhoneNumber": "123"])
        #expect(untouched.text == made.text)
        let changed = api.send(
            method, path, ["FriendlyName": "", "VoiceUrl": "", "VoiceApplicationSid": "", "SmsMethod": ""])
        #expect(changed["friendly_name"] == "123" && changed["voice_url"] == nil && changed["sms_url"] == "http://a/s")
        #expect(changed["voice_application_sid"] == nil && changed["sms_method"] == "POST")
        let capabilities = changed.object["capabilities"] as? [String: Bool]
        #expect(capabilities?["voice_capable"] == false && capabilities?["sms_capable"] == true)
        #expect(api.send(method, path, ["PhoneNumber": "456"])["parameter"] == "PhoneNumber")
        #expect(api.send("GET", path).text == changed.text)
    }

    @Test func `An application must be one of the account`() throws {
        let child = try api.account("Child", below: api.top)
        let foreign = try api.application("Foreign", of: child)
        let number = try api.number("123")
        for name in ["VoiceApplicationSid", "SmsApplicationSid"] {
            let created = api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "777", name: foreign.sid])
            #expect(created.code == "R-3302" && created["parameter"] == name)
            let updated = api.send("PUT", "IncomingPhoneNumbers/\(number.sid)", [name: foreign.sid])
            #expect(updated.code == "R-3302" && updated["parameter"] == name)
        }
    }

    @Test func `A number is deleted with 204`() throws {
        let number = try api.number("123")
        let answer = api.send("DELETE", "IncomingPhoneNumbers/\(number.sid)")
        #expect(answer.status == 204 && answer.bytes.isEmpty && answer.headers.isEmpty)
        for method in ["GET", "DELETE", "POST", "PUT"] {
            #expect(api.send(method, "IncomingPhoneNumbers/\(number.sid)").code == "R-3201")
        }
    }

    @Test func `A list is a page, filtered by exact values`() throws {
        for number in ["111", "222", "+333"] { try api.number(number) }
        #expect(
            api.send("GET", "IncomingPhoneNumbers").values("phone_number", in: "incomingPhoneNumbers") == [
                "111", "222", "+333",
            ])
        let found = api.send("GET", "IncomingPhoneNumbers?PhoneNumber=%2B333")
        #expect(found.values("phone_number", in: "incomingPhoneNumbers") == ["+333"] && found.number("total") == 1)
        #expect(found["first_page_uri"]?.hasSuffix("?Page=0&PageSize=50&PhoneNumber=%2B333") == true)
        #expect(api.send("GET", "IncomingPhoneNumbers?PhoneNumber=33").number("total") == 0)
        #expect(api.send("GET", "IncomingPhoneNumbers?FriendlyName=222").number("total") == 1)
        let xml = api.send("GET", "IncomingPhoneNumbers.xml").xml?.elements(forName: "IncomingPhoneNumbers").first
        #expect(xml?.elements(forName: "IncomingPhoneNumber").count == 3)
        #expect(xml?.attribute(forName: "total")?.stringValue == "3")
    }

    @Test func `Nothing is made in an account that was closed`() throws {
        let child = try api.account("Child", below: api.top)
        try api.setStatus(.closed, of: child)
        #expect(api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "123"], of: child.sid).code == "R-3406")
    }
}

/// A name is a client's or a number's, never both: a call to it would have two meanings.
@Suite struct SharedNamesTests {
    let api: API

    init() throws { api = try API() }

    @Test func `A client does not get the name of a number`() throws {
        #expect(api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "support", "isSIP": "true"]).status == 200)
        let answer = api.send("POST", "Clients", ["Login": "support", "Password": "secret-1"])
        #expect(answer.status == 409)
        #expect(answer["code"] == "R-3404" && answer["parameter"] == "Login")
    }

    @Test func `A number does not get the name of a client`() throws {
        #expect(api.send("POST", "Clients", ["Login": "12345", "Password": "secret-1"]).status == 200)
        #expect(api.send("POST", "Clients", ["Login": "sales", "Password": "secret-1"]).status == 200)
        let forms: [KeyValuePairs<String, String>] = [
            ["PhoneNumber": "12345"], ["PhoneNumber": "sales", "isSIP": "true"],
        ]
        for form in forms {
            let answer = api.send("POST", "IncomingPhoneNumbers", form)
            #expect(answer.status == 409)
            #expect(answer["code"] == "R-3401" && answer["parameter"] == "PhoneNumber")
        }
    }
}
