import Bytes
import Clock
import HTTP
import Objects

extension S3Call {
    func getObject() async throws -> Response {
        try refuseUnsupportedFields()
        let selection = try ObjectSelection(fields: fields, query: query)
        let object: ObjectInfo
        let contents: ObjectContents
        do {
            (object, contents) = try await store.getObject(
                bucket: bucket, owner: identity.ownerID, key: try key()
            ) { object, parts throws(ObjectError) in try selection.range(of: object, parts) }
        } catch let error as ObjectError where error.code == .notModified {
            return try await notModified()
        }
        let checksum = try await checksum(of: object, selection)
        var response = try head(of: object, selection, range: contents.range, checksum)
        switch contents.whole {
        case .bytes(let bytes): response.body = .bytes(bytes)
        case .file(let bytes): response.body = .file(Self.region(bytes))
        case nil:
            response.body = .stream(length: contents.range.count) { writer in
                try await contents.forEachSegment { segment in
                    switch segment {
                    case .bytes(let bytes): try await writer.write(bytes)
                    case .file(let bytes): try await writer.write(Self.region(bytes))
                    }
                }
            }
        }
        return response
    }

    func headObject() async throws -> Response {
        try refuseUnsupportedFields()
        let selection = try ObjectSelection(fields: fields, query: query)
        let object: ObjectInfo
        let range: Range<Int64>
        do {
            (object, range) = try await store.selectObject(
                bucket: bucket, owner: identity.ownerID, key: try key()
            ) { object, parts throws(ObjectError) in try selection.range(of: object, parts) }
        } catch let error as ObjectError where error.code == .notModified {
            return try await notModified()
        }
        let checksum = try await checksum(of: object, selection)
        var response = try head(of: object, selection, range: range, checksum)
        // The connection sends the length and leaves the body out.
        response.body = .stream(length: range.count) { _ in }
        return response
    }

    /// 304 with the fields that a cache updates its copy by (RFC 9110 section 15.4.5).
    private func notModified() async throws -> Response {
        let object = try await store.headObject(bucket: bucket, key: try key())
        var response = Response(.notModified)
        response.fields.append("ETag", "\"\(object.etag)\"")
        response.fields.append("Last-Modified", object.modified.httpDate)
        return response
    }

    private var wantsChecksum: Bool { fields["x-amz-checksum-mode"]?.uppercased() == "ENABLED" }

    /// The checksum of the part that was asked for by number; nil when none was, or none is wanted.
    private func checksum(of object: ObjectInfo, _ selection: ObjectSelection) async throws -> Checksum? {
        guard wantsChecksum, let number = selection.partNumber, let whole = object.checksum else { return nil }
        guard object.partCount > 0 else { return whole }
        guard let part = try await store.part(bucket: bucket, key: object.key, ordinal: number) else { return nil }
        guard let checksum = part.checksum else { return nil }
        return Checksum(algorithm: checksum.algorithm, type: whole.type, text: checksum.text)
    }

    /// Status and fields of a GET or HEAD.
    private func head(
        of object: ObjectInfo, _ selection: ObjectSelection, range: Range<Int64>, _ partChecksum: Checksum?
    ) throws -> Response {
        var response = Response(selection.isPartial ? .partialContent : .ok)
        AttributeFields.append(object, to: &response.fields, withChecksum: wantsChecksum && !selection.isPartial)
        if let partChecksum { AttributeFields.append(partChecksum, to: &response.fields) }
        if selection.isPartial {
            response.fields.append("Content-Range", ByteRangeField.contentRange(range, size: object.size))
        }
        if selection.partNumber != nil, object.partCount > 0 {
            response.fields.append("x-amz-mp-parts-count", "\(object.partCount)")
        }
        for (parameter, name) in Self.overrides {
            guard let value = query.value(parameter) else { continue }
            guard HTTPFields.isValidValue(value.utf8) else {
                throw S3Error(.invalidArgument, "\(parameter) holds a control character.")
            }
            response.fields[name] = value
        }
        return response
    }

    private static let overrides = [
        ("response-content-type", "Content-Type"), ("response-content-language", "Content-Language"),
        ("response-expires", "Expires"), ("response-cache-control", "Cache-Control"),
        ("response-content-disposition", "Content-Disposition"), ("response-content-encoding", "Content-Encoding"),
    ]

    private static func region(_ bytes: ObjectContents.FileBytes) -> FileRegion {
        // The descriptor belongs to `bytes`, which the closure keeps until the region goes.
        FileRegion(descriptor: bytes.descriptor, range: bytes.range) { _ in withExtendedLifetime(bytes) {} }
    }
}

/// What of an object a GET or HEAD wants, and under which conditions.
struct ObjectSelection: Sendable {
    let conditions: ReadConditions
    let byteRange: ByteRangeField?
    let partNumber: Int?

    var isPartial: Bool { byteRange != nil || partNumber != nil }

    init(fields: HTTPFields, query: S3Query) throws(S3Error) {
        conditions = ConditionFields.read(fields)
        byteRange = fields["Range"].flatMap { ByteRangeField($0) }
        guard let text = query.value("partNumber") else {
            partNumber = nil
            return
        }
        guard let number = ASCII.decimal(text.utf8), (1...ObjectLimits.partNumberMax).contains(number) else {
            throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive.")
        }
        guard byteRange == nil else {
            throw S3Error(.invalidRequest, "Cannot specify both Range header and partNumber query parameter.")
        }
        partNumber = number
    }

    /// Throws what the conditions say, or `rangeNotSatisfiable`.
    func range(of object: ObjectInfo, _ parts: [Range<Int64>]) throws(ObjectError) -> Range<Int64> {
        try conditions.check(etag: object.etag, modified: object.modified)
        if let partNumber {
            guard partNumber <= parts.count else {
                throw ObjectError(.partNumberOutOfRange, "The requested part number is not satisfiable.")
            }
            return parts[partNumber - 1]
        }
        guard let byteRange else { return 0..<object.size }
        guard let range = byteRange.resolve(size: object.size) else {
            throw ObjectError(.rangeNotSatisfiable, "The requested range is not satisfiable.")
        }
        return range
    }
}
