import HTTPMessage

/// Which part of a list is asked for.
struct PageRequest {
    /// The number of the page, from 0.
    let number: Int64
    /// How many resources a page has.
    let size: Int64

    /// The most resources of a page.
    static let limit = 1000
    /// Resources of a page when nobody says how many.
    static let usual: Int64 = 50

    /// The parameters that ask for a page.
    static let parameters = [
        Parameter("Page", .number(0...999_999_999), "The number of the page, from 0.").filled,
        Parameter("PageSize", .number(1...limit), "How many resources a page has; 50 without it.").filled,
    ]

    /// The page that a call asks for; the first one when it asks for none.
    init(_ call: Call) {
        number = Int64(call.number("Page") ?? 0)
        size = call.number("PageSize").map(Int64.init) ?? PageRequest.usual
    }

    /// True when a call asks for a part of a list that is given whole otherwise.
    static func isWanted(_ call: Call) -> Bool { call.filled("Page") != nil || call.filled("PageSize") != nil }

    /// Resources before the page.
    var offset: Int64 { number * size }
}

/// A page of resources with its place in the whole and the addresses of its neighbours.
struct Page {
    /// The element of the list in XML.
    let element: String
    /// The member of the list in JSON.
    let name: String
    let resources: [Representation]
    private let request: PageRequest
    private let total: Int64
    private let path: String
    private let filters: [FormFields.Field]

    /// The page of a list of `total` resources; fails when the list has fewer pages.
    ///
    /// - Parameter resources: Gives the resources of the page, and is not called for one that does not exist.
    init(
        _ name: String, element: String, _ call: Call, path: String, total: Int64,
        _ resources: (PageRequest) throws(Failure) -> [Representation]
    ) throws(Failure) {
        let request = PageRequest(call)
        guard request.number == 0 || request.offset < total else {
            throw Failure(
                .pageInvalid, "Page is invalid: there are \(Page.count(total, request.size)) pages, from 0 on.",
                parameter: "Page")
        }
        self.name = name
        self.element = element
        self.request = request
        self.total = total
        self.path = path
        filters = call.parameters.fields.filter { $0.name != "Page" && $0.name != "PageSize" }
        self.resources = try resources(request)
    }

    /// The number of pages: at least the first one, which may be empty.
    private static func count(_ total: Int64, _ size: Int64) -> Int64 { max(1, (total + size - 1) / size) }

    private var last: Int64 { Page.count(total, request.size) - 1 }
    private var start: String { String(request.offset) }
    private var end: String { String(request.offset + max(0, Int64(resources.count) - 1)) }

    private func uri(_ number: Int64) -> String {
        var uri = "\(path)?Page=\(number)&PageSize=\(request.size)"
        for filter in filters { uri += "&\(Page.escaped(filter.name))=\(Page.escaped(filter.value))" }
        return uri
    }

    /// Text as it stands in a query.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (byte < 16 ? "0" : "") + digits
            }
        }
        return result
    }

    /// The page in JSON. `start` and `end` are texts, as Restcomm writes them.
    var representation: Representation {
        var result = Representation(element)
        result.add("page", number: request.number)
        result.add("num_pages", number: last + 1)
        result.add("page_size", number: request.size)
        result.add("total", number: total)
        result.add("start", start)
        result.add("end", end)
        result.add("uri", path)
        result.add("first_page_uri", uri(0))
        result.add("previous_page_uri", request.number > 0 ? .text(uri(request.number - 1)) : .null)
        result.add("next_page_uri", request.number < last ? .text(uri(request.number + 1)) : .null)
        result.add("last_page_uri", uri(last))
        result.add(name, .list(resources))
        return result
    }

    /// The attributes of the list in XML.
    var attributes: [(name: String, value: String)] {
        var attributes = [
            ("page", String(request.number)), ("numpages", String(last + 1)), ("pagesize", String(request.size)),
            ("total", String(total)), ("start", start), ("end", end), ("uri", path), ("firstpageuri", uri(0)),
            ("lastpageuri", uri(last)),
        ]
        if request.number > 0 { attributes.append(("previouspageuri", uri(request.number - 1))) }
        if request.number < last { attributes.append(("nextpageuri", uri(request.number + 1))) }
        return attributes
    }
}
