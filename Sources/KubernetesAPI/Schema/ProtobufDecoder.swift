// kubectl 1.32 and later, Helm and every Go client with types send `application/vnd.kubernetes.protobuf`: four bytes of
// magic, then an envelope with the kind's name and the object. The schema's tables turn it into the JSON that the rest
// of the server speaks. Answers may always be JSON, so there is no encoder.

import Bytes
import Clock
import Formats

enum KubernetesProtobufError: Error, Equatable {
    case notAnEnvelope
    /// The kind has no table, or its object is encoded some other way.
    case unsupported(String)
    case malformed(String)
}

/// Decodes Protobuf request bodies.
struct ProtobufDecoder {
    static let mediaType = "application/vnd.kubernetes.protobuf"
    private static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]
    private static let depthMax = 64

    private let schema: Schema

    init(schema: Schema = .shared) { self.schema = schema }

    /// The object in `body`, with `apiVersion` and `kind`.
    func decode(_ body: [UInt8]) throws(KubernetesProtobufError) -> JSON {
        guard body.starts(with: Self.magic) else { throw .notAnEnvelope }
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        var encoding = ""
        do {
            var envelope = ProtobufReader(body[Self.magic.count...])
            while let field = try envelope.next() {
                switch field.number {
                case 1:
                    var type = try field.message()
                    while let part = try type.next() {
                        if part.number == 1 { apiVersion = try part.string() }
                        if part.number == 2 { kind = try part.string() }
                    }
                case 2: raw = try field.bytes()
                case 3: encoding = try field.string()
                default: break
                }
            }
            guard encoding.isEmpty else { throw KubernetesProtobufError.unsupported("content encoding \(encoding)") }
            guard schema.contains(kind) else {
                throw KubernetesProtobufError.unsupported("\(apiVersion), Kind=\(kind)")
            }
            var members = JSONObject()
            members["apiVersion"] = .string(apiVersion)
            members["kind"] = .string(kind)
            try decode(ProtobufReader(raw), schema[kind], into: &members, depth: 0)
            return .object(members)
        } catch let error as KubernetesProtobufError {
            throw error
        } catch {
            throw .malformed((error as? ProtobufError)?.message ?? "malformed")
        }
    }

    private func decode(
        _ reader: ProtobufReader, _ message: SchemaMessage, into members: inout JSONObject, depth: Int
    ) throws {
        guard depth < Self.depthMax else {
            throw KubernetesProtobufError.malformed("nested deeper than \(Self.depthMax)")
        }
        var reader = reader
        // Gathered here and set at the end: appending inside `members` would copy the list for each element.
        var lists: [String: [JSON]] = [:]
        var maps: [String: JSONObject] = [:]
        defer {
            for (name, elements) in lists { members[name] = .array(elements) }
            for (name, map) in maps { members[name] = .object(map) }
        }
        while let field = try reader.next() {
            guard let known = message.byNumber[field.number] else { continue }
            if known.name.isEmpty, case .message(let inner) = known.type {
                try decode(try field.message(), schema[inner], into: &members, depth: depth + 1)
                continue
            }
            switch known.type {
            case .list(let element):
                if let value = try value(field, element, depth) { lists[known.name, default: []].append(value) }
            case .map(let element):
                let (key, value) = try entry(field, element, depth)
                maps[known.name, default: JSONObject()][key] = value
            default:
                guard let value = try value(field, known.type, depth) else { continue }
                if known.keepsZero || !Self.isZero(value) { members[known.name] = value }
            }
        }
    }

    private func value(_ field: ProtobufField, _ type: SchemaType, _ depth: Int) throws -> JSON? {
        switch type {
        case .string: return .string(try field.string())
        case .int: return .int(try field.int())
        case .double: return .double(try field.double())
        case .bool: return .bool(try field.bool())
        case .bytes: return .string(Base64.encode(Array(try field.bytes())))
        case .time, .microtime: return try time(field.message(), fractionDigits: type == .microtime ? 6 : 0)
        case .quantity:
            var reader = try field.message()
            var text = ""
            while let part = try reader.next() {
                if part.number == 1 { text = try part.string() }
            }
            return .string(text)
        case .intOrString: return try intOrString(field.message())
        case .message(let name):
            var members = JSONObject()
            try decode(try field.message(), schema[name], into: &members, depth: depth + 1)
            return .object(members)
        case .list(let element):
            // A list inside a map travels as a message with the list as its field 1.
            var reader = try field.message()
            var elements: [JSON] = []
            while let part = try reader.next() {
                if part.number == 1, let value = try value(part, element, depth + 1) { elements.append(value) }
            }
            return .array(elements)
        case .map, .scalar, .any:
            // Only custom resources have these, and the raw bytes of `managedFields`, which the server keeps itself.
            return nil
        }
    }

    private func entry(_ field: ProtobufField, _ type: SchemaType, _ depth: Int) throws -> (String, JSON?) {
        var reader = try field.message()
        var key = ""
        // A value that is its type's zero may be left out.
        var value: JSON? = type == .string || type == .bytes ? "" : nil
        while let part = try reader.next() {
            if part.number == 1 { key = try part.string() }
            if part.number == 2 { value = try self.value(part, type, depth + 1) }
        }
        return (key, value)
    }

    private func time(_ reader: ProtobufReader, fractionDigits: Int) throws -> JSON? {
        var reader = reader
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        while let part = try reader.next() {
            if part.number == 1 { seconds = try part.int() }
            if part.number == 2 { nanoseconds = try part.int() }
        }
        // A time of zero is written for "none"; the year 1 is Go's zero.
        guard seconds > 0, seconds < 9_000_000_000, (0..<1_000_000_000).contains(nanoseconds) else { return nil }
        let time = WallTime(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
        return .string(time.iso8601(fractionDigits: fractionDigits))
    }

    private func intOrString(_ reader: ProtobufReader) throws -> JSON {
        var reader = reader
        var isText = false
        var number: Int64 = 0
        var text = ""
        while let part = try reader.next() {
            switch part.number {
            case 1: isText = try part.int() == 1
            case 2: number = try part.int()
            case 3: text = try part.string()
            default: break
            }
        }
        return isText ? .string(text) : .int(number)
    }

    private static func isZero(_ value: JSON) -> Bool {
        switch value {
        case .string(let text): text.isEmpty
        case .int(let number): number == 0
        case .double(let number): number == 0
        case .bool(let flag): !flag
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
