import Store
import Testing

@testable import RESTInterface

@Suite struct ApplicationsTests {
    let api: API

    init() throws { api = try API() }

    @Test func `An application is made with all values and shown in order`() throws {
        let answer = api.send(
            "POST", "Applications",
            [
                "FriendlyName": "App", "VoiceUrl": "http://a/v", "VoiceMethod": "get",
                "VoiceFallbackUrl": "http://a/vf",
                "VoiceFallbackMethod": "GET", "SmsUrl": "http://a/s", "SmsMethod": "GET",
                "SmsFallbackUrl": "http://a/sf",
                "SmsFallbackMethod": "get", "StatusCallback": "http://a/c", "StatusCallbackMethod": "GET",
            ])
        let sid = try #require(answer["sid"])
        #expect(Parameter.isSID(sid, "AP") && answer.status == 200)
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "friendly_name": "App",
                  "account_sid": "\(api.top.sid)",
                  "api_version": "2012-04-24",
                  "voice_url": "http://a/v",
                  "voice_method": "GET",
                  "voice_fallback_url": "http://a/vf",
                  "voice_fallback_method": "GET",
                  "sms_url": "http://a/s",
                  "sms_method": "GET",
                  "sms_fallback_url": "http://a/sf",
                  "sms_fallback_method": "GET",
                  "status_callback": "http://a/c",
                  "status_callback_method": "GET",
                  "rcml_url": "http://a/v",
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Applications/\(sid).json"
                }

                """)
        #expect(api.send("GET", "Applications/\(sid)").text == answer.text)
    }

    @Test func `RcmlUrl is another name of VoiceUrl, which counts when both are there`() {
        let one = api.send("POST", "Applications", ["FriendlyName": "A", "RcmlUrl": "http://a/r"])
        #expect(one["voice_url"] == "http://a/r" && one["rcml_url"] == "http://a/r")
        let both = api.send(
            "POST", "Applications", ["FriendlyName": "A", "VoiceUrl": "http://a/v", "RcmlUrl": "http://a/r"])
        #expect(both["voice_url"] == "http://a/v")
    }

    @Test(arguments: ["POST", "PUT"])
    func `An update changes what is sent, clears what is empty and leaves the rest`(method: String) throws {
        let made = api.send(
            "POST", "Applications",
            [
                "FriendlyName": "A", "VoiceUrl": "http://a/v", "VoiceMethod": "GET", "SmsUrl": "http://a/s",
                "StatusCallback": "http://a/c",
            ])
        let path = "Applications/\(made["sid"] ?? "")"
        api.clock.wait(seconds: 60)
        let untouched = api.send(method, path)
        #expect(
            untouched["voice_url"] == "http://a/v" && untouched["voice_method"] == "GET"
                && untouched["sms_url"] == "http://a/s")
        #expect(untouched["date_updated"] == "Tue, 14 Nov 2023 22:14:20 +0000")
        let changed = api.send(
            method, path, ["VoiceUrl": "", "VoiceMethod": "", "SmsUrl": "http://a/t", "FriendlyName": "B"])
        #expect(changed["voice_url"] == nil && changed["rcml_url"] == nil && changed["voice_method"] == "POST")
        #expect(
            changed["sms_url"] == "http://a/t" && changed["friendly_name"] == "B"
                && changed["status_callback"] == "http://a/c")
        #expect(api.send("GET", path).text == changed.text)
        #expect(api.send(method, path, ["FriendlyName": ""]).code == "R-3302")
        #expect(api.send(method, path, ["SmsMethod": "PUT"]).code == "R-3302")
        #expect(api.send("POST", "Applications", ["FriendlyName": ""]).code == "R-3302")
    }

    @Test func `An application that something refers to is not deleted, and the answer says what`() throws {
        let application = try api.application("App")
        let client = api.send(
            "POST", "Clients", ["Login": "alice", "Password": "x", "VoiceApplicationSid": application.sid])
        let number = api.send(
            "POST", "IncomingPhoneNumbers", ["PhoneNumber": "+123", "SmsApplicationSid": application.sid])
        #expect(client.status == 200 && number.status == 200)
        let refused = api.send("DELETE", "Applications/\(application.sid)")
        #expect(refused.status == 409 && refused.code == "R-3403")
        #expect(refused["message"]?.contains("client alice (\(client["sid"] ?? "?"))") == true)
        #expect(refused["message"]?.contains("number +123 (\(number["sid"] ?? "?"))") == true)
        _ = api.send("DELETE", "Clients/\(client["sid"] ?? "")")
        _ = api.send("PUT", "IncomingPhoneNumbers/\(number["sid"] ?? "")", ["SmsApplicationSid": ""])
        let deleted = api.send("DELETE", "Applications/\(application.sid)")
        #expect(deleted.status == 200 && deleted.bytes.isEmpty)
        for method in ["GET", "DELETE", "POST", "PUT"] {
            #expect(api.send(method, "Applications/\(application.sid)").code == "R-3201")
        }
    }

    @Test func `A list is filtered and paged`() throws {
        for name in ["a", "b", "a"] { _ = try api.application(name) }
        #expect(api.send("GET", "Applications").values("friendly_name") == ["a", "b", "a"])
        #expect(api.send("GET", "Applications?FriendlyName=a").list.count == 2)
        #expect(api.send("GET", "Applications?FriendlyName=a&PageSize=1&Page=1").list.count == 1)
        #expect(api.send("GET", "Applications?Page=7").text == "[]\n")
        #expect(api.send("GET", "Applications.xml?FriendlyName=x").xml?.elements(forName: "Applications").count == 1)
    }

    @Test func `Nothing is made in an account that was closed`() throws {
        let child = try api.account("Child", below: api.top)
        try api.setStatus(.closed, of: child)
        #expect(api.send("POST", "Applications", ["FriendlyName": "x"], of: child.sid).code == "R-3406")
    }
}
