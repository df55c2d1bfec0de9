// A request as a protocol message: members of a JSON body or query parameters, read by the rules of proto3's JSON
// mapping as clients of every age send it. Whole numbers may be numbers or texts, doubles may be the texts NaN,
// Infinity and -Infinity, enumerations may be names or numbers, null means absent, unknown members are ignored, and
// names may be spelled in camel case.

import Bytes
import Formats
import HTTP

struct RequestMessage {
    private enum Source {
        case json(JSONValue)
        case query([(name: String, value: String)])
    }

    private let source: Source

    /// Reads the query of a request without a body, else its JSON body of `bytesMax` bytes at most.
    static func read(_ request: Request, bytesMax: Int) async throws -> RequestMessage {
        if request.method == .get || request.method == .head {
            return RequestMessage(source: .query(request.queryItems))
        }
        if let length = request.body.length, length > bytesMax { throw tooLarge(length, bytesMax) }
        let bytes: [UInt8]
        do { bytes = try await request.body.collect(bytesMax: bytesMax) } catch BodyError.tooLarge {
            throw tooLarge(nil, bytesMax)
        }
        guard !bytes.isEmpty else { return RequestMessage(source: .query(request.queryItems)) }
        // A page of another site can send a form to a server on this machine, but not this type without its consent.
        let type = request.fields["Content-Type"] ?? ""
        guard type.lowercased().hasPrefix("application/json") else {
            throw MLflowError.badRequest("Bad Request. Content-Type must be 'application/json'.")
        }
        let document: JSONDocument
        do { document = try JSONDocument(bytes) } catch {
            throw MLflowError.badRequest("The body is not JSON: \(error.message)")
        }
        guard document.root.isObject else {
            // Some clients send an empty JSON text instead of an empty object.
            if document.root.isNull || document.root.equals("") { return RequestMessage(source: .query([])) }
            throw MLflowError.badRequest("The body must be a JSON object.")
        }
        return RequestMessage(source: .json(document.root))
    }

    private init(source: Source) { self.source = source }
    init(_ value: JSONValue) { source = .json(value) }

    private static func tooLarge(_ length: Int?, _ bytesMax: Int) -> MLflowError {
        let got = length.map { ", got a request of size \($0)" } ?? ""
        return .invalid("Requests to this endpoint must be at most \(bytesMax) bytes\(got). Split it into several.")
    }

    /// The text of `name`, or nil when it is absent.
    func string(_ name: String) throws -> String? {
        switch source {
        case .query(let items): return items.first { $0.name == name }?.value
        case .json(let object):
            guard let value = member(object, name) else { return nil }
            guard let text = value.string else { throw Self.wrongType(name, value, "a string") }
            return text
        }
    }

    /// The text of `name`; absent or empty is an error.
    func required(_ name: String) throws -> String {
        guard let text = try string(name), !text.isEmpty else { throw Self.absent(name) }
        return text
    }

    /// The first of `names` that is there and not empty.
    func required(either names: String...) throws -> String {
        for name in names {
            if let text = try string(name), !text.isEmpty { return text }
        }
        throw Self.absent(names[0])
    }

    func int(_ name: String) throws -> Int? {
        switch source {
        case .query(let items):
            guard let text = items.first(where: { $0.name == name })?.value else { return nil }
            guard let number = Int(text) else { throw Self.wrongType(name, "'\(text.prefix(100))'", "an integer") }
            return number
        case .json(let object):
            guard let value = member(object, name) else { return nil }
            return try Self.int(value, name)
        }
    }

    func double(_ name: String) throws -> Double? {
        guard case .json(let object) = source, let value = member(object, name) else { return nil }
        return try Self.double(value, name)
    }

    func bool(_ name: String) throws -> Bool? {
        switch source {
        case .query(let items):
            guard let text = items.first(where: { $0.name == name })?.value else { return nil }
            switch text.lowercased() {
            case "true", "1": return true
            case "false", "0", "": return false
            default: throw Self.wrongType(name, "'\(text.prefix(100))'", "a boolean")
            }
        case .json(let object):
            guard let value = member(object, name) else { return nil }
            if let flag = value.bool { return flag }
            if value.equals("true") { return true }
            if value.equals("false") { return false }
            throw Self.wrongType(name, value, "a boolean")
        }
    }

    /// The texts of the repeated field `name`.
    func strings(_ name: String) throws -> [String] {
        switch source {
        case .query(let items): return items.filter { $0.name == name || $0.name == "\(name)[]" }.map(\.value)
        case .json(let object):
            guard let list = member(object, name) else { return [] }
            guard list.isArray else { throw Self.wrongType(name, list, "an array") }
            var out: [String] = []
            try list.forEachElement { element throws(MLflowError) in
                guard let text = element.string else { throw Self.wrongType(name, element, "an array of strings") }
                out.append(text)
            }
            return out
        }
    }

    /// The messages of the repeated field `name`, each given to `read` with its place in the list.
    func messages<Element>(_ name: String, _ read: (RequestMessage) throws -> Element) throws -> [Element] {
        guard case .json(let object) = source, let list = member(object, name) else { return [] }
        guard list.isArray else { throw Self.wrongType(name, list, "an array") }
        var out: [Element] = []
        out.reserveCapacity(list.count)
        try list.forEachElement { element throws(any Error) in
            guard element.isObject else { throw Self.wrongType("\(name)[\(out.count)]", element, "an object") }
            do { out.append(try read(RequestMessage(element))) } catch let error as MLflowError {
                throw error.at("\(name)[\(out.count)]")
            }
        }
        return out
    }

    /// A nested message, or nil.
    func message(_ name: String) throws -> RequestMessage? {
        guard case .json(let object) = source, let value = member(object, name) else { return nil }
        guard value.isObject else { throw Self.wrongType(name, value, "an object") }
        return RequestMessage(value)
    }

    /// The members, for readers that go through them once; nil when the message came as a query.
    var object: JSONValue? { if case .json(let object) = source { object } else { nil } }

    /// An enumeration as its number, from `names` in numerical order starting at `first`, or the number itself.
    func enumeration(_ name: String, _ names: [String], first: Int = 1) throws -> Int? {
        let text: String?
        switch source {
        case .query(let items): text = items.first { $0.name == name }?.value
        case .json(let object):
            guard let value = member(object, name) else { return nil }
            if let number = value.int { return Int(number) }
            text = value.string
        }
        guard let text, !text.isEmpty else { return nil }
        if let index = names.firstIndex(of: text) { return index + first }
        if let number = Int(text) { return number }
        throw Self.wrongType(name, "'\(text.prefix(100))'", "one of \(names.joined(separator: ", "))")
    }

    private func member(_ object: JSONValue, _ name: String) -> JSONValue? {
        guard let value = object[name] ?? (name.utf8.contains(0x5f) ? object[Self.camelCase(name)] : nil), !value.isNull
        else { return nil }
        return value
    }

    private static func camelCase(_ name: String) -> String {
        var out: [UInt8] = []
        var raise = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                raise = true
            } else {
                out.append(raise && byte &- 97 < 26 ? byte &- 32 : byte)
                raise = false
            }
        }
        return String(utf8: out)
    }
}

extension RequestMessage {
    static func int(_ value: JSONValue, _ name: String) throws(MLflowError) -> Int {
        if let number = value.int { return Int(number) }
        if let text = value.string, let number = Int(text) { return number }
        throw wrongType(name, value, "an integer")
    }

    static func double(_ value: JSONValue, _ name: String) throws(MLflowError) -> Double {
        if let number = value.double { return number }
        switch value.string {
        case "NaN": return .nan
        case "Infinity", "inf": return .infinity
        case "-Infinity", "-inf": return -.infinity
        case let text?:
            if text.utf8.allSatisfy({ ASCII.isDigit($0) || "+-.eE".utf8.contains($0) }), let number = Double(text) {
                return number
            }
        case nil: break
        }
        throw wrongType(name, value, "a number")
    }

    static func absent(_ name: String) -> MLflowError {
        .invalid(
            "Missing value for required parameter '\(name)'. See the API docs for more information about request parameters."
        )
    }

    static func wrongType(_ name: String, _ value: JSONValue, _ expected: String) -> MLflowError {
        let shown = String(utf8: value.tree.encoded.prefix(100))
        return wrongType(name, shown, expected)
    }

    static func wrongType(_ name: String, _ shown: String, _ expected: String) -> MLflowError {
        .invalid(
            "Invalid value \(shown) for parameter '\(name)' supplied: it must be \(expected). See the API docs for more information about request parameters."
        )
    }
}

extension MLflowError {
    /// The same error with its field's place in a list.
    func at(_ place: String) -> MLflowError {
        MLflowError(status: status, code: code, message: message.replacing("parameter '", with: "parameter '\(place)."))
    }
}
